"""The lake: DuckLake tables, the ledger, one writer at a time, locked-down readers.

The ledger's `snapshot_id` is our own sequence, given under the writer lock and written into the commit's extra
information; DuckLake's version is looked up from it.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import sysconfig
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Self, TypeVar

import duckdb
import psycopg

from config import Settings
from data.order import COMPLAINT_COLUMNS, EVENT_COLUMNS, MILESTONES, ORDER_COLUMNS, RETURN_COLUMNS, Column
from data.sql_text import literal
from data.zone import from_epoch_ms

Answer = TypeVar("Answer")

_LOG = logging.getLogger(__name__)

LOCK_SECONDS: Final = 120.0
ADVISORY_LOCK: Final = 0x0C0DE
"""The number of the catalogue's advisory lock; every writer uses it."""

DUCKDB_TYPES: Final = {
    "text": "VARCHAR",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "money": "DECIMAL(18,4)",
    "instant": "TIMESTAMPTZ",
}

DERIVED_ORDER_COLUMNS: Final = {
    "inferred_milestones": "INTEGER",
    "mapped_milestones": "INTEGER",
    "impossible_milestones": "INTEGER",
    "status": "VARCHAR",
    "open_until_at": "TIMESTAMPTZ",
    "settled_at": "TIMESTAMPTZ",
    "snapshot_id": "BIGINT",
}
"""Columns of `orders` that the merge derives: bit masks by `MILESTONE_BIT`, the status, the instant the order
closed and that of its last milestone (both `OPEN_UNTIL_FOREVER` while open, so that a window skips whole files of
older orders), and the snapshot that last changed the row."""

ROW_COLUMNS: Final = {
    "snapshot_id": "BIGINT",
    "as_of": "TIMESTAMPTZ",
    "row_number": "BIGINT",
    "withdrawn": "VARCHAR[]",
}

LEDGER_COLUMNS: Final = {
    "snapshot_id": "BIGINT",
    "source": "VARCHAR",
    "kind": "VARCHAR",
    "state": "VARCHAR",
    "reason": "VARCHAR",
    "files": "VARCHAR",
    "file_sha256": "VARCHAR",
    "contract_sha256": "VARCHAR",
    "schema_sha256": "VARCHAR",
    "priority": "INTEGER",
    "as_of": "TIMESTAMPTZ",
    "committed_at": "TIMESTAMPTZ",
    "row_count": "BIGINT",
    "accepted_count": "BIGINT",
    "changed_count": "BIGINT",
    "quarantined_count": "BIGINT",
    "late": "BOOLEAN",
    "duration_seconds": "DOUBLE",
}

CONTACT_COLUMNS: Final = {
    "channel": "VARCHAR",
    "order_id": "VARCHAR",
    "field": "VARCHAR",
    "masked": "VARCHAR",
    "key_id": "VARCHAR",
    "sealed": "VARCHAR",
    "search": "VARCHAR",
    "snapshot_id": "BIGINT",
    "as_of": "TIMESTAMPTZ",
}
"""Personal data of an order (`data.personal`): masked for everyone, sealed for a reveal, hashed under a key for a search."""

QUARANTINE_COLUMNS: Final = {
    "snapshot_id": "BIGINT",
    "source": "VARCHAR",
    "file": "VARCHAR",
    "line": "BIGINT",
    "column_name": "VARCHAR",
    "value": "VARCHAR",
    "reason": "VARCHAR",
    "raw": "VARCHAR",
    "contract_sha256": "VARCHAR",
    "as_of": "TIMESTAMPTZ",
    "replayed_snapshot_id": "BIGINT",
}


class LakeError(RuntimeError):
    """The lake cannot be opened, read or written; the message says why and what to do."""


BROKEN_OFF: Final = (duckdb.FatalException, duckdb.InternalException, duckdb.ConnectionException)
"""After one of these the engine answers nothing any more until it is opened anew."""


