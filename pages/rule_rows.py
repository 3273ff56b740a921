"""Rules in words: the list with health and usefulness, and one rule with its versions, oddities and history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from access.view import View
from alerts.desk import Alert
from alerts.differences import differences
from alerts.health_of import Health
from alerts.lifecycle import Entry, Version, last_trial, list_events, list_versions
from alerts.lint import Finding, lint, today_in
from alerts.pasts import Usefulness
from alerts.report import from_json
from alerts.rule import Rule
from alerts.sentence import sentence
from components.alerts import Fact, Tone
from components.format import count, duration, full_instant, percent, when
from components.rules import Button, Detail, Note, RuleRow, VersionRow
from i18n import LANGUAGES, translate
from pages.rule_sight import can_change
from pages.rule_trial import read_trial
from pages.telling import Telling
from pages.worklist_job import Names

LEAST_VERDICTS: Final = 5
USELESS: Final = 0.2
MOST_EVENTS: Final = 30
STATUS_TONES: Final[Mapping[str, Tone]] = {"live": "good", "draft": "neutral", "paused": "warning", "retired": "stale"}
GRAVE: Final = ("contradictory", "empty_scope", "expired", "unit")


def read_rule_row(
    view: View, entry: Entry, rule: Rule | None, health: Health, useful: Usefulness, mine: Sequence[Alert], names: Names
) -> RuleRow:
    """One rule of the list."""
    language = view.language
    firing = sum(alert.standing == "firing" for alert in mine)
    health_text, tone, tip = _health(view, entry, rule, health)
    marks = [translate(language, "alert_page.mark.personal")] if entry.is_personal else []
    marks += [translate(language, "rules.mark.mandatory")] if entry.is_mandatory else []
    if entry.live_version is not None and entry.newest_version > entry.live_version:
        marks.append(translate(language, "rules.mark.draft", n=entry.newest_version))
    return RuleRow(
        key=entry.name,
        title=rule.title_in(language) if rule else entry.name,
        about=_about(view, rule) if rule else translate(language, "rules.broken"),
        status=translate(language, f"rules.status.{entry.status}"),
        tone=STATUS_TONES[entry.status],
        health=health_text,
        health_tone=tone,
        health_tip=tip,
        firing=translate(language, "rules.firing_now", n=count(language, firing))
        if firing
        else translate(language, "rules.calm"),
        useful=_useful(view, useful),
        useful_tip=_useful_tip(view, useful),
        owner=(rule.owner if rule and rule.owner else names.of(entry.owner)),
        changed=when(language, entry.changed_at, view.now, view.zone),
        marks=tuple(marks),
    )


def _about(view: View, rule: Rule) -> str:
    """The figure and its places in a few words."""
    language = view.language
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
        return translate(language, "rules.health.new"), "neutral", ""
    return (
        translate(language, "rules.health.good"),
        "neutral",
        translate(language, "rules.health.at", at=full_instant(health.at, view.zone)),
    )


def _useful(view: View, useful: Usefulness) -> str:
    judged = useful.useful + useful.false_alarms + useful.known
    language = view.language
    if not judged:
        return translate(language, "rules.useful.none", n=count(language, useful.fired))
    if judged >= LEAST_VERDICTS and useful.useful / judged < USELESS:
        return translate(language, "rules.useful.retire")
    return translate(
        language, "rules.useful.share", share=percent(language, useful.useful / judged, 0), n=count(language, judged)
    )


def _useful_tip(view: View, useful: Usefulness) -> str:
    language = view.language
    return translate(
        language,
        "rules.useful.tip",
        fired=count(language, useful.fired),
        useful=count(language, useful.useful),
        false=count(language, useful.false_alarms),
        known=count(language, useful.known),
        taken=duration(language, useful.acknowledge_seconds),
        over=duration(language, useful.recover_seconds),
    )


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
                language, f"rules.lint.{finding.kind}", rule=titles.get(finding.other, finding.other), value=finding.value
            ),
        )
        for finding in findings
    )


def read_detail(view: View, entry: Entry, others: Sequence[Rule], health: Health, useful: Usefulness, names: Names) -> Detail:
    """One rule, opened."""
    assert view.store is not None
    language = view.language
    versions = list_versions(view.store, entry.name)
    shown = next((one for one in versions if one.number == (entry.live_version or entry.newest_version)), versions[0])
    rule, may = shown.rule, can_change(view, entry) and not view.is_preview
    kept = last_trial(view.store, entry.name, shown.number)
    report = from_json(kept["report"]) if kept else None
    titles = {other.name: other.title_in(language) for other in others}
    findings = (
        lint(rule, others, scope=entry.scope, today=today_in(view.zone, view.now), trial=report, is_personal=entry.is_personal)
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
        buttons=tuple(_buttons(view, entry, may=may)),
        versions_title=translate(language, "rules.versions_title"),
        versions=tuple(_version(view, entry, versions, place, names, may=may) for place in range(len(versions))),
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
                        event["reason"],
                    )
                    if part
                ),
            )
            for event in list_events(view.store, entry.name)[:MOST_EVENTS]
        ),
        trial=read_trial(view, rule, report) if rule and report else None,
    )


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
        ("useful", _useful_tip(view, useful)),
        ("author", names.of(entry.owner)),
    ]
    if rule and rule.owner:
        pairs.append(("owner", rule.owner))
    if rule and rule.runbook:
        pairs.append(("runbook", rule.runbook))
    pairs.append(("id", entry.name))
    return [Fact(name=translate(language, f"rules.fact.{name}"), text=found) for name, found in pairs]


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


def _version(view: View, entry: Entry, versions: Sequence[Version], place: int, names: Names, *, may: bool) -> VersionRow:
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
