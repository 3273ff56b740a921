"""Unusual activity: flagged once with what and when, dismissed on record; locks where that is wanted, and an administrator unlocks."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine

from access.acting import By
from access.audit import LOCAL, Actor, note
from access.audit_rows import list_audit
from access.command import add_users_arguments, users
from access.flag import Limits, limits_of, list_flags, look_at
from access.people import dismiss_flag, unlock_account
from access.session import read_session, start_session
from access.sign_in import sign_in
from access.user import User, UserError, add_user, find_user, scope_of
from config import Settings, SettingsError, read_settings
from queries.scope import Scope
from tests.access.conftest import NOW, PASSWORD

HERE, THERE = "192.0.2.1", "198.51.100.7"
ROOT = User(name="root", display_name="Root", role="admin")
BY = By(user=ROOT, at=NOW)
LIMITS = Limits(window=timedelta(hours=24), failures=3, exports=3, export_rows=1_000, reveals=2, lock_on=())


def _look(store: Engine, now: datetime = NOW, limits: Limits = LIMITS, name: str = "li") -> tuple[str, ...]:
    return look_at(store, name, limits, now)


def _note(store: Engine, action: str, at: datetime = NOW, **detail: int) -> None:
    note(store, at=at, actor=Actor(name="li", address=HERE), action=action, object_kind="order", detail=detail)


def _fail(store: Engine, at: datetime = NOW, name: str = "li") -> None:
    """A failed sign-in as it is recorded; the password's own test takes its time elsewhere."""
    what: dict[str, str] = {"object_kind": "user", "object_id": name, "result": "wrong"}
    note(store, at=at, actor=Actor(name=name, address=THERE), action="sign_in_failed", **what)


def test_failed_sign_ins_are_what_is_counted(store: Engine) -> None:
    sign_in(store, "li", "wrong password", address=THERE, now=NOW)
    one = Limits(window=LIMITS.window, failures=1, exports=0, export_rows=0, reveals=0, lock_on=())
    assert _look(store, limits=one) == ("failures",)


def test_first_and_known_addresses_are_usual_a_new_one_is_flagged_once(store: Engine) -> None:
    hours = [NOW + timedelta(hours=hour) for hour in range(5)]
    seen = []
    for at, address in zip(hours, (HERE, HERE, THERE, THERE, HERE), strict=True):
        start_session(store, "li", at, address=address)
        seen.append((_look(store, at), _look(store, at + timedelta(minutes=5))))
    assert seen == [((), ()), ((), ()), (("new_address",), ()), ((), ()), ((), ())]
    assert [(flag.kind, flag.at, flag.detail) for flag in list_flags(store)] == [("new_address", hours[2], {"address": THERE})]


def test_failures_of_an_account_are_flagged_and_counted_anew_afterwards(store: Engine) -> None:
    found = []
    for minute in range(0, 60, 10):
        at = NOW + timedelta(minutes=minute)
        _fail(store, at)
        found.append(_look(store, at))
    assert found == [(), (), ("failures",), (), (), ("failures",)]
    assert list_flags(store)[-1].detail == {"count": 3, "addresses": [THERE]}


def test_failures_far_apart_and_of_unknown_names_are_usual(store: Engine) -> None:
    for day in range(4):
        _fail(store, NOW + timedelta(days=day))
        _fail(store, NOW + timedelta(days=day), name="nobody")
    assert _look(store, NOW + timedelta(days=3)) == ()
    assert _look(store, NOW + timedelta(days=3), name="nobody") == ()


@pytest.mark.parametrize(("rows", "count", "is_flagged"), [(10, 2, False), (10, 3, True), (600, 2, True), (499, 2, False)])
def test_many_exports_or_many_rows_are_flagged(store: Engine, rows: int, count: int, is_flagged: bool) -> None:
    for _ in range(count):
        _note(store, "orders_exported", rows=rows)
    assert _look(store) == (("export",) if is_flagged else ())
    assert _look(store, name="ming") == ()