def column_types(columns: tuple[Column, ...]) -> dict[str, str]:
    """Canonical columns with their DuckDB types."""
    return {column.name: DUCKDB_TYPES[column.type] for column in columns}


def lake_tables() -> dict[str, dict[str, str]]:
    """Every table of the lake with its columns and DuckDB types."""
    orders = column_types(ORDER_COLUMNS)
    returns, complaints, events = (column_types(c) for c in (RETURN_COLUMNS, COMPLAINT_COLUMNS, EVENT_COLUMNS))
    return {
        "orders": orders | DERIVED_ORDER_COLUMNS,
        "order_rows": ROW_COLUMNS | orders | {"inferred_milestones": "INTEGER"},
        "order_returns": returns | {"snapshot_id": "BIGINT"},
        "order_return_rows": ROW_COLUMNS | returns,
        "order_complaints": complaints | {"snapshot_id": "BIGINT"},
        "order_complaint_rows": ROW_COLUMNS | complaints,
        "order_events": events | {"snapshot_id": "BIGINT"},
        "order_event_rows": ROW_COLUMNS | events,
        "order_contacts": CONTACT_COLUMNS,
        "channel_milestones": {"channel": "VARCHAR", "mapped_milestones": "INTEGER"},
        "snapshots": LEDGER_COLUMNS,
        "quarantine": QUARANTINE_COLUMNS,
    }


BUSY_MS: Final = 10_000
"""How long one process waits for another to let go of the catalogue file."""

# By month, not by day: sorted row groups skip hours as well as files do, a merge of a few thousand orders touches one or
# two partitions instead of ten, and two years of a small shop are 26 files instead of 631.
PARTITIONS: Final = {
    "orders": "year(created_at), month(created_at)",
}


def extension_path(name: str) -> Path:
    """The packaged, signed file of a DuckDB extension; raises LakeError when its package is missing."""
    folder = Path(sysconfig.get_paths()["purelib"]) / f"duckdb_extension_{name}" / "extensions"
    for file in sorted(folder.glob(f"v{duckdb.__version__}/{name}.duckdb_extension")):
        return file
    package = f"duckdb-extension-{name.replace('_', '-')}=={duckdb.__version__}"
    raise LakeError(f"the DuckDB extension {name} is not installed: pip install {package} (make install does)")


