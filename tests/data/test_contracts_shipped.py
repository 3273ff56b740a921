"""The shipped contracts: each loads, and each template takes in a small export of its kind from end to end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from data.contract import SHIPPED_CONTRACTS, load_contracts, read_contract
from data.ingest import Report, find_units, ingest
from data.lake import Lake
from data.order import MILESTONE_BIT
from tests.data.intake import home

NOW = datetime(2026, 3, 10, tzinfo=UTC)
TEMPLATES = (
    "generic_orders",
    "oms",
    "wms",
    "tms",
    "status_only",
    "event_log",
    "shopify_orders",
    "brazil_marketplace",
    "brazil_reviews",
)


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Lake]:
    with Lake.open_writer(home(tmp_path)) as opened:
        yield opened


def take(lake: Lake, template: str, path: Path, text: str) -> Report:
    """The report of one file's intake with a shipped contract."""
    path.write_text(text, encoding="utf-8")
    contract = read_contract(SHIPPED_CONTRACTS / f"{template}.yaml")
    return ingest(lake, contract, find_units(contract, [path])[0], now=NOW)


def order(lake: Lake, order_id: str, *columns: str) -> tuple[Any, ...]:
    texts = ", ".join(f"{name}::VARCHAR" for name in columns)
    row = lake.cursor().execute(f"SELECT {texts} FROM lake.orders WHERE order_id = ?", [order_id]).fetchone()
    assert row is not None
    return row


def test_all_shipped_contracts_load_together_each_with_its_own_source() -> None:
    contracts = load_contracts(SHIPPED_CONTRACTS)
    assert len(contracts) == len(list(SHIPPED_CONTRACTS.glob("*.yaml")))
    assert not {c.source for name, c in contracts.items() if "demo" in name} & set(TEMPLATES)


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_template_says_what_it_is_and_explains_itself(template: str) -> None:
    text = (SHIPPED_CONTRACTS / f"{template}.yaml").read_text(encoding="utf-8")
    assert text.startswith("# ")
    assert set(yaml.safe_load(text)["description"]) == {"en", "zh-CN"}


def test_a_generic_csv_comes_in(lake: Lake, tmp_path: Path) -> None:
    header = (
        "order_id,channel,business_type,country,province,city,warehouse,carrier,category,quantity,amount,currency,freight,"
        "promised_at,created_at,paid_at,shipped_at,delivered_at,cancelled_at,note\n"
    )
    rows = (
        "0001,jd,b2c,CN,广东省,深圳,WH1,SF,books,2,59.90,CNY,6,2026-03-03 23:59:59,2026-03-01 10:00:00,2026-03-01 10:01:00,,,,x\n"
        "0002,jd,b2c,CN,Shanghai,,WH1,-,books,1,NULL,CNY,,2026-03-03,2026-03-01 11:00:00,,,,2026-03-01 12:00:00,\n"
    )
    report = take(lake, "generic_orders", tmp_path / "orders_1.csv", header + rows)
    assert (report.state, report.accepted_count, report.notices[0].rpartition(": ")[2]) == ("accepted", 2, "note")
    columns = ("province_code", "region_code", "amount", "carrier_id", "status", "created_at")
    assert order(lake, "0001", *columns) == ("CN-GD", "CN-SOUTH", "59.9000", "SF", "paid", "2026-03-01 02:00:00+00")
    assert order(lake, "0002", *columns) == ("CN-SH", "CN-EAST", None, None, "cancelled", "2026-03-01 03:00:00+00")


