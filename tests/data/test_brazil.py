"""The Brazilian marketplace set against independent SQL over its raw files, and against the counts published with it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from config import ROOT
from data.contract import SHIPPED_CONTRACTS, read_contract
from data.ingest import Report, find_units, ingest
from data.lake import Lake
from data.order import MILESTONE_BIT
from tests.data.intake import home

FOLDER = ROOT.parent / "shared" / "real" / "brazil"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
DELIVERED = MILESTONE_BIT["delivered"]

pytestmark = pytest.mark.skipif(not FOLDER.exists(), reason="the real orders are not on this machine: ../shared/real/brazil")


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Lake, list[Report]]]:
    """The lake after both contracts took in the set, and their reports."""
    with Lake.open_writer(home(tmp_path_factory.mktemp("brazil"))) as lake:
        reports = []
        for name in ("brazil_marketplace", "brazil_reviews"):
            contract = read_contract(SHIPPED_CONTRACTS / f"{name}.yaml")
            units = find_units(contract, [FOLDER])
            reports += [ingest(lake, contract, unit, now=NOW) for unit in units]
        yield lake, reports


@pytest.fixture(scope="module")
def raw() -> Iterator[duckdb.DuckDBPyConnection]:
    """The raw files, everything as text."""
    with duckdb.connect() as connection:
        for table in ("orders", "customers", "order_items", "order_reviews"):
            path = FOLDER / f"olist_{table}_dataset.csv"
            connection.execute(f"CREATE TABLE {table} AS FROM read_csv('{path}', all_varchar = true, header = true)")
        yield connection


def ask(source: tuple[Lake, list[Report]] | duckdb.DuckDBPyConnection, query: str) -> list[tuple[Any, ...]]:
    connection = source if isinstance(source, duckdb.DuckDBPyConnection) else source[0].cursor()
    return connection.execute(query).fetchall()


def test_every_order_comes_in_and_none_is_refused(taken: tuple[Lake, list[Report]], raw: duckdb.DuckDBPyConnection) -> None:
    assert [(report.state, report.quarantined) for report in taken[1]] == [("accepted", {}), ("accepted", {})]
    assert ask(taken, "SELECT count(*) FROM lake.orders") == ask(raw, "SELECT count(*) FROM orders") == [(8135,)]


def test_statuses_match_the_source_words(taken: tuple[Lake, list[Report]], raw: duckdb.DuckDBPyConnection) -> None:
    """A word counts unless instants say more; `invoiced` and `processing` are approved, `unavailable` is cancelled."""
    counts = dict(ask(taken, "SELECT status, count(*) FROM lake.orders GROUP BY 1"))
    words = dict(ask(raw, "SELECT order_status, count(*) FROM orders GROUP BY 1"))
    assert counts["cancelled"] == words["canceled"] + words["unavailable"]
    assert counts["delivered"] == words["delivered"]
    assert counts["shipped"] == words["shipped"]
    assert counts["approved"] == words["approved"] + words["invoiced"] + words["processing"]
    assert counts["created"] == words["created"]


def test_late_by_calendar_day_is_342_of_the_delivered_orders(
    taken: tuple[Lake, list[Report]], raw: duckdb.DuckDBPyConnection
) -> None:
    late = f"delivered_at > promised_at AND inferred_milestones & {DELIVERED} = 0"
    by_day = "order_delivered_customer_date[:10] > order_estimated_delivery_date[:10] AND order_status = 'delivered'"
    expected = ask(raw, f"SELECT count(*) FROM orders WHERE {by_day}")
    assert ask(taken, f"SELECT count(*) FROM lake.orders WHERE status = 'delivered' AND {late}") == expected == [(342,)]


@pytest.mark.parametrize(
    ("earlier", "later", "raw_earlier", "raw_later", "count"),
    [
        ("approved", "shipped", "order_approved_at", "order_delivered_carrier_date", 77),
        ("shipped", "delivered", "order_delivered_carrier_date", "order_delivered_customer_date", 3),
        ("created", "shipped", "order_purchase_timestamp", "order_delivered_carrier_date", 3),
    ],
)
def test_impossible_pairs_are_marked_and_kept(
    taken: tuple[Lake, list[Report]],
    raw: duckdb.DuckDBPyConnection,
    earlier: str,
    later: str,
    raw_earlier: str,
    raw_later: str,
    count: int,
) -> None:
    bits = MILESTONE_BIT[earlier] | MILESTONE_BIT[later]
    marked = f"{later}_at < {earlier}_at AND impossible_milestones & {bits} = {bits} AND inferred_milestones & {bits} = 0"
    assert ask(taken, f"SELECT count(*) FROM lake.orders WHERE {marked}") == [(count,)]
    assert ask(raw, f"SELECT count(*) FROM orders WHERE {raw_later} < {raw_earlier}") == [(count,)]


def test_a_delivery_without_an_instant_is_inferred(taken: tuple[Lake, list[Report]], raw: duckdb.DuckDBPyConnection) -> None:
    missing = "order_status = 'delivered' AND order_delivered_customer_date IS NULL"
    expected = ask(raw, f"SELECT count(*) FROM orders WHERE {missing}")
    assert ask(taken, f"SELECT count(*) FROM lake.orders WHERE inferred_milestones & {DELIVERED} <> 0") == expected == [(8,)]


def test_every_cancellation_is_inferred(taken: tuple[Lake, list[Report]]) -> None:
    bit = MILESTONE_BIT["cancelled"]
    assert ask(taken, f"SELECT count(*) FROM lake.orders WHERE status = 'cancelled' AND inferred_milestones & {bit} = 0") == [
        (0,)
    ]


def test_states_and_amounts_are_not_multiplied_by_the_joins(
    taken: tuple[Lake, list[Report]], raw: duckdb.DuckDBPyConnection
) -> None:
    ours = "SELECT province_code, count(*), sum(amount)::DECIMAL(18,2) FROM lake.orders GROUP BY 1 ORDER BY 1"
    theirs = """
        SELECT 'BR-' || customer_state, count(*), sum(price)::DECIMAL(18,2)
        FROM orders JOIN customers USING (customer_id)
        LEFT JOIN (SELECT order_id, sum(price::DECIMAL(18,2)) AS price FROM order_items GROUP BY 1) USING (order_id)
        GROUP BY 1 ORDER BY 1"""
    assert ask(taken, ours) == ask(raw, theirs)


def test_median_stage_times_match_the_raw_instants(taken: tuple[Lake, list[Report]], raw: duckdb.DuckDBPyConnection) -> None:
    ours = (
        "SELECT quantile_cont(epoch(delivered_at) - epoch(shipped_at), [0.5, 0.9]) FROM lake.orders "
        f"WHERE inferred_milestones & {DELIVERED} = 0 AND impossible_milestones & {DELIVERED | MILESTONE_BIT['shipped']} = 0"
    )
    columns = {"c": "purchase_timestamp", "a": "approved_at", "s": "delivered_carrier_date", "d": "delivered_customer_date"}
    local = ", ".join(f"order_{column}::TIMESTAMP AS {name}" for name, column in columns.items())
    sound = "coalesce(s >= a, true) AND coalesce(s >= c, true) AND d >= s AND coalesce(d >= a, true) AND d >= c"
    theirs = f"SELECT quantile_cont(epoch(d) - epoch(s), [0.5, 0.9]) FROM (SELECT {local} FROM orders) WHERE {sound}"
    assert ask(taken, ours) == ask(raw, theirs)


def test_reviews_of_one_and_two_stars_are_the_complaints(
    taken: tuple[Lake, list[Report]], raw: duckdb.DuckDBPyConnection
) -> None:
    expected = ask(raw, "SELECT count(DISTINCT review_id || order_id) FROM order_reviews WHERE review_score IN ('1', '2')")
    assert ask(taken, "SELECT count(*) FROM lake.order_complaints") == expected


def test_zip_prefixes_keep_their_zero_so_places_are_found(taken: tuple[Lake, list[Report]]) -> None:
    placed, total = ask(taken, "SELECT count(latitude), count(*) FROM lake.orders WHERE province_code = 'BR-SP'")[0]
    assert placed > 0.99 * total


def test_taking_the_set_in_again_is_a_duplicate(taken: tuple[Lake, list[Report]]) -> None:
    contract = read_contract(SHIPPED_CONTRACTS / "brazil_marketplace.yaml")
    assert ingest(taken[0], contract, find_units(contract, [Path(FOLDER)])[0], now=NOW).state == "duplicate"