def load_extension(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Load one packaged extension by path; nothing is downloaded."""
    connection.execute(f"LOAD '{extension_path(name)}'")


COMPRESSION: Final = "lz4_raw"
"""How data files are packed: no larger than by DuckDB's own default, and read with a quarter less processor."""

RECENT: Final = "recent"
"""A database in memory beside the lake, for the rows that `data.recent` keeps there."""

UNBEGUN: Final = "SELECT count(*) FROM lake.orders AS o AT (VERSION => $version) WHERE o.created_at IS NULL"
"""How many orders of a version nobody has reported the creation of."""

KEPT_BOUNDS: Final = 100
"""For so many versions the newest milestone is remembered."""


@dataclass(frozen=True, kw_only=True)
class Newest:
    """Of one version: no milestone of any order lies after `at`; `all_begun` says that every order in it is known to have begun."""

    at: datetime
    all_begun: bool = False


@dataclass(frozen=True, kw_only=True)
class Head:
    """What the newest committed snapshot is: its id (0 when there is none), and the newest data instant."""

    snapshot_id: int
    as_of: datetime | None


class Lake:
    """An attached lake, for reading (locked down) or for writing (under the writer lock).

    One instance per process and purpose; `cursor()` gives each thread a connection of its own.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, settings: Settings, *, writable: bool) -> None:
        """Use `open_reader` or `open_writer`."""
        self._connection = connection
        self._settings = settings
        self._writable = writable
        self._is_closed = False
        self._lock = threading.Lock()
        self._versions: dict[int, int] = {}
        self._newest_milestones: dict[int, Newest | None] = {}

    @classmethod
    def open_reader(cls, settings: Settings) -> Self:
        """A read-only lake that can reach nothing but its own files. Raises LakeError when there is none yet."""
        if not settings.catalogue and not _catalogue_file(settings).exists():
            raise LakeError(f"there is no lake in {settings.home}: run `make run` for the demo or `python cli.py ingest`")
        return cls(_connect_reader(settings), settings, writable=False)

    @classmethod
    @contextmanager
    def open_writer(cls, settings: Settings) -> Iterator[Self]:
        """A lake that may be written, with missing tables created; every write takes `lock()` first.

        Raises LakeError when another process holds the lock for longer than `LOCK_SECONDS`.
        """
        lake = cls(_connect(settings), settings, writable=True)
        try:
            with lake.lock():
                _attach(lake.writer(), settings, read_only=False)
                _choose_compression(lake.writer())
                _create_tables(lake.writer())
            yield lake
        finally:
            lake.close()

    @contextmanager
    def lock(self, wait_seconds: float = LOCK_SECONDS) -> Iterator[None]:
        """Be the one writer: a lock file beside a SQLite catalogue, an advisory lock of a PostgreSQL one.

        Released by the system when the process dies. Raises LakeError when it is not free within `wait_seconds`.
        """
        if self._settings.catalogue:
            with _advisory_lock(self._settings.catalogue, wait_seconds):
                yield
            return
        with _file_lock(self._settings.lake_folder / "writer.lock", wait_seconds):
            yield

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A connection of its own to the same attached lake (schema `lake`), in UTC."""
        with self._lock:
            return self._connection.cursor()

    def read(self, ask: Callable[[duckdb.DuckDBPyConnection], Answer]) -> Answer:
        """What `ask` makes of a cursor of its own; a reader whose engine breaks off is opened anew and asked once more."""
        connection = self._connection
        try:
            with self.cursor() as cursor:
                return ask(cursor)
        except BROKEN_OFF as error:
            if self._writable or self._is_closed:
                raise
            self._renew(connection, error)
        with self.cursor() as cursor:
            return ask(cursor)

    def _renew(self, broken: duckdb.DuckDBPyConnection, error: duckdb.Error) -> None:
        with self._lock:
            if self._connection is broken:
                _LOG.error("the engine that reads the lake broke off and is opened anew: %s", _first_line(error))
                self._connection = _connect_reader(self._settings)
                broken.close()

    def writer(self) -> duckdb.DuckDBPyConnection:
        """The one connection that writes. Raises LakeError on a lake opened for reading."""
        if not self._writable:
            raise LakeError("this lake is open for reading only: use Lake.open_writer")
        return self._connection

    def reopen(self) -> None:
        """Drop the writing connection and attach anew, after a fault that may have left it unusable. Raises LakeError."""
        self._connection.close()
        self._connection = _connect(self._settings)
        try:
            _attach(self._connection, self._settings, read_only=False)
        except duckdb.Error as error:
            raise LakeError(f"the lake in {self._settings.home} cannot be attached now ({_first_line(error)})") from error

    @property
    def settings(self) -> Settings:
        """The settings the lake was opened with."""
        return self._settings

    @property
    def folder(self) -> Path:
        """Where the catalogue file lies; scratch files of an intake go below it."""
        return self._settings.lake_folder

    def close(self) -> None:
        """Release the connection; cursors become unusable."""
        self._is_closed = True
        self._connection.close()

    def head(self) -> Head:
        """The newest snapshot id and the newest as-of of any accepted snapshot."""
        row = self._row("SELECT max(snapshot_id), epoch_ms(max(as_of) FILTER (state = 'accepted')) FROM lake.snapshots", {})
        snapshot_id, as_of = row if row else (None, None)
        return Head(snapshot_id=snapshot_id or 0, as_of=None if as_of is None else from_epoch_ms(as_of))

    def newest_version(self) -> int:
        """DuckLake's newest version, whatever it holds: the cheapest way to see that something was committed."""
        try:
            row = self._row("SELECT max(snapshot_id) FROM __ducklake_metadata_lake.ducklake_snapshot", {})
        except duckdb.Error as error:
            raise LakeError(f"the lake's catalogue cannot be read now ({_first_line(error)})") from error
        return int(row[0]) if row and row[0] is not None else 0

    def newest_milestone(self, version: int) -> Newest | None:
        """After what instant no milestone of any order at this version lies; None where the statistics do not say."""
        if version not in self._newest_milestones:
            names = [f"{name}_at" for name in MILESTONES]
            row = self._row(
                "SELECT epoch_ms(max(TRY_CAST(s.max_value AS TIMESTAMPTZ))) "
                "FROM __ducklake_metadata_lake.ducklake_table_column_stats AS s "
                "JOIN __ducklake_metadata_lake.ducklake_column AS c USING (table_id, column_id) "
                "JOIN __ducklake_metadata_lake.ducklake_table AS t USING (table_id) "
                "WHERE t.table_name = 'orders' AND t.end_snapshot IS NULL AND list_contains($names, c.column_name)",
                {"names": names},
            )
            self._newest_milestones = dict(list(self._newest_milestones.items())[-KEPT_BOUNDS:])
            unbegun = self._row(UNBEGUN, {"version": version})
            at = from_epoch_ms(row[0]) if row and row[0] is not None else None
            self._newest_milestones[version] = None if at is None else Newest(at=at, all_begun=unbegun == (0,))
        return self._newest_milestones[version]

    def as_of(self, snapshot_id: int) -> datetime | None:
        """The newest as-of of any accepted snapshot up to this one; None before the first."""
        sql = "SELECT epoch_ms(max(as_of)) FROM lake.snapshots WHERE state <> 'refused' AND snapshot_id <= $snapshot"
        row = self._row(sql, {"snapshot": snapshot_id})
        return from_epoch_ms(row[0]) if row and row[0] is not None else None

    def version_of(self, snapshot_id: int) -> int:
        """DuckLake's version that holds the ledger's snapshot; raises LakeError when it is unknown or expired."""
        if snapshot_id not in self._versions:
            self._versions |= self._read_versions()
        if snapshot_id not in self._versions:
            known = sorted(self._versions)
            span = f"kept are {known[0]} to {known[-1]}" if known else "none is kept"
            raise LakeError(f"snapshot {snapshot_id} is not in the lake: {span}; `python cli.py snapshots` lists them")
        return self._versions[snapshot_id]

    def _row(self, sql: str, values: Mapping[str, object]) -> tuple[Any, ...] | None:
        return self.read(lambda cursor: cursor.execute(sql, dict(values)).fetchone())

    def _read_versions(self) -> dict[int, int]:
        sql = "SELECT snapshot_id, commit_extra_info FROM ducklake_snapshots('lake') WHERE commit_extra_info IS NOT NULL"
        rows = self.read(lambda cursor: cursor.execute(sql).fetchall())
        found = {}
        for version, extra in rows:
            snapshot_id = json.loads(extra).get("snapshot_id")
            if snapshot_id is not None:
                found[int(snapshot_id)] = int(version)
        return found


def _connect(settings: Settings) -> duckdb.DuckDBPyConnection:
    settings.lake_folder.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect(":memory:", config={"memory_limit": settings.memory_limit})
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET autoinstall_known_extensions = false")
    connection.execute(f"SET temp_directory = {literal(str(settings.lake_folder / f'spill-{os.getpid()}'))}")
    if settings.threads:
        connection.execute(f"SET threads = {int(settings.threads)}")
    for name in ("ducklake", "postgres_scanner" if settings.catalogue else "sqlite_scanner"):
        load_extension(connection, name)
    # What a few snapshots replace in memory is packed together: with the usual 16 MB every fourth commit would take seconds.
    connection.execute("SET checkpoint_threshold = '256MB'")
    connection.execute(f"ATTACH ':memory:' AS {RECENT} (COMPRESS true)")
    return connection


def _connect_reader(settings: Settings) -> duckdb.DuckDBPyConnection:
    connection = _connect(settings)
    _attach(connection, settings, read_only=True)
    folders = ", ".join(literal(str(folder)) for folder in (_data_folder(settings), str(settings.lake_folder) + "/"))
    connection.execute(f"SET allowed_directories = [{folders}]")
    for statement in (
        "SET enable_external_access = false",
        "SET autoinstall_known_extensions = false",
        "SET autoload_known_extensions = false",
        "SET lock_configuration = true",
    ):
        connection.execute(statement)
    return connection


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]


