"""The sending loop: claim what is due under a lease, hold back what must not go, deliver, record; safe to kill anywhere.

At least once: a message whose process died before the record is sent again, under the same id.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine, RowMapping, Select, and_, func, select, update

from access.store import writing
from alerts.channels import CHANNELS, deliver
from alerts.delivery import Delivery, Line, Outcome, Post
from alerts.health import title_of
from alerts.heartbeat import MESSAGE, compose_heartbeat
from alerts.message import Item, Words, compose_post
from alerts.outbox import GROUP_INTERVAL, USER, Receiver, read_receivers, retry_at
from alerts.parse import parse_rule
from alerts.places import is_visible
from alerts.review import OrderKey, orders_told
from alerts.rule import Rule, RuleError
from alerts.silences import SILENCED, Silence, open_silences
from alerts.tables import INSTANCES, OUTBOX, TRANSITIONS, VERSIONS
from i18n import translate
from queries.scope import Scope

Sight = Callable[[str], Scope | None]
"""What an account may see now; None where it is shut."""

LEASE: Final = timedelta(minutes=2)
MOST_SECONDS: Final = 60.0
"""So long one pass sends; what is left waits for the next one, well before its lease is over."""
RATE_PERIOD: Final = timedelta(hours=1)
MUTED_LOOK: Final = timedelta(minutes=15)
MUTED: Final = "outside the rule's hours"
STARTS: Final = ("firing", "escalate", "no_data")
GOES_ON: Final = (*STARTS, "de_escalate")
ENDS: Final = ("resolved", "rule_changed")
MOST_AT_ONCE: Final = 200


@dataclass(frozen=True, kw_only=True)
class Sender:
    """What the loop needs: the store, how messages leave, how figures read, the business zone, its own name, chance, who sees what.

    `ticks` are seconds that only ever grow, to know how long a pass takes.
    """

    store: Engine
    line: Callable[[datetime], Line]
    words: Words
    zone: ZoneInfo
    holder: str
    chance: Callable[[], float]
    sight: Sight
    notes: Callable[[str], None] = field(default=lambda _: None)
    ticks: Callable[[], float] = time.monotonic


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Rows of one rule for one receiver that go out as one message, oldest first."""

    rule: str
    receiver: str
    rows: tuple[RowMapping, ...]


def send_due(sender: Sender, now: datetime) -> int:
    """Send what is due now; how many messages went out.

    Whoever does not answer is asked once in a pass, after all others: a receiver that hangs keeps nobody else waiting.
    """
    sent, failing, started = 0, set[str](), sender.ticks()
    for batch in _claim(sender, now):
        if batch.receiver in failing or sender.ticks() - started > MOST_SECONDS:
            _release(sender, batch)
            continue
        outcome = _send(sender, batch, now)
        sent += outcome == "sent"
        if outcome == "later":
            failing.add(batch.receiver)
    sent += send_digests(sender, now)
    return sent


def _rows_of(status: str) -> Select[Any]:
    """Rows of the outbox with what their transition says."""
    return (
        select(OUTBOX, TRANSITIONS.c.version, TRANSITIONS.c.labels, TRANSITIONS.c.regions, TRANSITIONS.c.level)
        .add_columns(TRANSITIONS.c.before_level, TRANSITIONS.c.value, TRANSITIONS.c.episode_at, TRANSITIONS.c.at)
        .add_columns(TRANSITIONS.c.is_restated)
        .join(TRANSITIONS, TRANSITIONS.c.id == OUTBOX.c.transition_id)
        .where(OUTBOX.c.status == status)
        .order_by(OUTBOX.c.id)
    )


