"""The first of the older orders, in memory: of those not kept as recent, the ones with the largest and the smallest figures.

A list over everything that is sorted by such a figure begins with them and with recent ones. Whoever looks no further than
to the bound of a figure misses no order: what changes only adds to what lies beyond it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import duckdb

from data.lake import RECENT

LEADING: Final = "leading"
"""The table of these orders, with the columns of the recent ones."""

LISTED: Final = "listed"
"""Both together."""

MOST: Final = 10_000
"""So many at most lie beyond a bound when it is found."""

Bounds = Mapping[str, float | None]
"""By a ranking's name (`-` in front for the largest): beyond which figure all older orders are here; None: any figure."""


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """A figure of an order that lists are sorted by: SQL over a row `o` of an order that was closed before `$since`."""

    name: str
    value: str


def lay_out(cursor: duckdb.DuckDBPyConnection) -> None:
    """Nothing yet beside the recent orders, and both together."""
    recent = f"SELECT * EXCLUDE (order_number) FROM {RECENT}.orders"
    cursor.execute(f"CREATE OR REPLACE TABLE {RECENT}.{LEADING} AS {recent} LIMIT 0")
    cursor.execute(f"CREATE OR REPLACE VIEW {RECENT}.{LISTED} AS {recent} UNION ALL FROM {RECENT}.{LEADING}")


def find_bounds(cursor: duckdb.DuckDBPyConnection, rankings: Sequence[Ranking], older: str, values: Mapping[str, Any]) -> Bounds:
    """Beyond which figures at most `MOST` of the rows `older` (FROM, with its condition) lie."""
    ends = {f"{sign}{ranking.name}": (end, ranking.value) for ranking in rankings for sign, end in (("-", "max"), ("", "min"))}
    chosen = ", ".join(f"({end}(CAST({value} AS DOUBLE), {MOST + 1}))[{MOST + 1}]" for end, value in ends.values())
    found = cursor.execute(f"SELECT {chosen} FROM {older}", dict(values)).fetchone() if ends else ()
    return dict(zip(ends, found or (), strict=True))


def beyond_sql(rankings: Sequence[Ranking], bounds: Bounds) -> tuple[str, dict[str, float]]:
    """The condition that a row `o` lies beyond one of the bounds, and its parameters."""
    conditions, values = ["FALSE"], {}
    for ranking in rankings:
        for turn, (sign, compare) in enumerate((("-", ">"), ("", "<"))):
            bound = bounds[f"{sign}{ranking.name}"]
            if bound is None:
                conditions.append(f"({ranking.value}) IS NOT NULL")
                continue
            parameter = f"bound_{ranking.name}_{turn}"
            conditions.append(f"CAST({ranking.value} AS DOUBLE) {compare} ${parameter}")
            values[parameter] = bound
    return f"({' OR '.join(dict.fromkeys(conditions))})", values


def replace_changed(
    cursor: duckdb.DuckDBPyConnection, rankings: Sequence[Ranking], bounds: Bounds, is_older: str, values: Mapping[str, Any]
) -> Bounds | None:
    """Put the older ones among the orders in `changed` in the place of what they were; None, and none kept, where they are too many."""
    beyond, given = beyond_sql(rankings, bounds)
    fresh = f"FROM changed AS o WHERE ({is_older}) AND {beyond}"
    given |= values
    cursor.execute(
        f"DELETE FROM {RECENT}.{LEADING} AS held USING changed "
        "WHERE held.channel = changed.channel AND held.order_id = changed.order_id"
    )
    row = cursor.execute(f"SELECT (SELECT count(*) FROM {RECENT}.{LEADING}) + (SELECT count(*) {fresh})", given).fetchone()
    if row and row[0] > 4 * MOST * max(1, len(rankings)):
        cursor.execute(f"DELETE FROM {RECENT}.{LEADING}")
        return None
    cursor.execute(f"INSERT INTO {RECENT}.{LEADING} {fresh}", given)
    return bounds
