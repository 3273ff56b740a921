"""Every planted incident shows in the raw rows, where and when the label file says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import yaml

from data.demo.incidents import BIG_AMOUNT, Incident, incidents_between, is_silent, write_labels
from data.demo.world import World
from tests.data.demo.conftest import FOUNDED

HOUR = timedelta(hours=1)


def current(world: World, kind: str) -> Incident:
    (incident,) = (i for i in incidents_between(world, world.anchor, world.anchor + HOUR) if i.kind == kind)
    return incident


def test_every_kind_of_incident_surrounds_the_founding(world: World) -> None:
    for kind in ("storm", "carrier_decay", "finance_review", "silent_source", "city_returns"):
        assert current(world, kind).starts_at < world.anchor < current(world, kind).ends_at


def test_incidents_do_not_depend_on_the_span_asked_for(world: World) -> None:
    wide = incidents_between(world, FOUNDED - timedelta(days=30), FOUNDED + timedelta(days=30))
    narrow = incidents_between(world, FOUNDED - timedelta(days=3), FOUNDED)
    assert set(narrow) <= set(wide)
    assert len(wide) > 20


def test_the_storm_leaves_its_warehouse_without_acceptance(world: World, orders: pl.DataFrame) -> None:
    storm = current(world, "storm")
    inside = pl.col("accepted_at").is_between(storm.starts_at, storm.ends_at, closed="left")
    accepted = orders.filter(inside)["warehouse_id"].value_counts()
    assert storm.place == "WH-SHA"
    assert storm.place not in accepted["warehouse_id"].to_list()
    waiting = orders.filter(
        pl.col("warehouse_id") == storm.place, pl.col("allocated_at") <= FOUNDED, pl.col("accepted_at") > FOUNDED
    )
    usual = orders.filter(pl.col("warehouse_id") == "WH-CAN", pl.col("allocated_at") <= FOUNDED, pl.col("accepted_at") > FOUNDED)
    assert len(waiting) > 4 * len(usual)


def test_the_decaying_carrier_is_late_and_fails_at_doors(world: World, orders: pl.DataFrame) -> None:
    decay = current(world, "carrier_decay")
    shipped = pl.col("shipped_at").is_between(decay.starts_at, FOUNDED - timedelta(hours=12))
    late = (pl.col("delivered_at") <= pl.col("promised_at")).fill_null(False).not_().mean()
    failed = (pl.col("exception_code") == "failed_attempt").fill_null(False).mean()
    by_carrier = orders.filter(shipped).group_by("carrier_id").agg(late.alias("late"), failed.alias("failed"))
    its = by_carrier.filter(pl.col("carrier_id") == decay.place)
    others = by_carrier.filter(pl.col("carrier_id") != decay.place)
    assert its["late"].item() > 0.15 > max(others["late"])
    assert its["failed"].item() > 2 * max(others["failed"])


def test_finance_review_stalls_only_big_orders(world: World, orders: pl.DataFrame) -> None:
    review = current(world, "finance_review")
    hours = (pl.col("approved_at") - pl.col("paid_at")).dt.total_seconds() / 3600
    during = orders.filter(pl.col("paid_at").is_between(review.starts_at, FOUNDED))
    before = orders.filter(pl.col("paid_at") < review.starts_at, pl.col("amount") > BIG_AMOUNT)
    big, small = pl.col("amount") > BIG_AMOUNT, pl.col("amount") <= BIG_AMOUNT
    assert during.filter(big).select(hours.median()).item() > 5
    assert during.filter(small).select(hours.median()).item() < 1
    assert before.select(hours.median()).item() < 2


def test_one_city_returns_one_category_more_often(world: World, orders: pl.DataFrame) -> None:
    rise = current(world, "city_returns")
    delivered = orders.filter(pl.col("delivered_at").is_between(rise.starts_at, FOUNDED), pl.col("category") == rise.category)
    here = pl.col("city") == rise.place
    rate = pl.col("return_requested_at").is_not_null().mean()
    assert delivered.filter(here).select(rate).item() > 2.5 * delivered.filter(~here).select(rate).item()


def test_a_silent_source_is_silent_in_all_its_files(world: World) -> None:
    assert is_silent(world, "crm_returns", FOUNDED)
    assert is_silent(world, "crm_complaints", FOUNDED)
    assert not is_silent(world, "oms", FOUNDED)
    assert not is_silent(world, "crm_returns", FOUNDED + timedelta(hours=3))


def test_the_label_file_says_what_where_and_when(world: World, tmp_path: Path) -> None:
    labels = yaml.safe_load(write_labels(tmp_path / "labels.yaml", world, FOUNDED + HOUR).read_text(encoding="utf-8"))
    (storm,) = (label for label in labels if label["label"] == "storm-0")
    assert storm["place"] == "WH-SHA"
    assert storm["stage"] == "accepted"
    assert datetime.fromisoformat(storm["from"]).astimezone(UTC) == current(world, "storm").starts_at
