"""The text of a list's statements: the rows of a metric's anchor, those behind the figure kept, sorted and paged."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

from sqlglot import exp

from queries.base import Period, Request, Setting
from queries.compose import Composed, dimension_sql, filter_conditions, is_materialized, written
from queries.dimensions import DIMENSIONS
from queries.fragment import DIALECT, column_names, named, parse, select
from queries.listing_columns import LISTING_COLUMNS, ROW_KEY
from queries.metric import Anchor
from queries.rows import source
from queries.shape import WhereShape, stages_of

Step = Literal["", "after", "before"]

SEARCH: Final = {
    "order_id": "STARTS_WITH(order_id, $search)",
    "source_order_ids": "CONTAINS(' ' || source_order_ids, ' ' || $search)",
    "city": "STARTS_WITH(LOWER(city), LOWER($search))",
}
"""What a search means, by the column looked at."""


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """Which rows of an anchor are listed: all meeting `condition`, or those whose `value` exceeds `$beyond` or `typical`."""

    anchor: Anchor
    condition: str
    value: str = ""
    typical: str = ""
    is_once: bool = False


@dataclass(frozen=True, kw_only=True)
class ListingShape:
    """All of a list that decides the text of its statements.

    `page_count`: of a page that is known to hold orders created at so many instants only those orders are read. `searched` are
    the columns in which a search can find something, `is_search_dated` that it can only among orders created within the
    bounds named. `bound` is a condition on what the list is sorted by (`queries.leading`).
    """

    chosen: Chosen
    where: tuple[WhereShape, ...]
    setting: Setting
    is_settled: bool
    is_current: bool
    has_search: bool
    searched: tuple[str, ...] = tuple(SEARCH)
    is_search_dated: bool = False
    columns: tuple[str, ...] = ()
    order_by: str = ""
    step: Step = ""
    is_after_unknown: bool = False
    limit: int = 0
    by: tuple[str, ...] = ()
    page_count: int = 0
    has_comparables: bool = False
    among_count: int | None = None
    bound: str = ""


@dataclass(frozen=True, kw_only=True)
class Rows:
    """The listed rows as a SELECT without columns yet, and what it is made of."""

    answer: exp.Select
    ctes: list[tuple[str, exp.Query]]
    typical: str = ""


def key_of(anchor: Anchor) -> tuple[str, ...]:
    """The columns that name a row."""
    return ("channel", "order_id", *ROW_KEY[anchor.rows])


@lru_cache(maxsize=1024)
def compose_listing(shape: ListingShape) -> Composed:
    """One page of the list: its key, `order_value` (what it is sorted by), then the columns asked for."""
    anchor, sort = shape.chosen.anchor, shape.order_by.removeprefix("-")
    shown = {name: LISTING_COLUMNS[name].expression for name in shape.columns}
    keys = ("created_at", *key_of(anchor))
    ordered = LISTING_COLUMNS[sort].expression
    rows = listed_rows(shape, frozenset(keys).union(*(column_names(sql) for sql in (*shown.values(), ordered))))
    chosen = {name: name for name in keys} | {"order_value": ordered} | {n: sql for n, sql in shown.items() if n not in keys}
    answer = rows.answer.select(*(named(sql, name) for name, sql in chosen.items()), copy=False)
    answer = _bounded(answer, f"({ordered})", shape)
    if shape.step:
        answer = answer.where(parse(_beyond_cursor(shape, f"({ordered})", keys)), copy=False)
    answer = answer.order_by(*_order(shape, keys), dialect=DIALECT, copy=False).limit(shape.limit, copy=False)
    return composed_of(answer, rows, shape)


@lru_cache(maxsize=1024)
def compose_page(shape: ListingShape) -> Composed:
    """Where a page lies: each row's `order_value` and `created_at`, in the list's order, and `beyond` where the bad rows need it.

    Few columns of many rows: what the rows hold besides is then read for the page's own orders only.
    """
    ordered = LISTING_COLUMNS[shape.order_by.removeprefix("-")].expression
    rows = listed_rows(shape, column_names(ordered) | {"created_at"})
    chosen = {"order_value": ordered, "created_at": "created_at"} | ({"beyond": f"({rows.typical})"} if rows.typical else {})
    answer = rows.answer.select(*(named(sql, name) for name, sql in chosen.items()), copy=False)
    answer = _bounded(answer, f"({ordered})", shape)
    if shape.step:
        answer = answer.where(parse(_beyond_cursor(shape, f"({ordered})", ("created_at",), includes=True)), copy=False)
    answer = answer.order_by(*_order(shape, ("created_at",)), dialect=DIALECT, copy=False).limit(shape.limit, copy=False)
    return composed_of(answer, rows, shape)


@lru_cache(maxsize=1024)
def compose_count(shape: ListingShape) -> Composed:
    """How many rows the list has, as `order_count`, in each group of `by`."""
    anchor = shape.chosen.anchor
    groups = {name: dimension_sql(DIMENSIONS[name], anchor, shape.setting) for name in shape.by}
    rows = listed_rows(shape, frozenset[str]().union(*(column_names(sql) for sql in groups.values())))
    chosen = groups | {"order_count": "COUNT(*)"}
    answer = rows.answer.select(*(named(sql, name) for name, sql in chosen.items()), copy=False)
    if groups:
        answer = answer.group_by(*(exp.Literal.number(i + 1) for i in range(len(groups))), copy=False)
        answer = answer.order_by("order_count DESC", *(f"{name} NULLS LAST" for name in groups), dialect=DIALECT, copy=False)
    return composed_of(answer, rows, shape)


def composed_of(answer: exp.Select, rows: Rows, shape: ListingShape) -> Composed:
    """The whole statement: the answer over the rows' parts."""
    for name, query in rows.ctes:
        materialized = is_materialized(name, shape.setting)
        answer = answer.with_(name, as_=query, copy=False, materialized=materialized)
    return written(answer)


