"""When a rule is evaluated: the multiples of `every`, whole days by the calendar of the business zone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from data.zone import epoch_ms, from_epoch_ms
from queries.clock import start_of_day

DAY: Final = timedelta(days=1)
MOST_CAUGHT_UP: Final = 24
"""So many missed instants are caught up at most; older ones are skipped and recorded as such."""


def last_instant(every: timedelta, until: datetime, zone: ZoneInfo) -> datetime:
    """The newest instant not after `until`."""
    if every % DAY == timedelta():
        days, step = until.astimezone(zone).date().toordinal(), every // DAY
        return start_of_day(date.fromordinal(days // step * step or step), zone)
    length = every // timedelta(milliseconds=1)
    return from_epoch_ms(epoch_ms(until) // length * length)


def next_instant(every: timedelta, after: datetime, zone: ZoneInfo) -> datetime:
    """The first instant after `after`."""
    if every % DAY == timedelta():
        last, step = last_instant(every, after, zone), every // DAY
        return start_of_day(last.astimezone(zone).date() + timedelta(days=step), zone)
    return last_instant(every, after, zone) + every


def instants_between(every: timedelta, after: datetime, until: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """Every instant in (after, until], oldest first."""
    at = next_instant(every, after, zone)
    while at <= until:
        yield at
        at = next_instant(every, at, zone)


def due_instants(
    every: timedelta, after: datetime | None, until: datetime, zone: ZoneInfo, *, first: int = 1
) -> tuple[list[datetime], int]:
    """The instants still to be evaluated up to `until`, and how many older ones are skipped.

    A rule that was never evaluated begins with the newest one, or with the newest `first`.
    """
    if after is None:
        return list(instants_between(every, until - (first + 1) * every, until, zone))[-first:], 0
    # Counted from the end, so that a worker that slept for a year does not walk through it.
    far = until - (MOST_CAUGHT_UP + 2) * every
    found = list(instants_between(every, max(after, far), until, zone))[-MOST_CAUGHT_UP:]
    if not found or far <= after:
        begin = next_instant(every, after, zone)
        return found, (len(list(instants_between(every, after, until, zone))) - len(found)) if begin <= until else 0
    return found, max(0, (found[0] - after) // every - 1)
