"""Live evaluation: what is committed, and that it is committed whole, once, and in order."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update

from access.store import writing
from alerts.evaluate import late_since
from alerts.lifecycle import publish, restore, set_status
from alerts.parse import parse_rule
from alerts.pasts import read_trends
from alerts.sampling import Source
from alerts.tables import EVALUATIONS, STATES, VERSIONS
from tests.alerts.bench import BOSS, HOUR, START, Bench, hourly

QUIET, BUSY = 1, 3
STORY = {"R1": [QUIET, BUSY, BUSY, QUIET, QUIET], "R2": [QUIET] * 5}
FIRED = "2 R1 inactive>firing firing"
ENDED = "4 R1 firing>inactive resolved recovered"
STEPS = ("sampled", "stepped", "written", "put out", "committed")


def test_state_history_and_messages_are_committed_together(bench: Bench) -> None:
    bench.receiver()
    bench.publish()
    bench = bench.filled(hourly(STORY))
    for hour in range(1, 6):
        bench.evaluate(hour)
    assert bench.history() == [FIRED, ENDED]
    assert bench.states() == {'["R1"]': "inactive", '["R2"]': "inactive"}
    assert bench.outbox() == [("firing", "desk", "waiting"), ("resolved", "desk", "waiting")]


def test_evaluating_the_same_watermark_again_changes_nothing(bench: Bench) -> None:
    bench.receiver()
    bench.publish()
    bench = bench.filled(hourly(STORY))
    bench.evaluate(2)
    assert bench.evaluate(2.5).rules == 0
    assert bench.evaluate(2).instants == 0
    assert bench.outbox() == [("firing", "desk", "waiting")]


class Killed(Exception):
    """The process ends here."""


@pytest.mark.parametrize("place", range(len(STEPS)))
@pytest.mark.parametrize("hour", [2, 4])
def test_stopped_between_any_two_steps_nothing_is_lost_or_doubled(bench: Bench, place: int, hour: int) -> None:
    bench.receiver()
    bench.publish()
    bench = bench.filled(hourly(STORY))

    def stop(step: str) -> None:
        if step == STEPS[place]:
            raise Killed

    for number in range(1, 6):
        if number == hour:
            with pytest.raises(Killed):
                bench.evaluate(number, checkpoint=stop)
        bench.evaluate(number)
    assert bench.history() == [FIRED, ENDED]
    assert bench.outbox() == [("firing", "desk", "waiting"), ("resolved", "desk", "waiting")]


def test_a_pass_asks_once_for_all_rules_that_share_a_figure_and_once_what_came_late(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[int] = []

    def look(source: Source, snapshot: int) -> datetime | None:
        looked.append(snapshot)
        return late_since(source, snapshot)

    monkeypatch.setattr("alerts.evaluate.late_since", look)
    for number in range(6):
        bench.publish(f"busy-{number}", warning=number, receivers=[])
    bench.publish("dear", metric="order_amount", receivers=[])
    bench = bench.filled(hourly(STORY))
    assert (bench.evaluate(1).queries, looked) == (1, [])
    seen, bench = bench.snapshot, bench.filled(hourly(STORY))
    assert (bench.evaluate(2).queries, looked) == (1, [seen])


def test_two_workers_at_once_do_the_work_once(bench: Bench) -> None:
    bench.receiver()
    for number in range(5):
        bench.publish(f"busy-{number}")
    bench = bench.filled(hourly(STORY))
    bench.evaluate(1)
    barrier = threading.Barrier(2)

    def meet(step: str) -> None:
        if step == "sampled":
            barrier.wait(10)

    workers = [threading.Thread(target=lambda: bench.evaluate(2, checkpoint=meet)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    assert bench.history() == [FIRED] * 5
    assert len(bench.outbox()) == 5


def test_missed_instants_are_caught_up_in_order_with_one_message_for_the_end(bench: Bench) -> None:
    bench.receiver()
    bench.publish(critical=4)
    bench = bench.filled(hourly({"R1": [QUIET, BUSY, QUIET, BUSY, 5]}))
    bench.evaluate(1)
    bench.evaluate(5)
    assert [line.split(" ")[0] for line in bench.history()] == ["2", "3", "4", "5"]
    assert bench.outbox() == [("firing", "desk", "waiting")]


def test_what_came_and_went_while_nobody_looked_is_history_without_a_message(bench: Bench) -> None:
    bench.receiver()
    bench.publish()
    bench = bench.filled(hourly({"R1": [QUIET, BUSY, QUIET]}))
    bench.evaluate(1)
    bench.evaluate(3)
    assert len(bench.history()) == 2
    assert bench.outbox() == []


def test_at_most_24_instants_are_caught_up_and_the_gap_is_recorded(bench: Bench) -> None:
    bench.publish()
    bench = bench.filled(hourly({"R1": [QUIET] * 60}))
    bench.evaluate(1)
    assert bench.evaluate(60).instants == 24
    with bench.store.connect() as connection:
        rows = connection.execute(select(EVALUATIONS.c.at, EVALUATIONS.c.detail).order_by(EVALUATIONS.c.at)).all()
    assert [(row.at - START) / HOUR for row in rows] == [1, *range(37, 61)]
    assert rows[1].detail == "35 older instants were skipped"


def test_silent_source_freezes_and_the_frozen_instants_are_recorded(bench: Bench) -> None:
    bench.receiver()
    bench.publish()
    bench = bench.filled(hourly(STORY))
    bench.evaluate(2)
    bench.evaluate(4, state="stale")
    assert bench.states()['["R1"]'] == "firing"
    with bench.store.connect() as connection:
        outcomes = connection.execute(select(EVALUATIONS.c.outcome).order_by(EVALUATIONS.c.at)).scalars().all()
        frozen_by = connection.execute(select(STATES.c.frozen_by)).scalar_one()
    assert (outcomes, frozen_by) == (["evaluated", "frozen", "frozen"], "oms")
    bench.evaluate(5)
    assert bench.history() == ["2 R1 unknown>firing firing", "5 R1 firing>inactive resolved recovered"]


def test_late_data_is_appended_and_told_only_where_the_present_differs(bench: Bench) -> None:
    bench.receiver()
    bench.publish()
    bench = bench.filled(hourly({"R1": [QUIET, QUIET, QUIET]}))
    for hour in (1, 2, 3):
        bench.evaluate(hour)
    assert bench.history() == []
    bench = bench.filled(hourly({"R1": [QUIET, BUSY, QUIET]}), late=START + 1.5 * HOUR)
    bench.evaluate(3)
    assert bench.history() == ["2 R1 inactive>firing restated", "3 R1 firing>inactive restated"]
    assert bench.outbox() == []
    bench = bench.filled(hourly({"R1": [QUIET, BUSY, BUSY]}), late=START + 2.5 * HOUR)
    bench.evaluate(3)
    assert bench.states() == {'["R1"]': "firing"}
    assert bench.history()[2:] == ["3 R1 inactive>firing restated"]
    assert bench.outbox() == [("firing", "desk", "waiting")]
    bench.evaluate(3)
    assert len(bench.outbox()) == 1


def test_rule_that_no_longer_parses_is_an_error_and_disturbs_no_other(bench: Bench) -> None:
    bench.publish("busy")
    bench.publish("old")
    with writing(bench.store) as connection:
        connection.exec_driver_sql("DROP TRIGGER alert_rule_versions_no_update")
        connection.execute(update(VERSIONS).where(VERSIONS.c.rule == "old").values(body={"name": "old", "metric": "gone"}))
    bench = bench.filled(hourly(STORY))
    notes = bench.evaluate(2).notes
    assert len(notes) == 1
    assert "rule old: there is no metric 'gone'" in notes[0]
    assert bench.history() == ["2 R1 unknown>firing firing"]


def test_changed_rule_closes_its_alerts_saying_so(bench: Bench) -> None:
    bench.receiver()
    bench.publish()
    bench = bench.filled(hourly(STORY))
    bench.evaluate(2)
    bench.publish(warning=2.5)
    assert bench.history()[-1] == "2 R1 firing>inactive rule_changed rule_updated"
    bench.evaluate(3)
    assert bench.history()[-1] == "3 R1 unknown>firing firing"
    assert [message for message, _, _ in bench.outbox()] == ["firing", "rule_changed", "firing"]


def test_an_older_version_brought_back_while_firing_closes_the_alert_and_begins_anew(bench: Bench) -> None:
    bench.receiver()
    bench.publish()
    bench = bench.filled(hourly(STORY))
    bench.publish(warning=2.5)
    bench.evaluate(2)
    copy = restore(bench.store, "busy", 1, BOSS, sources=(), now=START)
    publish(bench.store, "busy", copy, BOSS, sources=(), reason="back", now=START)
    assert bench.history()[-1] == "2 R1 firing>inactive rule_changed rule_updated"
    bench.evaluate(3)
    assert bench.history()[-1] == "3 R1 unknown>firing firing"
    assert [message for message, _, _ in bench.outbox()] == ["firing", "rule_changed", "firing"]


def test_changed_words_keep_the_state(bench: Bench) -> None:
    bench.publish()
    bench = bench.filled(hourly(STORY))
    bench.evaluate(2)
    bench.publish(title="Busy hours")
    bench.evaluate(3)
    assert bench.history() == ["2 R1 unknown>firing firing"]


def test_paused_rule_is_not_evaluated_and_resumes_afresh(bench: Bench) -> None:
    bench.publish()
    bench = bench.filled(hourly(STORY))
    bench.evaluate(2)
    set_status(bench.store, "busy", "paused", BOSS, reason="holiday", now=START)
    assert bench.evaluate(3).rules == 0
    set_status(bench.store, "busy", "live", BOSS, reason="back", now=START)
    bench.evaluate(4)
    assert bench.history() == ["2 R1 unknown>firing firing", "2 R1 firing>inactive rule_changed rule_paused"]


def test_receiver_outside_the_region_gets_no_row(bench: Bench) -> None:
    bench.receiver("east", regions=["R1"])
    bench.receiver("west", regions=["R2"])
    bench.receiver("all")
    bench.publish(receivers=["east", "west", "all"])
    bench = bench.filled(hourly(STORY))
    bench.evaluate(2)
    assert sorted(receiver for _, receiver, _ in bench.outbox()) == ["all", "east"]


def test_nationwide_figure_reaches_nobody_with_regions(bench: Bench) -> None:
    bench.receiver("east", regions=["R1"])
    bench.receiver("all")
    bench.publish(receivers=["east", "all"], group_by=[])
    bench = bench.filled(hourly(STORY))
    bench.evaluate(2)
    assert [receiver for _, receiver, _ in bench.outbox()] == ["all"]


def test_two_hundred_rules_over_one_figure_are_one_query(bench: Bench) -> None:
    for number in range(200):
        rule = parse_rule(
            {
                "name": f"r{number}",
                "metric": "order_count",
                "op": ">",
                "warning": number,
                "group_by": ["region"],
                "window": "1h",
                "every": "1h",
            }
        )
        bench.make_live(rule)
    bench = bench.filled(hourly(STORY))
    done = bench.evaluate(2, now=START + timedelta(hours=2))
    assert (done.rules, done.queries) == (200, 1)


def test_rule_past_its_last_day_closes_its_alerts_and_is_evaluated_no_more(bench: Bench) -> None:
    bench.receiver()
    zone = bench.desk.zone
    bench.publish(schedule="campaign", expires_on=(START + 2 * HOUR).astimezone(zone).date().isoformat())
    bench = bench.filled(hourly({"R1": [BUSY] * 30}))
    for hour in (1, 2, 24, 25, 26):
        bench.evaluate(hour)
    lines = bench.history()
    assert lines[0] == "1 R1 unknown>firing firing"
    assert lines[1].endswith("R1 firing>inactive rule_changed rule_paused")
    assert len(lines) == 2
    assert bench.evaluate(27).rules == 0


def test_silence_of_a_source_is_told_although_no_instant_is_due(bench: Bench) -> None:
    bench.publish()
    bench = bench.filled(hourly(STORY))
    bench.evaluate(2)
    bench.evaluate(2, state="stale")
    with bench.store.connect() as connection:
        assert connection.execute(select(STATES.c.frozen_by)).scalar_one() == "oms"
    bench.evaluate(2)
    with bench.store.connect() as connection:
        assert connection.execute(select(STATES.c.frozen_by)).scalar_one() == ""
    assert bench.history() == ["2 R1 unknown>firing firing"]


def test_after_more_instants_than_are_kept_trends_and_restatements_still_work(bench: Bench) -> None:
    bench.publish()
    bench = bench.filled(hourly({"R1": [QUIET] * 30}))
    for hour in range(1, 30):
        bench.evaluate(hour)
    trend = read_trends(bench.store, [("busy", 1)])[("busy", '["R1"]')]
    assert trend == [QUIET] * 24
    bench = bench.filled(hourly({"R1": [QUIET] * 28 + [BUSY, BUSY]}), late=START + 28 * HOUR)
    bench.evaluate(29)
    assert bench.history() == ["29 R1 inactive>firing restated"]
