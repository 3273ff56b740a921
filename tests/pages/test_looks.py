"""How often tabs look for news: in their own rhythm while few are open, more rarely the more there are."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from pages import looks
from pages.looks import DRAWN, HIGHEST_COST, LADDER, NEWS, OPEN_SECONDS, SPREAD, TAB, USUAL_COST, drawing, note_look, open_tabs


@pytest.fixture(autouse=True)
def _nobody() -> Iterator[None]:
    looks._seen.clear()
    looks._cost[0] = USUAL_COST
    yield
    looks._seen.clear()
    looks._cost[0] = USUAL_COST


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


def test_what_pages_take_is_told_by_the_last_ones_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = [0.0]
    monkeypatch.setattr("pages.looks.time.thread_time", lambda: taken[0])
    for seconds, expected in ((0.1, 0.1), (5.0, HIGHEST_COST), (0.01, 0.01)):
        for _ in range(200):
            with drawing():
                taken[0] += seconds
        assert looks._cost[0] == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize(
    ("tabs", "cost", "least"),
    [
        (1, USUAL_COST, 3.0),
        (20, USUAL_COST, 3.0),
        (100, USUAL_COST, 13.0),
        (100, 2 * USUAL_COST, 30.0),
        (1000, USUAL_COST, LADDER[-1]),
    ],
)
def test_the_more_tabs_the_more_rarely_each_looks(tabs: int, cost: float, least: float, monkeypatch: pytest.MonkeyPatch) -> None:
    looks._cost[0] = cost
    every = list[float]()

    def fragment(look: object, *, run_every: float) -> object:
        every.append(run_every)
        return look

    monkeypatch.setattr("pages.looks.st.fragment", fragment)
    monkeypatch.setattr(looks, "open_tabs", lambda: tabs)
    looked = list[object]()
    AppTest.from_function(_look, args=(looked,)).run()
    assert looked == ["view"]
    # In a crowd each tab waits for its turn.
    shortest, longest = (1 - SPREAD, 1 + SPREAD) if least == 3 else (0.5, 1.6)
    assert shortest * least <= every[0] <= longest * least


def test_turns_of_a_crowd_lie_evenly_whenever_its_tabs_were_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred tabs drawn within a second have a turn each in the next twelve seconds, eight or nine in every one."""
    turns = list[float]()
    for number in range(100):
        now = 1000 + number / 100
        monkeypatch.setattr("pages.looks.st.session_state", {TAB: number})
        wait = looks._until_turn(12.0, now)
        assert 6 <= wait <= 18
        turns.append((now + wait) % 12)
    counts = [sum(second <= turn < second + 1 for turn in turns) for second in range(12)]
    assert sum(counts) == 100
    assert set(counts) <= {7, 8, 9, 10}


def _look(looked: "list[object]") -> None:  # noqa: UP037 - run from its source, where no name is imported
    from pages.looks import look_every

    look_every(3, looked.append, "view")  # type: ignore[arg-type]


def test_a_crowd_that_looks_often_draws_news_in_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred tabs that look every three seconds each may draw once in thirteen, never many in the same second.

    What is new came long after they were drawn.
    """
    monkeypatch.setattr(looks, "open_tabs", lambda: 100)
    drawn = dict[int, list[float]]()
    states = [{TAB: number, DRAWN: 100.0} for number in range(100)]
    for tenth in range(10, 410):
        now = 1000 + tenth / 10
        monkeypatch.setattr("pages.looks.time.monotonic", lambda now=now: now)
        for number, state in enumerate(states):
            if (tenth + number) % 30:
                continue
            monkeypatch.setattr("pages.looks.st.session_state", state)
            # Every second something newer is ready: the turn counts since the first that was not drawn.
            if looks.is_turn(3.0, float(int(now))):
                drawn.setdefault(number, []).append(now)
                state[DRAWN] = now
                state.pop(NEWS)
    assert len(drawn) == 100
    assert {len(times) for times in drawn.values()} <= {2, 3, 4}
    seconds = [int(time) for times in drawn.values() for time in times]
    assert max(map(seconds.count, seconds)) <= 20
    monkeypatch.setattr(looks, "open_tabs", lambda: 1)
    assert looks.is_turn(3.0, 1000.0)
