"""Which limits are watched, how good are they, and what would another one do? The rules (告警规则)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Final

import streamlit as st

from access.view import View
from access.worklist import is_looking_back
from alerts.backtest import DAYS
from alerts.desk import read_alerts
from alerts.health_of import Health, read_health
from alerts.lifecycle import Entry
from alerts.lint import lint, today_in
from alerts.pasts import Usefulness, read_usefulness
from alerts.proposals import open_proposals
from alerts.rule import Rule, RuleError
from components.format import count
from components.rules import Button, Editor, RulesBoard, draw_rules
from components.worklist import Said, Tab
from i18n import translate
from pages.address import take_choice
from pages.alert_rows import reader_of
from pages.frame import draw_frame, watch
from pages.one_go import in_one_go
from pages.order_rule_editor import read_order_editor
from pages.order_rule_values import is_order
from pages.rule_act import hear, keep_act
from pages.rule_change import read_changes
from pages.rule_draft import Draft, begin, lately, propose, rule_of, trial_of, unlimited
from pages.rule_form import read_sections
from pages.rule_form_act import DRAFT, draft_now
from pages.rule_house import draw_house, hear_house
from pages.rule_refusal import explain, in_units
from pages.rule_rows import read_detail, read_notes, read_rule_row, read_sentences
from pages.rule_sight import my_entries, newest_rule
from pages.rule_trial import read_limits, read_plot, read_trial
from pages.worklist_job import Names

BOARD: Final = "rules.board"
TABS: Final = ("live", "draft", "paused", "retired")
USELESS: Final = "useless"
"""The tab of what is live and hardly ever useful; there only while something is in it."""
COLUMNS: Final = ("rule", "status", "health", "useful", "owner")
WORDS: Final = ("tabs", "choose", "go", "close", "busy", "part", "before", "after", "no_changes")
SINCE: Final = timedelta(days=30)


def render(view: View) -> None:
    """Do what was asked on this page, then draw the rules or the form, and watch for the next snapshot."""
    with st.container(key="rules", gap=None):
        said = hear(view)
        hear_house(view)
        parameters = {name: st.query_params.get_all(name) for name in st.query_params}
        _open_asked(view, parameters)
        board = read_board(view, parameters, draft_now(), said)
        draw_frame(view, "pages.rules", country=None, states=())
        draw_rules(board, key=BOARD, on_choice=partial(_take, BOARD))
        if board.editor is None:
            draw_house(view)
            watch(view)


def prepare(view: View, parameters: Mapping[str, Sequence[str]]) -> None:
    """Ask everything that `render` will ask for this view: the list asks the lake nothing."""


def _take(component: str) -> None:
    take_choice(component)
    keep_act(component)


@in_one_go
def _open_asked(view: View, parameters: Mapping[str, Sequence[str]]) -> None:
    """Open the form that a link asks for, once: what was typed since stays."""
    if not parameters.get("draft") or view.is_preview or is_looking_back(view):
        return
    stamp = " ".join(f"{name}={','.join(values)}" for name, values in sorted(parameters.items()) if name not in ("lang", "theme"))
    draft = draft_now()
    if draft is None or not draft.stamp.startswith("new ") or draft.stamp != f"new {stamp}":
        st.session_state[DRAFT] = begin(view, {name: tuple(values) for name, values in parameters.items()}, f"new {stamp}")


def read_board(view: View, parameters: Mapping[str, Sequence[str]], draft: Draft | None, said: Said | None) -> RulesBoard:
    """Everything the page shows: the list with the rule asked for, or the form with what its values mean."""
    language = view.language
    entries = my_entries(view)
    rules = {entry.name: newest_rule(view, entry) for entry in entries}
    plain = RulesBoard(
        language=language,
        title=translate(language, "rules.list"),
        scope=translate(language, "rules.sorted"),
        tabs=(),
        columns=tuple(translate(language, f"rules.column.{name}") for name in COLUMNS),
        rows=(),
        words={name: translate(language, f"rules.word.{name}") for name in WORDS},
        new=_new(view),
        said=said,
        cannot=_why_not(view),
    )
    if draft is not None:
        return _with(plain, editor=read_editor(view, draft, _live(entries, rules)))
    health, useful, names = _read_health(view), _read_useful(view), Names(view)
    tab = _tab_of(parameters, entries)
    standing = {entry.name: {entry.status, *_waiting(entry), *_useless(entry, useful)} for entry in entries}
    shown = [entry for entry in entries if tab in standing[entry.name]]
    asked = next(iter(parameters.get("rule", ())), "")
    chosen = next((entry for entry in entries if entry.name == asked), shown[0] if shown and not asked else None)
    mine = read_alerts(view.store, reader_of(view), view.now) if view.store is not None else []
    proposals = open_proposals(view.store) if view.store is not None else {}
    firing = {entry.name: [alert for alert in mine if alert.rule.name == entry.name] for entry in shown}
    rows = [
        read_rule_row(
            view,
            entry,
            rules[entry.name],
            health.get(entry.name, Health()),
            useful.get(entry.name, Usefulness()),
            firing[entry.name],
            names,
            proposed=proposals.get(entry.name, {}),
        )
        for entry in sorted(shown, key=lambda entry: _title(rules[entry.name], entry, language))
    ]
    detail = (
        read_detail(
            view, chosen, _live(entries, rules), health.get(chosen.name, Health()), useful.get(chosen.name, Usefulness()), names
        )
        if chosen
        else None
    )
    return _with(
        plain,
        tabs=tuple(
            Tab(
                code=code,
                name=translate(language, f"rules.status.{code}"),
                count=count(language, sum(code in found for found in standing.values())),
                is_on=code == tab,
            )
            for code in (*TABS, USELESS)
            if code in TABS or code == tab or any(code in found for found in standing.values())
        ),
        rows=tuple(rows),
        chosen=detail,
        empty=translate(language, f"rules.empty.{tab}"),
        said=said or _lost(view, asked, chosen),
    )


def _with(board: RulesBoard, **changes: object) -> RulesBoard:
    return replace(board, **changes)  # type: ignore[arg-type]


def _title(rule: Rule | None, entry: Entry, language: str) -> str:
    return rule.title_in(language) if rule else entry.name


def _live(entries: Sequence[Entry], rules: Mapping[str, Rule | None]) -> list[Rule]:
    return [rule for entry in entries if entry.status == "live" and (rule := rules[entry.name]) is not None]


def _read_health(view: View) -> dict[str, Health]:
    return read_health(view.store) if view.store is not None else {}


def _read_useful(view: View) -> dict[str, Usefulness]:
    return read_usefulness(view.store, view.now - SINCE, reader_of(view), before=SINCE) if view.store is not None else {}


def _waiting(entry: Entry) -> tuple[str, ...]:
    """The tab of drafts too, where a version newer than the live one waits to be published."""
    return ("draft",) if entry.live_version is not None and entry.newest_version > entry.live_version else ()


def _useless(entry: Entry, useful: Mapping[str, Usefulness]) -> tuple[str, ...]:
    """The tab of rules to retire, where this is one that may be."""
    is_one = entry.status == "live" and not entry.is_mandatory and useful.get(entry.name, Usefulness()).is_useless
    return (USELESS,) if is_one else ()


def _tab_of(parameters: Mapping[str, Sequence[str]], entries: Sequence[Entry]) -> str:
    asked = next(iter(parameters.get("tab", ())), "")
    if asked in (*TABS, USELESS):
        return asked
    rule = next(iter(parameters.get("rule", ())), "")
    return next((entry.status for entry in entries if entry.name == rule), TABS[0])


def _new(view: View) -> tuple[Button, ...]:
    if view.is_preview or is_looking_back(view):
        return ()
    key = "new" if view.user.role == "analyst" else "new_personal"
    return (
        Button(action="new", name=translate(view.language, f"rules.button.{key}"), is_main=True),
        Button(action="new_order", name=translate(view.language, "order_rule.button.new")),
    )


def _why_not(view: View) -> str:
    reason = "preview" if view.is_preview else "past" if is_looking_back(view) else ""
    return translate(view.language, f"alert_page.cannot.{reason}") if reason else ""


def _lost(view: View, asked: str, chosen: Entry | None) -> Said | None:
    if not asked or chosen is not None:
        return None
    return Said(text=translate(view.language, "rules.refused.no_rule"), is_refusal=True)


def read_editor(view: View, draft: Draft, others: Sequence[Rule]) -> Editor:
    """The form and, beside it, what its values mean: sentence, oddities, where figures lie, what it would have done."""
    if is_order(draft.values):
        return read_order_editor(view, draft, others)
    language = view.language
    if draft.is_unproposed:
        propose(view, draft)
    try:
        rule, error = rule_of(draft, language), ""
    except RuleError as refusal:
        rule, error = None, explain(in_units(refusal, draft.values, language), language)
    series = lately(view, draft)
    report = trial_of(draft, rule) if rule else None
    scope = draft.entry.scope if draft.entry else view.scope
    titles = {other.name: other.title_in(language) for other in others}
    notes = (
        read_notes(
            view,
            lint(
                rule,
                [other for other in others if other.name != draft.name],
                scope=scope,
                today=today_in(view.zone, view.now),
                trial=report,
                is_personal=draft.is_personal,
            ),
            titles,
        )
        if rule
        else ()
    )
    changes = read_changes(view, draft.kept, rule) if rule and draft.kept and draft.name else ()
    return Editor(
        stamp=draft.stamp,
        title=_form_title(view, draft),
        sections=read_sections(view, draft.values, is_personal=draft.is_personal),
        sentences=read_sentences(view, rule) if rule else (),
        sentence_title=translate(language, "rules.sentence_title"),
        notes=notes,
        notes_title=translate(language, "rules.notes_title"),
        buttons=tuple(_form_buttons(view, draft, rule, is_tried=report is not None)),
        tries=tuple(
            Button(action="try", name=translate(language, "rules.button.try", days=days), value=str(days)) for days in DAYS
        )
        if rule
        else (),
        try_title=translate(language, "rules.try_title"),
        limits=read_limits(view, draft, rule, series),
        error=error,
        plot=read_plot(view, rule or unlimited(draft), series),
        trial=read_trial(view, rule, report, can_pick=True) if rule and report else None,
        changes=changes,
        changes_title=translate(language, "rules.changes_title", n=draft.base),
    )


def _form_title(view: View, draft: Draft) -> str:
    if draft.name:
        return translate(view.language, "rules.form.change", n=draft.base)
    return translate(view.language, "rules.form.new_personal" if draft.is_personal else "rules.form.new")


def _form_buttons(view: View, draft: Draft, rule: Rule | None, *, is_tried: bool) -> list[Button]:
    language = view.language
    if rule is None:
        return []
    why = translate(language, "rules.why")
    found = []
    if is_tried or draft.is_personal:
        needs_second = not draft.is_personal and "critical" in rule.levels
        name = translate(language, f"rules.button.{'propose' if needs_second else 'publish'}")
        reason = "" if draft.is_personal else why
        found.append(Button(action="publish", name=name, reason=reason, is_main=True))
    found.append(Button(action="save", name=translate(language, "rules.button.save")))
    return found
