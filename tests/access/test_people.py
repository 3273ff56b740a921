"""Accounts as an administrator looks after them; a preview looks through other eyes and changes nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import cast

import pytest
from sqlalchemy import Engine

from access.acting import By
from access.audit import LOCAL
from access.audit_rows import list_audit
from access.people import (
    change_access,
    close_account,
    invite,
    list_people,
    preview_as,
    renew_password,
    reopen_account,
    sign_out_everywhere,
)
from access.session import read_session, set_preview, start_session
from access.sign_in import change_password, sign_in
from access.user import Role, User, UserError, add_user, find_user, set_access

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
PASSWORD = "a long enough password"
ADMIN = User(name="root", display_name="Root", role="admin")


@pytest.fixture
def accounts(store: Engine, password_hash: str) -> Engine:
    """The store with the administrator `root` beside ming and li."""
    add_user(store, ADMIN, password_hash=password_hash, now=NOW, by=LOCAL)
    return store


def _by(role: str = "admin", name: str = "root") -> By:
    return By(user=User(name=name, display_name=name, role=cast(Role, role)), at=NOW)


def test_invited_account_signs_in_with_the_password_shown_once(accounts: Engine) -> None:
    password = invite(accounts, User(name="wang", display_name="Wang", role="lead", regions=("CN-EAST",)), _by())
    assert sign_in(accounts, "wang", password, address="192.0.2.1", now=NOW).secret
    added = next(row for row in list_audit(accounts) if row.action == "user_added" and row.object_id == "wang")
    assert added.actor == "root"
    assert password not in str(list_audit(accounts))


def test_last_seen_and_open_sessions_are_told(accounts: Engine) -> None:
    start_session(accounts, "li", NOW - timedelta(hours=13))
    start_session(accounts, "li", NOW)
    people = {person.user.name: person for person in list_people(accounts, NOW)}
    assert (people["li"].seen_at, people["li"].session_count) == (NOW, 1)
    assert (people["ming"].seen_at, people["ming"].session_count) == (None, 0)


def test_every_change_ends_the_accounts_sessions(accounts: Engine) -> None:
    changed = User(name="li", display_name="Li", role="lead", regions=("CN-SOUTH",))
    for change in (
        lambda: change_access(accounts, changed, _by()),
        lambda: renew_password(accounts, "li", _by()),
        lambda: sign_out_everywhere(accounts, "li", _by()),
        lambda: close_account(accounts, "li", _by()),
    ):
        secret = start_session(accounts, "li", NOW)
        change()
        assert read_session(accounts, secret, NOW) is None
    reopen_account(accounts, "li", _by())
    found = find_user(accounts, "li")
    assert found is not None
    assert (found.is_disabled, found.regions) == (False, ("CN-SOUTH",))


@pytest.mark.parametrize("role", ["manager", "lead", "analyst"])
def test_accounts_are_the_administrators_only(accounts: Engine, role: str) -> None:
    other = User(name="wang", display_name="", role="admin")
    for change in (
        lambda: invite(accounts, other, _by(role, "ming")),
        lambda: change_access(accounts, User(name="ming", display_name="", role="admin"), _by(role, "ming")),
        lambda: renew_password(accounts, "li", _by(role, "ming")),
        lambda: close_account(accounts, "li", _by(role, "ming")),
        lambda: preview_as(accounts, "root", _by(role, "ming")),
    ):
        with pytest.raises(UserError, match="administrator"):
            change()
    assert find_user(accounts, "wang") is None


def test_last_administrator_and_the_own_account_stay(accounts: Engine) -> None:
    with pytest.raises(UserError, match="last administrator"):
        change_access(accounts, User(name="root", display_name="", role="manager"), _by())
    with pytest.raises(UserError, match="own account"):
        close_account(accounts, "root", _by())
    with pytest.raises(UserError, match="last administrator"):
        close_account(accounts, "root", _by(name="another"))
    for nobody in ("root", "unheard-of"):
        with pytest.raises(UserError, match="cannot be previewed"):
            preview_as(accounts, nobody, _by())


def test_preview_sees_as_the_other_and_acts_as_oneself(accounts: Engine) -> None:
    secret = start_session(accounts, "root", NOW)
    own = read_session(accounts, secret, NOW)
    assert own is not None
    preview_as(accounts, "li", By(user=own.user, at=NOW, actor=own.actor))
    seen = read_session(accounts, secret, NOW)
    assert seen is not None
    assert (seen.user.name, seen.user.role, seen.user.regions) == ("li", "lead", ("CN-EAST",))
    assert (seen.actor.name, seen.previewer) == ("root", own.user)
    assert change_password(accounts, seen, PASSWORD, "second quiet river", now=NOW).reason == "demo"
    assert sign_in(accounts, "li", PASSWORD, address="192.0.2.1", now=NOW).secret
    set_preview(accounts, seen.actor, None, NOW)
    left = read_session(accounts, secret, NOW)
    assert left is not None
    assert left.user.name == "root"
    actions = [(row.actor, row.action, row.object_id) for row in list_audit(accounts) if row.action.startswith("preview")]
    assert actions == [("root", "preview_ended", "li"), ("root", "preview_started", "li")]


def test_preview_ends_with_the_role_that_allowed_it(accounts: Engine, password_hash: str) -> None:
    add_user(accounts, User(name="second", display_name="", role="admin"), password_hash=password_hash, now=NOW, by=LOCAL)
    secret = start_session(accounts, "root", NOW)
    own = read_session(accounts, secret, NOW)
    assert own is not None
    preview_as(accounts, "li", By(user=own.user, at=NOW, actor=own.actor))
    set_access(accounts, "root", role="manager", regions=(), now=NOW, by=LOCAL)
    assert read_session(accounts, secret, NOW) is None


def test_session_of_another_role_never_looks_through_anyone(accounts: Engine) -> None:
    secret = start_session(accounts, "ming", NOW)
    own = read_session(accounts, secret, NOW)
    assert own is not None
    set_preview(accounts, own.actor, "root", NOW)
    seen = read_session(accounts, secret, NOW)
    assert seen is not None
    assert (seen.user.name, seen.previewer) == ("ming", None)
