"""The weekly sign of life: once a week and receiver, over restarts and any number of workers, with counts of the own regions."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, update

from access.store import open_store
from alerts.heartbeat import plan_heartbeat, week_instant
from alerts.send import send_due
from alerts.tables import OUTBOX, RULES
from tests.alerts.bench import HOUR, START, Bench, hourly
from tests.alerts.server import serve
from tests.alerts.test_send import OK, _sender

ZONE = ZoneInfo("Asia/Shanghai")
MONDAY = datetime(2026, 3, 16, 1, 0, tzinfo=UTC)  # nine o'clock in Shanghai
WEEK = timedelta(days=7)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (MONDAY, MONDAY),
        (MONDAY - timedelta(seconds=1), MONDAY - WEEK),
        (MONDAY + timedelta(days=6, hours=23), MONDAY),
        (MONDAY + WEEK, MONDAY + WEEK),
    ],
)
def test_the_week_begins_on_monday_at_nine_of_the_business_zone(now: datetime, expected: datetime) -> None:
    assert week_instant(now, ZONE) == expected


def _heartbeats(bench: Bench) -> list[str]:
    with bench.store.connect() as connection:
        query = select(OUTBOX.c.receiver).where(OUTBOX.c.message == "heartbeat").order_by(OUTBOX.c.id)
        return list(connection.execute(query).scalars())


def test_each_receiver_hears_once_a_week_over_restarts(bench: Bench) -> None:
    for name in ("desk", "south"):
        bench.receiver(name)
    bench.publish()
    again = open_store(bench.settings)
    for hours in (0, 1, 30, 100):
        plan_heartbeat(bench.store, ZONE, MONDAY + hours * HOUR)
        plan_heartbeat(again, ZONE, MONDAY + hours * HOUR)
    assert _heartbeats(bench) == ["desk", "south"]
    plan_heartbeat(again, ZONE, MONDAY + 3 * WEEK + HOUR)  # two weeks were missed: they stay missed
    assert _heartbeats(bench) == ["desk", "south"] * 2
    again.dispose()


def test_workers_that_plan_at_once_write_one_message(bench: Bench) -> None:
    bench.receiver()
    bench.publish()
    stores = [open_store(bench.settings) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        counts = list(pool.map(lambda store: plan_heartbeat(store, ZONE, MONDAY), stores * 2))
    assert sorted(counts) == [0] * 7 + [1]
    assert _heartbeats(bench) == ["desk"]
    for store in stores:
        store.dispose()


def test_a_home_whose_first_rule_is_younger_than_the_week_says_nothing_yet(bench: Bench) -> None:
    bench.receiver()
    assert plan_heartbeat(bench.store, ZONE, MONDAY) == 0
    bench.publish()
    with bench.store.begin() as connection:
        connection.execute(update(RULES).values(created_at=MONDAY + HOUR))
    assert plan_heartbeat(bench.store, ZONE, MONDAY + 2 * HOUR) == 0
    assert plan_heartbeat(bench.store, ZONE, MONDAY + WEEK) == 1


def test_the_message_counts_what_the_receiver_may_know_of_and_failures(bench: Bench) -> None:
    with serve((500, b"no"), (200, b"ok")) as server:
        bench.receiver("all", channel="slack", url=server.url)
        bench.receiver("west", channel="slack", regions=["R2"], url=server.url)
        bench.publish(receivers=["all"])
        filled = bench.filled(hourly({"R1": [3, 3], "R2": [1, 4]}))
        filled.evaluate(1)
        filled.evaluate(2)
        with bench.store.begin() as connection:
            connection.execute(update(OUTBOX).values(status="dead", done_at=START + HOUR))
        plan_heartbeat(bench.store, ZONE, MONDAY)
        server.answers[:] = [(*OK, {})]
        assert send_due(_sender(bench), MONDAY) == 2
        texts = [json.loads(body)["text"] for _, _, body in server.asked]
    assert "1 rules are live; 2 alerts in the last week, 2 messages could not be delivered" in texts[0]
    assert "1 rules are live; 1 alerts in the last week, 0 messages could not be delivered" in texts[1]
    assert send_due(_sender(bench), MONDAY + HOUR) == 0


def test_a_receiver_that_is_down_is_tried_again_alone(bench: Bench) -> None:
    with serve((503, b"busy"), (200, b"ok")) as server:
        bench.receiver("all", channel="slack", url=server.url)
        bench.publish(receivers=[])
        plan_heartbeat(bench.store, ZONE, MONDAY)
        assert send_due(_sender(bench), MONDAY) == 0
        assert send_due(_sender(bench), MONDAY + timedelta(seconds=6)) == 1
        assert len(server.asked) == 2
