"""What figures are made of, hour by hour: sums that add up to any longer window, and the values that a statistic is taken of.

So a whole history of a sliding window costs one question, and every instant of it is exact.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, stdev
from typing import Final

from queries.metric import HOURS, PASSED, Measure, Metric

EACH: Final = "_each_hour"
CLOSED: Final = "_closed_each_hour"
VALUES: Final = "_values_each_hour"


@dataclass(frozen=True, kw_only=True)
class Part:
    """One measure of a metric by the hour: the name it is asked by, and for passages also that of the closed ones alone.

    `closed` is set where the measure also counts what waits at each hour's end: that must not be added up.
    """

    measure: str
    asked: str
    closed: str = ""
    holds_values: bool = False


def parts_of(metric: Metric) -> tuple[Part, ...]:
    """What is asked by the hour for a metric over a window; none for a stock, which stands at each hour's end by itself."""
    if metric.anchor.is_stock:
        return ()
    if metric.kind == "statistic":
        return (Part(measure=metric.measures[0].name, asked=metric.name + VALUES, holds_values=True),)
    return tuple(
        Part(
            measure=measure.name,
            asked=measure.name + EACH,
            closed=measure.name + CLOSED if measure.anchor.extra == "waiting" else "",
        )
        for measure in metric.measures
    )


def part_metrics(metrics: Iterable[Metric]) -> dict[str, Metric]:
    """Every part as what can be asked, by its name."""
    found: dict[str, Metric] = {}
    for metric in metrics:
        for part, measure in zip(parts_of(metric), metric.measures, strict=False):
            if part.holds_values:
                value = metric.listed.value
                listed = f"LIST({value}) FILTER (WHERE ({value}) IS NOT NULL)"
                found[part.asked] = _askable(
                    part.asked, Measure(name=part.asked, anchor=measure.anchor, expression=listed, is_count=False)
                )
                continue
            found[part.asked] = _askable(part.asked, replace(measure, name=part.asked, is_count=True))
            if part.closed:
                found[part.closed] = _askable(part.closed, replace(measure, name=part.closed, anchor=PASSED, is_count=True))
    return found


def _askable(name: str, measure: Measure) -> Metric:
    return Metric(name=name, unit="count", better="neutral", measures=(measure,), formula=name, kind="sum")


def figure(metric: Metric, sums: Mapping[str, float], hours: float) -> tuple[float | None, int | None]:
    """A metric's value and how many rows it stands on, from its measures' sums over a window of so many hours."""
    if metric.kind == "ratio":
        part, whole = metric.measures[0].name, metric.measures[1].name
        value = sums[part] / sums[whole] if sums[whole] else None
        return value, round(sums[metric.n]) if metric.n else None
    value = sums[metric.measures[0].name]
    if HOURS in metric.formula.split():
        return value / hours, None
    return value, round(value) if metric.unit == "count" else None


def statistic_of(metric: Metric, values: Sequence[float]) -> float | None:
    """A statistic over single values: its exact quantile, its variation, else their mean."""
    if not values:
        return None
    quantile = re.search(r"QUANTILE_CONT\(.*, ([0-9.]+)\)$", metric.measures[0].expression)
    if quantile:
        return _quantile(values, float(quantile[1]))
    if "STDDEV_SAMP" in metric.measures[0].expression:
        mean = fmean(values)
        return stdev(values) / mean if len(values) > 1 and mean else None
    return fmean(values)


def _quantile(values: Sequence[float], q: float) -> float:
    ordered = sorted(values)
    place = q * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)
