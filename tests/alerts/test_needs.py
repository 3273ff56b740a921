"""A window shorter than the time between two snapshots is refused where the rule is saved."""

from __future__ import annotations

from typing import Any

import pytest

from access.freshness import FreshnessState, SourceFreshness
from alerts.needs import check_rhythm
from alerts.parse import parse_rule
from alerts.rule import RuleError
from pages.rule_refusal import explain
from tests.alerts.bench import FEEDS, START


def _source(name: str, state: FreshnessState, feeds: frozenset[str], due: float | None) -> SourceFreshness:
    return SourceFreshness(source=name, as_of=START, age_seconds=0, state=state, owner="o", feeds=feeds, due_seconds=due)


SOURCES = [
    _source("oms", "fresh", FEEDS, 600),
    _source("crm", "fresh", frozenset({"complaints.created_at"}), 36_000),
    _source("past", "once", FEEDS, None),
]


def _check(**changes: Any) -> None:
    plain = {"name": "r", "metric": "order_count", "op": ">", "warning": 1, "window": "5m", "every": "5m"}
    check_rhythm(parse_rule(plain | changes), SOURCES)


def test_window_shorter_than_the_source_sends_is_refused_in_both_languages() -> None:
    with pytest.raises(RuleError, match="shorter than the 10m in which oms sends") as refusal:
        _check()
    assert "快照间隔 10m" in explain(refusal.value, "zh-CN")


@pytest.mark.parametrize(
    "changes",
    [
        {"window": "10m"},
        {"metric": "backlog_count"},
        {"metric": "order_count", "window": "1h"},
    ],
)
def test_window_as_long_or_of_no_matter_is_fine(changes: dict[str, Any]) -> None:
    _check(**changes)
