"""The engine's answers for a view: what is stuck where, why a rate changed; within the user's scope and the view's instant."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import polars as pl

from access.view import View
from queries.attribution import Attribution, attribute
from queries.causes import Makeup, build_makeup, cells_of
from queries.clock import shift_days
from queries.detectors import Finding, find_decay, find_nodes, find_silence
from queries.dwells import Dwells, build_dwells, dwells_of
from queries.flow import Flow, build_flow
from queries.flow_cells import Kind
from queries.journey_times import Times, build_times, times_of
from queries.metrics import METRICS
from queries.normal import normal_days
from queries.query import Filter, Query, Window
from queries.ranking import Bottleneck, rank
from queries.scorecard import Score, score
from queries.series import Course, courses
from queries.transitions import Ways, build_repeats, build_ways, ways_of

LOOK_BACK: Final = timedelta(days=7)
"""How far back a course goes: a day and six like it to compare with."""
LONGEST: Final = timedelta(days=2)
"""A longer window has too few like it in the courses: its newest hours of this length are judged."""

KINDS: Final[tuple[Kind, ...]] = ("stuck", "passing")
CARRIED: Final = ("carrier", "warehouse_region")
WHOLE: Final = ("warehouse",)
"""What passes at all is the sum of what passes at the warehouses, which is asked anyway."""

Key = tuple[str | None, ...]


def read_courses(
    view: View, kind: Kind, by: tuple[str, ...], where: tuple[Filter, ...], *, window: Window | None = None
) -> dict[Key, Course]:
    """What passes, or is stuck, in a window (the last days) up to the view's instant, by the dimensions and stage, hour by hour."""
    rows = _flow_rows(view, kind, by or WHOLE, where, window)
    start = window.start if window and window.start else view.as_of - LOOK_BACK
    return view.work_out(courses, (rows,), (*by, "stage"), start, view.as_of)


def _flow_rows(
    view: View, kind: Kind, by: tuple[str, ...], where: tuple[Filter, ...], window: Window | None = None
) -> pl.DataFrame:
    asked = Flow(kind=kind, window=window or Window.last(LOOK_BACK, view.as_of), by=by, where=where)
    return view.ask_recent(lambda moment, horizon: build_flow(asked, moment, horizon))


def read_lost(view: View, by: tuple[str, ...], where: tuple[Filter, ...], window: Window) -> pl.DataFrame:
    """What was lost by the dimensions and stage in a window: `lost_seconds`, `lost_count`, `lost_rate` and its n."""
    metrics = ("lost_seconds", "lost_count", "lost_rate")
    return view.run(Query(metrics=metrics, by=(*by, "stage"), where=where, window=window))


def read_bottlenecks(view: View, by: str, where: tuple[Filter, ...]) -> list[Bottleneck]:
    """The view's window by one dimension and stage: the bottlenecks beyond chance first, by what they cost more than usual."""
    start = view.window.start or view.as_of - LOOK_BACK
    hours = round(min(max(view.as_of - start, timedelta(hours=1)), LONGEST) / timedelta(hours=1))
    answers = read_lost(view, (by,), where, view.window), _flow_rows(view, "stuck", (by,), where)
    return view.work_out(_rank, answers, by, hours, view.as_of)


def _rank(lost: pl.DataFrame, stuck: pl.DataFrame, by: str, hours: int, as_of: datetime) -> list[Bottleneck]:
    return rank(lost.to_dicts(), courses(stuck, (by, "stage"), as_of - LOOK_BACK, as_of), by, hours=hours)


@dataclass(frozen=True, kw_only=True)
class Change:
    """Why a rate is not what it was a week ago: the attribution by one dimension, and the windows compared."""

    metric: str
    by: str
    attribution: Attribution | None
    start: datetime
    days: int


def explain_change(view: View, metric: str, by: str, where: tuple[Filter, ...], *, window: Window, days: int = 7) -> Change:
    """The change of a rate against the same window `days` days earlier, each seen equally ripe, by one dimension and stage."""
    start = window.start or view.as_of - LOOK_BACK
    now = Window(start=start, end=min(window.end, view.as_of + timedelta(milliseconds=1)))
    then = Window(start=shift_days(start, -days, view.zone), end=shift_days(now.end, -days, view.zone))
    before_at = shift_days(view.as_of, -days, view.zone)
    sides = list[pl.DataFrame]()
    for asked, as_of in ((then, before_at), (now, view.as_of)):
        makeup = Makeup(metric=metric, by=by, window=asked, where=where)
        rows = view.ask_recent(
            lambda moment, horizon, makeup=makeup, as_of=as_of: build_makeup(  # type: ignore[misc]
                makeup, replace(moment, as_of=as_of), yardstick=moment, horizon=horizon
            )
        )
        sides.append(rows)
    return Change(metric=metric, by=by, attribution=view.work_out(_attribute, tuple(sides)), start=start, days=days)


