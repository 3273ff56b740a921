"""Reading the audit: filtered rows for the page and the command line, and an export whose signature can be checked anywhere."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Engine, Select, select

from access.audit import AUDIT, FIELDS, AuditError
from data.keys import Keys

MOST: Final = 1_000
"""Rows a page or a listing shows at most."""


@dataclass(frozen=True, kw_only=True)
class AuditRow:
    """One thing that happened; `detail` is plain JSON."""

    seq: int
    at: datetime
    actor: str
    address: str
    session: str
    action: str
    object_kind: str
    object_id: str
    purpose: str
    result: str
    detail: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class AuditFilter:
    """Which rows are wanted: empty means any; `since` is included, `until` is not."""

    actors: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    results: tuple[str, ...] = ()
    object_kinds: tuple[str, ...] = ()
    object_id: str = ""
    since: datetime | None = None
    until: datetime | None = None


EVERYTHING: Final = AuditFilter()


def list_audit(store: Engine, wanted: AuditFilter = EVERYTHING, *, limit: int = MOST) -> list[AuditRow]:
    """The newest matching rows, newest first."""
    with store.connect() as connection:
        rows = connection.execute(_matching(wanted).order_by(AUDIT.c.seq.desc()).limit(limit)).mappings()
        return [_row(row) for row in rows]


def audit_values(store: Engine, column: str) -> list[str]:
    """Every value a column of the audit has, for a list to choose from."""
    with store.connect() as connection:
        return sorted(connection.execute(select(AUDIT.c[column]).distinct()).scalars())


def export_audit(store: Engine, file: Path, *, keys: Keys, at: datetime) -> int:
    """Write the whole chain as JSON lines, the last of them a signature (Ed25519) over all before; how many rows.

    The export holds every row with its hashes, so it can be checked (`check_export`) where there is no store, and a store
    can later be held against it.
    """
    key = Ed25519PrivateKey.from_private_bytes(keys.signing)
    count, head = 0, ""
    lines: list[bytes] = []
    for row in _all_rows(store):
        lines.append(json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode())
        count, head = count + 1, str(row["hash"])
    summary = {"rows": count, "head": head, "exported_at": at.isoformat(), "public_key": public_key(keys)}
    lines.append(json.dumps(summary, separators=(",", ":")).encode())
    body = b"\n".join(lines) + b"\n"
    file.write_bytes(body + json.dumps({"signature": base64.b64encode(key.sign(body)).decode()}).encode() + b"\n")
    return count


def public_key(keys: Keys) -> str:
    """What exports of this home are checked with; not a secret."""
    raw = Ed25519PrivateKey.from_private_bytes(keys.signing).public_key().public_bytes_raw()
    return base64.b64encode(raw).decode()


def check_export(file: Path, *, keys: Keys) -> tuple[int, str]:
    """The rows and the head's hash of an export of this home. Raises AuditError when one byte of it was changed."""
    body, _, last = file.read_bytes().rstrip(b"\n").rpartition(b"\n")
    body += b"\n"
    try:
        signature = base64.b64decode(json.loads(last)["signature"], validate=True)
        Ed25519PrivateKey.from_private_bytes(keys.signing).public_key().verify(signature, body)
        summary = json.loads(body.splitlines()[-1])
    except (InvalidSignature, ValueError, KeyError, TypeError, IndexError):
        raise AuditError(f"{file} does not carry this home's signature: it was changed, or it comes from another home") from None
    return int(summary["rows"]), str(summary["head"])


def hash_at(store: Engine, seq: int) -> str | None:
    """The hash of one row, or None: an export's head must still stand where it stood."""
    with store.connect() as connection:
        return connection.execute(select(AUDIT.c.hash).where(AUDIT.c.seq == seq)).scalar_one_or_none()


def _matching(wanted: AuditFilter) -> Select[Any]:
    query = select(AUDIT)
    lists: Iterable[tuple[str, tuple[str, ...]]] = (
        ("actor", wanted.actors),
        ("action", wanted.actions),
        ("result", wanted.results),
        ("object_kind", wanted.object_kinds),
    )
    for name, values in lists:
        query = query.where(AUDIT.c[name].in_(values)) if values else query
    if wanted.object_id:
        query = query.where(AUDIT.c.object_id == wanted.object_id)
    if wanted.since is not None:
        query = query.where(AUDIT.c.at >= wanted.since)
    return query if wanted.until is None else query.where(AUDIT.c.at < wanted.until)


def _row(row: Any) -> AuditRow:  # noqa: ANN401 - SQLAlchemy's row mapping
    values = {name: row[name] for name in FIELDS if name not in ("previous_hash", "detail")}
    return AuditRow(**values, detail=json.loads(row["detail"]))


def _all_rows(store: Engine) -> Iterator[dict[str, Any]]:
    with store.connect() as connection:
        rows = connection.execution_options(yield_per=5_000).execute(select(AUDIT).order_by(AUDIT.c.seq))
        for row in rows.mappings():
            yield dict(row) | {"at": row["at"].isoformat(timespec="milliseconds")}
