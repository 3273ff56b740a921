"""Figures over a group of a hundred thousand orders are as exact as over three."""

from __future__ import annotations

from datetime import timedelta
from statistics import mean, quantiles, stdev

import pytest

from queries.query import Query, Window
from tests.queries.desk import AS_OF, Desk

ORDERS = 100_000


def _seconds(number: int) -> int:
    return (number * 7919) % 500_000 + 60


def _fill(desk: Desk) -> Desk:
    """Orders created every millisecond, each delivered after its own odd number of seconds."""
    filled = desk.filled([])
    created = "TIMESTAMPTZ '2026-03-10 00:00:00+00' + to_milliseconds(i)"
    delivered = f"{created} + to_seconds((i * 7919) % 500000 + 60)"
    filled.lake.cursor().execute(
        "INSERT INTO lake.orders (channel, order_id, region_code, created_at, delivered_at, open_until_at, settled_at, status, "
        "inferred_milestones, mapped_milestones, impossible_milestones) "
        f"SELECT 'web', i::VARCHAR, 'R1', {created}, {delivered}, {delivered}, {delivered}, 'delivered', 0, 1023, 0 FROM range({ORDERS}) AS t(i)"
    )
    return desk.filled_as(filled.lake.newest_version())


def test_a_huge_group_has_exact_quantiles_and_counts(desk: Desk) -> None:
    metrics = ("delivered_count", "order_cycle_seconds_p50", "order_cycle_seconds_p90", "order_cycle_variation")
    (row,) = _fill(desk).ask(Query(metrics=metrics, window=Window(start=AS_OF - timedelta(days=12), end=AS_OF)))
    taken = [float(_seconds(number)) for number in range(ORDERS)]
    deciles = quantiles(taken, n=10, method="inclusive")
    assert row["delivered_count"] == row["order_cycle_seconds_p90_n"] == ORDERS
    assert (row["order_cycle_seconds_p50"], row["order_cycle_seconds_p90"]) == pytest.approx((deciles[4], deciles[8]), rel=1e-12)
    assert row["order_cycle_variation"] == pytest.approx(stdev(taken) / mean(taken), rel=1e-9)


def test_a_hundred_thousand_groups_of_one_are_all_there(desk: Desk) -> None:
    query = Query(
        metrics=("order_count", "delivered_count"), by=("order",), window=Window(start=AS_OF - timedelta(days=12), end=AS_OF)
    )
    rows = _fill(desk).ask(query)
    assert len(rows) == ORDERS
    assert {(row["order_count"], row["delivered_count"]) for row in rows} == {(1, 1)}
