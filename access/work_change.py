"""Changing the desk's records: assign, state, follow-up, note, and taking back; each one audited change of one field.

Whoever calls has shown the order to the user through the View first: a `Sighting` is what the lake said of it inside the
user's scope. Nobody's change is lost: a field that someone else changed since it was looked at is refused, naming them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import IntegrityError

from access import audit
from access.acting import By
from access.store import EPOCH, inserted_id, writing
from access.user import User, find_user, list_users, scope_of
from access.work_item import (
    STATES,
    WORK_CHANGES,
    WORK_ITEMS,
    Change,
    Field,
    Key,
    Trouble,
    WorkItem,
    apply,
    can_undo,
    read_items,
    to_ms,
    value_of,
)
from data.personal import plain_note
from i18n import translate

LONGEST_NOTE: Final = 500
FARTHEST_FOLLOW_UP: Final = timedelta(days=30)
OBJECT_KIND: Final = "work_item"
ACTIONS: Final[dict[Field, str]] = {
    "assignee": "work_assigned",
    "state": "work_state_set",
    "follow_up": "work_follow_up_set",
    "note": "work_noted",
}


class WorkError(ValueError):
    """A change cannot be made; `reason` is a key below `worklist.error` whose sentence says why and what to do instead."""

    def __init__(self, reason: str, **values: object) -> None:
        """The message in English; `sentence` gives it in another language."""
        super().__init__(translate("en", f"worklist.error.{reason}", **values))
        self.reason = reason
        self.values = values

    def sentence(self, language: str) -> str:
        """The message in the language."""
        return translate(language, f"worklist.error.{self.reason}", **self.values)


class WorkConflict(WorkError):
    """Someone else changed the same field since the user looked; `change` is theirs."""

    def __init__(self, change: Change) -> None:
        """Name whose change stands."""
        super().__init__("conflict", who=change.actor)
        self.change = change


@dataclass(frozen=True, kw_only=True)
class Sighting:
    """An order as the lake shows it inside the acting user's scope; `trouble` None is neither late nor at risk."""

    channel: str
    order_id: str
    region_code: str | None
    trouble: Trouble | None = None
    promised_at: datetime | None = None

    @property
    def key(self) -> Key:
        """Which order."""
        return self.channel, self.order_id


def covers(user: User, region_code: str | None) -> bool:
    """Whether the user may see orders of the region (None: unknown, for those who see everything)."""
    scope = scope_of(user)
    return scope.everything or region_code in scope.regions


def assignable(store: Engine, region_code: str | None) -> list[User]:
    """Everyone who can be given an order of the region, by name."""
    return [user for user in list_users(store) if covers(user, region_code)]


def assign(store: Engine, order: Sighting, assignee: str | None, *, by: By) -> Change | None:
    """Give the order to a user whose scope covers it, or (None) to nobody. Raises WorkError, WorkConflict."""
    if assignee is not None:
        _check_assignee(store, assignee, order)
    return _set(store, order, "assignee", assignee, by)


def set_state(store: Engine, order: Sighting, state: str, *, by: By) -> Change | None:
    """Say how far the work is; `done` remembers the trouble and the promise of now. Raises WorkError, WorkConflict."""
    if state not in STATES:
        raise WorkError("state", value=state[:40])
    is_done = state == "done"
    value = {
        "state": state,
        "trouble": order.trouble if is_done else None,
        "promised_at": to_ms(order.promised_at) if is_done else None,
    }
    return _set(store, order, "state", value, by)


def set_follow_up(store: Engine, order: Sighting, follow_up_at: datetime | None, *, by: By) -> Change | None:
    """Say when to look again, or (None) not at all; later than now and within a month. Raises WorkError, WorkConflict."""
    if follow_up_at is not None and follow_up_at <= by.at:
        raise WorkError("past")
    if follow_up_at is not None and follow_up_at > by.at + FARTHEST_FOLLOW_UP:
        raise WorkError("far", days=FARTHEST_FOLLOW_UP.days)
    return _set(store, order, "follow_up", to_ms(follow_up_at), by)


def add_note(store: Engine, order: Sighting, text: str, *, by: By) -> Change:
    """Add a note, phone numbers in it masked; it never competes with anybody's. Raises WorkError for an empty or too long one."""
    plain = plain_note(text)
    if not plain:
        raise WorkError("empty")
    if len(plain) > LONGEST_NOTE:
        raise WorkError("long", n=len(plain), most=LONGEST_NOTE)
    with writing(store) as connection:
        item = _locked(connection, order)
        return _write(connection, order, item, "note", (None, True), by, note=plain)


