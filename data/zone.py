"""Local time in SQL without a time zone library in the engine: offsets as a CASE over a zone's transitions.

Exact across changes of daylight saving, fast on tens of millions of rows, and portable between engines.
"""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo

Offsets = tuple[tuple[int, int], ...]
"""(from epoch ms, offset ms), oldest first; the first also covers everything before."""

FIRST_YEAR: Final = 1995
LAST_YEAR: Final = 2060
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def epoch_ms(instant: datetime) -> int:
    """Milliseconds since 1970 of an aware instant, rounded down."""
    return (instant - _EPOCH) // timedelta(milliseconds=1)


def from_epoch_ms(milliseconds: int) -> datetime:
    """An aware UTC instant from milliseconds since 1970."""
    return _EPOCH + timedelta(milliseconds=milliseconds)


def offset_sql(milliseconds: str, offsets: Offsets) -> str:
    """SQL of the zone's offset at an instant given in ms: a number, or a CASE over its changes, newest first."""
    if len(offsets) == 1:
        return str(offsets[0][1])
    cases = " ".join(f"WHEN {milliseconds} >= {since} THEN {offset}" for since, offset in reversed(offsets[1:]))
    return f"CASE {cases} ELSE {offsets[0][1]} END"


@cache
def offsets(zone: ZoneInfo) -> tuple[tuple[int, int], ...]:
    """(instant from which it holds in ms, offset to UTC in ms), ascending; the first holds since ever."""
    found = []
    day = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC)
    last = _offset(day, zone)
    found.append((epoch_ms(day), last))
    while day.year < LAST_YEAR:
        following = day + timedelta(days=1)
        if _offset(following, zone) != last:
            change = _change_between(day, following, zone)
            last = _offset(following, zone)
            found.append((epoch_ms(change), last))
        day = following
    return tuple(found)


def _offset(instant: datetime, zone: ZoneInfo) -> int:
    delta = instant.astimezone(zone).utcoffset() or timedelta()
    return delta // timedelta(milliseconds=1)


def _change_between(start: datetime, end: datetime, zone: ZoneInfo) -> datetime:
    before = _offset(start, zone)
    while end - start > timedelta(seconds=1):
        middle = start + (end - start) / 2
        if _offset(middle, zone) == before:
            start = middle
        else:
            end = middle
    return end.replace(microsecond=0)


def utc_ms_sql(local: str, zone: ZoneInfo) -> str:
    """SQL for the UTC milliseconds of a naive local TIMESTAMP expression.

    Of two instants with the same local time the earlier is meant; a local time that does not exist moves forward.
    """
    steps = offsets(zone)
    changes = [change + max(before, after) for (_, before), (change, after) in itertools.pairwise(steps)]
    return _shifted(f"epoch_ms({local})", changes, [-offset for _, offset in steps])


def local_ms_sql(utc: str, zone: ZoneInfo) -> str:
    """SQL for the local milliseconds (a naive local clock's) of a TIMESTAMPTZ expression."""
    steps = offsets(zone)
    return _shifted(f"epoch_ms({utc})", [change for change, _ in steps[1:]], [offset for _, offset in steps])


def _shifted(milliseconds: str, changes: list[int], shifts: list[int]) -> str:
    """`milliseconds` plus the shift that holds at it; the expression itself is written once."""
    if not changes:
        return f"({milliseconds} + ({shifts[0]}))"
    return f"list_transform([{milliseconds}], lambda t: t + {_search(changes, shifts)})[1]"


def _search(changes: list[int], shifts: list[int]) -> str:
    """A binary search over the changes as nested CASEs, so that a century costs seven comparisons."""
    if not changes:
        return f"({shifts[0]})"
    middle = len(changes) // 2
    before = _search(changes[:middle], shifts[: middle + 1])
    after = _search(changes[middle + 1 :], shifts[middle + 1 :])
    return f"CASE WHEN t < {changes[middle]} THEN {before} ELSE {after} END"


def instant_sql(milliseconds: str) -> str:
    """SQL for the TIMESTAMPTZ of UTC milliseconds."""
    return f"make_timestamptz(({milliseconds}) * 1000)"
