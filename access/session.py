"""Sessions: a row on the server; the browser holds only a random id, the store only that id's SHA-256."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Engine, select

from access.audit import Actor, record
from access.store import SESSIONS, USERS, writing
from access.user import User, user_from

IDLE_LIMIT: Final = timedelta(hours=12)
"""A session nobody uses ends; an open wall uses its session every few seconds."""

ABSOLUTE_LIMIT: Final = timedelta(days=7)
SEEN_STEP: Final = timedelta(minutes=1)
"""The last use is written at most this often."""


class SessionEnded(PermissionError):
    """The session is not (or no longer) valid: sign in again."""


@dataclass(frozen=True, kw_only=True)
class Session:
    """A valid session and its user as both are now."""

    id_sha256: str
    user: User
    created_at: datetime
    address: str = ""

    @property
    def actor(self) -> Actor:
        """Who acts in this session, for the audit."""
        return Actor(name=self.user.name, address=self.address, session=self.id_sha256)


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
    """The session of this cookie as it is now; None when unknown, revoked, idle too long, expired or its user disabled."""
    if not secret:
        return None
    started_at = SESSIONS.c.created_at.label("started_at")
    query = (
        select(USERS, SESSIONS.c.id_sha256, SESSIONS.c.seen_at, SESSIONS.c.address, started_at)
        .join(SESSIONS, SESSIONS.c.user_name == USERS.c.name)
        .where(SESSIONS.c.id_sha256 == digest(secret), SESSIONS.c.revoked_at.is_(None), USERS.c.is_disabled.is_(False))
        .where(SESSIONS.c.expires_at > now, SESSIONS.c.seen_at > now - IDLE_LIMIT)
    )
    with store.connect() as connection:
        row = connection.execute(query).one_or_none()
    if row is None:
        return None
    if now - row.seen_at >= SEEN_STEP:
        with writing(store) as connection:
            connection.execute(SESSIONS.update().where(SESSIONS.c.id_sha256 == row.id_sha256).values(seen_at=now))
    return Session(id_sha256=row.id_sha256, user=user_from(row), created_at=row.started_at, address=row.address)


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
