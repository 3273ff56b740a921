"""Why one alert fires: its figure over time against its limits, the orders behind it, what contributed, what was before, what was done."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from access.moment import view_at
from access.view import View
from alerts.deeds import VERDICTS, Record
from alerts.desk import Alert
from alerts.history import read_history
from alerts.pasts import read_past, read_spans
from alerts.rule import label_of
from alerts.sentence import sentence
from components.alerts import Band, Deed, Fact, Stretch, Why
from components.format import count, duration, full_instant, when
from components.panel import Action, OrderRows, Part, Parts
from components.topbar import Option
from i18n import translate
from pages.alert_act import LENGTHS, may_silence, people_for, reaches_of
from pages.alert_rows import place_name, read_row, state_text, stretches_of
from pages.figures import figure
from pages.links import filter_changes, instant_text, link, outside_link
from pages.panel import Subject, orders_link, read_first_orders, read_parts
from pages.problems import problem_of
from pages.telling import Telling
from pages.worklist_job import Names
from queries.metrics import METRICS
from queries.query import RESOLUTION, Filter, QueryError

PAST: Final = timedelta(days=3)
MOST_DEEDS: Final = 20


def read_why(view: View, alert: Alert, names: Names) -> Why:
    """The alert, opened."""
    language, end = view.language, alert.ended_at or view.now
    spans = read_spans(view.store, [(alert.rule.name, alert.group_key)], view.now - PAST) if view.store is not None else {}
    own = spans.get((alert.rule.name, alert.group_key), [])
    row = read_row(view, alert, names, spans=own)
    then = _then(view, alert)
    subject = _subject(alert)
    words = Telling(zone=view.zone)
    given = alert.last("assign")
    return Why(
        row=row,
        headline=_headline(view, alert, row.lasted, end),
        facts=tuple(_facts(view, alert, names)),
        sentence_title=translate(language, "alert_page.rule_title"),
        sentence=sentence(alert.rule, language, words)
        if alert.rule.conditions
        else translate(language, f"alert_page.{_own(alert)}"),
        rule_href=link(view, "/rules", rule=alert.rule.name) if alert.rule.conditions else "",
        rule_link=translate(language, "alert_page.rule_link", n=alert.version),
        people=_people(view, alert),
        assignee=given.value if given else "",
        is_acknowledged=alert.last("acknowledge") is not None,
        verdicts=_verdicts(view, alert),
        silences=_lengths(view) if may_silence(view) and alert.ended_at is None else (),
        reaches=tuple(
            Option(code=code, name=translate(language, f"alert_page.reach.{code}")) for code in reaches_of(view, alert)
        ),
        silence=_silence_text(view, alert, names),
        silence_id=str(alert.silence.id) if alert.silence and may_silence(view) else "",
        band=_band(view, alert, stretches_of(view, own, view.now, PAST)),
        actions=_actions(view, then, subject),
        parts=_safely_parts(then, subject),
        orders=_safely_orders(then, subject),
        past=_past(view, alert),
        deeds=tuple(_deed(view, record, names) for record in reversed(alert.deeds[-MOST_DEEDS:])),
    )


def _own(alert: Alert) -> str:
    return "own_source" if "source" in alert.labels else "own_rule"


def _headline(view: View, alert: Alert, lasted: str, end: datetime) -> str:
    language = view.language
    key = "over" if alert.ended_at else "open"
    return translate(
        language,
        f"alert_page.headline_{key}",
        place=place_name(view, alert) or translate(language, "alerts.everywhere"),
        state=state_text(view, alert),
        since=when(language, alert.episode_at, view.now, view.zone),
        until=when(language, end, view.now, view.zone),
        lasted=lasted,
    )


def _facts(view: View, alert: Alert, names: Names) -> Iterable[Fact]:
    language = view.language

    def fact(name: str, text: str, href: str = "") -> Fact:
        return Fact(name=translate(language, f"alert_page.fact.{name}"), text=text, href=href)

    yield fact("since", full_instant(alert.episode_at, view.zone))
    if alert.ended_at:
        yield fact("ended", f"{full_instant(alert.ended_at, view.zone)} · {state_text(view, alert)}")
    elif alert.evaluated_at:
        yield fact("evaluated", full_instant(alert.evaluated_at, view.zone))
    if alert.n is not None:
        yield fact("orders", f"n = {count(language, alert.n)}")
    if alert.frozen_by:
        yield fact("frozen", translate(language, "alert_page.frozen_by", source=alert.frozen_by))
    taken = alert.last("acknowledge")
    if taken:
        yield fact("acknowledged", f"{names.of(taken.actor)} · {when(language, taken.at, view.now, view.zone)}")
    if alert.rule.runbook:
        yield fact("runbook", alert.rule.runbook, outside_link(alert.rule.runbook))
    if alert.rule.owner:
        yield fact("owner", alert.rule.owner)


def _verdicts(view: View, alert: Alert) -> tuple[Option, ...]:
    given = alert.last("verdict")
    return tuple(
        Option(code=code, name=translate(view.language, f"alert_page.verdict.{code}"), is_on=bool(given and given.value == code))
        for code in VERDICTS
    )


def _lengths(view: View) -> tuple[Option, ...]:
    return tuple(Option(code=code, name=translate(view.language, f"alert_page.length.{code}")) for code in LENGTHS)


def _silence_text(view: View, alert: Alert, names: Names) -> str:
    if alert.silence is None:
        return ""
    until = when(view.language, alert.silence.ends_at, view.now, view.zone)
    who = names.of(alert.silence.actor)
    note = f" · {alert.silence.note}" if alert.silence.note else ""
    return translate(view.language, "alert_page.silenced_until", until=until, who=who) + note


def _people(view: View, alert: Alert) -> tuple[Option, ...]:
    return tuple(Option(code=user.name, name=user.display_name or user.name) for user in people_for(view, alert))


def _deed(view: View, record: Record, names: Names) -> Deed:
    language = view.language
    if record.deed == "assign":
        text = translate(language, "alert_page.did.assign", name=names.of(record.value))
    elif record.deed == "verdict":
        text = translate(language, "alert_page.did.verdict", verdict=translate(language, f"alert_page.verdict.{record.value}"))
    else:
        text = translate(language, "alert_page.did.acknowledge")
    text = f"{text}\n{record.note}" if record.note else text
    return Deed(who=names.of(record.actor), when=when(language, record.at, view.now, view.zone), text=text, undo=str(record.id))


def group_filters(alert: Alert) -> tuple[Filter, ...]:
    """The filters that make the rule's figure this alert's: the rule's own and the values of its group."""
    own = {item.dimension: item for item in alert.rule.filters}
    return tuple((own | {name: Filter(name, (value,)) for name, value in alert.labels.items()}).values())


