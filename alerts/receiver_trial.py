"""A test message: goes the way of every alert, says that it is a test, and what the receiver answered is told and recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Engine, func, select

from access.audit import AUDIT, Actor, note
from alerts.channels import CHANNELS, deliver
from alerts.delivery import Delivery, Line, Post
from alerts.destination import allow_list
from alerts.outbox import Receiver, list_receivers
from alerts.rule import RuleError
from alerts.tables import OUTBOX
from config import Settings
from i18n import translate

TESTERS: Final = ("analyst", "admin")
PAUSE: Final = timedelta(seconds=30)
"""So long a receiver is left alone after a test."""
LATELY: Final = timedelta(days=7)
ACTION: Final = "receiver_tested"


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How a receiver fares: when a message last arrived (None: never), how many of the last 7 days were given up, how many wait for another try."""

    receiver: Receiver
    sent_at: datetime | None = None
    given_up: int = 0
    waiting: int = 0


def line_of(settings: Settings, environment: Mapping[str, str], now: datetime) -> Line:
    """How messages leave this process."""
    allowed = allow_list(settings.alert_hosts, settings.alert_private_hosts)
    return Line(allowed=allowed, environment=environment, now=now)


def try_receiver(store: Engine, name: str, actor: Actor, role: str, line: Line) -> Delivery:
    """Send a test message to a receiver; what became of it, also in the audit. Raises RuleError."""
    if role not in TESTERS:
        raise RuleError("test messages are the analysts' and administrators': ask one")
    receiver = list_receivers(store).get(name)
    if receiver is None or receiver.channel not in CHANNELS:
        raise RuleError(f"there is no receiver {name!r}: choose one of the list")
    if _last_test(store, name, line.now):
        raise RuleError(f"{name} was tested a moment ago: wait half a minute")
    delivery = deliver(receiver.channel, _post(receiver, actor, line.now), receiver.settings, line)
    detail = {"outcome": delivery.outcome, "answer": delivery.detail[:500], "channel": receiver.channel}
    note(store, at=line.now, actor=actor, action=ACTION, object_kind="receiver", object_id=name, detail=detail)
    return delivery


def _post(receiver: Receiver, actor: Actor, now: datetime) -> Post:
    stamp = f"{now:%Y%m%dT%H%M%S}"
    lines = (
        translate(receiver.language, "alerts.test_line"),
        translate(receiver.language, "alerts.test_by", name=actor.name, at=f"{now:%Y-%m-%d %H:%M} UTC"),
    )
    payload = {"type": "test", "receiver": receiver.name, "by": actor.name, "at": now.isoformat()}
    return Post(
        id=f"test-{receiver.name}-{stamp}", title=translate(receiver.language, "alerts.test_title"), lines=lines, payload=payload
    )


def _last_test(store: Engine, name: str, now: datetime) -> bool:
    query = select(func.count()).where(
        AUDIT.c.action == ACTION, AUDIT.c.object_id == name, AUDIT.c.at > now - PAUSE, AUDIT.c.at <= now
    )
    with store.connect() as connection:
        return bool(connection.execute(query).scalar_one())


def read_standings(store: Engine, now: datetime) -> list[Standing]:
    """Every receiver in use with what lately arrived there and what did not, by name."""
    is_given_up = (OUTBOX.c.status == "dead") & (OUTBOX.c.created_at > now - LATELY)
    is_retried = (OUTBOX.c.status == "waiting") & (OUTBOX.c.attempts > 0)
    query = select(
        OUTBOX.c.receiver,
        func.max(OUTBOX.c.done_at).filter(OUTBOX.c.status == "sent"),
        func.count().filter(is_given_up),
        func.count().filter(is_retried),
    ).group_by(OUTBOX.c.receiver)
    with store.connect() as connection:
        known = {name: (sent_at, given_up, waiting) for name, sent_at, given_up, waiting in connection.execute(query)}
    found = []
    for name, receiver in sorted(list_receivers(store).items()):
        sent_at, given_up, waiting = known.get(name, (None, 0, 0))
        found.append(Standing(receiver=receiver, sent_at=sent_at, given_up=given_up, waiting=waiting))
    return found
