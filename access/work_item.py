"""The desk's records on single orders: who has it, its state, when to look again, what was noted; and every change to them.

`work_items` holds what is true now, `work_changes` (append-only) how it came to be: folding the changes up to an instant
gives the records as they stood then (`items_at`), folding all of them gives `work_items` (a law, tested).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal, get_args

from sqlalchemy import JSON, Column, Connection, Engine, Index, Integer, Row, String, Table, Text, select, tuple_

from access.store import EPOCH, METADATA, Instant

Field = Literal["assignee", "state", "follow_up", "note"]
FIELDS: Final[tuple[Field, ...]] = get_args(Field)
State = Literal["open", "in_progress", "waiting", "done"]
STATES: Final[tuple[State, ...]] = get_args(State)
Trouble = Literal["late", "at_risk"]
Key = tuple[str, str]
"""(channel, order_id)."""

AT_ONCE: Final = 500
"""So many keys go into one statement."""

WORK_ITEMS: Final = Table(
    "work_items",
    METADATA,
    Column("channel", String(64), primary_key=True),
    Column("order_id", String(256), primary_key=True),
    Column("region_code", String(16)),
    Column("assignee", String(64), index=True),
    Column("state", String(16), nullable=False),
    Column("done_trouble", String(16)),
    Column("done_promised_at", Instant),
    Column("follow_up_at", Instant),
    Column("version", Integer, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("changed_by", String(64), nullable=False),
)
"""`region_code` is the order's at the last change: a hint for whoever reads the table, never the guard."""

WORK_CHANGES: Final = Table(
    "work_changes",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("channel", String(64), nullable=False),
    Column("order_id", String(256), nullable=False),
    Column("version", Integer, nullable=False),
    Column("region_code", String(16)),
    Column("at", Instant, nullable=False, index=True),
    Column("actor", String(64), nullable=False),
    Column("field", String(16), nullable=False),
    Column("value_before", JSON(none_as_null=True)),
    Column("value_after", JSON(none_as_null=True)),
    Column("note", Text, nullable=False),
    Column("undoes", Integer),
    Index("ix_work_changes_order", "channel", "order_id", "version", unique=True),
)
"""One field of one item at a time. `version` is the item's after the change; `undoes` is the id of the change taken back."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """One change of one field by one person; `value_before` and `value_after` are plain JSON, for a note whether it stands."""

    id: int
    channel: str
    order_id: str
    version: int
    at: datetime
    actor: str
    field: Field
    value_before: Any
    value_after: Any
    note: str = ""
    undoes: int | None = None

    @property
    def key(self) -> Key:
        """Which order."""
        return self.channel, self.order_id


@dataclass(frozen=True, kw_only=True)
class WorkItem:
    """What the desk knows of one order; version 0 is an order nobody has touched.

    `done_trouble` and `done_promised_at` say what the order's trouble and promise were when it was called done.
    """

    channel: str
    order_id: str
    assignee: str | None = None
    state: State = "open"
    done_trouble: Trouble | None = None
    done_promised_at: datetime | None = None
    follow_up_at: datetime | None = None
    version: int = 0
    changed_at: datetime | None = None
    changed_by: str = ""
    changes: tuple[Change, ...] = ()

    @property
    def key(self) -> Key:
        """Which order."""
        return self.channel, self.order_id

    @property
    def notes(self) -> tuple[Change, ...]:
        """The notes that stand, oldest first."""
        standing = effective(self.changes)
        return tuple(
            change for change in self.changes if change.field == "note" and change.undoes is None and change.id in standing
        )

    def is_due(self, at: datetime) -> bool:
        """Whether its follow-up is due; a done item has none."""
        return self.state != "done" and self.follow_up_at is not None and self.follow_up_at <= at

    def is_back(self, trouble: Trouble, promised_at: datetime | None) -> bool:
        """Whether a done item's order is in trouble anew: under another promise, or late where it was only at risk."""
        if self.state != "done":
            return False
        return promised_at != self.done_promised_at or (trouble == "late" and self.done_trouble != "late")


def effective(changes: Sequence[Change]) -> frozenset[int]:
    """The ids of changes that hold: not taken back, or taken back by one that was itself taken back."""
    held: set[int] = set()
    undone_by: dict[int, list[int]] = {}
    for change in changes:
        if change.undoes is not None:
            undone_by.setdefault(change.undoes, []).append(change.id)
    for change in sorted(changes, key=lambda change: -change.id):
        if not any(undo in held for undo in undone_by.get(change.id, ())):
            held.add(change.id)
    return frozenset(held)


