"""The lake's column bounds: the smallest and largest value of a column over all files, by which whole scans are skipped.

DuckLake (as packaged with DuckDB 1.5.5) may forget a column's bounds when it rewrites files of which one holds only
nulls, and starts them anew from the next insert alone: from then on a filter on older values finds nothing. So
bounds are compared with those of the files before every write and after every compaction, and set right.
"""

from __future__ import annotations

from data.lake import Lake
from data.sql_text import literal

_METADATA = "__ducklake_metadata_lake"


def heal_bounds(lake: Lake) -> int:
    """Set forgotten or too narrow bounds right; the number of columns healed. Call it under the writer's lock.

    The connection is attached anew when something was healed, since an attached lake remembers what it has read.
    """
    wrong = wrong_bounds(lake)
    connection = lake.writer()
    for table_id, column_id, smallest, largest in wrong:
        connection.execute(
            f"UPDATE {_METADATA}.ducklake_table_column_stats SET min_value = {literal(smallest)}, max_value = {literal(largest)} "
            f"WHERE table_id = {int(table_id)} AND column_id = {int(column_id)}"
        )
    if wrong:
        lake.reopen()
    return len(wrong)


def wrong_bounds(lake: Lake) -> list[tuple[int, int, str, str]]:
    """(table id, column id, smallest, largest) of every column whose bounds do not hold all values of its files."""
    connection = lake.writer()
    types = connection.execute(
        f"SELECT DISTINCT column_type FROM {_METADATA}.ducklake_column WHERE end_snapshot IS NULL AND column_type <> 'list'"
    ).fetchall()
    found: list[tuple[int, int, str, str]] = []
    for (type_,) in types:
        found += connection.execute(_wrong_sql(type_)).fetchall()
    return found


def _wrong_sql(column_type: str) -> str:
    kind = {"timestamptz": "TIMESTAMPTZ", "float64": "DOUBLE", "int64": "BIGINT", "int32": "INTEGER"}.get(
        column_type, column_type
    )
    return f"""
        WITH files AS (
            SELECT bound.table_id, bound.column_id, min(bound.min_value::{kind}) AS smallest, max(bound.max_value::{kind}) AS largest
            FROM {_METADATA}.ducklake_file_column_stats AS bound
            JOIN {_METADATA}.ducklake_data_file AS file USING (data_file_id, table_id)
            JOIN {_METADATA}.ducklake_column AS named ON named.column_id = bound.column_id AND named.table_id = bound.table_id
            WHERE file.end_snapshot IS NULL AND named.end_snapshot IS NULL AND named.column_type = {literal(column_type)}
            GROUP BY ALL
        )
        SELECT table_id, column_id, smallest::VARCHAR, largest::VARCHAR
        FROM files JOIN {_METADATA}.ducklake_table_column_stats AS held USING (table_id, column_id)
        WHERE smallest IS NOT NULL
        AND (held.min_value IS NULL OR held.max_value IS NULL OR held.min_value::{kind} > smallest OR held.max_value::{kind} < largest)"""