def _claim(sender: Sender, now: datetime) -> list[Batch]:
    """Take a lease on every (rule, receiver) whose oldest waiting row is due; a row in retry holds back those after it.

    What is silenced or muted until later holds back nothing.
    """
    with writing(sender.store) as connection:
        found: dict[tuple[str, str], list[RowMapping]] = {}
        for row in connection.execute(_rows_of("waiting")).mappings():
            if row["due_at"] <= now or not row["reason"].startswith((SILENCED, MUTED)):
                found.setdefault((row["rule"], row["receiver"]), []).append(row)
        batches = [
            Batch(rule=rule, receiver=receiver, rows=tuple(rows[:MOST_AT_ONCE]))
            for (rule, receiver), rows in found.items()
            if _is_due(connection, rows, now)
        ]
        _lease(connection, sender, [row for batch in batches for row in batch.rows], now)
    troubled = {receiver for (_, receiver), rows in found.items() if any(row["attempts"] for row in rows)}
    return sorted(batches, key=lambda batch: batch.receiver in troubled)


def _lease(connection: Connection, sender: Sender, rows: Sequence[RowMapping], now: datetime) -> None:
    ids = [row["id"] for row in rows]
    connection.execute(update(OUTBOX).where(OUTBOX.c.id.in_(ids)).values(lease=sender.holder, leased_until=now + LEASE))


def _release(sender: Sender, batch: Batch) -> None:
    with writing(sender.store) as connection:
        for row in batch.rows:
            connection.execute(_mine(sender, row["id"]).values(lease="", leased_until=None))


def _is_due(connection: Connection, rows: Sequence[RowMapping], now: datetime) -> bool:
    if any(row["leased_until"] is not None and row["leased_until"] > now for row in rows) or rows[0]["due_at"] > now:
        return False
    if rows[0]["attempts"]:
        return True
    own = and_(OUTBOX.c.rule == rows[0]["rule"], OUTBOX.c.receiver == rows[0]["receiver"], OUTBOX.c.status == "sent")
    last = connection.execute(select(func.max(OUTBOX.c.done_at)).where(own)).scalar()
    return last is None or now - last >= GROUP_INTERVAL


def _send(sender: Sender, batch: Batch, now: datetime) -> Outcome | Literal["held"]:
    with sender.store.connect() as connection:
        receiver = _receiver(sender, connection, batch.receiver)
        silences = open_silences(connection, now)
        rules = {row["version"]: _rule(connection, batch.rule, row["version"]) for row in batch.rows}
        held: dict[int, Held | None] = {}
        for row in batch.rows:
            over = [number for number, reason in held.items() if reason and reason[0] == "withheld"]
            held[row["id"]] = _reason(sender, connection, row, rules[row["version"]], receiver, silences, now, over)
    going = [row for row in batch.rows if held[row["id"]] is None]
    reasons = {number: reason for number, reason in held.items() if reason}
    _hold_back(sender, reasons, now)
    if not going or receiver is None:
        return "held"
    post = _compose(sender, rules[going[-1]["version"]], going, receiver)
    delivery = deliver(receiver.channel, post, receiver.settings, sender.line(now))
    _record(sender, going, delivery, now)
    return delivery.outcome


def _compose(sender: Sender, rule: Rule, rows: Sequence[RowMapping], receiver: Receiver) -> Post:
    if rows[-1]["message"] == MESSAGE:
        with sender.store.connect() as connection:
            return compose_heartbeat(connection, rows[-1], receiver)
    with sender.store.connect() as connection:
        told = orders_told(connection, [row["transition_id"] for row in rows if row["message"] == "matched"])
    post_id = f"alert-{rows[0]['id']}-{rows[-1]['id']}"
    return compose_post(rule, [_item(row, told) for row in rows], post_id, receiver.language, sender.words)


Held = tuple[str, str, datetime | None]
"""Status, reason, and when to look again."""


