"""The same cells in earlier, comparable periods: what a cell's usual figure is, each seen at its own time."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from access.view import View
from pages.figures import plain
from pages.heat_question import Question, narrowed, window_code, window_of
from queries.clock import shift_days
from queries.metrics import METRICS
from queries.query import Query, Window

PERIODS: Final = 6
MOST_DEVIATIONS: Final = 3.5
"""Robust deviations at which the scale ends: beyond them a value counts as an outlier (Iglewicz & Hoaglin 1993)."""

RIPE: Final = frozenset(
    {"late_rate", "on_time_rate", "on_time_ship_rate", "order_count", "shipped_count", "delivered_count"}
    | {name for name in METRICS if name.startswith(("order_cycle_", "grey_zone_seconds_", "dwell_"))}
)
"""Flows that nothing after their window changes, but for corrections: those are better known than not."""

Past = dict[tuple[object, object], tuple[float, ...]]


def period_days(view: View, question: Question) -> int:
    """By how many days the periods lie apart: whole weeks, at least as long as the window."""
    window = window_of(view, window_code(view, question))
    length = timedelta(days=7) if window.start is None else window.end - window.start
    return 7 * max(1, math.ceil(length / timedelta(days=7) - 1e-9))


def history_of(view: View, question: Question) -> Past:
    """Each cell's figures in the periods before, by row and column; a period in which it had too few orders is left out."""
    window = window_of(view, window_code(view, question))
    if window.start is None or view.is_filling:
        return {}
    step, minimum = period_days(view, question), view.targets.at(view.as_of, view.zone).minimum_count
    days = [-step * back for back in range(1, PERIODS + 1)]
    # What such figures are made of lies before their anchor: seen now they are what they were then, in a faster scan.
    is_ripe = question.metric in RIPE
    views = [view if is_ripe else replace(view, as_of=shift_days(view.as_of, back, view.zone)) for back in days]
    queries = [_query(view, question, window, back) for back in days]
    found: dict[tuple[object, object], list[float]] = {}
    for back, answer in zip(days, view.reading.askers.map(View.run, views, queries), strict=True):
        for row in answer.to_dicts():
            if (value := _usable(row, question.metric, minimum)) is not None:
                found.setdefault(_key(question, row, back, view), []).append(value)
    return {key: tuple(values) for key, values in found.items()}


def _query(view: View, question: Question, window: Window, days: int) -> Query:
    """The cells of a period so many days away."""
    start = None if window.start is None else shift_days(window.start, days, view.zone)
    return Query(
        metrics=(question.metric,),
        by=question.by,
        where=narrowed(view, question.metric, ()),
        window=Window(start=start, end=shift_days(window.end, days, view.zone)),
        grain=question.grain,
    )


def _key(question: Question, row: dict[str, Any], days: int, view: View) -> tuple[object, object]:
    if not question.grain:
        return row[question.rows], row[question.columns]
    bucket: datetime = row["bucket_at"]
    return row[question.rows], shift_days(bucket, -days, view.zone)


def _usable(row: dict[str, Any], metric: str, minimum: int) -> float | None:
    n = row.get(f"{metric}_n")
    return None if n is not None and n < minimum else plain(row[metric])
