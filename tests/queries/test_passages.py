"""Passages of chosen stages: others are not even read, and yet neither who passed one nor who waits in one is missed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from data.order import STAGES
from queries.metrics import METRICS
from queries.query import Filter, Grain, Query, Window
from tests.queries.desk import AS_OF, Desk
from tests.queries.test_flow import some_orders
from tests.queries.test_laws import BEGIN, TARGETS

CHOICES: list[tuple[str | None, ...]] = [("accepted",), ("delivered", "paid"), ("shipped", None), ("shipped", "no stage"), STAGES]


@pytest.mark.parametrize("is_settled", [False, True])
@pytest.mark.parametrize("later", [-20, 12])
@pytest.mark.parametrize("grain", [None, "hour"])
def test_stages_chosen_are_the_rows_of_these_stages(desk: Desk, grain: Grain | None, later: int, is_settled: bool) -> None:
    """Single stages are read in two scans, what passed and what waits; all of them, at as-of, in one."""
    rows = some_orders()
    newest = max(value for row in rows for value in row.values() if isinstance(value, datetime))
    filled = desk.filled(rows).with_targets(TARGETS)
    filled = replace(filled, newest=newest, as_of=max(newest, AS_OF)) if is_settled else filled
    metrics = tuple(name for name, metric in METRICS.items() if metric.anchor.rows == "passages")
    window = Window(start=BEGIN, end=filled.as_of + timedelta(hours=later))
    asked = Query(metrics=metrics, by=("stage",), window=window, grain=grain)
    every = filled.ask(asked)
    assert {row["stage"] for row in every} >= set(STAGES)
    sql = filled.statement(replace(asked, metrics=("over_limit_rate",))).sql
    assert sql.count("lake.orders") == (1 if grain is None and later > 0 else 2)
    for stages in CHOICES[:: 2 if is_settled else 1]:
        where = (Filter("stage", stages),)
        chosen = filled.ask(replace(asked, where=where))
        assert chosen == [row for row in every if row["stage"] in stages]