def _catalogue_file(settings: Settings) -> Path:
    return settings.lake_folder / "catalogue.sqlite"


def _data_folder(settings: Settings) -> str:
    return settings.data_path or str(settings.lake_folder / "data") + "/"


def _attach(connection: duckdb.DuckDBPyConnection, settings: Settings, *, read_only: bool) -> None:
    where = f"postgres:{settings.catalogue}" if settings.catalogue else f"sqlite:{_catalogue_file(settings)}"
    options = f"DATA_PATH {literal(_data_folder(settings))}, DATA_INLINING_ROW_LIMIT 0, OVERRIDE_DATA_PATH true"
    if not settings.catalogue:
        # A write-ahead log: who reads never waits for who writes, and a killed writer leaves nothing to undo.
        options += f", META_JOURNAL_MODE 'WAL', META_BUSY_TIMEOUT {BUSY_MS}"
    if read_only:
        options += ", READ_ONLY"
    connection.execute(f"ATTACH {literal('ducklake:' + where)} AS lake ({options})")


def _choose_compression(connection: duckdb.DuckDBPyConnection) -> None:
    """Files written from now on are packed as `COMPRESSION` says, unless the catalogue names another way; older ones stay."""
    if not connection.execute("FROM ducklake_options('lake') WHERE option_name = 'parquet_compression'").fetchall():
        connection.execute(f"CALL lake.set_option('parquet_compression', {literal(COMPRESSION)})")