def test_three_partial_sources_make_one_order(lake: Lake, tmp_path: Path) -> None:
    oms = (
        "order_no,shop,biz_type,province,city,category,item_lines,item_qty,amount_fen,member_level,priority,hold_code,"
        "promise_time,create_time,pay_time,audit_time,allocate_time,cancel_time\n"
        "A1,TMALL,b2c,浙江省,杭州,books,1,2,5990,vip,normal,,2026-03-03 20:00:00,2026-03-01 10:00:00,2026-03-01 10:01:00,"
        "2026-03-01 10:05:00,2026-03-01 10:06:00,\n"
    )
    wms = (
        "outbound_order|shop|warehouse|wave|accept_date|accept_time|picked|packed|handed_over\n"
        "A1|TMALL|WH-SHA|W7|2026-03-01|10:20:00|2026-03-01 11:00:00|2026-03-01 11:30:00|2026-03-01 14:00:00\n"
    )
    line = {"order_ref": "A1", "shop": "tmall", "reported_at": "2026-03-02T05:00:00Z", "carrier": "SF", "failed_attempts": 1}
    tms = line | {"out_for_delivery": "2026-03-02T09:00:00+08:00", "signed": None, "freight": {"amount": 7.5}}
    assert take(lake, "tms", tmp_path / "tms_delivery_1.jsonl", json.dumps(tms) + "\n").state == "accepted"
    assert take(lake, "wms", tmp_path / "wms_picking_20260301T070000Z.csv", wms).state == "accepted"
    assert take(lake, "oms", tmp_path / "oms_orders_20260301T060000Z.csv", oms).state == "accepted"
    columns = ("channel", "amount", "warehouse_id", "carrier_id", "freight_cost", "accepted_at", "out_for_delivery_at", "status")
    assert order(lake, "A1", *columns) == (
        "tmall", "59.9000", "WH-SHA", "SF", "7.5000", "2026-03-01 02:20:00+00", "2026-03-02 01:00:00+00", "out_for_delivery",
    )  # fmt: skip
    assert lake.cursor().execute("SELECT count(*) FROM lake.orders").fetchone() == (1,)


def test_a_status_export_infers_milestones_from_the_first_sighting(lake: Lake, tmp_path: Path) -> None:
    header = "number;platform;province;amount;status\n"
    first, second = tmp_path / "status_20260301_0900.csv", tmp_path / "status_20260301_1200.csv"
    assert (
        take(lake, "status_only", first, f"{header}1;web;北京;5;New\n2;tmall;北京;5;已发货\n3;web;北京;5;payd\n").accepted_count
        == 2
    )
    take(lake, "status_only", second, f"{header}1;web;北京;5;sent\n2;tmall;北京;5;交易成功\n")
    columns = ("created_at", "shipped_at", "delivered_at", "status", "inferred_milestones")
    nine, noon = "2026-03-01 01:00:00+00", "2026-03-01 04:00:00+00"
    created, shipped, delivered = (MILESTONE_BIT[name] for name in ("created", "shipped", "delivered"))
    assert order(lake, "1", *columns) == (nine, noon, None, "shipped", str(created | shipped))
    assert order(lake, "2", *columns) == (nine, nine, noon, "delivered", str(created | shipped | delivered))
    assert lake.cursor().execute("SELECT line, value, reason FROM lake.quarantine").fetchall() == [
        (4, "payd", 'is not in the contract\'s status map: did you mean "paid"?')
    ]


def test_an_event_log_becomes_a_trail_and_dates_the_order(lake: Lake, tmp_path: Path) -> None:
    def event(number: int, word: str, at: str) -> str:
        return json.dumps(
            {"order": "7", "channel": "web", "id": f"e{number}", "event": word, "at": at, "system": "erp", "recorded_ms": 1500}
        )

    lines = [event(1, "Order placed", "2026-03-01T10:00:00Z"), event(2, "note added", "2026-03-01T10:30:00Z")]
    lines += [event(3, "parcel handed over", "2026-03-01T12:00:00Z"), event(5, "parcel handed over", "2026-03-01T11:00:00Z")]
    lines += [event(4, "parcel lost", "2026-03-01T13:00:00Z")]
    text = "\n".join(line[:-1] + ', "by": "", "place": ""}' for line in lines) + "\n"
    report = take(lake, "event_log", tmp_path / "events_1.jsonl", text)
    assert (report.state, report.accepted_count) == ("accepted", 4)
    assert order(lake, "7", "created_at", "shipped_at", "status") == (
        "2026-03-01 10:00:00+00",
        "2026-03-01 12:00:00+00",
        "shipped",
    )
    trail = lake.cursor().execute("SELECT event_id, milestone, latency_seconds FROM lake.order_events ORDER BY 1").fetchall()
    assert trail == [("e1", "created", 1.5), ("e2", None, 1.5), ("e3", "shipped", 1.5), ("e5", "shipped", 1.5)]


