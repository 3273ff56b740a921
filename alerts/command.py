"""`python cli.py rules test|validate`: what they do with files; returns the lines to print and the exit code."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from access.freshness import SourceFreshness, promised_sources
from alerts.needs import check_rhythm
from alerts.notation import check_cases, read_cases
from alerts.parse import parse_rule
from alerts.rule import Rule, RuleError
from alerts.rule_file import read_yaml
from config import Settings

Told = tuple[list[str], int]


def check_files(settings: Settings, arguments: Namespace, now: datetime) -> Told:
    """Play the cases, or check the rules, of the files named. Raises RuleError."""
    if arguments.action == "test":
        return test_files(arguments.files)
    return validate_files(arguments.files, promised_sources(settings, now), home=settings.home)


def test_files(files: Sequence[Path]) -> Told:
    """Every case of the files that does not hold, and the counts; 1 when there is one."""
    verdicts = [(file, verdict) for file in files for verdict in check_cases(read_cases(file))]
    failed = [(file, verdict) for file, verdict in verdicts if verdict.faults]
    lines = [f"{file}: {verdict.case}: {fault}" for file, verdict in failed for fault in verdict.faults]
    return [*lines, f"{len(verdicts) - len(failed)} of {len(verdicts)} cases hold"], 1 if failed else 0


def validate_files(files: Sequence[Path], sources: Sequence[SourceFreshness], *, home: Path) -> Told:
    """Every rule of the files that is refused, with its reason, and the counts; 1 when there is one.

    Windows are held against how often the sources of `home` send a snapshot; where it has none, a line says so.
    """
    lines, sound = [], 0
    for file in files:
        names: dict[str, int] = {}
        for place, raw in enumerate(read_documents(file), 1):
            try:
                lines.append(f"{file}: {_sound(raw, place, names, sources).name}: sound")
                sound += 1
            except RuleError as error:
                lines.append(f"{file}: rule {place}: {error}")
    count = len(lines)
    if not any(source.due_seconds for source in sources):
        lines.append(f"{home} has no source that comes regularly: windows were not held against how often snapshots come")
    return [*lines, f"{sound} of {count} rules are sound"], 0 if sound == count else 1


def _sound(raw: object, place: int, names: dict[str, int], sources: Sequence[SourceFreshness]) -> Rule:
    """The rule at a place of a file; `names` are those before it. Raises RuleError."""
    rule = parse_rule(raw)
    check_rhythm(rule, sources)
    if rule.name in names:
        raise RuleError(f"{rule.name} is the name of rule {names[rule.name]} of this file too: rename one")
    names[rule.name] = place
    return rule


def read_documents(file: Path) -> list[object]:
    """The rules of a YAML file, unread: a list of them, or one. Raises RuleError."""
    found = read_yaml(file)
    if found is None or found == []:
        raise RuleError(f"{file} holds no rule: write one as docs/rules.md shows")
    return found if isinstance(found, list) else [found]


def read_rules(file: Path, sources: Sequence[SourceFreshness] = ()) -> list[Rule]:
    """The rules of a YAML file. Raises RuleError, naming file and place, for the first that is refused."""
    rules: list[Rule] = []
    names: dict[str, int] = {}
    for place, raw in enumerate(read_documents(file), 1):
        try:
            rules.append(_sound(raw, place, names, sources))
        except RuleError as error:
            raise RuleError(f"{file}: rule {place}: {error}") from None
    return rules
