"""`python cli.py rules test|validate`: what they do with files; returns the lines to print and the exit code."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

import yaml

from alerts.notation import check_cases, read_cases
from alerts.parse import parse_rule
from alerts.rule import Rule, RuleError

Told = tuple[list[str], int]


def check_files(arguments: Namespace) -> Told:
    """Play the cases, or check the rules, of the files named. Raises RuleError."""
    if arguments.action == "test":
        return test_files(arguments.files)
    return validate_files(arguments.files)


def test_files(files: Sequence[Path]) -> Told:
    """Every case of the files that does not hold, and the counts; 1 when there is one."""
    verdicts = [(file, verdict) for file in files for verdict in check_cases(read_cases(file))]
    failed = [(file, verdict) for file, verdict in verdicts if verdict.faults]
    lines = [f"{file}: {verdict.case}: {fault}" for file, verdict in failed for fault in verdict.faults]
    return [*lines, f"{len(verdicts) - len(failed)} of {len(verdicts)} cases hold"], 1 if failed else 0


def validate_files(files: Sequence[Path]) -> Told:
    """Every rule of the files that is refused, with its reason, and the counts; 1 when there is one."""
    lines, sound = [], 0
    for file in files:
        for place, raw in enumerate(read_documents(file), 1):
            try:
                lines.append(f"{file}: {parse_rule(raw).name}: sound")
                sound += 1
            except RuleError as error:
                lines.append(f"{file}: rule {place}: {error}")
    return [*lines, f"{sound} of {len(lines)} rules are sound"], 0 if sound == len(lines) else 1


def read_documents(file: Path) -> list[object]:
    """The rules of a YAML file, unread: a list of them, or one. Raises RuleError."""
    try:
        found = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise RuleError(f"{file} cannot be read ({error.strerror}): name a file with rules") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RuleError(f"{file} is not valid YAML: {error}") from error
    return found if isinstance(found, list) else [found]


def read_rules(file: Path) -> list[Rule]:
    """The rules of a YAML file. Raises RuleError for the first that is refused."""
    return [parse_rule(raw) for raw in read_documents(file)]
