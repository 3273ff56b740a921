"""What the form's buttons do with the draft: its values, trials, keeping it as a version, publishing it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import streamlit as st

from access.view import View
from alerts.backtest import DAYS, backtest
from alerts.book import frozen_instants
from alerts.lifecycle import Entry, keep_trial, list_rules, list_versions, publish, save_draft
from alerts.order_trial import ORDER_DAYS, trial_to_json
from alerts.report import Report, to_json
from alerts.rule import Rule, RuleError
from i18n import translate
from pages.order_rule_trial import try_order_rule
from pages.order_rule_values import is_order
from pages.rule_draft import Draft, asker, new_name, order_trial_of, propose, rule_of, signature, trial_of
from pages.rule_sight import author_of
from pages.rule_values import Values
from queries.order_fields import MOST_TESTS

DRAFT: Final = "rules.draft"
SHAPING: Final = ("c0.metric", "c0.compare", "c0.period_before.by")
"""When one of these changes, limits of before mean something else: new ones are proposed."""


def draft_now() -> Draft | None:
    """What is in the form of this tab."""
    found = st.session_state.get(DRAFT)
    return found if isinstance(found, Draft) else None


def close_form() -> None:
    """Leave the form: the draft of this tab is gone."""
    st.session_state.pop(DRAFT, None)
    for name in ("draft", "metric"):
        if name in st.query_params:
            del st.query_params[name]


def take_values(view: View, draft: Draft, values: Values) -> None:
    """Keep what was typed; a changed metric or comparison gets new limits proposed."""
    if not values:
        return
    before = {name: draft.values.get(name, "") for name in SHAPING}
    kept = {name: text for name, text in draft.values.items() if name not in values and not name.startswith(("limit.", "filter"))}
    draft.values = kept | {name: text for name, text in values.items() if not name.startswith("limit.") or text.strip()}
    if draft.name:
        draft.values["name"] = draft.name
    known = {place: draft.values.get(f"filter.{place}", "") for place in range(4)}
    for place, dimension in known.items():
        if not dimension:
            draft.values.pop(f"filter_values.{place}", None)
    if any(draft.values.get(name, "") != text for name, text in before.items()):
        propose(view, draft)


def _edit(view: View, draft: Draft, value: str, reason: str) -> str:
    return ""


def _add(view: View, draft: Draft, value: str, reason: str) -> str:
    count = int(draft.values.get("conditions") or 1)
    if is_order(draft.values):
        draft.values |= {f"o{count}.field": "amount", f"o{count}.op": ">", "conditions": str(min(MOST_TESTS, count + 1))}
        return ""
    draft.values |= {
        f"c{count}.metric": draft.values.get("c0.metric", "late_rate"),
        f"c{count}.op": ">",
        f"c{count}.compare": "constant",
        "conditions": str(count + 1),
    }
    return ""


def _remove(view: View, draft: Draft, value: str, reason: str) -> str:
    place, count = int(value or 0), int(draft.values.get("conditions") or 1)
    own = "o" if is_order(draft.values) else "c"
    for later in range(place, count):
        moved = {
            name.replace(f"{own}{later + 1}.", f"{own}{later}.", 1): text
            for name, text in draft.values.items()
            if name.startswith(f"{own}{later + 1}.")
        }
        for name in [name for name in draft.values if name.startswith(f"{own}{later}.")]:
            del draft.values[name]
        draft.values |= moved
    draft.values["conditions"] = str(max(1, count - 1))
    return ""


def _pick(view: View, draft: Draft, value: str, reason: str) -> str:
    """Take a threshold from the frontier, the other level keeping its distance, and try it at once."""
    level, _, text = value.partition("/")
    if level not in ("warning", "critical") or not text:
        return ""
    try:
        shift = float(text) - float(draft.values.get(f"c0.{level}") or text)
    except ValueError:
        return ""
    for key in ("warning", "critical", "warning_recover", "critical_recover"):
        old = draft.values.get(f"c0.{key}", "").strip()
        if old:
            draft.values[f"c0.{key}"] = f"{float(old) + shift:.6g}"
    days = round((draft.trials[-1][1].until - draft.trials[-1][1].since) / timedelta(days=1)) if draft.trials else DAYS[1]
    return _try(view, draft, str(days), "")


def _try(view: View, draft: Draft, value: str, reason: str) -> str:
    days = int(value) if value.isdecimal() and int(value) in DAYS else DAYS[1]
    rule = rule_of(draft, view.language)
    if rule.order is not None:
        trial = try_order_rule(view, rule, draft.entry, days if days in ORDER_DAYS else max(ORDER_DAYS))
        draft.order_trials = [*draft.order_trials[-4:], (signature(rule), trial)]
        return ""
    report = try_rule(view, rule, draft.entry, days)
    draft.trials = [*draft.trials[-4:], (signature(rule), report)]
    return ""


def try_rule(view: View, rule: Rule, entry: Entry | None, days: int) -> Report:
    """A backtest up to this view's instant. Raises RuleError, QueryError."""
    since = view.as_of - timedelta(days=days)
    still = frozen_instants(view.store, entry.name, since) if entry and view.store else frozenset()
    return backtest(rule, asker(view, entry), days=days, until=view.as_of, zone=view.zone, still=still)


