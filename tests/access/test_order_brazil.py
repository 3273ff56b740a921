"""The twin of real orders of the Brazilian marketplace set against its raw files."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from access.order_twin import LEAST_COMPARABLE
from access.reading import Reading
from access.user import User
from access.view import View, open_view
from config import ROOT, read_settings
from data.contract import SHIPPED_CONTRACTS, read_contract
from data.ingest import find_units, ingest
from data.lake import Lake
from queries.listing import Listing

FOLDER = ROOT.parent / "shared" / "real" / "brazil"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
ZONE = timezone(timedelta(hours=-3))
"""As the contract reads the published clock readings: UTC-3 all year."""
MILESTONES = {
    "created_at": "order_purchase_timestamp",
    "approved_at": "order_approved_at",
    "shipped_at": "order_delivered_carrier_date",
    "delivered_at": "order_delivered_customer_date",
}
EVERY = 400
"""Every so many orders one is compared: a few dozen."""

pytestmark = pytest.mark.skipif(not FOLDER.exists(), reason="the real orders are not on this machine: ../shared/real/brazil")


@pytest.fixture(scope="module")
def brazil(tmp_path_factory: pytest.TempPathFactory) -> Iterator[View]:
    """A manager's view of the whole set."""
    settings = read_settings({}, home=tmp_path_factory.mktemp("brazil") / "home", memory_limit="1GB")
    contract = read_contract(SHIPPED_CONTRACTS / "brazil_marketplace.yaml")
    with Lake.open_writer(settings) as lake:
        for unit in find_units(contract, [FOLDER]):
            ingest(lake, contract, unit, now=NOW)
    reading = Reading(settings)
    user = User(name="x", display_name="X", role="manager")
    yield open_view(reading, user, {}, now=NOW, language="en", stays_valid=lambda: None)
    reading.close()


def _raw(name: str) -> list[dict[str, str]]:
    with Path(FOLDER / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _instant(text: str) -> datetime | None:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE).astimezone(UTC) if text else None


def test_real_orders_show_what_their_raw_rows_say(brazil: View) -> None:
    rows = _raw("olist_orders_dataset.csv")[::EVERY]
    states = {row["customer_id"]: row["customer_state"] for row in _raw("olist_customers_dataset.csv")}
    items = _raw("olist_order_items_dataset.csv")
    (channel,) = brazil.count_orders_by(Listing(), "channel")["channel"].to_list()
    assert len(rows) > 20
    for raw in rows:
        twin = brazil.read_order(channel, raw["order_id"])
        assert twin is not None, raw
        inferred = {name for name in MILESTONES if twin.order[f"{name.removesuffix('_at')}_inferred"]}
        told = {name: _instant(raw[column]) for name, column in MILESTONES.items() if name not in inferred}
        assert {name: twin.order[name] for name in told} == told, raw
        assert twin.order["province_code"] == f"BR-{states[raw['customer_id']]}"
        lines = [item for item in items if item["order_id"] == raw["order_id"]]
        assert (twin.order["line_count"] or 0) == len(lines)
        for passage in twin.passages:
            assert passage.usual is None or passage.usual.n >= LEAST_COMPARABLE
            if passage.seconds is not None and passage.closed_at and passage.opened_at:
                assert passage.seconds == (passage.closed_at - passage.opened_at).total_seconds() >= 0
