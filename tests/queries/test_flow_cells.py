"""Flow and times counted by the hour in memory: to the last millisecond what the lake says, whatever the window, scope and filter."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queries.dwells import build_dwells
from queries.flow import Flow, build_flow
from queries.flow_cells import TOLD, Kind
from queries.query import Filter, Window
from queries.run import run
from queries.scope import Scope
from queries.series import courses
from tests.queries.desk import AS_OF, Desk, Row
from tests.queries.test_flow import some_orders
from tests.queries.test_laws import LAKES, SLOW, TARGETS
from tests.queries.test_listing import a_lake, moment
from tests.queries.test_recent import recent_of

SPANS = (timedelta(hours=49, minutes=20), timedelta(hours=30), timedelta(minutes=20))
KINDS: tuple[Kind, ...] = ("passing", "stuck")
BY: tuple[tuple[str, ...], ...] = ((), ("warehouse",), ("carrier", "warehouse_region"), ("region",))
REST = ("entered_rest_seconds", "left_rest_seconds")


def newest_of(orders: list[Row]) -> datetime:
    """The last instant that any of the orders knows, or as-of."""
    return max([AS_OF, *(value for row in orders for value in row.values() if isinstance(value, datetime))])


def differences(desk: Desk, flows: list[Flow], **changes: Any) -> list[Flow]:
    """The flows that memory, which must count them by the hour, answers otherwise than the lake."""
    newest = desk.newest or desk.as_of
    horizon = recent_of(desk, timedelta(days=40)).advance(desk.version, newest)
    seen = moment(desk, as_of=newest, newest=newest, **changes)
    found = []
    for flow in flows:
        statement = build_flow(flow, seen, horizon)
        assert any(f"recent.{table} AS o" in statement.sql for table in TOLD), flow
        if not run(desk.lake, statement).equals(run(desk.lake, build_flow(flow, seen))):
            found.append(flow)
    return found


def flows_until(end: datetime, **asked: Any) -> list[Flow]:
    """Both kinds over windows that begin on the hour and inside one, by all that is told apart."""
    windows = [Window.last(span, end) for span in SPANS]
    first = windows[0]
    assert first.start is not None
    windows.append(Window(start=first.start.replace(minute=0), end=first.end))
    return [Flow(kind=kind, by=by, window=window, **asked) for kind, by, window in product(KINDS, BY, windows)]


@SLOW
@given(lake=LAKES, minutes=st.integers(0, 59), regions=st.sets(st.sampled_from(["R1", "R2"]), min_size=1))
def test_what_is_counted_by_the_hour_is_what_the_lake_says(desk: Desk, lake: Any, minutes: int, regions: set[str]) -> None:
    filled = desk.filled(*lake).with_targets(TARGETS)
    newest = newest_of(lake[0]) + timedelta(minutes=minutes)
    filled = replace(filled, newest=newest)
    assert differences(filled, flows_until(newest)[minutes % 16 :: 16]) == []
    assert differences(filled, flows_until(newest)[minutes % 32 :: 32], scope=Scope.of_regions(regions)) == []


@SLOW
@given(lake=LAKES, minutes=st.integers(0, 59), regions=st.sets(st.sampled_from(["R1", "R2"]), min_size=1))
def test_times_counted_by_the_hour_are_what_the_lake_says(desk: Desk, lake: Any, minutes: int, regions: set[str]) -> None:
    """Whether the window lasts until what is newest, ended before, or is seen as it was then; of some regions, or one filtered."""
    filled = desk.filled(*lake).with_targets(TARGETS)
    newest = newest_of(lake[0]) + timedelta(minutes=minutes)
    horizon = recent_of(filled, timedelta(days=40)).advance(filled.version, newest)
    then = newest - timedelta(hours=7, minutes=minutes // 2)
    sights = [moment(filled, as_of=as_of, newest=newest) for as_of in (newest, then)]
    sights.append(moment(filled, as_of=newest, newest=newest, scope=Scope.of_regions(regions)))
    windows = [Window.last(span, end) for span in SPANS for end in (newest, then)]
    for index, (seen, window) in enumerate(product(sights, windows)):
        where = (Filter("region", ("R1", None)),) if index % 3 == minutes % 3 else ()
        statement = build_dwells(where, window, seen, horizon)
        assert "recent.dwell_cells AS o" in statement.sql
        assert run(filled.lake, statement).equals(run(filled.lake, build_dwells(where, window, seen)))


@pytest.mark.parametrize("orders", [some_orders(), a_lake()[0]])
def test_filters_and_millisecond_paces_count_the_same(desk: Desk, orders: list[Row]) -> None:
    filled = desk.filled(orders).with_targets(TARGETS)
    filled = replace(filled, newest=newest_of(orders))
    for where in ((Filter("region", ("R1", None)),), (Filter("country", (None,)),)):
        assert differences(filled, flows_until(newest_of(orders), where=where)[len(where[0].values) :: 11]) == []


def test_what_no_hour_counts_is_looked_at_itself(desk: Desk) -> None:
    """By another part of the orders, by the day, of one stage, or of an instant after which more is known."""
    filled = replace(desk.filled(some_orders()).with_targets(TARGETS), newest=AS_OF)
    horizon = recent_of(filled, timedelta(days=40)).advance(filled.version, AS_OF)
    flow = Flow(kind="stuck", window=Window.last(SPANS[0], AS_OF), by=("warehouse",))
    here = moment(filled, newest=AS_OF)
    assert "recent.stuck_warehouses" in build_flow(flow, here, horizon).sql
    channel = (Filter("channel", ("web",)),)
    of_channel = [build_dwells(channel, flow.window, here, kept) for kept in (horizon, None)]
    assert of_channel[0].kept_version == filled.version
    assert "dwell_cells" not in of_channel[0].sql
    assert run(filled.lake, of_channel[0]).equals(run(filled.lake, of_channel[1]))
    others = [replace(flow, by=("channel",)), replace(flow, grain="day"), replace(flow, where=(Filter("stage", ("picked",)),))]
    statements = [build_flow(other, here, horizon) for other in others]
    statements.append(build_flow(replace(flow, kind="passing"), replace(here, as_of=AS_OF - timedelta(hours=3)), horizon))
    for statement in statements:
        assert statement.kept_version == filled.version
        assert not any(table in statement.sql for table in TOLD)


def test_what_left_again_before_the_window_has_not_entered_it(desk: Desk) -> None:
    """In the very hour that the window begins in; what left a little later has, at its own instant or before."""
    minutes = {"created": 175, "paid": 165, "approved": 130, "allocated": 50}
    row: Row = {"id": "O1"} | {name: AS_OF - timedelta(minutes=ago) for name, ago in minutes.items()}
    early = [
        {"id": f"E{ago}", "created": AS_OF - timedelta(hours=9), "paid": AS_OF - timedelta(minutes=ago)} for ago in (170, 125)
    ]
    filled = replace(desk.filled([row, *early]).with_targets(TARGETS), newest=AS_OF)
    assert differences(filled, [Flow(kind="passing", window=Window.last(timedelta(minutes=140), AS_OF))]) == []


@pytest.mark.parametrize("is_in_memory", [False, True])
def test_what_began_before_the_window_has_not_entered_it(desk: Desk, is_in_memory: bool) -> None:
    """The window begins at 21:40. Of the hour before it one order left again, one left in it, and two still wait."""
    moments = {
        "O1": {"created": 175, "paid": 165, "approved": 150},
        "O2": {"created": 175, "paid": 165, "approved": 130},
        "O3": {"created": 175, "paid": 145},
        "O4": {"created": 175, "paid": 141},
        "O5": {"created": 175, "paid": 140, "approved": 20},
        "O6": {"created": 175, "paid": 125},
    }
    orders: list[Row] = [
        {"id": id_} | {name: AS_OF - timedelta(minutes=ago) for name, ago in minutes.items()} for id_, minutes in moments.items()
    ]
    filled = replace(desk.filled(orders), newest=AS_OF)
    horizon = recent_of(filled, timedelta(days=5)).advance(filled.version, AS_OF) if is_in_memory else None
    start = AS_OF - timedelta(minutes=140)
    flow = Flow(kind="passing", window=Window(start=start, end=AS_OF + timedelta(milliseconds=1)))
    statement = build_flow(flow, moment(filled, newest=AS_OF), horizon)
    assert ("recent.passing_warehouses" in statement.sql) == is_in_memory
    rows = [row for row in run(filled.lake, statement).to_dicts() if row["stage"] == "approved"]
    hour = AS_OF - timedelta(hours=3)
    assert [(row["bucket_at"], row["entered_count"], row["left_count"]) for row in rows] == [
        (hour - timedelta(hours=1), 3, 0),
        (hour, 2, 1),
        (hour + timedelta(hours=2), 0, 1),
    ]
    assert [row["entered_rest_seconds"] for row in rows[1:]] == [20 * 60 + 5 * 60, 0]
    course = courses(run(filled.lake, statement), ("stage",), start, AS_OF)["approved",]
    assert course.level.tolist() == [4, 4, 3, 3]
    assert course.hours[:2].tolist() == pytest.approx([3 * 20 / 60 - 10 / 60 + 25 / 60, 4])
