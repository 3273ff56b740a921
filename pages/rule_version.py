"""One version of a rule in words: who wrote it when and why, what it changed, and what can be done with it."""

from __future__ import annotations

from collections.abc import Sequence

from access.view import View
from alerts.differences import differences
from alerts.lifecycle import Entry, Version
from components.format import when
from components.rules import Button, VersionRow
from i18n import translate
from pages.worklist_job import Names


def read_version(view: View, entry: Entry, versions: Sequence[Version], place: int, names: Names, *, may: bool) -> VersionRow:
    """The version at a place of the list, the newest first, with what it changed."""
    language, version = view.language, versions[place]
    earlier = versions[place + 1].rule if place + 1 < len(versions) else None
    marks = []
    if version.number == entry.live_version:
        marks.append(translate(language, "rules.mark.live"))
    if version.origin:
        marks.append(translate(language, "rules.mark.copy", n=version.origin))
    changes = (
        tuple((part_name(language, one.part), one.before, one.after) for one in differences(earlier, version.rule))
        if version.rule and place + 1 < len(versions)
        else ()
    )
    buttons = []
    why = translate(language, "rules.why")
    if may and version.rule and version.number != entry.live_version:
        is_newer = entry.live_version is None or version.number > entry.live_version
        action = "publish_version" if is_newer else "restore"
        name = translate(language, f"rules.button.{action}")
        buttons.append(Button(action=action, name=name, value=str(version.number), reason=why, is_main=True))
        if is_newer:
            edit = translate(language, "rules.button.change")
            buttons.append(Button(action="change", name=edit, value=str(version.number)))
    return VersionRow(
        number=translate(language, "rules.version", n=version.number),
        about=f"{names.of(version.author)} · {when(language, version.created_at, view.now, view.zone)}",
        reason=version.reason,
        marks=tuple(marks),
        changes=changes,
        buttons=tuple(buttons),
    )


def part_name(language: str, part: str) -> str:
    """What a part of a rule is called: its field's name, then what it lies in."""
    first, *rest = part.split(".")
    key = f"rules.field.{first}"
    name = translate(language, key)
    name = first if name == key else name
    return " · ".join(
        [
            name,
            *(
                translate(language, f"rules.field.{word}")
                if f"rules.field.{word}" != translate(language, f"rules.field.{word}")
                else word
                for word in rest
            ),
        ]
    )
