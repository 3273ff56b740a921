"""A rule's samples over weeks: one question per metric and group set for the whole history, by the hour.

Sums slide over the window, values are taken together, stocks stand at each hour's end; so each instant's figure is the
one that was asked for at that instant, but for what became known of its orders later.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any, Final
from zoneinfo import ZoneInfo

import polars as pl

from alerts.conditions import Condition
from alerts.instants import instants_between
from alerts.rule import Group, Rule, label_of
from alerts.state import Reading, Sample
from data.zone import epoch_ms
from queries.clock import HOUR_MS, bucket_start, shift_days
from queries.metric import Metric
from queries.metrics import ASKABLE, METRICS
from queries.parts import Part, figure, parts_of, statistic_of
from queries.query import Query, Window

HOUR: Final = timedelta(hours=1)
Ask = Callable[[Query], pl.DataFrame]
Figure = tuple[float | None, int | None]


@dataclass(frozen=True, kw_only=True)
class Track:
    """One metric of one group: running totals of its parts and of its rows, or its values, hour by hour."""

    sums: dict[str, list[float]] = field(default_factory=dict)
    rows: list[int] = field(default_factory=list)
    values: dict[int, list[float]] = field(default_factory=dict)
    waits: dict[str, list[float]] = field(default_factory=dict)
    stock: dict[int, Figure] = field(default_factory=dict)


@dataclass
class History:
    """The samples of a rule at `instants`; `step` is the time between two of them, never under an hour."""

    rule: Rule
    zone: ZoneInfo
    first: datetime
    instants: tuple[datetime, ...]
    step: timedelta
    tracks: dict[str, dict[Group, Track]] = field(default_factory=dict)
    known: dict[tuple[str, Group, int], Figure | None] = field(default_factory=dict)

    @property
    def is_coarse(self) -> bool:
        """Whether the live rule looks more often than its history is played."""
        return self.step != self.rule.every

    @property
    def groups(self) -> tuple[Group, ...]:
        """Every group seen, by label."""
        return tuple(sorted({group for tracks in self.tracks.values() for group in tracks}, key=label_of))

    def played_rule(self) -> Rule:
        """The rule as it is played: its expected dimension's values named."""
        if not self.rule.expected_dimension:
            return self.rule
        return replace(self.rule, expected_groups=tuple(label_of(group) for group in self.groups if None not in group))

    def sample(self, at: datetime) -> Sample:
        """What the rule saw at an instant."""
        found = []
        for group in self.groups:
            figures = [self.figure(condition.metric, group, at) for condition in self.rule.conditions]
            if any(one is not None for one in figures):
                readings = tuple(self._reading(c, group, at, one) for c, one in zip(self.rule.conditions, figures, strict=True))
                found.append((group, readings))
        return Sample(groups=found)

    def figure(self, metric: str, group: Group, at: datetime) -> Figure | None:
        """A metric's value and number of orders in the window that closed before `at`; None for a group without any row."""
        end = (epoch_ms(at - self.rule.delay) - epoch_ms(self.first)) // HOUR_MS
        key = (metric, group, end)
        if key not in self.known:
            track = self.tracks[metric].get(group)
            self.known[key] = None if track is None else _figure(METRICS[metric], track, end, hours_of(self.rule))
        return self.known[key]

    def earlier(self, metric: str, group: Group, at: datetime) -> Callable[[int], float | None]:
        """The same window so many calendar days earlier."""

        def find(days: int) -> float | None:
            found = self.figure(metric, group, shift_days(at, -days, self.zone))
            return found[0] if found else None

        return find

    def _reading(self, condition: Condition, group: Group, at: datetime, found: Figure | None) -> Reading:
        value, n = found or (None, None)
        score = None if value is None else condition.compare.score(value, self.earlier(condition.metric, group, at))
        return Reading(value=value, score=score, n=n)


def hours_of(rule: Rule) -> int:
    """The rule's window in whole hours, at least one."""
    return max(1, round(rule.window / HOUR))


def step_of(rule: Rule) -> timedelta:
    """The time between two played instants: the rule's own where it is whole hours, else one hour."""
    return rule.every if rule.every % HOUR == timedelta() else HOUR


def read_history(rule: Rule, ask: Ask, *, since: datetime, until: datetime, zone: ZoneInfo) -> History:
    """The rule's samples at every instant in (since, until]. Raises what `ask` raises.

    Asks once for each kind of rows that its metrics are made of.
    """
    days = max((day for condition in rule.conditions for day in condition.compare.days()), default=0)
    first = bucket_start(shift_days(since, -days, zone) - rule.delay - rule.window - HOUR, "hour", zone)
    step = step_of(rule)
    instants = tuple(instants_between(step, since, until, zone))
    history = History(rule=rule, zone=zone, first=first, instants=instants, step=step)
    window = Window(start=first, end=until)
    count = (epoch_ms(until) - epoch_ms(first)) // HOUR_MS + 2
    for name in rule.metrics:
        history.tracks[name] = _tracks(METRICS[name], rule, lambda names: _rows(rule, ask, names, window), first, count)
    return history