def _reason(
    sender: Sender,
    connection: Connection,
    row: RowMapping,
    rule: Rule,
    receiver: Receiver | None,
    silences: Sequence[Silence],
    now: datetime,
    over: Sequence[int],
) -> Held | None:
    """Why a row does not go out now, in the order mute, silence, dedup; None when it does."""
    if receiver is None:
        return ("withheld", "the receiver is gone or disabled", None)
    regions = None if row["regions"] is None else frozenset(row["regions"])
    if row["message"] != MESSAGE and not is_visible(regions, receiver.scope):
        return ("withheld", "outside the receiver's regions", None)
    if not rule.schedule.is_open(now, sender.zone):
        return ("waiting", MUTED, now + MUTED_LOOK)
    if silence := _silence_of(row, rule, silences):
        return ("waiting", f"{SILENCED} {silence.ends_at:%Y-%m-%d %H:%M} UTC", silence.ends_at)
    if row["reason"] and row["message"] in GOES_ON and not _still_fires(connection, row):
        return ("withheld", "over before it could be told", None)
    if row["message"] in ENDS and not _was_told(connection, row, over):
        return ("withheld", "its beginning was never told", None)
    if receiver.per_hour and _sent_lately(connection, receiver.name, now) >= receiver.per_hour:
        return ("digest", "more than the receiver takes in an hour", None)
    return None


def _still_fires(connection: Connection, row: RowMapping) -> bool:
    query = select(INSTANCES.c.state, INSTANCES.c.episode_at).where(
        INSTANCES.c.rule == row["rule"], INSTANCES.c.group_key == row["group_key"]
    )
    found = connection.execute(query).one_or_none()
    return found is not None and found.episode_at == row["episode_at"] and found.state in ("firing", "recovering", "no_data")


def _silence_of(row: RowMapping, rule: Rule, silences: Sequence[Silence]) -> Silence | None:
    """The silence that holds a row back; an end belongs to the level that ends."""
    level = row["level"] or row["before_level"]
    return next((silence for silence in silences if silence.matches(rule.name, row["labels"], level)), None)


def _was_told(connection: Connection, row: RowMapping, over: Sequence[int]) -> bool:
    """Whether the last this receiver has heard, or is about to hear, of the group is that something is wrong."""
    own = (OUTBOX.c.rule == row["rule"], OUTBOX.c.group_key == row["group_key"], OUTBOX.c.receiver == row["receiver"])
    earlier = (OUTBOX.c.id < row["id"], OUTBOX.c.id.not_in(over), OUTBOX.c.status.in_(("sent", "waiting", "dead", "digest")))
    query = select(OUTBOX.c.message).where(*own, *earlier, OUTBOX.c.message.in_((*GOES_ON, *ENDS)))
    last = connection.execute(query.order_by(OUTBOX.c.id.desc()).limit(1)).scalar()
    return last is not None and last not in ENDS


def _sent_lately(connection: Connection, receiver: str, now: datetime) -> int:
    """Messages, not rows: what went out together has one instant."""
    query = select(func.count(OUTBOX.c.done_at.distinct())).where(
        OUTBOX.c.receiver == receiver, OUTBOX.c.status == "sent", OUTBOX.c.done_at > now - RATE_PERIOD
    )
    return int(connection.execute(query).scalar_one())


def _hold_back(sender: Sender, reasons: Mapping[int, Held], now: datetime) -> None:
    with writing(sender.store) as connection:
        for number, (status, reason, again_at) in reasons.items():
            values: dict[str, Any] = {"status": status, "reason": reason, "lease": "", "leased_until": None}
            values |= {"due_at": again_at} if again_at else {"done_at": now if status == "withheld" else None}
            connection.execute(_mine(sender, number).values(**values))


def _record(sender: Sender, rows: Sequence[RowMapping], delivery: Delivery, now: datetime) -> None:
    with writing(sender.store) as connection:
        for row in rows:
            attempts = row["attempts"] + 1
            values: dict[str, Any] = {"attempts": attempts, "reason": delivery.detail[:500], "lease": "", "leased_until": None}
            again_at = retry_at(now, attempts, jitter=sender.chance(), wait_seconds=delivery.wait_seconds)
            if delivery.outcome == "sent":
                values |= {"status": "sent", "done_at": now}
            elif delivery.outcome == "never" or again_at is None:
                values |= {"status": "dead", "done_at": now}
            else:
                values |= {"due_at": again_at}
            connection.execute(_mine(sender, row["id"]).values(**values))
    if delivery.outcome != "sent":
        sender.notes(f"message to {rows[0]['receiver']}: {delivery.detail}")


