"""The cases in the notation users write, and the notation itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from alerts.notation import Point, check_cases, parse_series, read_cases
from alerts.rule import RuleError

FOLDER = Path(__file__).parent.parent / "cases" / "rules"
CASES = [(file.stem, case) for file in sorted(FOLDER.glob("*.yaml")) for case in read_cases(file)]


@pytest.mark.parametrize(("file", "case"), CASES, ids=[f"{file}: {case['case']}" for file, case in CASES])
def test_case_holds(file: str, case: Mapping[str, Any]) -> None:
    assert check_cases([case])[0].faults == ()


def test_there_are_more_cases_than_the_page_prints() -> None:
    assert len(CASES) > 100


def test_wrong_expectation_is_told_with_what_was_got() -> None:
    case = {"case": "x", "rule": {"metric": "value", "op": ">", "warning": 1}, "series": {"A": "2"}, "expect": {"A": "I"}}
    assert check_cases([case])[0].faults == ("A: expected I, got W!",)


def test_refusal_that_does_not_come_is_a_fault() -> None:
    case = {"case": "x", "rule": {"metric": "value", "op": ">", "warning": 1}, "expect": "refused"}
    assert check_cases([case])[0].faults == ("the rule was accepted, it should have been refused",)


def test_refused_rule_does_not_stop_the_file() -> None:
    sound = {"rule": {"metric": "value", "op": ">", "warning": 1}, "series": {"A": "2"}, "expect": {"A": "W!"}}
    verdicts = check_cases([{"rule": {"metric": "valeu"}}, sound])
    assert [bool(verdict.faults) for verdict in verdicts] == [True, False]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("85", [85]),
        ("70x2 10x3", [70, 70, 10, 10, 10]),
        ("1+2x3", [1, 3, 5, 7]),
        ("1-0.5x2", [1, 0.5, 0]),
        ("-2x2", [-2, -2]),
        ("-1-1x1", [-1, -2]),
        ("_ nanx2", [None, None, None]),
        ("1e3 .5", [1000, 0.5]),
    ],
)
def test_series_reads(text: str, values: list[float | None]) -> None:
    assert [point.value for point in parse_series(text)] == values


def test_sample_may_say_how_many_orders() -> None:
    assert parse_series("85@12x2") == [Point(value=85, n=12)] * 2


@pytest.mark.parametrize("text", ["a", "1x", "1+x2", "1..2", "__"])
def test_unreadable_sample_is_refused(text: str) -> None:
    with pytest.raises(RuleError, match="not in the notation"):
        parse_series(text)


def test_file_that_is_no_list_of_cases_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "cases.yaml"
    file.write_text("rule: 1", encoding="utf-8")
    with pytest.raises(RuleError, match="not a list of cases"):
        read_cases(file)
