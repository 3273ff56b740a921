"""Rules in words: the list with health and usefulness, and one rule with its versions, oddities and history."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from access.view import View
from alerts.desk import Alert
from alerts.health_of import Health
from alerts.lifecycle import Entry, last_trial, list_events, list_versions
from alerts.lint import lint, today_in
from alerts.lint_finding import Finding
from alerts.order_lint import lint_order
from alerts.order_trial import trial_from_json
from alerts.order_watch import keeps_matches
from alerts.order_words import field_name, pick_words
from alerts.pasts import Usefulness
from alerts.proposals import Proposed, open_proposals
from alerts.report import from_json
from alerts.review import count_open
from alerts.rule import Rule
from alerts.sentence import sentence
from components.alerts import Fact, Tone
from components.format import count, dash, duration, full_instant, percent, when
from components.rules import Button, Detail, Note, RuleRow
from i18n import LANGUAGES, translate
from pages.alert_rows import reader_of
from pages.links import outside_link
from pages.order_rule_trial import read_order_trial, read_preview
from pages.rule_trial import read_trial
from pages.rule_version import read_version, rights_of
from pages.telling import Telling
from pages.worklist_job import Names

MOST_EVENTS: Final = 30
STATUS_TONES: Final[Mapping[str, Tone]] = {"live": "good", "draft": "neutral", "paused": "warning", "retired": "stale"}
GRAVE: Final = ("contradictory", "impossible", "empty_scope", "expired", "unit", "too_wide")


def read_rule_row(
    view: View,
    entry: Entry,
    rule: Rule | None,
    health: Health,
    useful: Usefulness,
    mine: Sequence[Alert],
    names: Names,
    *,
    proposed: Proposed,
) -> RuleRow:
    """One rule of the list."""
    language = view.language
    firing = sum(alert.standing == "firing" for alert in mine)
    health_text, tone, tip = _health(view, entry, rule, health)
    marks = [translate(language, "alert_page.mark.personal")] if entry.is_personal else []
    marks += [translate(language, "rules.mark.mandatory")] if entry.is_mandatory else []
    if entry.live_version is not None and entry.newest_version > entry.live_version:
        marks.append(translate(language, "rules.mark.draft", n=entry.newest_version))
    marks += [translate(language, "rules.mark.proposed")] if proposed else []
    return RuleRow(
        key=entry.name,
        title=rule.title_in(language) if rule else entry.name,
        about=_about(view, rule) if rule else translate(language, "rules.broken"),
        status=translate(language, f"rules.status.{entry.status}"),
        tone=STATUS_TONES[entry.status],
        health=health_text,
        health_tone=tone,
        health_tip=tip,
        firing=_firing(view, entry, rule, firing) if health.at is not None or firing else "",
        useful=dash(language) if rule and rule.order else _useful(view, useful),
        useful_under=_useful_under(view, useful),
        useful_tone="warning" if useful.is_useless or useful.is_fading else "neutral",
        useful_tip="" if rule and rule.order else _useful_tip(view, useful),
        owner=names.of(rule.owner if rule and rule.owner else entry.owner),
        changed=when(language, entry.changed_at, view.now, view.zone),
        marks=tuple(marks),
    )


def _firing(view: View, entry: Entry, rule: Rule | None, firing: int) -> str:
    language = view.language
    if entry.status != "live":
        return ""
    if rule is not None and rule.order is not None and view.store is not None:
        if not keeps_matches(rule) and not entry.is_personal:
            return ""
        matched = count_open(view.store, reader_of(view)).get(entry.name, 0)
        return translate(language, "order_rule.matching", n=count(language, matched))
    if not firing:
        return translate(language, "rules.calm")
    return translate(language, "rules.firing_now", n=count(language, firing))


def _about(view: View, rule: Rule) -> str:
    """The figure and its places in a few words."""
    language = view.language
    if rule.order is not None:
        text = pick_words(language, rule.order.pick)
        return text[:1].upper() + text[1:]
    joiner = translate(language, "rule_words.comma")
    metrics = joiner.join(translate(language, f"metrics.{name}.name") for name in rule.metrics)
    groups = joiner.join(translate(language, f"dimensions.{name}.name") for name in rule.group_by)
    return f"{metrics} · {groups}" if groups else metrics


def _health(view: View, entry: Entry, rule: Rule | None, health: Health) -> tuple[str, Tone, str]:
    language = view.language
    if entry.status != "live":
        return "–", "stale", ""
    if rule is None or health.errors:
        return translate(language, "rules.health.error"), "critical", health.error or translate(language, "rules.broken")
    if health.frozen_by:
        return (
            translate(language, "rules.health.frozen"),
            "stale",
            translate(language, "alert_page.frozen_by", source=health.frozen_by),
        )
    if health.at is None:
        return translate(language, f"rules.health.{'filling' if view.is_filling else 'new'}"), "stale", ""
    return (
        translate(language, "rules.health.good"),
        "neutral",
        translate(language, "rules.health.at", at=full_instant(health.at, view.zone)),
    )


def _useful(view: View, useful: Usefulness) -> str:
    language = view.language
    if not useful.judged:
        return translate(language, "rules.useful.none", n=count(language, useful.fired))
    if useful.is_useless:
        return translate(language, "rules.useful.retire")
    share, judged = percent(language, useful.share, 0), count(language, useful.judged)
    return translate(language, "rules.useful.share", share=share, n=judged)


def _useful_under(view: View, useful: Usefulness) -> str:
    if useful.is_useless:
        return translate(view.language, "rules.useful.retire_under")
    before = percent(view.language, useful.share_before, 0)
    return translate(view.language, "rules.useful.fading_under", before=before) if useful.is_fading else ""


def _useful_tip(view: View, useful: Usefulness) -> str:
    language = view.language
    text = translate(
        language,
        "rules.useful.tip",
        fired=count(language, useful.fired),
        useful=count(language, useful.useful),
        false=count(language, useful.false_alarms),
        known=count(language, useful.known),
        taken=duration(language, useful.acknowledge_seconds),
        over=duration(language, useful.recover_seconds),
    )
    before = percent(language, useful.share_before, 0)
    return f"{text}\n{translate(language, 'rules.useful.fading_tip', before=before)}" if useful.is_fading else text


def read_sentences(view: View, rule: Rule) -> tuple[Fact, ...]:
    """The rule read back in every language, the reader's first."""
    words = Telling(zone=view.zone)
    ordered = sorted(LANGUAGES, key=lambda language: language != view.language)
    return tuple(Fact(name=language, text=sentence(rule, language, words)) for language in ordered)


