"""Tables of a real PostgreSQL server, started for these tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from config import Settings
from data.contract import Contract, Reader, parse_contract
from data.ingest import Report, find_units, ingest
from data.lake import Lake
from data.sources import SourceError, fetch_table
from tests.data.intake import NOW
from tests.postgres import postgres_server

CONTRACT = """
source: erp
kind: orders
owner: erp@example.com
reader: {format: postgres, connection: ERP_DATABASE, table: sales.orders}
time_zone: Asia/Shanghai
as_of: {from: column, column: updated_at}
columns:
  order_id: order_no
  channel: "'erp'"
  created_at: created_at
  shipped_at: shipped_at
  amount: amount
"""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A fresh server's connection string, on loopback, with a password."""
    with postgres_server() as running:
        yield running.text


@pytest.fixture
def erp(server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[psycopg.Connection]:
    """A connection to a database with the table sales.orders, its string in ERP_DATABASE."""
    monkeypatch.setenv("ERP_DATABASE", server)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS sales CASCADE; CREATE SCHEMA sales")
        connection.execute(
            "CREATE TABLE sales.orders (order_no text, amount numeric(12,2), created_at timestamp, "
            "shipped_at timestamptz, updated_at timestamptz)"
        )
        connection.execute(
            "INSERT INTO sales.orders VALUES "
            "('000123', 12.50, '2026-01-05 10:00:00', NULL, '2026-01-05 02:10:00Z'), "
            "('000124', 8.00, '2026-01-05 10:05:00', '2026-01-05 11:00:00+01', '2026-01-05 10:30:00Z')"
        )
        yield connection


@pytest.fixture
def contract() -> Contract:
    return parse_contract(CONTRACT)


def take(settings: Settings, contract: Contract) -> Report:
    with Lake.open_writer(settings) as lake:
        return ingest(lake, contract, find_units(contract, [])[0], now=NOW)


def orders(settings: Settings) -> list[tuple[object, ...]]:
    lake = Lake.open_reader(settings)
    query = "SELECT order_id, amount::VARCHAR, created_at::VARCHAR, shipped_at::VARCHAR FROM lake.orders ORDER BY 1"
    return lake.cursor().execute(query).fetchall()


def test_a_table_comes_in_with_its_zones_and_zeros(erp: psycopg.Connection, settings: Settings, contract: Contract) -> None:
    report = take(settings, contract)
    assert (report.state, report.accepted_count, report.name) == ("accepted", 2, "sales.orders")
    assert orders(settings) == [
        ("000123", "12.5000", "2026-01-05 02:00:00+00", None),
        ("000124", "8.0000", "2026-01-05 02:05:00+00", "2026-01-05 10:00:00+00"),
    ]


def test_the_same_rows_are_a_duplicate_and_a_changed_row_is_not(
    erp: psycopg.Connection, settings: Settings, contract: Contract
) -> None:
    assert take(settings, contract).state == "accepted"
    erp.execute("CREATE TABLE sales.other AS SELECT * FROM sales.orders ORDER BY order_no DESC")
    erp.execute("TRUNCATE sales.orders; INSERT INTO sales.orders SELECT * FROM sales.other")
    assert take(settings, contract).state == "duplicate"
    erp.execute("UPDATE sales.orders SET shipped_at = updated_at, updated_at = '2026-01-06Z' WHERE order_no = '000123'")
    report = take(settings, contract)
    assert (report.state, report.changed_count) == ("accepted", 1)


def test_a_view_reads_like_a_table(erp: psycopg.Connection, tmp_path: Path) -> None:
    erp.execute("CREATE VIEW sales.open AS SELECT order_no FROM sales.orders WHERE shipped_at IS NULL")
    reader = Reader(format="postgres", connection="ERP_DATABASE", table="open")
    assert "000123" in fetch_table(reader, tmp_path, os.environ).read_text(encoding="utf-8")


def test_the_source_is_never_written_to(erp: psycopg.Connection, tmp_path: Path) -> None:
    erp.execute("CREATE SEQUENCE sales.numbers; CREATE VIEW sales.writes AS SELECT nextval('sales.numbers') AS n")
    with pytest.raises(SourceError, match="read-only"):
        fetch_table(Reader(format="postgres", connection="ERP_DATABASE", table="sales.writes"), tmp_path, os.environ)


def test_a_missing_table_is_named_with_the_nearest(erp: psycopg.Connection, settings: Settings) -> None:
    report = take(settings, parse_contract(CONTRACT.replace("sales.orders", "sales.order")))
    assert (report.state, report.reason) == ("refused", "there is no table 'sales.order': did you mean 'sales.orders'?")


@pytest.mark.parametrize("change", [("owner", "nobody"), ("127.0.0.1", "127.0.0.2"), ("dbname=postgres", "dbname=none")])
def test_a_connection_that_fails_never_shows_its_string(
    server: str, settings: Settings, contract: Contract, change: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ERP_DATABASE", server.replace(*change))
    report = take(settings, contract)
    assert report.state == "refused"
    assert "ERP_DATABASE" in report.reason
    assert "pass" not in report.reason.replace("password authentication", "").replace("password=…", "")


def test_a_variable_that_is_not_set_is_named(tmp_path: Path) -> None:
    reader = Reader(format="mysql", connection="SHOP_DATABASE", table="orders")
    with pytest.raises(SourceError, match="'SHOP_DATABASE' is not set"):
        fetch_table(reader, tmp_path, {})


@pytest.mark.parametrize(
    "secret", ["host=127.0.0.1 port=1 user=u password=hidden-word database=d", "mysql://u:hidden-word@127.0.0.1:1/d"]
)
def test_a_mysql_server_out_of_reach_is_refused_without_its_password(tmp_path: Path, secret: str) -> None:
    reader = Reader(format="mysql", connection="SHOP_DATABASE", table="orders")
    with pytest.raises(SourceError, match="SHOP_DATABASE") as refusal:
        fetch_table(reader, tmp_path, {"SHOP_DATABASE": secret})
    assert "hidden-word" not in str(refusal.value)


def test_a_contract_never_holds_the_connection_itself() -> None:
    with pytest.raises(ValueError, match="name of an environment variable") as fault:
        parse_contract(CONTRACT.replace("ERP_DATABASE", "'host=db password=hidden-word'"))
    assert "hidden-word" not in str(fault.value)
