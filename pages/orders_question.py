"""What list of orders an address asks for: metric, part, population, search, sorting, page; plain text, checked."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, cast, get_args

from access.contacts import orders_of
from access.view import View
from pages.links import instant_text
from queries.listing import LONGEST_SEARCH, Cursor, CursorValue, Listing, Part, Population
from queries.listing_columns import DEFAULT_COLUMNS, LISTING_COLUMNS, OWN_COLUMNS, columns_of
from queries.metrics import METRICS
from queries.order_fields import Pick, read_pick
from queries.query import QueryError

Parameters = Mapping[str, Sequence[str]]

COLUMNS_PREFERENCE: Final = "orders.columns"
PAGE_ROWS: Final = 100
LONGEST_CURSOR: Final = 400


@dataclass(frozen=True, kw_only=True)
class Question:
    """The list asked for, and the parts of the address that were not understood."""

    listing: Listing
    lost: tuple[str, ...] = ()


def read_question(view: View, parameters: Parameters, *, limit: int = PAGE_ROWS) -> Question:
    """The list that the query parameters ask for in this view, with the columns the user chose; malformed parts are named."""
    lost: list[str] = []
    metric = _known(parameters, "metric", METRICS, lost)
    part = cast(Part, _known(parameters, "part", get_args(Part), lost) or "all")
    population = cast(Population, _known(parameters, "population", get_args(Population), lost) or "created")
    listing = Listing(
        metric=metric,
        part=part,
        population=population,
        where=view.filters_for(metric or "order_count"),
        window=view.window,
        search=_one(parameters, "search").strip()[:LONGEST_SEARCH],
        limit=limit,
        among=_of_phone(view, parameters, lost),
        matching=_matching(parameters, lost) if metric is None else None,
    )
    rows = listing.anchor.rows
    sorts = (*columns_of(rows), *(f"-{name}" for name in columns_of(rows)))
    listing = replace(listing, columns=chosen_columns(view, listing), order_by=_known(parameters, "sort", sorts, lost))
    after, before = (_cursor(parameters, name, listing, lost) for name in ("after", "before"))
    return Question(listing=replace(listing, after=after, before=None if after else before), lost=tuple(lost))


def chosen_columns(view: View, listing: Listing) -> tuple[str, ...]:
    """The columns to show: the row's own first, then those the user keeps (the usual ones where none are kept)."""
    rows = listing.anchor.rows
    kept = tuple(name for name in (view.preference(COLUMNS_PREFERENCE) or "").split(",") if name in LISTING_COLUMNS)
    names = dict.fromkeys(("order_id", *OWN_COLUMNS[rows], *(kept or DEFAULT_COLUMNS)))
    return tuple(name for name in names if rows in LISTING_COLUMNS[name].rows)


def cursor_text(cursor: Cursor) -> str:
    """A row's place as text for the address."""
    value = instant_text(cursor.value) if isinstance(cursor.value, datetime) else cursor.value
    return json.dumps([value, instant_text(cursor.created_at), *cursor.key], ensure_ascii=False, separators=(",", ":"))


def _of_phone(view: View, parameters: Parameters, lost: list[str]) -> tuple[tuple[str, str], ...] | None:
    """The orders of the phone number whose key the address holds; None where it holds none."""
    key = _one(parameters, "phone")
    if key and not re.fullmatch("[0-9a-f]{64}", key):
        lost.append(f"phone={key[:64]}")
        return None
    return tuple(orders_of(view, key)) if key else None


def _matching(parameters: Parameters, lost: list[str]) -> Pick | None:
    """The orders a rule about single orders means, as the address says them; None where it says nothing."""
    text = _one(parameters, "match")
    try:
        return read_pick(text) if text else None
    except QueryError:
        lost.append(f"match={text[:64]}")
        return None


def _one(parameters: Parameters, name: str) -> str:
    values = parameters.get(name) or ("",)
    return values[-1]


def _known(parameters: Parameters, name: str, known: Sequence[str] | Mapping[str, object], lost: list[str]) -> str | None:
    text = _one(parameters, name)
    if text and text not in known:
        lost.append(f"{name}={text[:64]}")
    return text if text in known else None


def _cursor(parameters: Parameters, name: str, listing: Listing, lost: list[str]) -> Cursor | None:
    text = _one(parameters, name)
    if not text:
        return None
    try:
        value, created_at, *key = json.loads(text[:LONGEST_CURSOR])
        return _checked(value, str(created_at), key, listing)
    except (ValueError, TypeError):
        lost.append(f"{name}={text[:64]}")
        return None


def _checked(value: object, created_at: str, key: list[object], listing: Listing) -> Cursor:
    """The cursor, when its value fits the column the list is sorted by and its key the list's rows; else ValueError."""
    kind = LISTING_COLUMNS[listing.sorted_by.removeprefix("-")].kind
    if len(key) != len(listing.key) or not all(isinstance(part, str) for part in key):
        raise ValueError("not a key of this list")
    fits = {"text": str, "code": str, "instant": str}.get(kind, float | int)
    if value is not None and (not isinstance(value, fits) or isinstance(value, bool)):
        raise ValueError("not a value of this column")
    read = _instant(str(value)) if value is not None and kind == "instant" else value
    return Cursor(value=cast(CursorValue, read), created_at=_instant(created_at), key=tuple(str(part) for part in key))


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError("not an instant")
    return instant
