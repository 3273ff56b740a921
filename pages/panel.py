"""The panel of one figure, for any page: its value and comparison, how it moved, who contributes, its orders, its contract."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from access.view import View
from components.board import State
from components.format import brief, count, percent
from components.panel import Action, Line, OrderRows, Panel, Part, Parts
from i18n import translate
from pages.contract import contract_query, read_contract
from pages.drill_path import next_dimension
from pages.figures import difference, figure, metric_name, plain
from pages.heat_question import narrowed, window_of
from pages.links import filter_changes, link
from pages.problems import problem_of
from pages.side_by_side import read_side_by_side
from pages.staleness import stale_needs, stale_sources
from pages.wording import judge, name_of, state_name
from queries.listing import Listing
from queries.metrics import GROUPS, METRICS
from queries.query import Comparison, Filter, Grain, Query, Window

Row = dict[str, Any]
MOST_PARTS: Final = 6
MOST_ORDERS: Final = 8
ORDER_COLUMNS: Final = ("order_id", "channel", "city", "status", "late_by_seconds")
PROMISES: Final = ("promised_at", "promised_ship_at", "ship_due_at", "due_at")
"""Instants that fall on a few hours of the day: by the hour their figures are mostly gaps."""
SPEED: Final = frozenset(metric.name for metric in GROUPS["speed"])
"""Speed is never shown without the share of exceptions beside it: faster with more failures is not better."""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """The figure a panel opens: a metric, the filters that make it this figure, the window's code, where it stands in words."""

    metric: str
    where: tuple[Filter, ...] = ()
    window: str = ""
    place: str = ""

    def query(self, view: View) -> Query:
        """The question that gives the figure."""
        compare: tuple[Comparison, ...] = ("last_week", "target")
        window = window_of(view, self.window or view.address.window)
        return Query(metrics=(self.metric,), where=narrowed(view, self.metric, self.where), window=window, compare=compare)


def read_figure(view: View, subject: Subject) -> Row:
    """The figure with last week's, its target, and its population's size."""
    return view.run(contract_query(subject.query(view))).row(0, named=True)


def read_panel(view: View, subject: Subject, *, can_drill: bool = True) -> Panel:
    """The whole panel; `can_drill` False where the page is the drill itself."""
    language, metric = view.language, subject.metric
    view.ask_together(_questions(view, subject))
    shown = read_side_by_side(
        view,
        {
            "parts": partial(read_parts, view, subject),
            "figure": partial(read_figure, view, subject),
            "trend": partial(read_trend, view, metric, subject.where, subject.window),
            "orders": partial(read_first_orders, view, subject),
        },
    )
    row = shown.pop("figure")
    value, state = plain(row[metric]), state_of(view, metric, row, narrowed(view, metric, subject.where))
    return Panel(
        language=language,
        title=metric_name(language, metric),
        subtitle=subject.place,
        close=translate(language, "panel.close"),
        value=figure(language, metric, value),
        state=state,
        state_word=state_name(language, state),
        note=_note(view, metric, row),
        lines=_lines(view, subject, row, state),
        actions=_actions(view, subject, can_drill=can_drill),
        contract=read_contract(view, metric, subject.query(view), row),
        **shown,
    )


def _questions(view: View, subject: Subject) -> tuple[Query | Listing, ...]:
    """All that a panel asks: most of it looks at the same orders."""
    asked = contract_query(subject.query(view)), _parts_query(view, subject), first_orders(view, subject)
    trend = trend_query(view, subject.metric, subject.where, subject.window)
    return (*asked, trend, *([_exceptions(view, subject)] if subject.metric in SPEED else []))


def state_of(view: View, metric: str, row: Row, where: Sequence[Filter] = ()) -> State:
    """Stale, too few, or as the target judges it; of a stage as its cell is, by that stage's own sources."""
    if stale_needs(view, metric, _stages(where)):
        return "stale"
    value, n = plain(row[metric]), row.get(f"{metric}_n")
    if value is None or (n is not None and n < view.targets.at(view.as_of, view.zone).minimum_count):
        return "unknown"
    return judge(metric, value, plain(row.get(f"{metric}_target"))) or "neutral"


def _stages(where: Sequence[Filter]) -> tuple[object, ...]:
    return tuple(value for filter_ in where if filter_.dimension == "stage" for value in filter_.values)


