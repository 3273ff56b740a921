"""Alerts that are firing are told to those who may see the regions their figures are made of, personal ones to their owner."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine

from access.store import writing
from alerts.firing import firing_alerts
from alerts.tables import INSTANCES, RULES
from queries.scope import Scope
from tests.alerts.bench import Bench

AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def _rule(name: str, **changes: Any) -> dict[str, Any]:
    known = {"name": name, "status": "live", "is_personal": False, "is_mandatory": False, "owner": "ann"}
    return known | {"created_at": AT, "changed_at": AT} | changes


def _instance(rule: str, province: str, regions: list[str] | None, **changes: Any) -> dict[str, Any]:
    labels = {"province": province}
    known = {"rule": rule, "group_key": province, "labels": labels, "regions": regions, "state": "firing", "level": "critical"}
    return known | {"since": AT, "frozen": {}, "value": 0.4} | changes


@pytest.fixture
def store(bench: Bench) -> Engine:
    """Four rules, one of them personal and one retired, with instances in two regions."""
    with writing(bench.store) as connection:
        connection.execute(
            RULES.insert(), [_rule("late"), _rule("mine", is_personal=True), _rule("old", status="retired"), _rule("all")]
        )
        connection.execute(
            INSTANCES.insert(),
            [
                _instance("late", "CN-SH", ["CN-EAST"]),
                _instance("late", "CN-GD", ["CN-SOUTH"], state="recovering"),
                _instance("late", "CN-BJ", ["CN-NORTH"], state="pending"),
                _instance("mine", "CN-JS", ["CN-EAST"]),
                _instance("old", "CN-ZJ", ["CN-EAST"]),
                _instance("all", "", None),
            ],
        )
    return bench.store


@pytest.mark.parametrize(
    ("scope", "user", "expected"),
    [
        (Scope.ALL, "bob", {("late", "CN-SH"), ("late", "CN-GD"), ("all", "")}),
        (Scope.ALL, "ann", {("late", "CN-SH"), ("late", "CN-GD"), ("all", ""), ("mine", "CN-JS")}),
        (Scope.of_regions(["CN-EAST"]), "bob", {("late", "CN-SH")}),
        (Scope.of_regions(["CN-NORTH"]), "bob", set()),
        (Scope.NONE, "ann", set()),
    ],
)
def test_alerts_are_told_within_the_scope(store: Engine, scope: Scope, user: str, expected: set[tuple[str, str]]) -> None:
    assert {(found.rule, str(found.labels["province"])) for found in firing_alerts(store, scope=scope, user=user)} == expected
