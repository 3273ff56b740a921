"""Between the rules in the browser and the book: drafts, trials, publishing, and what came of it, in a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import streamlit as st

from access.user import PreviewError
from access.view import View
from access.worklist import is_looking_back
from alerts.backtest import DAYS, Report, backtest, from_json, to_json
from alerts.desk import Reader
from alerts.lifecycle import (
    Author,
    Entry,
    find_rule,
    keep_trial,
    last_trial,
    list_rules,
    list_versions,
    publish,
    restore,
    save_draft,
    set_status,
)
from alerts.lint import is_for
from alerts.rule import Rule, RuleError
from components.worklist import Said
from i18n import translate
from pages.alert_rows import reader_of
from pages.rule_draft import Draft, asker, begin, new_name, propose, rule_of, signature, trial_of
from pages.rule_refusal import explain
from pages.rule_values import Values, values_of
from queries.query import QueryError

ASKED: Final = "rules.asked"
DRAFT: Final = "rules.draft"
TOLD: Final = "rules.told"
TOLD_FOR: Final = timedelta(seconds=30)
LONGEST: Final = 2_000
MOST_VALUES: Final = 2_000
SHAPING: Final = ("c0.metric", "c0.compare", "c0.period_before.by")
"""When one of these changes, limits of before mean something else: new ones are proposed."""


def keep_act(component: str) -> None:
    """Keep what the component's trigger `act` carries for the run that follows."""
    asked = (st.session_state.get(component) or {}).get("act")
    if isinstance(asked, Mapping):
        texts = {name: str(asked.get(name) or "")[:LONGEST] for name in ("action", "key", "value", "reason")}
        values = asked.get("values")
        plain = (
            {str(k)[:200]: str(v)[:LONGEST] for k, v in list(values.items())[:MOST_VALUES]} if isinstance(values, Mapping) else {}
        )
        st.session_state[ASKED] = texts | {"values": plain}


def hear(view: View) -> Said | None:
    """Do what was asked in this run; the sentence to say, which stays for a while."""
    asked = st.session_state.pop(ASKED, None)
    if asked is not None:
        number = st.session_state.get(f"{TOLD}.number", 0) + 1
        st.session_state[f"{TOLD}.number"] = number
        said = act(view, asked, number)
        st.session_state[TOLD] = (said, view.now)
        return said
    told = st.session_state.get(TOLD)
    return told[0] if told and told[0] and view.now - told[1] < TOLD_FOR else None


def act(view: View, asked: Mapping[str, Any], number: int) -> Said | None:
    """One act; what became of it, None where the page itself shows it."""
    try:
        text = _do(view, asked)
    except (RuleError, QueryError) as error:
        return Said(text=explain(error, view.language), is_refusal=True, number=number)
    except PreviewError:
        return Said(text=translate(view.language, "alert_page.cannot.preview"), is_refusal=True, number=number)
    return Said(text=text, number=number) if text else None


def author_of(view: View) -> Author:
    """The user as who acts on rules. Raises PreviewError."""
    return Author(name=view.user.name, role=view.user.role, scope=view.scope, actor=view.by().audited)


def my_entries(view: View) -> list[Entry]:
    """Every rule there is for this user: shared ones that touch their regions, and their own."""
    if view.store is None:
        return []
    reader = reader_of(view)
    return [entry for entry in list_rules(view.store) if _is_mine(view, entry, reader)]


def _is_mine(view: View, entry: Entry, reader: Reader) -> bool:
    if entry.is_personal:
        return entry.owner == reader.name
    if not reader.scope.everything and not entry.scope.everything and not set(entry.scope.regions) & set(reader.scope.regions):
        return False
    newest = newest_rule(view, entry)
    return newest is None or is_for(newest, reader.scope, entry.scope)


def newest_rule(view: View, entry: Entry) -> Rule | None:
    """The rule's live version, else its newest; None where it no longer parses."""
    assert view.store is not None
    wanted = entry.live_version or entry.newest_version
    return next((version.rule for version in list_versions(view.store, entry.name) if version.number == wanted), None)


def _mine(view: View, name: str) -> Entry:
    found = next((entry for entry in my_entries(view) if entry.name == name), None)
    if found is None:
        raise RuleError(f"there is no rule {name!r}")
    return found


def can_change(view: View, entry: Entry) -> bool:
    """Whether the user may change this rule: their own, or as an analyst one inside their regions."""
    if entry.is_personal:
        return entry.owner == view.user.name
    inside = view.scope.everything or (not entry.scope.everything and set(entry.scope.regions) <= set(view.scope.regions))
    return view.user.role == "analyst" and inside


