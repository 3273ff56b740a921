"""Users: who they are, what role they have, which regions they may see."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, get_args

from sqlalchemy import Connection, Engine, Row, select

from access.audit import Actor, record
from access.store import SESSIONS, USERS, writing
from data.places import region_codes
from queries.scope import Scope

Role = Literal["manager", "lead", "analyst", "admin"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)
EVERY_REGION: Final = "*"
"""An analyst's explicit "everything"; a lead always has regions by name, managers and admins need none."""


LONGEST_NAME: Final = 128
NO_PASSWORD: Final = "-"
"""In place of a password's hash: the account signs in at the company's provider; no password fits."""


class UserError(ValueError):
    """A user cannot be added or changed; the message names the thing, the reason and the remedy."""


class PreviewError(PermissionError):
    """Something was to be changed while looking through another user's eyes."""


@dataclass(frozen=True, kw_only=True)
class User:
    """One account, without its password. `regions` is sorted; `language` is empty until chosen."""

    name: str
    display_name: str
    role: Role
    regions: tuple[str, ...] = ()
    language: str = ""
    is_demo: bool = False
    is_disabled: bool = False
    is_locked: bool = False


LOCAL_ADMINISTRATOR: Final = User(name="local", display_name="local administrator", role="admin")
"""Whoever runs the command line on this machine can read the files anyway."""


def scope_of(user: User) -> Scope:
    """What the user may see: everything, or their regions by name; nobody sees anything by default."""
    if user.is_disabled or user.is_locked:
        return Scope.NONE
    if user.role in ("manager", "admin") or (user.role == "analyst" and EVERY_REGION in user.regions):
        return Scope.ALL
    return Scope.of_regions(region for region in user.regions if region != EVERY_REGION)


def check_user(user: User) -> User:
    """The user as it may be kept; raises UserError for a bad name, role, or region."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9._@-]{0,63}", user.name):
        raise UserError(f"user name {user.name!r}: use up to 64 of a-z, 0-9, '.', '_', '@', '-'")
    if user.role not in ROLES:
        raise UserError(f"role {user.role!r} does not exist: use one of {', '.join(ROLES)}")
    if user.role == "lead" and (not user.regions or EVERY_REGION in user.regions):
        raise UserError(f"{user.name} is a lead without regions: name them, for example CN-EAST")
    for region in user.regions:
        if region not in region_codes() and region != EVERY_REGION:
            near = difflib.get_close_matches(region, region_codes(), n=1)
            hint = f"did you mean {near[0]}?" if near else f"use one of {', '.join(region_codes())}"
            raise UserError(f"region {region!r} does not exist: {hint}")
    return user


def find_user(store: Engine, name: str) -> User | None:
    """The user of this name, or None; an account taken away is none."""
    mine = (USERS.c.name == name) & USERS.c.deleted_at.is_(None)
    with store.connect() as connection:
        row = connection.execute(select(USERS).where(mine)).one_or_none()
    return None if row is None else user_from(row)


def list_users(store: Engine) -> list[User]:
    """Every user by name, but for those taken away."""
    query = select(USERS).where(USERS.c.deleted_at.is_(None)).order_by(USERS.c.name)
    with store.connect() as connection:
        return [user_from(row) for row in connection.execute(query)]


def read_password_hash(store: Engine, name: str) -> str | None:
    """The user's password hash; None for a user who is unknown, disabled, locked, or has no password here."""
    usable = (
        USERS.c.is_disabled.is_(False)
        & USERS.c.locked_at.is_(None)
        & USERS.c.deleted_at.is_(None)
        & (USERS.c.password_hash != NO_PASSWORD)
    )
    with store.connect() as connection:
        return connection.execute(select(USERS.c.password_hash).where(USERS.c.name == name, usable)).scalar_one_or_none()


def has_password(store: Engine, name: str) -> bool:
    """Whether the account has a password here, and does not sign in at the company's provider."""
    mine = (USERS.c.name == name) & (USERS.c.password_hash != NO_PASSWORD)
    with store.connect() as connection:
        return connection.execute(select(USERS.c.name).where(mine)).first() is not None


