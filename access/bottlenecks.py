"""The engine's answers for a view: what is stuck where, why a rate changed; within the user's scope and the view's instant."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from access.view import View
from queries.attribution import Attribution, attribute
from queries.causes import Makeup, build_makeup, cells_of
from queries.clock import shift_days
from queries.flow import Flow, Kind, build_flow
from queries.query import Filter, Query, Window
from queries.ranking import Bottleneck, rank
from queries.series import Course, courses

LOOK_BACK: Final = timedelta(days=7)
"""How far back a course goes: a day and six like it to compare with."""
LONGEST: Final = timedelta(days=2)
"""A longer window has too few like it in the courses: its newest hours of this length are judged."""

Key = tuple[str | None, ...]


def read_courses(view: View, kind: Kind, by: tuple[str, ...], where: tuple[Filter, ...]) -> dict[Key, Course]:
    """The last days of what passes, or is stuck, by the dimensions and stage, hour by hour."""
    window = Window.last(LOOK_BACK, view.as_of)
    asked = Flow(kind=kind, window=window, by=by, where=where)
    rows = view.ask_recent(lambda moment, horizon: build_flow(asked, moment, horizon))
    start = window.start or view.as_of
    return courses(rows, (*by, "stage"), start, view.as_of)


def read_lost(view: View, by: tuple[str, ...], where: tuple[Filter, ...], window: Window) -> list[dict[str, Any]]:
    """What was lost by the dimensions and stage in a window: `lost_seconds`, `lost_count`, `lost_rate` and its n."""
    metrics = ("lost_seconds", "lost_count", "lost_rate")
    return view.run(Query(metrics=metrics, by=(*by, "stage"), where=where, window=window)).to_dicts()


def read_bottlenecks(view: View, by: str, where: tuple[Filter, ...]) -> list[Bottleneck]:
    """The view's window by one dimension and stage: the bottlenecks beyond chance first, by what they cost more than usual."""
    start = view.window.start or view.as_of - LOOK_BACK
    hours = round(min(max(view.as_of - start, timedelta(hours=1)), LONGEST) / timedelta(hours=1))
    return rank(read_lost(view, (by,), where, view.window), read_courses(view, "stuck", (by,), where), by, hours=hours)


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
    sides = []
    for asked, as_of in ((then, before_at), (now, view.as_of)):
        makeup = Makeup(metric=metric, by=by, window=asked, where=where)
        rows = view.ask_recent(
            lambda moment, horizon, makeup=makeup, as_of=as_of: build_makeup(  # type: ignore[misc]
                makeup, replace(moment, as_of=as_of), yardstick=moment, horizon=horizon
            )
        )
        sides.append(cells_of(rows.to_dicts()))
    return Change(metric=metric, by=by, attribution=attribute(*sides), start=start, days=days)
