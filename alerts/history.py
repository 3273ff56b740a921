"""A rule's samples over weeks: one question per metric and group set for the whole history, by the hour or a part of it.

Sums slide over the window, values are taken together, stocks stand at each cell's end; so each instant's figure is the
one that was asked for at that instant, but for what became known of its orders later.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from itertools import accumulate
from typing import Any, Final
from zoneinfo import ZoneInfo

import polars as pl

from alerts.conditions import Condition
from alerts.instants import instants_between
from alerts.rule import Group, Rule, label_of
from alerts.state import Reading, Sample
from data.zone import epoch_ms
from queries.clock import STEP_MS, bucket_start, shift_days
from queries.metric import Metric
from queries.metrics import ASKABLE, METRICS
from queries.parts import Part, figure, parts_of, statistic_of
from queries.query import Grain, Query, Window

HOUR: Final = timedelta(hours=1)
MOST_INSTANTS: Final = 4_400
MOST_CELLS: Final = 15_000
"""Parts of an hour are played up to so many instants over so many cells: 90 days every half hour, 14 days every five minutes."""

Ask = Callable[[Query], pl.DataFrame]
Figure = tuple[float | None, int | None]


@dataclass(frozen=True, kw_only=True)
class Track:
    """One metric of one group: running totals of its parts and of its rows, or its values, cell by cell."""

    sums: dict[str, list[float]] = field(default_factory=dict)
    rows: list[int] = field(default_factory=list)
    values: dict[int, list[float]] = field(default_factory=dict)
    waits: dict[str, list[float]] = field(default_factory=dict)
    stock: dict[int, Figure] = field(default_factory=dict)


@dataclass
class History:
    """The samples of a rule at `instants`, `step` apart; figures are kept in cells of one `grain`, which windows are made of."""

    rule: Rule
    zone: ZoneInfo
    first: datetime
    instants: tuple[datetime, ...]
    step: timedelta
    grain: Grain = "hour"
    tracks: dict[str, dict[Group, Track]] = field(default_factory=dict)
    known: dict[tuple[str, Group, int], Figure | None] = field(default_factory=dict)

    @property
    def is_coarse(self) -> bool:
        """Whether the live rule looks more often than its history is played, or over another window."""
        return self.step != self.rule.every or bool(self.rule.window % self.cell)

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """Every group seen, by label; asked for once all tracks are there."""
        return tuple(sorted({group for tracks in self.tracks.values() for group in tracks}, key=label_of))

    def played_rule(self) -> Rule:
        """The rule as it is played: its expected dimension's values named."""
        if not self.rule.expected_dimension:
            return self.rule
        return replace(self.rule, expected_groups=tuple(label_of(group) for group in self.groups if None not in group))

    @cached_property
    def cell(self) -> timedelta:
        """The length of a cell."""
        return timedelta(milliseconds=STEP_MS[self.grain])

    @cached_property
    def cells(self) -> int:
        """How many cells the window is made of."""
        return cells_of(self.rule, self.cell)

    def samples(self, frozen: Container[datetime] = ()) -> Iterator[tuple[datetime, Sample | None]]:
        """What the rule saw at each instant; None at those at which it was frozen."""
        return ((at, None if at in frozen else self.sample(at)) for at in self.instants)

    def sample(self, at: datetime) -> Sample:
        """What the rule saw at an instant."""
        found, end = [], self._end(at)
        for group in self.groups:
            figures = [self._figure(condition.metric, group, end) for condition in self.rule.conditions]
            if any(one is not None for one in figures):
                readings = tuple(self._reading(c, group, at, one) for c, one in zip(self.rule.conditions, figures, strict=True))
                found.append((group, readings))
        return Sample(groups=found)

    def figure(self, metric: str, group: Group, at: datetime) -> Figure | None:
        """A metric's value and number of orders in the window that closed before `at`; None for a group without any row."""
        return self._figure(metric, group, self._end(at))

    def _end(self, at: datetime) -> int:
        """The first cell after the window that closed before `at`."""
        return (epoch_ms(at - self.rule.delay) - epoch_ms(self.first)) // STEP_MS[self.grain]

    def _figure(self, metric: str, group: Group, end: int) -> Figure | None:
        key = (metric, group, end)
        if key not in self.known:
            track = self.tracks[metric].get(group)
            self.known[key] = None if track is None else _figure(METRICS[metric], track, end, self.cells, self.cell)
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


def cells_of(rule: Rule, cell: timedelta) -> int:
    """The rule's window in whole cells, at least one."""
    return max(1, round(rule.window / cell))


