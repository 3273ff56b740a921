"""Answers ahead of the question: after a new snapshot the sights of the last minutes are in the cache before anyone asks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread

import duckdb
import pytest
from sqlalchemy.exc import OperationalError

from access.reading import Reading
from access.user import User
from access.view import open_view
from data.ingest import ingest
from data.lake import Lake
from data.recent import Horizon, Recent
from pages import PAGES, Page, flow
from pages import map as map_page
from pages.frame import read_filters
from pages.wall import prepare
from queries.scope import Scope
from shell.ahead import EVERYTHING, MOST, MOST_SCOPES, RESTED_SECONDS, SAVED_SECONDS, SHARE, USUAL, Ahead, Allowance, Sight
from tests.data.intake import NOW, contract_of, home, write_csv


def _lead(*regions: str) -> User:
    return User(name="-".join(regions).lower(), display_name="", role="lead", regions=regions)


LEAD, ABSENT = _lead("CN-EAST"), _lead("CN-NORTH")
"""One who looks, and one who is signed in but looks at nothing."""


@pytest.fixture
def reading(tmp_path: Path) -> Iterator[Reading]:
    settings = home(tmp_path)
    rows = [["0001", "2026-01-31 08:00:00", "12.5", "", ""]]
    path = write_csv(tmp_path / "orders_20260201T000000.csv", rows)
    with Lake.open_writer(settings) as lake:
        ingest(lake, contract_of(), (path,), now=NOW)
    opened = Reading(settings)
    yield opened
    opened.close()


@pytest.fixture
def one_usual_sight(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the map as it opens."""
    monkeypatch.setattr("shell.ahead.USUAL", ((USUAL[0][1],),))


def _clock() -> datetime:
    return datetime(2026, 2, 1, 1, tzinfo=UTC)


def _wait_until_settled(ahead: Ahead) -> None:
    deadline = time.monotonic() + 120
    while ahead.state != "settled":
        assert time.monotonic() < deadline, ahead.state
        time.sleep(0.1)


def test_the_first_page_is_asked_before_the_first_visit(reading: Reading) -> None:
    ahead = Ahead()
    thread = Thread(target=ahead.run, args=(reading, _clock), daemon=True)
    thread.start()
    for _ in range(300):
        if reading.cache.state().entries:
            break
        thread.join(0.1)
    ahead.stopping.set()
    thread.join(30)
    asked = reading.cache.state().entries
    assert asked > 0
    manager = User(name="", display_name="", role="manager")
    view = open_view(reading, manager, {}, now=_clock(), language="en", stays_valid=lambda: None)
    prepare(view, {})
    assert reading.cache.state().entries == asked


def test_pages_of_long_questions_are_ready_before_anyone_opens_them(reading: Reading) -> None:
    """In the scope of everyone signed in: what flow and map then ask as they open, their bar included, is all in the cache; and
    what wall and flow ask over a week."""
    ahead = Ahead()
    ahead.note(PAGES[0], LEAD, {})
    thread = Thread(target=ahead.run, args=(reading, _clock), kwargs={"signed_in": lambda now: [ABSENT]}, daemon=True)
    thread.start()
    _wait_until_settled(ahead)
    ahead.stopping.set()
    thread.join(30)
    asked = reading.cache.state().misses
    for user in (EVERYTHING, LEAD, ABSENT):
        view = open_view(reading, user, {}, now=_clock(), language="zh-CN", stays_valid=lambda: None)
        flow.prepare(view, {})
        map_page.prepare(view, {})
        read_filters(view)
        week = {"window": ["7d"]}
        over_a_week = open_view(reading, user, week, now=_clock(), language="zh-CN", stays_valid=lambda: None)
        prepare(over_a_week, week)
        flow.prepare(over_a_week, week)
    assert reading.cache.state().misses == asked > 0


def test_the_usual_sights_are_of_each_scope_once_and_of_few(reading: Reading) -> None:
    ahead = Ahead()
    for region in ("CN-EAST", "CN-SOUTH", "CN-EAST"):
        ahead.note(PAGES[0], _lead(region), {})
    found = ahead.usual([_lead("CN-SOUTH"), ABSENT, EVERYTHING])
    assert {sight.page.url_path for sight in found} == {"wall", "flow", "map"}
    scopes = [(), ("CN-EAST",), ("CN-SOUTH",), ("CN-NORTH",)]
    as_they_open, over_a_week = found[: 2 * len(scopes)], found[2 * len(scopes) :]
    assert [sight.user.regions for sight in as_they_open[::2]] == [sight.user.regions for sight in over_a_week[::2]] == scopes
    week = (("window", ("7d",)),)
    assert {(sight.page.url_path, sight.parameters) for sight in over_a_week} == {("wall", week), ("flow", week)}
    assert not any(sight.parameters for sight in as_they_open)
    many = [_lead("CN-EAST", f"CN-{number}") for number in range(2 * MOST_SCOPES)]
    assert len(ahead.usual(many)) == 4 * MOST_SCOPES


