"""What a period, a scope and an edition of the targets give a statement: its setting (text) and its parameters (values)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from data.lake import Newest
from data.order import STAGES
from data.targets import Edition
from data.zone import epoch_ms
from queries.base import Setting
from queries.clock import DAY_MS, EPOCH, STEP_MS, buckets, offsets_between, whole_hours
from queries.dimensions import DIMENSIONS
from queries.limits import limit_values, limits_of
from queries.normal import normal_days
from queries.query import RESOLUTION, Filter, Grain, QueryError, Window
from queries.risk import risk_days
from queries.scope import Scope
from queries.shape import WhereShape

MAX_BUCKETS: Final = 20_000
"""More points than this in one series are refused."""


@dataclass(frozen=True, kw_only=True)
class Span:
    """A period in instants: the window cut at as-of, and the window as asked."""

    window: Window
    as_of: datetime
    newest: Newest | None

    @property
    def end(self) -> datetime:
        """The first instant after the window's part that as-of has reached."""
        return min(self.window.end, self.as_of + RESOLUTION)

    @property
    def until(self) -> datetime:
        """The last instant of that part."""
        return self.end - RESOLUTION

    @property
    def is_settled(self) -> bool:
        """Whether no milestone lies after the period."""
        return self.newest is not None and self.newest.at <= self.until

    @property
    def is_known(self) -> bool:
        """Whether no milestone lies after as-of."""
        return self.newest is not None and self.newest.at <= self.as_of

    @property
    def is_current(self) -> bool:
        """Whether the period's last instant is as-of."""
        return self.until == self.as_of


def setting_of(scope: Scope, now: Span, edition: Edition, *, grain: Grain | None, zone: ZoneInfo) -> Setting:
    """What decides the text of the row sources for a period under an edition of the targets."""
    last = max(now.window.end, now.as_of) + timedelta(days=62)
    return Setting(
        scope_size=None if scope.everything else len(scope.regions),
        offsets=offsets_between(zone, None, last),
        limits=limits_of(edition),
        cut_off_ms=_clock_ms(edition),
        holidays=_holiday_jumps(edition.calendar.holidays),
        grain=grain,
        has_start=now.window.start is not None,
        all_begun=now.newest is not None and now.newest.all_begun,
    )


def _clock_ms(edition: Edition) -> int:
    cut_off = edition.calendar.cut_off
    return (cut_off.hour * 3600 + cut_off.minute * 60 + cut_off.second) * 1000


def _holiday_jumps(holidays: tuple[date, ...]) -> tuple[tuple[int, int], ...]:
    """(holiday, next working day) as days since 1970."""
    days = {(holiday - EPOCH.date()).days for holiday in holidays}
    jumps = []
    for day in sorted(days):
        working = day
        while working in days:
            working += 1
        jumps.append((day, working))
    return tuple(jumps)


def _longest_holiday(edition: Edition) -> int:
    """The most days in a row on which nothing is shipped."""
    days = sorted(edition.calendar.holidays)
    longest = run = 0
    for index, day in enumerate(days):
        run = run + 1 if index and day - days[index - 1] == timedelta(days=1) else 1
        longest = max(longest, run)
    return longest


def setting_values(scope: Scope, version: int, edition: Edition) -> dict[str, object]:
    """The parameters of scope, snapshot, limits and targets that a row source may name."""
    own: dict[str, object] = {f"scope_{index}": region for index, region in enumerate(scope.regions)}
    return (
        own
        | limit_values(edition)
        | {
            "version": version,
            "return_handling_ms": round(edition.return_handling_seconds * 1000),
            "risk_minimum": edition.at_risk_minimum_count,
        }
    )


def where_shapes(where: tuple[Filter, ...]) -> tuple[WhereShape, ...]:
    """The filters without their values."""
    return tuple(
        WhereShape(
            dimension=item.dimension,
            count=sum(value is not None for value in item.values),
            has_null=None in item.values,
            stages=_stages(item),
        )
        for item in where
    )


def _stages(item: Filter) -> tuple[str, ...]:
    """The stages that a filter names; none where it is of something else, or of anything that is no stage."""
    if item.dimension != "stage" or not set(item.values) <= set(STAGES):
        return ()
    return tuple(stage for stage in STAGES if stage in item.values)


def where_values(where: tuple[Filter, ...]) -> dict[str, object]:
    """The filters' parameters: `$where_<filter>_<value>`."""
    values: dict[str, object] = {}
    for index, item in enumerate(where):
        known = [value for value in item.values if value is not None]
        values |= {f"where_{index}_{i}": _code(item.dimension, value) for i, value in enumerate(known)}
    return values


def _code(dimension: str, value: str) -> str | int:
    codes = DIMENSIONS[dimension].codes
    if codes and isinstance(codes[0], int):
        return int(value) if str(value).isdigit() else -1
    return value


def span_values(span: Span, grain: Grain | None, zone: ZoneInfo, edition: Edition) -> dict[str, object]:
    """The period's parameters, and with a grain those of its buckets. Raises QueryError for too many buckets."""
    values: dict[str, object] = {
        "as_of": span.as_of,
        "start": span.window.start,
        "end": span.end,
        "due_end": span.window.end,
        "due_since": span.window.start and span.window.start - timedelta(days=2 + _longest_holiday(edition)),
        "until": span.until,
        "return_handling": timedelta(seconds=edition.return_handling_seconds),
        **_cell_values(span),
        **risk_days(span.as_of, zone, edition),
        **normal_days(span.as_of, zone, edition),
    }
    if grain and span.window.start is not None:
        found = buckets(span.window.start, span.end, grain, zone)
        if len(found) > MAX_BUCKETS:
            raise QueryError(f"{len(found)} buckets by {grain} are too many: use a coarser grain or a shorter window")
        instants = [min(end - RESOLUTION, span.until) for _, end in found]
        days = [risk_days(instant, zone, edition) for instant in instants]
        values |= {
            "each_bucket": [_bucket_number(start, grain, zone) for start, _ in found],
            "each_as_of": instants,
            "each_risk_start": [day["risk_start"] for day in days],
            "each_risk_end": [day["risk_end"] for day in days],
            "risk_start": min(day["risk_start"] for day in [risk_days(span.as_of, zone, edition), *days]),
        }
    return values


def _cell_values(span: Span) -> dict[str, object]:
    if span.window.start is None:
        return {}
    # Where no milestone lies after the end its hour is as whole as the others.
    start, end = whole_hours(span.window.start, span.end + (timedelta(hours=1) if span.is_settled else timedelta()))
    hour = start if start == span.window.start else start - timedelta(hours=1)
    whole_end = whole_hours(span.window.start, span.end)[1]
    return {"cells_start": start, "cells_end": end, "whole_end": whole_end, "hour_start": hour}


def _bucket_number(start: datetime, grain: Grain, zone: ZoneInfo) -> int:
    """Hours and their parts as UTC ms, days and longer as ms of the local midnight."""
    if grain in STEP_MS:
        return epoch_ms(start)
    day = start.astimezone(zone).date()
    return (day - EPOCH.date()).days * DAY_MS
