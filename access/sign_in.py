"""Sign-in: limited attempts that decay, the same answer and time for an unknown user, demo accounts in the demo only."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil, log2
from typing import Final

from sqlalchemy import Connection, Engine, select

from access.audit import AUDIT, SYSTEM, Actor, note
from access.password import hash_password, is_password, random_password
from access.password_rule import password_fault
from access.session import Session, start_session
from access.store import ATTEMPTS, writing
from access.user import User, add_user, find_user, has_password, list_users, read_password_hash, set_disabled, set_password
from config import Settings

HALF_LIFE: Final = timedelta(minutes=5)
"""Failed attempts count half after this time, so a limit always opens again by itself."""

MEMORY: Final = 12 * HALF_LIFE
"""Older attempts weigh less than a four-thousandth and are dropped."""

LIMIT_PER_ACCOUNT_AND_ADDRESS: Final = 5.0
LIMIT_PER_ADDRESS: Final = 30.0
LIMIT_PER_ACCOUNT: Final = 100.0
"""High, so that a stranger cannot keep a user out, and still no password is guessed from many addresses."""

WAIT_STEP: Final = timedelta(minutes=1)

LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, kw_only=True)
class SignIn:
    """How an attempt ended: a cookie secret, or a reason (`wrong`, `wait` …) and the seconds to wait."""

    secret: str = ""
    reason: str = ""
    wait_seconds: int = 0


@dataclass(frozen=True, kw_only=True)
class DemoUser:
    """An account of the demo country; its password is public, so it exists on this machine's own address only."""

    user: User
    password: str


DEMO_USERS: Final = (
    DemoUser(user=User(name="manager", display_name="National manager", role="manager", is_demo=True), password="demo-manager"),
    DemoUser(
        user=User(name="east", display_name="Regional lead, East China", role="lead", regions=("CN-EAST",), is_demo=True),
        password="demo-east",
    ),
    DemoUser(
        user=User(name="analyst", display_name="Operations analyst", role="analyst", regions=("*",), is_demo=True),
        password="demo-analyst",
    ),
    DemoUser(user=User(name="admin", display_name="Administrator", role="admin", is_demo=True), password="demo-admin"),
)


def sign_in(store: Engine, name: str, password: str, *, address: str, now: datetime) -> SignIn:
    """Try name and password from an address; counts the attempt before the password is looked at."""
    name = name.strip().lower()[:64]
    buckets = _buckets(name, address)
    wait = _count_attempt(store, buckets, now)
    if wait > 0:
        _record_wait(store, name, address, now)
        return SignIn(reason="wait", wait_seconds=wait)
    if not is_password(password, read_password_hash(store, name)):
        _record_failure(store, name, address, now, result="wrong")
        return SignIn(reason="wrong")
    _forget_attempts(store, buckets, now)
    return SignIn(secret=start_session(store, name, now, address=address))


def confirm_password(store: Engine, user: User, password: str, *, address: str, now: datetime) -> SignIn:
    """Whether someone signed in still knows the password; counts and refuses attempts as `sign_in` does, opens nothing."""
    buckets = _buckets(user.name, address)
    wait = _count_attempt(store, buckets, now)
    if wait > 0:
        _record_wait(store, user.name, address, now)
        return SignIn(reason="wait", wait_seconds=wait)
    if not is_password(password, read_password_hash(store, user.name)):
        _record_failure(store, user.name, address, now, result="wrong")
        return SignIn(reason="wrong")
    _forget_attempts(store, buckets, now)
    return SignIn()


def change_password(store: Engine, session: Session, old: str, new: str, *, now: datetime) -> SignIn:
    """The user's own new password: every session ends, a new one begins; else the reason, a `password_fault` among them."""
    user = session.user
    if user.is_demo or session.previewer is not None:
        return SignIn(reason="demo")
    if not has_password(store, user.name):
        return SignIn(reason="elsewhere")
    confirmed = confirm_password(store, user, old, address=session.address, now=now)
    if confirmed.reason:
        return confirmed
    fault = password_fault(new, user.name)
    if fault is not None:
        return SignIn(reason=fault)
    set_password(store, user.name, password_hash=hash_password(new), now=now, by=session.actor)
    return SignIn(secret=start_session(store, user.name, now, address=session.address))