def pace_of(rule: Rule, played: timedelta, known: timedelta) -> tuple[Grain, timedelta]:
    """The grain of the cells and the time between two instants, for `played` of instants in `known` of figures.

    The rule's own instants over cells that its window is made of exactly, where that is not too much; else by the hour.
    """
    lengths = (rule.every, rule.window, rule.delay)
    fitting = (grain for grain in reversed(STEP_MS) if not any(one % timedelta(milliseconds=STEP_MS[grain]) for one in lengths))
    grain = next(fitting, None)
    if grain == "hour":
        return grain, rule.every
    is_little = played <= MOST_INSTANTS * rule.every
    if grain is not None and is_little and known <= MOST_CELLS * timedelta(milliseconds=STEP_MS[grain]):
        return grain, rule.every
    return "hour", HOUR if rule.every % HOUR else rule.every


def read_history(rule: Rule, ask: Ask, *, since: datetime, until: datetime, zone: ZoneInfo) -> History:
    """The rule's samples at every instant in (since, until]. Raises what `ask` raises.

    Asks once for each kind of rows that its metrics are made of.
    """
    days = max((day for condition in rule.conditions for day in condition.compare.days()), default=0)
    first = bucket_start(shift_days(since, -days, zone) - rule.delay - rule.window - HOUR, "hour", zone)
    grain, step = pace_of(rule, until - since, until - first)
    instants = tuple(instants_between(step, since, until, zone))
    history = History(rule=rule, zone=zone, first=first, instants=instants, step=step, grain=grain)
    window = Window(start=first, end=until)
    for name in rule.metrics:
        history.tracks[name] = _tracks(METRICS[name], history, lambda names: _rows(rule, ask, names, window, grain), until)
    return history


def _rows(rule: Rule, ask: Ask, names: tuple[str, ...], window: Window, grain: Grain) -> list[dict[str, Any]]:
    query = Query(metrics=names, by=rule.group_by, where=rule.filters, window=window, grain=grain)
    return ask(query).to_dicts()


def _tracks(
    metric: Metric, history: History, rows_of: Callable[[tuple[str, ...]], list[dict[str, Any]]], until: datetime
) -> dict[Group, Track]:
    rule, first, size = history.rule, epoch_ms(history.first), STEP_MS[history.grain]
    count = (epoch_ms(until) - first) // size + 2

    def cell(row: dict[str, Any]) -> int:
        return (epoch_ms(row["bucket_at"]) - first) // size

    found: dict[Group, Track] = {}
    if metric.anchor.is_stock:
        for row in rows_of((metric.name,)):
            found.setdefault(_group(row, rule), Track()).stock[cell(row)] = _stock_figure(metric, row)
        return found
    parts, hourly = parts_of(metric), Hourly()
    for names in _by_anchor(parts):
        for row in rows_of(names):
            group, place = _group(row, rule), cell(row)
            track = found.setdefault(group, Track(rows=[0] * count))
            track.rows[place] = 1
            for name in names:
                if isinstance(row[name], list):
                    track.values.setdefault(place, []).extend(row[name])
                else:
                    hourly.setdefault((name, group), {})[place] = float(row[name] or 0)
    for group, track in found.items():
        track.rows[:] = accumulate(track.rows, initial=0)
        for part in parts:
            _add_up(part, group, hourly, track, count)
    return found


Hourly = dict[tuple[str, Group], dict[int, float]]


def _group(row: dict[str, Any], rule: Rule) -> Group:
    return tuple(None if row[name] is None else str(row[name]) for name in rule.group_by)


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
    return [known.get(place, 0.0) for place in range(count)]


def _stock_figure(metric: Metric, row: dict[str, Any]) -> Figure:
    value, n = row[metric.name], row.get(f"{metric.name}_n")
    n = value if n is None and metric.unit == "count" else n
    return None if value is None else float(value), None if n is None else int(n)


def _figure(metric: Metric, track: Track, end: int, cells: int, cell: timedelta) -> Figure | None:
    start = max(0, end - cells)
    if metric.anchor.is_stock:
        return track.stock.get(end - 1)
    last = len(track.rows) - 1
    if end < 1 or end > last or track.rows[end] == track.rows[start]:
        return None
    if not track.sums:
        values = [value for place in range(start, end) for value in track.values.get(place, ())]
        return statistic_of(metric, values), len(values)
    sums = {name: totals[end] - totals[start] for name, totals in track.sums.items()}
    for name, waits in track.waits.items():
        sums[name] += waits[end - 1]
    return figure(metric, sums, cells * (cell / HOUR))


def usual(values: Sequence[float]) -> tuple[float, float, float] | None:
    """Least quarter, middle and highest quarter of what was there; None for nothing."""
    if not values:
        return None
    ordered = sorted(values)
    return tuple(ordered[min(len(ordered) - 1, int(q * len(ordered)))] for q in (0.25, 0.5, 0.75))  # type: ignore[return-value]


def place_in(instants: Sequence[datetime], at: datetime) -> int:
    """The number of instants before `at`."""
    return bisect_left(instants, at)
