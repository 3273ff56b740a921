"""A heatmap's figure over time: one small line per row, and ninety days as a calendar."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from access.view import View
from components.heat import Cell, HeatGrid, Legend
from components.panel import Line
from components.plane import Card
from i18n import translate
from pages.figures import brief_figure, figure, metric_name, plain
from pages.heat_paint import paint_of
from pages.heat_question import EVERYTHING, Question, axis_name, cell_key, narrowed, question_link, window_code, window_of
from pages.heat_reading import badness, cell_lines, is_stale
from pages.links import instant_text
from pages.staleness import stale_sources
from pages.wording import name_of
from queries.query import Grain, Query, Window

Row = dict[str, Any]
MOST_LINES: Final = 16
CALENDAR_DAYS: Final = 90


def read_multiples(view: View, question: Question, rows: Sequence[Row]) -> Card:
    """The worst rows' figure over time, on one scale: by the hour over two days, else by the day."""
    language, metric, window = view.language, question.metric, window_of(view, window_code(view, question))
    length = timedelta(days=90) if window.start is None else window.end - window.start
    grain: Grain = "hour" if length <= timedelta(hours=48) else "day"
    shown = Window(start=window.end - min(length, timedelta(days=90)), end=window.end)
    by = (question.rows,)
    asked = Query(metrics=(metric,), by=by, where=narrowed(view, metric, ()), window=shown, grain=grain, compare=("target",))
    found: dict[Any, list[Row]] = {}
    for row in view.run(asked).sort("bucket_at").to_dicts():
        found.setdefault(row[question.rows], []).append(row)
    buckets = sorted({row["bucket_at"] for series in found.values() for row in series})
    least = view.targets.at(view.as_of, view.zone).minimum_count
    ranked = sorted(found, key=lambda code: -_mean_badness(metric, found[code], least))[:MOST_LINES]
    shown_values = [value for code in ranked for row in found[code] if (value := plain(row[metric])) is not None]
    ceiling = max(shown_values, default=None)
    scope = translate(language, "heatmaps.lines_scope", rows=axis_name(language, question.rows), n=len(ranked), all=len(found))
    return Card(
        title=metric_name(language, metric),
        scope=scope,
        lines=tuple(_line(view, question, code, found[code], (buckets, ceiling)) for code in ranked),
        text=translate(language, "heatmaps.empty"),
        size="wide",
    )


def _mean_badness(metric: str, series: Sequence[Row], least: int) -> float:
    """How bad a row is on the whole; one of fewer than so many orders comes last, like one without a value."""
    counts = [row[f"{metric}_n"] or 0 for row in series if f"{metric}_n" in row]
    if counts and sum(counts) < least:
        return badness(metric, None)
    values = [value for row in series if (value := plain(row[metric])) is not None]
    return badness(metric, sum(values) / len(values) if values else None)


def _line(
    view: View, question: Question, code: object, series: Sequence[Row], axes: tuple[Sequence[datetime], float | None]
) -> Line:
    language, metric = view.language, question.metric
    buckets, ceiling = axes
    found = {row["bucket_at"]: plain(row[metric]) for row in series}
    values = tuple(found.get(bucket) for bucket in buckets)
    local = [bucket.astimezone(view.zone) for bucket in buckets]
    form = "%m-%d %H:%M" if any(bucket.hour for bucket in local) else "%m-%d"
    names = [f"{bucket:{form}}" for bucket in local]
    known = [value for value in values if value is not None]
    title = name_of(language, question.rows, code)
    return Line(
        title=title,
        values=values,
        target=next((plain(row[f"{metric}_target"]) for row in series), None),
        ceiling=ceiling,
        target_name=translate(language, "panel.target"),
        top=figure(language, metric, max(known)) if known else "",
        first=names[0] if names else "",
        last=names[-1] if names else "",
        href=question_link(view, question, cell_key(code, EVERYTHING)),
        spoken=f"{title}: {figure(language, metric, known[-1] if known else None)}",
        tips=tuple(f"{title} {name}\n{figure(language, metric, value)}" for name, value in zip(names, values, strict=True)),
    )


def read_calendar(view: View, question: Question) -> Card:
    """The figure of each of the last ninety days, weekdays by weeks; a day can be opened."""
    language, metric = view.language, question.metric
    end = Window.all_until(view.as_of).end
    window = Window(start=Window.day_of(end - timedelta(days=CALENDAR_DAYS - 1), view.zone).start, end=end)
    asked = Query(metrics=(metric,), where=narrowed(view, metric, ()), window=window, grain="day", compare=("target",))
    rows = view.run(asked).to_dicts()
    days = {row["bucket_at"].astimezone(view.zone).date(): row for row in rows}
    paint = paint_of(view, _plain_time(question), rows)
    first = (view.as_of.astimezone(view.zone) - timedelta(days=CALENDAR_DAYS - 1)).date()
    mondays = _mondays(first, view.as_of.astimezone(view.zone).date())
    cells = tuple(
        tuple(_day(view, question, paint.step, monday + timedelta(days=weekday), days) for monday in mondays)
        for weekday in range(7)
    )
    few, gap, stale = (translate(language, f"heatmaps.{kind}") for kind in ("few", "gap", "stale"))
    grid = HeatGrid(
        language=language,
        title=metric_name(language, metric),
        scope=translate(language, "heatmaps.calendar_scope", n=CALENDAR_DAYS),
        columns=tuple(f"{monday:%m-%d}" for monday in mondays),
        rows=tuple(translate(language, f"format.weekday.{weekday}") for weekday in range(1, 8)),
        cells=cells,
        legend=Legend(range=paint.range, spoken=", ".join((paint.range, few, gap, stale)), few=few, gap=gap, stale=stale),
        scale=paint.scale,
        empty=translate(language, "heatmaps.empty"),
        chosen=question.cell or None,
        beside=question.beside or None,
    )
    return Card(title=grid.title, scope=grid.scope, grid=grid, size="sight", picks="cell")


def _plain_time(question: Question) -> Question:
    """History of single days needs more years than anyone keeps: such a calendar is coloured plainly."""
    return question if question.colour == "target" else Question(**(vars(question) | {"colour": "plain"}))


def _mondays(first: date, last: date) -> list[date]:
    monday = first - timedelta(days=first.weekday())
    return [monday + timedelta(weeks=week) for week in range((last - monday).days // 7 + 1)]


def _day(view: View, question: Question, step: Any, day: date, days: dict[date, Row]) -> Cell:  # noqa: ANN401 - Paint.step
    language, metric, row = view.language, question.metric, days.get(day)
    title, key = f"{day:%Y-%m-%d}", cell_key(EVERYTHING, f"{day:%Y-%m-%d}")
    value = plain(row[metric]) if row else None
    if row is None or value is None:
        kind = "gap" if row else "none"
        return Cell(key=key, text="–" if row else "", kind=kind, tip=f"{title}\n{translate(language, 'heatmaps.no_data')}")  # type: ignore[arg-type]
    if is_stale(view, question) and day == view.as_of.astimezone(view.zone).date():
        return Cell(key=key, text=brief_figure(language, metric, value), kind="stale", tip=f"{title}\n{stale_sources(view)}")
    n = row.get(f"{metric}_n")
    tip = "\n".join((title, *cell_lines(view, metric, row)))
    if n is not None and n < view.targets.at(view.as_of, view.zone).minimum_count:
        return Cell(key=key, text=f"n {n}", kind="few", tip=tip)
    found = step(row, (None, instant_text(row["bucket_at"])))
    return Cell(
        key=key, text=brief_figure(language, metric, value), kind="none" if found is None else "value", tip=tip, step=found or 0
    )
