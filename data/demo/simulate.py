"""One day's orders with their whole lives: milestones, exceptions, cancellations, returns and complaints.

A day follows from (world, day) alone, so any number of days can be made one at a time, in any order, in bounded memory.
The lives are complete, also beyond the present: `as_known` cuts them to what was known at an instant.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from data.demo.aftermath import add_complaints, add_returns
from data.demo.country import (
    CARRIERS,
    CATEGORIES,
    CHANNELS,
    CUSTOMER_TIERS,
    PRIORITIES,
    WAREHOUSES,
    destinations,
    warehouse_regions,
)
from data.demo.draw import BUSINESS_TYPES, Placed, draw_placed
from data.demo.incidents import incidents_between
from data.demo.journey import Life, walk
from data.demo.world import World
from data.order import COMPLAINT_KINDS, EXCEPTION_CODES, MILESTONES, RETURN_KINDS
from data.places import region_of

INSTANT: Final = pl.Datetime("ms", "UTC")
LONGEST_LIFE: Final = timedelta(days=36)
"""No order changes later than this after the start of the day it was created on."""

ORDER_INSTANTS: Final = tuple(f"{name}_at" for name in MILESTONES)
OTHER_INSTANTS: Final = (
    "exception_at",
    "attempt_1_at",
    "attempt_2_at",
    "return_received_at",
    "return_closed_at",
    "complaint_created_at",
    "complaint_closed_at",
)
PROMISES: Final = ("promised_ship_at", "promised_at")

KNOWN_FROM: Final = {
    "warehouse_id": "allocated_at",
    "warehouse_region_code": "allocated_at",
    "wave_id": "accepted_at",
    "carrier_id": "packed_at",
    "freight_cost": "shipped_at",
    "delivered_quantity": "delivered_at",
    "exception_code": "exception_at",
    "return_id": "return_requested_at",
    "return_kind": "return_requested_at",
    "complaint_id": "complaint_created_at",
    "complaint_kind": "complaint_created_at",
}
"""Columns that mean nothing before an instant of their own row."""


def simulate_day(world: World, day: date) -> pl.DataFrame:
    """Every order created on a business day, with its whole life.

    Columns: those of `orders` (without the derived ones), the return's and complaint's columns prefixed `return_` and
    `complaint_`, the delivery attempts and `last_change_at`; instants as UTC milliseconds. Empty before the world starts.
    """
    random = np.random.default_rng([world.seed, day.toordinal(), 0])
    placed = draw_placed(random, world, day)
    start = world.midnight(day)
    incidents = incidents_between(world, start, start + LONGEST_LIFE)
    life = walk(random, placed, world, day, incidents)
    add_returns(random, placed, life, incidents)
    add_complaints(random, placed, life)
    return _frame(day, placed, life)


def as_known(orders: pl.DataFrame, at: pl.Expr) -> pl.DataFrame:
    """The same rows knowing only what had happened at `at`: later instants and what depends on them are null."""
    instants = [pl.when(pl.col(name) <= at).then(pl.col(name)).alias(name) for name in (*ORDER_INSTANTS, *OTHER_INSTANTS)]
    attempts = (pl.col("attempt_1_at") <= at).fill_null(False).cast(pl.Int64) + (pl.col("attempt_2_at") <= at).fill_null(False)
    gated = [pl.when(pl.col(gate) <= at).then(pl.col(name)).alias(name) for name, gate in KNOWN_FROM.items()]
    return orders.with_columns(*gated, attempts.alias("failed_attempt_count")).with_columns(instants)


def _frame(day: date, placed: Placed, life: Life) -> pl.DataFrame:
    instants = {name: _instant(life.at[name.removesuffix("_at")]) for name in (*ORDER_INSTANTS, *OTHER_INSTANTS, *PROMISES)}
    words = {
        "return_kind": _words(RETURN_KINDS, life.return_kind),
        "complaint_kind": _words(COMPLAINT_KINDS, life.complaint_kind),
        "exception_code": _words(EXCEPTION_CODES, life.exception),
        "wave_id": _words([f"W{hour:02d}" for hour in range(24)], life.wave_hour),
        "delivered_quantity": pl.Series((placed.quantity - life.is_short).clip(min=0)),
    }
    return pl.DataFrame(_content(placed) | words | instants).with_columns(
        _order_numbers(day, placed),
        _numbers("R", day, "return_requested_at").alias("return_id"),
        _numbers("C", day, "complaint_created_at").alias("complaint_id"),
        pl.max_horizontal(*ORDER_INSTANTS, *OTHER_INSTANTS).alias("last_change_at"),
    )


def _order_numbers(day: date, placed: Placed) -> pl.Series:
    """Numbers in each channel's own style: prefix, day, sequence; the stores' begin with zeros."""
    sequence = pl.Series(range(1, len(placed) + 1), dtype=pl.Int64).cast(pl.String)
    numbers = pl.Series([None], dtype=pl.String).new_from_index(0, len(placed))
    for position, channel in enumerate(CHANNELS):
        mine = pl.Series(placed.channel_index == position)
        numbers = (f"{channel.prefix}{day:%y%m%d}" + sequence.str.zfill(channel.digits)).zip_with(mine, numbers)
    return numbers.alias("order_id")


def _numbers(prefix: str, day: date, gate: str) -> pl.Expr:
    """Numbers of returns or complaints, where there is one."""
    sequence = pl.int_range(1, pl.len() + 1).cast(pl.String).str.zfill(6)
    return pl.when(pl.col(gate).is_not_null()).then(pl.lit(f"{prefix}{day:%y%m%d}") + sequence)


def _content(placed: Placed) -> dict[str, pl.Series]:
    places = destinations()
    to, via, carrier = placed.destination_index, placed.warehouse_index, placed.carrier_index
    nothing = np.zeros(len(placed), dtype=np.int64)
    return {
        "channel": _words([channel.code for channel in CHANNELS], placed.channel_index),
        "business_type": _words(BUSINESS_TYPES, placed.business_index),
        "country_code": _words(["CN"], nothing),
        "province_code": _words([city.province_code for city in places], to),
        "region_code": _words([region_of(city.province_code) or "" for city in places], to),
        "city": _words([city.name_zh for city in places], to),
        "latitude": pl.Series(placed.latitude),
        "longitude": pl.Series(placed.longitude),
        "warehouse_id": _words([warehouse.code for warehouse in WAREHOUSES], via),
        "warehouse_region_code": _words(warehouse_regions(), via),
        "carrier_id": _words([each.code for each in CARRIERS], carrier),
        "category": _words([category.code for category in CATEGORIES], placed.category_index),
        "customer_tier": _words([tier for tier, _ in CUSTOMER_TIERS], placed.tier_index),
        "priority": _words([priority for priority, _ in PRIORITIES], placed.priority_index),
        "line_count": pl.Series(placed.line_count),
        "quantity": pl.Series(placed.quantity),
        "amount": pl.Series(placed.amount),
        "currency": _words(["CNY"], nothing),
        "freight_cost": pl.Series(placed.freight),
    }


def _words(words: Sequence[str], index: NDArray[np.int64]) -> pl.Series:
    """A text column from positions in a registry; -1 is null."""
    positions = pl.Series(np.where(index < 0, len(words), index))
    return pl.Series([*words, None], dtype=pl.String).gather(positions)


def _instant(seconds: NDArray[np.float64]) -> pl.Series:
    """Seconds since 1970 (NaN = never) as UTC milliseconds."""
    whole = pl.Series(np.floor(seconds)).fill_nan(None)
    return (whole.cast(pl.Int64) * 1000).cast(INSTANT)
