"""Keeping the lake tidy: many small files become few, under the writer's lock; every snapshot stays readable."""

from __future__ import annotations

from typing import Final

from data.bounds import heal_bounds
from data.lake import Lake, lake_tables

REWRITE_SHARE: Final = 0.01
"""Files of which more than this share of rows is deleted are written anew: a file with deletions is never merged, so
without this the small files of a day of snapshots would stay for ever; a large old file waits until it is worth it."""


def compact(lake: Lake) -> int:
    """Merge small data files and rewrite those of which many rows are deleted; the number of files before minus after."""
    with lake.lock():
        connection = lake.writer()
        before = count_files(lake)
        for table in lake_tables():
            connection.execute(f"CALL ducklake_rewrite_data_files('lake', '{table}', delete_threshold => {REWRITE_SHARE})")
        connection.execute("CALL ducklake_merge_adjacent_files('lake')")
        heal_bounds(lake)
        lake.writer().execute(
            "CALL ducklake_cleanup_old_files('lake', cleanup_all => false, older_than => now() - INTERVAL 10 MINUTE)"
        )
        return before - count_files(lake)


def count_files(lake: Lake) -> int:
    """Data files of the newest version."""
    row = lake.cursor().execute("SELECT coalesce(sum(file_count), 0)::BIGINT FROM ducklake_table_info('lake')").fetchone()
    return int(row[0]) if row else 0


def check_counts(lake: Lake) -> list[str]:
    """Where `count(*)`, a real scan and the ledger disagree, one sentence each; empty when all agree."""
    faults = []
    connection = lake.cursor()
    for table in ("order_rows", "orders"):
        row = connection.execute(
            f"SELECT (SELECT count(*) FROM lake.{table}), (SELECT count(order_id) FROM lake.{table})"
        ).fetchone()
        if row and row[0] != row[1]:
            faults.append(f"{table}: count(*) says {row[0]:,}, a scan finds {row[1]:,}")
    row = connection.execute(
        "SELECT (SELECT coalesce(sum(accepted_count), 0) FROM lake.snapshots WHERE state = 'accepted' AND kind = 'orders'), "
        "(SELECT count(order_id) FROM lake.order_rows WHERE snapshot_id IN (SELECT snapshot_id FROM lake.snapshots WHERE kind = 'orders'))"
    ).fetchone()
    if row and row[0] != row[1]:
        faults.append(f"order_rows: the ledger says {row[0]:,} rows, a scan finds {row[1]:,}")
    return faults
