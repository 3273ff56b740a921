"""Sessions: a row on the server; the browser holds only a random id, the store only that id's SHA-256."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Engine, Row, bindparam, select

from access.audit import Actor, record
from access.store import SESSIONS, USERS, writing
from access.user import User, user_from

IDLE_LIMIT: Final = timedelta(hours=12)
"""A session nobody uses ends; an open wall uses its session every few seconds."""

ABSOLUTE_LIMIT: Final = timedelta(days=7)
SEEN_STEP: Final = timedelta(minutes=1)
"""The last use is written at most this often."""


CONFIRMED_FOR: Final = timedelta(minutes=5)
"""So long a fresh sign-in at the company's provider counts as the password."""


CHECKED_SECONDS: Final = 0.5
"""Answers asked for within this time share one look at the session."""


VALID_SESSION: Final = (
    select(
        USERS,
        SESSIONS.c.id_sha256,
        SESSIONS.c.preview_of,
        SESSIONS.c.seen_at,
        SESSIONS.c.address,
        SESSIONS.c.created_at.label("started_at"),
    )
    .join(SESSIONS, SESSIONS.c.user_name == USERS.c.name)
    .where(SESSIONS.c.id_sha256 == bindparam("id"), SESSIONS.c.revoked_at.is_(None))
    .where(USERS.c.is_disabled.is_(False), USERS.c.locked_at.is_(None), USERS.c.deleted_at.is_(None))
    .where(SESSIONS.c.expires_at > bindparam("at"), SESSIONS.c.seen_at > bindparam("idle_since"))
)
"""A session by its digest and its user, if both are valid at an instant; put together once, for every look asks it."""


class SessionEnded(PermissionError):
    """The session is not (or no longer) valid: sign in again."""


@dataclass
class Checked:
    """Until when a session that was found valid is not looked at again for one more answer."""

    until: float = 0.0

    def check(self, stays_valid: Callable[[], None]) -> None:
        """Call `stays_valid`, which raises SessionEnded, unless it was called a moment ago."""
        now = time.monotonic()
        if now >= self.until:
            stays_valid()
            self.until = now + CHECKED_SECONDS


@dataclass(frozen=True, kw_only=True)
class Session:
    """A valid session and its user as both are now.

    In a preview `user` is the one looked through, and `previewer` the administrator who looks: nothing can be changed.
    """

    id_sha256: str
    user: User
    previewer: User | None = None
    created_at: datetime
    address: str = ""

    @property
    def actor(self) -> Actor:
        """Who acts in this session, for the audit."""
        return Actor(name=(self.previewer or self.user).name, address=self.address, session=self.id_sha256)


def start_session(store: Engine, name: str, now: datetime, *, address: str = "") -> str:
    """A new session for the user: the random 256-bit id for the cookie, kept nowhere else."""
    secret = secrets.token_urlsafe(32)
    actor = Actor(name=name, address=address, session=digest(secret))
    times = {"created_at": now, "seen_at": now, "expires_at": now + ABSOLUTE_LIMIT}
    with writing(store) as connection:
        connection.execute(SESSIONS.delete().where(SESSIONS.c.expires_at < now))
        connection.execute(SESSIONS.insert().values(id_sha256=actor.session, user_name=name, address=address[:64], **times))
        record(connection, at=now, actor=actor, action="signed_in", object_kind="user", object_id=name)
    return secret


def read_session(store: Engine, secret: str | None, now: datetime) -> Session | None:
    """The session of this cookie as it is now; None when unknown, revoked, idle too long, expired or its user shut."""
    if not secret:
        return None
    values = {"id": digest(secret), "at": now, "idle_since": now - IDLE_LIMIT}
    with store.connect() as connection:
        row = connection.execute(VALID_SESSION, values).one_or_none()
        seen = _previewed(connection, row)
    if row is None:
        return None
    if now - row.seen_at >= SEEN_STEP:
        with writing(store) as connection:
            connection.execute(SESSIONS.update().where(SESSIONS.c.id_sha256 == row.id_sha256).values(seen_at=now))
    own = user_from(row)
    return Session(
        id_sha256=row.id_sha256,
        user=seen or own,
        previewer=own if seen else None,
        created_at=row.started_at,
        address=row.address,
    )


def signed_in_users(store: Engine, now: datetime) -> list[User]:
    """Whoever has a valid session, the latest seen first."""
    query = (
        select(USERS)
        .join(SESSIONS, SESSIONS.c.user_name == USERS.c.name)
        .where(SESSIONS.c.revoked_at.is_(None), SESSIONS.c.expires_at > now, SESSIONS.c.seen_at > now - IDLE_LIMIT)
        .where(USERS.c.is_disabled.is_(False), USERS.c.locked_at.is_(None), USERS.c.deleted_at.is_(None))
        .order_by(SESSIONS.c.seen_at.desc())
    )
    with store.connect() as connection:
        users = [user_from(row) for row in connection.execute(query)]
    return list(dict.fromkeys(users))


def _previewed(connection: Connection, row: Row[Any] | None) -> User | None:
    """Whom an administrator's session looks through; anyone else's, and a user who is gone, count for nothing."""
    if row is None or row.preview_of is None or row.role != "admin":
        return None
    found = connection.execute(select(USERS).where(USERS.c.name == row.preview_of)).one_or_none()
    return None if found is None else user_from(found)


def set_preview(store: Engine, actor: Actor, name: str | None, now: datetime) -> None:
    """Let the actor's session look through another user's eyes, read-only, or (None) through its own again."""
    mine = SESSIONS.c.id_sha256 == actor.session
    action = "preview_started" if name else "preview_ended"
    with writing(store) as connection:
        before = connection.execute(select(SESSIONS.c.preview_of).where(mine)).scalar_one_or_none()
        connection.execute(SESSIONS.update().where(mine).values(preview_of=name))
        record(connection, at=now, actor=actor, action=action, object_kind="user", object_id=name or before or "")


def confirm_session(store: Engine, actor: Actor, now: datetime) -> None:
    """Put on record that the actor's session was confirmed by a fresh sign-in at the company's provider."""
    with writing(store) as connection:
        connection.execute(SESSIONS.update().where(SESSIONS.c.id_sha256 == actor.session).values(confirmed_at=now))
        record(connection, at=now, actor=actor, action="identity_confirmed", object_kind="user", object_id=actor.name)


def is_confirmed(store: Engine, id_sha256: str, now: datetime) -> bool:
    """Whether the session was confirmed within `CONFIRMED_FOR`."""
    query = select(SESSIONS.c.confirmed_at).where(SESSIONS.c.id_sha256 == id_sha256, SESSIONS.c.revoked_at.is_(None))
    with store.connect() as connection:
        at = connection.execute(query).scalar_one_or_none()
    return at is not None and timedelta(0) <= now - at < CONFIRMED_FOR


def end_session(store: Engine, secret: str, now: datetime) -> None:
    """Revoke one session for good; its cookie is worthless from now on."""
    session = read_session(store, secret, now)
    if session is None:
        return
    with writing(store) as connection:
        connection.execute(SESSIONS.update().where(SESSIONS.c.id_sha256 == session.id_sha256).values(revoked_at=now))
        record(connection, at=now, actor=session.actor, action="signed_out", object_kind="user", object_id=session.user.name)


def digest(secret: str) -> str:
    """What the store and the audit know of a session's secret."""
    return hashlib.sha256(secret.encode()).hexdigest()