def _subject(alert: Alert) -> Subject | None:
    if not alert.rule.conditions or alert.rule.conditions[0].metric not in METRICS:
        return None
    return Subject(metric=alert.rule.conditions[0].metric, where=group_filters(alert))


def _then(view: View, alert: Alert) -> View | None:
    """The view of the very orders that the rule last saw: its closed window, knowing the snapshot it knew."""
    if not alert.rule.conditions or alert.evaluated_at is None or not alert.snapshot:
        return None
    end = alert.evaluated_at - alert.rule.delay
    window = f"{instant_text(end - alert.rule.window)}..{instant_text(end)}"
    return view_at(view, end - RESOLUTION, alert.snapshot, window=window)


def _actions(view: View, then: View | None, subject: Subject | None) -> tuple[Action, ...]:
    if subject is None:
        return ()
    language, metric = view.language, subject.metric
    drill = link(view, "/drill", metric=metric, **filter_changes(subject.where))
    found = [Action(name=translate(language, "panel.drill"), href=drill)]
    if then is not None:
        found.insert(
            0, Action(name=translate(language, "panel.orders"), href=orders_link(then, metric, subject.where), is_main=True)
        )
        if problem_of(metric):
            bad = orders_link(then, metric, subject.where, part="bad")
            found.insert(1, Action(name=translate(language, "panel.bad_orders"), href=bad))
    return tuple(found)


