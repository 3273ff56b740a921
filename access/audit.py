"""The audit: who did what, when, to what; append-only rows, each chained to the one before by its hash.

A row that is edited, removed or put in breaks the chain at that row (`verify` names it). The database itself refuses to
change or remove rows. Whoever owns the database file can still write the chain anew from some row on: a signed export
(`access.audit_export`) kept elsewhere shows that.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import BigInteger, Column, Connection, Engine, Integer, String, Table, Text, select

from access.store import EPOCH, METADATA, Instant, writing

BEGINNING: Final = "0" * 64
"""What the first row's `previous_hash` says."""

AUDIT: Final = Table(
    "audit",
    METADATA,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False, index=True),
    Column("actor", String(64), nullable=False, index=True),
    Column("address", String(64), nullable=False),
    Column("session", String(64), nullable=False),
    Column("action", String(48), nullable=False, index=True),
    Column("object_kind", String(32), nullable=False),
    Column("object_id", String(256), nullable=False),
    Column("purpose", Text, nullable=False),
    Column("result", String(16), nullable=False),
    Column("detail", Text, nullable=False),
    Column("previous_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)

AUDIT_HEAD: Final = Table(
    "audit_head",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
)
"""One row: the newest sequence number and hash. Writers queue on it, and a chain cut off at its end differs from it."""

FIELDS: Final = tuple(column.name for column in AUDIT.columns if column.name != "hash")
"""What a row's hash covers, in this order."""


class AuditError(ValueError):
    """An action cannot be recorded as asked; the message names the part and the remedy."""


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who acts: the account's name, the network address, and the SHA-256 of the session's id (empty outside the interface)."""

    name: str
    address: str = ""
    session: str = ""


LOCAL: Final = Actor(name="local")
"""The command line on this machine."""

SYSTEM: Final = Actor(name="system")
"""The control room itself: start-up, retention, limits."""


def record(
    connection: Connection,
    *,
    at: datetime,
    actor: Actor | str,
    action: str,
    object_kind: str = "",
    object_id: str = "",
    detail: Mapping[str, object] | None = None,
    address: str = "",
    session: str = "",
    purpose: str = "",
    result: str = "done",
) -> int:
    """Add one row within the caller's transaction (of `access.store.writing`) and return its number.

    The row exists exactly when the caller's change does. Call it last before the commit: writers queue here.
    `action` is a word such as `user_changed` with a name in `i18n/*/audit.yaml`; `detail` is plain JSON and never holds a
    secret or personal data. Raises AuditError for a transaction that does not write and for an action that is no word.
    """
    if not connection.get_execution_options().get("writes"):
        raise AuditError("an audit row belongs to the transaction of what it records: open it with access.store.writing")
    if not re.fullmatch(r"[a-z][a-z_]{2,47}", action):
        raise AuditError(f"the action {action!r} is no word: use a-z and _, such as user_changed")
    who = actor if isinstance(actor, Actor) else Actor(name=actor, address=address, session=session)
    head = connection.execute(select(AUDIT_HEAD.c.seq, AUDIT_HEAD.c.hash).with_for_update()).one()
    texts = {
        "actor": _plain(who.name, 64),
        "address": _plain(address or who.address, 64),
        "session": _plain(session or who.session, 64),
        "action": action,
        "object_kind": _plain(object_kind, 32),
        "object_id": _plain(object_id, 256),
        "purpose": _plain(purpose),
        "result": _plain(result, 16),
        "detail": _plain(json.dumps(dict(detail or {}), ensure_ascii=False, sort_keys=True, separators=(",", ":"))),
    }
    values: dict[str, Any] = {"seq": head.seq + 1, "at": at, "previous_hash": head.hash} | texts
    values["hash"] = hash_of(values)
    connection.execute(AUDIT.insert().values(values))
    connection.execute(AUDIT_HEAD.update().values(seq=values["seq"], hash=values["hash"]))
    return int(values["seq"])


def hash_of(row: Mapping[str, Any]) -> str:
    """The SHA-256 (hex) over a row's fields in the order of FIELDS, the instant in milliseconds since 1970."""
    fields = [(row[name] - EPOCH) // timedelta(milliseconds=1) if name == "at" else row[name] for name in FIELDS]
    return hashlib.sha256(json.dumps(fields, separators=(",", ":")).encode()).hexdigest()


def note(store: Engine, *, at: datetime, actor: Actor | str, action: str, **more: Any) -> None:  # noqa: ANN401 - record's own
    """Record what changes nothing else (a refusal, an export) in a transaction of its own; takes what `record` takes."""
    with writing(store) as connection:
        record(connection, at=at, actor=actor, action=action, **more)


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What `verify` found: how many rows are sound from the beginning; the first broken row's number and why (None: sound)."""

    sound_count: int
    head_hash: str
    broken_seq: int | None = None
    reason: str = ""


def verify(store: Engine) -> Verdict:
    """Walk the whole chain: every row's own hash, its link to the row before, no number missing, the end where it should be."""
    count, previous = 0, BEGINNING
    with store.connect() as plain:
        connection = plain.execution_options(isolation_level="REPEATABLE READ") if store.dialect.name == "postgresql" else plain
        rows = connection.execution_options(yield_per=5_000).execute(select(AUDIT).order_by(AUDIT.c.seq))
        for row in map(dict, rows.mappings()):
            reason = _fault(row, count + 1, previous)
            if reason:
                return Verdict(sound_count=count, head_hash=previous, broken_seq=min(int(row["seq"]), count + 1), reason=reason)
            count, previous = count + 1, str(row["hash"])
        head = connection.execute(select(AUDIT_HEAD.c.seq, AUDIT_HEAD.c.hash)).one_or_none()
    if head is not None and head.seq < count:
        return Verdict(sound_count=head.seq, head_hash=head.hash, broken_seq=head.seq + 1, reason="a row was put in at the end")
    if head is None or (head.seq, head.hash) != (count, previous):
        return Verdict(sound_count=count, head_hash=previous, broken_seq=count + 1, reason="rows are missing at the end")
    return Verdict(sound_count=count, head_hash=previous)


def _fault(row: Mapping[str, Any], expected: int, previous: str) -> str:
    if row["seq"] != expected:
        return "a row is missing before the next one" if row["seq"] > expected else "a row was put in"
    if row["previous_hash"] != previous:
        return "the row does not follow the one before it"
    return "" if row["hash"] == hash_of(row) else "the row was edited"


def _plain(text: str, longest: int | None = None) -> str:
    """Text every database keeps as it is: no NUL, no half characters, not longer than its column."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()[:longest]