def read_notes(view: View, findings: Sequence[Finding], titles: Mapping[str, str]) -> tuple[Note, ...]:
    """What is odd about a rule; a good word where nothing is."""
    language = view.language
    if not findings:
        return (Note(tone="good", text=translate(language, "rules.lint.nothing")),)
    return tuple(
        Note(
            tone="critical" if finding.kind in GRAVE else "warning",
            text=translate(
                language,
                f"rules.lint.{finding.kind}",
                rule=titles.get(finding.other, finding.other),
                value=_value(language, finding),
            ),
        )
        for finding in findings
    )


def _value(language: str, finding: Finding) -> str:
    return field_name(language, finding.value) if finding.kind == "impossible" else finding.value


def read_detail(view: View, entry: Entry, others: Sequence[Rule], health: Health, useful: Usefulness, names: Names) -> Detail:
    """One rule, opened."""
    assert view.store is not None
    language = view.language
    versions = list_versions(view.store, entry.name)
    shown = next((one for one in versions if one.number == (entry.live_version or entry.newest_version)), versions[0])
    rule, events = shown.rule, list_events(view.store, entry.name)
    rights = rights_of(view, entry, open_proposals(view.store).get(entry.name, {}))
    kept = last_trial(view.store, entry.name, shown.number)
    is_order = rule is not None and rule.order is not None
    report = from_json(kept["report"]) if kept and not is_order else None
    tried = trial_from_json(kept["report"]) if kept and is_order else None
    titles = {other.name: other.title_in(language) for other in others}
    findings = (
        lint_order(rule, others, scope=entry.scope, today=today_in(view.zone, view.now), trial=tried)
        if rule and is_order
        else lint(
            rule, others, scope=entry.scope, today=today_in(view.zone, view.now), trial=report, is_personal=entry.is_personal
        )
        if rule
        else ()
    )
    return Detail(
        key=entry.name,
        title=rule.title_in(language) if rule else entry.name,
        status=_status_line(view, entry),
        tone=STATUS_TONES[entry.status],
        facts=tuple(_facts(view, entry, rule, health, useful, names)),
        sentence_title=translate(language, "rules.sentence_title"),
        sentences=read_sentences(view, rule) if rule else (),
        notes_title=translate(language, "rules.notes_title"),
        notes=read_notes(view, findings, titles) if rule else (Note(tone="critical", text=translate(language, "rules.broken")),),
        buttons=tuple(_buttons(view, entry, may=rights.may_change)),
        versions_title=translate(language, "rules.versions_title"),
        versions=tuple(read_version(view, entry, versions, place, names, rights=rights) for place in range(len(versions))),
        events_title=translate(language, "rules.events_title"),
        events=tuple(
            Fact(
                name=when(language, event["at"], view.now, view.zone),
                text=" · ".join(
                    part
                    for part in (
                        names.of(event["actor"]),
                        translate(language, f"audit.action.rule_{event['action']}"),
                        translate(language, "rules.version", n=event["version"]) if event["version"] else "",
                        _event_reason(language, event),
                    )
                    if part
                ),
            )
            for event in events[:MOST_EVENTS]
        ),
        trial=read_order_trial(view, tried) if tried else read_trial(view, rule, report) if rule and report else None,
        preview=read_preview(view, rule, entry) if rule and is_order else ("", ""),
    )


