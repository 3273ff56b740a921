"""The quarantine: what was refused and why, and taking refused rows in again after a contract changed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import duckdb
import polars as pl

from data.contract import Contract, Reader
from data.ingest import Report, ingest
from data.keys import read_keys
from data.lake import Lake
from data.personal import JSON_ROW, unseal_row

CAN_COME_AGAIN: Final = f"(starts_with(raw, '{JSON_ROW}') OR starts_with(raw, '{{'))"
"""SQL: the row could be read; one of before rows were sealed stands there as JSON."""


@dataclass(frozen=True, kw_only=True)
class Replay:
    """What became of the quarantined rows of one snapshot: how many were tried and the report of their intake."""

    snapshot_id: int
    tried: int
    report: Report


def list_quarantine(connection: duckdb.DuckDBPyConnection, *, source: str | None = None, limit: int = 1000) -> pl.DataFrame:
    """Refused rows that were not replayed, newest first.

    Columns: snapshot_id, source, file, line, column, value, reason, as_of.
    """
    return connection.execute(
        "SELECT snapshot_id, source, file, line, column_name AS column, value, reason, as_of FROM lake.quarantine "
        "WHERE replayed_snapshot_id IS NULL AND (? IS NULL OR source = ?) ORDER BY snapshot_id DESC, line LIMIT ?",
        [source, source, limit],
    ).pl()


def count_quarantine(connection: duckdb.DuckDBPyConnection, *, source: str | None = None) -> int:
    """How many rows `list_quarantine` would give without a limit."""
    row = connection.execute(
        "SELECT count(*) FROM lake.quarantine WHERE replayed_snapshot_id IS NULL AND (? IS NULL OR source = ?)", [source, source]
    ).fetchone()
    return int(row[0]) if row else 0


def known_sources(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """The sources that anything ever came from, whatever became of it."""
    return {name for (name,) in connection.execute("SELECT DISTINCT source FROM lake.snapshots").fetchall()}


def replay(lake: Lake, contract: Contract, *, now: datetime) -> list[Replay]:
    """Take the quarantined rows of a source in again under today's contract, one intake per original snapshot.

    The rows keep the as-of they came with; a row that is refused again goes back to the quarantine with its new reason.
    """
    connection = lake.writer()
    snapshots = connection.execute(
        "SELECT snapshot_id, any_value(epoch_ms(as_of)), count(*) FROM lake.quarantine WHERE source = ? AND replayed_snapshot_id IS NULL "
        f"AND {CAN_COME_AGAIN} AND as_of IS NOT NULL GROUP BY snapshot_id ORDER BY snapshot_id",
        [contract.source],
    ).fetchall()
    return [_replay_one(lake, contract, snapshot_id, as_of, tried, now) for snapshot_id, as_of, tried in snapshots]


def left_out(lake: Lake, source: str) -> list[str]:
    """The files of a source that were refused whole before their as-of was known: none of their rows can be replayed."""
    rows = (
        lake.cursor()
        .execute(
            "SELECT file, count(*) FROM lake.quarantine WHERE source = ? AND replayed_snapshot_id IS NULL AND as_of IS NULL "
            "GROUP BY file ORDER BY file",
            [source],
        )
        .fetchall()
    )
    return [f"{file} was refused whole ({count:,} rows of it are listed): take the file in again instead" for file, count in rows]


def _replay_one(lake: Lake, contract: Contract, snapshot_id: int, as_of: int, tried: int, now: datetime) -> Replay:
    connection = lake.writer()
    rows = connection.execute(
        "SELECT raw, file, line FROM lake.quarantine WHERE snapshot_id = ? AND source = ? AND replayed_snapshot_id IS NULL "
        f"AND {CAN_COME_AGAIN} "
        "ORDER BY line",
        [snapshot_id, contract.source],
    ).fetchall()
    keys = read_keys(lake.settings)
    path = _write_rows(lake.folder, snapshot_id, [unseal_row(keys, row[0], contract.source) for row in rows])
    try:
        report = ingest(lake, _as_json_lines(contract, as_of), (path,), now=now)
    finally:
        path.unlink(missing_ok=True)
    is_judged = report.state in ("accepted", "duplicate") or sum(report.quarantined.values()) == len(rows)
    if is_judged:
        with lake.lock():
            if report.state != "duplicate":
                _name_origins(lake.writer(), report.snapshot_id, [(file, line) for _, file, line in rows])
            lake.writer().execute(
                "UPDATE lake.quarantine SET replayed_snapshot_id = ? WHERE snapshot_id = ? AND source = ? AND replayed_snapshot_id IS NULL "
                f"AND {CAN_COME_AGAIN}",
                [report.snapshot_id, snapshot_id, contract.source],
            )
    return Replay(snapshot_id=snapshot_id, tried=tried, report=report)


def _name_origins(connection: duckdb.DuckDBPyConnection, snapshot_id: int | None, origins: list[tuple[str, int]]) -> None:
    """Give rows that were refused again the file and line they first came with: nobody has the replayed file."""
    refused = connection.execute("SELECT DISTINCT line FROM lake.quarantine WHERE snapshot_id = ?", [snapshot_id]).fetchall()
    found = [(number, *origins[number - 1]) for (number,) in refused if 0 < number <= len(origins)]
    if not found:
        return
    connection.execute("CREATE OR REPLACE TEMP TABLE origins (number BIGINT, file VARCHAR, line BIGINT)")
    connection.executemany("INSERT INTO origins VALUES (?, ?, ?)", found)
    connection.execute(
        "UPDATE lake.quarantine AS kept SET file = origins.file, line = origins.line FROM origins "
        "WHERE kept.snapshot_id = ? AND kept.line = origins.number",
        [snapshot_id],
    )


def _write_rows(folder: Path, snapshot_id: int, rows: list[str]) -> Path:
    text = "\n".join(rows) + "\n"
    path = folder / f"replay-{snapshot_id}-{hashlib.sha256(text.encode()).hexdigest()[:12]}.jsonl"
    path.write_text(text, encoding="utf-8")
    return path


def _as_json_lines(contract: Contract, as_of: int) -> Contract:
    """The same contract, reading rows as they were kept, all with the as-of of their snapshot, however many are refused."""
    values = contract.model_dump(by_alias=True)
    values["reader"] = Reader(format="jsonl").model_dump()
    values |= {"files": {}, "rows": "", "quarantine": {"max_share": 1.0, "min_rows": 0}, "max_growth": None}
    if contract.as_of.from_ != "column":
        instant = f"{datetime.fromtimestamp(as_of / 1000, tz=contract.zone).isoformat()}"
        values["as_of"] = {"from": "constant", "value": instant}
    return Contract.model_validate(values)
