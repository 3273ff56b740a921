"""Whole lakes for measuring: one wide file per day of creation, millions of orders in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Literal
from zoneinfo import ZoneInfo

import polars as pl

from data.demo.simulate import ORDER_INSTANTS, as_known, simulate_day
from data.demo.world import World
from data.order import ORDER_COLUMNS

DERIVED: Final = ("source_order_ids",)
BULK_COLUMNS: Final = tuple(column.name for column in ORDER_COLUMNS if column.name not in DERIVED)
"""Columns of a bulk file: those of `orders` under their own names."""


def write_bulk(
    folder: Path, *, orders: int, days: int, seed: int, end: datetime, form: Literal["csv", "parquet"] = "csv"
) -> Iterator[Path]:
    """Write about `orders` orders created in the `days` business days up to `end`, all columns, as known at `end`.

    One file per day, `demo_bulk_<as_of>_<day>`; instants are UTC. Yields each path once it is complete.
    """
    folder.mkdir(parents=True, exist_ok=True)
    zone = ZoneInfo("Asia/Shanghai")
    world = World(seed=seed, orders_per_day=max(1, orders // days), anchor=end, zone=zone, history_days=days - 1)
    for ahead in range(days):
        day = world.start_day + timedelta(days=ahead)
        rows = _known(simulate_day(world, day), end)
        path = folder / f"demo_bulk_{end:%Y%m%dT%H%M%S}Z_{day:%Y%m%d}.{form}"
        if form == "csv":
            rows.write_csv(path, datetime_format="%Y-%m-%d %H:%M:%S")
        else:
            rows.write_parquet(path)
        yield path


def _known(orders: pl.DataFrame, end: datetime) -> pl.DataFrame:
    at = pl.lit(end).cast(pl.Datetime("ms", "UTC"))
    instants = pl.col(*ORDER_INSTANTS, "exception_at", "promised_ship_at", "promised_at").dt.replace_time_zone(None)
    return as_known(orders.filter(pl.col("created_at") <= at), at).with_columns(instants).select(BULK_COLUMNS)
