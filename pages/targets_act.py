"""What is done on the targets page: changes go into a draft, a draft is saved with a reason, an earlier version comes back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

import streamlit as st

from access.targets_book import TargetsConflict, list_targets_versions, read_targets_text, save_targets
from access.targets_draft import Change, Draft, Figure, TargetsError, may_set
from access.view import View
from i18n import translate
from pages.register_act import Refusals, act_on_register, done
from pages.targets_form import ValueRefused, asked_figure, figure_of, read_value

REGISTER: Final = "targets.register"
DRAFT: Final = "targets.draft"
CHOSEN: Final = "targets.chosen"
OUTCOME: Final = "targets.outcome"
MOST_CHANGES: Final = 200


def act(view: View) -> None:
    """Do what the page asked for; runs before the page does, and leaves what became of it for the page to show."""
    act_on_register(view, REGISTER, OUTCOME, lambda *asked: done(_do(*asked)), REFUSALS)


REFUSALS: Final[Refusals] = {
    TargetsError: lambda error, language: translate(language, "targets.refused.loader", reason=str(error)),
    TargetsConflict: lambda _, language: translate(language, "targets.refused.conflict"),
}


def draft_now() -> Draft | None:
    """What this tab has changed and not saved."""
    found = st.session_state.get(DRAFT)
    return found if isinstance(found, Draft) else None


def chosen_now() -> Figure | None:
    """The figure whose row was chosen to be changed."""
    found = st.session_state.get(CHOSEN)
    return found if isinstance(found, Figure) else None


def _do(view: View, action: str, key: str, values: Mapping[str, Any]) -> str:
    if action == "set":
        return _set(view, key.split("/")[0], values)
    if action == "save":
        return _save(view, str(values.get("reason", "")).strip())
    if action == "discard":
        st.session_state.pop(DRAFT, None)
        return translate(view.language, "targets.did.discarded")
    if action == "restore":
        return _restore(view, key)
    figure = figure_of(key)
    if figure is None or not may_set(view.user, view.scope, figure):
        raise ValueRefused(translate(view.language, "targets.refused.others"))
    if action == "change":
        st.session_state[CHOSEN] = figure
    elif action == "remove":
        _keep(view, figure, None, seen="", day=None)
    elif action == "drop" and (draft := draft_now()) is not None:
        rest = draft.without(figure)
        st.session_state[DRAFT] = rest if rest.changes else None
    return ""


def _set(view: View, seen: str, values: Mapping[str, Any]) -> str:
    figure = asked_figure(view, values)
    value = read_value(view.language, figure, str(values.get("value", "")))
    try:
        day = date.fromisoformat(str(values.get("valid_from", "")))
    except ValueError:
        raise ValueRefused(translate(view.language, "targets.refused.day", text=str(values.get("valid_from"))[:20])) from None
    _keep(view, figure, value, seen=seen, day=day)
    st.session_state.pop(CHOSEN, None)
    return ""


def _keep(view: View, figure: Figure, value: float | str | None, *, seen: str, day: date | None) -> None:
    """Put a change into the draft, which begins with the file as it was on the screen."""
    draft = draft_now()
    if draft is None or draft.origin is not None:
        found = read_targets_text(view.reading.settings)
        if seen and found.mark != seen:
            raise TargetsConflict
        draft = Draft(seen=found.mark, text=found.text, valid_from=view.now.astimezone(view.zone).date())
    draft = draft.with_change(Change(figure=figure, value=value))
    draft = draft if day is None else draft.from_day(day)
    draft.targets()
    if len(draft.changes) <= MOST_CHANGES:
        st.session_state[DRAFT] = draft


def _save(view: View, reason: str) -> str:
    draft, store = draft_now(), view.store
    if draft is None or store is None:
        raise ValueRefused(translate(view.language, "targets.refused.no_draft"))
    if not reason:
        raise ValueRefused(translate(view.language, "targets.refused.why"))
    if draft.origin is not None and not view.scope.everything:
        raise ValueRefused(translate(view.language, "targets.refused.others"))
    if any(not may_set(view.user, view.scope, change.figure) for change in draft.changes):
        raise ValueRefused(translate(view.language, "targets.refused.others"))
    settings = view.reading.settings
    try:
        number = save_targets(store, settings, draft.written(), view.by(), seen=draft.seen, reason=reason, origin=draft.origin)
    except TargetsConflict:
        st.session_state.pop(DRAFT, None)
        if draft.origin is None:
            _begin_anew(view, draft)
        raise
    st.session_state.pop(DRAFT, None)
    if draft.origin is None and draft.valid_from > view.as_of.astimezone(view.zone).date():
        return translate(view.language, "targets.did.saved_later", n=number, day=draft.valid_from.isoformat())
    return translate(view.language, "targets.did.saved", n=number)


def _begin_anew(view: View, draft: Draft) -> None:
    """The same changes on the file as it is now, where they can be made in it: to be looked at again before saving."""
    found = read_targets_text(view.reading.settings)
    st.session_state[DRAFT] = Draft(seen=found.mark, text=found.text, valid_from=draft.valid_from, changes=draft.changes)


def _restore(view: View, key: str) -> str:
    """An earlier version as the draft: its effect is seen before it is saved."""
    if view.store is None or not view.scope.everything or not key.isdecimal():
        raise ValueRefused(translate(view.language, "targets.refused.others"))
    version = next((one for one in list_targets_versions(view.store) if one.number == int(key)), None)
    if version is None or version.targets is None:
        raise ValueRefused(translate(view.language, "targets.refused.no_version", n=key))
    seen = read_targets_text(view.reading.settings).mark
    today = view.now.astimezone(view.zone).date()
    st.session_state[DRAFT] = Draft(seen=seen, text=version.text, valid_from=today, origin=version.number)
    return ""
