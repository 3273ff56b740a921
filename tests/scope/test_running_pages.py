"""The running interface, every page, two users hammering at once: the lead's bytes never hold anything of elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine

from access.audit import LOCAL
from access.session import start_session
from access.store import open_store
from access.user import end_user_sessions, set_access, set_disabled, set_password
from config import Settings
from pages import PAGES, Page
from tests.protocol import tab, text_of
from tests.queries.test_laws import EXAMPLES
from tests.scope.conftest import MARK
from tests.serving import Served, serve

QUERIES = (
    "",
    "window=7d",
    "region=CN-SOUTH",
    "region=CN-SOUTH&region=CN-EAST",
    "as_of=2026-03-01T20:00Z",
    "snapshot=1",
    "lang=zh-CN",
)


@pytest.fixture(scope="module")
def served(country: Settings) -> Iterator[Served]:
    """The interface over the country."""
    with serve(country.home, CONTROL_ROOM_DEMO="false", CONTROL_ROOM_MEMORY_LIMIT="512MB") as running:
        yield running


@pytest.fixture(scope="module")
def cookies(country: Settings) -> dict[str, str]:
    """A session of each user, made in the store."""
    store = open_store(country)
    names = ("boss", "east", "south", "part", "root")
    found = {name: f"control_room_session={start_session(store, name, datetime.now(UTC))}" for name in names}
    store.dispose()
    return found


def _tried(page: Page) -> list[str]:
    """The bare address and two more, other ones for each page; all of them where many examples are asked for."""
    turn = PAGES.index(page)
    further = QUERIES[1:]
    return list(QUERIES) if EXAMPLES > 5 else [QUERIES[0], *(further[(2 * turn + step) % len(further)] for step in (0, 1))]


def _texts(served: Served, cookie: str, path: str, queries: Sequence[str]) -> list[str]:
    with tab(served, cookie) as opened:
        return [opened.open(path, query, seconds=120) for query in queries]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.url_path)
def test_lead_gets_nothing_of_elsewhere_while_the_manager_looks_too(served: Served, cookies: dict[str, str], page: Page) -> None:
    path, queries = page.url_path, _tried(page)
    with ThreadPoolExecutor(3) as pool:
        running = {name: pool.submit(_texts, served, cookies[name], path, queries) for name in ("boss", "east", "part")}
    for name in ("east", "part"):
        for query, text in zip(queries, running[name].result(), strict=True):
            around = text[max(0, text.lower().find(MARK) - 80) :][:160]
            assert MARK not in text.lower(), f"{name} {path}?{query}: {around!r}"


def test_the_word_would_be_seen_on_the_wall(served: Served, cookies: dict[str, str]) -> None:
    assert MARK in _texts(served, cookies["boss"], PAGES[0].url_path, QUERIES[:1])[0]


Change = Callable[[Engine, datetime], None]

CHANGES: dict[str, Change] = {
    "regions": lambda store, now: set_access(store, "south", role="lead", regions=["CN-NORTH"], now=now, by=LOCAL),
    "role": lambda store, now: set_access(store, "south", role="manager", regions=[], now=now, by=LOCAL),
    "password": lambda store, now: set_password(store, "south", password_hash="y", now=now, by=LOCAL),
    "closed": lambda store, now: set_disabled(store, "south", is_disabled=True, now=now, by=LOCAL),
    "signed out": lambda store, now: end_user_sessions(store, "south", now, by=LOCAL),
}


@pytest.mark.parametrize("change", CHANGES)
def test_open_page_and_its_fragments_show_nothing_once_the_account_changed(
    served: Served, country: Settings, change: str
) -> None:
    store = open_store(country)
    cookie = f"control_room_session={start_session(store, 'south', datetime.now(UTC))}"
    with tab(served, cookie) as opened:
        assert MARK in opened.open(PAGES[0].url_path)
        fragments = opened.fragments()
        assert len(fragments) == 2
        CHANGES[change](store, datetime.now(UTC))
        for fragment in fragments:
            assert MARK not in opened.rerun_fragment(fragment)
            assert "Your session has ended" in opened.follow()
            assert MARK not in text_of(opened.sent_bytes)
        assert "Your session has ended" in opened.open(PAGES[0].url_path)
    set_disabled(store, "south", is_disabled=False, now=datetime.now(UTC), by=LOCAL)
    set_access(store, "south", role="lead", regions=["CN-SOUTH"], now=datetime.now(UTC), by=LOCAL)
    store.dispose()
