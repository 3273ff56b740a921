"""How often tabs look for news: in their own rhythm while few are open, more rarely the more there are."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from pages import looks
from pages.looks import LOOKS_PER_SECOND, OPEN_SECONDS, SPREAD, note_look, open_tabs


@pytest.fixture(autouse=True)
def _nobody() -> Iterator[None]:
    looks._seen.clear()
    yield
    looks._seen.clear()


def test_a_tab_counts_once_and_until_it_has_not_looked_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("pages.looks.time.monotonic", lambda: now[0])
    state: dict[str, int] = {}
    monkeypatch.setattr("pages.looks.st.session_state", state)
    note_look()
    note_look()
    assert open_tabs() == 1
    monkeypatch.setattr("pages.looks.st.session_state", dict[str, int]())
    now[0] += OPEN_SECONDS - 1
    note_look()
    assert open_tabs() == 2
    now[0] += 2
    assert open_tabs() == 1


@pytest.mark.parametrize(("tabs", "least"), [(1, 3.0), (30, 3.0), (100, 100 / LOOKS_PER_SECOND)])
def test_the_more_tabs_the_more_rarely_each_looks(tabs: int, least: float, monkeypatch: pytest.MonkeyPatch) -> None:
    every = list[float]()

    def fragment(look: object, *, run_every: float) -> object:
        every.append(run_every)
        return look

    monkeypatch.setattr("pages.looks.st.fragment", fragment)
    monkeypatch.setattr(looks, "open_tabs", lambda: tabs)
    looked = list[object]()
    AppTest.from_function(_look, args=(looked,)).run()
    assert looked == ["view"]
    assert least * (1 - SPREAD) <= every[0] <= least * (1 + SPREAD)


def _look(looked: "list[object]") -> None:  # noqa: UP037 - run from its source, where no name is imported
    from pages.looks import look_every

    look_every(3, looked.append, "view")  # type: ignore[arg-type]
