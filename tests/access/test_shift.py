"""The shift a handover is about, by the calendar's clock times in the business zone."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from access.shift import hours_of_shifts, shift_after, shift_at
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


@pytest.mark.parametrize(
    ("shifts", "hours"),
    [
        ((("day", 8, 16), ("evening", 16, None)), {"day": range(8, 16), "evening": range(16, 24)}),
        ((("night", 22, 6),), {"night": (22, 23, 0, 1, 2, 3, 4, 5)}),
        ((("early", 6, 14), ("late", 12, 20)), {"early": range(6, 12), "late": range(12, 20)}),
    ],
)
def test_an_hour_belongs_to_the_shift_begun_last(
    shifts: tuple[tuple[str, int, int | None], ...], hours: dict[str, Iterable[int]]
) -> None:
    named = tuple(Shift(name=name, start=time(start), end=None if end is None else time(end)) for name, start, end in shifts)
    found = hours_of_shifts(Calendar(cut_off=time(16), shifts=named))
    assert found is not None
    assert {one.name: one.hours for one in found} == {name: frozenset(own) for name, own in hours.items()}


def test_a_shift_that_changes_at_half_past_cannot_be_told_by_the_hour() -> None:
    shift = Shift(name="day", start=time(8, 30), end=time(16))
    assert hours_of_shifts(Calendar(cut_off=time(16), shifts=(shift,))) is None
