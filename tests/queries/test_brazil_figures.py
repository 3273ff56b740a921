"""The Brazilian set: figures of the semantic layer against independent SQL over the raw files."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import duckdb
import pytest

from config import ROOT, Settings, read_settings
from data.contract import SHIPPED_CONTRACTS, read_contract
from data.ingest import find_units, ingest
from data.lake import Lake
from data.targets import read_targets
from queries.build import build
from queries.request import Words, parse_request
from queries.run import run
from queries.scope import Scope

RAW = ROOT.parent / "shared" / "real" / "brazil"
pytestmark = pytest.mark.skipif(
    not RAW.exists(), reason="the real Brazilian set is not beside the repository (../shared/real/brazil)"
)

ORDERS = f"""(
    SELECT o.order_id, 'BR-' || c.customer_state AS province, order_status AS word,
        order_purchase_timestamp::TIMESTAMP AS created, order_approved_at::TIMESTAMP AS approved,
        order_delivered_carrier_date::TIMESTAMP AS shipped, order_delivered_customer_date::TIMESTAMP AS delivered,
        order_estimated_delivery_date::DATE AS promised,
        (approved < created OR shipped < created OR delivered < created) AS bad_created,
        (approved < created OR shipped < approved OR delivered < approved) AS bad_approved,
        (shipped < created OR shipped < approved OR delivered < shipped) AS bad_shipped,
        (delivered < created OR delivered < approved OR delivered < shipped) AS bad_delivered
    FROM read_csv('{RAW}/olist_orders_dataset.csv', all_varchar = true) AS o
    JOIN read_csv('{RAW}/olist_customers_dataset.csv', all_varchar = true) AS c USING (customer_id))"""
ITEMS = f"read_csv('{RAW}/olist_order_items_dataset.csv', all_varchar = true)"
NEWEST = f"(SELECT max(created) FROM {ORDERS})"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return read_settings({}, home=tmp_path_factory.mktemp("brazil"), time_zone="Etc/GMT+3")


@pytest.fixture(scope="module")
def lake(settings: Settings) -> Iterator[Lake]:
    contract = read_contract(SHIPPED_CONTRACTS / "brazil_marketplace.yaml")
    with Lake.open_writer(settings) as writer:
        ingest(writer, contract, find_units(contract, [RAW])[0], now=datetime(2026, 1, 1, tzinfo=UTC))
        yield writer


def _ask(lake: Lake, settings: Settings, *metrics: str, **words: Any) -> list[dict[str, Any]]:
    head = lake.head()
    assert head.as_of is not None
    request = parse_request(Words(metrics=metrics, **words), as_of=head.as_of, zone=settings.zone)
    statement = build(
        request.query,
        scope=Scope.ALL,
        snapshot=head.snapshot_id,
        version=lake.version_of(head.snapshot_id),
        as_of=head.as_of,
        zone=settings.zone,
        targets=read_targets(settings),
    )
    return run(lake, statement).to_dicts()


def _raw(sql: str) -> list[tuple[Any, ...]]:
    return duckdb.connect().execute(sql).fetchall()


def _pairs(rows: list[dict[str, Any]], dimension: str, metric: str) -> dict[Any, Any]:
    return {row[dimension]: pytest.approx(row[metric], rel=1e-9, nan_ok=True) for row in rows}


def test_orders_by_status(lake: Lake, settings: Settings) -> None:
    words = {"canceled": "cancelled", "unavailable": "cancelled", "invoiced": "approved", "processing": "approved"}
    expected: dict[str, int] = {}
    for word, count in _raw(f"SELECT word, count(*) FROM {ORDERS} GROUP BY 1"):
        expected[words.get(word, word)] = expected.get(words.get(word, word), 0) + count
    assert {row["status"]: row["order_count"] for row in _ask(lake, settings, "order_count", by=["status"])} == expected


@pytest.mark.parametrize("by", ["", "province"])
def test_delivered_on_time_rate(lake: Lake, settings: Settings, by: str) -> None:
    group = by or "'all'"
    expected = dict(
        _raw(
            f"SELECT {group}, avg((delivered::DATE <= promised)::INTEGER) FROM {ORDERS} "
            "WHERE word = 'delivered' AND delivered IS NOT NULL GROUP BY 1"
        )
    )
    found = _ask(lake, settings, "delivered_on_time_rate", by=[by] if by else [])
    assert {
        row.get(by or "", "all"): row["delivered_on_time_rate"] for row in found if row["delivered_on_time_rate_n"]
    } == pytest.approx(expected)


def test_late_deliveries_by_calendar_day_are_342(lake: Lake, settings: Settings) -> None:
    (row,) = _ask(lake, settings, "delivered_on_time_rate")
    assert round((1 - row["delivered_on_time_rate"]) * row["delivered_on_time_rate_n"]) == 342


@pytest.mark.parametrize("by", ["", "province"])
def test_on_time_rate_of_orders_promised(lake: Lake, settings: Settings, by: str) -> None:
    group = by or "'all'"
    expected = dict(
        _raw(
            f"SELECT {group}, avg(coalesce((delivered::DATE <= promised)::INTEGER, 0)) FROM {ORDERS} "
            f"WHERE word NOT IN ('canceled', 'unavailable') AND promised < {NEWEST}::DATE GROUP BY 1"
        )
    )
    found = _ask(lake, settings, "on_time_rate", by=[by] if by else [])
    assert {row.get(by or "", "all"): row["on_time_rate"] for row in found if row["on_time_rate_n"]} == pytest.approx(expected)


STAGE_ENDS = {"approved": ("created", "approved"), "shipped": ("approved", "shipped"), "delivered": ("shipped", "delivered")}


@pytest.mark.parametrize("by", ["", "province"])
@pytest.mark.parametrize("share", ["p50", "p90"])
@pytest.mark.parametrize("stage", sorted(STAGE_ENDS))
def test_dwell_of_each_stage(lake: Lake, settings: Settings, stage: str, share: str, by: str) -> None:
    start, end = STAGE_ENDS[stage]
    expected = dict(
        _raw(
            f"SELECT {by or 'NULL'}, quantile_cont(epoch({end} - {start}), {int(share[1:]) / 100}) FROM {ORDERS} "
            f"WHERE {start} IS NOT NULL AND {end} IS NOT NULL "
            f"AND NOT coalesce(bad_{start}, false) AND NOT coalesce(bad_{end}, false) GROUP BY 1"
        )
    )
    found = _ask(lake, settings, f"dwell_seconds_{share}", by=["stage", *([by] if by else [])], where=[f"stage={stage}"])
    assert {row.get(by): row[f"dwell_seconds_{share}"] for row in found} == pytest.approx(expected)


def test_late_rate_by_month_of_delivery(lake: Lake, settings: Settings) -> None:
    expected = _raw(
        f"SELECT strftime(date_trunc('month', delivered), '%Y-%m-%d'), strftime(last_day(delivered), '%Y-%m-%d'), "
        f"avg((delivered::DATE <= promised)::INTEGER), count(*) FROM {ORDERS} WHERE word = 'delivered' AND delivered IS NOT NULL GROUP BY 1, 2"
    )
    assert len(expected) > 12
    for first, last, rate, count in expected:
        (row,) = _ask(lake, settings, "delivered_on_time_rate", window=f"{first}..{last}")
        assert (row["delivered_on_time_rate"], row["delivered_on_time_rate_n"]) == (pytest.approx(rate), count)


def test_worst_lanes(lake: Lake, settings: Settings) -> None:
    items = f"(SELECT order_id, arg_min(seller_id, order_item_id::INTEGER) AS seller FROM {ITEMS} GROUP BY 1)"
    expected = _raw(
        f"SELECT seller, province, count(*), count(*) FILTER (delivered::DATE > promised) FROM {ORDERS} JOIN {items} USING (order_id) "
        "WHERE word = 'delivered' AND delivered IS NOT NULL GROUP BY 1, 2"
    )
    found = _ask(lake, settings, "delivered_on_time_rate", by=["warehouse", "province"])
    counted = {
        (row["warehouse"], row["province"]): (
            row["delivered_on_time_rate_n"],
            round((1 - row["delivered_on_time_rate"]) * row["delivered_on_time_rate_n"]),
        )
        for row in found
        if row["warehouse"] and row["delivered_on_time_rate_n"]
    }
    assert counted == {(seller, province): (count, late) for seller, province, count, late in expected}


def test_order_amount_and_freight_of_a_state(lake: Lake, settings: Settings) -> None:
    (found,) = _ask(lake, settings, "order_amount", by=["province"], where=["province=BR-RJ"])
    items = f"(SELECT order_id, sum(price::DECIMAL(18,2)) AS price FROM {ITEMS} GROUP BY 1)"
    ((expected,),) = _raw(f"SELECT sum(price) FROM {ORDERS} JOIN {items} USING (order_id) WHERE province = 'BR-RJ'")
    assert float(found["order_amount"]) == pytest.approx(float(expected))
