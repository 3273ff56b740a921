"""What is done to a rule that is kept: open it in the form, try, publish, roll back, pause, resume, retire."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import streamlit as st

from access.view import View
from access.worklist import is_looking_back
from alerts.backtest import DAYS
from alerts.lifecycle import Author, Entry, find_rule, keep_trial, last_trial, list_versions, publish, restore, set_status
from alerts.order_trial import trial_from_json, trial_to_json
from alerts.report import from_json, to_json
from alerts.rule import Rule, RuleError
from i18n import translate
from pages.order_rule_trial import try_order_rule
from pages.order_rule_values import order_values
from pages.rule_draft import Draft, signature
from pages.rule_form_act import DRAFT, published_text, try_rule
from pages.rule_sight import author_of, can_change
from pages.rule_values import values_of


def act_on_rule(view: View, action: str, entry: Entry, value: str, reason: str) -> str:
    """Do it to the rule; the sentence to say. Raises RuleError, QueryError, PreviewError."""
    store, language, now = view.store, view.language, view.now
    if store is None or is_looking_back(view):
        raise RuleError(translate(language, "alert_page.cannot.past"))
    number = int(value) if value.isdecimal() else entry.newest_version
    if action in ("change", "copy"):
        _open_form(view, entry, number, is_copy=action == "copy")
        return ""
    author = author_of(view)
    if action == "try_version":
        _try_version(view, entry, number, author)
        return translate(language, "rules.did.tried", n=number)
    if action == "publish_version":
        if last_trial(store, entry.name, number) is None and not entry.is_personal:
            _try_version(view, entry, number, author)
        outcome = publish(store, entry.name, number, author, sources=view.sources, reason=reason, now=now)
        return published_text(view, outcome, number)
    if action == "restore":
        return _restore(view, entry, number, author, reason)
    if action in STATUSES:
        set_status(store, entry.name, STATUSES[action], author, reason=reason, now=now)  # type: ignore[arg-type]
        return translate(language, f"rules.did.{action}")
    raise RuleError(translate(language, "alert_page.error.not_understood"))


STATUSES: Final = {"pause": "paused", "resume": "live", "retire": "retired"}


def _try_version(view: View, entry: Entry, number: int, author: Author) -> None:
    assert view.store is not None
    rule = _version(view, entry, number)
    if not can_change(view, entry):
        raise RuleError(f"{entry.name} is for others: an analyst changes it")
    trial = trial_to_json(try_order_rule(view, rule, entry, DAYS[1])) if rule.order else None
    report = to_json(try_rule(view, rule, entry, DAYS[1])) if trial is None else trial
    keep_trial(view.store, entry.name, number, report, author, days=DAYS[1], now=view.now)


def _restore(view: View, entry: Entry, number: int, author: Author, reason: str) -> str:
    """Roll back: a copy of the old version becomes the newest, is tried, and goes live at once where one person may do that."""
    assert view.store is not None
    copy = restore(view.store, entry.name, number, author, sources=view.sources, now=view.now)
    if not entry.is_personal:
        _try_version(view, entry, copy, author)
    outcome = publish(view.store, entry.name, copy, author, sources=view.sources, reason=reason, now=view.now)
    return published_text(view, outcome, copy)


def _version(view: View, entry: Entry, number: int) -> Rule:
    assert view.store is not None
    found = next((version.rule for version in list_versions(view.store, entry.name) if version.number == number), None)
    if found is None:
        raise RuleError(f"{entry.name} has no version {number}")
    return found


def _open_form(view: View, entry: Entry, number: int, *, is_copy: bool) -> None:
    rule = _version(view, entry, number)
    assert view.store is not None
    is_own = can_change(view, entry) and not is_copy
    values = values_of(rule) if rule.order is None else order_values(rule)
    stamp = f"{entry.name} {number} {view.now.timestamp()}"
    draft = Draft(stamp=stamp, values=values, kept=rule, is_personal=view.user.role != "analyst")
    if is_own:
        draft = replace(
            draft, name=entry.name, base=number, entry=find_rule(view.store, entry.name), is_personal=entry.is_personal
        )
        kept = last_trial(view.store, entry.name, number)
        if kept and rule.order is not None:
            draft.order_trials = [(signature(rule), trial_from_json(kept["report"]))]
        elif kept:
            draft.trials = [(signature(rule), from_json(kept["report"]))]
    else:
        draft.values["name"] = ""
        for key in ("title_en", "title_zh"):
            if draft.values.get(key):
                draft.values[key] += translate("en" if key == "title_en" else "zh-CN", "rules.copy_suffix")
    st.session_state[DRAFT] = draft
