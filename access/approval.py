"""Unmasked exports: somebody asks with a purpose, an administrator who is not the one who asked approves, one download follows.

A request holds the list as it was asked for, its instant and snapshot with it: what is approved is what is fetched. It
lapses undecided after `LIFE`, approved and not fetched after as long again. Every step is on record.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from sqlalchemy import Connection, Engine, select

from access.acting import By
from access.audit import note, record
from access.contacts import PURPOSES, SHORTEST_TEXT
from access.store import EXPORT_REQUESTS, inserted_id, writing
from data.personal import without_contacts

LIFE: Final = timedelta(hours=24)
MOST_ROWS: Final = 1_000
"""So many orders an unmasked export has at most."""

LONGEST_REASON: Final = 500
MOST_OPEN: Final = 5
MOST_LISTED: Final = 50

State = Literal["waiting", "approved", "refused", "lapsed", "fetched"]
Parameters = dict[str, list[str]]


class ApprovalError(PermissionError):
    """Nothing is exported or decided; `reason` is a key under `approval.error`."""

    def __init__(self, reason: str) -> None:
        """The reason alone is the message: it carries no data."""
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, kw_only=True)
class Request:
    """One unmasked export as it was asked for, and what became of it."""

    id: int
    asked_by: str
    asked_at: datetime
    purpose: str
    reason: str
    parameters: Parameters
    row_count: int
    decided_by: str | None = None
    decided_at: datetime | None = None
    is_approved: bool | None = None
    fetched_at: datetime | None = None

    @property
    def ends_at(self) -> datetime:
        """When it lapses as it stands."""
        return (self.decided_at or self.asked_at) + LIFE

    def state(self, now: datetime) -> State:
        """What can be done with it now: decide a waiting one, fetch an approved one, nothing with the others."""
        if self.fetched_at is not None:
            return "fetched"
        if self.is_approved is False:
            return "refused"
        if now >= self.ends_at:
            return "lapsed"
        return "approved" if self.is_approved else "waiting"


def ask(store: Engine, parameters: Mapping[str, Sequence[str]], *, row_count: int, purpose: str, reason: str, by: By) -> int:
    """Ask for the list of the parameters with the originals in it; the request's id. Raises ApprovalError."""
    text = without_contacts(" ".join(reason.split())[:LONGEST_REASON])
    if purpose not in PURPOSES or len(text) < SHORTEST_TEXT:
        raise ApprovalError("purpose")
    if not 0 < row_count <= MOST_ROWS:
        raise ApprovalError("rows")
    values = {"purpose": purpose, "reason": text, "row_count": row_count}
    kept = {name: list(texts) for name, texts in parameters.items()}
    with writing(store) as connection:
        mine = [request for request in _all(connection, by.user.name) if request.state(by.at) in ("waiting", "approved")]
        if len(mine) >= MOST_OPEN:
            raise ApprovalError("many")
        row = {"asked_by": by.user.name, "asked_at": by.at, "parameters": kept} | values
        number = inserted_id(connection.execute(EXPORT_REQUESTS.insert().values(row)))
        _record(connection, "export_asked", number, by, {"rows": row_count, "reason": text}, purpose=purpose)
    return number


def list_requests(store: Engine, *, asked_by: str = "") -> list[Request]:
    """The newest requests, of one account or of all, newest first."""
    with store.connect() as connection:
        return _all(connection, asked_by)


def waiting_requests(store: Engine, now: datetime) -> list[Request]:
    """The requests somebody has to decide, newest first."""
    return [request for request in list_requests(store) if request.state(now) == "waiting"]


def decide(store: Engine, number: int, *, is_approved: bool, by: By) -> None:
    """Approve or refuse; an administrator's, and never of what the same person asked for. Raises ApprovalError."""
    with writing(store) as connection:
        request = _one(connection, number)
        reason = _hindrance(request, by)
        if reason:
            problem: str | None = reason
        else:
            problem = None
            values = {"decided_by": by.user.name, "decided_at": by.at, "is_approved": is_approved}
            connection.execute(EXPORT_REQUESTS.update().where(EXPORT_REQUESTS.c.id == number).values(values))
        detail = {"approved": is_approved} | ({"asked_by": request.asked_by} if request else {})
        _record(connection, "export_decided", number, by, detail, result="denied" if problem else "done")
    if problem:
        raise ApprovalError(problem)


def take(store: Engine, number: int, by: By) -> Request:
    """The approved request for its one download, which is on record from now on. Raises ApprovalError, on record too."""
    with writing(store) as connection:
        request = _one(connection, number)
        if request is not None and request.asked_by == by.user.name and request.state(by.at) == "approved":
            mine = (EXPORT_REQUESTS.c.id == number) & EXPORT_REQUESTS.c.fetched_at.is_(None)
            connection.execute(EXPORT_REQUESTS.update().where(mine).values(fetched_at=by.at))
            detail = {"rows": request.row_count, "approved_by": request.decided_by}
            _record(connection, "export_fetched", number, by, detail, purpose=request.purpose)
            return request
    what = {"object_kind": "export", "object_id": str(number), "result": "denied"}
    note(store, at=by.at, actor=by.audited, action="export_fetched", **what)
    raise ApprovalError("not_yours" if request is None or request.asked_by != by.user.name else request.state(by.at))


def _hindrance(request: Request | None, by: By) -> str:
    if by.user.role != "admin":
        return "role"
    if request is None:
        return "gone"
    if request.asked_by == by.user.name:
        return "own"
    return "" if request.state(by.at) == "waiting" else "decided"


def _one(connection: Connection, number: int) -> Request | None:
    query = select(EXPORT_REQUESTS).where(EXPORT_REQUESTS.c.id == number).with_for_update()
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else Request(**row)


def _all(connection: Connection, asked_by: str) -> list[Request]:
    query = select(EXPORT_REQUESTS).order_by(EXPORT_REQUESTS.c.id.desc()).limit(MOST_LISTED)
    query = query.where(EXPORT_REQUESTS.c.asked_by == asked_by) if asked_by else query
    return [Request(**row) for row in connection.execute(query).mappings()]


def _record(
    connection: Connection,
    action: str,
    number: int,
    by: By,
    detail: Mapping[str, Any],
    *,
    purpose: str = "",
    result: str = "done",
) -> None:
    what: dict[str, Any] = {"object_kind": "export", "object_id": str(number), "detail": detail}
    record(connection, at=by.at, actor=by.audited, action=action, purpose=purpose, result=result, **what)
