"""The demo country is the same for the same seed, and plausible: rates, times and places as a real one would have."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import polars as pl
import pytest

from data.demo.country import CARRIERS, CHANNELS, WAREHOUSES, province_weights, warehouse_city
from data.demo.simulate import LONGEST_LIFE, simulate_day
from data.demo.targets import STAGE_LIMITS
from data.demo.world import World
from data.order import FORWARD_MILESTONES, MUST_FOLLOW, STAGES
from data.places import region_of
from tests.data.demo.conftest import FOUNDED, make_world

CLOSED = pl.min_horizontal("delivered_at", "cancelled_at", "returned_at", "refunded_at")
HOURS = {stage: float(text.removesuffix("h")) for stage, text in STAGE_LIMITS.items()}


def share(orders: pl.DataFrame, expression: pl.Expr) -> float:
    value: Any = orders.select(expression.mean()).item()
    return float(value)


def test_same_seed_and_day_give_the_same_orders(small_world: World) -> None:
    day = small_world.start_day + timedelta(days=3)
    assert simulate_day(small_world, day).equals(simulate_day(small_world, day))
    assert not simulate_day(small_world, day).equals(simulate_day(make_world(400, seed=8), day))


def test_nothing_happens_before_the_world_starts(small_world: World) -> None:
    assert simulate_day(small_world, small_world.start_day - timedelta(days=1)).is_empty()


def test_the_country_is_as_big_as_promised() -> None:
    assert len(WAREHOUSES) >= 24
    assert len(CARRIERS) == 8
    assert {channel.code for channel in CHANNELS} == {"tmall", "jd", "douyin", "shopify", "store", "b2b"}
    assert all(warehouse_city(warehouse.code) and len(warehouse.waves) >= 8 for warehouse in WAREHOUSES)


def test_order_numbers_are_unique_and_the_stores_keep_their_zeros(orders: pl.DataFrame) -> None:
    assert orders.select("channel", "order_id").is_duplicated().sum() == 0
    assert orders.filter(pl.col("channel") == "store")["order_id"].str.starts_with("00").all()


def test_provinces_weigh_by_population_and_economy(orders: pl.DataFrame) -> None:
    shares = {code: count / len(orders) for code, count in orders["province_code"].value_counts().iter_rows()}
    assert shares["CN-GD"] > shares["CN-HE"] > shares["CN-XZ"]
    assert shares["CN-GD"] == pytest.approx(province_weights()["CN-GD"], rel=0.05)
    assert all(region_of(code) for code in shares)


def test_the_day_and_the_festival_have_their_rhythm(orders: pl.DataFrame) -> None:
    local = orders.with_columns(pl.col("created_at").dt.convert_time_zone("Asia/Shanghai").alias("local"))
    hours = dict(local.group_by(pl.col("local").dt.hour()).len().iter_rows())
    assert hours[21] > 5 * hours[4]
    days = dict(local.group_by(pl.col("local").dt.strftime("%m-%d")).len().iter_rows())
    assert 2.2 < days["11-11"] / days["11-04"] < 3.0


@pytest.mark.parametrize("stage", STAGES)
def test_plain_times_leave_two_to_eight_percent_beyond_the_limit(orders: pl.DataFrame, stage: str) -> None:
    opened = FORWARD_MILESTONES[FORWARD_MILESTONES.index(stage) - 1]
    seconds = (pl.col(f"{stage}_at") - pl.col(f"{opened}_at")).dt.total_seconds()
    plain = orders.filter(pl.col("created_at") < FOUNDED - timedelta(days=5), seconds.is_not_null())
    assert 0.018 < share(plain, seconds > HOURS[stage] * 3600) < 0.08


def test_rates_are_those_of_a_house_in_good_order(orders: pl.DataFrame) -> None:
    settled = orders.filter(pl.col("promised_at") < FOUNDED - timedelta(days=4), pl.col("cancelled_at").is_null())
    assert 0.92 < share(settled, (pl.col("delivered_at") <= pl.col("promised_at")).fill_null(False)) < 0.97
    assert 0.015 < share(orders, pl.col("exception_code").is_not_null()) < 0.03
    assert 0.02 < share(orders, pl.col("cancelled_at").is_not_null()) < 0.05
    cycle = orders.select(((pl.col("delivered_at") - pl.col("created_at")).dt.total_seconds() / 3600).median()).item()
    assert 34 < cycle < 42


def test_every_order_closes_within_twelve_days(orders: pl.DataFrame) -> None:
    assert orders.select(CLOSED.is_null().sum()).item() == 0
    assert orders.select((CLOSED - pl.col("created_at")).max()).item() < timedelta(days=12)
    assert orders.select((pl.col("last_change_at") - pl.col("created_at")).max()).item() < LONGEST_LIFE - timedelta(days=1)


def test_backlog_is_stable(orders: pl.DataFrame) -> None:
    def backlog(days_ago: int) -> int:
        at = FOUNDED - timedelta(days=days_ago)
        return orders.filter(pl.col("created_at") <= at, at < CLOSED).height

    assert 0.8 < backlog(0) / backlog(1) < 1.2
    assert backlog(0) < 2.2 * 6000


def test_impossible_pairs_are_few_and_all_from_the_scanners(orders: pl.DataFrame) -> None:
    pairs = [pl.col(f"{later}_at") < pl.col(f"{earlier}_at") for earlier, later in MUST_FOLLOW]
    scanners = [pl.col("delivered_at") < pl.col("shipped_at"), pl.col("out_for_delivery_at") < pl.col("shipped_at")]
    impossible = orders.filter(pl.any_horizontal(pairs))
    assert 0.0001 < len(impossible) / len(orders) < 0.001
    assert impossible.filter(pl.any_horizontal(scanners)).height == len(impossible)


def test_nothing_happens_to_an_order_after_its_cancellation(orders: pl.DataFrame) -> None:
    cancelled = orders.filter(pl.col("cancelled_at").is_not_null())
    later = pl.max_horizontal(*[f"{name}_at" for name in FORWARD_MILESTONES[1:]], "exception_at", "return_requested_at")
    assert cancelled.filter(later > pl.col("cancelled_at")).is_empty()
