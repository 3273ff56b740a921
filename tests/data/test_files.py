"""How the lake's data files are written."""

from __future__ import annotations

from pathlib import Path

from data.lake import Lake
from tests.data.intake import contract_of, home, take_in, write_csv

HEADER = ("id", "created")
CONTRACT = contract_of(source="oms", columns={"order_id": "id", "channel": "'web'", "created_at": "created"})
COMPRESSION = "CALL lake.set_option('parquet_compression', '{}')"


def _taken_in(place: Path, name: str) -> set[str]:
    """How the files of orders are packed that an intake adds."""
    with Lake.open_writer(home(place)) as lake:
        before = set(place.rglob("orders/**/*.parquet"))
        row = (name, "2026-01-01 08:00:00")
        take_in(lake, CONTRACT, write_csv(place / f"{name}_20260201T000000.csv", [row], HEADER))
        fresh = [str(path) for path in set(place.rglob("orders/**/*.parquet")) - before]
        return {
            row[0]
            for row in lake.writer().execute("SELECT compression FROM parquet_metadata($files)", {"files": fresh}).fetchall()
        }


def test_files_are_packed_to_be_read_fast_unless_the_catalogue_names_another_way(tmp_path: Path) -> None:
    assert _taken_in(tmp_path, "A") == {"LZ4_RAW"}
    with Lake.open_writer(home(tmp_path)) as lake:
        lake.writer().execute(COMPRESSION.format("zstd"))
    assert _taken_in(tmp_path, "B") == {"ZSTD"}
    with Lake.open_writer(home(tmp_path)) as lake:
        lake.writer().execute("DELETE FROM __ducklake_metadata_lake.ducklake_metadata WHERE key = 'parquet_compression'")
    assert _taken_in(tmp_path, "C") == {"LZ4_RAW"}
