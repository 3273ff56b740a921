"""A metric's figures in the reader's words: in full, as short as a cell, and how one differs from another."""

from __future__ import annotations

from typing import Final

from components.format import ChangeKind, brief, change, count, dash, duration, is_missing, percent
from i18n import translate
from queries.metrics import METRICS

CHANGES: Final[dict[str, ChangeKind]] = {"rate": "points", "seconds": "seconds"}
"""How a difference is told by unit; counts and the rest as counts."""


def plain(value: object) -> float | None:
    """A figure as a float; None for null and NaN."""
    number = None if value is None else float(value)  # type: ignore[arg-type]
    return None if number is None or is_missing(number) else number


def metric_name(language: str, metric: str) -> str:
    """What a metric is called."""
    return translate(language, f"metrics.{metric}.name")


def figure(language: str, metric: str, value: float | None) -> str:
    """A metric's value in its unit."""
    unit = METRICS[metric].unit
    if unit == "rate":
        return percent(language, value)
    if unit == "seconds":
        return duration(language, value)
    return _number(language, unit, value)


def brief_figure(language: str, metric: str, value: float | None) -> str:
    """The same for a cell: whole percents from ten on, the largest unit of time, thousands as `12k`."""
    unit = METRICS[metric].unit
    if value is None:
        return ""
    if unit == "rate":
        return percent(language, value, 1 if 0 < abs(value) < 0.0995 else 0)
    if unit == "seconds":
        return brief(language, value)
    return _number(language, unit, value) if abs(value) < 10_000 else _thousands(language, value)


def difference(language: str, metric: str, value: float | None) -> str:
    """A signed difference of two values of a metric."""
    unit = METRICS[metric].unit
    if unit in CHANGES or unit == "count":
        return change(language, value, CHANGES.get(unit, "count"))
    if value is None:
        return dash(language)
    return ("−" if value < 0 else "+") + _number(language, unit, abs(value))


def _number(language: str, unit: str, value: float | None) -> str:
    if value is None or unit == "count":
        return count(language, value)
    if unit == "ratio":
        return f"{value:.2f}".replace("-", "−")
    return count(language, value) if abs(value) >= 100 else f"{value:.1f}".replace("-", "−")


def _thousands(language: str, value: float) -> str:
    if language == "zh-CN":
        return translate(language, "figures.ten_thousand", n=f"{value / 10_000:.1f}")
    return translate(language, "figures.thousand", n=count(language, value / 1_000))
