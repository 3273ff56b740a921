"""The outbox: what is to be told is written with the evaluation, and sent by one loop under a lease."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Engine, select

from alerts.book import LiveRule, Told, key_of
from alerts.places import is_visible
from alerts.state import Message
from alerts.tables import OUTBOX, RECEIVERS
from queries.scope import Scope

GROUP_WAIT: Final = timedelta(seconds=30)
GROUP_INTERVAL: Final = timedelta(minutes=5)
RETRIES: Final = tuple(timedelta(seconds=seconds) for seconds in (0, 5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600))
"""How long after a failed try the next one follows; after the last the message is dead."""

USER: Final = "user:"
"""A receiver of this form is a user's own in-app list."""


@dataclass(frozen=True, kw_only=True)
class Receiver:
    """Somebody who is told: by which channel, with which settings, inside which scope, in which language, how often an hour."""

    name: str
    channel: str
    settings: Mapping[str, Any]
    scope: Scope
    language: str = "en"
    per_hour: int = 0
    user_name: str = ""


def read_receivers(connection: Connection) -> dict[str, Receiver]:
    """Every receiver that is in use, by name."""
    rows = connection.execute(select(RECEIVERS).where(RECEIVERS.c.is_disabled.is_(False))).mappings()
    return {
        row["name"]: Receiver(
            name=row["name"],
            channel=row["channel"],
            settings=row["settings"],
            scope=Scope.ALL if row["regions"] is None else Scope.of_regions(row["regions"]),
            language=row["language"],
            per_hour=row["per_hour"],
            user_name=row["user_name"],
        )
        for row in rows
    }


def list_receivers(store: Engine) -> dict[str, Receiver]:
    """Every receiver that is in use, by name."""
    with store.connect() as connection:
        return read_receivers(connection)


def receivers_of(live: LiveRule) -> tuple[str, ...]:
    """Whom a rule tells: a personal one its owner only, a shared one those it names."""
    return (f"{USER}{live.owner}",) if live.is_personal else live.rule.receivers


def put_out(connection: Connection, live: LiveRule, told: Iterable[Told], *, now: datetime) -> int:
    """Write what each receiver is to hear, within the evaluation's transaction; how many rows.

    A receiver outside the figure's regions gets no row. What flaps waits for the digest.
    """
    found = list(told)
    if not found:
        return 0
    known = read_receivers(connection)
    rows = [
        _row(live, name, entry, now)
        for entry in found
        for name in receivers_of(live)
        if name.startswith(USER) or (name in known and is_visible(entry.regions, known[name].scope))
    ]
    if rows:
        connection.execute(OUTBOX.insert(), rows)
    return len(rows)


def _row(live: LiveRule, receiver: str, told: Told, now: datetime) -> dict[str, Any]:
    flaps = told.transition.is_flapping
    return new_row(
        rule=live.rule.name,
        group_key=key_of(told.transition.group),
        receiver=receiver,
        transition_id=told.transition_id,
        message=told.message,
        status="digest" if flaps else "waiting",
        reason="flapping" if flaps else "",
        due_at=now + GROUP_WAIT,
        created_at=now,
    )


def new_row(
    *,
    rule: str,
    group_key: str,
    receiver: str,
    transition_id: int,
    message: Message | str,
    due_at: datetime,
    created_at: datetime,
    status: str = "waiting",
    reason: str = "",
    repeat_number: int = 0,
) -> dict[str, Any]:
    """A row of the outbox as it begins."""
    return {
        "rule": rule,
        "group_key": group_key,
        "receiver": receiver,
        "transition_id": transition_id,
        "repeat_number": repeat_number,
        "message": message,
        "status": status,
        "reason": reason,
        "attempts": 0,
        "due_at": due_at,
        "lease": "",
        "created_at": created_at,
    }


def retry_at(now: datetime, attempts: int, *, jitter: float, wait_seconds: float | None = None) -> datetime | None:
    """When to try again after so many tries; None when it was the last. `jitter` 0–1 adds up to a tenth."""
    if attempts >= len(RETRIES):
        return None
    wait = RETRIES[attempts] * (1 + jitter / 10)
    return now + max(wait, timedelta(seconds=wait_seconds or 0))


def by_receiver(rows: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], list[Mapping[str, Any]]]:
    """Rows by (rule, receiver): one message each."""
    found: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        found.setdefault((row["rule"], row["receiver"]), []).append(row)
    return found
