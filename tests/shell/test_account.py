"""The own account: a new password needs the old one, and ends every other session."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from access.audit import LOCAL
from access.audit_rows import list_audit
from access.store import open_store
from access.user import User, add_user
from config import read_settings
from tests.accounts import quick_hash
from tests.serving import Served, serve

OLD, NEW = "first harbour lamp", "second quiet river"


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """An interface with an account of its own, beside the demo's."""
    home: Path = tmp_path_factory.mktemp("home")
    store = open_store(read_settings({}, home=home))
    for name in ("li", "wang", "zhao"):
        user = User(name=name, display_name=name, role="manager")
        add_user(store, user, password_hash=quick_hash(OLD), now=datetime.now(UTC), by=LOCAL)
    store.dispose()
    with serve(home) as running:
        yield running


def _is_in(served: Served, cookie: str) -> bool:
    return served.ask("GET", "/", Cookie=cookie).status == 200


def test_new_password_ends_every_other_session(own: Served) -> None:
    here, elsewhere = own.sign_in("li", OLD), own.sign_in("li", OLD)
    answer = own.ask("POST", "/auth/account", form={"old": OLD, "new": NEW}, Cookie=here)
    assert answer.status == 200
    fresh = str(answer.headers["set-cookie"]).split(";")[0]
    assert [_is_in(own, cookie) for cookie in (here, elsewhere, fresh)] == [False, False, True]
    assert own.ask("POST", "/auth/sign-in", form={"name": "li", "password": OLD}).status == 401
    assert own.sign_in("li", NEW)


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"old": "wrong password", "new": NEW}, b"not right"),
        ({"old": OLD, "new": "x1 y2 z3"}, b"at least 12"),
        ({"old": OLD, "new": "Password1234!"}, b"tried first"),
        ({"old": OLD, "new": "wang harbour lamp"}, b"contains your name"),
    ],
)
def test_password_is_not_changed_without_the_old_one_or_for_a_bad_one(own: Served, form: dict[str, str], words: bytes) -> None:
    cookie = own.sign_in("wang", OLD)
    answer = own.ask("POST", "/auth/account", form=form, Cookie=cookie)
    assert answer.status == 422
    assert words in answer.body
    assert form["new"].encode() not in answer.body
    assert _is_in(own, cookie)


def test_another_sites_page_changes_no_password(own: Served) -> None:
    cookie = own.sign_in("wang", OLD)
    for origin in (
        "https://elsewhere.example",
        "null",
        "",
        own.url.replace("http", "https").replace("localhost", "localhost.evil.example"),
    ):
        assert own.ask("POST", "/auth/account", form={"old": OLD, "new": NEW}, Cookie=cookie, Origin=origin).status == 403
    assert own.ask("POST", "/auth/account", form={"old": OLD, "new": "x" * 20_000}, Cookie=cookie).status == 413
    assert own.sign_in("wang", OLD)


def test_sign_out_everywhere_ends_every_session_of_the_user_only(own: Served) -> None:
    first, second, other = own.sign_in("zhao", OLD), own.sign_in("zhao", OLD), own.sign_in("manager")
    assert own.ask("POST", "/auth/sign-out-everywhere", Cookie=first, Origin="https://elsewhere.example").status == 403
    assert _is_in(own, second)
    assert own.ask("POST", "/auth/sign-out-everywhere", Cookie=first).status == 303
    assert [_is_in(own, cookie) for cookie in (first, second, other)] == [False, False, True]
    store = open_store(read_settings({}, home=own.home))
    row = list_audit(store, limit=1)[0]
    assert (row.actor, row.action, row.object_id) == ("zhao", "sessions_ended", "zhao")
    store.dispose()


def test_demo_account_keeps_its_password(own: Served) -> None:
    form = {"old": "demo-manager", "new": NEW}
    assert own.ask("POST", "/auth/account", form=form, Cookie=own.sign_in("manager")).status == 422


def test_account_is_for_who_is_signed_in(own: Served) -> None:
    assert own.ask("GET", "/auth/account").status == 303
    assert own.ask("POST", "/auth/account", form={"old": OLD, "new": NEW}).status == 401
    assert own.ask("POST", "/auth/sign-out-everywhere").status == 401
