"""Calendar arithmetic in the business zone: offsets as plain numbers, so that no row needs a time zone database."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from data.zone import epoch_ms, offsets
from queries.query import RESOLUTION, Grain, Window

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""Before this instant the offset at this instant is used."""

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 86_400_000
PART_MS: Final[dict[Grain, int]] = {"minute": 60_000, "five_minutes": 300_000, "quarter": 900_000}
"""Parts of an hour begin alike in every zone."""
STEP_MS: Final[dict[Grain, int]] = PART_MS | {"hour": HOUR_MS}
"""Grains of one length, whatever the clocks do."""


def offset_ms(zone: ZoneInfo, instant: datetime) -> int:
    """What must be added to UTC to read a clock in `zone`, in milliseconds."""
    offset = instant.astimezone(zone).utcoffset()
    return 0 if offset is None else offset // RESOLUTION


def offsets_between(zone: ZoneInfo, start: datetime | None, end: datetime) -> tuple[tuple[int, int], ...]:
    """(from epoch ms, offset ms) that matter for instants in [start, end]; the first one also covers all earlier ones."""
    known, last = offsets(zone), epoch_ms(end)
    first = epoch_ms(start or EARLIEST)
    before = [pair for pair in known if pair[0] <= first][-1:] or [known[0]]
    return tuple(before + [pair for pair in known if first < pair[0] <= last])


def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of a calendar day in `zone`, in UTC; where midnight is skipped, the instant of the skip."""
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)


def bucket_start(instant: datetime, grain: Grain, zone: ZoneInfo) -> datetime:
    """The first instant (UTC) of the part of an hour, hour, day, ISO week or month of `zone` that holds `instant`."""
    if grain in PART_MS:
        return EPOCH + timedelta(milliseconds=epoch_ms(instant) // PART_MS[grain] * PART_MS[grain])
    if grain == "hour":
        offset = offset_ms(zone, instant)
        local = epoch_ms(instant) + offset
        return EPOCH + timedelta(milliseconds=local - local % HOUR_MS - offset)
    return start_of_day(_first_day(instant.astimezone(zone).date(), grain), zone)


def _first_day(day: date, grain: Grain) -> date:
    if grain == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if grain == "month" else day


def _next_day(day: date, grain: Grain) -> date:
    if grain == "month":
        return (day.replace(day=28) + timedelta(days=4)).replace(day=1)
    return day + timedelta(days=7 if grain == "week" else 1)


def bucket_end(start: datetime, grain: Grain, zone: ZoneInfo) -> datetime:
    """The first instant after the bucket that begins at `start`."""
    if grain in PART_MS:
        return start + timedelta(milliseconds=PART_MS[grain])
    if grain == "hour":
        following = start + timedelta(hours=1)
        change = offset_ms(zone, following) - offset_ms(zone, start)
        return following if change % HOUR_MS == 0 else bucket_start(following, grain, zone)
    return start_of_day(_next_day(start.astimezone(zone).date(), grain), zone)


def buckets(start: datetime, end: datetime, grain: Grain, zone: ZoneInfo) -> list[tuple[datetime, datetime]]:
    """Every bucket (start, end) that overlaps [start, end), oldest first, in UTC."""
    found: list[tuple[datetime, datetime]] = []
    begin = bucket_start(start, grain, zone)
    while begin < end:
        following = bucket_end(begin, grain, zone)
        found.append((begin, following))
        begin = following
    return found


def shift_days(instant: datetime, days: int, zone: ZoneInfo) -> datetime:
    """The same clock reading `days` calendar days later (earlier when negative) in `zone`, in UTC."""
    local = instant.astimezone(zone)
    moved = (local.replace(tzinfo=None) + timedelta(days=days)).replace(tzinfo=zone, fold=local.fold)
    return moved.astimezone(UTC)


def _is_midnight(instant: datetime, zone: ZoneInfo) -> bool:
    return start_of_day(instant.astimezone(zone).date(), zone) == instant


def previous_length(window: Window, zone: ZoneInfo) -> tuple[int, timedelta]:
    """(calendar days, rest) by which the period before `window` lies earlier: whole days stay whole across a clock change."""
    if window.start is None:
        raise ValueError("a window without a start has no previous period")
    if _is_midnight(window.start, zone) and _is_midnight(window.end, zone):
        return (window.end.astimezone(zone).date() - window.start.astimezone(zone).date()).days, timedelta()
    return 0, window.end - window.start


def whole_hours(start: datetime, end: datetime) -> tuple[datetime, datetime]:
    """The first whole hour of a window, and the end of its last one (not before the first)."""
    first = -(-(start - EPOCH) // timedelta(hours=1))
    return EPOCH + first * timedelta(hours=1), EPOCH + max(first, (end - EPOCH) // timedelta(hours=1)) * timedelta(hours=1)
