"""How a heatmap is coloured: around the target, by how unusual a cell is for itself, or plainly by volume."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from access.view import View
from components.heat import Scale, step_around, step_of
from i18n import translate
from pages.figures import figure, plain
from pages.heat_history import MOST_DEVIATIONS, PERIODS, history_of, period_days
from pages.heat_question import Question
from queries.metrics import METRICS
from queries.statistics import robust_z

Row = dict[str, Any]
Key = tuple[object, object]


@dataclass(frozen=True, kw_only=True)
class Paint:
    """How values become steps: a scale, a value's step (None: no colour, with `why` in words), and the legend's range."""

    scale: Scale
    step: Callable[[Row, Key], int | None]
    range: str
    why: str = ""


def paint_of(view: View, question: Question, rows: Sequence[Row]) -> Paint:
    """The colouring the question asks for."""
    painters = {"target": _against_target, "history": _against_history, "plain": _plainly}
    return painters[question.colour](view, question, rows)


def _plainly(view: View, question: Question, rows: Sequence[Row]) -> Paint:
    metric, language = question.metric, view.language
    values = [value for row in rows if (value := plain(row[metric])) is not None]
    low, high = min((0.0, *values)), max(values, default=1.0)
    texts = {"low": figure(language, metric, low), "high": figure(language, metric, high)}
    return Paint(
        scale="plain",
        step=lambda row, _: step_of(row[metric], low, high),
        range=translate(language, "heatmaps.range_plain", **texts),
    )


def _against_target(view: View, question: Question, rows: Sequence[Row]) -> Paint:
    metric, language = question.metric, view.language
    targets = sorted({target for row in rows if (target := plain(row[f"{metric}_target"])) is not None})
    if not targets:
        why = translate(language, "heatmaps.no_target" if rows else "heatmaps.no_data")
        return _without_colour(_plainly(view, question, rows), why)
    form = "range_target" if len(targets) == 1 else "range_targets"

    def step(row: Row, _: Key) -> int | None:
        target = plain(row[f"{metric}_target"])
        return None if target is None else step_around(distance(metric, row[metric], target))

    return Paint(
        scale="diverging",
        step=step,
        range=translate(language, f"heatmaps.{form}", target=figure(language, metric, targets[0])),
    )


def distance(metric: str, value: float, target: float) -> float:
    """How far a value is beyond its target: 0 at the target, 0.5 at twice as far from nothing as allowed, 1 at four times.

    The same steps down to -1, at a quarter and less.
    """
    better = METRICS[metric].better
    if better == "higher" and METRICS[metric].unit == "rate":
        value, target = 1 - value, 1 - target
    elif better == "higher":
        value, target = target, value
    if value <= 0 or target <= 0:
        return -1.0 if value <= 0 < target else 1.0 if value > 0 else 0.0
    return math.log2(value / target) / 2


def _against_history(view: View, question: Question, rows: Sequence[Row]) -> Paint:
    metric, language = question.metric, view.language
    past = history_of(view, question)
    sign = -1.0 if METRICS[metric].better == "higher" else 1.0

    def step(row: Row, key: Key) -> int | None:
        z = robust_z(row[metric], past.get(key, ()))
        return None if z is None else step_around(sign * z / MOST_DEVIATIONS)

    return Paint(
        scale="diverging",
        step=step,
        range=translate(
            language, "heatmaps.range_history", n=PERIODS, days=period_days(view, question), z=f"{MOST_DEVIATIONS:g}"
        ),
        why=translate(language, "heatmaps.short_history"),
    )


def _without_colour(paint: Paint, why: str) -> Paint:
    return Paint(scale=paint.scale, step=lambda row, key: None, range=why, why=why)
