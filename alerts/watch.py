"""Whether messages arrive: what could not be delivered lately, by receiver."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Engine, func, select

from alerts.tables import OUTBOX

LATELY: Final = timedelta(hours=24)
RETRIED: Final = 3
"""So many failed tries of a message that still waits count as failing."""


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """The receivers whose last message failed, and how many messages were given up or are being retried."""

    receivers: tuple[str, ...] = ()
    dead: int = 0


def read_trouble(store: Engine, now: datetime) -> Trouble:
    """What fails: dead messages of the last day, and those tried three times in vain; a later success ends it."""
    failing = (OUTBOX.c.status == "dead") | ((OUTBOX.c.status == "waiting") & (OUTBOX.c.attempts >= RETRIED))
    bad = (
        select(OUTBOX.c.receiver, func.count(), func.max(OUTBOX.c.id))
        .where(failing, OUTBOX.c.created_at > now - LATELY)
        .group_by(OUTBOX.c.receiver)
    )
    good = select(OUTBOX.c.receiver, func.max(OUTBOX.c.id)).where(OUTBOX.c.status == "sent").group_by(OUTBOX.c.receiver)
    with store.connect() as connection:
        last_good = {name: number for name, number in connection.execute(good)}
        rows = [(name, n) for name, n, last in connection.execute(bad) if last > last_good.get(name, 0)]
    return Trouble(receivers=tuple(sorted(name for name, _ in rows)), dead=sum(n for _, n in rows))