def _mine(sender: Sender, number: int) -> Any:  # noqa: ANN401 - SQLAlchemy's own statement type
    return update(OUTBOX).where(OUTBOX.c.id == number, OUTBOX.c.lease == sender.holder)


def _receiver(sender: Sender, connection: Connection, name: str) -> Receiver | None:
    if name.startswith(USER):
        scope = sender.sight(name.removeprefix(USER))
        return None if scope is None else Receiver(name=name, channel="in_app", settings={}, scope=scope)
    found = read_receivers(connection).get(name)
    return found if found and found.channel in CHANNELS else None


def _rule(connection: Connection, name: str, version: int) -> Rule:
    body = connection.execute(
        select(VERSIONS.c.body).where(VERSIONS.c.rule == name, VERSIONS.c.version == version)
    ).scalar_one_or_none()
    try:
        return parse_rule(body)
    except RuleError:
        return Rule(name=name, conditions=(), title=title_of(name))


def _item(row: RowMapping, told: Mapping[int, Sequence[OrderKey]]) -> Item:
    return Item(
        message=row["message"],
        labels=row["labels"],
        level=row["level"],
        value=row["value"],
        episode_at=row["episode_at"],
        at=row["at"],
        is_restated=row["is_restated"],
        transition_id=row["transition_id"],
        orders=tuple(told.get(row["transition_id"], ())),
    )


def send_digests(sender: Sender, now: datetime) -> int:
    """One message an hour for what flaps or is too much for a receiver; how many went out. What is silenced waits on."""
    with writing(sender.store) as connection:
        silences = open_silences(connection, now)
        found: dict[str, list[tuple[RowMapping, Rule]]] = {}
        for row in connection.execute(_rows_of("digest")).mappings():
            if row["leased_until"] is None or row["leased_until"] <= now:
                rule = _rule(connection, row["rule"], row["version"])
                if rule.schedule.is_open(now, sender.zone) and not _silence_of(row, rule, silences):
                    found.setdefault(row["receiver"], []).append((row, rule))
        due = {name: rows for name, rows in found.items() if now - rows[0][0]["created_at"] >= RATE_PERIOD}
        _lease(connection, sender, [row for rows in due.values() for row, _ in rows], now)
        receivers = {name: _receiver(sender, connection, name) for name in due}
    return sum(_send_digest(sender, receivers[name], rows, now) for name, rows in due.items())


def _send_digest(sender: Sender, receiver: Receiver | None, found: Sequence[tuple[RowMapping, Rule]], now: datetime) -> bool:
    rows = [row for row, _ in found]
    if receiver is None:
        _hold_back(sender, {row["id"]: ("withheld", "the receiver is gone or disabled", None) for row in rows}, now)
        return False
    counts, titles = Counter(row["rule"] for row in rows), {row["rule"]: rule.title_in(receiver.language) for row, rule in found}
    lines = tuple(translate(receiver.language, "alerts.digest_line", rule=titles[name], n=n) for name, n in counts.items())
    title = translate(receiver.language, "alerts.digest_title", n=len(rows))
    payload = {"type": "digest", "rules": dict(counts)}
    post = Post(id=f"digest-{rows[0]['id']}-{rows[-1]['id']}", title=title, lines=lines, payload=payload)
    delivery = deliver(receiver.channel, post, receiver.settings, sender.line(now))
    if delivery.outcome == "sent":
        _record(sender, rows, delivery, now)
    else:
        _hold_back(sender, {row["id"]: ("digest", delivery.detail[:500], now) for row in rows}, now)
    return delivery.outcome == "sent"
