"""The review queue: orders that a rule about single orders matches, and who has confirmed them; every step is kept."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import Connection, Engine, and_, func, or_, select, tuple_, update

from access.audit import Actor, record
from access.store import writing
from alerts.desk import Reader
from alerts.tables import REVIEW_CHANGES, REVIEWS
from queries.scope import Scope

OrderKey = tuple[str, str]
"""(channel, order_id)."""

ReviewState = Literal["waiting", "confirmed", "left"]
SYSTEM: Final = "system"
AT_ONCE: Final = 400
"""So many orders go into one statement."""


class ReviewError(ValueError):
    """A confirmation cannot be given or taken back; `reason` is a key below `review.error`."""

    def __init__(self, reason: str) -> None:
        """Keep the key."""
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing that happened to an entry: entered, left, confirmed, withdrawn; by whom and when."""

    at: datetime
    actor: str
    action: str
    episode: int


@dataclass(frozen=True, kw_only=True)
class Review:
    """One order in one rule's queue; `confirmed_by` are those whose confirmation stands, in order."""

    rule: str
    key: OrderKey
    region_code: str | None
    needed: int
    state: ReviewState
    reason: str
    entered_at: datetime
    left_at: datetime | None
    episode: int
    steps: tuple[Step, ...] = ()

    @property
    def confirmed_by(self) -> tuple[str, ...]:
        """Who has confirmed it since it entered, each once."""
        return standing(self.steps, self.episode)

    @property
    def is_open(self) -> bool:
        """Whether the order is in the queue now."""
        return self.state != "left"


def standing(steps: Iterable[Step], episode: int) -> tuple[str, ...]:
    """Those whose confirmation stands in an episode."""
    found: dict[str, None] = {}
    for step in steps:
        if step.episode == episode and step.action == "confirmed":
            found[step.actor] = None
        if step.episode == episode and step.action == "withdrawn":
            found.pop(step.actor, None)
    return tuple(found)


def read_queue(store: Engine, reader: Reader, *, states: Collection[ReviewState] = ("waiting", "confirmed")) -> list[Review]:
    """The queue's entries in these states inside the reader's scope, the oldest first.

    The region kept is the order's when it entered: whoever shows an order asks the lake as well.
    """
    where = [REVIEWS.c.needed > 0, REVIEWS.c.state.in_(states), *_for_reader(reader)]
    with store.connect() as connection:
        rows = connection.execute(select(REVIEWS).where(*where).order_by(REVIEWS.c.entered_at, REVIEWS.c.order_id)).mappings()
        return _with_steps(connection, [dict(row) for row in rows])


def read_reviews(store: Engine, reader: Reader, keys: Sequence[OrderKey]) -> dict[OrderKey, list[Review]]:
    """Every queue's entry for these orders that the reader may know of, also those that left."""
    found: dict[OrderKey, list[Review]] = {}
    with store.connect() as connection:
        for start in range(0, len(keys), AT_ONCE):
            some = tuple_(REVIEWS.c.channel, REVIEWS.c.order_id).in_(keys[start : start + AT_ONCE])
            query = select(REVIEWS).where(some, REVIEWS.c.needed > 0, *_for_reader(reader)).order_by(REVIEWS.c.rule)
            for review in _with_steps(connection, [dict(row) for row in connection.execute(query).mappings()]):
                found.setdefault(review.key, []).append(review)
    return found


def count_open(store: Engine, reader: Reader) -> dict[str, int]:
    """How many orders each rule matches now inside the reader's scope, by rule; of rules that keep their matches."""
    query = select(REVIEWS.c.rule, func.count()).where(REVIEWS.c.state != "left", *_for_reader(reader)).group_by(REVIEWS.c.rule)
    with store.connect() as connection:
        return {rule: number for rule, number in connection.execute(query)}


def _for_reader(reader: Reader) -> list[Any]:
    own = [or_(REVIEWS.c.owner == "", REVIEWS.c.owner == reader.name)]
    return own if reader.scope.everything else [*own, REVIEWS.c.region_code.in_(reader.scope.regions)]


