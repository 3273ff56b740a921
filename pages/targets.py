"""What is every figure measured against, since when, and what would another target do? Targets and limits (目标与时限)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

import streamlit as st

from access.targets_book import TargetsFile, check_text, list_targets_versions, read_targets_text
from access.targets_draft import Draft, Edition, Targets, TargetsError, figures_of
from access.view import View
from access.worklist import is_looking_back
from components.register import Field, Form, Outcome, Register, Sheet, draw_register
from i18n import translate
from pages.frame import draw_frame, watch
from pages.one_go import in_one_go
from pages.register_act import is_asked, keep_asked
from pages.targets_act import OUTCOME, REGISTER, act, chosen_now, draft_now
from pages.targets_form import known_groups, set_form
from pages.targets_rows import day_notes, draft_sheet, history_sheet, limit_sheet, target_entries

COLUMNS: Final = ("figure", "where", "target", "today")


def render(view: View) -> None:
    """Draw the targets and limits in force, the draft with its effect, the history, and the forms."""
    with st.container(key="targets", gap=None):
        _hear(view)
        draw_frame(view, "pages.targets", country=None, states=(), applied=())
        draw_register(_register(view), key=REGISTER, on_act=partial(keep_asked, REGISTER))
        if draft_now() is None:
            watch(view)


@in_one_go
def _hear(view: View) -> None:
    if is_asked(REGISTER):
        act(view)


def prepare(view: View, parameters: Mapping[str, Sequence[str]]) -> None:
    """Ask everything that `render` asks for this view."""
    known = known_groups(view)
    edition = view.targets.at(view.as_of, view.zone)
    target_entries(view, edition, known, can_edit=False)
    limit_sheet(view, edition, known, can_edit=False)


def _register(view: View) -> Register:
    try:
        file = read_targets_text(view.reading.settings)
        targets = check_text(file.text)
    except TargetsError as error:
        return _faulty(view, str(error))
    return _sound(view, file, targets)


def _sound(view: View, file: TargetsFile, targets: Targets) -> Register:
    language, can_edit, draft = view.language, not (view.is_preview or is_looking_back(view)), draft_now()
    edition, known = targets.at(view.as_of, view.zone), known_groups(view)
    versions = list_targets_versions(view.store) if view.store else []
    sheets: list[Sheet] = [limit_sheet(view, edition, known, can_edit=can_edit)]
    sheets.append(history_sheet(view, versions, file.mark, known, can_edit=can_edit))
    if draft is not None:
        sheets.insert(0, draft_sheet(view, draft, edition, _after(view, draft), known, dropped=_dropped(targets, edition, draft)))
    return Register(
        language=language,
        title=translate(language, "targets.title"),
        note=_note(view, file, targets, edition, versions[0].mark if versions else ""),
        columns=tuple(translate(language, f"targets.column.{name}") for name in COLUMNS),
        entries=target_entries(view, edition, known, can_edit=can_edit),
        empty=translate(language, "targets.no_targets"),
        forms=_forms(view, file, targets, edition, draft) if can_edit else (),
        outcome=st.session_state.pop(OUTCOME, None),
        acts_name=translate(language, "targets.column.acts"),
        sheets=tuple(sheets),
    )


def _dropped(targets: Targets, now: Edition, draft: Draft) -> tuple[str, ...]:
    """The days whose own editions are in the file, later than today's, and would be gone with the draft."""
    kept = {one.valid_from for one in draft.targets().editions}
    days = {one.valid_from for one in targets.editions if one.valid_from > now.valid_from}
    return tuple(day.isoformat() for day in sorted(days - kept))


def _after(view: View, draft: Draft) -> Edition:
    """The edition of the draft that its effect is told of: that of its day, of an earlier version today's."""
    targets = draft.targets()
    return targets.on(draft.valid_from) if draft.origin is None else targets.at(view.as_of, view.zone)


def _note(view: View, file: TargetsFile, targets: Targets, edition: Edition, last: str) -> str:
    language = view.language
    parts = [translate(language, "targets.since", day=edition.valid_from.isoformat())]
    later = [one.valid_from for one in targets.editions if one.valid_from > edition.valid_from]
    parts += [translate(language, "targets.next", day=min(later).isoformat())] if later else []
    if last and last != file.mark:
        parts.append(translate(language, "targets.hand_edited"))
    elif not file.is_own:
        parts.append(translate(language, "targets.shipped"))
    return " · ".join(parts)


def _forms(view: View, file: TargetsFile, targets: Targets, edition: Edition, draft: Draft | None) -> tuple[Form, ...]:
    language, chosen = view.language, chosen_now()
    value = figures_of(edition).get(chosen) if chosen else None
    own = set_form(view, draft, file.mark, chosen, value)
    if draft is None:
        return (own,)
    notes = " ".join(day_notes(view, targets, draft))
    reason = Field(code="reason", name=translate(language, "targets.form.reason"), is_needed=True)
    save = Form(
        action="save",
        key=f"save-{draft.seen[:12]}-{len(draft.changes)}",
        title=translate(language, "targets.form.save_title"),
        submit=translate(language, "targets.form.save"),
        fields=(reason,),
        note=notes,
    )
    discard = Form(
        action="discard",
        key="discard",
        title=translate(language, "targets.form.discard_title"),
        submit=translate(language, "targets.form.discard"),
        fields=(),
        is_quiet=True,
    )
    return (save, own, discard) if draft.origin is None else (save, discard)


def _faulty(view: View, reason: str) -> Register:
    """The file cannot be used: say why, and offer the versions that could."""
    language, can_edit, draft = view.language, not (view.is_preview or is_looking_back(view)), draft_now()
    versions = list_targets_versions(view.store) if view.store else []
    outcome = st.session_state.pop(OUTCOME, None)
    edition = view.targets.at(view.as_of, view.zone)
    known = known_groups(view)
    sheets = [history_sheet(view, versions, "", known, can_edit=can_edit)]
    if draft is not None and draft.origin is not None:
        sheets.insert(0, draft_sheet(view, draft, edition, _after(view, draft), known))
    return Register(
        language=language,
        title=translate(language, "targets.title"),
        note="",
        columns=(),
        entries=(),
        empty=translate(language, "targets.faulty"),
        forms=_forms(view, TargetsFile(text="", mark="", is_own=True), view.targets, edition, draft)
        if can_edit and draft is not None and draft.origin is not None
        else (),
        outcome=outcome or Outcome(text=translate(language, "targets.refused.loader", reason=reason), state="critical"),
        sheets=tuple(sheets),
    )
