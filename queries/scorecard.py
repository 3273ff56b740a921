"""Scorecards: rates of many members, each drawn to the common rate by how little is known of it, so that chance ranks no one last."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from statistics import median
from typing import Any, Final

Row = Mapping[str, Any]

Z_90: Final = 1.644854
MOST_PRIOR: Final = 100_000.0
"""Where members differ by no more than chance each is drawn to the common rate by so many orders."""


@dataclass(frozen=True, kw_only=True)
class Score:
    """One member's rate: as counted, and drawn to the common one (`estimate`) with its 90 % interval.

    `verdict` is `better` or `worse` where the interval lies wholly on one side of the middle estimate. `days_below` is how many of its
    newest days in a row missed the target.
    """

    member: str | None
    good: int
    n: int
    estimate: float
    low: float
    high: float
    verdict: str
    days_below: int

    @property
    def rate(self) -> float:
        """The rate as counted."""
        return self.good / self.n


def score(
    rows: Iterable[Row], by: str, metric: str, *, target: float | None, is_ceiling: bool = False
) -> tuple[float, list[Score]]:
    """The middle estimate and the members, the lowest estimate first, from their days: rows with `by`, `bucket_at`, the rate and its n.

    The target is to be reached, or with `is_ceiling` not to be passed.

    A beta prior by the method of moments (Casella 1985) over members; orders of a day count as fewer where days differ more
    than independent orders would (n over the dispersion), for three bad days are three, not three hundred.
    """
    days: dict[str | None, list[tuple[datetime, int, int]]] = {}
    for row in rows:
        n = int(row[f"{metric}_n"] or 0)
        if n and row[metric] is not None:
            days.setdefault(row[by], []).append((row["bucket_at"], round(float(row[metric]) * n), n))
    if not days:
        return 0.0, []
    totals = {member: (sum(good for _, good, _ in own), sum(n for _, _, n in own)) for member, own in days.items()}
    middle = sum(good for good, _ in totals.values()) / sum(n for _, n in totals.values())
    spread = _dispersion(list(days.values()))
    prior = _prior([(good, n / spread) for good, n in totals.values()], [n for _, n in totals.values()], middle)
    found = [
        _score(member, *totals[member], middle, (spread, prior), _below(days[member], target, is_ceiling)) for member in days
    ]
    middle = _middle(found)
    found = [replace(item, verdict=_verdict(item, middle)) for item in found]
    return middle, sorted(found, key=lambda item: (item.estimate, str(item.member)))


def _score(member: str | None, good: int, n: int, middle: float, drawn: tuple[float, float], below: int) -> Score:
    spread, prior = drawn
    effective = n / spread
    weight = effective + prior
    estimate = (good / n * effective + middle * prior) / weight
    error = math.sqrt(max(estimate * (1 - estimate), 0.25 / weight) / (weight + 1))
    low, high = max(0.0, estimate - Z_90 * error), min(1.0, estimate + Z_90 * error)
    return Score(member=member, good=good, n=n, estimate=estimate, low=low, high=high, verdict="usual", days_below=below)


def _verdict(item: Score, middle: float) -> str:
    return "better" if item.low > middle else "worse" if item.high < middle else "usual"


def _middle(members: Iterable[Score]) -> float:
    """The estimate of the middle order's member: one bad member does not make all others better than usual.

    Not the rate as counted: where most members have an order or two that is all or nothing.
    """
    ranked = sorted((item.estimate, item.n) for item in members)
    half, seen = sum(n for _, n in ranked) / 2, 0
    for estimate, n in ranked:
        seen += n
        if seen >= half:
            return estimate
    return 0.0


def _dispersion(members: Sequence[Sequence[tuple[datetime, int, int]]]) -> float:
    """How much more a member's days differ than independent orders would, of the middle member; at least 1.

    A day that is bad for all says nothing of one: a member's day is measured by the day's own rate.
    """
    of_day: dict[datetime, tuple[int, int]] = {}
    for at, good, n in (day for days in members for day in days):
        before = of_day.get(at, (0, 0))
        of_day[at] = (before[0] + good, before[1] + n)
    usual = {at: 1 - good / n for at, (good, n) in of_day.items()}
    found = []
    for days in members:
        bad = sum(n - good for _, good, n in days)
        own = bad / (sum(n * usual[at] for at, _, n in days) or 1.0)
        rates = [(good, n, min(0.999, own * usual[at])) for at, good, n in days]
        tested = [(n - good - n * rate) ** 2 / (n * rate * (1 - rate)) for good, n, rate in rates if n * rate * (1 - rate) >= 1]
        if len(tested) > 1:
            found.append(sum(tested) / (len(tested) - 1))
    return max(1.0, median(found)) if found else 1.0


def _prior(effective: Sequence[tuple[int, float]], counts: Sequence[int], middle: float) -> float:
    """The prior's weight in orders: what members' rates vary beyond their own chance says how much a rate may be one's own."""
    if len(effective) < 3 or not 0 < middle < 1:
        return 30.0
    rates = [good / n for (good, _), n in zip(effective, counts, strict=True)]
    sizes = [size for _, size in effective]
    total = sum(sizes)
    between = sum(size * (rate - middle) ** 2 for size, rate in zip(sizes, rates, strict=True))
    expected = (len(sizes) - 1) * middle * (1 - middle)
    variance = (between - expected) / (total - sum(size**2 for size in sizes) / total)
    return min(MOST_PRIOR, max(1.0, middle * (1 - middle) / variance - 1)) if variance > 0 else MOST_PRIOR


def _below(days: Sequence[tuple[datetime, int, int]], target: float | None, is_ceiling: bool) -> int:
    """How many of the newest days in a row missed the target."""
    if target is None:
        return 0
    newest = sorted(days, reverse=True)
    missed = [good / n > target if is_ceiling else good / n < target for _, good, n in newest]
    return next((index for index, is_missed in enumerate(missed) if not is_missed), len(newest))
