"""One order of the work list in words: how late, where, what waits, who has it, what was noted and changed."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from typing import Any, Final

from access.user import list_users
from access.view import View
from access.work_item import Change, WorkItem, can_undo, to_instant
from access.worklist import WorkRow, is_looking_back
from components.format import count, duration, when
from components.worklist import Job, Line, Tone
from i18n import translate
from pages.links import link
from pages.wording import name_of, stage_name

SYSTEM: Final = "system"
USUAL: Final = (None, "normal", "standard", "regular")
TONES: Final[dict[str | None, Tone]] = {"late": "critical", "at_risk": "warning", None: "good"}


class Names:
    """What the people behind user names are called."""

    def __init__(self, view: View) -> None:
        """Nobody is asked yet."""
        self._view = view

    @cached_property
    def _known(self) -> dict[str, str]:
        store = self._view.store
        return {user.name: user.display_name or user.name for user in list_users(store)} if store is not None else {}

    def of(self, name: str | None) -> str:
        """The person's name; the word for nobody where there is none."""
        if name is None:
            return translate(self._view.language, "worklist.word.nobody")
        if name == SYSTEM:
            return translate(self._view.language, "rules.system")
        return self._known.get(name, name)


def read_job(view: View, row: WorkRow, names: Names) -> Job:
    """The row as the list and the panel show it."""
    language, item, known = view.language, row.item, row.row
    return Job(
        key="/".join(row.key),
        channel=row.key[0],
        order_id=row.key[1],
        title=name_of(language, "channel", row.key[0]),
        href=link(view, "/order", channel=row.key[0], order_id=row.key[1]),
        tone=TONES[row.trouble],
        trouble=translate(language, f"worklist.trouble.{row.trouble or 'left'}"),
        lateness=_lateness(view, row),
        promise=_promise(view, known["promised_at"]),
        place=_together(view, known, "province", "city"),
        origin=_together(view, known, "warehouse", "carrier"),
        stage=stage_name(language, known["stage"]) if known["stage"] else "",
        waited=_waited(view, known),
        content=_content(view, known),
        marks=_marks(view, known),
        assignee=item.assignee or "",
        assignee_name=names.of(item.assignee),
        state="open" if row.is_back else item.state,
        state_name=translate(language, f"worklist.state.{'open' if row.is_back else item.state}"),
        follow_up=when(language, item.follow_up_at, view.now, view.zone) if item.follow_up_at else "",
        is_due=item.is_due(view.as_of if is_looking_back(view) else view.now),
        remark=_remark(view, row),
        people=str(known["region"] or ""),
        version=item.version,
        notes=tuple(note_line(view, item, note, names) for note in item.notes),
        history=tuple(_line(view, item, change, names) for change in reversed(item.changes)),
    )


def change_text(view: View, change: Change, names: Names) -> str:
    """One change in words: `assigned to Li`, `follow-up 14:30`, `note withdrawn`."""
    language, value = view.language, change.value_after
    if change.field == "assignee":
        key = "assigned" if value else "unassigned"
        text = translate(language, f"worklist.change.{key}", who=names.of(value))
    elif change.field == "state":
        text = translate(language, "worklist.change.state", state=translate(language, f"worklist.state.{value['state']}"))
    elif change.field == "follow_up":
        key, at = ("follow_up" if value else "no_follow_up"), to_instant(value)
        text = translate(language, f"worklist.change.{key}", at=when(language, at, view.now, view.zone))
    else:
        text = translate(language, "worklist.change.note" if value else "worklist.change.no_note")
    return text if change.undoes is None else translate(language, "worklist.change.undone", what=text)


def note_line(view: View, item: WorkItem, note: Change, names: Names) -> Line:
    """One note that stands."""
    can = _can_act(view) and note.actor == view.user.name
    return Line(who=names.of(note.actor), when=_at(view, note.at), text=note.note, undo=str(note.id) if can else "")


def _line(view: View, item: WorkItem, change: Change, names: Names) -> Line:
    can = _can_act(view) and can_undo(item.changes, change) and (change.field != "note" or change.actor == view.user.name)
    text = change_text(view, change, names)
    return Line(who=names.of(change.actor), when=_at(view, change.at), text=text, undo=str(change.id) if can else "")


def _can_act(view: View) -> bool:
    return view.store is not None and not is_looking_back(view) and not view.is_preview


def _at(view: View, at: datetime) -> str:
    return when(view.language, at, view.now, view.zone)


def _lateness(view: View, row: WorkRow) -> str:
    language, known = view.language, row.row
    if row.trouble == "late":
        return translate(language, "worklist.late_by", length=duration(language, known["late_by_seconds"]))
    if row.trouble == "at_risk":
        left = (known["promised_at"] - view.as_of).total_seconds()
        return translate(language, "worklist.promise_in", length=duration(language, left))
    return _left(view, known)


def _left(view: View, known: dict[str, Any]) -> str:
    for name in ("delivered", "cancelled"):
        if known[f"{name}_at"] is not None:
            return translate(
                view.language, f"worklist.left.{name}", at=when(view.language, known[f"{name}_at"], view.as_of, view.zone)
            )
    return translate(view.language, "worklist.left.calm")


def _remark(view: View, row: WorkRow) -> str:
    if row.is_back:
        return translate(view.language, f"worklist.back.{row.trouble}")
    return translate(view.language, "worklist.left.remark") if row.trouble is None and row.item.state != "done" else ""


def _promise(view: View, promised_at: datetime | None) -> str:
    if promised_at is None:
        return ""
    return translate(view.language, "worklist.promised", at=when(view.language, promised_at, view.as_of, view.zone))


def _together(view: View, known: dict[str, Any], *dimensions: str) -> str:
    return " · ".join(name_of(view.language, name, known[name]) for name in dimensions if known[name] is not None)


def _waited(view: View, known: dict[str, Any]) -> str:
    if known["waited_seconds"] is None:
        return ""
    return translate(view.language, "worklist.waiting", length=duration(view.language, known["waited_seconds"]))


def _content(view: View, known: dict[str, Any]) -> str:
    return "" if known["amount"] is None else f"{count(view.language, known['amount'])} {known['currency'] or ''}".strip()


def _marks(view: View, known: dict[str, Any]) -> tuple[str, ...]:
    shown = [(name, known[name]) for name in ("exception", "priority", "customer_tier") if known[name] not in USUAL]
    return tuple(name_of(view.language, name, code) for name, code in shown)
