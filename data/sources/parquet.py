"""Parquet files: read whole, every value turned into text so that one set of casts judges all sources."""

from __future__ import annotations

from pathlib import Path

import duckdb

from data.contract import Reader
from data.sources.rows import SourceError, TextRows
from data.sql_text import identifier, literal


def open_parquet(connection: duckdb.DuckDBPyConnection, path: Path, reader: Reader, staging: Path) -> TextRows:
    """Every column as text. Raises SourceError for a file that is cut or no Parquet."""
    source = f"read_parquet({literal(str(path))})"
    try:
        names = [row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()]
    except duckdb.Error as error:
        raise SourceError(f"{path.name}: is no whole Parquet file ({str(error).splitlines()[0]}): send it again") from error
    columns = ", ".join(f"{identifier(name)}::VARCHAR AS {identifier(name)}" for name in names)
    return TextRows(relation=f"(SELECT {columns} FROM {source})", columns=tuple(names))
