"""Flow: what enters and leaves a stage, counted by hand from the orders' own instants, the same from memory and from the lake."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from data.order import FORWARD_MILESTONES, STAGES
from queries.flow import Flow, build_flow
from queries.query import Query, QueryError, Window
from queries.run import run
from tests.queries.desk import AS_OF, Desk, Row
from tests.queries.test_laws import BEGIN, TARGETS
from tests.queries.test_listing import a_lake, moment
from tests.queries.test_recent import recent_of

HOUR = timedelta(hours=1)
START = AS_OF - timedelta(hours=30, minutes=20)
WINDOW = Window(start=START, end=AS_OF + timedelta(milliseconds=1))


def some_orders() -> list[Row]:
    """Orders that go through the stages at different paces and stop somewhere on the way, most inside the window."""
    orders = []
    for number in range(40):
        instant = AS_OF - timedelta(hours=1 + number * 1.3, minutes=number * 7)
        row: Row = {"id": f"O{number:02d}", "created": instant, "warehouse": ("W1", "W2", None)[number % 3]}
        for step, name in enumerate(FORWARD_MILESTONES[1 : 1 + number % 9], 1):
            instant += timedelta(minutes=11 * step * (1 + number % 5), milliseconds=number)
            if instant > AS_OF:
                break
            row[name] = instant
        orders.append(row)
    return orders


def by_hand(orders: list[Row]) -> tuple[Counter[tuple[object, ...]], Counter[tuple[object, ...]]]:
    """How many came and went, and the ms from there to the hour's end, by (way, warehouse, stage, hour)."""
    count, rest = Counter[tuple[object, ...]](), Counter[tuple[object, ...]]()

    def add(way: str, row: Row, stage: str, instant: datetime) -> None:
        hour = instant.replace(minute=0, second=0, microsecond=0)
        count[way, row["warehouse"], stage, hour] += 1
        rest[way, row["warehouse"], stage, hour] += (hour + HOUR - instant) // timedelta(milliseconds=1)

    before = START.replace(minute=0, second=0, microsecond=0) - timedelta(milliseconds=1)
    for row in orders:
        reached = [name for name in FORWARD_MILESTONES if name in row]
        for opened, closed in pairwise(reached):
            if row[closed] >= START:
                add("in", row, closed, row[opened] if row[opened] >= START else before)
                add("out", row, closed, row[closed])
        if len(reached) < len(FORWARD_MILESTONES):
            add("in", row, STAGES[len(reached) - 1], row[reached[-1]] if row[reached[-1]] >= START else before)
    return count, rest


@pytest.mark.parametrize("is_in_memory", [False, True])
def test_what_comes_and_goes_is_what_the_orders_instants_say(desk: Desk, is_in_memory: bool) -> None:
    orders = some_orders()
    filled = desk.filled(orders)
    horizon = recent_of(filled, timedelta(days=5)).advance(filled.version, AS_OF) if is_in_memory else None
    statement = build_flow(Flow(kind="passing", window=WINDOW, by=("warehouse",)), moment(filled), horizon)
    assert (statement.kept_version is not None) == is_in_memory
    count, rest = by_hand(orders)
    found, rests = Counter[tuple[object, ...]](), Counter[tuple[object, ...]]()
    for row in run(filled.lake, statement).to_dicts():
        place = (row["warehouse"], row["stage"], row["bucket_at"])
        for way, name in (("in", "entered"), ("out", "left")):
            found[way, *place] += row[f"{name}_count"]
            rests[way, *place] += round(row[f"{name}_rest_seconds"] * 1000)
    assert +found == count
    assert +rests == rest


@pytest.mark.parametrize("by", [(), ("region",), ("channel", "status")])
def test_what_is_stuck_is_what_was_lost_on(desk: Desk, by: tuple[str, ...]) -> None:
    filled = desk.filled(*a_lake()).with_targets(TARGETS)
    window = Window(start=BEGIN, end=AS_OF + timedelta(milliseconds=1))
    lost = filled.ask(Query(metrics=("lost_count",), by=(*by, "stage"), window=window))
    expected = {tuple(row[name] for name in (*by, "stage")): row["lost_count"] for row in lost if row["lost_count"]}
    found = Counter[tuple[object, ...]]()
    for row in run(filled.lake, build_flow(Flow(kind="stuck", window=window, by=by), moment(filled))).to_dicts():
        found[tuple(row[name] for name in (*by, "stage"))] += row["entered_count"]
    assert +found == expected
    assert expected


@pytest.mark.parametrize(
    ("flow", "words"),
    [
        (Flow(kind="passing", window=Window(start=None, end=AS_OF)), "with a start"),
        (Flow(kind="passing", window=WINDOW, by=("stage",)), "by stage already"),
        (Flow(kind="passing", window=WINDOW, by=("warehous",)), "did you mean warehouse"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_a_remedy(desk: Desk, flow: Flow, words: str) -> None:
    with pytest.raises(QueryError, match=words):
        build_flow(flow, moment(desk))
