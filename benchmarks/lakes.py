"""Files and lakes of the demo country in any size, made once and kept: a second run finds them."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import duckdb
import yaml

from benchmarks.figure import BenchmarkError, Trial
from config import ROOT, Settings, read_settings
from data.contract import SHIPPED_CONTRACTS, Contract, parse_contract, read_contract
from data.demo.bulk import write_bulk
from data.demo.world import found_world
from data.ingest import Report, ingest
from data.lake import Lake
from data.sql_text import literal

END: Final = datetime(2026, 6, 10, 4, tzinfo=UTC)
"""The data's last instant, fixed: noon of an ordinary Wednesday in the demo country. Figures of any day compare."""

STAMP: Final = f"{END:%Y%m%dT%H%M%S}Z"
SEED: Final = 7
MEMORY_LIMIT: Final = "4GB"
BULK_CONTRACT: Final = SHIPPED_CONTRACTS / "demo_bulk.yaml"

MADE_BY_COUNTRY: Final = ("data/demo", "data/order.py", "benchmarks/lakes.py")
MADE_BY_INTAKE: Final = (*MADE_BY_COUNTRY, "data/lake.py", "data/merge.py", "data/contracts/demo_bulk.yaml")
"""What the kept files and lakes depend on: when it changes they are made again."""

RETURNS_SQL: Final = """
    SELECT 'R' || order_id AS return_no, channel AS shop, order_id AS order_no,
        CASE WHEN refunded_at IS NULL THEN 'exchange' ELSE 'refund' END AS kind,
        return_requested_at AS requested, returned_at AS received, coalesce(refunded_at, returned_at) AS closed
    FROM orders WHERE return_requested_at IS NOT NULL
"""
COMPLAINTS_SQL: Final = """
    SELECT 'C' || order_id AS complaint_no, channel AS shop, order_id AS order_no,
        ['missing_item', 'damaged', 'attitude', 'delay', 'wrong_item'][1 + (hash(order_id) % 5)::BIGINT] AS kind,
        delivered_at AS raised, NULL AS settled
    FROM orders WHERE delivered_at IS NOT NULL AND hash(order_id) % 250 = 0
"""
ATTACHED: Final = {"demo_crm_returns": RETURNS_SQL, "demo_crm_complaints": COMPLAINTS_SQL}


def orders_file(trial: Trial) -> Path:
    """One CSV of all the trial's orders, written when there is none yet."""
    folder = _folder(trial)
    path = folder / f"demo_bulk_{STAMP}.csv"
    with _made_once(folder / "orders.made", MADE_BY_COUNTRY) as is_due:
        if is_due:
            trial.say(f"writing {trial.orders:,} orders of {trial.days} days to one CSV")
            _write_orders(trial, path)
    return path


def _write_orders(trial: Trial, path: Path) -> None:
    days = path.with_name("days")
    shutil.rmtree(days, ignore_errors=True)
    with path.open("wb") as whole:
        files = write_bulk(days, orders=trial.orders, days=trial.days, seed=SEED, end=END)
        for number, file in enumerate(files):
            with file.open("rb") as day:
                header = day.readline()
                if number == 0:
                    whole.write(header)
                shutil.copyfileobj(day, whole, 1 << 20)
            file.unlink()
    days.rmdir()


def lake_home(trial: Trial) -> Settings:
    """The settings of a home with the trial's orders, returns and complaints; taken in when there is none yet."""
    path, folder = orders_file(trial), _folder(trial)
    settings = settings_of(folder / "home")
    with _made_once(folder / "home.made", MADE_BY_INTAKE) as is_due:
        if is_due:
            trial.say(f"taking in {trial.orders:,} orders")
            shutil.rmtree(settings.home, ignore_errors=True)
            _fill(settings, path)
    return settings


def settings_of(home: Path) -> Settings:
    """Settings of a benchmark's home: nothing of the environment but the limit of every measurement."""
    return read_settings({}, home=home, memory_limit=MEMORY_LIMIT)


def take_in(lake: Lake, contract: Contract, path: Path) -> Report:
    """Take in one file. Raises BenchmarkError when it is not accepted."""
    report = ingest(lake, contract, (path,), now=END)
    if report.state != "accepted":
        raise BenchmarkError(f"{path.name} was {report.state}: {report.reason}")
    return report


def _fill(settings: Settings, orders: Path) -> None:
    contracts = settings.home / "contracts"
    contracts.mkdir(parents=True)
    shutil.copyfile(BULK_CONTRACT, contracts / "bulk.yaml")
    found_world(settings, END)
    with Lake.open_writer(settings) as lake:
        take_in(lake, read_contract(BULK_CONTRACT), orders)
        for name, sql in ATTACHED.items():
            path = orders.with_name(f"{name.removeprefix('demo_')}_{STAMP}.csv")
            _write_attached(orders, path, sql)
            text = _delivered_once(name)
            (contracts / f"{name}.yaml").write_text(text, encoding="utf-8")
            take_in(lake, parse_contract(text), path)


def _write_attached(orders: Path, path: Path, sql: str) -> None:
    connection = duckdb.connect(config={"memory_limit": MEMORY_LIMIT})
    connection.read_csv(str(orders), header=True, all_varchar=True).create_view("orders")
    connection.execute(f"COPY ({sql}) TO {literal(str(path))} (HEADER)")
    connection.close()


def _delivered_once(name: str) -> str:
    """A shipped contract's text for files in UTC that come once, so that the wall does not call them stale."""
    contract = yaml.safe_load((SHIPPED_CONTRACTS / f"{name}.yaml").read_text(encoding="utf-8"))
    return str(yaml.safe_dump(contract | {"cadence": "once", "time_zone": "UTC"}, allow_unicode=True))


@contextmanager
def borrowed_home(settings: Settings, folder: Path) -> Iterator[Settings]:
    """A copy of a home that may be written to, thrown away afterwards: own catalogue, data files as hard links."""
    shutil.rmtree(folder, ignore_errors=True)
    copy = settings_of(folder)
    shutil.copytree(settings.lake_folder / "data", copy.lake_folder / "data", copy_function=os.link)
    catalogue = copy.lake_folder / "catalogue.sqlite"
    shutil.copyfile(settings.lake_folder / "catalogue.sqlite", catalogue)
    with sqlite3.connect(catalogue) as connection:
        moved = f"{copy.lake_folder / 'data'}/"
        connection.execute("UPDATE ducklake_metadata SET value = ? WHERE key = 'data_path'", [moved])
    connection.close()
    try:
        yield copy
    finally:
        shutil.rmtree(folder)


def _folder(trial: Trial) -> Path:
    folder = trial.out / f"lake-{trial.orders}-{trial.days}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def _made_once(marker: Path, made_by: Iterable[str]) -> Iterator[bool]:
    """Whether what the marker stands for must be made (again); it is marked once the body is through."""
    digest = _digest(made_by)
    is_due = not marker.exists() or marker.read_text(encoding="utf-8") != digest
    if is_due:
        marker.unlink(missing_ok=True)
    yield is_due
    marker.write_text(digest, encoding="utf-8")


def _digest(names: Iterable[str]) -> str:
    total = hashlib.sha256()
    for name in names:
        path = ROOT / name
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            total.update(file.read_bytes())
    return total.hexdigest()
