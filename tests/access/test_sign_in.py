"""Sign-in: attempts are limited and decay, nothing tells whether a user exists, demo accounts stay in the demo."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from access.password import PasswordError, hash_password, is_password
from access.session import read_session
from access.sign_in import DEMO_USERS, HALF_LIFE, _buckets, first_administrator, offers_demo, settle_demo_users, sign_in
from access.store import ATTEMPTS, open_store, writing
from access.user import find_user, list_users
from config import read_settings
from data.lake import Lake

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
PASSWORD = "a long enough password"
HERE = "192.0.2.1"


def test_right_password_opens_a_session(store: Engine) -> None:
    attempt = sign_in(store, " Li ", PASSWORD, address=HERE, now=NOW)
    session = read_session(store, attempt.secret, NOW)
    assert session is not None
    assert session.user.name == "li"


@pytest.mark.parametrize("name", ["li", "nobody", "", "li\x00", "x" * 500])
def test_wrong_password_and_unknown_user_get_the_same_answer(store: Engine, name: str) -> None:
    attempt = sign_in(store, name, "wrong password", address=HERE, now=NOW)
    assert (attempt.secret, attempt.reason) == ("", "wrong")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords are compared as they are: what is tried is the counting, which has nothing to do with bcrypt's slowness."""
    monkeypatch.setattr("access.sign_in.is_password", lambda password, _: password == PASSWORD)


def _fail(store: Engine, times: int, *, name: str = "li", address: str = HERE, at: datetime = NOW) -> None:
    for _ in range(times):
        sign_in(store, name, "wrong password", address=address, now=at)


def test_sixth_attempt_waits_even_with_the_right_password(store: Engine) -> None:
    _fail(store, 5)
    attempt = sign_in(store, "li", PASSWORD, address=HERE, now=NOW)
    assert attempt.reason == "wait"
    assert 60 <= attempt.wait_seconds <= 300


@pytest.mark.usefixtures("quick")
def test_waiting_as_long_as_told_opens_the_door_again(store: Engine) -> None:
    _fail(store, 5)
    wait = sign_in(store, "li", PASSWORD, address=HERE, now=NOW).wait_seconds
    assert sign_in(store, "li", PASSWORD, address=HERE, now=NOW + timedelta(seconds=wait)).secret


@pytest.mark.usefixtures("quick")
def test_attempts_while_waiting_do_not_lengthen_the_wait(store: Engine) -> None:
    _fail(store, 50)
    assert sign_in(store, "li", PASSWORD, address=HERE, now=NOW + timedelta(minutes=5)).secret


@pytest.mark.usefixtures("quick")
def test_stranger_cannot_keep_a_user_out(store: Engine) -> None:
    _fail(store, 20, address="198.51.100.7")
    assert sign_in(store, "li", PASSWORD, address=HERE, now=NOW).secret


@pytest.mark.usefixtures("quick")
def test_one_address_cannot_try_many_accounts(store: Engine) -> None:
    for number in range(30):
        _fail(store, 1, name=f"user{number}")
    assert sign_in(store, "ming", PASSWORD, address=HERE, now=NOW).reason == "wait"


@pytest.mark.usefixtures("quick")
def test_no_password_is_guessed_from_many_addresses(store: Engine) -> None:
    """A hundred attempts from a hundred addresses: those before the last are put down at once."""
    *_, of_account = _buckets("li", "198.51.100.1")
    with writing(store) as connection:
        connection.execute(ATTEMPTS.insert(), [{"bucket": of_account, "tried_at": NOW}] * 99)
    _fail(store, 1, address="198.51.100.1")
    assert sign_in(store, "li", PASSWORD, address=HERE, now=NOW).reason == "wait"
    assert sign_in(store, "li", PASSWORD, address=HERE, now=NOW + HALF_LIFE).secret, "it decays"


@pytest.mark.usefixtures("quick")
def test_clock_that_goes_back_makes_no_attempt_count_for_more(store: Engine) -> None:
    _fail(store, 1, at=NOW + timedelta(hours=1))
    assert sign_in(store, "li", PASSWORD, address=HERE, now=NOW).secret


@pytest.mark.usefixtures("quick")
def test_success_forgets_the_failures_before_it(store: Engine) -> None:
    for _ in range(2):
        _fail(store, 4)
        assert sign_in(store, "li", PASSWORD, address=HERE, now=NOW).secret


def test_demo_accounts_exist_in_the_demo_on_this_machine_only(tmp_path: Path) -> None:
    demo = read_settings({}, home=tmp_path)
    store = open_store(demo)
    settle_demo_users(store, demo, NOW)
    assert {user.name for user in list_users(store)} == {"manager", "east", "analyst", "admin"}
    secret = sign_in(store, "east", "demo-east", address="127.0.0.1", now=NOW).secret
    public = read_settings({}, home=tmp_path, host="0.0.0.0")
    assert not offers_demo(public)
    settle_demo_users(store, public, NOW)
    assert read_session(store, secret, NOW) is None
    for account in DEMO_USERS:
        assert sign_in(store, account.user.name, account.password, address=HERE, now=NOW).reason == "wrong"


def test_first_administrator_is_made_once_where_nobody_can_sign_in(tmp_path: Path) -> None:
    store = open_store(read_settings({}, home=tmp_path, demo=False))
    password = first_administrator(store, NOW)
    assert password is not None
    assert sign_in(store, "administrator", password, address=HERE, now=NOW).secret
    assert first_administrator(store, NOW) is None
    administrator = find_user(store, "administrator")
    assert administrator is not None
    assert administrator.role == "admin"


def test_password_over_72_bytes_is_refused_and_never_cut(password_hash: str) -> None:
    with pytest.raises(PasswordError, match="at most 72"):
        hash_password("密" * 25)
    assert not is_password(PASSWORD + "x" * 80, password_hash)
    assert not is_password("half \ud83d", password_hash)


def test_short_password_is_refused() -> None:
    with pytest.raises(PasswordError, match="at least 12"):
        hash_password("short")


def test_demo_accounts_do_not_exist_beside_own_orders(tmp_path: Path) -> None:
    settings = read_settings({}, home=tmp_path)
    assert offers_demo(settings)
    with Lake.open_writer(settings):
        assert not offers_demo(settings)
