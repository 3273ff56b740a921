"""The wall's eight figures: value, change against the same time last week, target, last day as a line, and what they mean."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from access.view import View
from components.board import State, Tile
from components.format import ChangeKind, change, count, dash, duration, percent
from components.time_axis import TimeAxis
from i18n import translate
from pages.figures import figure, plain
from pages.staleness import stale_columns, stale_sources
from pages.time_marks import read_axis
from pages.wall_heat import grey_share
from pages.wording import definition, judge, state_name
from queries.clock import buckets
from queries.metrics import METRICS
from queries.query import Comparison, Grain, Query, Window

Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class TileSpec:
    """One tile: its metric, how its change is told, what its last line says, and the column it cannot do without."""

    metric: str
    change: ChangeKind
    note: str
    needs: str


TILES: Final = (
    TileSpec(metric="order_count", change="share", note="versus", needs="orders.created_at"),
    TileSpec(metric="backlog_count", change="share", note="target", needs="orders.delivered_at"),
    TileSpec(metric="on_time_rate", change="points", note="target", needs="orders.delivered_at"),
    TileSpec(metric="exception_rate", change="points", note="target", needs="orders.created_at"),
    TileSpec(metric="order_cycle_seconds_p50", change="seconds", note="order_cycle_seconds_p90", needs="orders.delivered_at"),
    TileSpec(metric="grey_zone_seconds_p90", change="seconds", note="grey_zone_delay_share", needs="orders.accepted_at"),
    TileSpec(metric="overdue_count", change="count", note="at_risk_count", needs="orders.delivered_at"),
    TileSpec(metric="return_handling_seconds_p50", change="seconds", note="target", needs="returns.closed_at"),
)
USUAL: Final = 1.1
"""Without a target, up to a tenth more than a week ago is as usual."""


@dataclass(frozen=True, kw_only=True)
class Lines:
    """The tiles' lines: each metric's value in every bucket of one axis, None where there is none."""

    axis: TimeAxis
    values: dict[str, tuple[float | None, ...]]


def read_tiles(view: View) -> tuple[tuple[Tile, ...], str]:
    """The eight tiles in this view, and what is marked on their lines in a sentence.

    Today's orders since midnight, the others in the view's window or at as-of.
    """
    row, lines = _figures(view), _lines(view)
    return tuple(_tile(view, spec, row, lines) for spec in TILES), lines.axis.spoken


def _figures(view: View) -> Row:
    compare: tuple[Comparison, ...] = ("last_week", "target")
    # Both quantiles of a time are taken from its values gathered once.
    metrics = (*(spec.metric for spec in TILES[1:]), "order_cycle_seconds_p90")
    day = Window(start=Window.day_of(view.as_of, view.zone).start, end=Window.all_until(view.as_of).end)
    asked = (
        Query(metrics=metrics, where=view.filters, window=view.window, compare=compare),
        Query(metrics=("at_risk_count",), where=view.filters, window=view.window),
        Query(metrics=("order_count",), where=view.filters, window=day, compare=("last_week",)),
    )
    figures: Row = {}
    for answer in view.run_all(asked):
        figures |= answer.row(0, named=True)
    figures["grey_zone_delay_share"] = grey_share(view)
    # While older history comes in, a week ago is not known yet: better no comparison than a wrong one.
    return {name: None if "_last_week" in name and view.is_filling else value for name, value in figures.items()}


def _lines(view: View) -> Lines:
    """The last day by the hour; in a longer window its days."""
    start = view.window.start
    is_long = start is not None and view.window.end - start > timedelta(hours=48)
    window = view.window if is_long else Window.last(timedelta(hours=24), view.as_of)
    grain: Grain = "day" if is_long else "hour"
    metrics = tuple(spec.metric for spec in TILES)
    rows = view.run(Query(metrics=metrics, where=view.filters, window=window, grain=grain)).to_dicts()
    found = {row["bucket_at"]: row for row in rows}
    steps = buckets(window.start or window.end, window.end, grain, view.zone)
    values = {metric: tuple(plain(found.get(begin, {}).get(metric)) for begin, _ in steps) for metric in metrics}
    return Lines(axis=read_axis(view, steps[0][0], steps[-1][1]), values=values)


def _tile(view: View, spec: TileSpec, row: Row, lines: Lines) -> Tile:
    language, name = view.language, translate(view.language, f"wall.tile.{spec.metric}")
    value, n, state = plain(row[spec.metric]), row.get(f"{spec.metric}_n"), _state(view, spec, row)
    words, moved = figure(language, spec.metric, value), _change(language, spec, row)
    marked = [translate(language, "marks.on_line"), lines.axis.tip] if lines.axis.tip else []
    tip = "\n".join((name, *_tip_lines(view, spec, row, state), *marked))
    shown = state if state in ("warning", "critical", "unknown", "stale") else "neutral"
    return Tile(
        name=name,
        figure=spec.metric,
        value=words,
        change=moved,
        note=_note(view, spec, row, n),
        tip=f"{tip}\n{translate(language, 'wall.tip.more')}",
        info="\n".join((tip, *definition(language, spec.metric))),
        spoken=", ".join((name, words, moved, translate(language, "wall.note.versus"), state_name(language, state))),
        state=shown,
        state_word=state_name(language, shown),
        tone=tone_of(spec, row, shown),
        spark=lines.values[spec.metric],
        marks=lines.axis.places(),
    )


def _state(view: View, spec: TileSpec, row: Row) -> State:
    value, n = plain(row[spec.metric]), row.get(f"{spec.metric}_n")
    if spec.needs in stale_columns(view):
        return "stale"
    if view.is_filling:
        return "neutral"
    if value is None or (n is not None and n < view.targets.at(view.as_of, view.zone).minimum_count):
        return "unknown"
    if METRICS[spec.metric].better == "neutral":
        return "neutral"
    return judge(spec.metric, value, _target(row, spec.metric)) or "neutral"


def _target(row: Row, metric: str) -> float | None:
    """The target, or where there is none what was a week ago and a little more."""
    target = plain(row.get(f"{metric}_target"))
    before = plain(row.get(f"{metric}_last_week"))
    return target if target is not None else None if before is None else before * USUAL


def _change(language: str, spec: TileSpec, row: Row) -> str:
    difference, before = (plain(row.get(f"{spec.metric}_last_week{part}")) for part in ("_difference", ""))
    if difference is None or before is None:
        return dash(language)
    if spec.change == "share":
        return change(language, difference / before, "share") if before else dash(language)
    return change(language, difference, spec.change)


def tone_of(spec: TileSpec, row: Row, state: State) -> State:
    """The colour of the change: the state's when things got worse, good when they got better, none where it shows no change."""
    difference = plain(row.get(f"{spec.metric}_last_week_difference"))
    better = METRICS[spec.metric].better
    if not difference or better == "neutral":
        return "neutral"
    if not re.search("[1-9]", _change("en", spec, row)):
        return "neutral"
    is_better = (difference > 0) == (better == "higher")
    return "neutral" if state in ("stale", "unknown") else "good" if is_better else state


