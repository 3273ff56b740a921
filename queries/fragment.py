"""SQL fragments: parsed once, asked for their columns, and the business zone's clock as plain arithmetic."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import Final

from sqlglot import exp, parse_one

from data.zone import Offsets, offset_sql
from queries.clock import DAY_MS, PART_MS
from queries.columns import RAW_COLUMNS
from queries.query import Grain

DIALECT: Final = "duckdb"


@lru_cache(maxsize=4096)
def parse(sql: str) -> exp.Expr:
    """One SQL fragment as a tree; shared, so copy it before changing it."""
    return parse_one(sql, dialect=DIALECT)


def named(sql: str, alias: str) -> exp.Expr:
    """A fragment under a name; the tree is shared, like all that is built from it."""
    return exp.alias_(parse(sql), alias, copy=False)


def select(*chosen: exp.Expr | str) -> exp.Select:
    """A SELECT of these, built in place: copying trees would be most of the work."""
    return exp.Select().select(*chosen, dialect=DIALECT, copy=False)


@lru_cache(maxsize=4096)
def column_names(sql: str) -> frozenset[str]:
    """The unqualified columns that a fragment names."""
    return frozenset(column.name for column in parse(sql).find_all(exp.Column) if not column.table)


def is_pushable(sql: str) -> bool:
    """Whether a filter names only columns that no later instant changes, so that it can go into the scan."""
    return column_names(sql) <= RAW_COLUMNS


def qualified(sql: str) -> str:
    """The fragment over columns of `o`, the order in the base."""
    tree = parse(sql).copy()
    for column in tree.find_all(exp.Column):
        if not column.table:
            column.set("table", exp.to_identifier("o"))
    return tree.sql(DIALECT)


def local_ms(instant: str, offsets: Offsets) -> str:
    """SQL of the clock reading in the business zone, ms since 1970, of an instant."""
    return f"(EPOCH_MS({instant}) + {offset_sql(f'EPOCH_MS({instant})', offsets)})"


def utc_ms(local: str, offsets: Offsets) -> str:
    """SQL of the instant (ms) of a clock reading; a skipped reading is the change itself, a repeated one its first."""
    if len(offsets) == 1:
        return f"({local} - {offsets[0][1]})"
    steps = [(since + max(before, offset), offset) for (_, before), (since, offset) in pairwise(offsets)]
    cases = " ".join(f"WHEN {local} >= {since} THEN {offset}" for since, offset in reversed(steps))
    return f"({local} - CASE {cases} ELSE {offsets[0][1]} END)"


def bucket_sql(instant: str, grain: Grain | None, offsets: Offsets) -> str:
    """SQL of the bucket that holds an instant, as a number: hours and their parts as UTC ms, days and longer as local ms."""
    return bucket_of_ms(f"EPOCH_MS({instant})", grain, offsets)


def bucket_of_ms(ms: str, grain: Grain | None, offsets: Offsets) -> str:
    """The same of an instant in ms since 1970."""
    if grain in PART_MS:
        return f"({ms} // {PART_MS[grain]} * {PART_MS[grain]})"
    local = f"({ms} + {offset_sql(ms, offsets)})"
    if grain == "hour":
        return f"({local} // 3600000 * 3600000 - {offset_sql(ms, offsets)})"
    if grain == "week":
        return f"(({local} // {DAY_MS} + 3) // 7 * 7 - 3) * {DAY_MS}"
    if grain == "month":
        return f"EPOCH_MS(DATE_TRUNC('month', MAKE_TIMESTAMP({local} * 1000)))"
    return f"{local} // {DAY_MS} * {DAY_MS}"
