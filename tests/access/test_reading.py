"""What the interface knows of the lake: the newest snapshot, what was known then, and how old each source is."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

import data.lake
from access.freshness import Promise, filling_share, is_worker_silent, judge_sources
from access.reading import EmptyLake, Reading
from config import Settings
from data.lake import Lake, LakeError

DAY = datetime(2026, 3, 2, tzinfo=UTC)


def _hour(hour: int) -> datetime:
    return DAY + timedelta(hours=hour)


def _commit(settings: Settings, snapshot: int, source: str, as_of: datetime, *, state: str = "accepted") -> None:
    with Lake.open_writer(settings) as lake:
        connection = lake.cursor()
        connection.execute("BEGIN")
        connection.execute(
            "INSERT INTO lake.snapshots (snapshot_id, source, state, as_of) VALUES (?, ?, ?, ?)", [snapshot, source, state, as_of]
        )
        connection.execute(
            "CALL lake.set_commit_message('test', 'test', extra_info => ?)", [json.dumps({"snapshot_id": snapshot})]
        )
        connection.execute("COMMIT")


@pytest.fixture
def ticks() -> list[float]:
    """The seconds of the reading's clock; append to let time pass."""
    return [0.0]


@pytest.fixture
def reading(settings: Settings, ticks: list[float]) -> Iterator[Reading]:
    """A reading of three snapshots: oms 08:00, wms 09:00, oms 10:00."""
    for snapshot, source, hour in ((1, "oms", 8), (2, "wms", 9), (3, "oms", 10)):
        _commit(settings, snapshot, source, _hour(hour))
    opened = Reading(settings, clock=lambda: ticks[-1])
    yield opened
    opened.close()


def test_newest_ledger_has_each_sources_newest_instant(reading: Reading) -> None:
    ledger = reading.ledger()
    assert (ledger.snapshot, ledger.as_of) == (3, _hour(10))
    assert ledger.sources == (("oms", _hour(10)), ("wms", _hour(9)))


def test_new_snapshot_is_seen_after_the_poll(reading: Reading, settings: Settings, ticks: list[float]) -> None:
    before = reading.ledger()
    _commit(settings, 4, "tms", _hour(11))
    assert reading.ledger() is before
    ticks.append(1.0)
    assert reading.ledger().snapshot == 4


def test_refused_snapshot_is_no_news(reading: Reading, settings: Settings, ticks: list[float]) -> None:
    _commit(settings, 4, "oms", _hour(12), state="refused")
    ticks.append(1.0)
    assert (reading.ledger().snapshot, reading.ledger().as_of) == (3, _hour(10))


def test_known_then_is_the_newest_snapshot_not_later_than_the_instant(reading: Reading) -> None:
    ledger = reading.ledger(until=_hour(9))
    assert ledger.snapshot == 2
    assert ledger.sources == (("oms", _hour(8)), ("wms", _hour(9)))
    assert ledger.version < reading.ledger().version


def test_before_the_first_snapshot_nothing_is_known(reading: Reading) -> None:
    ledger = reading.ledger(until=_hour(7))
    assert (ledger.snapshot, ledger.as_of, ledger.sources) == (0, None, ())


def test_chosen_snapshot_is_read_as_it_was(reading: Reading) -> None:
    assert reading.ledger(snapshot=1).sources == (("oms", _hour(8)),)


def test_snapshot_that_is_not_kept_names_those_that_are(reading: Reading) -> None:
    with pytest.raises(LakeError, match="kept are 1 to 3"):
        reading.ledger(snapshot=99)


def test_lake_without_its_tables_yet_is_empty_until_it_has_them(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    own = replace(settings, home=settings.home / "new")
    with monkeypatch.context() as laying_out:
        laying_out.setattr(data.lake, "_create_tables", lambda connection: None)
        with Lake.open_writer(own):
            pass
    seconds = [0.0]
    opened = Reading(own, clock=lambda: seconds[0])
    for ask in (opened.ledger, opened.keep_up):
        with pytest.raises(EmptyLake, match="being laid out"):
            ask()
    with Lake.open_writer(own):
        pass
    seconds[0] = 60
    opened.keep_up()
    assert opened.ledger().snapshot == 0
    opened.close()


def test_home_without_a_lake_is_empty_until_there_is_one(settings: Settings) -> None:
    reading = Reading(settings)
    with pytest.raises(EmptyLake):
        reading.ledger()
    _commit(settings, 1, "oms", _hour(8))
    assert reading.ledger().snapshot == 1
    reading.close()


LIVE = Promise(owner="oms@example.com", warn_after_seconds=300, error_after_seconds=1800)


@pytest.mark.parametrize(
    ("age_seconds", "state"),
    [(0, "fresh"), (300, "fresh"), (301, "late"), (1800, "late"), (1801, "stale"), (-60, "fresh")],
)
def test_age_is_judged_by_the_contract(age_seconds: int, state: str) -> None:
    (source,) = judge_sources([("oms", DAY)], {"oms": LIVE}, DAY + timedelta(seconds=age_seconds))
    assert source.state == state
    assert source.age_seconds == max(0, age_seconds)
    assert source.owner == "oms@example.com"


@pytest.mark.parametrize("promises", [{}, {"oms": Promise(owner="x", warn_after_seconds=None, error_after_seconds=None)}])
def test_source_delivered_once_never_goes_stale(promises: dict[str, Promise]) -> None:
    (source,) = judge_sources([("oms", DAY)], promises, DAY + timedelta(days=1000))
    assert source.state == "once"


def _beat(settings: Settings, at: datetime, text: str = "10.0") -> None:
    heartbeat = settings.home / "worker.heartbeat"
    heartbeat.write_text(text, encoding="utf-8")
    os.utime(heartbeat, (at.timestamp(), at.timestamp()))


@pytest.mark.parametrize(
    ("text", "age_seconds", "is_silent"), [("10.0", 30, False), ("10.0", 31, True), ("60", 31, False), ("?", 31, True)]
)
def test_worker_is_silent_after_three_periods(settings: Settings, text: str, age_seconds: int, is_silent: bool) -> None:
    _beat(settings, DAY, text)
    assert is_worker_silent(settings, DAY + timedelta(seconds=age_seconds)) is is_silent


def test_home_that_never_had_a_worker_is_not_silent(settings: Settings) -> None:
    assert not is_worker_silent(settings, DAY)


@pytest.mark.parametrize(
    ("text", "share"),
    [('{"done": 1, "total": 4}', 0.25), ('{"done": 4, "total": 4}', None), ("{", None), ('{"done": 1}', None), ("[]", None)],
)
def test_filling_is_told_until_it_is_done(settings: Settings, text: str, share: float | None) -> None:
    (settings.home / "demo").mkdir()
    (settings.home / "demo" / "progress.json").write_text(text, encoding="utf-8")
    assert filling_share(settings) == share