def _note(view: View, spec: TileSpec, row: Row, n: int | None) -> str:
    language = view.language
    if n is not None and n < view.targets.at(view.as_of, view.zone).minimum_count:
        return translate(language, "wall.note.few", n=count(language, n))
    if spec.note == "order_cycle_seconds_p90":
        return translate(language, "wall.note.p90", value=duration(language, row[spec.note]))
    if spec.note == "grey_zone_delay_share":
        return translate(language, "wall.note.grey_share", share=percent(language, row[spec.note], 0))
    if spec.note == "at_risk_count":
        return translate(language, "wall.note.at_risk", n=count(language, row[spec.note]))
    target = plain(row.get(f"{spec.metric}_target"))
    if spec.note == "versus" or target is None:
        return translate(language, "wall.note.versus")
    side = "at_least" if METRICS[spec.metric].better == "higher" or METRICS[spec.metric].unit == "rate" else "at_most"
    text = translate(language, f"wall.note.{side}", target=figure(language, spec.metric, target))
    is_rate = METRICS[spec.metric].unit == "rate"
    return translate(language, "wall.note.with_n", text=text, n=count(language, n)) if is_rate and n is not None else text


def _tip_lines(view: View, spec: TileSpec, row: Row, state: State) -> list[str]:
    language, n = view.language, row.get(f"{spec.metric}_n")
    before, target = plain(row.get(f"{spec.metric}_last_week")), plain(row.get(f"{spec.metric}_target"))
    moved = _change(language, spec, row)
    lines = [figure(language, spec.metric, plain(row[spec.metric]))]
    lines.append(translate(language, "wall.tip.last_week", value=figure(language, spec.metric, before), change=moved))
    if target is not None:
        lines.append(translate(language, "wall.tip.target", value=figure(language, spec.metric, target)))
    elif state in ("good", "warning", "critical"):
        lines.append(translate(language, "wall.tip.no_target"))
    if n is not None:
        lines.append(translate(language, "wall.tip.n", n=count(language, n)))
    lines.append(translate(language, "wall.tip.state", state=state_name(language, state)))
    return [*lines, stale_sources(view)] if state == "stale" else lines