def _create_tables(connection: duckdb.DuckDBPyConnection) -> None:
    existing = {
        row[0] for row in connection.execute("SELECT table_name FROM duckdb_tables() WHERE database_name = 'lake'").fetchall()
    }
    if existing >= set(lake_tables()):
        return
    connection.execute("BEGIN")
    for table, columns in lake_tables().items():
        if table in existing:
            continue
        connection.execute(f"CREATE TABLE lake.{table} ({', '.join(f'{name} {type_}' for name, type_ in columns.items())})")
        if table in PARTITIONS:
            connection.execute(f"ALTER TABLE lake.{table} SET PARTITIONED BY ({PARTITIONS[table]})")
    connection.execute("COMMIT")


def _busy(where: str, wait_seconds: float) -> LakeError:
    return LakeError(
        f"another process has been writing to the lake for {wait_seconds:g} s ({where}): wait for it to end or stop it"
    )


@contextmanager
def _file_lock(path: Path, wait_seconds: float) -> Iterator[None]:
    deadline = time.monotonic() + wait_seconds
    with path.open("a+") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise _busy(str(path), wait_seconds) from None
                time.sleep(0.05)
        yield


@contextmanager
def _advisory_lock(catalogue: str, wait_seconds: float) -> Iterator[None]:
    deadline = time.monotonic() + wait_seconds
    with psycopg.connect(catalogue, autocommit=True) as connection:
        while connection.execute("SELECT pg_try_advisory_lock(%s)", [ADVISORY_LOCK]).fetchone() != (True,):
            if time.monotonic() >= deadline:
                raise _busy("advisory lock of the catalogue", wait_seconds)
            time.sleep(0.2)
        yield
