"""The handover sheet at the end of a shift: what is open, what was done and by whom, what was noted, what comes due next."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from access.shift import ShiftSpan, shift_after, shift_at
from access.view import View
from access.work_item import Change, Key, effective
from access.worklist import WorkRow, is_looking_back, look_up, read_items_in_sight, read_recorded, read_worklist

MOST_UNTOUCHED = 20
"""So many of the costliest orders that nobody has taken are named; the rest is a number."""


@dataclass(frozen=True, kw_only=True)
class Person:
    """What one person did in the shift: orders finished, and changes of any kind."""

    name: str
    done_count: int
    change_count: int


@dataclass(frozen=True, kw_only=True)
class Handover:
    """One shift of one area. Rows are of the view's scope and filters; `done` pairs each finished order with its change."""

    shift: ShiftSpan
    following: ShiftSpan
    at: datetime
    late_count: int
    at_risk_count: int
    unassigned_count: int
    working: tuple[WorkRow, ...]
    untouched: tuple[WorkRow, ...]
    done: tuple[tuple[WorkRow, Change], ...]
    left: tuple[WorkRow, ...]
    due: tuple[WorkRow, ...]
    notes: tuple[tuple[WorkRow, Change], ...]
    people: tuple[Person, ...]


def read_handover(view: View) -> Handover:
    """The sheet for the shift that runs (or ended last) at the view's instant, up to that instant."""
    at = view.as_of if is_looking_back(view) else view.now
    calendar = view.targets.at(at, view.zone).calendar
    shift = shift_at(calendar, at, view.zone)
    following = shift_after(calendar, shift, view.zone)
    listed, recorded = read_worklist(view, "unassigned", shown=MOST_UNTOUCHED), read_recorded(view)
    seen = _rows_in_sight(view)
    changes = [(row, change) for row in seen for change in _in_shift(row, shift, following)]
    working = tuple(row for row in recorded.troubled if not row.is_done and row.item.version > 0)
    return Handover(
        shift=shift,
        following=following,
        at=at,
        late_count=listed.counts["late"],
        at_risk_count=listed.counts["at_risk"],
        unassigned_count=listed.counts["unassigned"],
        working=working,
        untouched=tuple(row for row in listed.rows if row.item.version == 0),
        done=tuple((row, change) for row, change in changes if _is_finish(row, change)),
        left=recorded.left,
        due=tuple(sorted((row for row in working if _is_due_until(row, following.end)), key=_due_at)),
        notes=tuple((row, note) for row in seen for note in row.item.notes if shift.start <= note.at < following.start),
        people=_people(changes),
    )


def _rows_in_sight(view: View) -> list[WorkRow]:
    """Every record that still matters whose order the view shows, in trouble or not."""
    items = read_items_in_sight(view)
    return [WorkRow(row=row, trouble=None, item=items[key]) for key, row in look_up(view, list(items)).items()]


def _in_shift(row: WorkRow, shift: ShiftSpan, following: ShiftSpan) -> list[Change]:
    """The changes that hold, of the shift and of the time up to the next one's beginning."""
    held = effective(row.item.changes)
    return [change for change in row.item.changes if shift.start <= change.at < following.start and change.id in held]


def _is_finish(row: WorkRow, change: Change) -> bool:
    """Whether the change is what made the order done, and it still is."""
    return (
        change.field == "state" and change.value_after["state"] == "done" and row.item.state == "done" and _is_last(row, change)
    )


def _is_last(row: WorkRow, change: Change) -> bool:
    return not any(other.id > change.id for other in row.item.changes if other.field == "state")


def _is_due_until(row: WorkRow, end: datetime) -> bool:
    return row.item.follow_up_at is not None and row.item.follow_up_at < end


def _due_at(row: WorkRow) -> tuple[datetime, Key]:
    assert row.item.follow_up_at is not None
    return row.item.follow_up_at, row.key


def _people(changes: list[tuple[WorkRow, Change]]) -> tuple[Person, ...]:
    done = Counter(change.actor for row, change in changes if _is_finish(row, change))
    total = Counter(change.actor for _, change in changes)
    return tuple(
        Person(name=name, done_count=done[name], change_count=number)
        for name, number in sorted(total.items(), key=lambda item: (-item[1], item[0]))
    )
