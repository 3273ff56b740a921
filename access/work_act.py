"""What a user does on the work list: the order is looked up inside the user's scope first, then its record is changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from access.acting import By
from access.view import View
from access.work_change import (
    Sighting,
    WorkError,
    add_note,
    assign,
    note_denied,
    set_follow_up,
    set_state,
    undo,
)
from access.work_item import Change, Key
from access.worklist import is_looking_back, read_row, sighting_of
from queries.query import QueryError
from queries.request import parse_instant

Verb = Literal["assign", "state", "follow_up", "note", "undo"]
LONGEST_ID: Final = 256


@dataclass(frozen=True, kw_only=True)
class Act:
    """One thing asked for: what, on which order, with which value (a name, a state, an instant, a text, a change's number)."""

    verb: Verb
    key: Key
    value: str = ""
    seen_version: int = 0


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of it: the change (None where it was so already), or the reason why not."""

    act: Act
    change: Change | None = None
    error: WorkError | None = None


def perform(view: View, act: Act) -> Outcome:
    """Do it inside the user's scope; an order elsewhere is not found, and the audit says who asked. Raises SessionEnded."""
    if view.is_preview:
        return Outcome(act=act, error=WorkError("preview"))
    by = view.by(seen_version=act.seen_version)
    try:
        return Outcome(act=act, change=_change(view, act, by))
    except WorkError as error:
        return Outcome(act=act, error=error)


def _change(view: View, act: Act, by: By) -> Change | None:
    if is_looking_back(view) or view.store is None:
        raise WorkError("past_view")
    order = _sighting(view, act.key, by)
    if act.verb == "assign":
        return assign(view.store, order, act.value or None, by=by)
    if act.verb == "state":
        return set_state(view.store, order, act.value, by=by)
    if act.verb == "follow_up":
        return set_follow_up(view.store, order, _instant(view, act.value), by=by)
    if act.verb == "note":
        return add_note(view.store, order, act.value, by=by)
    return undo(view.store, order, int(act.value) if act.value.isdecimal() else 0, by=by)


def _sighting(view: View, key: Key, by: By) -> Sighting:
    """The order inside the user's scope, whatever the page is filtered by."""
    row = read_row(view, key) if all(key) and len(key[1]) <= LONGEST_ID else None
    if row is None:
        if view.store is not None:
            note_denied(view.store, key, by=by)
        raise WorkError("not_found", order=key[1][:40])
    return sighting_of(row)


def _instant(view: View, text: str) -> datetime | None:
    """A local time as an input field has it, in the business zone; empty is none."""
    if not text:
        return None
    try:
        return parse_instant(text, view.zone)
    except QueryError as error:
        raise WorkError("not_understood") from error
