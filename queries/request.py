"""From the words of a command line to a question: names with 'did you mean', windows, filters, instants."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Final, cast
from zoneinfo import ZoneInfo

from queries.check import NO_TEXT, check, suggest
from queries.clock import start_of_day
from queries.dimensions import DIMENSIONS
from queries.metrics import METRICS
from queries.query import COMPARISONS, GRAINS, RESOLUTION, Comparison, Filter, Grain, Query, QueryError, Window

LENGTHS: Final = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
LONGEST: Final = timedelta(days=36_600)
UNKNOWN_WORDS: Final = ("", "null")
FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 2200
"""Instants beyond these years are refused: calendars cannot reckon with the ends of time."""

WINDOW_HELP: Final = "24h, 7d, today, all or A..B with dates or instants"


@dataclass(frozen=True, kw_only=True)
class Words:
    """What was typed, unread: lists may hold words joined by commas."""

    metrics: Sequence[str]
    by: Sequence[str] = ()
    where: Sequence[str] = ()
    window: str | None = None
    grain: str | None = None
    compare: Sequence[str] = ()
    order_by: str | None = None
    limit: int | None = None


@dataclass(frozen=True, kw_only=True)
class Request:
    """A question understood: `typed` gives back the names as typed (`names_as_typed`), `notes` go to standard error."""

    query: Query
    typed: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def names_as_typed(self, columns: Iterable[str]) -> dict[str, str]:
        """Result columns that were asked for by another name, with that name."""
        return {name: self.typed[name] for name in columns if self.typed.get(name, name) != name}


def parse_request(words: Words, *, as_of: datetime, zone: ZoneInfo) -> Request:
    """The question in the words, at `as_of`; naive dates and times are in `zone`. Raises QueryError with a remedy."""
    metrics = [_known("metric", name, METRICS) for name in _split(words.metrics)]
    by, typed = _dimensions(_split(words.by))
    window = parse_window(words.window or "all", as_of=as_of, zone=zone)
    query = Query(
        metrics=tuple(dict.fromkeys(metrics)),
        by=tuple(by),
        where=parse_filters(words.where),
        window=window,
        grain=cast(Grain, _known("grain", words.grain, GRAINS)) if words.grain else None,
        compare=tuple(cast(Comparison, _known("comparison", name, COMPARISONS)) for name in _split(words.compare)),
        order_by=_order_by(words.order_by, typed),
        limit=words.limit,
    )
    check(query)
    return Request(query=query, typed=typed, notes=(_window_note(window, as_of, zone),))


def _split(words: Sequence[str]) -> list[str]:
    return [part.strip() for word in words for part in word.split(",") if part.strip()]


def _known(what: str, name: str, known: Iterable[str]) -> str:
    if name in known:
        return name
    folded = name.lower().replace("-", "_")
    if folded in known:
        return folded
    raise QueryError(f"there is no {what} {name!r}: {suggest(folded, known)}")


def _aliases() -> dict[str, str]:
    own = {name: name for name in DIMENSIONS}
    return {alias: entry.name for entry in DIMENSIONS.values() for alias in entry.aliases} | own


def find_dimension(name: str) -> str:
    """The dimension meant by a name or one of its aliases; raises QueryError with a remedy."""
    aliases = _aliases()
    folded = name.lower().replace("-", "_")
    if folded not in aliases:
        near = suggest(folded, aliases) if len(folded) > 1 else f"use one of {', '.join(DIMENSIONS)}"
        if folded in GRAINS:
            near = f"for steps of time ask with the grain {folded} (--grain {folded})"
        raise QueryError(f"there is no dimension {name!r}: {near}")
    return aliases[folded]


def _dimensions(names: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    typed: dict[str, str] = {}
    for name in names:
        found = find_dimension(name)
        if found in typed:
            raise QueryError(f"the dimension {name!r} is named twice: name it once")
        typed[found] = name
    return list(typed), typed


def _order_by(word: str | None, typed: dict[str, str]) -> str | None:
    if word is None:
        return None
    sign = "-" if word.startswith("-") else ""
    name = word.removeprefix("-")
    return sign + next((canonical for canonical, given in typed.items() if given == name), name)


def parse_filters(words: Sequence[str]) -> tuple[Filter, ...]:
    """Filters from `DIMENSION=VALUE[,VALUE…]`; an empty value or `null` is unknown; naming a dimension twice adds values."""
    values: dict[str, list[str | None]] = {}
    for word in words:
        name, sign, text = word.partition("=")
        if not sign:
            raise QueryError(f"filter {word!r} has no value: write DIMENSION=VALUE, for example region=CN-EAST")
        dimension = find_dimension(name.strip())
        found = next(csv.reader([text], skipinitialspace=True), [""]) or [""]
        values.setdefault(dimension, []).extend(_value(dimension, value.strip()) for value in found)
    return tuple(Filter(dimension, tuple(dict.fromkeys(found))) for dimension, found in values.items())


def _value(dimension: str, text: str) -> str | None:
    if text.lower() in UNKNOWN_WORDS:
        return None
    if NO_TEXT.search(text):
        raise QueryError(f"the filter on {dimension} holds a sign that no text has: write its value anew")
    codes = closed_codes(dimension)
    if codes and text not in codes:
        raise QueryError(f"{dimension} is never {text!r}: {suggest(text, codes)}")
    return text


def closed_codes(dimension: str) -> tuple[str, ...]:
    """The codes a dimension can only have; none where the data may bring others."""
    codes = tuple(str(code) for code in DIMENSIONS[dimension].codes)
    return () if dimension in ("return_kind", "complaint_kind") else codes


def parse_window(text: str, *, as_of: datetime, zone: ZoneInfo) -> Window:
    """The window meant by `24h`, `7d`, `today`, `all` or `A..B`: B is excluded as an instant, included as a date.

    A missing A is the beginning, a missing B is as-of. Raises QueryError.
    """
    text = text.strip()
    if text == "all":
        return Window.all_until(as_of)
    if text == "today":
        return Window.day_of(as_of, zone)
    if match := re.fullmatch(r"([1-9][0-9]{0,5})([mhdw])", text):
        length = int(match[1]) * LENGTHS[match[2]]
        if length <= LONGEST:
            return Window.last(length, as_of)
    if ".." in text:
        first, last = (part.strip() for part in text.split("..", 1))
        start = parse_instant(first, zone) if first else None
        end = _end_of(last, zone) if last else as_of + RESOLUTION
        if start is not None and end <= start:
            raise QueryError(f"the window {text!r} holds no time: its second part must lie after its first")
        return Window(start=start, end=end)
    raise QueryError(f"there is no window {text!r}: use {WINDOW_HELP}")


def _end_of(text: str, zone: ZoneInfo) -> datetime:
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        parse_instant(text, zone)
        return start_of_day(date.fromisoformat(text) + timedelta(days=1), zone)
    return parse_instant(text, zone)


def parse_instant(text: str, zone: ZoneInfo) -> datetime:
    """An aware UTC instant in whole milliseconds from ISO 8601; a naive one is a clock reading in `zone`. Raises QueryError."""
    try:
        instant = datetime.fromisoformat(text.strip())
        aware = instant if instant.tzinfo else instant.replace(tzinfo=zone)
        found = aware.astimezone(UTC)
    except (ValueError, OverflowError):
        raise QueryError(f"{text!r} is no date or instant: write 2026-01-31 or 2026-01-31T08:00+08:00") from None
    if not FIRST_YEAR <= found.year < LAST_YEAR:
        raise QueryError(f"{text!r} lies outside the years {FIRST_YEAR} to {LAST_YEAR}: write the year of your orders")
    return found.replace(microsecond=found.microsecond // 1000 * 1000)


def _window_note(window: Window, as_of: datetime, zone: ZoneInfo) -> str:
    def shown(instant: datetime) -> str:
        return instant.astimezone(zone).isoformat(timespec="milliseconds")

    start = "the beginning" if window.start is None else shown(window.start)
    return f"window from {start} to before {shown(window.end)}, as of {shown(as_of)} ({zone.key})"
