"""Users: what may be kept, and what each role sees."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from access.audit import LOCAL
from access.command import add_users_arguments, users
from access.removal import KEPT_FOR
from access.session import start_session
from access.sign_in import sign_in
from access.user import Role, User, UserError, add_user, check_user, find_user, list_users, scope_of
from config import Settings
from queries.scope import Scope

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("role", "regions", "expected"),
    [
        ("manager", (), Scope.ALL),
        ("admin", (), Scope.ALL),
        ("lead", ("CN-EAST", "CN-SOUTH"), Scope.of_regions(["CN-EAST", "CN-SOUTH"])),
        ("lead", (), Scope.NONE),
        ("lead", ("*",), Scope.NONE),
        ("analyst", (), Scope.NONE),
        ("analyst", ("*",), Scope.ALL),
        ("analyst", ("CN-EAST",), Scope.of_regions(["CN-EAST"])),
    ],
)
def test_scope_follows_from_role_and_regions(role: Role, regions: tuple[str, ...], expected: Scope) -> None:
    assert scope_of(User(name="x", display_name="x", role=role, regions=regions)) == expected


def test_disabled_user_sees_nothing() -> None:
    assert scope_of(User(name="x", display_name="x", role="admin", is_disabled=True)) == Scope.NONE


@pytest.mark.parametrize(
    ("user", "reason"),
    [
        (User(name="Li Wei", display_name="", role="manager"), "user name"),
        (User(name="li", display_name="", role="boss"), "use one of manager, lead"),  # type: ignore[arg-type]
        (User(name="li", display_name="", role="lead"), "without regions"),
        (User(name="li", display_name="", role="lead", regions=("*",)), "without regions"),
        (User(name="li", display_name="", role="lead", regions=("CN-EATS",)), "did you mean CN-EAST"),
        (User(name="li", display_name="", role="lead", regions=("N' OR '1'='1",)), "does not exist"),
    ],
)
def test_user_that_makes_no_sense_is_refused_with_the_remedy(user: User, reason: str) -> None:
    with pytest.raises(UserError, match=reason):
        check_user(user)


def test_taken_name_is_refused(store: Engine) -> None:
    with pytest.raises(UserError, match="li exists"):
        add_user(store, User(name="li", display_name="", role="manager"), password_hash="x", now=NOW, by=LOCAL)


@pytest.mark.parametrize(
    ("given", "shown"), [("Ann\u202e \ud83d\nLee\x00", "Ann Lee"), ("\u2066\u200b", "wang"), ("x" * 500, "x" * 128)]
)
def test_a_name_to_show_hides_and_turns_nothing(store: Engine, given: str, shown: str) -> None:
    add_user(store, User(name="wang", display_name=given, role="admin"), password_hash="x", now=NOW, by=LOCAL)
    assert [user.display_name for user in list_users(store) if user.name == "wang"] == [shown]


def _call(settings: Settings, *words: str) -> list[str]:
    parser = ArgumentParser()
    add_users_arguments(parser)
    return users(settings, parser.parse_args(words), NOW)


def test_added_account_signs_in_with_the_password_shown_once(settings: Settings, store: Engine) -> None:
    lines = _call(settings, "add", "wang", "--role", "lead", "--region", "CN-SOUTH", "--region", "CN-EAST")
    password = lines[-1].removeprefix("password (shown once): ")
    assert sign_in(store, "wang", password, address="192.0.2.1", now=NOW).secret
    user = find_user(store, "wang")
    assert user is not None
    assert user.regions == ("CN-EAST", "CN-SOUTH")
    assert not any(password in line for line in _call(settings, "list"))


def test_the_list_tells_when_each_account_was_last_seen_and_what_comes_back(settings: Settings, store: Engine) -> None:
    start_session(store, "li", NOW - timedelta(days=2))
    start_session(store, "li", NOW - timedelta(hours=1))
    _call(settings, "add", "wang", "--role", "analyst", "--region", "*")
    for action in ("disable", "remove"):
        _call(settings, action, "wang")
    assert [" ".join(line.split()) for line in _call(settings, "list")] == [
        f"li lead CN-EAST Li last seen {NOW - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}",
        "ming manager - Ming never seen",
        f"wang analyst * wang disabled removed, until {NOW + KEPT_FOR:%Y-%m-%d}",
    ]


def test_disabled_account_cannot_sign_in(settings: Settings, store: Engine) -> None:
    _call(settings, "disable", "li")
    assert sign_in(store, "li", "a long enough password", address="192.0.2.1", now=NOW).reason == "wrong"


def test_unknown_account_is_named_with_the_nearest(settings: Settings, store: Engine) -> None:
    with pytest.raises(UserError, match="did you mean ming"):
        _call(settings, "disable", "mingg")
