"""`python cli.py rules …`: the rule book on the command line, with a named user's rights."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import polars as pl
import yaml
from sqlalchemy import Engine

from access.audit import Actor
from access.freshness import promised_sources
from access.reading import Reading
from access.store import open_store
from access.user import UserError, find_user, scope_of
from alerts.backtest import backtest
from alerts.book import frozen_instants
from alerts.command import Told, check_files, read_rules
from alerts.health_of import Health, read_health
from alerts.lifecycle import (
    Author,
    Entry,
    check_may_change,
    find_rule,
    keep_trial,
    list_rules,
    list_versions,
    publish,
    save_drafts,
)
from alerts.lint import lint, today_in
from alerts.order_lint import lint_order
from alerts.order_trial import trial_to_json
from alerts.receiver_trial import line_of, read_standings, try_receiver
from alerts.report import Report, to_json
from alerts.rule import Rule, RuleError
from alerts.sentence import group_name, sentence
from alerts.write import write_rule
from config import Settings
from data.active import targets_in_force
from i18n import LANGUAGES
from pages.telling import Telling
from queries.build import build
from queries.query import Query
from queries.run import run
from queries.scope import Scope
from shell.rules_orders import trial_lines, try_orders

FILES: Final = ("test", "validate")


def rules(settings: Settings, arguments: Namespace, now: datetime) -> Told:
    """Do what the action asks; the lines to print and the exit code. Raises RuleError, UserError, LakeError."""
    if arguments.action in FILES:
        return check_files(settings, arguments, now)
    store = open_store(settings)
    if arguments.action == "send-test":
        return _send_test(store, settings, arguments, now)
    actions: dict[str, Callable[[], list[str]]] = {
        "list": lambda: _list(store, settings),
        "receivers": lambda: _receivers(store, settings, now),
        "show": lambda: _show(store, settings, arguments, now),
        "backtest": lambda: _backtest(store, settings, arguments, now),
        "publish": lambda: _publish(store, settings, arguments, now),
        "export": lambda: _export(store, arguments.names),
        "import": lambda: _import(store, settings, arguments, now),
    }
    return actions[arguments.action](), 0


def _list(store: Engine, settings: Settings) -> list[str]:
    health = read_health(store)
    rows = [
        (
            entry.name,
            entry.status,
            f"{entry.live_version or '-'}/{entry.newest_version}",
            _health(health.get(entry.name, Health()), settings),
            entry.owner,
            "personal" if entry.is_personal else "shared",
        )
        for entry in list_rules(store)
    ]
    return _table(("name", "state", "live/newest", "health", "owner", "for"), rows)


def _receivers(store: Engine, settings: Settings, now: datetime) -> list[str]:
    rows = [
        (
            one.receiver.name,
            one.receiver.channel,
            "everything" if one.receiver.scope.everything else " ".join(one.receiver.scope.regions),
            f"{one.sent_at.astimezone(settings.zone):%Y-%m-%d %H:%M}" if one.sent_at else "never",
            str(one.given_up),
            str(one.waiting),
        )
        for one in read_standings(store, now)
    ]
    return _table(("name", "channel", "area", "last message", "given up in 7 days", "being retried"), rows)


def _send_test(store: Engine, settings: Settings, arguments: Namespace, now: datetime) -> Told:
    author = _author(store, arguments.user)
    delivery = try_receiver(store, arguments.receiver, author.actor, author.role, line_of(settings, os.environ, now))
    words = {
        "sent": "the test message has arrived",
        "later": "not arrived, an alert would be tried again",
        "never": "not arrived",
    }
    answer = f": {delivery.detail}" if delivery.detail else ""
    return [f"{arguments.receiver}: {words[delivery.outcome]}{answer}"], 0 if delivery.outcome == "sent" else 1


def _health(health: Health, settings: Settings) -> str:
    if health.errors:
        return f"error: {health.error}"
    if health.frozen_by:
        return f"kept still, {health.frozen_by} is silent"
    return f"evaluated {health.at.astimezone(settings.zone):%Y-%m-%d %H:%M}" if health.at else "not evaluated"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[place]) for row in [heads, *rows]) for place in range(len(heads))]
    return ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in [heads, *rows]]


def _chosen(store: Engine, name: str, number: int | None) -> tuple[Entry, int, Rule]:
    entry = find_rule(store, name)
    wanted = number or entry.newest_version
    found = next((version.rule for version in list_versions(store, name) if version.number == wanted), None)
    if found is None:
        raise RuleError(f"{name} has no version {wanted} that can be read: `python cli.py rules show {name}` lists them")
    return entry, wanted, found


def _show(store: Engine, settings: Settings, arguments: Namespace, now: datetime) -> list[str]:
    entry, number, rule = _chosen(store, arguments.name, arguments.version)
    words = Telling(zone=settings.zone)
    others = [other for _, _, other in _live(store) if other.name != entry.name]
    today = today_in(settings.zone, now)
    if rule.order is None:
        findings = lint(rule, others, scope=entry.scope, today=today, is_personal=entry.is_personal)
    else:
        findings = lint_order(rule, others, scope=entry.scope, today=today)
    versions = [
        f"{'*' if version.number == entry.live_version else ' '} {version.number}  {version.created_at:%Y-%m-%d %H:%M}  "
        f"{version.author}  {version.reason}"
        for version in list_versions(store, entry.name)
    ]
    return [
        f"{entry.name}, version {number}: {entry.status}",
        *(sentence(rule, language, words) for language in LANGUAGES),
        *(f"odd: {finding.kind} {finding.other}{finding.value}" for finding in findings),
        "versions (* live):",
        *versions,
        yaml.safe_dump([write_rule(rule)], allow_unicode=True, sort_keys=False).rstrip(),
    ]


def _live(store: Engine) -> list[tuple[Entry, int, Rule]]:
    found = []
    for entry in list_rules(store):
        if not entry.is_personal:
            try:
                found.append(_chosen(store, entry.name, entry.live_version))
            except RuleError:
                continue
    return found


def _backtest(store: Engine, settings: Settings, arguments: Namespace, now: datetime) -> list[str]:
    author = None if arguments.user is None else _author(store, arguments.user)
    reading = Reading(settings)
    try:
        if Path(arguments.rule).is_file():
            return [
                line
                for rule in read_rules(Path(arguments.rule))
                for line in _tried(reading, settings, rule, author.scope if author else Scope.ALL, arguments.days)[1]
            ]
        entry, number, rule = _chosen(store, arguments.rule, arguments.version)
        if author:
            check_may_change(entry, author)
        still = frozen_instants(store, entry.name, now - timedelta(days=arguments.days + 1))
        report, lines = _tried(reading, settings, rule, entry.scope, arguments.days, still=still)
    finally:
        reading.close()
    if author:
        keep_trial(store, entry.name, number, report, author, days=arguments.days, now=now)
    return lines


def _tried(
    reading: Reading, settings: Settings, rule: Rule, scope: Scope, days: int, *, still: frozenset[datetime] = frozenset()
) -> tuple[Mapping[str, Any], list[str]]:
    """A trial as it is kept, and its lines."""
    if rule.order is not None:
        trial = try_orders(reading, settings, rule, scope, days)
        return trial_to_json(trial), trial_lines(rule, trial)
    report = _try(reading, settings, rule, scope, days, still)
    return to_json(report), _report_lines(rule, report, settings)


def _try(
    reading: Reading, settings: Settings, rule: Rule, scope: Scope, days: int, still: frozenset[datetime] = frozenset()
) -> Report:
    ledger, lake, targets = reading.ledger(), reading.lake(), targets_in_force(settings)[0]
    as_of = ledger.as_of
    if as_of is None:
        raise RuleError("there is no snapshot: take in a file first")

    def ask(query: Query) -> pl.DataFrame:
        newest = lake.newest_milestone(ledger.version)
        statement = build(
            query,
            scope=scope,
            snapshot=ledger.snapshot,
            version=ledger.version,
            as_of=as_of,
            zone=settings.zone,
            targets=targets,
            newest=newest,
        )
        return run(lake, statement)

    return backtest(rule, ask, days=days, until=as_of, zone=settings.zone, with_frontier=False, still=still)


def _report_lines(rule: Rule, report: Report, settings: Settings) -> list[str]:
    def at(instant: datetime) -> str:
        return f"{instant.astimezone(settings.zone):%Y-%m-%d %H:%M}"

    lines = [f"{rule.name}: {at(report.since)} to {at(report.until)}, looked at every {report.step_seconds // 60} min"]
    lines.append(
        f"  alerts {len(report.alerts)}, messages {report.messages}, firing {timedelta(seconds=report.firing_seconds)}, "
        f"failed looks {report.errors}"
    )
    if report.late is not None:
        lead = "-" if report.lead_seconds is None else str(timedelta(seconds=round(report.lead_seconds)))
        lines.append(
            f"  late orders {report.late:,}: warned of {report.caught:,}, missed {report.missed:,}, lead time {lead}, "
            f"false alarms {report.false_alarms}"
        )
    for episode in report.alerts:
        name = group_name(rule, "en", episode.group) or "all orders"
        end = at(episode.ended_at) if episode.ended_at else "now"
        assert episode.fired_at is not None
        lines.append(
            f"  {episode.level:<8}  {at(episode.fired_at)} to {end}  {name}{'  false alarm' if episode.is_false_alarm else ''}"
        )
    return lines


def _publish(store: Engine, settings: Settings, arguments: Namespace, now: datetime) -> list[str]:
    _, number, _ = _chosen(store, arguments.name, arguments.version)
    author, sources = _author(store, arguments.user), promised_sources(settings, now)
    outcome = publish(store, arguments.name, number, author, sources=sources, reason=arguments.reason, now=now)
    said = "is live" if outcome == "live" else "waits for a second person to publish it"
    return [f"{arguments.name}: version {number} {said}"]


def _export(store: Engine, names: Sequence[str]) -> list[str]:
    chosen = [_chosen(store, name, find_rule(store, name).live_version) for name in names] if names else _live(store)
    found = [write_rule(rule) for _, _, rule in chosen]
    left = [] if names else _unreadable(store)
    notes = [f"# {name} is left out: its version {number} no longer parses" for name, number in left]
    return [*notes, yaml.safe_dump(found, allow_unicode=True, sort_keys=False).rstrip()]


def _unreadable(store: Engine) -> list[tuple[str, int]]:
    """The shared rules, with the version that would be exported, that can no longer be read."""
    read = {entry.name for entry, _, _ in _live(store)}
    return [
        (entry.name, entry.live_version or entry.newest_version)
        for entry in list_rules(store)
        if not entry.is_personal and entry.name not in read
    ]


def _import(store: Engine, settings: Settings, arguments: Namespace, now: datetime) -> list[str]:
    author, sources = _author(store, arguments.user), promised_sources(settings, now)
    # Every rule is read before the first is kept, and all are kept or none: a faulty file changes nothing.
    found = [rule for file in arguments.files for rule in read_rules(file, sources)]
    own: dict[str, Any] = {"reason": arguments.reason, "is_personal": not author.may_share}
    numbers = save_drafts(store, found, author, sources=sources, now=now, **own)
    return [f"{rule.name}: draft {number}" for rule, number in zip(found, numbers, strict=True)]


def _author(store: Engine, name: str) -> Author:
    user = find_user(store, name)
    if user is None:
        raise UserError(f"there is no user {name!r}: `python cli.py users list` names them")
    return Author(name=user.name, role=user.role, scope=scope_of(user), actor=Actor(name=user.name))
