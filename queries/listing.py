"""The orders behind a figure: which rows, of which part, in which order, page by page; plain data, then statements."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal
from zoneinfo import ZoneInfo

import polars as pl

from data.lake import Newest
from data.numbers import Numbers
from data.recent import Horizon
from data.targets import Edition, Targets
from queries.build import Statement, has_normals
from queries.check import check, suggest
from queries.compose import Composed
from queries.dimensions import DIMENSIONS
from queries.fragment import column_names
from queries.horizon import are_kept, needs_normals
from queries.leading import bound_of
from queries.listing_columns import DEFAULT_COLUMNS, FIRST_ORDER, LISTING_COLUMNS, columns_of
from queries.listing_compose import Chosen, ListingShape, Step, compose_count, compose_listing, compose_page, key_of
from queries.metric import CREATED, OPEN, TROUBLED, Anchor
from queries.metrics import METRICS
from queries.order_fields import Pick, pick_sql, pick_values
from queries.query import Filter, Query, QueryError, Window
from queries.risk import has_comparables
from queries.scope import Scope
from queries.setting import Span, setting_of, setting_values, span_values, where_shapes, where_values

Part = Literal["all", "bad"]
Population = Literal["created", "open"]
CursorValue = str | float | int | datetime | None

MOST_ROWS: Final = 100_000
"""More rows than this in one page (or one export) are refused."""
LONGEST_SEARCH: Final = 64
MOST_AMONG: Final = 1_000


@dataclass(frozen=True, kw_only=True)
class Cursor:
    """A row's place in a list: the value it is sorted by, its order's creation, and its key."""

    value: CursorValue
    created_at: datetime
    key: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Listing:
    """The rows behind `metric` (all that its n counts, or the bad ones), or with no metric the orders of a population.

    `where` and `window` are the figure's own. `order_by` is a column of `LISTING_COLUMNS`, `-` in front for descending
    (unknown last); `after` and `before` are rows of a page next to this one. `search` is the beginning of an order
    number, of any of its other numbers, or of a city. `among` keeps only these orders (channel, order_id), `matching` only those
    that meet the pick of a rule about single orders.
    """

    metric: str | None = None
    part: Part = "all"
    population: Population = "created"
    where: tuple[Filter, ...] = ()
    window: Window | None = None
    columns: tuple[str, ...] = DEFAULT_COLUMNS
    order_by: str | None = None
    limit: int = 100
    after: Cursor | None = None
    before: Cursor | None = None
    search: str = ""
    among: tuple[tuple[str, str], ...] | None = None
    matching: Pick | None = None

    @property
    def anchor(self) -> Anchor:
        """The anchor whose rows are listed."""
        if self.metric is None:
            return OPEN if self.population == "open" else CREATED
        metric = METRICS[self.metric]
        return (metric.listed.bad_anchor if self.part == "bad" else None) or metric.counted_anchor

    @property
    def key(self) -> tuple[str, ...]:
        """The columns that name a row: channel and order_id, and of a passage, return or complaint its own."""
        return key_of(self.anchor)

    @property
    def sorted_by(self) -> str:
        """`order_by`, or how such rows are sorted where nothing is asked."""
        return self.order_by or FIRST_ORDER[self.anchor.rows]


@dataclass(frozen=True, kw_only=True)
class Moment:
    """What a list is seen from: scope, snapshot (at DuckLake's version), instant, zone, targets and horizon, as for `build`."""

    scope: Scope
    version: int
    as_of: datetime
    zone: ZoneInfo
    targets: Targets
    newest: Newest | None = None
    horizon: Horizon | None = None


def cursor_at(listing: Listing, row: dict[str, object]) -> Cursor:
    """The place of a row of the list's own page."""
    value = row["order_value"]
    if not isinstance(value, str | float | int | datetime | None):
        raise TypeError(f"a list is not sorted by {type(value).__name__}")
    created_at = row["created_at"]
    if not isinstance(created_at, datetime):
        raise TypeError("a row of a list has the instant its order was created")
    return Cursor(value=value, created_at=created_at, key=tuple(str(row[name]) for name in listing.key))


def build_listing(listing: Listing, moment: Moment, *, page: pl.DataFrame | None = None, is_in_memory: bool = False) -> Statement:
    """One page of the list, at most `limit` rows; the page before a cursor comes last row first.

    `page` is the answer to `build_page` for the same list: the same rows are then found by reading little. With
    `is_in_memory` only orders in memory are listed (`queries.listing_page`). Columns: created_at, the row's key,
    `order_value`, then those asked for. Raises QueryError for what cannot be listed.
    """
    shape, values = _paged(listing, moment, is_in_memory=is_in_memory)
    shape = replace(shape, columns=tuple(dict.fromkeys(listing.columns)))
    if page is not None and not page.is_empty() and not _starts_among_equals(listing, page):
        instants = page["created_at"].unique(maintain_order=True).to_list()
        instants += instants[-1:] * (listing.limit + 1 - len(instants))  # one text for every page
        shape = replace(shape, page_count=len(instants))
        values |= {f"page_{index}": instant for index, instant in enumerate(instants)}
        values |= {"page_first": min(instants), "page_last": max(instants)}
        values |= {"beyond": page["beyond"][0]} if "beyond" in page.columns else {}
    return statement_of(compose_listing(shape), values, shape, moment)


def _starts_among_equals(listing: Listing, page: pl.DataFrame) -> bool:
    """Whether other rows are equal, but for their key, to the one the page starts beside: then it may hold too few rows."""
    cursor = listing.after or listing.before
    if cursor is None:
        return False
    return page.filter(pl.col("order_value").eq_missing(cursor.value), pl.col("created_at") == cursor.created_at).height > 1


def build_page(listing: Listing, moment: Moment, *, is_in_memory: bool = False) -> Statement:
    """Where a page of the list lies, for `build_listing`. Raises QueryError for what cannot be listed."""
    shape, values = _paged(listing, moment, is_in_memory=is_in_memory)
    composed = compose_page(replace(shape, limit=listing.limit + (1 if shape.step else 0)))
    return statement_of(composed, values, shape, moment)


def _paged(listing: Listing, moment: Moment, *, is_in_memory: bool = False) -> tuple[ListingShape, dict[str, object]]:
    check_listing(listing)
    cursor = listing.after or listing.before
    step: Step = "after" if listing.after else "before" if listing.before else ""
    shape, values = shape_of(listing, moment)
    shape = replace(
        shape,
        order_by=listing.sorted_by,
        step=step,
        is_after_unknown=cursor is not None and cursor.value is None,
        limit=listing.limit,
    )
    if cursor is not None:
        values |= {f"key_{name}": part for name, part in zip(listing.key, cursor.key, strict=True)}
        values |= {"key_created_at": cursor.created_at, "order_value": cursor.value}
    bound = bound_of(listing.sorted_by, moment.horizon) if is_in_memory and moment.horizon else None
    if bound is not None:
        shape = replace(shape, bound=bound.condition, setting=replace(shape.setting, is_recent=True, has_older=True))
        values |= {"bound": bound.value}
    return shape, values


def build_count(listing: Listing, moment: Moment, *, by: tuple[str, ...] = ()) -> Statement:
    """How many rows the whole list has (`order_count`), in each group of the dimensions `by`, the largest first.

    Raises QueryError for what cannot be listed.
    """
    check_listing(listing, by=by)
    shape, values = shape_of(listing, moment)
    return statement_of(compose_count(replace(shape, by=by)), values, shape, moment)


def check_listing(listing: Listing, *, by: tuple[str, ...] = ()) -> None:
    """Raise QueryError, with a remedy, for anything in the list that has no meaning."""
    is_per_hour = listing.metric in METRICS and METRICS[listing.metric].needs_hours
    asked = "order_count" if listing.metric is None or is_per_hour else listing.metric
    check(Query(metrics=(asked,), by=by, where=listing.where, window=listing.window))
    rows = listing.anchor.rows
    if missing := [name for name in by if rows not in DIMENSIONS[name].rows]:
        raise QueryError(f"a list of {rows} has no dimension {missing[0]!r}: leave it out")
    for name in (*listing.columns, listing.sorted_by.removeprefix("-")):
        if name not in LISTING_COLUMNS:
            raise QueryError(f"there is no column {name!r}: {suggest(name, columns_of(rows))}")
        if rows not in LISTING_COLUMNS[name].rows:
            raise QueryError(f"a list of {rows} has no column {name!r}: leave it out")
    if not 1 <= listing.limit <= MOST_ROWS:
        raise QueryError(f"a page of {listing.limit} rows cannot be listed: ask for 1 to {MOST_ROWS}")
    if len(listing.search) > LONGEST_SEARCH:
        raise QueryError(f"the search has {len(listing.search)} characters: at most {LONGEST_SEARCH} are looked for")
    if listing.among and len(listing.among) > MOST_AMONG:
        raise QueryError(f"{len(listing.among)} orders are too many to choose from: at most {MOST_AMONG}")
    for cursor in (listing.after, listing.before):
        if cursor is not None and len(cursor.key) != len(listing.key):
            raise QueryError("the page named is of another list: start at the first page")


def shape_of(listing: Listing, moment: Moment) -> tuple[ListingShape, dict[str, object]]:
    """What decides the text of the list's statements, and their parameters. Raises QueryError."""
    if moment.as_of.tzinfo is None:
        raise QueryError(f"as-of {moment.as_of} has no time zone: give an aware instant")
    span = Span(window=listing.window or Window.all_until(moment.as_of), as_of=moment.as_of, newest=moment.newest)
    edition = moment.targets.at(moment.as_of, moment.zone)
    chosen = _chosen(listing, edition)
    if listing.matching is not None:
        chosen = replace(chosen, condition=f"({chosen.condition}) AND ({pick_sql(listing.matching, 'pick')})")
    shape = ListingShape(
        chosen=chosen,
        where=where_shapes(listing.where),
        setting=setting_of(moment.scope, span, edition, grain=None, zone=moment.zone),
        is_settled=span.is_settled,
        is_current=span.is_current,
        has_search=bool(listing.search),
        among_count=None if listing.among is None else len(listing.among),
    )
    values = span_values(span, None, moment.zone, edition)
    shape = _kept_shape(shape, values, moment, asks_normals=_asks_normals(listing))
    shape, searched = _searched_shape(shape, listing, moment)
    values |= searched
    values |= setting_values(moment.scope, moment.version, edition) | where_values(listing.where) | {"search": listing.search}
    for index, (channel, order_id) in enumerate(listing.among or ()):
        values |= {f"among_channel_{index}": channel, f"among_{index}": order_id}
    values |= pick_values(listing.matching, "pick") if listing.matching else {}
    return shape, values | {"beyond": listing.metric and edition.target_of(listing.metric)}


def _searched_shape(shape: ListingShape, listing: Listing, moment: Moment) -> tuple[ListingShape, dict[str, object]]:
    """The shape that looks for what is searched only where it may stand, as far as that is known, and its bounds."""
    numbers = numbers_of(moment)
    if not listing.search or numbers is None:
        return shape, {}
    found = numbers.found(listing.search)
    shape = replace(shape, searched=found.columns, is_search_dated=found.reach is not None)
    return shape, {"search_first": found.reach.first, "search_end": found.reach.end} if found.reach else {}


def numbers_of(moment: Moment) -> Numbers | None:
    """Where the numbers of all orders lie at the moment's version; None where that is not known."""
    held = moment.horizon
    return held.numbers if held is not None and held.version == moment.version else None


def _kept_shape(shape: ListingShape, period: dict[str, object], moment: Moment, *, asks_normals: bool) -> ListingShape:
    """The shape that reads the orders kept in memory, where they hold all that can be listed."""
    held, anchors = moment.horizon, [shape.chosen.anchor]
    if held is None or held.version != moment.version or not are_kept(anchors, [period], held.since):
        return shape
    if asks_normals and not has_normals(held, period):
        return shape
    has_visits = are_kept(anchors, [period], held.visits_since)
    setting = replace(shape.setting, is_recent=True, has_visits=has_visits, has_normals=True)
    return replace(shape, setting=setting, has_comparables=shape.is_settled and has_comparables(held, period))


def _asks_normals(listing: Listing) -> bool:
    """Whether the figure or a column of the list compares with what is normal."""
    columns = (LISTING_COLUMNS[name].expression for name in (*listing.columns, listing.sorted_by.removeprefix("-")))
    named = any("normal_seconds" in column_names(sql) for sql in columns)
    return named or (listing.metric is not None and needs_normals([listing.metric]))


def _chosen(listing: Listing, edition: Edition) -> Chosen:
    """The rows that the figure stands on, or of these the ones that make it bad."""
    if listing.metric is None:
        return Chosen(anchor=listing.anchor, condition="TRUE" if listing.part == "all" else TROUBLED)
    listed = METRICS[listing.metric].listed
    if listing.part == "all":
        return Chosen(anchor=listing.anchor, condition=listed.counted)
    if listed.bad:
        return Chosen(anchor=listing.anchor, condition=listed.bad, is_once=listed.bad_anchor is not None)
    has_target = edition.target_of(listing.metric) is not None
    typical = "" if has_target else listed.typical
    return Chosen(anchor=listing.anchor, condition=listed.counted, value=listed.value, typical=typical)


def statement_of(composed: Composed, values: dict[str, object], shape: ListingShape, moment: Moment) -> Statement:
    return Statement(
        sql=composed.sql,
        parameters={name: values[name] for name in sorted(composed.parameters)},
        columns=composed.columns,
        kept_version=moment.version if shape.setting.is_recent else None,
    )
