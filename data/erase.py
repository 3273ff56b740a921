"""Erasing personal data for good, and the proof: no file of the home holds it any more.

Deleting rows leaves them in older snapshots, so these are given up: after an erasure the lake can be seen as it was at the
erasure and later, not before. Orders themselves stay, without whom they were for.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Final

import polars as pl

from data.bounds import heal_bounds
from data.keys import Keys, new_contact_key, read_keys, write_keys
from data.lake import Lake
from data.personal import seal, search_hash, unseal

ENCODINGS: Final = ("utf-8", "utf-16-le", "gb18030")
METADATA: Final = "__ducklake_metadata_lake"
VACUUM_SECONDS: Final = 60.0
CHUNK_BYTES: Final = 4 * 1024 * 1024
Order = tuple[str, str]


def orders_of_phone(lake: Lake, keys: Keys, phone: str) -> list[Order]:
    """The orders (channel, order_id) that carry this phone number."""
    found = lake.cursor().execute(
        "SELECT DISTINCT channel, order_id FROM lake.order_contacts WHERE field = 'phone' AND search = ? ORDER BY ALL",
        [search_hash(keys, phone)],
    )
    return [(str(channel), str(order_id)) for channel, order_id in found.fetchall()]


def erase_contacts(lake: Lake, orders: Iterable[Order]) -> int:
    """Remove every personal value of these orders from all versions of the lake; how many values there were."""
    wanted = [{"channel": channel, "order_id": order_id} for channel, order_id in orders]
    if not wanted:
        return 0
    with lake.lock():
        lake.writer().execute("CREATE OR REPLACE TEMP TABLE erased (channel VARCHAR, order_id VARCHAR)")
        lake.writer().executemany("INSERT INTO erased VALUES ($channel, $order_id)", wanted)
        return _delete(lake, "(channel, order_id) IN (SELECT (channel, order_id) FROM erased)", [])


def drop_old_contacts(lake: Lake, before: datetime, field: str = "") -> int:
    """The retention of personal data: remove what is older than an instant (of one field), from all versions; how many values."""
    with lake.lock():
        return _delete(lake, "as_of < ? AND field = ?", [before, field]) if field else _delete(lake, "as_of < ?", [before])


def rotate_contacts(lake: Lake) -> int:
    """Seal every original anew under a fresh key and forget the older keys; how many values were sealed."""
    settings = lake.settings
    with lake.lock():
        keys = new_contact_key(read_keys(settings))
        write_keys(settings, keys)
        connection = lake.writer()
        rows = connection.execute("SELECT * FROM lake.order_contacts").pl()
        fresh = [_sealed_anew(keys, row) for row in rows.iter_rows(named=True)]
        if fresh:
            connection.register("resealed", pl.DataFrame(fresh, schema=rows.schema).to_arrow())
            connection.execute("BEGIN")
            connection.execute("DELETE FROM lake.order_contacts")
            connection.execute("INSERT INTO lake.order_contacts FROM resealed")
            connection.execute("COMMIT")
            connection.unregister("resealed")
            _forget_versions(lake)
        write_keys(settings, Keys(signing=keys.signing, search=keys.search, contacts=keys.contacts[-1:]))
    return len(fresh)


def find_bytes(home: Path, texts: Iterable[str]) -> list[Path]:
    """Every file below the home in which one of the texts stands, in any usual encoding: empty is the proof of an erasure."""
    needles = tuple({text.encode(encoding) for text in texts for encoding in ENCODINGS})
    return [file for file in sorted(home.rglob("*")) if file.is_file() and _holds(file, needles)]


def _holds(file: Path, needles: tuple[bytes, ...]) -> bool:
    overlap = max((len(needle) for needle in needles), default=1) - 1
    tail = b""
    for chunk in _chunks(file):
        window = tail + chunk
        if any(needle in window for needle in needles):
            return True
        tail = window[-overlap:] if overlap else b""
    return False


def _chunks(file: Path) -> Iterator[bytes]:
    try:
        with file.open("rb") as source:
            yield from iter(lambda: source.read(CHUNK_BYTES), b"")
    except OSError:
        return  # a socket, or gone meanwhile


def _delete(lake: Lake, condition: str, values: list[object]) -> int:
    connection = lake.writer()
    row = connection.execute(f"SELECT count(*) FROM lake.order_contacts WHERE {condition}", values).fetchone()
    count = int(row[0]) if row else 0
    if count:
        connection.execute(f"DELETE FROM lake.order_contacts WHERE {condition}", values)
        _forget_versions(lake)
    return count


def _forget_versions(lake: Lake) -> None:
    """Write files with deletions anew, give up every older version, and remove what only those had: files, bounds, pages."""
    connection = lake.writer()
    connection.execute("CALL ducklake_rewrite_data_files('lake', 'order_contacts', delete_threshold => 0)")
    connection.execute("CALL ducklake_expire_snapshots('lake', older_than => now())")
    connection.execute("CALL ducklake_cleanup_old_files('lake', cleanup_all => true)")
    connection.execute(
        f"UPDATE {METADATA}.ducklake_table_column_stats SET min_value = NULL, max_value = NULL "
        f"WHERE table_id IN (SELECT table_id FROM {METADATA}.ducklake_table WHERE table_name = 'order_contacts')"
    )
    heal_bounds(lake)
    catalogue = lake.folder / "catalogue.sqlite"
    if catalogue.exists():
        # SQLite leaves what was deleted in free pages until they are used again.
        with closing(sqlite3.connect(catalogue, timeout=VACUUM_SECONDS, isolation_level=None)) as plain:
            plain.execute("VACUUM")


def _sealed_anew(keys: Keys, row: dict[str, object]) -> dict[str, object]:
    place = {name: str(row[name]) for name in ("channel", "order_id", "field")}
    value = unseal(keys, str(row["key_id"]), str(row["sealed"]), **place)
    key_id, sealed = seal(keys, value, **place)
    return row | {"key_id": key_id, "sealed": sealed}
