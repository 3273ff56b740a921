"""A country in which everything outside East China carries the word `zulu`: whoever may see East only must never meet it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from access.audit import LOCAL
from access.reading import Reading
from access.store import open_store
from access.user import Role, User, add_user
from config import Settings, read_settings
from data.ingest import ingest
from data.lake import Lake
from tests.data.intake import contract_of, write_csv

AS_OF = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
MARK = "zulu"
EAST = "CN-EAST"

ORDERS = ("id", "channel", "province", "city", "warehouse", "wave", "carrier", "category", "tier", "exception")
INSTANTS = ("created", "paid", "approved", "shipped", "promised", "delivered")
COLUMNS = {
    "order_id": "id",
    "channel": "channel",
    "province_code": "province",
    "city": "city",
    "warehouse_id": "warehouse",
    "wave_id": "wave",
    "carrier_id": "carrier",
    "category": "category",
    "customer_tier": "tier",
    "exception_code": "exception",
    "promised_at": "promised",
} | {f"{name}_at": name for name in ("created", "paid", "approved", "shipped", "delivered")}


def _orders(hours: int) -> Iterator[tuple[str, ...]]:
    """Per hour three orders of East and three of elsewhere; every third late, every fourth in trouble."""
    for hour in range(hours):
        for number in range(6):
            mark = "" if number < 3 else MARK
            province = ("CN-SH", "CN-JS", "CN-ZJ", "CN-GD", "CN-BJ", "CN-SC")[number]
            created = AS_OF - timedelta(hours=hours - hour - 0.5)
            spans = (0, 1, 3, 8 if number % 3 else 30, 20, 26 if number % 3 else 60)
            instants = [created + timedelta(hours=span) for span in spans]
            texts = [at.isoformat() if place == 4 or at <= AS_OF else "" for place, at in enumerate(instants)]
            words = [f"{mark}{word}" for word in ("city", f"WH-{number % 2}", f"wave-{hour % 3}", "carrier", "goods", "tier")]
            channel = f"{mark}shop" if number == 5 else "jd"
            exception = f"{mark}held" if mark and hour % 4 == 0 else "held" if hour % 4 == 0 else ""
            yield (f"{mark}{hour:03d}{number}", channel, province, *words, exception, *texts)


def _attached(kind: str) -> Iterator[tuple[str, ...]]:
    for hour in range(0, 40, 5):
        for number in (0, 4):
            mark = "" if number < 3 else MARK
            at = AS_OF - timedelta(hours=40 - hour)
            word = {"returns": "refund", "complaints": "delay", "events": f"{mark}actor"}[kind]
            yield (f"{mark}{kind}{hour}{number}", f"{mark}{hour:03d}{number}", "jd", word, at.isoformat(), f"{mark}place")


ATTACHED = {
    "returns": {"return_id": "id", "kind": "word", "requested_at": "at"},
    "complaints": {"complaint_id": "id", "kind": "word", "created_at": "at"},
    "events": {"event_id": "id", "actor": "word", "occurred_at": "at", "place": "place", "system": "'oms'", "step": "'seen'"},
}

USERS: tuple[tuple[str, Role, tuple[str, ...]], ...] = (
    ("boss", "manager", ()),
    ("root", "admin", ()),
    ("all", "analyst", ("*",)),
    ("east", "lead", (EAST,)),
    ("south", "lead", ("CN-SOUTH",)),
    ("part", "analyst", (EAST,)),
)


def fill(folder: Path) -> Settings:
    """A home with that country (two snapshots of orders, then returns, complaints, events) and its users."""
    settings = read_settings({}, home=folder / "home", memory_limit="512MB", threads=1, demo=False)
    with Lake.open_writer(settings) as lake:
        for stamp, hours in ((AS_OF - timedelta(hours=1), 30), (AS_OF, 48)):
            path = write_csv(folder / f"orders_{stamp:%Y%m%dT%H%M%S}.csv", list(_orders(hours)), ORDERS + INSTANTS)
            report = ingest(lake, contract_of(columns=COLUMNS), (path,), now=AS_OF)
            assert report.state == "accepted", report
        for kind, columns in ATTACHED.items():
            header = ("id", "order", "channel", "word", "at", "place")
            path = write_csv(folder / f"{kind}_{AS_OF:%Y%m%dT%H%M%S}.csv", list(_attached(kind)), header)
            mapped = columns | {"order_id": "order", "channel": "channel"}
            contract = contract_of(source=f"shop_{kind}", kind=kind, columns=mapped)
            report = ingest(lake, contract, (path,), now=AS_OF)
            assert report.state == "accepted", report
    store = open_store(settings)
    for name, role, regions in USERS:
        add_user(store, User(name=name, display_name=name, role=role, regions=regions), password_hash="x", now=AS_OF, by=LOCAL)
    store.dispose()
    return settings


@pytest.fixture(scope="session")
def country(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The filled home."""
    return fill(tmp_path_factory.mktemp("country"))


@pytest.fixture
def reading(country: Settings) -> Iterator[Reading]:
    """A reading of it with an empty cache."""
    opened = Reading(country)
    yield opened
    opened.close()