def draft_now() -> Draft | None:
    """What is in the form of this tab."""
    found = st.session_state.get(DRAFT)
    return found if isinstance(found, Draft) else None


def _do(view: View, asked: Mapping[str, Any]) -> str:
    action, name, value, reason = (str(asked.get(key) or "") for key in ("action", "key", "value", "reason"))
    if action == "close":
        _close()
        return ""
    if action == "new":
        st.session_state[DRAFT] = begin(view, {}, stamp=f"new {view.now.timestamp()}")
        return ""
    if action in FORM:
        draft = draft_now()
        if draft is None:
            raise RuleError(translate(view.language, "rules.error.no_draft"))
        take_values(view, draft, dict(asked.get("values") or {}))
        return FORM[action](view, draft, value, reason)
    return _on_rule(view, action, _mine(view, name), value, reason)


def _close() -> None:
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
    draft.values |= {
        f"c{count}.metric": draft.values.get("c0.metric", "late_rate"),
        f"c{count}.op": ">",
        f"c{count}.compare": "constant",
        "conditions": str(count + 1),
    }
    return ""


def _remove(view: View, draft: Draft, value: str, reason: str) -> str:
    place, count = int(value or 0), int(draft.values.get("conditions") or 1)
    for later in range(place, count):
        moved = {
            name.replace(f"c{later + 1}.", f"c{later}.", 1): text
            for name, text in draft.values.items()
            if name.startswith(f"c{later + 1}.")
        }
        for name in [name for name in draft.values if name.startswith(f"c{later}.")]:
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
    report = try_rule(view, rule, draft.entry, days)
    draft.trials = [*draft.trials[-4:], (signature(rule), report)]
    return ""


def try_rule(view: View, rule: Rule, entry: Entry | None, days: int) -> Report:
    """A backtest up to this view's instant. Raises RuleError, QueryError."""
    return backtest(rule, asker(view, entry), days=days, until=view.as_of, zone=view.zone)


def _save(view: View, draft: Draft, value: str, reason: str) -> str:
    name, number = _kept(view, draft, reason)
    _close()
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
        number = save_draft(store, rule, author, now=view.now, reason=reason, is_personal=draft.is_personal)
    report = trial_of(draft, rule)
    if report is not None:
        days = round((report.until - report.since) / timedelta(days=1))
        keep_trial(store, rule.name, number, to_json(report), author, days=days, now=view.now)
    draft.name = rule.name
    draft.values["name"] = rule.name
    return rule.name, number


def _publish(view: View, draft: Draft, value: str, reason: str) -> str:
    store = view.store
    if store is None:
        raise RuleError(translate(view.language, "rules.error.no_draft"))
    rule = rule_of(draft, view.language)
    if not draft.is_personal and trial_of(draft, rule) is None:
        raise RuleError("this version was never tried on history")
    name, number = _kept(view, draft, reason)
    outcome = publish(store, name, number, author_of(view), reason=reason, now=view.now)
    _close()
    st.query_params["rule"] = name
    return _published(view, outcome, number)


def _published(view: View, outcome: str, number: int) -> str:
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


def _on_rule(view: View, action: str, entry: Entry, value: str, reason: str) -> str:
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
        return _published(view, publish(store, entry.name, number, author, reason=reason, now=now), number)
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
    report = try_rule(view, rule, entry, DAYS[1])
    keep_trial(view.store, entry.name, number, to_json(report), author, days=DAYS[1], now=view.now)


def _restore(view: View, entry: Entry, number: int, author: Author, reason: str) -> str:
    """Roll back: a copy of the old version becomes the newest, is tried, and goes live at once where one person may do that."""
    assert view.store is not None
    copy = restore(view.store, entry.name, number, author, now=view.now)
    if not entry.is_personal:
        _try_version(view, entry, copy, author)
    return _published(view, publish(view.store, entry.name, copy, author, reason=reason, now=view.now), copy)


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
    values = values_of(rule)
    stamp = f"{entry.name} {number} {view.now.timestamp()}"
    draft = Draft(stamp=stamp, values=values, kept=rule, is_personal=view.user.role != "analyst")
    if is_own:
        draft = replace(
            draft, name=entry.name, base=number, entry=find_rule(view.store, entry.name), is_personal=entry.is_personal
        )
        kept = last_trial(view.store, entry.name, number)
        if kept:
            draft.trials = [(signature(rule), from_json(kept["report"]))]
    else:
        draft.values["name"] = ""
        for key in ("title_en", "title_zh"):
            if draft.values.get(key):
                draft.values[key] += translate("en" if key == "title_en" else "zh-CN", "rules.copy_suffix")
    st.session_state[DRAFT] = draft
