"""The shift a handover is about, by the calendar's clock times in the business zone."""

from __future__ import annotations

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from access.shift import shift_after, shift_at
from data.targets import Calendar, Shift

SHANGHAI = ZoneInfo("Asia/Shanghai")
TWO = Calendar(
    cut_off=time(16), shifts=(Shift(name="day", start=time(8), end=time(16)), Shift(name="evening", start=time(16), end=None))
)
NIGHT = Calendar(
    cut_off=time(16), shifts=(Shift(name="day", start=time(6), end=time(22)), Shift(name="night", start=time(22), end=time(6)))
)


def local(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-03-{text}").replace(tzinfo=SHANGHAI)


CASES = [
    (TWO, "02T09:30", "day", "02T08:00", "02T16:00", "evening"),
    (TWO, "02T15:59:59", "day", "02T08:00", "02T16:00", "evening"),
    (TWO, "02T16:00", "evening", "02T16:00", "03T00:00", "day"),
    (TWO, "03T03:00", "evening", "02T16:00", "03T00:00", "day"),
    (NIGHT, "02T23:00", "night", "02T22:00", "03T06:00", "day"),
    (NIGHT, "03T05:00", "night", "02T22:00", "03T06:00", "day"),
    (Calendar(cut_off=time(16)), "02T12:00", "whole_day", "02T00:00", "03T00:00", "whole_day"),
]


@pytest.mark.parametrize(("calendar", "at", "name", "start", "end", "following"), CASES)
def test_shift_and_the_next_one(calendar: Calendar, at: str, name: str, start: str, end: str, following: str) -> None:
    span = shift_at(calendar, local(at).astimezone(UTC), SHANGHAI)
    assert (span.name, span.start, span.end) == (name, local(start), local(end))
    later = shift_after(calendar, span, SHANGHAI)
    assert later.name == following
    assert later.start >= span.end