def test_many_reveals_are_flagged(store: Engine) -> None:
    _note(store, "contact_revealed")
    assert _look(store) == ()
    _note(store, "contact_revealed")
    assert _look(store) == ("reveal",)
    assert list_audit(store)[0].action == "flagged"


def test_limit_of_nought_flags_nothing(store: Engine) -> None:
    for _ in range(5):
        _note(store, "contact_revealed")
        _note(store, "orders_exported", rows=10**6)
    none = Limits(window=LIMITS.window, failures=0, exports=0, export_rows=0, reveals=0, lock_on=("export",))
    assert _look(store, limits=none) == ()


def test_dismissing_needs_an_administrator_and_is_on_record(store: Engine) -> None:
    _note(store, "contact_revealed")
    _note(store, "contact_revealed")
    _look(store)
    flag = list_flags(store)[0]
    with pytest.raises(UserError, match="administrator"):
        dismiss_flag(store, flag.id, By(user=User(name="ming", display_name="", role="manager"), at=NOW))
    dismiss_flag(store, flag.id, BY)
    assert list_flags(store) == []
    assert list_flags(store, is_open=False)[0].dismissed_by == "root"
    assert (list_audit(store)[0].action, list_audit(store)[0].actor) == ("flag_dismissed", "root")
    with pytest.raises(UserError, match="already"):
        dismiss_flag(store, flag.id, BY)


LOCKING = Limits(window=LIMITS.window, failures=3, exports=3, export_rows=0, reveals=2, lock_on=("reveal", "failures"))


def test_kind_that_locks_ends_the_sessions_until_an_administrator_unlocks(store: Engine) -> None:
    secret = start_session(store, "li", NOW, address=HERE)
    _note(store, "contact_revealed")
    _note(store, "contact_revealed")
    assert _look(store, limits=LOCKING) == ("reveal",)
    assert read_session(store, secret, NOW) is None
    assert sign_in(store, "li", PASSWORD, address=HERE, now=NOW).reason == "wrong"
    locked = find_user(store, "li")
    assert locked is not None
    assert scope_of(locked) == Scope.NONE
    with pytest.raises(UserError, match="administrator"):
        unlock_account(store, "li", By(user=User(name="ming", display_name="", role="manager"), at=NOW))
    unlock_account(store, "li", BY)
    assert sign_in(store, "li", PASSWORD, address=HERE, now=NOW).secret
    actions = [row.action for row in list_audit(store) if row.object_kind == "user"]
    assert [action for action in actions if "lock" in action] == ["user_unlocked", "user_locked"]
    with pytest.raises(UserError, match="not locked"):
        unlock_account(store, "li", BY)


def test_last_administrator_is_flagged_and_not_locked(store: Engine, password_hash: str) -> None:
    for name in ("root", "second"):
        add_user(store, User(name=name, display_name="", role="admin"), password_hash=password_hash, now=NOW, by=LOCAL)
    for name in ("second", "root"):
        for _ in range(3):
            _fail(store, name=name)
        assert _look(store, limits=LOCKING, name=name) == ("failures",)
    assert [bool(user and user.is_locked) for user in (find_user(store, "second"), find_user(store, "root"))] == [True, False]


def test_command_shows_dismisses_and_unlocks(store: Engine, settings: Settings) -> None:
    _note(store, "contact_revealed")
    _note(store, "contact_revealed")
    _look(store, limits=LOCKING)
    parser = ArgumentParser()
    add_users_arguments(parser)

    def say(*words: str) -> str:
        return "\n".join(users(settings, parser.parse_args(words), NOW))

    assert "reveal" in say("flags")
    assert "locked" in say("list")
    assert "locked" not in say("unlock", "li")
    say("dismiss", str(list_flags(store)[0].id))
    assert "nothing unusual" in say("flags")


def test_lock_of_a_kind_there_is_not_is_refused_with_the_kinds() -> None:
    with pytest.raises(SettingsError, match="new_address, failures, export, reveal"):
        limits_of(read_settings({}, lock_on="exports"))
    assert limits_of(read_settings({}, lock_on=" export, reveal ")).lock_on == ("export", "reveal")
