"""The demo's files go through the very same intake as everybody's: contracts, quarantine, merge."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from config import Settings, read_settings
from data.contract import SHIPPED_CONTRACTS, load_contracts
from data.demo.bulk import write_bulk
from data.demo.simulate import as_known, simulate_day
from data.demo.snapshots import DemoCountry, plan_emissions
from data.demo.world import World
from data.ingest import ingest
from data.lake import Lake
from tests.data.demo.conftest import FOUNDED

COMPARED = ("channel", "order_id", "province_code", "region_code", "warehouse_id", "carrier_id", "exception_code", "amount")
INSTANTS = (
    "created_at",
    "approved_at",
    "accepted_at",
    "shipped_at",
    "delivered_at",
    "cancelled_at",
    "promised_at",
    "returned_at",
)


def take_in(settings: Settings, world: World, until: timedelta, folder: Path) -> None:
    contracts = load_contracts(SHIPPED_CONTRACTS)
    plan = plan_emissions(world, {}, world.midnight(world.start_day) + until, whole=timedelta(days=2), fine=timedelta(0))
    with Lake.open_writer(settings) as lake:
        for path in DemoCountry(world).write_all(plan, folder):
            source = path.name.rsplit("_", 1)[0]
            assert ingest(lake, contracts[source], (path,), now=FOUNDED).state == "accepted", path.name


def in_lake(settings: Settings, select: str) -> pl.DataFrame:
    with Lake.open_writer(settings) as lake:
        return lake.cursor().execute(select).pl()


def test_the_lake_holds_exactly_what_the_country_knows(small_world: World, tmp_path: Path) -> None:
    settings = read_settings({}, home=tmp_path / "home", threads=1)
    take_in(settings, small_world, timedelta(days=6), tmp_path / "files")
    at = small_world.midnight(small_world.start_day) + timedelta(days=6)
    days = [simulate_day(small_world, small_world.start_day + timedelta(days=ahead)) for ahead in range(7)]
    known = as_known(pl.concat(days).filter(pl.col("created_at") <= at), pl.lit(at))
    found = in_lake(settings, "FROM lake.orders")
    expected = known.select(*COMPARED, *INSTANTS).sort("channel", "order_id")
    actual = found.select(*COMPARED, *INSTANTS).cast(expected.schema).sort("channel", "order_id")
    for name in (*COMPARED, *INSTANTS):
        different = expected[name].ne_missing(actual[name]).sum()
        assert different == 0, f"{name}: {different} of {len(expected)} differ"


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_bulk_files_go_through_their_contract(tmp_path: Path, form: str) -> None:
    contract = load_contracts(SHIPPED_CONTRACTS)["bulk"]
    contract = contract.model_copy(update={"reader": contract.reader.model_copy(update={"format": form})})
    settings = read_settings({}, home=tmp_path / "home", threads=1)
    paths = list(write_bulk(tmp_path / "bulk", orders=600, days=3, seed=7, end=FOUNDED, form=form))  # type: ignore[arg-type]
    with Lake.open_writer(settings) as lake:
        reports = [ingest(lake, contract, (path,), now=FOUNDED) for path in paths]
    assert [report.state for report in reports] == ["accepted"] * 3
    assert 350 < sum(report.accepted_count for report in reports) < 700
