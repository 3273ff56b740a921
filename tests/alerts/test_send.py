"""The sending loop: once, in order, with reasons; silences, hours, limits, retries, repeats."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select

from access.audit import Actor
from access.audit_rows import list_audit
from access.present_scope import present_scope
from alerts.deeds import Episode, do, undo
from alerts.delivery import Line
from alerts.destination import AllowList
from alerts.lifecycle import set_status
from alerts.outbox import RETRIES, retry_at
from alerts.repeats import plan_repeats
from alerts.rule import RuleError
from alerts.send import Sender, send_due
from alerts.silences import end_silence, set_silence
from alerts.tables import OUTBOX
from data.erase import find_bytes
from pages.telling import Telling
from queries.scope import Scope
from tests.alerts.bench import BOSS, HOUR, START, Bench, hourly
from tests.alerts.server import Script, serve

OK = (200, b"ok")
LI = Actor(name="li")
FIRED_AT = START + HOUR
SOON = timedelta(minutes=1)


def _sender(bench: Bench, holder: str = "one") -> Sender:
    allowed = AllowList(private=("127.0.0.1",))
    return Sender(
        store=bench.store,
        line=lambda now: Line(allowed=allowed, environment={}, now=now, timeout=2),
        words=Telling(zone=bench.desk.zone),
        zone=bench.desk.zone,
        holder=holder,
        chance=lambda: 0.0,
        sight=partial(present_scope, bench.store),
    )


@pytest.fixture
def server() -> Iterator[Script]:
    """A Slack that takes everything."""
    with serve(OK) as script:
        yield script


def _fired(bench: Bench, server: Script, series: dict[str, list[int]] | None = None, **rule: Any) -> Bench:
    """A bench whose rule fires in R1 at hour 1, its receiver a Slack on this machine."""
    bench.receiver(channel="slack", url=server.url)
    bench.publish(**rule)
    bench = bench.filled(hourly(series or {"R1": [3, 3, 1, 1], "R2": [1, 1, 1, 1]}))
    bench.evaluate(1)
    return bench


def _rows(bench: Bench) -> list[tuple[str, str, str]]:
    with bench.store.connect() as connection:
        return [(row.message, row.status, row.reason) for row in connection.execute(select(OUTBOX).order_by(OUTBOX.c.id))]


def test_message_waits_for_its_group_then_goes_once(bench: Bench, server: Script) -> None:
    bench = _fired(bench, server)
    sender = _sender(bench)
    assert send_due(sender, FIRED_AT + timedelta(seconds=29)) == 0
    assert send_due(sender, FIRED_AT + timedelta(seconds=30)) == 1
    assert send_due(sender, FIRED_AT + SOON) == 0
    assert b"R1: 3 (&gt; 2), since 03-10 01:00" in server.asked[0][2]
    assert _rows(bench) == [("firing", "sent", "")]


def test_groups_of_one_rule_go_in_one_message(bench: Bench, server: Script) -> None:
    bench = _fired(bench, server, {"R1": [3], "R2": [4]})
    assert send_due(_sender(bench), FIRED_AT + SOON) == 1
    assert b"R1: 3" in server.asked[0][2]
    assert b"R2: 4" in server.asked[0][2]


def test_what_people_write_is_kept_without_phone_numbers(bench: Bench, server: Script) -> None:
    bench, note = _fired(bench, server), "ring 13812345678 or li@post.example"
    do(
        bench.store,
        Episode(rule="busy", group_key='["R1"]', episode_at=FIRED_AT),
        "acknowledge",
        LI,
        Scope.ALL,
        now=FIRED_AT,
        note=note,
    )
    set_silence(bench.store, {"rule": "busy"}, LI, now=FIRED_AT, ends_at=FIRED_AT + HOUR, note=note)
    set_status(bench.store, "busy", "paused", BOSS, reason=note, now=FIRED_AT)
    assert find_bytes(bench.settings.home, ["13812345678", "li@post.example"]) == []
    assert find_bytes(bench.settings.home, ["138****5678"]) != []


def test_next_message_of_a_rule_waits_five_minutes(bench: Bench, server: Script) -> None:
    bench = _fired(bench, server)
    sender = _sender(bench)
    send_due(sender, FIRED_AT + SOON)
    bench.evaluate(3, now=FIRED_AT + SOON)
    assert send_due(sender, FIRED_AT + 5 * SOON) == 0
    assert send_due(sender, FIRED_AT + 6 * SOON) == 1


def test_two_loops_send_once(bench: Bench, server: Script) -> None:
    bench = _fired(bench, server)
    assert send_due(_sender(bench, "one"), FIRED_AT + SOON) + send_due(_sender(bench, "two"), FIRED_AT + SOON) == 1
    assert len(server.asked) == 1


def test_loop_that_died_while_sending_is_taken_over_after_its_lease(bench: Bench, server: Script) -> None:
    bench = _fired(bench, server)
    dying = _sender(bench, "dying")

    class Died(Exception):
        """The process ends here."""

    def die(now: datetime) -> Line:
        raise Died

    with pytest.raises(Died):
        send_due(Sender(**{**vars(dying), "line": die}), FIRED_AT + SOON)
    assert send_due(_sender(bench), FIRED_AT + 2 * SOON) == 0
    assert send_due(_sender(bench), FIRED_AT + 3 * SOON) == 1


def test_only_the_receiver_that_failed_is_tried_again_with_growing_pauses(bench: Bench, server: Script) -> None:
    with serve((500, b""), (500, b""), OK) as broken:
        bench.receiver("other", channel="slack", url=broken.url)
        bench = _fired(bench, server, receivers=["desk", "other"])
        sender, at = _sender(bench), FIRED_AT + SOON
        send_due(sender, at)
        assert (len(server.asked), len(broken.asked)) == (1, 1)
        assert send_due(sender, at + timedelta(seconds=4)) == 0
        send_due(sender, at + timedelta(seconds=5))
        assert len(broken.asked) == 2
        assert send_due(sender, at + timedelta(seconds=5 + 5 * 60)) == 1
        assert (len(server.asked), len(broken.asked)) == (1, 3)


def test_endpoint_down_for_hours_loses_and_doubles_nothing_and_keeps_the_order(bench: Bench, server: Script) -> None:
    with serve(*[(503, b"")] * 3, OK) as broken:
        bench = _fired(bench, broken)
        sender = _sender(bench)
        for minute in range(3 * 60):
            if minute == 120:
                bench.evaluate(3, now=FIRED_AT + minute * SOON)
            send_due(sender, FIRED_AT + minute * SOON)
        bodies = [body for _, _, body in broken.asked[3:]]
    assert len(bodies) == 2
    assert b"since" in bodies[0]
    assert b"over" in bodies[1]
    assert [status for _, status, _ in _rows(bench)] == ["sent", "sent"]


def test_permanent_refusal_is_dead_with_its_reason(bench: Bench) -> None:
    with serve((403, b"invalid_token")) as broken:
        bench = _fired(bench, broken)
        send_due(_sender(bench), FIRED_AT + SOON)
    assert _rows(bench) == [("firing", "dead", "answered 403")]


def test_retries_end(bench: Bench) -> None:
    assert [retry_at(START, attempts, jitter=0) for attempts in (1, 2, 6, 7)] == [
        START + timedelta(seconds=5),
        START + timedelta(minutes=5),
        START + timedelta(hours=10),
        None,
    ]
    assert retry_at(START, 1, jitter=1) == START + RETRIES[1] * 1.1
    assert retry_at(START, 1, jitter=0, wait_seconds=120) == START + timedelta(minutes=2)


def test_silence_holds_back_and_the_message_resumes_if_it_still_fires(bench: Bench, server: Script) -> None:
    bench = _fired(bench, server, {"R1": [3] * 8})
    sender = _sender(bench)
    set_silence(bench.store, {"rule": "busy"}, LI, now=FIRED_AT, ends_at=FIRED_AT + HOUR)
    assert send_due(sender, FIRED_AT + SOON) == 0
    assert _rows(bench)[0][1:] == ("waiting", "silenced until 2026-03-10 02:00 UTC")
    assert send_due(sender, FIRED_AT + HOUR) == 1


def test_silenced_alert_that_is_over_is_never_told(bench: Bench, server: Script) -> None:
    bench = _fired(bench, server)
    sender = _sender(bench)
    number = set_silence(bench.store, {"region": "R1"}, LI, now=FIRED_AT, ends_at=FIRED_AT + 5 * HOUR)
    send_due(sender, FIRED_AT + SOON)
    bench.evaluate(3)
    end_silence(bench.store, number, LI, now=FIRED_AT + 3 * HOUR)
    done = [(row.action, row.actor) for row in list_audit(bench.store, limit=2)]
    assert done == [("silence_ended", "li"), ("silence_set", "li")]
    for hour in range(3, 7):
        send_due(sender, FIRED_AT + hour * HOUR)
    assert server.asked == []
    assert [status for _, status, _ in _rows(bench)] == ["withheld", "withheld"]


def test_silence_elsewhere_holds_nothing_back(bench: Bench, server: Script) -> None:
    bench = _fired(bench, server)
    set_silence(bench.store, {"rule": "busy", "region": "R2"}, LI, now=FIRED_AT, ends_at=FIRED_AT + HOUR)
    assert send_due(_sender(bench), FIRED_AT + SOON) == 1


def test_of_two_silences_the_longer_counts_and_ending_one_leaves_the_other(bench: Bench, server: Script) -> None:
    bench = _fired(bench, server, {"R1": [3] * 8})
    sender = _sender(bench)
    first = set_silence(bench.store, {"rule": "busy"}, LI, now=FIRED_AT, ends_at=FIRED_AT + HOUR)
    set_silence(bench.store, {"region": "R1"}, LI, now=FIRED_AT, ends_at=FIRED_AT + 3 * HOUR)
    end_silence(bench.store, first, LI, now=FIRED_AT + SOON)
    for hour in (0, 1, 2):
        assert send_due(sender, FIRED_AT + hour * HOUR + 2 * SOON) == 0
    assert send_due(sender, FIRED_AT + 3 * HOUR + SOON) == 1


def test_a_silence_of_the_warning_lets_the_critical_through(bench: Bench, server: Script) -> None:
    bench = _fired(bench, server, {"R1": [3, 3, 9, 9]}, critical=8)
    sender = _sender(bench)
    set_silence(bench.store, {"rule": "busy", "level": "warning"}, LI, now=FIRED_AT, ends_at=FIRED_AT + 9 * HOUR)
    assert send_due(sender, FIRED_AT + SOON) == 0
    bench.evaluate(3)
    assert send_due(sender, FIRED_AT + 2 * HOUR + SOON) == 1


@pytest.mark.parametrize(("matchers", "hours"), [({}, 1), ({"regoin": "R1"}, 1), ({"rule": "x"}, 0), ({"rule": "x"}, 24 * 31)])
def test_silence_needs_a_matcher_and_an_end(bench: Bench, matchers: dict[str, str], hours: int) -> None:
    with pytest.raises(RuleError):
        set_silence(bench.store, matchers, LI, now=START, ends_at=START + hours * HOUR)


def test_outside_its_hours_a_rule_says_nothing_until_they_begin(bench: Bench, server: Script) -> None:
    bench = _fired(bench, server, {"R1": [3] * 12}, schedule={"kind": "business_hours", "start_hour": 9, "end_hour": 18})
    assert send_due(_sender(bench), FIRED_AT + SOON) == 0
    assert send_due(_sender(bench), START + 9 * HOUR) == 1


def test_more_than_a_receiver_takes_in_an_hour_becomes_a_digest(bench: Bench, server: Script) -> None:
    bench.receiver("few", channel="slack", url=server.url)
    with bench.store.begin() as connection:
        connection.exec_driver_sql("UPDATE alert_receivers SET per_hour = 1 WHERE name = 'few'")
    bench.publish("a", receivers=["few"])
    bench.publish("b", receivers=["few"])
    bench = bench.filled(hourly({"R1": [3, 3]}))
    bench.evaluate(1)
    send_due(_sender(bench), FIRED_AT + SOON)
    assert [status for _, status, _ in _rows(bench)] == ["sent", "digest"]
    send_due(_sender(bench), FIRED_AT + HOUR + SOON)
    assert b"Digest: 1 changes" in server.asked[-1][2]
    assert [status for _, status, _ in _rows(bench)] == ["sent", "sent"]


def test_it_is_told_again_until_somebody_acknowledges(bench: Bench, server: Script) -> None:
    bench = _fired(bench, server, {"R1": [3] * 20})
    sender, repeats = _sender(bench), {"busy": 4 * HOUR}
    send_due(sender, FIRED_AT + SOON)
    assert plan_repeats(bench.store, repeats, FIRED_AT + 4 * HOUR) == 0
    assert plan_repeats(bench.store, repeats, FIRED_AT + 4 * HOUR + SOON) == 1
    assert plan_repeats(bench.store, repeats, FIRED_AT + 4 * HOUR + SOON) == 0
    assert send_due(sender, FIRED_AT + 4 * HOUR + SOON) == 1
    episode = Episode(rule="busy", group_key='["R1"]', episode_at=FIRED_AT)
    number = do(bench.store, episode, "acknowledge", LI, Scope.ALL, now=FIRED_AT + 5 * HOUR, note="on it")
    assert plan_repeats(bench.store, repeats, FIRED_AT + 9 * HOUR) == 0
    undo(bench.store, number, LI, Scope.ALL, now=FIRED_AT + 9 * HOUR)
    assert plan_repeats(bench.store, repeats, FIRED_AT + 9 * HOUR) == 1


def test_deed_on_an_alert_outside_the_scope_finds_no_alert(bench: Bench, server: Script) -> None:
    bench = _fired(bench, server)
    episode = Episode(rule="busy", group_key='["R1"]', episode_at=FIRED_AT)
    with pytest.raises(RuleError, match="no such alert"):
        do(bench.store, episode, "acknowledge", LI, Scope.of_regions(["R2"]), now=FIRED_AT)
    assert do(bench.store, episode, "verdict", LI, Scope.of_regions(["R1"]), now=FIRED_AT, value="useful") == 1
