"""What a page's address says: window, filters, as-of, language; plain text in, checked plain values out.

Everything unknown or malformed is left out and named in `notes`, so a broken link opens a page and says what it lost.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from i18n import LANGUAGES
from queries.query import Filter, QueryError, Window

FILTER_DIMENSIONS: Final = ("region", "channel", "business_type")
"""The global filters, named as the dimensions they filter; several values are repeated keys."""

DEFAULT_WINDOW: Final = "24h"
MOST_VALUES: Final = 50
LONGEST_VALUE: Final = 64
LONGEST_HOURS: Final = 24 * 3660


@dataclass(frozen=True, kw_only=True)
class Address:
    """A page's address, understood: `as_of` None is live, `snapshot` None the newest, `language` empty the user's own."""

    window: str = DEFAULT_WINDOW
    filters: tuple[Filter, ...] = ()
    as_of: datetime | None = None
    snapshot: int | None = None
    language: str = ""
    notes: tuple[str, ...] = ()


def read_address(parameters: Mapping[str, Sequence[str]], zone: ZoneInfo) -> Address:
    """The address in the query parameters (each key with all its values); naive instants are in `zone`."""
    notes: list[str] = []

    def one(name: str) -> str:
        values = parameters.get(name, ())
        return values[-1] if values else ""

    window, as_of, snapshot, language = one("window"), one("as_of"), one("snapshot"), one("lang")
    if window and not _is_window(window, zone):
        notes.append(f"window={window[:LONGEST_VALUE]}")
        window = ""
    instant = _instant_or_none(as_of, zone)
    if as_of and instant is None:
        notes.append(f"as_of={as_of[:LONGEST_VALUE]}")
    if snapshot and not re.fullmatch(r"[1-9][0-9]{0,11}", snapshot):
        notes.append(f"snapshot={snapshot[:LONGEST_VALUE]}")
        snapshot = ""
    return Address(
        window=window or DEFAULT_WINDOW,
        filters=_filters(parameters, notes),
        as_of=instant,
        snapshot=int(snapshot) if snapshot else None,
        language=language if language in LANGUAGES else "",
        notes=tuple(notes),
    )


def parse_window(text: str, *, as_of: datetime, zone: ZoneInfo) -> Window:
    """The window meant by `24h`, `7d`, `today`, `all` or `A..B` (dates or instants, B exclusive; a date B counts whole).

    Raises QueryError when the text is none of these.
    """
    if text == "all":
        return Window.all_until(as_of)
    if text == "today":
        return Window.day_of(as_of, zone)
    if found := re.fullmatch(r"([1-9][0-9]{0,4})(h|d)", text):
        hours = int(found[1]) * (24 if found[2] == "d" else 1)
        if hours <= LONGEST_HOURS:
            return Window.last(timedelta(hours=hours), as_of)
    if ".." in text:
        first, last = text.split("..", 1)
        start = parse_instant(first, zone) if first else None
        end = parse_instant(last, zone) if last else as_of
        end = _next_midnight(end, zone) if _is_date(last) else end
        if start is None or start < end:
            return Window(start=start, end=end)
    raise QueryError(f"window {text!r}: use for example 24h, 7d, today, all or 2026-01-01..2026-01-31")


def parse_instant(text: str, zone: ZoneInfo) -> datetime:
    """An aware UTC instant, whole milliseconds, from ISO 8601; a naive one is in `zone`. Raises QueryError."""
    try:
        instant = datetime.fromisoformat(text.strip().replace(" ", "+") if re.search(r"\d \d\d:?\d\d$", text) else text.strip())
        aware = instant if instant.tzinfo else instant.replace(tzinfo=zone)
        utc = aware.astimezone(UTC)
    except (ValueError, OverflowError):
        raise QueryError(f"instant {text!r}: use ISO 8601, for example 2026-01-31 or 2026-01-31T08:00+08:00") from None
    return utc.replace(microsecond=utc.microsecond // 1000 * 1000)


def _filters(parameters: Mapping[str, Sequence[str]], notes: list[str]) -> tuple[Filter, ...]:
    found = []
    for dimension in FILTER_DIMENSIONS:
        values = tuple(dict.fromkeys(value for value in parameters.get(dimension, ()) if value))
        usable = tuple(value for value in values if len(value) <= LONGEST_VALUE and value.isprintable())[:MOST_VALUES]
        notes.extend(f"{dimension}={value[:LONGEST_VALUE]}" for value in values if value not in usable)
        if usable:
            found.append(Filter(dimension, usable))
    return tuple(found)


def _is_window(text: str, zone: ZoneInfo) -> bool:
    try:
        parse_window(text, as_of=datetime(2100, 1, 1, tzinfo=UTC), zone=zone)
    except QueryError:
        return False
    return True


def _instant_or_none(text: str, zone: ZoneInfo) -> datetime | None:
    try:
        return parse_instant(text, zone) if text else None
    except QueryError:
        return None


def _is_date(text: str) -> bool:
    return re.fullmatch(r"\d{4}-\d{2}-\d{2}", text.strip()) is not None


def _next_midnight(instant: datetime, zone: ZoneInfo) -> datetime:
    following = (instant.astimezone(zone) + timedelta(days=1)).date()
    return datetime(following.year, following.month, following.day, tzinfo=zone).astimezone(UTC)
