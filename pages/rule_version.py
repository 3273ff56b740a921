"""One version of a rule in words: who wrote it when and why, what it changed, and what can be done with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from access.view import View
from alerts.lifecycle import Entry, Version
from alerts.proposals import Proposed
from components.format import when
from components.rules import Button, VersionRow
from i18n import translate
from pages.rule_change import read_changes
from pages.rule_sight import can_approve, can_change
from pages.worklist_job import Names


@dataclass(frozen=True, kw_only=True)
class Rights:
    """What the user may do with a rule's versions, and which of them wait for a second person."""

    may_change: bool = False
    may_approve: bool = False
    proposed: Proposed = field(default_factory=dict)


def rights_of(view: View, entry: Entry, proposed: Proposed) -> Rights:
    """The user's rights on a rule."""
    if view.is_preview:
        return Rights(proposed=proposed)
    return Rights(may_change=can_change(view, entry), may_approve=can_approve(view, entry), proposed=proposed)


def read_version(
    view: View, entry: Entry, versions: Sequence[Version], place: int, names: Names, *, rights: Rights
) -> VersionRow:
    """The version at a place of the list, the newest first, with what it changed."""
    language, version = view.language, versions[place]
    proposer = rights.proposed.get(version.number, "")
    earlier = versions[place + 1].rule if place + 1 < len(versions) else None
    marks = []
    if version.number == entry.live_version:
        # Of a paused or retired rule nothing is live: its version says so.
        marks.append(translate(language, f"rules.status.{entry.status}"))
    if version.origin:
        marks.append(translate(language, "rules.mark.copy", n=version.origin))
    if proposer:
        marks.append(translate(language, "rules.mark.proposed_by", who=names.of(proposer)))
    changes = read_changes(view, earlier, version.rule) if version.rule and place + 1 < len(versions) else ()
    buttons = []
    why = translate(language, "rules.why")
    if proposer and proposer != view.user.name and rights.may_approve and version.rule:
        name = translate(language, "rules.button.approve")
        buttons.append(Button(action="publish_version", name=name, value=str(version.number), reason=why, is_main=True))
    elif rights.may_change and version.rule and version.number != entry.live_version and not proposer:
        is_newer = entry.live_version is None or version.number > entry.live_version
        action = "publish_version" if is_newer else "restore"
        name = translate(language, f"rules.button.{action}")
        buttons.append(Button(action=action, name=name, value=str(version.number), reason=why, is_main=True))
    if rights.may_change and version.rule and version.number > (entry.live_version or 0):
        edit = translate(language, "rules.button.change")
        buttons.append(Button(action="change", name=edit, value=str(version.number)))
    return VersionRow(
        number=translate(language, "rules.version", n=version.number),
        about=f"{names.of(version.author)} · {when(language, version.created_at, view.now, view.zone)}",
        reason="" if version.origin else version.reason,
        marks=tuple(marks),
        changes=changes,
        buttons=tuple(buttons),
    )
