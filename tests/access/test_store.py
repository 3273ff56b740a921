"""The store: the same on SQLite and PostgreSQL, laid out by migrations that agree with the tables in the code."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, select

import access.saved_view
import access.sign_on
import access.targets_book
import access.work_item  # noqa: F401 - their tables are part of METADATA
from access.audit import LOCAL
from access.session import end_session, read_session, start_session
from access.sign_in import sign_in
from access.store import METADATA, SESSIONS, open_store
from access.user import User, add_user, find_user, set_access
from config import read_settings

NOW = datetime(2026, 3, 2, 8, 0, 0, 123_000, tzinfo=UTC)


def _add(store: Engine, password_hash: str) -> None:
    add_user(
        store,
        User(name="li", display_name="李", role="lead", regions=("CN-EAST",)),
        password_hash=password_hash,
        now=NOW,
        by=LOCAL,
    )


def test_migrations_give_the_tables_of_the_code(any_store: Engine) -> None:
    import_module("alerts.tables")  # its tables belong to the same store
    with any_store.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


def test_opening_again_changes_nothing(any_store: Engine, tmp_path: Path, password_hash: str) -> None:
    _add(any_store, password_hash)
    url = "" if any_store.dialect.name == "sqlite" else any_store.url.render_as_string(hide_password=False)
    again = open_store(read_settings({}, home=tmp_path, store_url=url))
    assert find_user(again, "li") == find_user(any_store, "li")
    again.dispose()


def test_account_session_and_limits_work(any_store: Engine, password_hash: str) -> None:
    _add(any_store, password_hash)
    secret = sign_in(any_store, "li", "a long enough password", address="192.0.2.1", now=NOW).secret
    session = read_session(any_store, secret, NOW)
    assert session is not None
    assert (session.user.display_name, session.user.regions) == ("李", ("CN-EAST",))
    end_session(any_store, secret, NOW)
    assert read_session(any_store, secret, NOW) is None
    reasons = [sign_in(any_store, "li", "wrong", address="192.0.2.1", now=NOW).reason for _ in range(6)]
    assert reasons == ["wrong"] * 5 + ["wait"]


def test_changed_role_ends_sessions(any_store: Engine, password_hash: str) -> None:
    _add(any_store, password_hash)
    secret = start_session(any_store, "li", NOW)
    set_access(any_store, "li", role="manager", regions=(), now=NOW, by=LOCAL)
    assert read_session(any_store, secret, NOW) is None


def test_instants_come_back_to_the_millisecond(any_store: Engine, password_hash: str) -> None:
    _add(any_store, password_hash)
    start_session(any_store, "li", NOW)
    with any_store.connect() as connection:
        assert connection.execute(select(SESSIONS.c.created_at)).scalar_one() == NOW


def test_many_at_once_lose_nothing(any_store: Engine, password_hash: str) -> None:
    _add(any_store, password_hash)
    secret = start_session(any_store, "li", NOW)

    def use(number: int) -> bool:
        start_session(any_store, "li", NOW)
        return read_session(any_store, secret, NOW + timedelta(minutes=number)) is not None

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(use, range(60)))
    with any_store.connect() as connection:
        assert len(connection.execute(select(SESSIONS.c.id_sha256)).all()) == 61