def _with_steps(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> list[Review]:
    steps: dict[tuple[str, OrderKey], list[Step]] = {}
    keys = list(dict.fromkeys((row["channel"], row["order_id"]) for row in rows))
    for start in range(0, len(keys), AT_ONCE):
        some = tuple_(REVIEW_CHANGES.c.channel, REVIEW_CHANGES.c.order_id).in_(keys[start : start + AT_ONCE])
        for row in connection.execute(select(REVIEW_CHANGES).where(some).order_by(REVIEW_CHANGES.c.id)).mappings():
            step = Step(at=row["at"], actor=row["actor"], action=row["action"], episode=row["episode"])
            steps.setdefault((row["rule"], (row["channel"], row["order_id"])), []).append(step)
    return [_review(row, steps.get((row["rule"], (row["channel"], row["order_id"])), [])) for row in rows]


def _review(row: Mapping[str, Any], steps: Sequence[Step]) -> Review:
    names = ("rule", "region_code", "needed", "state", "reason", "entered_at", "left_at", "episode")
    return Review(key=(row["channel"], row["order_id"]), steps=tuple(steps), **{name: row[name] for name in names})


def confirm(store: Engine, rule: str, key: OrderKey, actor: Actor, scope: Scope, *, now: datetime) -> Review:
    """Confirm an order that waits; who needs two people's word needs two different people's. Raises ReviewError."""
    return _act(store, rule, key, actor, scope, now, "confirmed")


def withdraw(store: Engine, rule: str, key: OrderKey, actor: Actor, scope: Scope, *, now: datetime) -> Review:
    """Take one's own confirmation back while the order is still in the queue. Raises ReviewError."""
    return _act(store, rule, key, actor, scope, now, "withdrawn")


def _act(
    store: Engine, rule: str, key: OrderKey, actor: Actor, scope: Scope, now: datetime, action: Literal["confirmed", "withdrawn"]
) -> Review:
    own = and_(REVIEWS.c.rule == rule, REVIEWS.c.channel == key[0], REVIEWS.c.order_id == key[1])
    with writing(store) as connection:
        where = (own, REVIEWS.c.needed > 0, *_for_reader(Reader(name=actor.name, scope=scope)))
        row = connection.execute(select(REVIEWS).where(*where).with_for_update()).mappings().one_or_none()
        if row is None:
            raise ReviewError("no_entry")
        before = _with_steps(connection, [dict(row)])[0]
        _check(before, actor.name, action)
        _change(connection, [dict(row)], action, actor=actor.name, at=now, snapshot=row["snapshot"])
        after = _with_steps(connection, [dict(row)])[0]
        state = "confirmed" if len(after.confirmed_by) >= after.needed else "waiting"
        connection.execute(update(REVIEWS).where(own).values(state=state))
        record(
            connection,
            at=now,
            actor=actor,
            action=f"review_{action}",
            object_kind="order",
            object_id="/".join(key),
            detail={"rule": rule, "confirmations": len(after.confirmed_by), "needed": after.needed},
        )
        fresh = connection.execute(select(REVIEWS).where(own)).mappings().one()
        return _with_steps(connection, [dict(fresh)])[0]


def _check(review: Review, name: str, action: str) -> None:
    if not review.is_open:
        raise ReviewError("left")
    has_confirmed = name in review.confirmed_by
    if action == "confirmed" and has_confirmed:
        raise ReviewError("twice" if review.needed > len(review.confirmed_by) else "done")
    if action == "confirmed" and review.state == "confirmed":
        raise ReviewError("done")
    if action == "withdrawn" and not has_confirmed:
        raise ReviewError("not_yours")


def change(connection: Connection, rows: Sequence[Mapping[str, Any]], action: str, *, at: datetime, snapshot: int) -> None:
    """Keep what the worker did to these entries, within the caller's transaction."""
    _change(connection, rows, action, actor=SYSTEM, at=at, snapshot=snapshot)


def _change(
    connection: Connection, rows: Sequence[Mapping[str, Any]], action: str, *, actor: str, at: datetime, snapshot: int
) -> None:
    if not rows:
        return
    own = ("rule", "channel", "order_id", "episode")
    plain = {"at": at, "actor": actor, "action": action, "snapshot": snapshot}
    connection.execute(REVIEW_CHANGES.insert(), [{name: row[name] for name in own} | plain for row in rows])


def close_reviews(connection: Connection, rule: str, reason: str, *, at: datetime) -> int:
    """Let every order of a rule leave its queue (the rule was paused, retired or changed); how many."""
    is_open = and_(REVIEWS.c.rule == rule, REVIEWS.c.state != "left")
    rows = [dict(row) for row in connection.execute(select(REVIEWS).where(is_open)).mappings()]
    change(connection, rows, "left", at=at, snapshot=max((row["snapshot"] for row in rows), default=0))
    connection.execute(update(REVIEWS).where(is_open).values(state="left", left_at=at, reason=reason))
    return len(rows)


def orders_told(connection: Connection, transitions: Iterable[int]) -> dict[int, list[OrderKey]]:
    """The orders that each of these transitions tells of, in order of their numbers."""
    query = select(REVIEWS.c.told_by, REVIEWS.c.channel, REVIEWS.c.order_id).where(REVIEWS.c.told_by.in_(list(transitions)))
    found: dict[int, list[OrderKey]] = {}
    for number, channel, order_id in connection.execute(query.order_by(REVIEWS.c.order_id)):
        found.setdefault(number, []).append((channel, order_id))
    return found