def undo(store: Engine, order: Sighting, change_id: int, *, by: By) -> Change:
    """Take one change back, restoring exactly what was before it. Raises WorkError where that would lose a later one."""
    with writing(store) as connection:
        item = _locked(connection, order)
        change = next((change for change in item.changes if change.id == change_id), None)
        if change is None:
            raise WorkError("no_change")
        if change.field == "note" and change.actor != by.user.name:
            raise WorkError("not_yours", who=change.actor)
        if not can_undo(item.changes, change):
            raise WorkError("too_late")
        if change.field == "assignee" and change.value_before is not None:
            _check_assignee(store, change.value_before, order)
        pair = (change.value_after, change.value_before)
        return _write(connection, order, item, change.field, pair, by, note=change.note, undoes=change.id)


def note_denied(store: Engine, key: Key, *, by: By) -> None:
    """Audit that a user asked for an order that is not in the user's sight."""
    audit.note(
        store,
        at=by.at,
        actor=by.audited,
        action="work_denied",
        object_kind=OBJECT_KIND,
        object_id=_object_id(key),
        result="denied",
    )


def _check_assignee(store: Engine, name: str, order: Sighting) -> None:
    user = find_user(store, name)
    if user is None or user.is_disabled:
        raise WorkError("nobody", name=name[:64])
    if not covers(user, order.region_code):
        raise WorkError("outside", name=user.display_name or user.name)


def _set(store: Engine, order: Sighting, field: Field, value: Any, by: By) -> Change | None:  # noqa: ANN401 - plain JSON
    """One change of a field; None where it is so already."""
    with writing(store) as connection:
        item = _locked(connection, order)
        current = value_of(item, field)
        if current == value or (field == "state" and current["state"] == value["state"] != "done"):
            return None
        since = [change for change in item.changes if change.field == field and change.version > by.seen_version]
        if since and since[-1].actor != by.user.name:
            raise WorkConflict(since[-1])
        return _write(connection, order, item, field, (current, value), by)


def _locked(connection: Connection, order: Sighting) -> WorkItem:
    """The item, locked against others until the transaction ends; its row is made where there is none yet."""
    mine = (WORK_ITEMS.c.channel == order.channel) & (WORK_ITEMS.c.order_id == order.order_id)
    locked = select(WORK_ITEMS.c.version).where(mine).with_for_update()
    if connection.execute(locked).one_or_none() is None:
        fresh = {"channel": order.channel, "order_id": order.order_id, "state": "open", "version": 0}
        try:
            with connection.begin_nested():
                connection.execute(WORK_ITEMS.insert().values(**fresh, changed_at=EPOCH, changed_by=""))
        except IntegrityError:
            pass  # Someone else made it this moment: wait for them.
        connection.execute(locked).one()
    return read_items(connection, [order.key]).get(order.key) or WorkItem(channel=order.channel, order_id=order.order_id)


def _write(
    connection: Connection,
    order: Sighting,
    item: WorkItem,
    field: Field,
    pair: tuple[Any, Any],
    by: By,
    *,
    note: str = "",
    undoes: int | None = None,
) -> Change:
    values = {
        "channel": order.channel,
        "order_id": order.order_id,
        "version": item.version + 1,
        "at": by.at,
        "actor": by.user.name,
        "field": field,
        "value_before": pair[0],
        "value_after": pair[1],
        "note": note,
        "undoes": undoes,
    }
    result = connection.execute(WORK_CHANGES.insert().values(**values, region_code=order.region_code))
    change = Change(id=inserted_id(result), **values)
    _store(connection, apply(item, change), order.region_code)
    audit.record(
        connection,
        at=by.at,
        actor=by.audited,
        action=ACTIONS[field] if undoes is None else "work_undone",
        object_kind=OBJECT_KIND,
        object_id=_object_id(order.key),
        detail=_detail(change),
    )
    return change


def _store(connection: Connection, item: WorkItem, region_code: str | None) -> None:
    names = ("assignee", "state", "done_trouble", "done_promised_at", "follow_up_at", "version", "changed_at", "changed_by")
    values = {name: getattr(item, name) for name in names} | {"region_code": region_code}
    mine = (WORK_ITEMS.c.channel == item.channel) & (WORK_ITEMS.c.order_id == item.order_id)
    connection.execute(WORK_ITEMS.update().where(mine).values(**values))


def _detail(change: Change) -> dict[str, object]:
    """What changed, for the audit; of a note only its length, the text may say more than an audit should keep."""
    known: dict[str, object] = {"field": change.field, "version": change.version}
    if change.field == "note":
        known |= {"length": len(change.note)}
    else:
        known |= {"before": change.value_before, "after": change.value_after}
    return known if change.undoes is None else known | {"undoes": change.undoes}


def _object_id(key: Key) -> str:
    return "/".join(key)
