"""What a figure is compared with: one dataclass per comparison, from which the form and the reader of YAML derive.

A comparison turns a figure into the number that the thresholds are held against. All of them are pure; what they need
of the past is handed in.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from statistics import median
from typing import ClassVar, Final, Literal, get_args

Level = Literal["warning", "critical"]
Op = Literal[">", ">=", "<", "<="]
Period = Literal["day", "week"]
Difference = Literal["difference", "percent"]

LEVELS: Final[tuple[Level, ...]] = get_args(Level)
OPS: Final[tuple[Op, ...]] = get_args(Op)
DAYS: Final[Mapping[Period, int]] = {"day": 1, "week": 7}
LEAST_HISTORY: Final = 3
"""Fewer earlier figures than this are no baseline."""

Earlier = Callable[[int], float | None]
"""The figure of the same window so many calendar days earlier; None where there is none."""


def is_missing(value: float | None) -> bool:
    """Whether there is no figure: null and NaN are missing, never 0."""
    return value is None or math.isnan(value)


@dataclass(frozen=True, kw_only=True)
class Constant:
    """Compared with the thresholds as they are."""

    name: ClassVar[str] = "constant"

    def days(self) -> tuple[int, ...]:
        """How many days earlier it needs figures from."""
        return ()

    def score(self, value: float, earlier: Earlier) -> float | None:
        """The figure itself."""
        return value

    def bound(self, threshold: float, earlier: Earlier) -> float | None:
        """The threshold in the figure's own unit."""
        return threshold


@dataclass(frozen=True, kw_only=True)
class PeriodBefore:
    """Compared with the same window a day or a week earlier: the thresholds are a difference, or a change in percent."""

    name: ClassVar[str] = "period_before"
    period: Period = "week"
    by: Difference = "percent"

    def days(self) -> tuple[int, ...]:
        """How many days earlier it needs figures from."""
        return (DAYS[self.period],)

    def score(self, value: float, earlier: Earlier) -> float | None:
        """The difference, or the change in percent of the earlier figure; None without one (or with 0 percent of it)."""
        before = earlier(DAYS[self.period])
        if before is None or is_missing(before):
            return None
        if self.by == "difference":
            return value - before
        return 100 * (value - before) / abs(before) if before else None

    def bound(self, threshold: float, earlier: Earlier) -> float | None:
        """The threshold in the figure's own unit."""
        before = earlier(DAYS[self.period])
        if before is None or is_missing(before):
            return None
        return before + (threshold if self.by == "difference" else abs(before) * threshold / 100)


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """Compared with the median of the same weekday and hour over `weeks`: the thresholds are distances in k · MAD."""

    name: ClassVar[str] = "baseline"
    weeks: int = 6

    def days(self) -> tuple[int, ...]:
        """How many days earlier it needs figures from."""
        return tuple(7 * week for week in range(1, self.weeks + 1))

    def _band(self, earlier: Earlier) -> tuple[float, float] | None:
        known = [value for value in map(earlier, self.days()) if value is not None and not math.isnan(value)]
        if len(known) < min(LEAST_HISTORY, self.weeks):
            return None
        middle = median(known)
        return middle, median(abs(value - middle) for value in known)

    def score(self, value: float, earlier: Earlier) -> float | None:
        """The distance from the median in MADs; None with too little history."""
        band = self._band(earlier)
        if band is None:
            return None
        distance = value - band[0]
        return distance / band[1] if band[1] else math.copysign(math.inf, distance) if distance else 0.0

    def bound(self, threshold: float, earlier: Earlier) -> float | None:
        """The threshold in the figure's own unit: median + k · MAD."""
        band = self._band(earlier)
        return None if band is None else band[0] + threshold * band[1]


Comparison = Constant | PeriodBefore | Baseline

COMPARISONS: Final[dict[str, type[Comparison]]] = {entry.name: entry for entry in (Constant, PeriodBefore, Baseline)}
"""Every comparison by the name it has in YAML. To add one, add a dataclass, its words in i18n and its case."""


@dataclass(frozen=True, kw_only=True)
class Threshold:
    """Where a level begins and where it ends again; either level may be absent. `recover` None: at the threshold."""

    warning: float | None = None
    critical: float | None = None
    warning_recover: float | None = None
    critical_recover: float | None = None

    def start(self, level: Level) -> float | None:
        """Where the level begins."""
        return self.warning if level == "warning" else self.critical

    def recover(self, level: Level) -> float | None:
        """Where it ends again; None: at its start."""
        return self.warning_recover if level == "warning" else self.critical_recover

    def is_breached(self, op: Op, score: float, level: Level, *, is_firing: bool) -> bool | None:
        """Whether the score breaches a level; while firing it must come back to the recover value. None without that level.

        While firing `>` recovers at `v <= recover`, `>=` at `v < recover`: the same comparison with the recover value.
        """
        limit = self.start(level)
        if limit is not None and is_firing and (recover := self.recover(level)) is not None:
            limit = recover
        return None if limit is None else is_beyond(op, score, limit)


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One metric against its thresholds; `groups` overrides them for single groups (a group's label values, `/` between)."""

    metric: str
    op: Op
    threshold: Threshold
    compare: Comparison = field(default_factory=Constant)
    groups: tuple[tuple[str, Threshold], ...] = ()

    def threshold_of(self, group: str) -> Threshold:
        """The thresholds that hold for a group; those given for it replace the rule's own, level by level."""
        return self._merged.get(group, self.threshold)

    @cached_property
    def _merged(self) -> dict[str, Threshold]:
        return {name: self._with(own) for name, own in self.groups}

    def _with(self, own: Threshold) -> Threshold:
        parts: dict[str, float | None] = {}
        for level in LEVELS:
            chosen = own if own.start(level) is not None else self.threshold
            parts |= {level: chosen.start(level), f"{level}_recover": chosen.recover(level)}
        return Threshold(**parts)


def is_beyond(op: Op, value: float, threshold: float) -> bool:
    """Whether the value breaches: `value op threshold`."""
    if op == ">":
        return value > threshold
    if op == ">=":
        return value >= threshold
    return value < threshold if op == "<" else value <= threshold


def breaches(condition: Condition, group: str, score: float, level: Level, *, is_firing: bool) -> bool | None:
    """Whether the score breaches a level of the condition for a group; None without that level."""
    return condition.threshold_of(group).is_breached(condition.op, score, level, is_firing=is_firing)


def length_of(period: Period) -> timedelta:
    """The nominal length of a period."""
    return timedelta(days=DAYS[period])