def _attribute(before: pl.DataFrame, after: pl.DataFrame) -> Attribution | None:
    return attribute(cells_of(before.to_dicts()), cells_of(after.to_dicts()))


def read_times(view: View, where: tuple[Filter, ...], window: Window) -> Times | None:
    """How long orders delivered in the window were promised to take, took, and spent in each stage; None where none was."""
    rows = view.ask_recent(lambda moment, horizon: build_times(where, window, moment, horizon))
    return times_of(rows.row(0, named=True))


def read_ways(view: View, where: tuple[Filter, ...], window: Window) -> tuple[Ways, dict[str, int]]:
    """How orders created in the window went on from milestone to milestone so far, and by milestone those that reached it twice."""
    ways = view.ask_recent(lambda moment, horizon: build_ways(where, window, moment, horizon))
    repeats = view.ask(build_repeats(where, window, view.moment()))
    return view.work_out(_ways, (ways, repeats))


def _ways(ways: pl.DataFrame, repeats: pl.DataFrame) -> tuple[Ways, dict[str, int]]:
    return ways_of(ways.to_dicts()), {str(row["milestone"]): int(row["order_count"]) for row in repeats.to_dicts()}


def read_dwells(view: View, where: tuple[Filter, ...], window: Window) -> dict[str, tuple[Dwells, Dwells | None]]:
    """By stage how long orders took in the window or wait so far; and, for what is normal, in the history that normals are made of."""
    edition = view.targets.at(view.as_of, view.zone)
    days = normal_days(view.as_of, view.zone, edition)
    history = Window(start=days["start_normal"], end=days["end_normal"])  # type: ignore[arg-type]
    now, usual = (
        view.ask_recent(lambda moment, horizon, asked=asked: build_dwells(where, asked, moment, horizon))  # type: ignore[misc]
        for asked in (window, history)
    )
    return view.work_out(_dwells, (now, usual))


def _dwells(now: pl.DataFrame, usual: pl.DataFrame) -> dict[str, tuple[Dwells, Dwells | None]]:
    before = dwells_of(usual.to_dicts())
    return {stage: (own, before.get(stage)) for stage, own in dwells_of(now.to_dicts()).items()}


def read_scores(view: View, metric: str, by: str, where: tuple[Filter, ...], *, days: int = 14) -> tuple[float, list[Score]]:
    """The common rate of the last days and each member's, drawn to it by how little is known; those that cannot be told apart say so."""
    window = Window.last(timedelta(days=days), view.as_of)
    rows = view.run(Query(metrics=(metric,), by=(by,), where=where, window=window, grain="day"))
    return view.work_out(_score, (rows,), by, metric, view.targets.at(view.as_of, view.zone).target_of(metric))


def _score(rows: pl.DataFrame, by: str, metric: str, target: float | None) -> tuple[float, list[Score]]:
    known = [row for row in rows.to_dicts() if row[by] is not None]
    return score(known, by, metric, target=target, is_ceiling=METRICS[metric].better == "lower")


def find_trouble(view: View, where: tuple[Filter, ...]) -> list[Finding]:
    """What the detectors find in the last days: silent stages, warehouses blocked or slower than their queue, carriers that decay."""
    nodes = _flow_rows(view, "passing", WHOLE, where)
    stuck, passing = (_flow_rows(view, kind, CARRIED, where) for kind in KINDS)
    return view.work_out(_find, (nodes, stuck, passing), view.as_of)


def _find(nodes: pl.DataFrame, stuck: pl.DataFrame, passing: pl.DataFrame, as_of: datetime) -> list[Finding]:
    by = ((), WHOLE, CARRIED, CARRIED)
    known = zip((nodes, nodes, stuck, passing), by, strict=True)
    all_, by_node, slow, through = (courses(rows, (*own, "stage"), as_of - LOOK_BACK, as_of) for rows, own in known)
    return [*find_silence(all_), *find_nodes(by_node), *find_decay(slow, through)]
