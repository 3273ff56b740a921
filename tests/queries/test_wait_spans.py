"""Waits counted over the buckets: what lasts at the end of each is what the lake finds waiting there, beyond its limit or not."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queries.query import Filter, Grain, Query, Window
from tests.queries.desk import AS_OF, Desk, Row
from tests.queries.test_laws import BEGIN, LAKES, SLOW, TARGETS
from tests.queries.test_recent import WINDOWS, differences, recent_of

METRICS = ("over_limit_rate", "over_limit_count")
ODD = Window(start=BEGIN + timedelta(hours=9, minutes=17), end=AS_OF - timedelta(hours=1, minutes=13, milliseconds=7))


def _moved(rows: list[Row], step: int) -> list[Row]:
    """The rows with every instant off the hour, each by minutes and milliseconds of its own."""

    def later(number: int, value: Any) -> Any:
        apart = timedelta(minutes=number * step % 60, milliseconds=number * step % 11)
        return value + apart if isinstance(value, datetime) else value

    return [
        {name: later(row + 3 * column, value) for column, (name, value) in enumerate(own.items())} for row, own in enumerate(rows)
    ]


@SLOW
@given(
    lake=LAKES,
    step=st.sampled_from([0, 7, 13]),
    window=st.sampled_from([*WINDOWS, ODD]),
    grain=st.sampled_from(["hour", "day"]),
    where=st.sampled_from([(), (Filter("stage", ("delivered", "shipped", "picked")),), (Filter("region", ("R1", None)),)]),
    as_of=st.sampled_from([AS_OF, AS_OF - timedelta(hours=7), AS_OF - timedelta(hours=20, minutes=11)]),
    settled=st.booleans(),
)
def test_waits_counted_over_the_buckets_are_those_of_the_lake(
    desk: Desk,
    lake: Any,
    step: int,
    window: Window,
    grain: Grain,
    where: tuple[Filter, ...],
    as_of: datetime,
    settled: bool,
) -> None:
    filled = desk.filled(*(_moved(rows, step) for rows in lake)).with_targets(TARGETS)
    newest = max((value for row in lake[0] for value in row.values() if isinstance(value, datetime)), default=AS_OF)
    filled = replace(filled, newest=newest + timedelta(hours=1) if settled else None)
    asked = [
        Query(metrics=METRICS, by=by, where=where, window=window, grain=grain)
        for by in ((), ("stage",), ("region", "stage"), ("province",))
    ]
    recent = recent_of(filled, timedelta(days=40))
    horizon = recent.advance(filled.version, AS_OF)
    assert all("wait_spans" in filled.statement(query, horizon=horizon, as_of=as_of).sql for query in asked)
    assert differences(filled, recent, asked, as_of=as_of) == []


@pytest.mark.parametrize(("limit", "hours"), [("5h", [0, 0, 0, 1, 1, 1]), (17_999.999, [0, 0, 1, 1, 1, 1])])
def test_a_wait_is_beyond_its_limit_from_the_first_millisecond_after(desk: Desk, limit: str | float, hours: list[int]) -> None:
    """Seen at the last millisecond of each hour."""
    begun = AS_OF.replace(minute=0, second=0, microsecond=0) - timedelta(hours=8) + timedelta(minutes=59, seconds=59.999)
    targets = {**TARGETS, "stage_limits": {"paid": limit}}
    filled = desk.filled([{"id": "O1", "created": begun}]).with_targets(targets)
    recent = recent_of(filled, timedelta(days=40))
    recent.advance(filled.version, AS_OF)
    end = begun + timedelta(hours=8, milliseconds=1)
    query = Query(metrics=("over_limit_count",), window=Window(start=end - timedelta(hours=6), end=end), grain="hour")
    rows = filled.ask(query, horizon=recent.horizon, as_of=end)
    assert differences(filled, recent, [query], as_of=end) == []
    assert [row["over_limit_count"] for row in rows] == hours
