"""Erasing personal data for good, and the proof: no file of the home holds it any more.

What is kept encrypted is opened and looked through as well: refused rows that hold it go, kept files are written anew with it
masked, packed ones (xlsx, zip, Parquet) that hold it go whole.

Deleting rows leaves them in older snapshots, so these are given up: after an erasure the lake can be seen as it was at the
erasure and later, not before. Orders themselves stay, without whom they were for.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import polars as pl

from config import Settings
from data.bounds import heal_bounds
from data.ingest import staging_folder
from data.keys import Keys, new_contact_key, read_keys, write_keys
from data.lake import Lake
from data.personal import (
    IS_SEALED,
    SEALED_SUFFIX,
    key_of_file,
    seal,
    seal_row,
    sealed_frames,
    search_hash,
    unseal,
    unseal_file,
    unseal_row,
    write_sealed,
)
from data.sql_text import literal
from data.wanted import Wanted, is_packed, whole_lines

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


@dataclass(frozen=True, kw_only=True)
class Erasure:
    """What an erasure removed: values of orders, refused rows, files written anew without it, and files removed whole."""

    value_count: int = 0
    row_count: int = 0
    file_count: int = 0
    removed: tuple[str, ...] = ()


def erase_wanted(lake: Lake, keys: Keys, wanted: Wanted) -> Erasure:
    """Remove what is wanted from the refused rows, in all versions of the lake, and from every kept file. Raises KeysError."""
    with lake.lock():
        row_count = _delete_refused(lake, keys, wanted)
        found = [_erase_file(lake, keys, wanted, path) for path in kept_files(lake.settings)]
    return Erasure(
        row_count=row_count,
        file_count=sum(state == "masked" for state, _ in found),
        removed=tuple(name for state, name in found if state == "removed"),
    )


def kept_files(settings: Settings) -> list[Path]:
    """Every sealed file of the archive and of the refused."""
    return [file for folder in (settings.archive, settings.refused) for file in sorted(folder.rglob(f"*{SEALED_SUFFIX}"))]


def find_sealed(lake: Lake, keys: Keys, wanted: Wanted) -> list[str]:
    """Where it stands once what is kept encrypted is opened: refused rows by source, and kept files."""
    with lake.lock():
        rows = lake.cursor().execute("SELECT DISTINCT source, raw FROM lake.quarantine WHERE raw <> '' ORDER BY ALL").fetchall()
        found = [f"a refused row of {source}" for source, raw in rows if wanted.is_in(unseal_row(keys, raw, source))]
        return found + [str(path) for path in kept_files(lake.settings) if _holds_wanted(lake, keys, wanted, path)]


def _delete_refused(lake: Lake, keys: Keys, wanted: Wanted) -> int:
    connection = lake.writer()
    rows = connection.execute("SELECT DISTINCT source, raw FROM lake.quarantine WHERE raw <> ''").fetchall()
    found = [(raw,) for source, raw in rows if wanted.is_in(unseal_row(keys, raw, source))]
    if not found:
        return 0
    connection.execute("CREATE OR REPLACE TEMP TABLE erased_rows (raw VARCHAR)")
    connection.executemany("INSERT INTO erased_rows VALUES (?)", found)
    row = connection.execute("DELETE FROM lake.quarantine WHERE raw IN (SELECT raw FROM erased_rows)").fetchone()
    connection.execute("DROP TABLE erased_rows")
    _forget_versions(lake, "quarantine")
    return int(row[0]) if row else 0


def _erase_file(lake: Lake, keys: Keys, wanted: Wanted, path: Path) -> tuple[str, str]:
    if not _holds_wanted(lake, keys, wanted, path):
        return "", path.name
    if _is_packed(keys, path):
        path.unlink()
        return "removed", path.name
    times = (path.stat().st_atime_ns, path.stat().st_mtime_ns)
    write_sealed(keys, map(wanted.without, whole_lines(sealed_frames(keys, path))), path)
    os.utime(path, ns=times)
    return "masked", path.name


def _is_packed(keys: Keys, path: Path) -> bool:
    return is_packed(next(sealed_frames(keys, path), b"")[:4])


def _holds_wanted(lake: Lake, keys: Keys, wanted: Wanted, path: Path) -> bool:
    if not _is_packed(keys, path):
        return any(wanted.pattern.search(lines) for lines in whole_lines(sealed_frames(keys, path)))
    with staging_folder(lake) as folder:
        unseal_file(keys, path, folder / path.stem)
        return wanted.is_in_packed(folder / path.stem)


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
        _seal_refused_anew(lake, keys)
        for path in kept_files(settings):
            _seal_file_anew(keys, path)
        write_keys(settings, Keys(signing=keys.signing, search=keys.search, contacts=keys.contacts[-1:]))
    return len(fresh)


def _seal_refused_anew(lake: Lake, keys: Keys) -> None:
    connection = lake.writer()
    rows = connection.execute(f"SELECT DISTINCT source, raw FROM lake.quarantine WHERE {IS_SEALED}").fetchall()
    if not rows:
        return
    fresh = [(raw, seal_row(keys, unseal_row(keys, raw, source), source)) for source, raw in rows]
    connection.execute("CREATE OR REPLACE TEMP TABLE resealed_rows (raw VARCHAR, fresh VARCHAR)")
    connection.executemany("INSERT INTO resealed_rows VALUES (?, ?)", fresh)
    connection.execute("UPDATE lake.quarantine SET raw = r.fresh FROM resealed_rows AS r WHERE quarantine.raw = r.raw")
    connection.execute("DROP TABLE resealed_rows")
    _forget_versions(lake, "quarantine")


def _seal_file_anew(keys: Keys, path: Path) -> None:
    """One whose key was forgotten before stays as it is."""
    times = (path.stat().st_atime_ns, path.stat().st_mtime_ns)
    if key_of_file(path) in dict(keys.contacts):
        write_sealed(keys, sealed_frames(keys, path), path)
        os.utime(path, ns=times)


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


def _forget_versions(lake: Lake, table: str = "order_contacts") -> None:
    """Write a table's files with deletions anew, give up every older version, and remove what only those had: files, bounds, pages."""
    connection = lake.writer()
    connection.execute(f"CALL ducklake_rewrite_data_files('lake', {literal(table)}, delete_threshold => 0)")
    connection.execute("CALL ducklake_expire_snapshots('lake', older_than => now())")
    connection.execute("CALL ducklake_cleanup_old_files('lake', cleanup_all => true)")
    connection.execute(
        f"UPDATE {METADATA}.ducklake_table_column_stats SET min_value = NULL, max_value = NULL "
        f"WHERE table_id IN (SELECT table_id FROM {METADATA}.ducklake_table WHERE table_name = ?)",
        [table],
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
