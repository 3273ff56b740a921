"""Sessions live on the server: they end when they are ended, when they idle, and when the account changes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, select

from access.audit import LOCAL
from access.session import ABSOLUTE_LIMIT, IDLE_LIMIT, end_session, read_session, signed_in_users, start_session
from access.store import SESSIONS, USERS, writing
from access.user import set_access, set_disabled, set_language, set_password

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def test_session_gives_its_user(store: Engine) -> None:
    secret = start_session(store, "li", NOW)
    session = read_session(store, secret, NOW)
    assert session is not None
    assert (session.user.name, session.user.role, session.user.regions) == ("li", "lead", ("CN-EAST",))


def test_store_keeps_no_secret_that_opens_a_session(store: Engine) -> None:
    secret = start_session(store, "li", NOW)
    with store.connect() as connection:
        kept = connection.execute(select(SESSIONS.c.id_sha256)).scalar_one()
    assert kept != secret
    assert read_session(store, kept, NOW) is None


def test_session_ids_are_long_and_never_the_same(store: Engine) -> None:
    secrets = {start_session(store, "li", NOW) for _ in range(5)}
    assert len(secrets) == 5
    assert all(len(secret) >= 43 for secret in secrets)


@pytest.mark.parametrize("secret", [None, "", "unknown", "' OR 1=1 --"])
def test_unknown_secret_opens_nothing(store: Engine, secret: str | None) -> None:
    start_session(store, "li", NOW)
    assert read_session(store, secret, NOW) is None


def test_ended_session_stays_ended_when_its_cookie_is_replayed(store: Engine) -> None:
    secret = start_session(store, "li", NOW)
    end_session(store, secret, NOW)
    assert read_session(store, secret, NOW) is None


def test_ending_one_session_leaves_the_others_open(store: Engine) -> None:
    first, second = start_session(store, "li", NOW), start_session(store, "li", NOW)
    end_session(store, first, NOW)
    assert read_session(store, second, NOW) is not None


def test_idle_session_ends(store: Engine) -> None:
    secret = start_session(store, "li", NOW)
    assert read_session(store, secret, NOW + IDLE_LIMIT) is None


def test_used_session_lives_until_its_absolute_limit(store: Engine) -> None:
    secret = start_session(store, "li", NOW)
    step = IDLE_LIMIT / 2
    last = NOW
    while last + step < NOW + ABSOLUTE_LIMIT:
        last += step
        assert read_session(store, secret, last) is not None
    assert read_session(store, secret, NOW + ABSOLUTE_LIMIT) is None


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda store: set_password(store, "li", password_hash="x", now=NOW, by=LOCAL), id="password"),
        pytest.param(lambda store: set_access(store, "li", role="manager", regions=(), now=NOW, by=LOCAL), id="role"),
        pytest.param(lambda store: set_access(store, "li", role="lead", regions=("CN-SOUTH",), now=NOW, by=LOCAL), id="regions"),
        pytest.param(lambda store: set_disabled(store, "li", is_disabled=True, now=NOW, by=LOCAL), id="disabled"),
    ],
)
def test_changed_account_ends_its_sessions_and_no_others(store: Engine, change: Callable[[Engine], None]) -> None:
    lead, manager = start_session(store, "li", NOW), start_session(store, "ming", NOW)
    change(store)
    assert read_session(store, lead, NOW) is None
    assert read_session(store, manager, NOW) is not None


def test_reopened_account_does_not_reopen_old_sessions(store: Engine) -> None:
    secret = start_session(store, "li", NOW)
    set_disabled(store, "li", is_disabled=True, now=NOW, by=LOCAL)
    set_disabled(store, "li", is_disabled=False, now=NOW, by=LOCAL)
    assert read_session(store, secret, NOW) is None


def test_chosen_language_is_seen_by_the_open_session(store: Engine) -> None:
    secret = start_session(store, "li", NOW)
    set_language(store, "li", "zh-CN")
    session = read_session(store, secret, NOW + timedelta(seconds=1))
    assert session is not None
    assert session.user.language == "zh-CN"


def test_who_is_signed_in_is_told_once_and_only_while_they_are(store: Engine) -> None:
    assert signed_in_users(store, NOW) == []
    first, second = start_session(store, "li", NOW), start_session(store, "li", NOW)
    assert [user.name for user in signed_in_users(store, NOW)] == ["li"]
    end_session(store, first, NOW)
    assert [user.regions for user in signed_in_users(store, NOW)] == [("CN-EAST",)]
    assert signed_in_users(store, NOW + IDLE_LIMIT) == []
    end_session(store, second, NOW)
    assert signed_in_users(store, NOW) == []


@pytest.mark.parametrize("column", ["locked_at", "deleted_at", "is_disabled"])
def test_session_of_a_shut_account_is_none_whenever_it_began(store: Engine, column: str) -> None:
    secret = start_session(store, "li", NOW)
    with writing(store) as connection:
        connection.execute(USERS.update().where(USERS.c.name == "li").values({column: True if column == "is_disabled" else NOW}))
    assert read_session(store, secret, NOW) is None