def test_an_allowance_is_a_share_of_the_time_saved_up_to_a_limit() -> None:
    allowance = Allowance()
    allowance.told_at -= 3600
    assert allowance.has_any()
    assert allowance.seconds == SAVED_SECONDS
    allowance.spend(SAVED_SECONDS + 10)
    assert not allowance.has_any()
    allowance.told_at -= 41
    assert allowance.has_any()
    assert allowance.seconds == pytest.approx(41 * SHARE - 10, abs=0.1)


def _wait_until_only_ready(ahead: Ahead, thread: Thread) -> None:
    """Return once the first page is ready and, a while later, none of the usual sights is."""
    deadline = time.monotonic() + 30
    while ahead.state != "ready":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    thread.join(1.5)
    assert (ahead.state, ahead.ready) == ("ready", {})


@pytest.mark.usefixtures("one_usual_sight")
def test_what_may_not_be_spent_is_left_for_later(reading: Reading) -> None:
    ahead = Ahead()
    ahead.allowance.seconds = -1000.0
    thread = Thread(target=ahead.run, args=(reading, _clock), daemon=True)
    thread.start()
    _wait_until_only_ready(ahead, thread)
    ahead.allowance.seconds = SAVED_SECONDS
    _wait_until_settled(ahead)
    ahead.stopping.set()
    thread.join(30)


@pytest.mark.usefixtures("one_usual_sight")
def test_usual_sights_wait_while_visitors_pages_are_drawn(reading: Reading) -> None:
    ahead, busy = Ahead(), Event()
    busy.set()
    thread = Thread(target=ahead.run, args=(reading, _clock), kwargs={"is_busy": busy.is_set}, daemon=True)
    thread.start()
    _wait_until_only_ready(ahead, thread)
    busy.clear()
    _wait_until_settled(ahead)
    ahead.stopping.set()
    thread.join(30)


@pytest.mark.parametrize("is_filling", [False, True])
def test_while_history_fills_news_is_not_held_back(
    reading: Reading, monkeypatch: pytest.MonkeyPatch, *, is_filling: bool
) -> None:
    monkeypatch.setattr("shell.ahead.filling_share", lambda settings: 0.5 if is_filling else None)
    ahead = Ahead()
    ahead._keep_up(reading)
    assert not reading.announces, "at the start nothing is open that could wait"
    ahead.is_warm = True
    ahead._keep_up(reading)
    assert reading.announces is not is_filling