def listed_rows(shape: ListingShape, columns: frozenset[str]) -> Rows:
    """The rows of the list with these columns to choose from."""
    chosen, keys = shape.chosen, key_of(shape.chosen.anchor)
    scan, conditions = filter_conditions(chosen.anchor, shape.where, shape.setting)
    if shape.page_count:
        instants = ", ".join(f"$page_{i}" for i in range(shape.page_count))
        scan += ["o.created_at >= $page_first", "o.created_at <= $page_last", f"o.created_at IN ({instants})"]
    if shape.is_search_dated:
        scan += ["o.created_at >= $search_first", "o.created_at < $search_end"]
    if shape.among_count is not None:
        scan.append(_among("o.", shape.among_count))
    needed = [chosen.condition, chosen.value or "1", chosen.typical or "1", *conditions]
    columns = columns.union(*(column_names(sql) for sql in needed))
    columns |= frozenset(shape.searched) if shape.has_search else frozenset()
    columns |= frozenset((*keys, str(chosen.anchor.at))) if chosen.is_once else frozenset()
    request = Request(
        anchor=chosen.anchor,
        columns=columns,
        filters=tuple(scan),
        setting=shape.setting,
        period=Period(is_settled=shape.is_settled, is_current=shape.is_current, has_comparables=shape.has_comparables),
        stages=stages_of(shape.where),
    )
    ctes, name = source(request)
    typical = _where(select(chosen.typical).from_(name), conditions).sql(DIALECT) if chosen.typical else ""
    if chosen.is_once:
        ctes, name = [*ctes, ("once", _once(name, chosen.anchor))], "once"
        conditions = [*conditions, "nth = 1"]
    conditions = [*conditions, *([] if chosen.condition == "TRUE" else [f"({chosen.condition})"])]
    if chosen.value:
        conditions.append(f"({chosen.value}) > {f'({typical})' if typical and not shape.page_count else '$beyond'}")
    if shape.has_search:
        conditions.append(f"({' OR '.join(SEARCH[column] for column in shape.searched)})" if shape.searched else "FALSE")
    return Rows(answer=_where(exp.Select().from_(name, copy=False), conditions), ctes=ctes, typical=typical)


def _among(row: str, count: int) -> str:
    """That a row's order is one of the `count` named ones."""
    named_orders = ", ".join(f"($among_channel_{index}, $among_{index})" for index in range(count))
    numbers = ", ".join(f"$among_{index}" for index in range(count))
    return f"({row}order_id IN ({numbers}) AND ({row}channel, {row}order_id) IN ({named_orders}))" if count else "FALSE"


def _where(answer: exp.Select, conditions: list[str]) -> exp.Select:
    return answer.where(*(parse(condition) for condition in conditions), copy=False) if conditions else answer


def _bounded(answer: exp.Select, value: str, shape: ListingShape) -> exp.Select:
    return answer.where(parse(shape.bound.format(value)), copy=False) if shape.bound else answer


def _once(name: str, anchor: Anchor) -> exp.Select:
    """The rows numbered within their order, the newest first."""
    (own,) = ROW_KEY[anchor.rows]
    nth = f"ROW_NUMBER() OVER (PARTITION BY channel, order_id ORDER BY {anchor.at} DESC, {own}) AS nth"
    return select("*", nth).from_(name, copy=False)


def _order(shape: ListingShape, keys: tuple[str, ...]) -> list[str]:
    descends, reverses = shape.order_by.startswith("-"), shape.step == "before"
    value = f"order_value {'DESC' if descends != reverses else 'ASC'} NULLS {'FIRST' if reverses else 'LAST'}"
    return [value, *(f"{key} {'DESC' if reverses else 'ASC'}" for key in keys)]


def _beyond_cursor(shape: ListingShape, value: str, keys: tuple[str, ...], *, includes: bool = False) -> str:
    """The rows that come after the cursor's (before it when stepping back), with `includes` its equals too; unknown comes last."""
    back = shape.step == "before"
    marks = ", ".join(f"$key_{name}" for name in keys)
    follows = f"({', '.join(keys)}) {'<' if back else '>'}{'=' if includes else ''} ({marks})"
    if shape.is_after_unknown:
        return f"({value} IS NOT NULL OR {follows})" if back else f"({value} IS NULL AND {follows})"
    descends = shape.order_by.startswith("-")
    beyond = f"{value} {'<' if descends != back else '>'} $order_value"
    unknown = "" if back else f" OR {value} IS NULL"
    return f"({beyond}{unknown} OR ({value} = $order_value AND {follows}))"
