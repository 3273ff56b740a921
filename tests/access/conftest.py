"""A store of its own for each test, and a clock that stands still."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from access.audit import LOCAL
from access.store import open_store
from access.user import User, add_user
from config import Settings, read_settings
from tests.accounts import quick_hash
from tests.postgres import Postgres, postgres_server
from tests.stores import new_store

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
PASSWORD = "a long enough password"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A home of its own, without demo accounts."""
    return read_settings({}, home=tmp_path, demo=False)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server."""
    with postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def password_hash() -> str:
    """The hash of PASSWORD."""
    return quick_hash(PASSWORD)


@pytest.fixture
def store(settings: Settings, password_hash: str) -> Iterator[Engine]:
    """A store with one manager `ming` and one lead `li` of CN-EAST."""
    engine = new_store(settings.home)
    add_user(engine, User(name="ming", display_name="Ming", role="manager"), password_hash=password_hash, now=NOW, by=LOCAL)
    add_user(
        engine,
        User(name="li", display_name="Li", role="lead", regions=("CN-EAST",)),
        password_hash=password_hash,
        now=NOW,
        by=LOCAL,
    )
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def migrated_postgres(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Postgres:
    """The server with an empty store, to be copied: migrating takes longer than most tests."""
    open_store(read_settings({}, home=tmp_path_factory.mktemp("store"), store_url=postgres.url)).dispose()
    return postgres


@pytest.fixture(params=["sqlite", "postgres"])
def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An empty store of each kind."""
    if request.param == "sqlite":
        store = new_store(tmp_path)
        yield store
        store.dispose()
        return
    server: Postgres = request.getfixturevalue("migrated_postgres")
    with server.copy() as url:
        store = open_store(read_settings({}, home=tmp_path, store_url=url))
        yield store
        store.dispose()
