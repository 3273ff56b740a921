"""Ways of orders: every one accounted for once, exceptions and repeats where they happened, nothing outside scope or as-of."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from data.order import MILESTONE_BIT
from queries.dwells import Dwells, build_dwells, dwells_of, quantile, seconds_of, step_at
from queries.listing import Moment
from queries.query import Filter, Window
from queries.run import run
from queries.scope import Scope
from queries.transitions import Ways, build_repeats, build_ways, ways_of
from tests.queries.desk import AS_OF, Desk

WINDOW = Window.last(timedelta(days=10), AS_OF)
SHORT = ("created", "paid", "shipped", "delivered")


def orders() -> list[dict[str, Any]]:
    """Eight ways, hand-written: delivered, delivered and sent back, waiting, cancelled, skipped a stage, refunded early, retried, held."""
    common = {"mapped": SHORT, "created": "15 08:00"}
    way = {"paid": "15 09:00", "shipped": "15 12:00", "delivered": "16 12:00"}
    return [
        {"id": 1} | common | way,
        {"id": 2} | common | way | {"return_requested": "17", "returned": "18"},
        {"id": 3, "paid": "15 09:00"} | common,
        {"id": 4, "paid": "15 09:00", "cancelled": "15 10:00"} | common,
        {"id": 5} | common | way | {"paid": None},
        {"id": 6, "paid": "15 09:00", "refunded": "15 11:00"} | common,
        {"id": 7} | common | way | {"failed_attempt_count": 2, "exception_code": "failed_attempt", "exception_at": "16 10:00"},
        {"id": 8, "region": "R2"} | common | {"paid": "15 09:00", "exception_code": "held", "exception_at": "15 10:00"},
    ]


def moment(desk: Desk, **changes: Any) -> Moment:
    known = replace(desk, **changes)
    return Moment(
        scope=known.scope, version=known.version, as_of=known.as_of, zone=known.zone, targets=known.targets, newest=None
    )


def ask(desk: Desk, *where: Filter, **changes: Any) -> Ways:
    return ways_of(run(desk.lake, build_ways(where, WINDOW, moment(desk, **changes))).to_dicts())


@pytest.fixture
def filled(desk: Desk) -> Desk:
    return desk.filled(orders())


def balance(ways: Ways, milestone: str) -> int:
    """What went on from a milestone or stayed, by all the ways there are."""
    on = sum(n for (start, _), n in ways.moves.items() if start == milestone)
    left = (ways.waiting_from, ways.cancelled, ways.ended)
    return on + sum(counts.get(milestone, 0) for counts in left)


def test_every_order_goes_one_way(filled: Desk) -> None:
    ways = ask(filled)
    assert ways.total == 8
    assert ways.chain == SHORT
    assert ways.reached == {"created": 8, "paid": 7, "shipped": 4, "delivered": 4}
    assert ways.moves == {
        ("created", "paid"): 7,
        ("created", "shipped"): 1,
        ("paid", "shipped"): 3,
        ("shipped", "delivered"): 4,
    }
    assert (ways.waiting, ways.cancelled, ways.ended) == ({"shipped": 2}, {"paid": 1}, {"paid": 1})
    assert (ways.back, ways.retried, ways.attempts) == (1, 1, 2)
    assert ways.exceptions == {"delivered": 1, "shipped": 1}
    assert all(balance(ways, name) == ways.reached[name] for name in SHORT[:-1])


def test_what_comes_later_is_not_known(filled: Desk) -> None:
    """At ten on the 15th: everyone paid or waits for it, nothing was shipped, the cancellation has just come."""
    ways = ask(filled, as_of=AS_OF.replace(day=15, hour=10))
    assert ways.reached == {"created": 8, "paid": 7}
    assert ways.waiting == {"paid": 1, "shipped": 6}
    assert ways.cancelled == {"paid": 1}
    assert ways.exceptions == {"shipped": 1}
    assert ways.back == 0


def test_scope_and_filters_narrow(filled: Desk) -> None:
    assert ask(filled, scope=Scope.of_regions(["R2"])).total == 1
    assert ask(filled, Filter("exception", ("held",))).exceptions == {"shipped": 1}
    assert ask(filled, scope=Scope.NONE).total == 0


def test_a_milestone_that_one_system_reports_twice_is_a_repeat(filled: Desk) -> None:
    """Order 1 was picked twice by the WMS; order 3's two systems each tell of one picking; order 8 lies in another region."""
    told = [
        (1, "wms", "10:00"),
        (1, "wms", "11:00"),
        (3, "wms", "10:00"),
        (3, "oms", "10:01"),
        (8, "wms", "10:00"),
        (8, "wms", "12:00"),
    ]
    rows = ", ".join(
        f"('web', '{order}', '{order}{system}{at}', 'picked', TIMESTAMPTZ '2026-03-15 {at}:00+00', '{system}')"
        for order, system, at in told
    )
    cursor = filled.lake.cursor()
    names = "channel, order_id, event_id, milestone, occurred_at, system"
    cursor.execute("DELETE FROM lake.order_events")
    cursor.execute(f"INSERT INTO lake.order_events ({names}) VALUES {rows}")
    desk = replace(filled, version=filled.lake.newest_version())

    def count(**changes: Any) -> list[tuple[Any, ...]]:
        return run(desk.lake, build_repeats((), WINDOW, moment(desk, **changes))).rows()

    assert count() == [("picked", 2)]
    assert count(scope=Scope.of_regions(["R1"])) == [("picked", 1)]
    assert count(as_of=AS_OF.replace(day=15, hour=10, minute=30)) == []
    cursor.execute("DELETE FROM lake.order_events")


def test_an_exception_after_delivery_stays_with_delivery() -> None:
    reached = sum(MILESTONE_BIT[name] for name in SHORT)
    row = {"reached": reached, "is_back": False, "waiting_stage": None, "before_exception": "delivered", "is_retried": False}
    assert ways_of([row | {"order_count": 3, "attempt_count": 0}]).exceptions == {"delivered": 3}


def test_dwells_count_who_waits_apart(filled: Desk) -> None:
    """Paid after an hour, shipped after three; two wait to be shipped since nine on the 15th, 4 days and 15 hours."""
    found = dwells_of(run(filled.lake, build_dwells((), WINDOW, moment(filled))).to_dicts())
    assert {stage: (own.n, own.n_waiting) for stage, own in found.items()} == {
        "paid": (7, 0),
        "shipped": (3, 2),
        "delivered": (4, 0),
    }
    assert quantile(found["shipped"].passed, 0.5) == pytest.approx(3 * 3600, rel=0.03)
    assert quantile(found["shipped"].waiting, 0.5) == pytest.approx((4 * 24 + 15) * 3600, rel=0.03)


@pytest.mark.parametrize("seconds", [1, 59, 600, 86_400, 3_000_000])
def test_a_step_holds_its_times(seconds: int) -> None:
    assert seconds_of(step_at(seconds)) <= seconds + 1e-6
    assert seconds_of(step_at(seconds) + 1) > seconds


def test_no_orders_have_no_quantile() -> None:
    assert quantile(Dwells(passed={}, waiting={}).passed, 0.5) is None
    assert quantile({10: 1, 20: 8, 30: 1}, 0.5) == seconds_of(20.5)
