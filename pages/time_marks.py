"""What the business calendar of `targets.yaml` marks on a time axis: one reader for every chart over time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Final

from access.view import View
from components.time_axis import MarkKind, TimeAxis, TimeMark, tip_of
from i18n import translate
from queries.clock import start_of_day

MOMENTS_UP_TO: Final = timedelta(hours=72)
"""On a longer axis only whole days are marked: every midnight, cut-off and shift would be a fence."""
MOST_NAMED: Final = 4
"""So many marks of one kind are told by name; of more, how many there are."""
KINDS: Final[tuple[MarkKind, ...]] = ("day", "cut_off", "shift", "holiday", "promotion")


def read_axis(view: View, start: datetime, end: datetime) -> TimeAxis:
    """The axis from `start` up to `end` with the marks that the calendar in force on each of its days gives it.

    Clock times and days are those of the business zone. No cut-off and no shift is marked on a holiday.
    """
    days, zone = list(_days(view, start, end)), view.zone
    marks = [*_bands(view, days, "holiday"), *_bands(view, days, "promotion")]
    if end - start <= MOMENTS_UP_TO:
        marks += [mark for day in days for mark in _moments(view, day)]
    inside = tuple(mark for mark in marks if mark.start_at < end and (mark.end_at > start or mark.start_at >= start))
    told = [(kind, _tell(view.language, kind, inside)) for kind in KINDS if any(mark.kind == kind for mark in inside)]
    joiner = translate(view.language, "marks.joiner")
    spoken = translate(view.language, "marks.spoken", marks=joiner.join(text for _, text in told), zone=zone.key) if told else ""
    return TimeAxis(start_at=start, end_at=end, marks=inside, spoken=spoken, tip=tip_of(told))


def shift_name(language: str, name: str) -> str:
    """A shift's name in the user's language, as written in the targets where we have no word for it."""
    key = f"wall.shift.{name}"
    word = translate(language, key)
    return name if word == key else word


def _days(view: View, start: datetime, end: datetime) -> Iterator[date]:
    day, last = start.astimezone(view.zone).date(), end.astimezone(view.zone).date()
    while day <= last:
        yield day
        day += timedelta(days=1)


def _at(view: View, day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, tzinfo=view.zone)


def _bands(view: View, days: list[date], kind: MarkKind) -> list[TimeMark]:
    """Whole days; neighbours of the same name are one band."""
    bands: list[TimeMark] = []
    for day in days:
        start, end = (start_of_day(one, view.zone) for one in (day, day + timedelta(days=1)))
        for name in _names(view, day, kind):
            if bands and (bands[-1].text, bands[-1].end_at) == (name, start):
                bands[-1] = TimeMark(kind=kind, start_at=bands[-1].start_at, end_at=end, text=name)
            else:
                bands.append(TimeMark(kind=kind, start_at=start, end_at=end, text=name))
    return bands


def _names(view: View, day: date, kind: MarkKind) -> list[str]:
    calendar = view.targets.on(day).calendar
    if kind == "holiday":
        return [translate(view.language, "wall.holiday")] if day in calendar.holidays else []
    return [promotion.name for promotion in calendar.promotions if promotion.start <= day <= promotion.end]


def _moments(view: View, day: date) -> Iterator[TimeMark]:
    """Midnight, and on working days the cut-off and each change of shift that is not at midnight."""
    calendar, midnight = view.targets.on(day).calendar, start_of_day(day, view.zone)
    yield TimeMark(kind="day", start_at=midnight, end_at=midnight, text=f"{day:%m-%d}")
    if day in calendar.holidays:
        return
    cut_off = _at(view, day, calendar.cut_off)
    yield TimeMark(kind="cut_off", start_at=cut_off, end_at=cut_off, text=f"{calendar.cut_off:%H:%M}")
    starts = {shift.start: shift_name(view.language, shift.name) for shift in calendar.shifts}
    ends = {shift.end: shift_name(view.language, shift.name) for shift in calendar.shifts if shift.end}
    for clock in sorted({*starts, *ends} - {time()}):
        key = "marks.shift_starts" if clock in starts else "marks.shift_ends"
        text = translate(view.language, key, name=starts.get(clock) or ends[clock], at=f"{clock:%H:%M}")
        yield TimeMark(kind="shift", start_at=_at(view, day, clock), end_at=_at(view, day, clock), text=text)


def _tell(language: str, kind: MarkKind, marks: tuple[TimeMark, ...]) -> str:
    """One kind's marks in words: each by name once, or how many where they are many."""
    names = list(dict.fromkeys(mark.text for mark in marks if mark.kind == kind))
    listed = translate(language, "marks.joiner").join(names[:MOST_NAMED])
    if len(names) > MOST_NAMED:
        listed = translate(language, "marks.and_more", names=listed, n=len(names) - MOST_NAMED)
    if kind == "holiday":
        days = sum(round((mark.end_at - mark.start_at) / timedelta(days=1)) for mark in marks if mark.kind == kind)
        return translate(language, "marks.holiday", n=days)
    return translate(language, f"marks.{kind}", names=listed)