def can_undo(changes: Sequence[Change], change: Change) -> bool:
    """Whether taking this change back loses nobody's later one: it is the newest of its field that holds, or a note."""
    held = effective(changes)
    if change.id not in held:
        return False
    if change.field == "note":
        return True
    same = [other for other in changes if other.field == change.field]
    newest = max((other.id for other in same if other.id in held and other.undoes is None), default=0)
    return change.id == newest or (change.undoes is not None and change.id == max(other.id for other in same))


def apply(item: WorkItem, change: Change) -> WorkItem:
    """The item after one more change."""
    value = change.value_after
    fields: dict[str, Any] = {}
    if change.field == "assignee":
        fields = {"assignee": value}
    elif change.field == "follow_up":
        fields = {"follow_up_at": to_instant(value)}
    elif change.field == "state":
        fields = {"state": value["state"], "done_trouble": value["trouble"], "done_promised_at": to_instant(value["promised_at"])}
    fields |= {"version": change.version, "changed_at": change.at, "changed_by": change.actor}
    return replace(item, changes=(*item.changes, change), **fields)


def value_of(item: WorkItem, field: Field) -> Any:  # noqa: ANN401 - plain JSON
    """A field's value as a change keeps it."""
    if field == "assignee":
        return item.assignee
    if field == "follow_up":
        return to_ms(item.follow_up_at)
    return {"state": item.state, "trouble": item.done_trouble, "promised_at": to_ms(item.done_promised_at)}


def fold(changes: Iterable[Change]) -> dict[Key, WorkItem]:
    """Items from their changes, oldest first."""
    items: dict[Key, WorkItem] = {}
    for change in changes:
        before = items.get(change.key) or WorkItem(channel=change.channel, order_id=change.order_id)
        items[change.key] = apply(before, change)
    return items


def read_items(connection: Connection | Engine, keys: Sequence[Key]) -> dict[Key, WorkItem]:
    """The items of these orders that anybody has touched, with all their changes."""
    return items_at(connection, keys, None)


def items_at(source: Connection | Engine, keys: Sequence[Key], at: datetime | None) -> dict[Key, WorkItem]:
    """The same as they stood at an instant (None: now)."""
    found: list[Change] = []
    for start in range(0, len(keys), AT_ONCE):
        part = list(keys[start : start + AT_ONCE])
        query = select(WORK_CHANGES).where(tuple_(WORK_CHANGES.c.channel, WORK_CHANGES.c.order_id).in_(part))
        query = query if at is None else query.where(WORK_CHANGES.c.at <= at)
        found += _changes(source, query.order_by(WORK_CHANGES.c.id))
    return fold(found)


def touched_keys(store: Engine, *, since: datetime, until: datetime | None = None) -> list[Key]:
    """Orders that anybody changed something on in the time, the newest first."""
    query = select(WORK_CHANGES.c.channel, WORK_CHANGES.c.order_id, WORK_CHANGES.c.id).where(WORK_CHANGES.c.at >= since)
    query = query if until is None else query.where(WORK_CHANGES.c.at <= until)
    with store.connect() as connection:
        rows = connection.execute(query.order_by(WORK_CHANGES.c.id.desc())).all()
    return list(dict.fromkeys((row.channel, row.order_id) for row in rows))


def open_keys(store: Engine, *, assignee: str | None = None) -> list[Key]:
    """Orders with a record that is not done, the newest changed first; of one assignee where named."""
    query = select(WORK_ITEMS.c.channel, WORK_ITEMS.c.order_id).where(WORK_ITEMS.c.state != "done")
    query = query if assignee is None else query.where(WORK_ITEMS.c.assignee == assignee)
    with store.connect() as connection:
        return [(row.channel, row.order_id) for row in connection.execute(query.order_by(WORK_ITEMS.c.changed_at.desc()))]


def read_rows(store: Engine) -> dict[Key, dict[str, Any]]:
    """The table `work_items` as it stands, by order."""
    with store.connect() as connection:
        rows = connection.execute(select(WORK_ITEMS)).mappings().all()
    return {(row["channel"], row["order_id"]): dict(row) for row in rows}


def to_ms(instant: datetime | None) -> int | None:
    """An instant as milliseconds since 1970."""
    return None if instant is None else (instant - EPOCH) // timedelta(milliseconds=1)


def to_instant(milliseconds: int | None) -> datetime | None:
    """Milliseconds since 1970 as an instant."""
    return None if milliseconds is None else EPOCH + timedelta(milliseconds=milliseconds)


def _changes(source: Connection | Engine, query: Any) -> list[Change]:  # noqa: ANN401 - SQLAlchemy's typed Select
    if isinstance(source, Connection):
        return [_change(row) for row in source.execute(query)]
    with source.connect() as connection:
        return [_change(row) for row in connection.execute(query)]


def _change(row: Row[Any]) -> Change:
    values = {name: getattr(row, name) for name in Change.__dataclass_fields__}
    return Change(**values)
