"""What people take away comes back for a while: accounts and saved views are kept `KEPT_FOR`, then removed for good, on record.

Rules are retired and notes taken back, never removed: their history stays with the alerts and orders it explains.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Engine, select

from access.audit import SYSTEM, Actor, record
from access.saved_view import SAVED_VIEWS, SavedView, view_of_row
from access.sign_on import IDENTITIES
from access.store import PREFERENCES, SESSIONS, USERS, writing
from access.user import User, UserError, end_sessions, user_from

KEPT_FOR: Final = timedelta(days=30)


def remove_user(store: Engine, name: str, *, now: datetime, by: Actor) -> None:
    """Take a closed account away; `restore_user` brings it back. Raises UserError for one that is open, of the demo, or unknown."""
    with writing(store) as connection:
        row = connection.execute(select(USERS).where(USERS.c.name == name, USERS.c.deleted_at.is_(None))).one_or_none()
        if row is None:
            raise UserError(f"user {name!r} does not exist: see `python cli.py users list`")
        if row.is_demo:
            raise UserError(f"{name} is a demo account: close it, it goes with the demo")
        if not row.is_disabled:
            raise UserError(f"{name} is open: close the account first")
        connection.execute(USERS.update().where(USERS.c.name == name).values(deleted_at=now))
        end_sessions(connection, name, now)
        record(connection, at=now, actor=by, action="user_removed", object_kind="user", object_id=name)


def restore_user(store: Engine, name: str, *, now: datetime, by: Actor) -> None:
    """Bring a removed account back, closed as it was. Raises UserError where there is none any more."""
    mine = (USERS.c.name == name) & USERS.c.deleted_at.is_not(None)
    with writing(store) as connection:
        if connection.execute(select(USERS.c.name).where(mine)).first() is None:
            raise UserError(f"{name} is not among the removed accounts: after {KEPT_FOR.days} days they are gone for good")
        connection.execute(USERS.update().where(mine).values(deleted_at=None))
        record(connection, at=now, actor=by, action="user_restored", object_kind="user", object_id=name)


def removed_users(store: Engine) -> list[tuple[User, datetime]]:
    """The removed accounts and when each goes for good, by name."""
    query = select(USERS).where(USERS.c.deleted_at.is_not(None)).order_by(USERS.c.name)
    with store.connect() as connection:
        return [(user_from(row), row.deleted_at + KEPT_FOR) for row in connection.execute(query)]


def deleted_views(store: Engine, owner: str) -> list[tuple[SavedView, datetime]]:
    """The views an account deleted and when each goes for good, the last deleted first; `saved_view.restore_view` brings one back."""
    query = select(SAVED_VIEWS).where(SAVED_VIEWS.c.owner == owner, SAVED_VIEWS.c.deleted_at.is_not(None))
    with store.connect() as connection:
        rows = connection.execute(query.order_by(SAVED_VIEWS.c.deleted_at.desc(), SAVED_VIEWS.c.id.desc()))
        return [(view_of_row(row), row.deleted_at + KEPT_FOR) for row in rows]


def purge(store: Engine, now: datetime) -> int:
    """Remove for good what was taken away longer ago than `KEPT_FOR`; how many accounts and views."""
    users = select(USERS.c.name).where(USERS.c.deleted_at <= now - KEPT_FOR)
    views = select(SAVED_VIEWS.c.id).where(SAVED_VIEWS.c.deleted_at <= now - KEPT_FOR)
    with store.connect() as connection:
        if not [*connection.execute(users), *connection.execute(views)]:
            return 0
    with writing(store) as connection:
        names, numbers = list(connection.execute(users).scalars()), list(connection.execute(views).scalars())
        for name in names:
            _purge_user(connection, name)
        connection.execute(SAVED_VIEWS.delete().where(SAVED_VIEWS.c.id.in_(numbers)))
        found: dict[str, list[Any]] = {"user": names, "saved_view": numbers}
        for kind, ids in found.items():
            for one in ids:
                record(connection, at=now, actor=SYSTEM, action="purged", object_kind=kind, object_id=str(one))
    return len(names) + len(numbers)


def _purge_user(connection: Connection, name: str) -> None:
    """The account with what is its own alone; what it did stays in the audit."""
    connection.execute(SESSIONS.delete().where(SESSIONS.c.user_name == name))
    connection.execute(IDENTITIES.delete().where(IDENTITIES.c.user_name == name))
    connection.execute(PREFERENCES.delete().where(PREFERENCES.c.user_name == name))
    connection.execute(SAVED_VIEWS.delete().where(SAVED_VIEWS.c.owner == name))
    connection.execute(USERS.delete().where(USERS.c.name == name))
