"""What a page's address says: window, filters, as-of, language; plain text in, checked plain values out.

Everything unknown or malformed is left out and named in `notes`, so a broken link opens a page and says what it lost.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from i18n import LANGUAGES
from queries.dimensions import DIMENSIONS
from queries.query import Filter, QueryError
from queries.request import UNKNOWN_WORDS, closed_codes, parse_instant, parse_window

GLOBAL_FILTERS: Final = ("region", "channel", "business_type")
"""The filters that every page offers, named as the dimensions they filter."""

FILTER_DIMENSIONS: Final = (*GLOBAL_FILTERS, *(name for name in DIMENSIONS if name not in GLOBAL_FILTERS))
"""What may stand in an address as a filter: every dimension, several values as repeated keys, `null` for unknown."""

UNKNOWN: Final = "null"
THEMES: Final = ("dark", "light")

DEFAULT_WINDOW: Final = "24h"
MOST_VALUES: Final = 50
LONGEST_VALUE: Final = 64
FAR_AHEAD: Final = datetime(2100, 1, 1, tzinfo=UTC)
"""Windows that are open at the end are checked against an as-of after every possible start."""


@dataclass(frozen=True, kw_only=True)
class Address:
    """A page's address, understood: `as_of` None is live, `snapshot` None the newest, `language` and `theme` empty the user's own."""

    window: str = DEFAULT_WINDOW
    filters: tuple[Filter, ...] = ()
    as_of: datetime | None = None
    snapshot: int | None = None
    language: str = ""
    theme: str = ""
    notes: tuple[str, ...] = ()


def read_address(parameters: Mapping[str, Sequence[str]], zone: ZoneInfo) -> Address:
    """The address in the query parameters (each key with all its values); naive instants are in `zone`."""
    notes: list[str] = []

    def one(name: str) -> str:
        values = parameters.get(name, ())
        return values[-1] if values else ""

    window, as_of, snapshot = one("window"), one("as_of"), one("snapshot")
    if window and not _is_window(window, zone):
        notes.append(f"window={window[:LONGEST_VALUE]}")
        window = ""
    instant = _instant_or_none(as_of, zone)
    if as_of and instant is None:
        notes.append(f"as_of={as_of[:LONGEST_VALUE]}")
    if snapshot and not re.fullmatch(r"[1-9][0-9]{0,11}", snapshot):
        notes.append(f"snapshot={snapshot[:LONGEST_VALUE]}")
        snapshot = ""
    for name, known in (("lang", LANGUAGES), ("theme", THEMES)):
        if one(name) and one(name) not in known:
            notes.append(f"{name}={one(name)[:LONGEST_VALUE]}")
    return Address(
        window=window or DEFAULT_WINDOW,
        filters=_filters(parameters, notes),
        as_of=instant,
        snapshot=int(snapshot) if snapshot else None,
        language=one("lang") if one("lang") in LANGUAGES else "",
        theme=one("theme") if one("theme") in THEMES else "",
        notes=tuple(notes),
    )


def _filters(parameters: Mapping[str, Sequence[str]], notes: list[str]) -> tuple[Filter, ...]:
    found = []
    for dimension in FILTER_DIMENSIONS:
        values = tuple(dict.fromkeys(value for value in parameters.get(dimension, ()) if value))
        usable = tuple(value for value in values if _is_value(dimension, value))[:MOST_VALUES]
        notes.extend(f"{dimension}={value[:LONGEST_VALUE]}" for value in values if value not in usable)
        if usable:
            found.append(Filter(dimension, tuple(None if value.lower() in UNKNOWN_WORDS else value for value in usable)))
    return tuple(found)


def _is_value(dimension: str, value: str) -> bool:
    """Whether the text can be a value: short, printable, and one of the codes where they are a closed set."""
    codes = closed_codes(dimension)
    is_code = not codes or value in codes or value.lower() in UNKNOWN_WORDS
    return is_code and len(value) <= LONGEST_VALUE and value.isprintable()


def _is_window(text: str, zone: ZoneInfo) -> bool:
    try:
        parse_window(text, as_of=FAR_AHEAD, zone=zone)
    except QueryError:
        return False
    return True


def _instant_or_none(text: str, zone: ZoneInfo) -> datetime | None:
    # A plus sign typed into an address arrives as a space.
    text = re.sub(r" (\d\d:?\d\d)$", r"+\1", text.strip())
    try:
        return parse_instant(text, zone) if text else None
    except QueryError:
        return None
