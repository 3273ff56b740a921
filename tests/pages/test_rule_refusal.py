"""Every reason for which a rule, an alert's deed or a silence can be refused has its sentence in both languages."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from alerts.conditions import Baseline
from alerts.lint_finding import Kind
from alerts.parse import parse_rule
from alerts.rule import RuleError
from i18n import LANGUAGES, translate
from pages.rule_refusal import REASONS, explain

ROOT = Path(__file__).resolve().parents[2]
TERMINAL = {"alerts/command.py", "alerts/notation.py", "alerts/rule_file.py"}
"""What only the command line reads: files of rules and rule tests."""
ASKED = ("queries/build.py", "queries/check.py", "queries/request.py", "queries/setting.py")
"""What a rule's question can be refused for when it is tried."""
NEVER_FROM_A_RULE = (
    "has no time zone",
    "keeps nothing",
    "cannot be ordered",
    "holds no time",
    "there is no window",
    "no date or instant",
    "lies outside the years",
)
"""Windows, instants and orders that the page itself never asks wrongly."""
CHINESE = re.compile(r"[一-鿿]")


def _text(node: ast.expr) -> str | None:
    """The message of a raise, every value in it a plain word; None where it is a translated one."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        parts = (
            part.value if isinstance(part, ast.Constant) else "'x1'" if part.conversion == ord("r") else "x1"
            for part in node.values
            if isinstance(part, ast.Constant | ast.FormattedValue)
        )
        return "".join(map(str, parts))
    return None


def _raised() -> Iterator[tuple[str, str]]:
    files = [
        *sorted((ROOT / "alerts").glob("*.py")),
        *sorted((ROOT / "pages").glob("rule*.py")),
        *(ROOT / name for name in ASKED),
    ]
    for file in files:
        name = file.relative_to(ROOT).as_posix()
        if name in TERMINAL:
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("RuleError", "QueryError"):
                text = _text(node.args[0]) if node.args else None
                if text and not any(part in text for part in NEVER_FROM_A_RULE):
                    yield f"{name}:{node.lineno}", text


RAISED = list(_raised())


def test_the_walk_finds_the_reasons() -> None:
    assert len(RAISED) > 60


@pytest.mark.parametrize(("place", "text"), RAISED, ids=[place for place, _ in RAISED])
def test_every_refusal_has_its_sentence_in_both_languages(place: str, text: str) -> None:
    chinese, english = explain(RuleError(text), "zh-CN"), explain(RuleError(text), "en")
    assert CHINESE.search(chinese), f"{place}: {text!r} has no pattern in pages/rule_refusal.py"
    assert not re.search(r"\{[a-z]+\}|there is|must|cli\.py", chinese)
    assert "cli.py" not in english
    assert not CHINESE.search(english)


def test_every_pattern_has_a_sentence_and_each_is_reached() -> None:
    reached = set()
    for _, text in RAISED:
        reached |= {next((key for pattern, key in REASONS if re.search(pattern, text)), "")}
    for _, key in REASONS:
        for language in LANGUAGES:
            assert translate(language, f"rules.refused.{key}") != f"rules.refused.{key}"
    assert {key for _, key in REASONS} - reached <= {"taken"}


BAD = [
    ({"every": "5x"}, "检查间隔"),
    ({"filters": {"nowhere": ["a"]}}, "筛选条件"),
    ({"no_data": "maybe"}, "maybe"),
    ({"group_by": ["region", "channel"], "thresholds": {"CN-EAST": {"warning": 0.2}}}, "大区"),
    ({"metric": "nothing"}, "nothing"),
    ({"warning": 5}, "100%"),
    ({"name": "no name"}, "no name"),
    ({"compare": {"with": Baseline.name, "weeks": 90}}, "26"),
]


@pytest.mark.parametrize(("wrong", "word"), BAD)
def test_a_real_refusal_names_the_part_in_chinese(wrong: dict[str, object], word: str) -> None:
    body = {"name": "r", "metric": "late_rate", "op": ">", "warning": 0.1} | wrong
    with pytest.raises(RuleError) as refused:
        parse_rule(body)
    told = explain(refused.value, "zh-CN")
    assert word in told
    assert CHINESE.search(told)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", get_args(Kind))
def test_every_oddity_has_its_sentence(kind: str, language: str) -> None:
    assert translate(language, f"rules.lint.{kind}") != f"rules.lint.{kind}"
