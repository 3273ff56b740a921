"""Answers ahead of the question: after a new snapshot the sights of the last minutes are in the cache before anyone asks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import pytest

from access.reading import Reading
from access.user import User
from access.view import open_view
from data.ingest import ingest
from data.lake import Lake
from pages import PAGES, flow
from pages import map as map_page
from pages.wall import prepare
from shell.ahead import EVERYTHING, MOST, MOST_SCOPES, USUAL, Ahead
from tests.data.intake import NOW, contract_of, home, write_csv

LEAD = User(name="east", display_name="", role="lead", regions=("CN-EAST",))


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


def _clock() -> datetime:
    return datetime(2026, 2, 1, 1, tzinfo=UTC)


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
    """In every visitor's scope: what flow and map then ask as they open is all in the cache."""
    ahead = Ahead()
    ahead.note(PAGES[0], LEAD, {})
    thread = Thread(target=ahead.run, args=(reading, _clock), daemon=True)
    thread.start()
    for _ in range(300):
        if ahead.ready is not None:
            break
        thread.join(0.1)
    ahead.stopping.set()
    thread.join(30)
    asked = reading.cache.state().entries
    for user in (EVERYTHING, LEAD):
        view = open_view(reading, user, {}, now=_clock(), language="zh-CN", stays_valid=lambda: None)
        flow.prepare(view, {})
        map_page.prepare(view, {})
    assert reading.cache.state().entries == asked > 0


def test_the_usual_sights_are_of_few_scopes(reading: Reading) -> None:
    ahead = Ahead()
    for region in ("CN-EAST", "CN-SOUTH", "CN-NORTH", "CN-EAST"):
        ahead.note(PAGES[0], User(name=region, display_name="", role="lead", regions=(region,)), {})
    assert len(ahead.usual()) == len(USUAL) * MOST_SCOPES
    assert {sight.page.url_path for sight in ahead.usual()} == {"flow", "map"}
    assert ahead.usual()[0].user == EVERYTHING


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
