"""What orders took, from the narrow rows in memory: the same as from the lake, whatever contradicts it and whoever looks."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from queries.query import Filter, Grain, Query, Window
from tests.queries.desk import AS_OF, Desk
from tests.queries.test_laws import LAKES, SLOW, TARGETS
from tests.queries.test_recent import WINDOWS, differences, recent_of

CYCLE = ("order_cycle_seconds_p50", "order_cycle_seconds_p90", "order_cycle_variation")
GREY = ("grey_zone_seconds_p50", "grey_zone_seconds_p90")


@SLOW
@given(
    lake=LAKES,
    window=st.sampled_from(WINDOWS),
    grain=st.sampled_from([None, None, "hour", "day"]),
    where=st.sampled_from([(), (Filter("region", ("R1", None)),)]),
    as_of=st.sampled_from([AS_OF, AS_OF - timedelta(hours=7), AS_OF - timedelta(hours=40)]),
    settled=st.booleans(),
)
def test_what_orders_took_is_the_same_in_memory(
    desk: Desk, lake: Any, window: Window, grain: Grain | None, where: tuple[Filter, ...], as_of: datetime, settled: bool
) -> None:
    filled = desk.filled(*lake).with_targets(TARGETS)
    newest = max((value for row in lake[0] for value in row.values() if isinstance(value, datetime)), default=AS_OF)
    filled = replace(filled, newest=newest if settled else None)
    asked = [
        Query(metrics=metrics, by=by, where=where, window=window, grain=grain, compare=() if grain else ("previous",))
        for metrics in (CYCLE, GREY)
        for by in ((), ("region", "channel"), ("business_type", "weekday"))
    ]
    recent = recent_of(filled, timedelta(days=40))
    horizon = recent.advance(filled.version, AS_OF)
    assert all("_times AS o" in filled.statement(query, horizon=horizon, as_of=as_of).sql for query in asked)
    assert differences(filled, recent, asked, as_of=as_of) == []


def test_a_question_that_needs_more_of_the_orders_reads_them(desk: Desk) -> None:
    filled = desk.filled([{"id": "O1", "created": AS_OF - timedelta(hours=3)}]).with_targets(TARGETS)
    horizon = recent_of(filled).advance(filled.version, AS_OF)
    asked = Query(metrics=CYCLE, window=WINDOWS[0])
    assert "delivered_times" in filled.statement(asked, horizon=horizon).sql
    for other in (replace(asked, by=("city",)), replace(asked, metrics=(*CYCLE, "return_rate"))):
        assert "delivered_times" not in filled.statement(other, horizon=horizon).sql
