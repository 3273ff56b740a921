"""The recent orders in an engine of their own: right while snapshots come in, and no fault of an engine outlives a question."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from access.reading import Reading
from access.user import User
from access.view import View, open_view
from config import Settings
from data.lake import Lake, LakeError
from queries.query import Query
from queries.run import RunError, run
from tests.data.intake import contract_of, take_in, write_csv

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HEADER = ("id", "created", "region")
CONTRACT = contract_of(columns={"order_id": "id", "channel": "'web'", "created_at": "created", "region_code": "region"})
ADMIN = User(name="root", display_name="", role="admin")
OPEN = Query(metrics=("backlog_count",))
SNAPSHOTS = 4


def _take_in(settings: Settings, folder: Path, number: int) -> None:
    """The snapshot of that number has one more order than the one before, and the same ones again."""
    rows = [(str(order), "2026-03-01 07:00:00", "CN-EAST") for order in range(number)]
    with Lake.open_writer(settings) as lake:
        assert take_in(lake, CONTRACT, write_csv(folder / f"o_20260301T08000{number}.csv", rows, HEADER)).state == "accepted"


@pytest.fixture
def reading(settings: Settings, tmp_path: Path) -> Iterator[Reading]:
    """One order, kept in memory."""
    _take_in(settings, tmp_path, 1)
    opened = Reading(settings, clock=iter(range(1_000_000)).__next__)
    opened.keep_up()
    yield opened
    opened.close()


def _view(reading: Reading) -> View:
    return open_view(reading, ADMIN, {}, now=NOW, language="en", stays_valid=lambda: None)


def _open_orders(view: View) -> int:
    return int(view.run(OPEN)["backlog_count"][0])


def _break_off(lake: Lake) -> None:
    """What a fault inside the engine leaves: a connection that answers nothing any more."""
    lake._connection.close()


def _engine_of_recent(reading: Reading) -> Lake:
    recent = reading._recent
    assert recent is not None
    return recent[0]


def test_engine_of_the_recent_orders_that_breaks_off_costs_no_answer(reading: Reading) -> None:
    view = _view(reading)
    assert reading.horizon(view.version) is not None
    _break_off(_engine_of_recent(reading))
    assert _open_orders(view) == 1
    assert reading.horizon(view.version) is None
    reading.keep_up()
    assert reading.horizon(view.version) is not None


def test_engine_that_breaks_off_while_it_keeps_up_is_told_and_replaced(
    reading: Reading, settings: Settings, tmp_path: Path
) -> None:
    _take_in(settings, tmp_path, 2)
    _break_off(_engine_of_recent(reading))
    with pytest.raises(LakeError, match="recent orders"):
        reading.keep_up()
    assert _open_orders(_view(reading)) == 2
    reading.keep_up()
    assert reading.horizon(_view(reading).version) is not None


def test_lake_whose_engine_breaks_off_is_opened_anew_for_the_same_question(reading: Reading) -> None:
    statement = _view(reading).statement(OPEN)
    _break_off(reading.lake())
    assert int(reading.answer(statement)["backlog_count"][0]) == 1
    _break_off(reading.lake())
    assert reading.ledger().snapshot == 1


def test_lake_that_was_closed_stays_closed(reading: Reading) -> None:
    lake, statement = reading.lake(), _view(reading).statement(OPEN)
    lake.close()
    with pytest.raises(RunError):
        run(lake, statement)


def test_answers_are_those_of_their_snapshot_while_snapshots_come_in(
    reading: Reading, settings: Settings, tmp_path: Path
) -> None:
    """Each snapshot has one order more: side by side with intake and refresh, no answer is of another one's."""
    is_done = threading.Event()
    wrong: list[tuple[int, int]] = []
    seen: set[int] = set()

    def ask() -> None:
        while not is_done.is_set():
            view = _view(reading)
            found = _open_orders(view)
            seen.add(found)
            if found != view.snapshot:
                wrong.append((view.snapshot, found))

    def keep() -> None:
        while not is_done.is_set():
            reading.keep_up()

    threads = [threading.Thread(target=target) for target in (ask, ask, keep)]
    for thread in threads:
        thread.start()
    for number in range(2, SNAPSHOTS + 1):
        _take_in(settings, tmp_path, number)
    is_done.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(seen) > 1
