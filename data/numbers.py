"""Where order numbers lie: of every channel and hour of creation the first and the last, to look for one in few places.

Numbers mostly grow with time. Where they do, one is looked for in a few hours of its channel instead of in all rows; where
they do not, the hours named are many, and the answer the same. What changes only widens what is known, so that nothing
that is there is ever missed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Self

import duckdb
import polars as pl

HOUR: Final = "epoch_ms(r.created_at) // 3600000"
BATCH: Final = 64
"""So many snapshots in a row are told apart from others, where what they brought has no creation."""

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

NUMBERS: Final = f"r.channel, {HOUR} AS hour, min(r.order_id) AS first, max(r.order_id) AS last"
CITIES: Final = f"lower(r.city) AS city, min({HOUR}) AS first, max({HOUR}) AS last"


@dataclass(frozen=True, kw_only=True)
class Reach:
    """From when until before when something was created."""

    first: datetime
    end: datetime


@dataclass(frozen=True, kw_only=True)
class RowsReach:
    """Of rows that snapshots brought: when those with a creation were created, and which snapshots brought the others.

    `undated` are the first and the last of these snapshots; None where there are no such rows.
    """

    dated: Reach | None
    undated: tuple[int, int] | None


@dataclass(frozen=True, kw_only=True)
class Found:
    """The columns in which the beginning of a text may stand, and when such orders were created; None where nowhere."""

    columns: tuple[str, ...]
    reach: Reach | None


@dataclass(frozen=True, kw_only=True, eq=False)
class Numbers:
    """What is known of one version of the lake, or more than that.

    `orders`: channel, hour since 1970, `first` and `last` number, whether any order has other numbers. `cities`: in small
    letters, their first and last hour. `rows`: as `orders` for every row that a snapshot brought, by `batch` of snapshots
    in place of the hour where it has no creation.
    """

    orders: pl.DataFrame
    cities: pl.DataFrame
    rows: pl.DataFrame

    @classmethod
    def read(cls, cursor: duckdb.DuckDBPyConnection, version: int) -> Self:
        """What the lake holds at a version."""
        at = {"version": version}
        orders, rows = (f"lake.{table} AS r AT (VERSION => $version)" for table in ("orders", "order_rows"))
        return cls(orders=_orders(cursor, orders, at), cities=_cities(cursor, orders, at), rows=_rows(cursor, rows, at))

    def with_changes(self, cursor: duckdb.DuckDBPyConnection, version: int, snapshot: int) -> Self:
        """The same with the orders in `changed`, and with the rows that snapshots after this one brought."""
        since = {"version": version, "snapshot": snapshot}
        rows = "lake.order_rows AS r AT (VERSION => $version) WHERE r.snapshot_id > $snapshot"
        cities = pl.concat([self.cities, _cities(cursor, "changed AS r", {})])
        return type(self)(
            orders=_widest(self.orders, _orders(cursor, "changed AS r", {})),
            cities=cities.group_by("city").agg(pl.col("first").min(), pl.col("last").max()),
            rows=_widest(self.rows, _rows(cursor, rows, since)),
        )

    def reach_of(self, channel: str, order_id: str) -> Reach | None:
        """When the order of this number was created; None where there is none."""
        return _reach(_holding(self.orders, channel, order_id))

    def rows_of(self, channel: str, order_id: str) -> RowsReach:
        """Where the rows that snapshots brought of the order lie."""
        held = _holding(self.rows, channel, order_id)
        snapshots = [*_bounds(held, "first_snapshot"), *_bounds(held, "last_snapshot")]
        return RowsReach(dated=_reach(held), undated=(min(snapshots), max(snapshots)) if snapshots else None)

    def found(self, text: str) -> Found:
        """Where a number, another number of an order or a city may begin with a text."""
        begun = pl.col("first").str.slice(0, len(text)) <= text
        places = {
            "order_id": self.orders.filter(begun, pl.col("last") >= text),
            "source_order_ids": self.orders.filter(pl.col("has_others")),
            "city": _begin(self.cities, text),
        }
        places = {name: held for name, held in places.items() if not held.is_empty()}
        hours = [hour for held in places.values() for name in ("hour", "first", "last") for hour in _bounds(held, name)]
        return Found(columns=tuple(places), reach=_between(hours) if hours else None)


def in_small_letters(text: str) -> str | None:
    """The text as DuckDB's `lower` has it; None where that is not certain: for other letters than a to z that are large or small."""
    certain = all(sign.isascii() or sign == sign.lower() == sign.upper() for sign in text)
    return text.lower() if certain else None


def _begin(cities: pl.DataFrame, text: str) -> pl.DataFrame:
    small = in_small_letters(text)
    return cities if small is None else cities.filter(pl.col("city").str.starts_with(small))


def _holding(numbers: pl.DataFrame, channel: str, order_id: str) -> pl.DataFrame:
    return numbers.filter(pl.col("channel") == channel, pl.col("first") <= order_id, pl.col("last") >= order_id)


def _reach(held: pl.DataFrame) -> Reach | None:
    hours = _bounds(held, "hour")
    return _between(hours) if hours else None


def _bounds(held: pl.DataFrame, column: str) -> list[int]:
    """The least and the greatest of a column; none where it has no numbers."""
    if column not in held.columns:
        return []
    return [hour for hour in (held[column].min(), held[column].max()) if isinstance(hour, int)]


def _between(hours: Sequence[int]) -> Reach:
    first, end = (EPOCH + timedelta(hours=hour) for hour in (min(hours), max(hours) + 1))
    return Reach(first=first, end=end)


def _orders(cursor: duckdb.DuckDBPyConnection, rows: str, values: Mapping[str, Any]) -> pl.DataFrame:
    others = "bool_or(r.source_order_ids IS NOT NULL) AS has_others"
    return cursor.execute(f"SELECT {NUMBERS}, {others} FROM {rows} GROUP BY ALL", dict(values)).pl()


def _rows(cursor: duckdb.DuckDBPyConnection, rows: str, values: Mapping[str, Any]) -> pl.DataFrame:
    batch = f"CASE WHEN r.created_at IS NULL THEN r.snapshot_id // {BATCH} END AS batch"
    undated = "FILTER (WHERE r.created_at IS NULL)"
    snapshots = ", ".join(
        f"{end}(r.snapshot_id) {undated} AS {name}_snapshot" for end, name in (("min", "first"), ("max", "last"))
    )
    return cursor.execute(f"SELECT {NUMBERS}, {batch}, {snapshots} FROM {rows} GROUP BY ALL", dict(values)).pl()


def _cities(cursor: duckdb.DuckDBPyConnection, rows: str, values: Mapping[str, Any]) -> pl.DataFrame:
    return cursor.execute(f"SELECT {CITIES} FROM {rows} WHERE r.city IS NOT NULL GROUP BY 1", dict(values)).pl()


def _widest(held: pl.DataFrame, more: pl.DataFrame) -> pl.DataFrame:
    widest = {name: pl.col(name).min() for name in ("first", "first_snapshot")}
    widest |= {name: pl.col(name).max() for name in ("last", "last_snapshot")} | {"has_others": pl.col("has_others").any()}
    keys = [name for name in held.columns if name not in widest]
    return (
        pl.concat([held, more])
        .group_by(keys)
        .agg(*(widest[name] for name in held.columns if name in widest))
        .select(held.columns)
    )
