"""The accounts as an administrator looks after them: who there is, when last seen, and every change with who made it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Engine, func, select

from access import flag
from access.acting import By
from access.password import hash_password, random_password
from access.removal import remove_user, removed_users, restore_user
from access.session import IDLE_LIMIT, set_preview
from access.store import SESSIONS, USERS
from access.user import (
    NO_PASSWORD,
    User,
    UserError,
    add_user,
    end_user_sessions,
    find_user,
    list_users,
    set_access,
    set_disabled,
    set_password,
)


@dataclass(frozen=True, kw_only=True)
class Person:
    """An account with when it was last seen (None: never, or longer ago than sessions are kept) and its open sessions.

    `has_password` is false for one that signs in at the company's provider.

    `ends_at` is when a removed account goes for good, None for all others.
    """

    user: User
    seen_at: datetime | None
    session_count: int
    ends_at: datetime | None = None
    has_password: bool = True


def list_people(store: Engine, now: datetime) -> list[Person]:
    """Every account by name, those taken away last."""
    is_open = SESSIONS.c.revoked_at.is_(None) & (SESSIONS.c.expires_at > now) & (SESSIONS.c.seen_at > now - IDLE_LIMIT)
    columns = (SESSIONS.c.user_name, func.max(SESSIONS.c.seen_at), func.count().filter(is_open))
    with store.connect() as connection:
        elsewhere = set(connection.execute(select(USERS.c.name).where(USERS.c.password_hash == NO_PASSWORD)).scalars())
        seen = {name: (at, count) for name, at, count in connection.execute(select(*columns).group_by(SESSIONS.c.user_name))}
    removed = [Person(user=user, seen_at=None, session_count=0, ends_at=at) for user, at in removed_users(store)]
    people = [_person(user, *seen.get(user.name, (None, 0))) for user in list_users(store)]
    return [*(replace(person, has_password=person.user.name not in elsewhere) for person in people), *removed]


def invite(store: Engine, user: User, by: By) -> str:
    """Add an account; its password, to be handed over once. Raises UserError."""
    _administrator(by)
    password = random_password()
    add_user(store, user, password_hash=hash_password(password), now=by.at, by=by.audited)
    return password


def renew_password(store: Engine, name: str, by: By) -> str:
    """Give an account a new password, to be handed over once; its sessions end. Raises UserError."""
    _administrator(by)
    if (user := find_user(store, name)) and user.is_demo:
        raise UserError(f"{name} is a demo account with a public password: add an account of your own instead")
    password = random_password()
    set_password(store, name, password_hash=hash_password(password), now=by.at, by=by.audited)
    return password


def change_access(store: Engine, changed: User, by: By) -> None:
    """Give an account the role and regions of `changed`; its sessions end. Raises UserError, also for the last administrator."""
    _administrator(by)
    if changed.role != "admin":
        _not_the_last(store, changed.name)
    set_access(store, changed.name, role=changed.role, regions=changed.regions, now=by.at, by=by.audited)


def close_account(store: Engine, name: str, by: By) -> None:
    """Close an account and its sessions; it can be reopened. Raises UserError, also for the own and the last administrator's."""
    _administrator(by)
    if name == by.user.name:
        raise UserError("your own account cannot be closed: ask another administrator")
    _not_the_last(store, name)
    set_disabled(store, name, is_disabled=True, now=by.at, by=by.audited)


def reopen_account(store: Engine, name: str, by: By) -> None:
    """Reopen a closed account; sessions that ended stay ended."""
    _administrator(by)
    set_disabled(store, name, is_disabled=False, now=by.at, by=by.audited)


def remove_account(store: Engine, name: str, by: By) -> None:
    """Take a closed account away; it can be restored for a while. Raises UserError."""
    _administrator(by)
    remove_user(store, name, now=by.at, by=by.audited)


def restore_account(store: Engine, name: str, by: By) -> None:
    """Bring a removed account back, closed as it was. Raises UserError."""
    _administrator(by)
    restore_user(store, name, now=by.at, by=by.audited)


def sign_out_everywhere(store: Engine, name: str, by: By) -> None:
    """End every session of an account."""
    _administrator(by)
    end_user_sessions(store, name, by.at, by=by.audited)


def unlock_account(store: Engine, name: str, by: By) -> None:
    """Let an account that was locked for unusual activity sign in again. Raises UserError."""
    _administrator(by)
    flag.unlock(store, name, now=by.at, by=by.audited)


def dismiss_flag(store: Engine, flag_id: int, by: By) -> None:
    """Say that somebody has looked at what was unusual. Raises UserError for one dismissed already."""
    _administrator(by)
    flag.dismiss(store, flag_id, now=by.at, by=by.audited)


def preview_as(store: Engine, name: str, by: By) -> None:
    """Look through another user's eyes in this session until it is left. Raises UserError for the own account."""
    _administrator(by)
    if name == by.user.name or find_user(store, name) is None:
        raise UserError(f"{name} cannot be previewed: choose another account")
    set_preview(store, by.audited, name, by.at)


def _person(user: User, seen_at: datetime | None, count: int) -> Person:
    return Person(user=user, seen_at=seen_at, session_count=count)


def _administrator(by: By) -> None:
    if by.user.role != "admin":
        raise UserError("accounts are the administrator's: ask one")


def _not_the_last(store: Engine, name: str) -> None:
    admins = [user.name for user in list_users(store) if user.role == "admin" and not user.is_disabled]
    if admins == [name]:
        raise UserError(f"{name} is the last administrator: make another one first")
