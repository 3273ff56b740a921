"""Series of a flow, hour by hour, and what can be said of their newest part: how unusual it is, since when, where it goes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from statistics import median
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from queries.statistics import MAD_TO_SIGMA

Floats = NDArray[np.float64]
Key = tuple[str | None, ...]

HOUR: Final = timedelta(hours=1)
A_DAY: Final = 24
CHANGE_FROM: Final = 4.0
"""A change point must stand out by so many standard errors; looking at every hour of a week finds 3.3 by chance."""


@dataclass(frozen=True, kw_only=True)
class Course:
    """One place and stage: orders there at each hour's end, and order-hours spent there in it; the ends may be cut short.

    `passed` is the share of the newest hour that has passed: of the same hours of other days only so much is compared with it.
    """

    starts: tuple[datetime, ...]
    entered: Floats
    left: Floats
    level: Floats
    hours: Floats
    passed: float = 1.0

    def up_to(self, values: Floats, end: int, length: int) -> float:
        """The sum of the `length` hours before the index `end`, the last of them up to the minute at which the newest hour is now."""
        newest = float(values[end - 1]) * (1.0 if end == len(values) else self.passed)
        return float(values[end - length : end - 1].sum()) + newest


def courses(rows: pl.DataFrame, by: Sequence[str], start: datetime, as_of: datetime) -> dict[Key, Course]:
    """The rows of `build_flow` (by the hour) as one course per group, without gaps, from the hour of `start` to that of `as_of`.

    Rows that are told apart by more than `by` are added up.
    """
    first = start.replace(minute=0, second=0, microsecond=0)
    size = int((as_of - first) / HOUR) + 1
    starts = tuple(first + HOUR * index for index in range(size))
    groups = rows.select(*by).unique(maintain_order=True).with_row_index("course")
    known = rows.join(groups, on=list(by), how="left", nulls_equal=True).with_columns(
        ((pl.col("bucket_at") - first).dt.total_seconds() // 3600).clip(-1, size - 1).alias("index")
    )
    # The first column holds what came before the window.
    cells = known["course"].to_numpy().astype(np.int64) * (size + 1) + known["index"].to_numpy().astype(np.int64) + 1
    shape = (groups.height, size + 1)

    def spread(name: str) -> Floats:
        values = known[name].to_numpy().astype(np.float64)
        return np.bincount(cells, weights=values, minlength=shape[0] * shape[1]).astype(np.float64).reshape(shape)

    entered, left = spread("entered_count"), spread("left_count")
    initial = entered[:, :1]
    level = initial + np.cumsum(entered[:, 1:] - left[:, 1:], axis=1)
    before = np.concatenate([initial, level[:, :-1]], axis=1)
    hours = before + (spread("entered_rest_seconds") - spread("left_rest_seconds"))[:, 1:] / 3600
    # Of the first hour only the part since the start counts; what comes after as-of is not known yet.
    hours[:, 0] -= initial[:, 0] * ((start - first) / HOUR)
    hours[:, -1] -= level[:, -1] * (1 - (as_of - starts[-1]) / HOUR)
    hours = np.maximum(hours, 0.0)
    return {
        tuple(None if part is None else str(part) for part in key): Course(
            starts=starts,
            entered=entered[place, 1:],
            left=left[place, 1:],
            level=level[place],
            hours=hours[place],
            passed=(as_of - starts[-1]) / HOUR,
        )
        for place, key in enumerate(groups.select(*by).iter_rows())
    }


@dataclass(frozen=True, kw_only=True)
class Unusual:
    """Order-hours of the newest part of a course beyond the same hours of the days before; `low` and `high` bound 90 %."""

    hours: float
    usual: float
    low: float
    high: float
    p: float

    @property
    def beyond(self) -> float:
        """How many order-hours more than usual."""
        return self.hours - self.usual


def judge(course: Course, length: int) -> Unusual | None:
    """The newest `length` hours against the same hours of the days before; None with fewer than three of them to compare with.

    The newest hour is not over: it stands against as much of that hour on the other days.

    Robust: median and MAD of the earlier days, whose spread is taken as no less than that of independent orders' times.
    """
    ends = range(len(course.hours), length - 1, -A_DAY)
    sums = [course.up_to(course.hours, end, length) for end in ends]
    if len(sums) < 4:
        return None
    now, before = sums[0], sums[1:]
    usual, days = median(before), len(before)
    spread = MAD_TO_SIGMA * median(abs(value - usual) for value in before)
    touched = float(course.entered[-length:].sum() + course.level[max(0, len(course.level) - length - 1)])
    each = max(1.0, now / touched if touched else 1.0)
    error = max(spread * math.sqrt(1 + 1 / days), math.sqrt(max(usual, each) * each), 0.1 * usual)
    half = student_quantile_95(days - 1) * error
    return Unusual(
        hours=now, usual=usual, low=now - usual - half, high=now - usual + half, p=student_tail((now - usual) / error, days - 1)
    )


def change_point(course: Course) -> datetime | None:
    """Since when, without a break, the course runs higher than before; None where no hour stands out.

    On the square root of the level less its usual one at that hour of the day, which makes chance alike at all levels
    (Anscombe 1948): the split with the greatest standardised rise of what follows over what came before.
    """
    values = np.sqrt(course.level + 0.375)
    size = len(values)
    if size < 3 * A_DAY:
        return None
    of_day = np.array([np.median(values[hour::A_DAY]) for hour in range(A_DAY)])
    rest = values - of_day[np.arange(size) % A_DAY]
    sigma = max(0.5, MAD_TO_SIGMA * float(np.median(np.abs(rest - np.median(rest)))))
    best, at = 0.0, None
    total = np.concatenate([[0.0], np.cumsum(rest)])
    for split in range(A_DAY, size - 1):
        after, before = size - split, split
        rise = (total[size] - total[split]) / after - total[split] / before
        score = rise / (sigma * math.sqrt(1 / after + 1 / before))
        if score > best:
            best, at = score, split
    return course.starts[at] if at is not None and best >= CHANGE_FROM else None


def growth(course: Course, hours: int = 3) -> float:
    """By how many orders an hour the level moved over the newest hours."""
    span = min(hours, len(course.level) - 1)
    passed = max(0, span - 1) + course.passed
    return float(course.level[-1] - course.level[-1 - span]) / passed if passed else 0.0


def is_moving(course: Course, hours: int = 3) -> bool:
    """Whether what entered and left over the newest hours differs beyond chance (Poisson, 95 %)."""
    entered, left = float(course.entered[-hours:].sum()), float(course.left[-hours:].sum())
    return abs(entered - left) > 1.96 * math.sqrt(max(1.0, entered + left))


def student_tail(t: float, freedom: int) -> float:
    """P(T > t) of Student's t with whole degrees of freedom, exactly (Abramowitz & Stegun 26.7.3 and 26.7.4)."""
    freedom = max(1, freedom)
    theta = math.atan(t / math.sqrt(freedom))
    sine, cosine = math.sin(theta), math.cos(theta)
    if freedom % 2:
        term, total = cosine, (cosine if freedom > 1 else 0.0)
        for j in range(3, freedom - 1, 2):
            term *= cosine**2 * (j - 1) / j
            total += term
        between = 2 / math.pi * (theta + sine * total)
    else:
        term = total = 1.0
        for j in range(2, freedom - 1, 2):
            term *= cosine**2 * (j - 1) / j
            total += term
        between = sine * total
    return (1 - between) / 2


@cache
def student_quantile_95(freedom: int) -> float:
    """The value that T exceeds with 5 %: the half width of a 90 % interval in standard errors."""
    low, high = 0.0, 10.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if student_tail(middle, freedom) > 0.05 else (low, middle)
    return high
