"""Files look like those of real systems, know nothing later than their as-of, and live goes on where history ended."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import groupby, pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from config import read_settings
from data.contract import SHIPPED_CONTRACTS, load_contracts
from data.demo.shape import SOURCES, WRONG_ROW_SHARE
from data.demo.snapshots import DemoCountry, Emission, plan_emissions
from data.demo.world import World, found_world
from tests.data.demo.conftest import FOUNDED, make_world

ZONE = ZoneInfo("Asia/Shanghai")


def ends(emissions: list[Emission]) -> dict[str, datetime]:
    return {emission.source: emission.as_of for emission in emissions}


def rows_of(path: Path, encoding: str) -> Iterator[dict[str, str | None]]:
    text = path.read_text(encoding=encoding)
    if path.suffix == ".jsonl":
        yield from (json.loads(line) for line in text.splitlines())
    else:
        yield from csv.DictReader(io.StringIO(text))


def instants(row: Mapping[str, str | None]) -> Iterator[datetime]:
    for name, value in row.items():
        if value and not name.startswith("promise") and len(value) >= 19 and value[4] == "-" and not value.startswith("2026-13"):
            instant = datetime.fromisoformat(value)
            yield instant if instant.tzinfo else instant.replace(tzinfo=ZONE)


@pytest.mark.parametrize("source", SOURCES)
def test_no_file_knows_anything_later_than_its_as_of(small_world: World, tmp_path: Path, source: str) -> None:
    plan = [emission for emission in plan_emissions(small_world, {}, FOUNDED) if emission.source == source]
    country = DemoCountry(small_world)
    for emission in plan[8:12]:
        path = country.write(emission, tmp_path)
        assert path
        seen = [instant for row in rows_of(path, SOURCES[source].encoding) for instant in instants(row)]
        assert emission.since < max(seen) <= emission.as_of


def test_what_an_order_will_become_is_not_in_its_first_file(small_world: World) -> None:
    new = DemoCountry(small_world).changed("oms", FOUNDED - timedelta(days=1), FOUNDED).filter(pl.col("allocated_at").is_null())
    assert new.height > 10
    assert new["warehouse_id"].null_count() == new["carrier_id"].null_count() == new["wave_id"].null_count() == new.height
    unheld = new.filter(pl.col("exception_at").is_null())
    assert unheld["exception_code"].null_count() == unheld.height


def test_files_are_the_same_whatever_was_asked_before(small_world: World) -> None:
    emission = plan_emissions(small_world, {}, FOUNDED)[60]
    used = DemoCountry(small_world)
    for other in plan_emissions(small_world, {}, FOUNDED)[40:80]:
        used.rows(other)
    assert used.rows(emission).equals(DemoCountry(small_world).rows(emission))


@pytest.mark.parametrize("source", SOURCES)
def test_files_of_a_source_follow_each_other_without_gap_or_repeat(small_world: World, source: str) -> None:
    history = plan_emissions(small_world, {}, FOUNDED)
    live = plan_emissions(small_world, ends(history), FOUNDED + timedelta(hours=4))
    chain = [emission for emission in (*history, *live) if emission.source == source]
    assert chain[0].since == small_world.midnight(small_world.start_day)
    assert all(before.as_of == after.since for before, after in pairwise(chain))


def test_of_one_instant_orders_come_before_what_belongs_to_them(small_world: World) -> None:
    history = plan_emissions(small_world, {}, FOUNDED)
    assert [emission.as_of for emission in history] == sorted(emission.as_of for emission in history)
    together = [sources for _, group in groupby(history, key=lambda e: e.as_of) if len(sources := [e.source for e in group]) > 2]
    assert together
    assert all(sources == sorted(sources, key=list(SOURCES).index) and sources[0] == "oms" for sources in together)


def test_minute_by_minute_tells_what_one_file_tells(small_world: World) -> None:
    start, end = FOUNDED, FOUNDED + timedelta(minutes=30)
    whole = DemoCountry(small_world).changed("oms", start, end).select("channel", "order_id")
    last, keys, country = {"oms": start}, set(), DemoCountry(small_world)
    for minute in range(1, 31):
        for emission in plan_emissions(small_world, last, start + timedelta(minutes=minute)):
            if emission.source == "oms":
                keys |= set(country.changed("oms", emission.since, emission.as_of).select("channel", "order_id").rows())
                last["oms"] = emission.as_of
    assert keys == set(whole.rows())
    assert len(keys) > 10


def test_a_silent_desk_tells_everything_once_it_speaks_again(small_world: World) -> None:
    history = plan_emissions(small_world, {}, FOUNDED)
    returns = [emission for emission in history if emission.source == "crm_returns"]
    assert returns[-1].as_of == FOUNDED - timedelta(hours=3, minutes=20)
    live = plan_emissions(small_world, ends(history), FOUNDED + timedelta(hours=2))
    first = next(emission for emission in live if emission.source == "crm_returns")
    assert first.as_of - first.since > timedelta(hours=4)


def test_live_goes_on_over_midnight_with_new_orders(small_world: World) -> None:
    country = DemoCountry(small_world)
    midnight = small_world.midnight(small_world.day_of(FOUNDED) + timedelta(days=1))
    country.changed("oms", midnight - timedelta(minutes=2), midnight - timedelta(minutes=1))
    after = country.changed("oms", midnight, midnight + timedelta(hours=2))
    fresh = DemoCountry(small_world).changed("oms", midnight, midnight + timedelta(hours=2))
    assert after.sort("channel", "order_id").equals(fresh.sort("channel", "order_id"))
    assert after.filter(pl.col("created_at") >= midnight).height > 0


def test_a_quiet_source_sends_its_newest_row_again(small_world: World) -> None:
    country = DemoCountry(small_world)
    at = FOUNDED + timedelta(hours=14)
    quiet = Emission(source="oms", since=at - timedelta(seconds=1), as_of=at)
    assert country.changed("oms", quiet.since, quiet.as_of).is_empty()
    (again,) = country.rows(quiet).rows(named=True)
    before = country.changed("oms", quiet.as_of - timedelta(hours=1), quiet.as_of)
    assert again["order_no"] in before["order_id"].to_list()


def test_wrong_rows_come_at_the_declared_rate() -> None:
    country = DemoCountry(make_world(4000))
    daily = [e for e in plan_emissions(country.world, {}, FOUNDED) if e.source in ("oms", "wms", "tms")][30:60]
    good = sum(country.changed(e.source, e.since, e.as_of).height for e in daily)
    wrong = sum(country.rows(e).height for e in daily) - good
    assert 0.7 * WRONG_ROW_SHARE < wrong / good < 1.3 * WRONG_ROW_SHARE


def test_a_live_minute_costs_little(world: World, tmp_path: Path) -> None:
    country, last = DemoCountry(world), dict.fromkeys(SOURCES, FOUNDED)
    list(country.write_all(plan_emissions(world, last, FOUNDED + timedelta(minutes=10)), tmp_path))
    last = dict.fromkeys(SOURCES, FOUNDED + timedelta(minutes=10))
    began = time.process_time()
    list(country.write_all(plan_emissions(world, last, FOUNDED + timedelta(minutes=20)), tmp_path))
    assert (time.process_time() - began) / 10 < 0.2


def test_contracts_map_every_column_they_name(small_world: World) -> None:
    contracts, country = load_contracts(SHIPPED_CONTRACTS), DemoCountry(small_world)
    daily = plan_emissions(small_world, {}, FOUNDED)[40:45]
    assert {emission.source for emission in daily} == set(SOURCES)
    for emission in daily:
        contract = contracts[emission.source]
        assert contract.reader.encoding.replace("utf-8", "utf-8-sig") in (SOURCES[emission.source].encoding, "utf-8-sig")
        words = " ".join((*contract.columns.values(), *contract.personal.values()))
        unused = {name for name in country.rows(emission).columns if name not in words}
        assert unused <= {"waybill", "pickedUp"}


def test_a_home_keeps_the_world_it_was_founded_with(tmp_path: Path) -> None:
    settings = read_settings({}, home=tmp_path, demo_orders=3000)
    world = found_world(settings, datetime(2026, 5, 4, 3, 7, 9, tzinfo=UTC))
    assert world.anchor == datetime(2026, 5, 4, 3, 0, tzinfo=UTC)
    assert world.orders_per_day == 100
    assert found_world(settings, datetime(2026, 5, 6, tzinfo=UTC)) == world


def test_only_files_of_the_last_hours_say_whom_an_order_is_for(small_world: World) -> None:
    country = DemoCountry(small_world)
    short, long = (
        country.rows(Emission(as_of=FOUNDED, source="oms", since=FOUNDED - timedelta(hours=hours))) for hours in (2, 24)
    )
    assert short.height > 10
    assert set(short["mobile"].str.len_chars()) == {11}
    assert short["receiver"].n_unique() > 5
    assert set(long["mobile"]) == set(long["receiver"]) == set(long["street"]) == {""}
