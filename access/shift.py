"""Shifts of the business calendar as spans of instants: the one a handover is about, and the one it is for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from data.targets import Calendar, Shift

WHOLE_DAY: Final = Shift(name="whole_day", start=time(0), end=None)
"""What is meant where the calendar names no shift."""


@dataclass(frozen=True, kw_only=True)
class ShiftSpan:
    """One shift on one day: `end` is the first instant that no longer belongs to it."""

    name: str
    start: datetime
    end: datetime


def shift_at(calendar: Calendar, at: datetime, zone: ZoneInfo) -> ShiftSpan:
    """The shift that runs at the instant (the one begun last where two do); between shifts the one that ended last."""
    begun = [span for span in _around(calendar, at, zone) if span.start <= at]
    running = [span for span in begun if at < span.end]
    return max(running or begun, key=lambda span: (span.start if running else span.end, span.start))


def shift_after(calendar: Calendar, span: ShiftSpan, zone: ZoneInfo) -> ShiftSpan:
    """The next shift to begin at or after this one's end."""
    return min((later for later in _around(calendar, span.end, zone) if later.start >= span.end), key=lambda later: later.start)


def _around(calendar: Calendar, at: datetime, zone: ZoneInfo) -> list[ShiftSpan]:
    """Every shift of the days around the instant."""
    today = at.astimezone(zone).date()
    spans = []
    for days in range(-2, 3):
        midnight = datetime.combine(today + timedelta(days=days), time(0))
        for shift in calendar.shifts or (WHOLE_DAY,):
            start = midnight + _since_midnight(shift.start)
            end = midnight + (_since_midnight(shift.end) if shift.end is not None else timedelta(days=1))
            end += timedelta(days=1) if end <= start else timedelta()
            spans.append(ShiftSpan(name=shift.name, start=start.replace(tzinfo=zone), end=end.replace(tzinfo=zone)))
    return spans


def _since_midnight(clock: time) -> timedelta:
    return timedelta(hours=clock.hour, minutes=clock.minute, seconds=clock.second)


@dataclass(frozen=True, kw_only=True)
class ShiftHours:
    """The hours of the day (0–23) that belong to a shift of the calendar; `clock` is from which hour to which."""

    name: str
    clock: str
    hours: frozenset[int]


def hours_of_shifts(calendar: Calendar) -> tuple[ShiftHours, ...] | None:
    """The calendar's shifts, an hour that several share given to the one begun last; None where one does not change on the hour."""
    clocks = [clock for shift in calendar.shifts for clock in (shift.start, shift.end) if clock is not None]
    if any(clock.minute or clock.second for clock in clocks):
        return None
    owners = {hour: _owner(calendar.shifts, hour) for hour in range(24)}
    return tuple(
        ShiftHours(
            name=shift.name,
            clock=f"{shift.start.hour}–{shift.end.hour if shift.end else 24}",
            hours=frozenset(hour for hour, owner in owners.items() if owner is shift),
        )
        for shift in calendar.shifts
    )


def _owner(shifts: tuple[Shift, ...], hour: int) -> Shift | None:
    running = [shift for shift in shifts if (hour - shift.start.hour) % 24 < _hours_long(shift)]
    return min(running, key=lambda shift: (hour - shift.start.hour) % 24, default=None)


def _hours_long(shift: Shift) -> int:
    return (((shift.end.hour if shift.end else 24) - shift.start.hour) % 24) or 24