SHOPIFY_HEADER = """
Name,Email,Financial Status,Paid at,Fulfillment Status,Fulfilled at,Accepts Marketing,Currency,Subtotal,Shipping,Taxes,Total,
Discount Code,Discount Amount,Shipping Method,Created at,Lineitem quantity,Lineitem name,Lineitem price,
Lineitem compare at price,Lineitem sku,Lineitem requires shipping,Lineitem taxable,Lineitem fulfillment status,Billing Name,
Billing Street,Billing Address1,Billing Address2,Billing Company,Billing City,Billing Zip,Billing Province,Billing Country,
Billing Phone,Shipping Name,Shipping Street,Shipping Address1,Shipping Address2,Shipping Company,Shipping City,Shipping Zip,
Shipping Province,Shipping Country,Shipping Phone,Notes,Note Attributes,Cancelled at,Payment Method,Payment Reference,
Refunded Amount,Vendor,Outstanding Balance,Employee,Location,Device ID,Id,Tags,Risk Level,Source,Lineitem discount,Tax 1 Name,
Tax 1 Value,Tax 2 Name,Tax 2 Value,Tax 3 Name,Tax 3 Value,Tax 4 Name,Tax 4 Value,Tax 5 Name,Tax 5 Value,Phone,Receipt Number
"""
SHOPIFY_COLUMNS = SHOPIFY_HEADER.replace("\n", "").split(",")


def shopify_line(**cells: str) -> str:
    named = {name.replace("_", " "): value for name, value in cells.items()}
    assert not set(named) - set(SHOPIFY_COLUMNS)
    return ",".join(named.get(name, "") for name in SHOPIFY_COLUMNS)


def test_a_shopify_export_collapses_its_line_items(lake: Lake, tmp_path: Path) -> None:
    place = {"Shipping_City": "Portland", "Shipping_Province": "OR", "Shipping_Country": "US", "Shipping": "4.90"}
    paid = {"Financial_Status": "paid", "Paid_at": "2026-03-01 10:05:00 -0800", "Created_at": "2026-03-01 10:00:00 -0800"}
    sent = {"Fulfillment_Status": "fulfilled", "Fulfilled_at": "2026-03-02 09:00:00 -0800"}
    back = {"Financial_Status": "refunded", "Created_at": "2026-03-01 11:00:00 -0800", "Fulfillment_Status": "unfulfilled"}
    lines = [
        ",".join(SHOPIFY_COLUMNS),
        shopify_line(Name="#1001", Total="54.90", Currency="USD", Lineitem_quantity="2", Id="555", **place, **paid, **sent),
        shopify_line(Name="#1001", Lineitem_quantity="1"),
        shopify_line(Name="#1002", Total="10.00", Currency="USD", Lineitem_quantity="1", **back),
    ]
    report = take(lake, "shopify_orders", tmp_path / "orders_export_1.csv", "\n".join(lines) + "\n")
    assert (report.state, report.accepted_count, report.quarantined) == ("accepted", 2, {})
    columns = ("line_count", "quantity", "amount", "province_code", "region_code", "created_at", "shipped_at", "status")
    assert order(lake, "#1001", *columns) == (
        "2", "3.0", "54.9000", "US-OR", "US-W", "2026-03-01 18:00:00+00", "2026-03-02 17:00:00+00", "shipped",
    )  # fmt: skip
    assert order(lake, "#1002", "status", "inferred_milestones") == ("refunded", str(MILESTONE_BIT["refunded"]))


def test_reviews_of_one_and_two_stars_become_complaints(lake: Lake, tmp_path: Path) -> None:
    text = (
        "review_id,order_id,review_score,review_comment_title,review_comment_message,review_creation_date,review_answer_timestamp\n"
        'r1,o1,1,,"Não chegou,\nainda",2018-08-15 00:00:00,2018-08-15 04:10:37\nr2,o2,5,,,2018-01-18 00:00:00,2018-01-18 19:12:30\n'
        "r1,o3,2,,,2018-08-15 00:00:00,2018-08-15 04:10:37\n"
    )
    report = take(lake, "brazil_reviews", tmp_path / "olist_order_reviews_dataset.csv", text)
    assert (report.state, report.accepted_count) == ("accepted", 2)
    rows = (
        lake.cursor()
        .execute("SELECT complaint_id, order_id, created_at::VARCHAR FROM lake.order_complaints ORDER BY 1")
        .fetchall()
    )
    assert rows == [("r1:o1", "o1", "2018-08-15 03:00:00+00"), ("r1:o3", "o3", "2018-08-15 03:00:00+00")]
