"""Building blocks for intake tests: a home, a contract from a dictionary, a CSV from rows, and the table's fingerprint."""

from __future__ import annotations

import csv
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from config import Settings, read_settings
from data.contract import Contract, parse_contract
from data.erase import find_bytes
from data.ingest import Report, ingest
from data.lake import Lake
from data.merge import ORDERS

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PLAIN: dict[str, Any] = {
    "source": "shop",
    "owner": "shop@example.com",
    "reader": {"path": "*.csv"},
    "time_zone": "UTC",
    "as_of": {"from": "file_name", "pattern": r"(\d{8}T\d{6})", "format": "%Y%m%dT%H%M%S"},
    "columns": {
        "order_id": "id",
        "channel": "'web'",
        "created_at": "created",
        "amount": "amount",
        "shipped_at": "shipped",
        "delivered_at": "delivered",
    },
}
HEADER = ("id", "created", "amount", "shipped", "delivered")


def contract_of(**changes: Any) -> Contract:
    """The plain contract with some keys replaced."""
    return parse_contract(yaml.safe_dump(PLAIN | changes, allow_unicode=True))


def write_csv(path: Path, rows: Sequence[Sequence[str]], header: Sequence[str] = HEADER) -> Path:
    """A comma-separated UTF-8 file with a header."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def home(folder: Path) -> Settings:
    """Settings of a fresh home."""
    return read_settings({}, home=folder / "home", memory_limit="512MB", threads=1)


def take_in(lake: Lake, contract: Contract, path: Path) -> Report:
    """One file's intake at the tests' fixed instant."""
    return ingest(lake, contract, (path,), now=NOW)


def table(lake: Lake) -> list[tuple[Any, ...]]:
    """Every order with every canonical and derived column but the snapshot that changed it, in key order."""
    names = [
        *ORDERS.names,
        "inferred_milestones",
        "mapped_milestones",
        "impossible_milestones",
        "status",
        "open_until_at",
        "settled_at",
    ]
    columns = ", ".join(f"{name}::VARCHAR" for name in names)
    return lake.cursor().execute(f"SELECT {columns} FROM lake.orders ORDER BY channel, order_id").fetchall()


def traces(settings: Settings, texts: Sequence[str]) -> list[str]:
    """Files of the home, but those still to come, that hold one of the texts: as bytes, as rows of Parquet or of a database."""
    found = [str(file) for file in find_bytes(settings.home, texts)]
    for file in settings.home.rglob("*.parquet"):
        frame = pl.read_parquet(file)
        rows = "\n".join(str(row) for row in frame.rows())
        found += [str(file) for text in texts if text in rows]
    for file in settings.home.rglob("*.sqlite"):
        with closing(sqlite3.connect(file)) as database:
            dump = "\n".join(database.iterdump())
        found += [str(file) for text in texts if text in dump]
    return found
