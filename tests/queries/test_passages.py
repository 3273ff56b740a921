"""Passages of chosen stages: others are not even read, and yet neither who passed one nor who waits in one is missed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from data.order import STAGES
from queries.metrics import METRICS
from queries.query import Filter, Grain, Query, Window
from tests.queries.desk import AS_OF, Desk
from tests.queries.test_flow import some_orders
from tests.queries.test_laws import BEGIN, TARGETS

CHOICES: list[tuple[str | None, ...]] = [("accepted",), ("delivered", "paid"), ("shipped", None), ("shipped", "no stage"), STAGES]


@pytest.mark.parametrize("later", [-20, 12])
@pytest.mark.parametrize("grain", [None, "hour"])
def test_stages_chosen_are_the_rows_of_these_stages(desk: Desk, grain: Grain | None, later: int) -> None:
    filled = desk.filled(some_orders()).with_targets(TARGETS)
    metrics = tuple(name for name, metric in METRICS.items() if metric.anchor.rows == "passages")
    window = Window(start=BEGIN, end=AS_OF + timedelta(hours=later))
    every = filled.ask(Query(metrics=metrics, by=("stage",), window=window, grain=grain))
    assert {row["stage"] for row in every} >= set(STAGES)
    for stages in CHOICES:
        where = (Filter("stage", stages),)
        chosen = filled.ask(Query(metrics=metrics, by=("stage",), where=where, window=window, grain=grain))
        assert chosen == [row for row in every if row["stage"] in stages]
