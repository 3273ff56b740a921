"""What is unusual about an account: a new address, many failures, mass export, mass reveal; read from the audit, kept for an administrator.

A flag is raised once: what it counted is not counted again. Kinds named in `lock_on` also lock the account, until an
administrator unlocks it; the last administrator who can sign in is flagged and never locked.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Engine, func, select

from access.audit import AUDIT, SYSTEM, Actor, record
from access.store import FLAGS, USERS, writing
from access.user import UserError, end_sessions
from config import PREFIX, Settings, SettingsError

KINDS: Final = ("new_address", "failures", "export", "reveal")
MOST_LISTED: Final = 200


@dataclass(frozen=True, kw_only=True)
class Limits:
    """From how many within `window` on something is unusual; 0 never. `lock_on` are the kinds that lock."""

    window: timedelta
    failures: int
    exports: int
    export_rows: int
    reveals: int
    lock_on: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Flag:
    """One thing that was unusual; `detail` is plain JSON without personal data."""

    id: int
    user_name: str
    kind: str
    at: datetime
    detail: dict[str, Any]
    dismissed_at: datetime | None = None
    dismissed_by: str | None = None


def limits_of(settings: Settings) -> Limits:
    """The limits of the settings. Raises SettingsError for a kind there is not."""
    kinds = tuple(kind.strip() for kind in settings.lock_on.split(",") if kind.strip())
    if unknown := sorted(set(kinds) - set(KINDS)):
        raise SettingsError(f"lock_on names {unknown[0]!r}: use some of {', '.join(KINDS)} in {PREFIX}LOCK_ON")
    return Limits(
        window=timedelta(hours=settings.flag_hours),
        failures=settings.flag_failures,
        exports=settings.flag_exports,
        export_rows=settings.flag_export_rows,
        reveals=settings.flag_reveals,
        lock_on=kinds,
    )


def look_at(store: Engine, name: str, limits: Limits, now: datetime) -> tuple[str, ...]:
    """Flag what has become unusual about the account by now; the kinds that were new."""
    with store.connect() as connection:
        found = _found(connection, name, limits, now)
    return tuple(kind for kind, detail in found.items() if _raise_flag(store, name, kind, detail, limits, now))


def list_flags(store: Engine, *, name: str = "", is_open: bool = True) -> list[Flag]:
    """The flags nobody has dismissed (or all), newest first."""
    query = select(FLAGS).order_by(FLAGS.c.at.desc(), FLAGS.c.id.desc()).limit(MOST_LISTED)
    query = query.where(FLAGS.c.dismissed_at.is_(None)) if is_open else query
    query = query.where(FLAGS.c.user_name == name) if name else query
    with store.connect() as connection:
        return [Flag(**dict(row) | {"detail": json.loads(row["detail"])}) for row in connection.execute(query).mappings()]


def dismiss(store: Engine, flag_id: int, *, now: datetime, by: Actor) -> None:
    """Say that somebody has looked; on record. Raises UserError for a flag that is not open."""
    mine = (FLAGS.c.id == flag_id) & FLAGS.c.dismissed_at.is_(None)
    with writing(store) as connection:
        row = connection.execute(select(FLAGS).where(mine)).one_or_none()
        if row is None:
            raise UserError("this flag was dismissed already: reload the page")
        connection.execute(FLAGS.update().where(mine).values(dismissed_at=now, dismissed_by=by.name))
        what = {"object_kind": "user", "object_id": row.user_name, "detail": {"kind": row.kind, "flag": flag_id}}
        record(connection, at=now, actor=by, action="flag_dismissed", **what)


def unlock(store: Engine, name: str, *, now: datetime, by: Actor) -> None:
    """Let a locked account sign in again. Raises UserError for one that is not locked."""
    with writing(store) as connection:
        mine = (USERS.c.name == name) & USERS.c.locked_at.is_not(None)
        if connection.execute(select(USERS.c.name).where(mine)).first() is None:
            raise UserError(f"{name} is not locked: `python cli.py users list` shows who is")
        connection.execute(USERS.update().where(mine).values(locked_at=None))
        record(connection, at=now, actor=by, action="user_unlocked", object_kind="user", object_id=name)


def _found(connection: Connection, name: str, limits: Limits, now: datetime) -> dict[str, dict[str, object]]:
    looks: dict[str, Callable[[Connection, str, Limits, datetime], dict[str, object] | None]] = {
        "new_address": _new_address,
        "failures": _failures,
        "export": _exports,
        "reveal": _reveals,
    }
    found = {kind: look(connection, name, limits, _since(connection, name, kind, limits, now)) for kind, look in looks.items()}
    return {kind: detail for kind, detail in found.items() if detail is not None}


def _since(connection: Connection, name: str, kind: str, limits: Limits, now: datetime) -> datetime:
    """Where counting begins: within the window, and after what was flagged before."""
    last = select(func.max(FLAGS.c.at)).where(FLAGS.c.user_name == name, FLAGS.c.kind == kind)
    flagged = connection.execute(last).scalar_one_or_none()
    return max(now - limits.window, flagged) if flagged else now - limits.window


def _new_address(connection: Connection, name: str, _limits: Limits, since: datetime) -> dict[str, object] | None:
    mine = select(AUDIT.c.seq, AUDIT.c.at, AUDIT.c.address).where(AUDIT.c.actor == name, AUDIT.c.action == "signed_in")
    newest = connection.execute(mine.order_by(AUDIT.c.seq.desc()).limit(1)).one_or_none()
    if newest is None or newest.at <= since:
        return None
    before = mine.where(AUDIT.c.seq < newest.seq)
    is_first = connection.execute(before.limit(1)).first() is None
    is_known = connection.execute(before.where(AUDIT.c.address == newest.address).limit(1)).first() is not None
    return None if is_first or is_known else {"address": newest.address}


def _failures(connection: Connection, name: str, limits: Limits, since: datetime) -> dict[str, object] | None:
    what = (AUDIT.c.action == "sign_in_failed") & (AUDIT.c.object_id == name) & (AUDIT.c.at > since)
    addresses = list(connection.execute(select(AUDIT.c.address).where(what)).scalars())
    is_much = 0 < limits.failures <= len(addresses)
    return {"count": len(addresses), "addresses": sorted(set(addresses))[:5]} if is_much else None


def _exports(connection: Connection, name: str, limits: Limits, since: datetime) -> dict[str, object] | None:
    what = AUDIT.c.action.in_(("orders_exported", "export_fetched")) & (AUDIT.c.actor == name) & (AUDIT.c.at > since)
    details = [json.loads(text) for text in connection.execute(select(AUDIT.c.detail).where(what)).scalars()]
    rows = sum(int(detail.get("rows", 0)) for detail in details)
    is_much = 0 < limits.exports <= len(details) or 0 < limits.export_rows <= rows
    return {"count": len(details), "rows": rows} if is_much else None


def _reveals(connection: Connection, name: str, limits: Limits, since: datetime) -> dict[str, object] | None:
    what = (AUDIT.c.action == "contact_revealed") & (AUDIT.c.actor == name) & (AUDIT.c.at > since)
    count = connection.execute(select(func.count()).select_from(AUDIT).where(what)).scalar_one()
    return {"count": count} if 0 < limits.reveals <= count else None


def _raise_flag(store: Engine, name: str, kind: str, detail: dict[str, object], limits: Limits, now: datetime) -> bool:
    """Keep the flag, and lock where that is wanted; false where another look was first, or there is no such account."""
    with writing(store) as connection:
        known = connection.execute(select(USERS.c.name).where(USERS.c.name == name).with_for_update()).first()
        same = select(FLAGS.c.id).where(FLAGS.c.user_name == name, FLAGS.c.kind == kind, FLAGS.c.at >= now)
        if known is None or connection.execute(same.limit(1)).first() is not None:
            return False
        text = json.dumps(detail, ensure_ascii=False, sort_keys=True)
        connection.execute(FLAGS.insert().values(user_name=name, kind=kind, at=now, detail=text))
        what: dict[str, Any] = {"object_kind": "user", "object_id": name, "detail": {"kind": kind} | detail}
        record(connection, at=now, actor=SYSTEM, action="flagged", **what)
        if kind in limits.lock_on and not _is_last_administrator(connection, name):
            connection.execute(USERS.update().where(USERS.c.name == name, USERS.c.locked_at.is_(None)).values(locked_at=now))
            end_sessions(connection, name, now)
            record(connection, at=now, actor=SYSTEM, action="user_locked", **what)
    return True


def _is_last_administrator(connection: Connection, name: str) -> bool:
    can_sign_in = USERS.c.is_disabled.is_(False) & USERS.c.locked_at.is_(None) & USERS.c.deleted_at.is_(None)
    admins = connection.execute(select(USERS.c.name).where(can_sign_in, USERS.c.role == "admin")).scalars()
    return list(admins) == [name]
