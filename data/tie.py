"""Two snapshots of one source that stand for the same instant: whose values count is then no matter of which is the newer."""

from __future__ import annotations

from datetime import datetime

import duckdb

from data.contract import Contract
from data.merge import ORDERS, Entity


def tied_snapshots(
    connection: duckdb.DuckDBPyConnection, contract: Contract, entity: Entity, relation: str, *, as_of: datetime, sha256: str
) -> str | None:
    """A notice where orders of `relation` are in another accepted file of the same source and as-of too; None where none is.

    A corrected file is such a one where its as-of is its newest instant: by the law of the merge the file's hash decides.
    """
    if contract.as_of.from_ == "column" or entity is not ORDERS:
        return None
    tied = connection.execute(
        "SELECT snapshot_id, (priority, file_sha256) > (?, ?) FROM lake.snapshots "
        "WHERE state = 'accepted' AND source = ? AND as_of = ? AND file_sha256 <> ? ORDER BY priority DESC, file_sha256 DESC",
        [contract.priority, sha256, contract.source, as_of, sha256],
    ).fetchall()
    if not tied:
        return None
    row = connection.execute(
        f"SELECT count(*) FROM (SELECT DISTINCT channel, order_id FROM {relation}) AS fresh "
        "SEMI JOIN (SELECT channel, order_id FROM lake.order_rows WHERE list_contains(?, snapshot_id)) AS seen USING (channel, order_id)",
        [[snapshot_id for snapshot_id, _ in tied]],
    ).fetchone()
    if not row or not row[0]:
        return None
    first, is_beaten = tied[0]
    return (
        f"{row[0]:,} orders are also in snapshot {first}, of the very same as-of: where the two differ, the values of "
        f"{f'snapshot {first}' if is_beaten else 'this file'} stay. A corrected file needs a later as-of to win: "
        "give as_of: {from: file_time}"
    )
