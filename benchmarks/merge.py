"""A snapshot of 10,000 changed orders: file seen → committed."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.figure import Figure, Trial
from benchmarks.lakes import END, borrowed_home, lake_home
from benchmarks.timing import seconds_of
from config import Settings
from data.contract import Contract, parse_contract
from data.lake import Lake
from data.sql_text import literal
from data.watch import take

ROWS: Final = 10_000
BUDGET_SECONDS: Final = 5.0

CONTRACT: Final = """
source: carrier_desk
kind: orders
owner: data-platform@example.com
reader: {format: csv, path: "carrier_desk_*.csv"}
time_zone: UTC
as_of: {from: file_name, pattern: 'carrier_desk_(\\d{8}T\\d{6})Z', format: '%Y%m%dT%H%M%S', zone: UTC}
cadence: once
columns: {channel: channel, order_id: order_id, carrier_id: carrier_id, delivered_at: delivered_at}
"""

RECENT: Final = "open_until_at > now()"
SCATTERED: Final = "true"
"""Which orders change: those that are open, as in daily life; or any of the whole history, the dearest case."""


def measure(trial: Trial) -> list[Figure]:
    """Median and worst seconds of a snapshot of recent orders and of one that touches every day of the history."""
    contract = parse_contract(CONTRACT)
    taken: dict[str, list[float]] = {"recent": [], "scattered": []}
    with borrowed_home(lake_home(trial), trial.out / "merge") as settings, Lake.open_writer(settings) as lake:
        for number in range(2 * trial.rounds):
            name = ("recent", "scattered")[number % 2]
            path = write_changes(lake, settings, RECENT if name == "recent" else SCATTERED, number)
            taken[name].append(_seconds_to_commit(lake, settings, contract, path))
            trial.say(f"merge {number + 1}: {name} {taken[name][-1]:.2f} s")
    return [
        Figure(name="recent_seconds", value=median(taken["recent"]), unit="seconds", budget=BUDGET_SECONDS),
        Figure(name="recent_worst_seconds", value=max(taken["recent"]), unit="seconds", budget=BUDGET_SECONDS),
        Figure(name="scattered_seconds", value=median(taken["scattered"]), unit="seconds", budget=BUDGET_SECONDS),
        Figure(name="scattered_worst_seconds", value=max(taken["scattered"]), unit="seconds", budget=BUDGET_SECONDS),
    ]


def write_changes(lake: Lake, settings: Settings, which: str, number: int, *, rows: int = ROWS) -> Path:
    """A file of up to so many of these orders, each round others: the open ones are delivered now, others change carrier."""
    as_of = END + timedelta(minutes=number + 1)
    path = settings.home / f"carrier_desk_{as_of:%Y%m%dT%H%M%S}Z.csv"
    instant = f"TIMESTAMP '{as_of:%Y-%m-%d %H:%M:%S}'"
    changes = f"""
        SELECT channel, order_id, 'CARRIER-{number}' AS carrier_id,
            strftime(CASE WHEN open_until_at > now() AND shipped_at IS NOT NULL THEN {instant} END, '%Y-%m-%d %H:%M:%S')
                AS delivered_at
        FROM lake.orders WHERE {which} ORDER BY hash(order_id, {number}) LIMIT {rows}
    """  # noqa: S608 - constants of this file and numbers
    lake.cursor().execute(f"COPY ({changes}) TO {literal(str(path))} (HEADER)")
    return path


def _seconds_to_commit(lake: Lake, settings: Settings, contract: Contract, path: Path) -> float:
    def commit() -> None:
        report = take(lake, contract, (path,), settings, now=END)
        assert report.state == "accepted", report
        assert report.changed_count == report.row_count, report

    return seconds_of(commit)