@pytest.mark.usefixtures("one_usual_sight")
def test_what_becomes_of_news_that_comes_while_usual_sights_are_made_ready(
    reading: Reading, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """From the moment on which the recent orders are brought up to it until it is prepared nobody sees it; then everybody does."""
    ahead, told = Ahead(), dict[int, list[bool]]()
    advance, prepared = Recent.advance, ahead._prepare

    def note(version: int) -> None:
        told.setdefault(version, []).append(reading.is_preparing)

    def advance_and_tell(recent: Recent, version: int, as_of: datetime) -> Horizon | None:
        note(version)
        return advance(recent, version, as_of)

    def prepare_and_tell(given: Reading, clock: Callable[[], datetime], sights: list[Sight]) -> bool:
        note(given.ledger().version)
        if not ahead.ready and len(told) == 1 and ahead.is_warm:
            path = write_csv(tmp_path / "orders_20260201T003000.csv", [["0002", "2026-01-31 09:00:00", "12.5", "", ""]])
            with Lake.open_writer(given.settings) as lake:
                ingest(lake, contract_of(), (path,), now=NOW)
        return prepared(given, clock, sights)

    monkeypatch.setattr(Recent, "advance", advance_and_tell)
    monkeypatch.setattr(ahead, "_prepare", prepare_and_tell)
    thread = Thread(target=ahead.run, args=(reading, _clock), daemon=True)
    thread.start()
    deadline = time.monotonic() + 60
    while len(told) < 2 or ahead.state != "settled":
        assert time.monotonic() < deadline, (told, ahead.state)
        time.sleep(0.05)
    ahead.stopping.set()
    thread.join(30)
    first, second = told.values()
    assert not any(first), "nothing is open yet that could wait"
    assert second[:2] == [True, True], "brought up to date, then prepared"
    assert not any(second[2:])
    assert not reading.is_preparing
    assert 0 < time.monotonic() - reading.ready_at < 60


@pytest.mark.usefixtures("one_usual_sight")
def test_a_store_that_does_not_answer_stops_nothing(reading: Reading) -> None:
    def fail(now: datetime) -> list[User]:
        raise OperationalError("SELECT", {}, OSError("disk"))

    ahead = Ahead()
    thread = Thread(target=ahead.run, args=(reading, _clock), kwargs={"signed_in": fail}, daemon=True)
    thread.start()
    _wait_until_settled(ahead)
    ahead.stopping.set()
    thread.join(30)
    assert {scope for *_, scope in ahead.ready} == {Scope.ALL}


@pytest.mark.usefixtures("one_usual_sight")
def test_a_fault_of_the_engine_ends_nothing(reading: Reading, monkeypatch: pytest.MonkeyPatch) -> None:
    keep_up, faults = reading.keep_up, iter((duckdb.CatalogException("no table"), duckdb.IOException("disk")))

    def fail_at_first() -> None:
        if fault := next(faults, None):
            raise fault
        keep_up()

    monkeypatch.setattr(reading, "keep_up", fail_at_first)
    ahead = Ahead()
    thread = Thread(target=ahead.run, args=(reading, _clock), daemon=True)
    thread.start()
    _wait_until_settled(ahead)
    ahead.stopping.set()
    thread.join(30)
    assert next(faults, None) is None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.url_path)
def test_every_page_that_is_open_can_be_prepared(reading: Reading, page: Page) -> None:
    admin = User(name="root", display_name="", role="admin", regions=("*",))
    assert Ahead()._prepare(reading, _clock, [Sight(page=page, user=admin, parameters=())])


@pytest.mark.parametrize("is_stopping", [False, True])
def test_what_a_stop_cuts_off_is_not_logged_as_a_fault(
    reading: Reading, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, is_stopping: bool
) -> None:
    ahead = Ahead()

    def cut_off() -> None:
        if is_stopping:
            ahead.stopping.set()
        raise duckdb.ConnectionException("closed")

    monkeypatch.setattr(reading, "keep_up", cut_off)
    ahead._keep_up(reading)
    assert [record.message for record in caplog.records] == (
        [] if is_stopping else ["the recent orders could not be brought up to date"]
    )


def test_while_history_fills_recent_orders_are_read_rarely(reading: Reading) -> None:
    progress = reading.settings.home / "demo" / "progress.json"
    progress.parent.mkdir()
    progress.write_text('{"done": 1, "total": 9}', encoding="utf-8")
    ahead, version = Ahead(), reading.ledger().version
    ahead._keep_up(reading)
    assert reading.horizon(version) is None
    assert ahead.kept_up_at is not None
    ahead.kept_up_at -= RESTED_SECONDS
    ahead._keep_up(reading)
    assert reading.horizon(version) is not None
    progress.write_text('{"done": 9, "total": 9}', encoding="utf-8")
    at = ahead.kept_up_at
    ahead._keep_up(reading)
    assert ahead.kept_up_at > at


def test_only_the_latest_sights_are_kept_ready() -> None:
    ahead = Ahead()
    for number in range(MOST + 3):
        ahead.note(PAGES[0], LEAD, {"window": [f"{number + 1}h"]})
    windows = {sight.parameters for sight in ahead.recent()}
    assert len(windows) == MOST
    assert (("window", (f"{MOST + 3}h",)),) in windows


def test_a_sight_keeps_its_users_scope(reading: Reading) -> None:
    ahead = Ahead()
    ahead.note(PAGES[0], LEAD, {})
    (sight,) = ahead.recent()
    view = open_view(reading, sight.user, {}, now=_clock(), language="en", stays_valid=lambda: None)
    assert view.scope.regions == ("CN-EAST",)


def test_a_sight_outlives_a_quiet_minute_but_not_the_evening() -> None:
    ahead = Ahead()
    ahead.note(PAGES[0], LEAD, {})
    (sight,) = ahead.sights
    ahead.sights[sight] -= 120
    assert ahead.recent() == [sight]
    ahead.sights[sight] -= 3600
    assert ahead.recent() == []
