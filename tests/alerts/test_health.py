"""Watching the watching: a silent source and a rule that fails are alerts, and neither stops anything else."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select, update

from access.freshness import FreshnessState, SourceFreshness
from access.store import writing
from alerts.health import watch_health
from alerts.health_of import read_health
from alerts.tables import OUTBOX, VERSIONS
from tests.alerts.bench import HOUR, START, Bench, hourly

MINUTE = timedelta(minutes=1)


def _sources(**states: FreshnessState) -> Sequence[SourceFreshness]:
    return [SourceFreshness(source=name, as_of=START, age_seconds=0, state=state, owner="o") for name, state in states.items()]


def _told(bench: Bench) -> list[tuple[str, str, str]]:
    with bench.store.connect() as connection:
        rows = connection.execute(select(OUTBOX.c.rule, OUTBOX.c.group_key, OUTBOX.c.message).order_by(OUTBOX.c.id))
        return [(rule, key, message) for rule, key, message in rows if rule.startswith("system:")]


def _watch(bench: Bench, at: datetime, **states: FreshnessState) -> int:
    return watch_health(bench.store, _sources(**states), now=at)


def test_silent_source_is_one_alert_until_it_speaks_again(bench: Bench) -> None:
    bench.receiver()
    _watch(bench, START, oms="fresh", tms="once", wms="late")
    for minute in (1, 2, 3):
        _watch(bench, START + minute * MINUTE, oms="stale", tms="once", wms="late")
    _watch(bench, START + 4 * MINUTE, oms="fresh", tms="once", wms="late")
    assert _told(bench) == [("system:source-silent", '["oms"]', message) for message in ("firing", "resolved")]


def test_three_failures_in_a_row_are_one_alert_and_every_other_rule_runs_on(bench: Bench) -> None:
    bench.receiver()
    bench.publish("busy")
    bench.publish("wide", max_instances=1, receivers=[])
    bench = bench.filled(hourly({"R1": [3] * 9, "R2": [1] * 9}))
    counts = []
    for hour in range(1, 6):
        notes = bench.evaluate(hour).notes
        assert len(notes) == 1
        assert "2 groups are more than max_instances 1" in notes[0]
        _watch(bench, START + hour * HOUR, oms="fresh")
        counts.append(len(_told(bench)))
    assert counts == [0, 0, 1, 1, 1]
    assert _told(bench) == [("system:rule-fails", '["wide"]', "firing")]
    assert (read_health(bench.store)["wide"].errors, read_health(bench.store)["busy"].errors) == (5, 0)
    assert bench.history()[0] == "1 R1 unknown>firing firing"
    bench.publish("wide", receivers=[])
    bench.evaluate(6)
    _watch(bench, START + 6 * HOUR, oms="fresh")
    assert [message for _, _, message in _told(bench)] == ["firing", "resolved"]


def test_stored_rule_whose_time_zone_is_no_more_is_an_error_of_its_own(bench: Bench) -> None:
    bench.publish("busy")
    bench.publish("old")
    with writing(bench.store) as connection:
        connection.exec_driver_sql("DROP TRIGGER alert_rule_versions_no_update")
        body = connection.execute(select(VERSIONS.c.body).where(VERSIONS.c.rule == "old")).scalar_one()
        zone = {"schedule": {"kind": "business_hours", "time_zone": "Mars/Olympus"}}
        connection.execute(update(VERSIONS).where(VERSIONS.c.rule == "old").values(body={**body, **zone}))
    bench = bench.filled(hourly({"R1": [3, 3]}))
    notes = bench.evaluate(2).notes
    assert [("Mars/Olympus" in note, "rule old" in note) for note in notes] == [(True, True)]
    assert bench.history() == ["2 R1 unknown>firing firing"]
