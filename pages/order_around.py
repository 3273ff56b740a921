"""What went on around an order: its warehouse's queue and throughput, its carrier, how old the sources were, the calendar."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from access.order_twin import Twin
from access.view import View
from components.format import age, count, exact_instant, percent
from components.twin import Fact, Series, Surroundings
from i18n import label, translate
from pages.time_marks import shift_name
from pages.wording import source_name
from queries.query import Filter, Query, Window

BEFORE, AFTER = timedelta(hours=12), timedelta(hours=6)
CARRIER_DAYS: Final = timedelta(days=3)


def read_around(view: View, twin: Twin) -> Surroundings:
    """The surroundings at the middle of the stage that cost most (else at the order's last instant)."""
    language, at = view.language, _instant(twin)
    return Surroundings(
        title=translate(language, "twin.around.title"),
        scope=translate(language, "twin.around.scope", at=exact_instant(at, view.zone)[:16]),
        series=_series(view, twin, at),
        facts=(*_carrier(view, twin, at), *_sources(view, at), *_calendar(view, at)),
    )


def _instant(twin: Twin) -> datetime:
    order, passage = twin.order, twin.worst
    if passage is None or passage.opened_at is None:
        known = [one.closed_at or order["as_of"] for one in twin.passages]
        return max(known, default=order["created_at"])
    end = passage.closed_at or order["as_of"]
    return passage.opened_at + (end - passage.opened_at) / 2


def _series(view: View, twin: Twin, at: datetime) -> tuple[Series, ...]:
    """The warehouse's open orders and what it shipped, hour by hour, within the user's scope."""
    warehouse = twin.order["warehouse_id"]
    if warehouse is None:
        return ()
    hour = at.replace(minute=0, second=0, microsecond=0)
    window = Window(start=hour - BEFORE, end=min(hour + AFTER, view.as_of + timedelta(milliseconds=1)))
    names = ("backlog_count", "shipped_count")
    asked = Query(metrics=names, where=(Filter("warehouse", (warehouse,)),), window=window, grain="hour")
    rows = view.run(asked).to_dicts()
    instants = [row["bucket_at"] for row in rows]
    return tuple(_line(view, name, warehouse, instants, [row[name] for row in rows], hour) for name in names)


def _line(
    view: View, name: str, warehouse: str, instants: Sequence[datetime], values: Sequence[float | None], hour: datetime
) -> Series:
    language, most = view.language, max([value or 0 for value in values], default=0) or 1
    marked = next((index for index, instant in enumerate(instants) if instant == hour), -1)
    figure = count(language, values[marked] if marked >= 0 else None)
    place = label(language, "warehouse_id", warehouse)
    texts = {"n": figure, "warehouse": place, "most": count(language, most)}
    return Series(
        name=translate(language, f"twin.around.{name}", **texts),
        text=figure,
        bars=tuple(None if value is None else value / most for value in values),
        marked=marked,
        tip=translate(language, f"twin.around.{name}_tip", **texts),
    )


def _carrier(view: View, twin: Twin, at: datetime) -> tuple[Fact, ...]:
    carrier, language = twin.order["carrier_id"], view.language
    if carrier is None:
        return ()
    window = Window(start=at - CARRIER_DAYS, end=min(at + timedelta(days=1), view.as_of + timedelta(milliseconds=1)))
    (row,) = view.run(Query(metrics=("on_time_rate",), where=(Filter("carrier", (carrier,)),), window=window)).to_dicts()
    name = translate(language, "twin.around.carrier", carrier=label(language, "carrier_id", carrier))
    figures = {"rate": percent(language, row["on_time_rate"]), "n": count(language, row["on_time_rate_n"])}
    return (Fact(name=name, text=translate(language, "twin.around.carrier_rate", **figures)),)


def _sources(view: View, at: datetime) -> tuple[Fact, ...]:
    """How old each source's newest snapshot was at that time."""
    language = view.language
    known = view.reading.ledger(until=at).sources
    return tuple(
        Fact(
            name=translate(language, "twin.around.source", source=source_name(source)),
            text=translate(language, "twin.around.source_age", age=age(language, (at - as_of).total_seconds())),
            tip=exact_instant(as_of, view.zone),
        )
        for source, as_of in known
    )


def _calendar(view: View, at: datetime) -> tuple[Fact, ...]:
    language, calendar, local = view.language, view.targets.at(at, view.zone).calendar, at.astimezone(view.zone)
    marks = [day.name for day in calendar.promotions if day.start <= local.date() <= day.end]
    marks += [translate(language, "wall.holiday")] if local.date() in calendar.holidays else []
    clock = local.time()
    marks += [
        shift_name(language, shift.name)
        for shift in calendar.shifts
        if shift.start <= clock and (shift.end is None or clock < shift.end)
    ]
    text = " · ".join(marks) or translate(language, "twin.around.ordinary")
    return (Fact(name=translate(language, "twin.around.calendar"), text=text),)
