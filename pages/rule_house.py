"""What the house gives the rules, below their list: receivers with a test message, bounds of headquarters, mandatory rules."""

from __future__ import annotations

from functools import partial
from typing import Final

import streamlit as st

from access.audit_rows import AuditFilter, AuditRow, list_audit
from access.view import View
from access.worklist import is_looking_back
from alerts.bounds import SetBound, list_bounds
from alerts.lifecycle import Entry
from alerts.receiver_trial import TESTERS, Standing, read_standings
from components.format import full_instant, when
from components.register import Act, Branch, Choice, Field, Form, Register, Sheet, draw_register
from components.register import Entry as Row
from i18n import translate
from pages.figures import figure, metric_name
from pages.one_go import in_one_go
from pages.register_act import is_asked, keep_asked
from pages.rule_house_act import OUTCOME, REGISTER, act, title_of_rule
from pages.rule_receivers import receiver_forms
from pages.rule_sight import my_entries, newest_rule
from pages.wording import names_of
from queries.metrics import GROUPS, METRICS

MOST_HISTORY: Final = 50


def draw_house(view: View) -> None:
    """Draw it for those who look after rules for others: analysts and administrators."""
    if view.store is not None and view.user.role in TESTERS:
        draw_register(read_house(view), key=REGISTER, on_act=partial(keep_asked, REGISTER))


@in_one_go
def hear_house(view: View) -> None:
    """Do what was asked there, before anything of the page is read."""
    if is_asked(REGISTER) and view.store is not None and view.user.role in TESTERS:
        act(view)


def read_house(view: View) -> Register:
    """The receivers with how they fare; below them the bounds, and for an administrator their history and forms."""
    assert view.store is not None
    language, can_act = view.language, not (view.is_preview or is_looking_back(view))
    is_admin = view.user.role == "admin"
    sheets = [_bounds_sheet(view, list_bounds(view.store), can_lift=can_act and is_admin)]
    sheets += [_history_sheet(view)] if is_admin else []
    columns = ("receiver", "channel", "area", "language", "last", "failed")
    return Register(
        language=language,
        title=translate(language, "rules.house.receivers"),
        note=translate(language, "rules.house.receivers_note"),
        columns=tuple(translate(language, f"rules.house.column.{name}") for name in columns),
        entries=tuple(_receiver(view, one, can_act=can_act) for one in read_standings(view.store, view.now)),
        empty=translate(language, "rules.house.no_receivers"),
        forms=(*receiver_forms(view), _bound_form(view), _mandatory_form(view)) if can_act and is_admin else (),
        outcome=st.session_state.pop(OUTCOME, None),
        acts_name=translate(language, "targets.column.acts"),
        sheets=tuple(sheets),
    )


def _receiver(view: View, one: Standing, *, can_act: bool) -> Row:
    language, receiver = view.language, one.receiver
    area = translate(language, "rules.house.all_regions")
    if not receiver.scope.everything:
        seen = [code for code in receiver.scope.regions if view.scope.everything or code in view.scope.regions]
        area = names_of(language, "region", seen, most=4) or "–"
    failed = (
        translate(language, "rules.house.failed", n=one.given_up, waiting=one.waiting) if one.given_up or one.waiting else "–"
    )
    return Row(
        key=receiver.name,
        cells=(
            receiver.name,
            translate(language, f"rules.house.channel.{receiver.channel}"),
            area,
            translate(language, f"rules.house.language.{receiver.language}"),
            when(language, one.sent_at, view.now, view.zone) if one.sent_at else translate(language, "rules.house.never"),
            failed,
        ),
        mark=translate(language, "rules.house.trouble") if one.given_up else "",
        state="critical" if one.given_up else "neutral",
        acts=_receiver_acts(view, receiver.name) if can_act else (),
    )


def _receiver_acts(view: View, name: str) -> tuple[Act, ...]:
    language = view.language
    test = Act(action="test", name=translate(language, "rules.house.act.test"))
    if view.user.role != "admin":
        return (test,)
    change = Act(action="change_receiver", name=translate(language, "targets.act.change"))
    question = translate(language, "rules.house.ask_stop", name=name)
    return test, change, Act(action="stop_receiver", name=translate(language, "rules.house.act.stop"), question=question)


