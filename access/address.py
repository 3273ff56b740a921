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
from queries.query import Filter, QueryError
from queries.request import parse_instant, parse_window

FILTER_DIMENSIONS: Final = ("region", "channel", "business_type")
"""The global filters, named as the dimensions they filter; several values are repeated keys."""

DEFAULT_WINDOW: Final = "24h"
MOST_VALUES: Final = 50
LONGEST_VALUE: Final = 64
FAR_AHEAD: Final = datetime(2100, 1, 1, tzinfo=UTC)
"""Windows that are open at the end are checked against an as-of after every possible start."""


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
