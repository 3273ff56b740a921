"""One page of a list: from memory where the list begins there, else from the lake."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import polars as pl

from queries.build import Statement
from queries.leading import bound_of
from queries.listing import Listing, Moment, build_listing, build_page, check_listing, shape_of

MOST_IN_TWO_STEPS: Final = 500
"""Longer pages are read at once: naming the instants of all their orders would cost more than it saves."""

Ask = Callable[[Statement], pl.DataFrame]


def read_page(listing: Listing, moment: Moment, ask: Ask) -> pl.DataFrame:
    """The rows of a page (before a cursor the last row first), each statement answered by `ask`.

    Raises QueryError for what cannot be listed.
    """
    check_listing(listing)
    if listing.limit > MOST_IN_TWO_STEPS:
        return ask(build_listing(listing, moment))
    if begins_in_memory(listing, moment):
        rows = _in_two_steps(listing, moment, ask, is_in_memory=True)
        if is_whole(listing, rows):
            return rows
    return _in_two_steps(listing, moment, ask, is_in_memory=False)


def _in_two_steps(listing: Listing, moment: Moment, ask: Ask, *, is_in_memory: bool) -> pl.DataFrame:
    page = ask(build_page(listing, moment, is_in_memory=is_in_memory))
    if is_in_memory and not is_whole(listing, page):
        return page
    return ask(build_listing(listing, moment, page=page, is_in_memory=is_in_memory))


def begins_in_memory(listing: Listing, moment: Moment) -> bool:
    """Whether the first rows of the list, or those next to its cursor, may all be in memory, though not all of its rows are."""
    held, anchor = moment.horizon, listing.anchor
    if held is None or held.version != moment.version or moment.as_of < held.since:
        return False
    if anchor.rows != "orders" or anchor.is_stock or anchor.extra:
        return False
    bound, cursor = bound_of(listing.sorted_by, held), listing.after or listing.before
    if bound is None or (cursor is not None and not bound.is_beyond(cursor.value)):
        return False
    shape, _ = shape_of(listing, moment)
    return not shape.setting.is_recent and not shape.chosen.typical


def is_whole(listing: Listing, rows: pl.DataFrame) -> bool:
    """Whether the rows found in memory are the whole page: as many as fit, or all that come before one of them."""
    return rows.height >= listing.limit or listing.before is not None
