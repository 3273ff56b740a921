"""How often open tabs look for news: every few seconds, and the more of them are open the more rarely."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Final

import streamlit as st

from access.view import View

TAB: Final = "frame.tab"
DRAWN: Final = "frame.drawn"
NEWS: Final = "frame.news"
OPEN_SECONDS: Final = 60.0
"""A tab that has not looked for so long is closed or hidden."""
LADDER: Final = (4.0, 6.0, 9.0, 13.0, 20.0, 30.0, 40.0)
"""A crowd's turns are so many seconds apart, the least that are enough: a tab's turns stay where they are while that is the same."""
SHARE: Final = 1 / 3
"""Of the interpreter's time for what tabs draw when all of them find something new; what they look for, and what is sent to them,
takes as much again."""
USUAL_COST: Final = 0.04
"""Seconds of processor that a page takes, until some are drawn."""
HIGHEST_COST: Final = 0.2
"""A page that takes more had to work its answers out, which the next ones find."""
WEIGHT: Final = 0.05
"""Of the page just drawn in what a page takes: the machine's pace changes within minutes."""

SPREAD: Final = 0.1
"""By this share of itself each tab's rhythm may differ from the others', in a crowd by so many seconds."""

GOLDEN: Final = 0.6180339887498949
"""Multiples of the golden ratio lie evenly between whole numbers, however many there are."""

_numbers = itertools.count()
_even = Random()
_seen: dict[int, float] = {}
_cost = [USUAL_COST]


@contextmanager
def drawing() -> Iterator[None]:
    """Draw a page: what it takes tells how often tabs can look."""
    began = time.thread_time()
    yield
    spent = min(time.thread_time() - began, HIGHEST_COST)
    _cost[0] += WEIGHT * (spent - _cost[0])


def look_every(seconds: float, look: Callable[[View], None], view: View) -> None:
    """Call `look` now and, as a fragment of the page, every so many seconds; with many open tabs more rarely."""
    note_look()
    now = st.session_state[DRAWN] = time.monotonic()
    st.session_state.pop(NEWS, None)
    turns = turns_apart(seconds)
    # Looks that began together part; in a crowd none comes before its turn.
    own = (1 + SPREAD * _even.uniform(-1, 1)) * seconds if turns is None else _until_turn(turns, now) + SPREAD * _even.random()
    st.fragment(look, run_every=own)(view)


def turns_apart(seconds: float) -> float | None:
    """How many seconds lie between a tab's turns to draw what is new; None where few enough look every so many seconds."""
    needed = open_tabs() * _cost[0] / SHARE
    return None if needed <= seconds else next((each for each in LADDER if each >= needed), LADDER[-1])


def is_turn(seconds: float, since: float) -> bool:
    """Whether the running tab, which looks every so many seconds or more rarely, may draw what is new `since` then (monotonic).

    In a crowd when its turn has come since the first news that it has not drawn: tabs that have looked as often as few do since
    before there were many would else all draw the same news at once.
    """
    turns, now = turns_apart(seconds), time.monotonic()
    begun = max(st.session_state.setdefault(NEWS, since), st.session_state.get(DRAWN, 0.0))
    return turns is None or now - begun > turns - _until_turn(turns, now) % turns


def _until_turn(turns: float, now: float) -> float:
    """The seconds until the running tab's next turn but those less than half of what lies between them from now.

    The turns of tabs that are numbered one after the other lie evenly.
    """
    turn: float = st.session_state[TAB] * GOLDEN - now / turns
    return ((turn - 0.5) % 1 + 0.5) * turns


def open_tabs() -> int:
    """How many tabs have looked lately."""
    since = time.monotonic() - OPEN_SECONDS
    for number in [number for number, at in list(_seen.items()) if at < since]:
        _seen.pop(number, None)
    return len(_seen)


def note_look() -> None:
    """Count the running tab as open."""
    if TAB not in st.session_state:
        st.session_state[TAB] = next(_numbers)
    _seen[st.session_state[TAB]] = time.monotonic()
