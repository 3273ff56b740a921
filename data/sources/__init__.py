"""One reader per kind of source: each gives a relation whose columns are all text, named by the source's header.

Nothing is sniffed: names come from the header, every value stays text until the contract's casts.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import duckdb

from data.contract import Reader
from data.sources.csv import open_csv
from data.sources.database import DATABASES, fetch_table, open_fetched
from data.sources.jsonl import open_jsonl
from data.sources.parquet import open_parquet
from data.sources.rows import Reject, SourceError, TextRows
from data.sources.unpack import check_link
from data.sources.xlsx import open_xlsx

Opener = Callable[[duckdb.DuckDBPyConnection, Path, Reader, Path], TextRows]

OPENERS: Final[dict[str, Opener]] = {
    "csv": open_csv,
    "jsonl": open_jsonl,
    "parquet": open_parquet,
    "xlsx": open_xlsx,
    "postgres": open_fetched,
    "mysql": open_fetched,
}

__all__ = ["DATABASES", "OPENERS", "Reject", "SourceError", "TextRows", "fetch_table", "open_rows"]


def open_rows(connection: duckdb.DuckDBPyConnection, path: Path, reader: Reader, staging: Path) -> TextRows:
    """The rows of one file or table as text. `staging` is a folder for unpacked copies, emptied by the caller.

    Raises SourceError when it cannot be read as the contract says.
    """
    check_link(path)
    return OPENERS[reader.format](connection, path, reader, staging)
