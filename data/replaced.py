"""A file read again under a corrected contract: what the first reading gave is taken back, so that the correction counts.

Both readings speak of the same file and instant, so no law of the merge could say which of them is meant: the later reading is.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import duckdb

from data.contract import Contract
from data.merge import ENTITIES, Entity
from data.order import FORWARD_MASK


def is_read_before(connection: duckdb.DuckDBPyConnection, source: str, sha256: str) -> bool:
    """Whether this content came from the source before, whatever became of it: where it did not, nothing can be replaced or settled."""
    row = connection.execute(
        "SELECT count(*) FROM lake.snapshots WHERE source = ? AND file_sha256 = ?", [source, sha256]
    ).fetchone()
    return bool(row and row[0])


def replaced_snapshots(
    connection: duckdb.DuckDBPyConnection, contract: Contract, *, name: str, sha256: str, as_of: datetime
) -> tuple[int, ...]:
    """The snapshots that came of this very file under another version of its contract, and of its quarantined rows.

    The same content at another time, told by the file's name or its time of change, is another file: it shows that nothing changed.
    """
    rule = contract.as_of.from_
    rows = connection.execute(
        "SELECT snapshot_id FROM lake.snapshots WHERE state = 'accepted' AND source = ? AND file_sha256 = ? AND contract_sha256 <> ? "
        "AND (as_of = ? OR ? NOT IN ('file_name', 'file_time') OR (? = 'file_name' AND files = ?))",
        [contract.source, sha256, contract.sha256, as_of, rule, rule, name],
    ).fetchall()
    found = [snapshot_id for (snapshot_id,) in rows]
    if not found:
        return ()
    replays = connection.execute(
        "SELECT DISTINCT replayed_snapshot_id FROM lake.quarantine WHERE list_contains(?, snapshot_id) AND replayed_snapshot_id IS NOT NULL",
        [found],
    ).fetchall()
    return tuple(sorted({*found, *(snapshot_id for (snapshot_id,) in replays)}))


def mark_replaced(connection: duckdb.DuckDBPyConnection, replaced: Sequence[int], snapshot_id: int) -> None:
    """Say in the ledger that these snapshots no longer count, and by which one they are replaced."""
    connection.execute(
        "UPDATE lake.snapshots SET state = 'replaced', reason = ? WHERE list_contains(?, snapshot_id)",
        [f"read again under a changed contract: snapshot {snapshot_id}", list(replaced)],
    )


def settle_refused(connection: duckdb.DuckDBPyConnection, source: str, sha256: str, snapshot_id: int) -> None:
    """Take rows off the quarantine's list that this file's earlier readings refused: what it holds is judged by the newest."""
    rows = connection.execute(
        "SELECT snapshot_id FROM lake.snapshots WHERE state IN ('refused', 'replaced') AND source = ? AND file_sha256 = ?",
        [source, sha256],
    ).fetchall()
    if rows:
        connection.execute(
            "UPDATE lake.quarantine SET replayed_snapshot_id = ? WHERE replayed_snapshot_id IS NULL AND list_contains(?, snapshot_id)",
            [snapshot_id, [number for (number,) in rows]],
        )


def narrow_channels(connection: duckdb.DuckDBPyConnection, contract: Contract, relation: str, replaced: Sequence[int]) -> None:
    """Forget milestones that only the replaced readings could report, in channels that nothing else tells of."""
    mask = contract.mapped_milestones & FORWARD_MASK
    rows = connection.execute(
        f"SELECT DISTINCT channel FROM {relation} AS fresh WHERE channel NOT IN (SELECT DISTINCT past.channel FROM lake.order_rows AS past "
        "JOIN lake.snapshots AS ledger USING (snapshot_id) WHERE NOT list_contains(?, past.snapshot_id) "
        "AND NOT (ledger.source = ? AND ledger.contract_sha256 = ?))",
        [list(replaced), contract.source, contract.sha256],
    ).fetchall()
    for (channel,) in rows:
        for table in ("channel_milestones", "orders"):
            connection.execute(
                f"UPDATE lake.{table} SET mapped_milestones = ? WHERE channel = ? AND mapped_milestones <> ?",
                [mask, channel, mask],
            )


def left_behind(
    connection: duckdb.DuckDBPyConnection, told: Sequence[Entity], replaced: Sequence[int]
) -> list[tuple[Entity, str]]:
    """The entities of which the replaced snapshots brought rows and this one none, each with the empty relation to merge."""
    found = []
    for entity in ENTITIES:
        row = connection.execute(
            f"SELECT count(*) FROM lake.{entity.rows_table} WHERE list_contains(?, snapshot_id)", [list(replaced)]
        ).fetchone()
        if entity not in told and row and row[0]:
            found.append((entity, f"(SELECT * EXCLUDE (snapshot_id) FROM lake.{entity.rows_table} LIMIT 0)"))
    return found