def _save(view: View, draft: Draft, value: str, reason: str) -> str:
    name, number = _kept(view, draft, reason)
    close_form()
    st.query_params["rule"] = name
    return translate(view.language, "rules.did.saved", n=number)


def _kept(view: View, draft: Draft, reason: str) -> tuple[str, int]:
    """Keep the draft as a version, unless the newest says the same already, with its trial; its name and number."""
    store = view.store
    if store is None:
        raise RuleError(translate(view.language, "rules.error.no_draft"))
    author = author_of(view)
    rule = rule_of(draft, view.language)
    if not draft.name:
        # Names outside the user's sight are taken too: they are counted, never told.
        rule = replace(rule, name=new_name(draft, [entry.name for entry in list_rules(store)], view.now))
    versions = list_versions(store, rule.name) if draft.name else []
    if versions and versions[0].rule == rule:
        number = versions[0].number
    else:
        number = save_draft(store, rule, author, sources=view.sources, now=view.now, reason=reason, is_personal=draft.is_personal)
    if (tried := _report_of(draft, rule)) is not None:
        keep_trial(store, rule.name, number, tried[0], author, days=tried[1], now=view.now)
    draft.name = rule.name
    draft.values["name"] = rule.name
    return rule.name, number


def _report_of(draft: Draft, rule: Rule) -> tuple[Mapping[str, Any], int] | None:
    """The trial of this very rule as it is kept, and of how many days it is."""
    if rule.order is not None:
        trial = order_trial_of(draft, rule)
        return None if trial is None else (trial_to_json(trial), len(trial.days))
    report = trial_of(draft, rule)
    return None if report is None else (to_json(report), round((report.until - report.since) / timedelta(days=1)))


def _publish(view: View, draft: Draft, value: str, reason: str) -> str:
    store = view.store
    if store is None:
        raise RuleError(translate(view.language, "rules.error.no_draft"))
    rule = rule_of(draft, view.language)
    if not draft.is_personal and _report_of(draft, rule) is None:
        raise RuleError("this version was never tried on history")
    name, number = _kept(view, draft, reason)
    outcome = publish(store, name, number, author_of(view), sources=view.sources, reason=reason, now=view.now)
    close_form()
    st.query_params["rule"] = name
    return published_text(view, outcome, number)


def published_text(view: View, outcome: str, number: int) -> str:
    """What came of publishing a version."""
    return translate(view.language, f"rules.did.{'waiting' if outcome == 'waiting' else 'published'}", n=number)


FORM: Final = {
    "edit": _edit,
    "add": _add,
    "remove": _remove,
    "pick": _pick,
    "try": _try,
    "save": _save,
    "publish": _publish,
}