def add_user(store: Engine, user: User, *, password_hash: str, now: datetime, by: Actor) -> None:
    """Keep a new user, added `by` someone; raises UserError when the name is taken or the user is not valid."""
    check_user(user)
    shown = " ".join("".join(sign if sign.isprintable() else " " for sign in user.display_name).split())
    with writing(store) as connection:
        if connection.execute(select(USERS.c.name).where(USERS.c.name == user.name)).one_or_none():
            raise UserError(f"user {user.name} exists: change it or choose another name")
        values = {
            "display_name": shown[:LONGEST_NAME] or user.name,
            "role": user.role,
            "regions": sorted(set(user.regions)),
            "language": user.language,
            "is_demo": user.is_demo,
            "is_disabled": user.is_disabled,
        }
        connection.execute(USERS.insert().values(name=user.name, password_hash=password_hash, created_at=now, **values))
        detail = {"role": user.role, "regions": values["regions"]}
        record(connection, at=now, actor=by, action="user_added", object_kind="user", object_id=user.name, detail=detail)


def set_access(store: Engine, name: str, *, role: Role, regions: Iterable[str], now: datetime, by: Actor) -> None:
    """Change role and regions; every open session of the user ends."""
    user, wanted = _known(store, name), sorted(set(regions))
    check_user(User(name=name, display_name=user.display_name, role=role, regions=tuple(wanted)))
    detail = {"role": [user.role, role], "regions": [list(user.regions), wanted]}
    _change(store, name, now, {"role": role, "regions": wanted}, action="access_changed", by=by, detail=detail)


def set_password(store: Engine, name: str, *, password_hash: str, now: datetime, by: Actor) -> None:
    """Change the password; every open session of the user ends. Raises UserError for an account of the company's sign-on."""
    _known(store, name)
    if not has_password(store, name):
        raise UserError(f"{name} signs in at the company's provider: its password is changed there")
    _change(store, name, now, {"password_hash": password_hash}, action="password_changed", by=by)


def set_disabled(store: Engine, name: str, *, is_disabled: bool, now: datetime, by: Actor) -> None:
    """Close or reopen an account; every open session of the user ends."""
    _known(store, name)
    _change(store, name, now, {"is_disabled": is_disabled}, action="user_disabled" if is_disabled else "user_enabled", by=by)


def set_language(store: Engine, name: str, language: str) -> None:
    """Keep the language the user chose; sessions go on."""
    with writing(store) as connection:
        connection.execute(USERS.update().where(USERS.c.name == name).values(language=language))


def end_user_sessions(store: Engine, name: str, now: datetime, *, by: Actor) -> None:
    """Sign the user out everywhere, the account itself stays as it is. Raises UserError for an unknown name."""
    _known(store, name)
    _change(store, name, now, {}, action="sessions_ended", by=by)


def end_sessions(connection: Connection, name: str, now: datetime) -> None:
    """Revoke every open session of the user within the caller's transaction."""
    is_open = (SESSIONS.c.user_name == name) & SESSIONS.c.revoked_at.is_(None)
    connection.execute(SESSIONS.update().where(is_open).values(revoked_at=now))


def user_from(row: Row[tuple[object, ...]]) -> User:
    """The user in a row that carries the columns of `users`."""
    return User(
        name=row.name,
        display_name=row.display_name,
        role=row.role,
        regions=tuple(sorted(row.regions)),
        language=row.language,
        is_demo=row.is_demo,
        is_disabled=row.is_disabled,
        is_locked=row.locked_at is not None,
    )


def _known(store: Engine, name: str) -> User:
    user = find_user(store, name)
    if user is None:
        near = difflib.get_close_matches(name, [known.name for known in list_users(store)], n=1)
        raise UserError(
            f"user {name!r} does not exist" + (f": did you mean {near[0]}?" if near else ": see `python cli.py users list`")
        )
    return user


def _change(
    store: Engine,
    name: str,
    now: datetime,
    values: dict[str, Any],
    *,
    action: str,
    by: Actor,
    detail: dict[str, Any] | None = None,
) -> None:
    with writing(store) as connection:
        if values:
            connection.execute(USERS.update().where(USERS.c.name == name).values(values))
        end_sessions(connection, name, now)
        record(connection, at=now, actor=by, action=action, object_kind="user", object_id=name, detail=detail)