def _event_reason(language: str, event: Mapping[str, Any]) -> str:
    """Why somebody did it; what the book itself notes of trials and copies in the reader's words."""
    reason = str(event["reason"])
    if event["action"] == "tried" and (match := re.fullmatch(r"(\d+) days", reason)):
        return translate(language, "rules.button.try", days=match[1])
    if event["action"] == "drafted" and (match := re.fullmatch(r"copy of version (\d+)", reason)):
        return translate(language, "rules.mark.copy", n=match[1])
    return reason


def _status_line(view: View, entry: Entry) -> str:
    language = view.language
    parts = [translate(language, f"rules.status.{entry.status}")]
    if entry.live_version:
        parts.append(translate(language, "rules.version", n=entry.live_version))
    return " · ".join(parts)


def _facts(view: View, entry: Entry, rule: Rule | None, health: Health, useful: Usefulness, names: Names) -> list[Fact]:
    language = view.language
    text, _, tip = _health(view, entry, rule, health)
    pairs = [
        ("health", f"{text}\n{tip}" if tip else text),
        *([] if rule and rule.order else [("useful", _useful_tip(view, useful))]),
        ("author", names.of(entry.owner)),
    ]
    if rule and rule.owner:
        pairs.append(("owner", names.of(rule.owner)))
    if rule and rule.runbook:
        pairs.append(("runbook", rule.runbook))
    pairs.append(("id", entry.name))
    hrefs = {"runbook": outside_link(rule.runbook) if rule else ""}
    return [Fact(name=translate(language, f"rules.fact.{name}"), text=found, href=hrefs.get(name, "")) for name, found in pairs]


def _buttons(view: View, entry: Entry, *, may: bool) -> list[Button]:
    language = view.language

    def button(action: str, *, reason: bool = False, is_main: bool = False) -> Button:
        why = translate(language, "rules.why") if reason else ""
        return Button(action=action, name=translate(language, f"rules.button.{action}"), reason=why, is_main=is_main)

    found = []
    if may:
        found.append(button("change", is_main=True))
        if entry.status == "live" and not entry.is_mandatory:
            found += [button("pause", reason=True), button("retire", reason=True)]
        if entry.status in ("paused", "retired") and entry.live_version is not None:
            found.append(button("resume", reason=True))
    if not view.is_preview:
        found.append(button("copy"))
    return found