def offers_demo(settings: Settings) -> bool:
    """Whether the demo accounts exist: demo data, and reachable from this machine only."""
    return settings.is_demo and settings.host in LOOPBACK


def settle_demo_users(store: Engine, settings: Settings, now: datetime) -> None:
    """Make the demo accounts exist in the demo, and close them everywhere else."""
    if offers_demo(settings):
        for demo in DEMO_USERS:
            known = find_user(store, demo.user.name)
            if known is None:
                add_user(store, demo.user, password_hash=hash_password(demo.password, shortest=1), now=now, by=SYSTEM)
            elif known.is_demo and known.is_disabled:
                set_disabled(store, known.name, is_disabled=False, now=now, by=SYSTEM)
        return
    for user in list_users(store):
        if user.is_demo and not user.is_disabled:
            set_disabled(store, user.name, is_disabled=True, now=now, by=SYSTEM)


def first_administrator(store: Engine, now: datetime) -> str | None:
    """Where nobody can sign in, add `administrator` and give the password to show once; else None."""
    if any(not user.is_disabled for user in list_users(store)):
        return None
    password = random_password()
    administrator = User(name="administrator", display_name="Administrator", role="admin")
    if find_user(store, administrator.name):
        return None
    add_user(store, administrator, password_hash=hash_password(password), now=now, by=SYSTEM)
    return password


def _record_failure(store: Engine, name: str, address: str, now: datetime, *, result: str) -> None:
    """A failed attempt in the audit; a name that is no account stays out of it, it may be a password typed too early."""
    known = name if find_user(store, name) else ""
    note(
        store,
        at=now,
        actor=Actor(name=known, address=address),
        action="sign_in_failed",
        object_kind="user",
        object_id=known,
        result=result,
    )


def _record_wait(store: Engine, name: str, address: str, now: datetime) -> None:
    """Attempts while the door is shut, recorded once a minute for an address: they cost the one who tries nothing."""
    recent = select(AUDIT.c.seq).where(AUDIT.c.at > now - WAIT_STEP, AUDIT.c.action == "sign_in_failed")
    with store.connect() as connection:
        known = connection.execute(recent.where(AUDIT.c.result == "wait", AUDIT.c.address == address[:64]).limit(1)).first()
    if known is None:
        _record_failure(store, name, address, now, result="wait")


def _buckets(name: str, address: str) -> dict[str, float]:
    """What an attempt counts against, with the limit of each; the first is forgotten after a success."""
    texts = {"both": f"{name}\n{address}", "from": address, "name": name}
    limits = {"both": LIMIT_PER_ACCOUNT_AND_ADDRESS, "from": LIMIT_PER_ADDRESS, "name": LIMIT_PER_ACCOUNT}
    return {f"{kind}-{hashlib.sha256(text.encode()).hexdigest()[:40]}": limits[kind] for kind, text in texts.items()}


def _count_attempt(store: Engine, buckets: Mapping[str, float], now: datetime) -> int:
    """Seconds to wait (then nothing is counted), or 0 after counting one attempt in every bucket."""
    with writing(store) as connection:
        connection.execute(ATTEMPTS.delete().where(ATTEMPTS.c.tried_at < now - MEMORY))
        wait = max(_seconds_until(_score(connection, bucket, now), limit - 1) for bucket, limit in buckets.items())
        if wait == 0:
            connection.execute(ATTEMPTS.insert(), [{"bucket": bucket, "tried_at": now} for bucket in buckets])
    return wait


def _forget_attempts(store: Engine, buckets: Mapping[str, float], now: datetime) -> None:
    """After a success: every attempt of this account and address, and this very one elsewhere."""
    both, *others = buckets
    with writing(store) as connection:
        connection.execute(ATTEMPTS.delete().where(ATTEMPTS.c.bucket == both))
        connection.execute(ATTEMPTS.delete().where(ATTEMPTS.c.bucket.in_(others), ATTEMPTS.c.tried_at == now))


def _score(connection: Connection, bucket: str, now: datetime) -> float:
    tried = connection.execute(select(ATTEMPTS.c.tried_at).where(ATTEMPTS.c.bucket == bucket)).scalars()
    return sum(float(0.5 ** (max(timedelta(0), now - at) / HALF_LIFE)) for at in tried)


def _seconds_until(score: float, most: float) -> int:
    return 0 if score <= most else ceil(HALF_LIFE.total_seconds() * log2(score / most))
