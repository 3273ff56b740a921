"""Reading one file the way the intake does: every value as text, then what could not be split."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from config import Settings
from data.contract import Reader
from data.sources import Reject, open_rows
from tests.data.intake import home


@dataclass(frozen=True)
class Read:
    """What a reader gave: column names, rows, their lines, and the records that did not split."""

    columns: tuple[str, ...]
    rows: list[tuple[str | None, ...]]
    lines: list[int]
    rejects: list[Reject]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a fresh home."""
    return home(tmp_path)


ReadFile = Callable[..., Read]


@pytest.fixture
def read_file(tmp_path: Path) -> Iterator[ReadFile]:
    """Reads a file with the given `reader` keys."""
    staging = tmp_path / "staging"
    staging.mkdir()
    connection = duckdb.connect()

    def read(path: Path, **reader: object) -> Read:
        text_rows = open_rows(connection, path, Reader.model_validate(reader), staging)
        rows = connection.execute(f"SELECT * FROM {text_rows.relation}").fetchall()
        rejects = text_rows.rejects()
        lines = text_rows.lines(list(range(1, len(rows) + 1))) if not rejects else []
        return Read(text_rows.columns, rows, lines, rejects)

    yield read
    connection.close()