def _bounds_sheet(view: View, bounds: list[SetBound], *, can_lift: bool) -> Sheet:
    language = view.language
    lift = (
        Act(action="lift", name=translate(language, "rules.house.act.lift"), question=translate(language, "rules.house.ask")),
    )
    return Sheet(
        title=translate(language, "rules.house.bounds"),
        note=translate(language, "rules.house.bounds_note"),
        columns=tuple(translate(language, f"rules.house.column.{name}") for name in ("metric", "least", "most", "who", "when")),
        entries=tuple(
            Row(
                key=one.metric,
                cells=(
                    metric_name(language, one.metric),
                    *("–" if value is None else figure(language, one.metric, value) for value in one.bound),
                    one.actor,
                    full_instant(one.at, view.zone)[:16],
                ),
                acts=lift if can_lift else (),
            )
            for one in bounds
        ),
        empty=translate(language, "rules.house.no_bounds"),
        acts_name=translate(language, "targets.column.acts"),
    )


def _history_sheet(view: View) -> Sheet:
    assert view.store is not None
    language = view.language
    wanted = AuditFilter(actions=("bound_changed", "rule_mandatory", "rule_voluntary"))
    return Sheet(
        title=translate(language, "rules.house.history"),
        note="",
        columns=tuple(translate(language, f"rules.house.column.{name}") for name in ("when", "who", "what", "object", "detail")),
        entries=tuple(_history_row(view, row) for row in list_audit(view.store, wanted, limit=MOST_HISTORY)),
        empty=translate(language, "rules.house.no_history"),
    )


def _history_row(view: View, row: AuditRow) -> Row:
    language, detail = view.language, row.detail
    if row.action == "bound_changed":
        about = metric_name(language, row.object_id) if row.object_id in METRICS else row.object_id
        parts = [
            f"{translate(language, f'rules.house.column.{name}')} {_spans(language, row.object_id, detail.get(name))}"
            for name in ("least", "most")
        ]
        text = " · ".join(parts)
    else:
        about, text = title_of_rule(view, row.object_id), str(detail.get("reason", ""))
    return Row(
        key=str(row.seq),
        cells=(full_instant(row.at, view.zone)[:16], row.actor, translate(language, f"audit.action.{row.action}"), about, text),
    )


def _spans(language: str, metric: str, values: object) -> str:
    found = values if isinstance(values, list) else [values]
    return " → ".join(_value(language, metric, one) for one in found)


def _value(language: str, metric: str, value: object) -> str:
    try:
        return figure(language, metric, float(str(value)))
    except (ValueError, KeyError):
        return "–"


def _bound_form(view: View) -> Form:
    language = view.language
    branches = tuple(
        Branch(
            name=translate(language, f"metrics.group.{group}"),
            choices=tuple(Choice(code=metric.name, name=metric_name(language, metric.name)) for metric in metrics),
        )
        for group, metrics in GROUPS.items()
    )
    return Form(
        action="bound",
        key=f"bound-{len(list_bounds(view.store)) if view.store else 0}",
        title=translate(language, "rules.house.form.bound"),
        submit=translate(language, "rules.house.form.set"),
        note=translate(language, "rules.house.form.bound_note"),
        fields=(
            Field(code="metric", name=translate(language, "rules.house.column.metric"), kind="choice", branches=branches),
            Field(
                code="least",
                name=translate(language, "rules.house.form.least"),
                hint=translate(language, "targets.form.value_hint"),
            ),
            Field(code="most", name=translate(language, "rules.house.form.most")),
        ),
    )


def _mandatory_form(view: View) -> Form:
    language = view.language
    entries = [one for one in my_entries(view) if one.status == "live" and not one.is_personal]
    choices = tuple(Choice(code=one.name, name=_marked(view, one)) for one in entries)
    states = tuple(Choice(code=code, name=translate(language, f"rules.house.form.{code}")) for code in ("yes", "no"))
    return Form(
        action="mandatory",
        key=f"mandatory-{sum(one.is_mandatory for one in entries)}",
        title=translate(language, "rules.house.form.mandatory"),
        submit=translate(language, "rules.house.form.set"),
        note=translate(language, "rules.house.form.mandatory_note"),
        fields=(
            Field(code="rule", name=translate(language, "rules.column.rule"), kind="choice", choices=choices),
            Field(code="state", name=translate(language, "rules.house.form.state"), kind="choice", choices=states),
            Field(code="reason", name=translate(language, "targets.form.reason"), is_needed=True),
        ),
    )


def _marked(view: View, entry: Entry) -> str:
    rule = newest_rule(view, entry)
    name = rule.title_in(view.language) if rule else entry.name
    return f"{name} ({translate(view.language, 'rules.mark.mandatory')})" if entry.is_mandatory else name
