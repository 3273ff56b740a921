"""What holds a message back, and what must not: silences, levels, catching up, receivers that hang, the digest."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from alerts.send import MOST_SECONDS, send_due
from alerts.silences import set_silence
from tests.alerts.bench import HOUR, START, Bench, hourly
from tests.alerts.server import Script, serve
from tests.alerts.test_send import FIRED_AT, LI, OK, SOON, _fired, _rows, _sender, server

__all__ = ["server"]


def test_silence_of_one_group_does_not_hold_back_the_next(bench: Bench, server: Script) -> None:
    bench = _fired(bench, server, {"R1": [3] * 4, "R2": [1, 3, 3, 3]})
    set_silence(bench.store, {"region": "R1"}, LI, now=FIRED_AT, ends_at=FIRED_AT + 24 * HOUR)
    sender = _sender(bench)
    assert send_due(sender, FIRED_AT + SOON) == 0
    bench.evaluate(2)
    assert send_due(sender, FIRED_AT + HOUR + SOON) == 1
    assert b"R2: 3" in server.asked[0][2]
    assert b"R1" not in server.asked[0][2]


def test_end_of_a_silenced_level_is_silenced_with_it(bench: Bench, server: Script) -> None:
    bench = _fired(bench, server)
    set_silence(bench.store, {"level": "warning"}, LI, now=FIRED_AT, ends_at=FIRED_AT + 24 * HOUR)
    sender = _sender(bench)
    send_due(sender, FIRED_AT + SOON)
    bench.evaluate(3)
    for hour in (3, 10, 25):
        send_due(sender, FIRED_AT + hour * HOUR)
    assert server.asked == []


def test_fall_of_a_level_that_is_over_when_the_silence_ends_is_not_told(bench: Bench, server: Script) -> None:
    bench = _fired(bench, server, {"R1": [5, 3, 1, 1]}, critical=4)
    sender = _sender(bench)
    set_silence(bench.store, {"rule": "busy"}, LI, now=FIRED_AT, ends_at=FIRED_AT + 4 * HOUR)
    for hour in (1, 2, 3):
        bench.evaluate(hour)
        send_due(sender, START + hour * HOUR + SOON)
    send_due(sender, FIRED_AT + 5 * HOUR)
    assert server.asked == []
    assert {status for _, status, _ in _rows(bench)} == {"withheld"}


def test_late_worker_tells_of_the_alert_that_took_the_place_of_another_and_of_its_end(bench: Bench, server: Script) -> None:
    bench = _fired(bench, server, {"R1": [3, 1, 3, 1]})
    sender = _sender(bench)
    send_due(sender, FIRED_AT + SOON)
    bench.evaluate(3)
    send_due(sender, START + 3 * HOUR + SOON)
    bench.evaluate(4)
    send_due(sender, START + 4 * HOUR + SOON)
    assert [message for message, _, _ in _rows(bench)] == ["firing", "firing", "resolved"]
    assert len(server.asked) == 3


def test_receiver_that_hangs_is_asked_once_a_pass_and_after_all_others(bench: Bench, server: Script) -> None:
    with serve(OK, delay=0.5) as hanging:
        bench.receiver("slow", channel="slack", url=hanging.url)
        bench.receiver("desk", channel="slack", url=server.url)
        for name in ("a", "b", "c"):
            bench.publish(name, receivers=["slow", "desk"])
        bench = bench.filled(hourly({"R1": [3, 3]}))
        bench.evaluate(1)
        sender = _sender(bench)
        hasty = replace(sender, line=lambda now: replace(sender.line(now), timeout=0.1))
        assert send_due(hasty, FIRED_AT + SOON) == 3
        assert len(hanging.asked) == 1
        assert send_due(hasty, FIRED_AT + SOON + timedelta(seconds=1)) == 0
        assert len(hanging.asked) == 2


def test_pass_that_takes_too_long_leaves_the_rest_to_the_next(bench: Bench, server: Script) -> None:
    bench.receiver(channel="slack", url=server.url)
    for name in ("a", "b"):
        bench.publish(name)
    bench = bench.filled(hourly({"R1": [3, 3]}))
    bench.evaluate(1)
    clock = iter([0.0, 1.0, MOST_SECONDS + 1, 0.0, 1.0])
    sender = replace(_sender(bench), ticks=lambda: next(clock))
    assert send_due(sender, FIRED_AT + SOON) == 1
    assert send_due(sender, FIRED_AT + SOON) == 1
    assert [status for _, status, _ in _rows(bench)] == ["sent", "sent"]


def test_digest_names_the_rule_as_people_know_it_and_waits_while_silenced(bench: Bench, server: Script) -> None:
    bench.receiver(channel="slack", url=server.url)
    bench.publish(title={"en": "Busy hours"})
    bench = bench.filled(hourly({"R1": [1, *[3, 1] * 5]}))
    for hour in range(1, 12):
        bench.evaluate(hour)
    last, sender = START + 12 * HOUR, _sender(bench)
    set_silence(bench.store, {"rule": "busy"}, LI, now=START, ends_at=last + HOUR)
    send_due(sender, last)
    assert server.asked == []
    send_due(sender, last + 2 * HOUR)
    assert b"Busy hours" in server.asked[-1][2]