def _rows(rule: Rule, ask: Ask, names: tuple[str, ...], window: Window) -> list[dict[str, Any]]:
    query = Query(metrics=names, by=rule.group_by, where=rule.filters, window=window, grain="hour")
    return ask(query).to_dicts()


def _tracks(
    metric: Metric, rule: Rule, rows_of: Callable[[tuple[str, ...]], list[dict[str, Any]]], first: datetime, count: int
) -> dict[Group, Track]:
    found: dict[Group, Track] = {}
    if metric.anchor.is_stock:
        for row in rows_of((metric.name,)):
            found.setdefault(_group(row, rule), Track()).stock[_hour(row, first)] = _stock_figure(metric, row)
        return found
    parts, hourly = parts_of(metric), Hourly()
    for names in _by_anchor(parts):
        for row in rows_of(names):
            group, hour = _group(row, rule), _hour(row, first)
            track = found.setdefault(group, Track(rows=[0] * count))
            track.rows[hour] = 1
            for name in names:
                if isinstance(row[name], list):
                    track.values.setdefault(hour, []).extend(row[name])
                else:
                    hourly.setdefault((name, group), {})[hour] = float(row[name] or 0)
    for group, track in found.items():
        track.rows[:] = accumulate(track.rows, initial=0)
        for part in parts:
            _add_up(part, group, hourly, track, count)
    return found


Hourly = dict[tuple[str, Group], dict[int, float]]


def _group(row: dict[str, Any], rule: Rule) -> Group:
    return tuple(None if row[name] is None else str(row[name]) for name in rule.group_by)


def _hour(row: dict[str, Any], first: datetime) -> int:
    return (epoch_ms(row["bucket_at"]) - epoch_ms(first)) // HOUR_MS


def _by_anchor(parts: Iterable[Part]) -> list[tuple[str, ...]]:
    """Names by the kind of rows they count: each kind is a question of its own, so that none lends the other its groups."""
    kinds: dict[str, list[str]] = {}
    for part in parts:
        for name in (part.asked, part.closed):
            if name:
                kinds.setdefault(ASKABLE[name].anchor.name, []).append(name)
    return [tuple(names) for names in kinds.values()]


def _add_up(part: Part, group: Group, hourly: Hourly, track: Track, count: int) -> None:
    if part.holds_values:
        return
    everything = _dense(hourly, part.asked, group, count)
    if not part.closed:
        track.sums[part.measure] = [0.0, *accumulate(everything)]
        return
    closed = _dense(hourly, part.closed, group, count)
    track.sums[part.measure] = [0.0, *accumulate(closed)]
    track.waits[part.measure] = [whole - own for whole, own in zip(everything, closed, strict=True)]


def _dense(hourly: Hourly, name: str, group: Group, count: int) -> list[float]:
    known = hourly.get((name, group), {})
    return [known.get(hour, 0.0) for hour in range(count)]


def _stock_figure(metric: Metric, row: dict[str, Any]) -> Figure:
    value, n = row[metric.name], row.get(f"{metric.name}_n")
    n = value if n is None and metric.unit == "count" else n
    return None if value is None else float(value), None if n is None else int(n)


def _figure(metric: Metric, track: Track, end: int, hours: int) -> Figure | None:
    start = max(0, end - hours)
    if metric.anchor.is_stock:
        return track.stock.get(end - 1)
    last = len(track.rows) - 1
    if end < 1 or end > last or track.rows[end] == track.rows[start]:
        return None
    if not track.sums:
        values = [value for hour in range(start, end) for value in track.values.get(hour, ())]
        return statistic_of(metric, values), len(values)
    sums = {name: totals[end] - totals[start] for name, totals in track.sums.items()}
    for name, waits in track.waits.items():
        sums[name] += waits[end - 1]
    return figure(metric, sums, hours)


def usual(values: Sequence[float]) -> tuple[float, float, float] | None:
    """Least quarter, middle and highest quarter of what was there; None for nothing."""
    if not values:
        return None
    ordered = sorted(values)
    return tuple(ordered[min(len(ordered) - 1, int(q * len(ordered)))] for q in (0.25, 0.5, 0.75))  # type: ignore[return-value]


def place_in(instants: Sequence[datetime], at: datetime) -> int:
    """The number of instants before `at`."""
    return bisect_left(instants, at)