def _safely_parts(then: View | None, subject: Subject | None) -> Parts | None:
    if then is None or subject is None:
        return None
    try:
        found = read_parts(then, subject)
    except QueryError:
        return None
    return found if found.rows else None


def _safely_orders(then: View | None, subject: Subject | None) -> OrderRows | None:
    if then is None or subject is None:
        return None
    try:
        return read_first_orders(then, subject)
    except QueryError:
        return None


def _past(view: View, alert: Alert) -> Parts | None:
    """Earlier episodes of this rule and group, with how they ended."""
    if view.store is None:
        return None
    language, found = view.language, read_past(view.store, alert)
    longest = max((((past.ended_at or view.now) - past.started_at).total_seconds() for past in found), default=0.0) or 1.0
    return Parts(
        title=translate(language, "alert_page.past"),
        empty=translate(language, "alert_page.past_none"),
        rows=tuple(
            Part(
                name=when(language, past.started_at, view.now, view.zone),
                value=duration(language, seconds := ((past.ended_at or view.now) - past.started_at).total_seconds()),
                share=seconds / longest,
                note=translate(language, f"alert_page.verdict.{past.verdict}")
                if past.verdict
                else translate(language, f"alert_page.reason.{past.reason or 'recovered'}"),
                tip=past.note,
                tone="critical" if past.level == "critical" else "warning",
                state_word=translate(language, f"alerts.level_{past.level}"),
            )
            for past in found
        ),
    )


def _band(view: View, alert: Alert, stretches: tuple[Stretch, ...]) -> Band | None:
    """The rule's own figure over the last days, hour by hour, with where it warns and where it is critical."""
    if not alert.rule.conditions:
        return None
    condition, language = alert.rule.conditions[0], view.language
    rule = replace(
        alert.rule, filters=group_filters(alert), conditions=(condition,), expected_groups=(), expected_dimension="", join="and"
    )
    try:
        history = read_history(rule, view.run, since=view.as_of - PAST, until=view.as_of, zone=view.zone)
    except QueryError:
        return None
    title = translate(language, f"metrics.{condition.metric}.name")
    if not history.instants:
        return None
    group, label = alert.group, label_of(alert.group)
    figures = [history.figure(condition.metric, group, at) for at in history.instants]
    limits: dict[str, list[float | None]] = {"warning": [], "critical": []}
    threshold = condition.threshold_of(label)
    for at in history.instants:
        earlier = history.earlier(condition.metric, group, at)
        for level, starts in (("warning", threshold.warning), ("critical", threshold.critical)):
            limits[level].append(None if starts is None else condition.compare.bound(starts, earlier))
    values = tuple(one[0] if one else None for one in figures)
    known = [value for value in values if value is not None]
    tips = tuple(
        f"{when(language, at, view.now, view.zone)}\n{figure(language, condition.metric, value)}"
        for at, value in zip(history.instants, values, strict=True)
    )
    return Band(
        title=title,
        values=values,
        warning=tuple(limits["warning"]),
        critical=tuple(limits["critical"]),
        down=condition.op in ("<", "<="),
        tips=tips,
        stretches=stretches,
        first=when(language, history.instants[0], view.now, view.zone),
        last=when(language, history.instants[-1], view.now, view.zone),
        top=figure(language, condition.metric, max(known)) if known else "",
        bottom=figure(language, condition.metric, min(known)) if known else "",
        legend=translate(language, "alert_page.band_legend"),
        spoken=f"{title}. {figure(language, condition.metric, known[-1])}" if known else title,
        empty="" if known else translate(language, "heatmaps.no_data"),
    )
