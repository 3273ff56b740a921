"""Parquet files: whole or refused (F05), every value as text."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from data.sources import SourceError
from tests.data.sources.conftest import ReadFile


def parquet(path: Path, query: str) -> Path:
    duckdb.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")
    return path


def test_every_type_becomes_text(read_file: ReadFile, tmp_path: Path) -> None:
    query = (
        "SELECT '007' AS id, 12.50::DECIMAL(9,2) AS amount, TIMESTAMP '2024-01-01 10:00:00' AS at, true AS b, NULL::INTEGER AS n"
    )
    read = read_file(parquet(tmp_path / "a.parquet", query), format="parquet")
    assert read.rows == [("007", "12.50", "2024-01-01 10:00:00", "true", None)]


@pytest.mark.parametrize("share", [0.0, 0.2, 0.9, 0.999])
def test_a_cut_file_is_refused(read_file: ReadFile, tmp_path: Path, share: float) -> None:
    path = parquet(tmp_path / "a.parquet", "SELECT range AS id, hash(range)::VARCHAR AS h FROM range(50000)")
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(SourceError, match=r"a\.parquet"):
        read_file(path, format="parquet")
