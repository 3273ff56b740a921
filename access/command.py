"""`python cli.py users …`: its arguments and what each of them does; returns the lines to print."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Final, cast

from sqlalchemy import Engine

from access.audit import LOCAL
from access.flag import Flag, dismiss, list_flags, unlock
from access.password import hash_password, random_password
from access.people import Person, list_people
from access.removal import KEPT_FOR, remove_user, restore_user
from access.store import open_store
from access.user import (
    EVERY_REGION,
    ROLES,
    Role,
    User,
    UserError,
    add_user,
    end_user_sessions,
    find_user,
    set_access,
    set_disabled,
    set_password,
)
from config import Settings


def add_users_arguments(parser: ArgumentParser) -> None:
    """Give the parser of `users` its actions and their options."""
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("list", help="every account with role, regions and when it was last seen")
    actions.add_parser("flags", help="what was unusual and nobody has dismissed")
    actions.add_parser("dismiss", help="say that somebody has looked at a flag").add_argument("flag", type=int)
    for action, text in (
        ("add", "add an account; prints its password once"),
        ("access", "change role and regions; ends open sessions"),
    ):
        options = actions.add_parser(action, help=text)
        options.add_argument("name")
        options.add_argument("--role", choices=ROLES, required=True)
        options.add_argument(
            "--region",
            action="append",
            default=[],
            help=f"code such as CN-EAST, repeated; {EVERY_REGION!r} for an analyst of all",
        )
        if action == "add":
            options.add_argument("--display-name", default="")
    for action, text in (
        ("password", "give a new password; prints it once and ends open sessions"),
        ("end-sessions", "sign the account out everywhere"),
        ("disable", "close an account and its sessions"),
        ("enable", "reopen an account"),
        ("remove", "take a closed account away; it can be restored for 30 days"),
        ("restore", "bring a removed account back, closed as it was"),
        ("unlock", "let an account locked for unusual activity sign in again"),
    ):
        actions.add_parser(action, help=text).add_argument("name")


CHANGES: Final[dict[str, Callable[..., None]]] = {
    "disable": partial(set_disabled, is_disabled=True),
    "enable": partial(set_disabled, is_disabled=False),
    "remove": remove_user,
    "restore": restore_user,
    "unlock": unlock,
}


def users(settings: Settings, arguments: Namespace, now: datetime) -> list[str]:
    """Do one action on the accounts; the lines for standard output. Raises UserError with a remedy."""
    store = open_store(settings)
    try:
        return _act(store, arguments, now)
    finally:
        store.dispose()


def _act(store: Engine, arguments: Namespace, now: datetime) -> list[str]:
    if arguments.action == "list":
        return [_person_line(person) for person in list_people(store, now)]
    if arguments.action in ("flags", "dismiss"):
        return _act_on_flags(store, arguments, now)
    name = str(arguments.name).lower()
    if arguments.action == "add":
        return [_line(_add(store, arguments, name, now)), *_new_password(store, name, now)]
    if arguments.action == "access":
        set_access(store, name, role=cast(Role, arguments.role), regions=arguments.region, now=now, by=LOCAL)
    elif arguments.action == "password":
        return _new_password(store, name, now)
    elif arguments.action == "end-sessions":
        end_user_sessions(store, name, now, by=LOCAL)
    else:
        CHANGES[arguments.action](store, name, now=now, by=LOCAL)
    user = find_user(store, name)
    return [_line(user)] if user else [f"{name} is removed; `restore` brings it back within {KEPT_FOR.days} days"]


def _act_on_flags(store: Engine, arguments: Namespace, now: datetime) -> list[str]:
    if arguments.action == "dismiss":
        dismiss(store, arguments.flag, now=now, by=LOCAL)
    return [_flag_line(flag) for flag in list_flags(store)] or ["nothing unusual is open"]


def _add(store: Engine, arguments: Namespace, name: str, now: datetime) -> User:
    user = User(
        name=name, display_name=arguments.display_name or name, role=arguments.role, regions=tuple(sorted(set(arguments.region)))
    )
    add_user(store, user, password_hash=hash_password(random_password()), now=now, by=LOCAL)
    return user


def _new_password(store: Engine, name: str, now: datetime) -> list[str]:
    password = random_password()
    if (user := find_user(store, name)) and user.is_demo:
        raise UserError(f"{name} is a demo account with a public password: add an account of your own instead")
    set_password(store, name, password_hash=hash_password(password), now=now, by=LOCAL)
    return [f"password (shown once): {password}"]


def _line(user: User) -> str:
    marks = [
        mark for mark, is_set in (("demo", user.is_demo), ("disabled", user.is_disabled), ("locked", user.is_locked)) if is_set
    ]
    return "  ".join((f"{user.name:<16}", f"{user.role:<8}", ",".join(user.regions) or "-", user.display_name, *marks))


def _person_line(person: Person) -> str:
    """The account's line with when it was last seen, or until when it can still be restored."""
    if person.ends_at is not None:
        return f"{_line(person.user)}  removed, until {person.ends_at:%Y-%m-%d}"
    seen = f"last seen {person.seen_at:%Y-%m-%dT%H:%M:%SZ}" if person.seen_at else "never seen"
    return f"{_line(person.user)}  {seen}"


def _flag_line(flag: Flag) -> str:
    detail = json.dumps(flag.detail, ensure_ascii=False)
    return "  ".join((f"{flag.id:>5}", f"{flag.at:%Y-%m-%dT%H:%M:%SZ}", f"{flag.user_name:<16}", f"{flag.kind:<12}", detail))
