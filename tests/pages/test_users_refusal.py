"""Every reason for which an account cannot be changed has its sentence in both languages."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from access.user import UserError
from i18n import translate
from pages.users_refusal import REASONS, explain

ROOT = Path(__file__).resolve().parents[2]
CHINESE = re.compile(r"[一-鿿]")


def _text(node: ast.expr) -> str:
    """The message of a raise, every value in it a plain word."""
    if isinstance(node, ast.BinOp):
        return _text(node.left)
    if isinstance(node, ast.Constant):
        return str(node.value)
    assert isinstance(node, ast.JoinedStr)
    return "".join(
        str(part.value) if isinstance(part, ast.Constant) else "'x1'" if getattr(part, "conversion", 0) == ord("r") else "x1"
        for part in node.values
    )


def _raised() -> Iterator[tuple[str, str]]:
    files = (file for file in sorted((ROOT / "access").glob("*.py")) if "command" not in file.stem)
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "UserError":
                yield f"{file.name}:{node.lineno}", _text(node.args[0])


RAISED = list(_raised())


@pytest.mark.parametrize(("place", "text"), RAISED, ids=[place for place, _ in RAISED])
def test_every_refusal_has_its_sentence(place: str, text: str) -> None:
    chinese, english = explain(UserError(text), "zh-CN"), explain(UserError(text), "en")
    assert CHINESE.search(chinese), f"{place}: {text!r} has no pattern in pages/users_refusal.py"
    assert "cli.py" not in english
    assert not re.search(r"\{[a-z]+\}", chinese + english)


def test_every_pattern_is_reached_by_a_reason_that_names_the_same() -> None:
    reached = {next(key for pattern, key in REASONS if re.search(pattern, text)) for _, text in RAISED}
    assert reached == {key for _, key in REASONS}
    told = explain(UserError("user name 'bad name!': use up to 64"), "zh-CN")
    assert told == translate("zh-CN", "users.refused.name", a="bad name!")
    assert "bad name!" in told
