"""The operational store: users, sessions, sign-in attempts, flags, asked-for exports; SQLite (WAL) under the home, or PostgreSQL by URL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Connection,
    CursorResult,
    Dialect,
    Engine,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    create_engine,
    event,
)
from sqlalchemy.engine.interfaces import DBAPIConnection

from config import Settings

MIGRATIONS: Final = Path(__file__).with_name("migrations")
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Instant(TypeDecorator[datetime]):
    """An aware UTC instant, kept as milliseconds since 1970 so that every database gives it back the same."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Milliseconds of an aware instant; a naive one is a programming error (TypeError)."""
        return None if value is None else (value - EPOCH) // timedelta(milliseconds=1)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """The aware UTC instant of the stored milliseconds."""
        return None if value is None else EPOCH + timedelta(milliseconds=value)


METADATA: Final = MetaData()

USERS: Final = Table(
    "users",
    METADATA,
    Column("name", String(64), primary_key=True),
    Column("display_name", String(128), nullable=False),
    Column("password_hash", String(128), nullable=False),
    Column("role", String(16), nullable=False),
    Column("regions", JSON, nullable=False),
    Column("language", String(16), nullable=False),
    Column("is_demo", Boolean, nullable=False),
    Column("is_disabled", Boolean, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("locked_at", Instant),
    Column("deleted_at", Instant),
)
"""`locked_at`: shut for unusual activity until an administrator unlocks it; `deleted_at`: taken away, to be restored for a while."""

SESSIONS: Final = Table(
    "sessions",
    METADATA,
    Column("id_sha256", String(64), primary_key=True),
    Column("user_name", String(64), ForeignKey("users.name"), nullable=False, index=True),
    Column("created_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("revoked_at", Instant),
    Column("address", String(64), nullable=False, server_default=""),
    Column("preview_of", String(64)),
    Column("confirmed_at", Instant),
)
"""`confirmed_at`: when its user last signed in anew at the company's provider, in place of the password (`access.sign_on`)."""

ATTEMPTS: Final = Table(
    "sign_in_attempts",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("bucket", String(64), nullable=False, index=True),
    Column("tried_at", Instant, nullable=False),
)

FLAGS: Final = Table(
    "flags",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("user_name", String(64), nullable=False, index=True),
    Column("kind", String(32), nullable=False),
    Column("at", Instant, nullable=False),
    Column("detail", Text, nullable=False),
    Column("dismissed_at", Instant),
    Column("dismissed_by", String(64)),
)
"""What was unusual about an account, until an administrator has looked."""

EXPORT_REQUESTS: Final = Table(
    "export_requests",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("asked_by", String(64), nullable=False, index=True),
    Column("asked_at", Instant, nullable=False),
    Column("purpose", String(32), nullable=False),
    Column("reason", Text, nullable=False),
    Column("parameters", JSON, nullable=False),
    Column("row_count", Integer, nullable=False),
    Column("decided_by", String(64)),
    Column("decided_at", Instant),
    Column("is_approved", Boolean),
    Column("fetched_at", Instant),
)
"""Unmasked exports as somebody asked for them, somebody else decided, and they were fetched once."""

PREFERENCES: Final = Table(
    "preferences",
    METADATA,
    Column("user_name", String(64), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)


def open_store(settings: Settings) -> Engine:
    """The store of this home (created and migrated when needed)."""
    if settings.store_url:
        store = create_engine(settings.store_url, pool_pre_ping=True)
    else:
        settings.home.mkdir(parents=True, exist_ok=True)
        store = create_engine(f"sqlite:///{settings.home / 'store.sqlite'}")
        event.listen(store, "connect", _prepare_sqlite)
        event.listen(store, "begin", _begin_sqlite)
    migrate(store)
    return store


@contextmanager
def writing(store: Engine) -> Iterator[Connection]:
    """A transaction that writes; on SQLite it takes the write lock at once, so it never fails half-way as busy."""
    with store.connect().execution_options(writes=True) as connection, connection.begin():
        yield connection


def inserted_id(result: CursorResult[Any]) -> int:
    """The number that the database gave the row just inserted."""
    key = result.inserted_primary_key
    assert key is not None
    return int(key[0])


def migrate(store: Engine) -> None:
    """Bring the store's tables to the newest version; does nothing where they are."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    newest = ScriptDirectory.from_config(config).get_current_head()
    with store.connect() as connection:
        if MigrationContext.configure(connection).get_current_revision() == newest:
            return
    with writing(store) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _prepare_sqlite(connection: DBAPIConnection, _record: Any) -> None:  # noqa: ANN401 - SQLAlchemy's private pool record
    connection.isolation_level = None  # transactions begin in _begin_sqlite, not in the driver
    cursor = connection.cursor()
    for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "busy_timeout = 5000", "foreign_keys = ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