def _note(view: View, metric: str, row: Row) -> str:
    n = row.get(f"{metric}_n")
    if n is None:
        return ""
    is_few = n < view.targets.at(view.as_of, view.zone).minimum_count
    return translate(view.language, "wall.note.few" if is_few else "panel.n", n=count(view.language, n))


def _lines(view: View, subject: Subject, row: Row, state: State) -> tuple[str, ...]:
    language, metric = view.language, subject.metric
    before, target = plain(row.get(f"{metric}_last_week")), plain(row.get(f"{metric}_target"))
    lines = []
    if before is not None and not view.is_filling:
        moved = difference(language, metric, plain(row.get(f"{metric}_last_week_difference")))
        lines.append(translate(language, "wall.tip.last_week", value=figure(language, metric, before), change=moved))
    if target is not None:
        lines.append(translate(language, "wall.tip.target", value=figure(language, metric, target)))
    lines.append(translate(language, "wall.tip.state", state=state_name(language, state)))
    if state == "stale":
        lines.append(stale_sources(view, stale_needs(view, metric, _stages(narrowed(view, metric, subject.where)))))
    if metric in SPEED:
        beside = view.run(_exceptions(view, subject)).row(0, named=True)
        lines.append(translate(language, "panel.exceptions", share=percent(language, beside["exception_rate"])))
    return tuple(lines)


def _exceptions(view: View, subject: Subject) -> Query:
    where = tuple(filter_ for filter_ in narrowed(view, "exception_rate", subject.where) if filter_.dimension != "stage")
    return Query(metrics=("exception_rate",), where=where, window=window_of(view, subject.window or view.address.window))


def trend_query(view: View, metric: str, where: Sequence[Filter], code: str) -> Query:
    """The figure by the hour over the last day or two, in longer windows by the day, with its target."""
    window = window_of(view, code or view.address.window)
    span = None if window.start is None else window.end - window.start
    is_short = span is not None and span <= timedelta(hours=48)
    grain: Grain = "hour" if is_short and METRICS[metric].anchor.at not in PROMISES else "day"
    anchor = METRICS[metric].anchor
    # Open orders are counted anew at each bucket's end: a day of hours is what a panel waits for.
    hours = timedelta(hours=24 if anchor.is_stock or anchor.extra == "waiting" else 48)
    least, most = (hours, hours) if grain == "hour" else (timedelta(days=14), timedelta(days=60))
    length = most if span is None else min(max(span, least), most)
    shown = Window(start=window.end - length, end=window.end)
    return Query(metrics=(metric,), where=narrowed(view, metric, where), window=shown, grain=grain, compare=("target",))


def read_trend(view: View, metric: str, where: Sequence[Filter], code: str) -> Line:
    """The answer to `trend_query` as a line."""
    language, asked = view.language, trend_query(view, metric, where, code)
    grain: Grain = asked.grain or "day"
    rows = view.run(asked).sort("bucket_at").to_dicts()
    values = tuple(plain(row[metric]) for row in rows)
    known = [value for value in values if value is not None]
    names = [_instant(view, row["bucket_at"], grain) for row in rows]
    target = next((plain(row[f"{metric}_target"]) for row in rows), None)
    return Line(
        title=translate(language, f"panel.trend_{grain}"),
        values=values,
        target=target,
        target_name=translate(language, "panel.target"),
        top=figure(language, metric, max([*known, *([] if target is None else [target])])) if known else "",
        first=names[0] if names else "",
        last=names[-1] if names else "",
        spoken="; ".join(
            f"{name} {figure(language, metric, value)}" for name, value in zip(names[-8:], values[-8:], strict=True)
        ),
        tips=tuple(f"{name}\n{figure(language, metric, value)}" for name, value in zip(names, values, strict=True)),
    )


def _instant(view: View, instant: datetime, grain: Grain) -> str:
    return f"{instant.astimezone(view.zone):{'%m-%d %H:%M' if grain == 'hour' else '%m-%d'}}"


def _parts_query(view: View, subject: Subject) -> Query:
    """The figure by the next dimension."""
    where = narrowed(view, subject.metric, subject.where)
    by = (next_dimension(view, subject.metric, where),)
    return Query(metrics=(subject.metric,), by=by, where=where, window=window_of(view, subject.window or view.address.window))


def read_parts(view: View, subject: Subject) -> Parts:
    """The largest contributors by the next dimension, each with its share of the problem where the figure is one."""
    language, metric = view.language, subject.metric
    asked = _parts_query(view, subject)
    (dimension,) = asked.by
    problem = problem_of(metric)
    rows = [row for row in view.run(asked).to_dicts() if plain(row[metric]) is not None]
    weights = [problem.bad(row, metric) if problem else abs(plain(row[metric]) or 0.0) for row in rows]
    whole = sum(weights) or 1.0
    ranked = sorted(zip(rows, weights, strict=True), key=lambda pair: -pair[1])[:MOST_PARTS]
    most = max((weight for _, weight in ranked), default=0.0) or 1.0
    is_shared = problem is not None or METRICS[metric].kind == "sum"
    return Parts(
        title=translate(language, "panel.parts", dimension=translate(language, f"dimensions.{dimension}.name")),
        scope=translate(language, "panel.parts_scope" if is_shared else "panel.parts_largest"),
        empty=translate(language, "heatmaps.no_data"),
        rows=tuple(
            Part(
                name=name_of(language, dimension, row[dimension]),
                value=figure(language, metric, plain(row[metric])),
                share=weight / most,
                note=percent(language, weight / whole, 0) if is_shared else "",
                href=drill_link(view, metric, (*subject.where, Filter(dimension, (row[dimension],))), subject.window),
            )
            for row, weight in ranked
        ),
    )


def first_orders(view: View, subject: Subject) -> Listing:
    """The first orders behind the figure, the bad ones where it knows bad ones."""
    return Listing(
        metric=subject.metric,
        part="bad" if problem_of(subject.metric) else "all",
        where=narrowed(view, subject.metric, subject.where),
        window=window_of(view, subject.window or view.address.window),
        columns=ORDER_COLUMNS,
        limit=MOST_ORDERS,
    )


def read_first_orders(view: View, subject: Subject) -> OrderRows:
    """The rows of `first_orders`; each leads to itself."""
    language, listing = view.language, first_orders(view, subject)
    rows = view.list_at_once(listing).to_dicts()
    return OrderRows(
        title=translate(language, "panel.first_bad" if listing.part == "bad" else "panel.first_orders"),
        heads=tuple(translate(language, f"panel.column.{name}") for name in ORDER_COLUMNS),
        rows=tuple(_order(view, row) for row in rows),
        hrefs=tuple(link(view, "/order", channel=(str(row["channel"]),), order_id=str(row["order_id"])) for row in rows),
        empty=translate(language, "panel.no_orders"),
    )


def _order(view: View, row: Row) -> tuple[str, ...]:
    language = view.language
    names = (name_of(language, name, row[name]) for name in ORDER_COLUMNS[1:-1])
    return str(row["order_id"]), *names, brief(language, row["late_by_seconds"])


def drill_link(view: View, metric: str, where: Sequence[Filter], window: str = "") -> str:
    """The drill at these filters, showing this metric."""
    changes = filter_changes(where) | ({"window": window} if window and window != view.address.window else {})
    return link(view, "/drill", metric=metric, **changes)


def figure_link(view: View, metric: str, where: Sequence[Filter] = ()) -> str:
    """The drill at these filters with the figure opened: its value, definition and orders."""
    return link(view, "/drill", metric=metric, figure=metric, **filter_changes(where))


def orders_link(view: View, metric: str, where: Sequence[Filter], window: str = "", part: str = "all") -> str:
    """The orders behind a figure: exactly its rows, or with `part="bad"` those that make it bad."""
    changes = filter_changes(where) | ({"window": window} if window and window != view.address.window else {})
    return link(view, "/orders", metric=metric, part=part, **changes)


def _actions(view: View, subject: Subject, *, can_drill: bool) -> tuple[Action, ...]:
    language, metric = view.language, subject.metric
    where = (*subject.where,)
    found = [Action(name=translate(language, "panel.drill"), href=drill_link(view, metric, where, subject.window), is_main=True)]
    found = found if can_drill else []
    found.append(Action(name=translate(language, "panel.orders"), href=orders_link(view, metric, where, subject.window)))
    if problem_of(metric):
        name = translate(language, "panel.bad_orders")
        found.append(Action(name=name, href=orders_link(view, metric, where, subject.window, part="bad")))
    found.append(Action(name=translate(language, "panel.alert_me"), href=alert_link(view, metric, where, subject.window)))
    return tuple(found)


def alert_link(view: View, metric: str, where: Sequence[Filter], window: str = "") -> str:
    """The form of a new alert rule, filled in with this figure."""
    changes = filter_changes(where) | ({"window": window} if window and window != view.address.window else {})
    return link(view, "/rules", draft="new", metric=metric, **changes)
