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
OPEN_SECONDS: Final = 60.0
"""A tab that has not looked for so long is closed or hidden."""
LONGEST_SECONDS: Final = 40.0
"""No open tab looks more rarely."""
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
"""By so much each tab's rhythm may differ from the others'."""

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
    crowded = min(open_tabs() * _cost[0] / SHARE, LONGEST_SECONDS)
    every = seconds if crowded <= seconds else _until_turn(crowded)
    # Tabs that waited for the same page would all look again at the same moment.
    st.fragment(look, run_every=every * (1 + SPREAD * _even.uniform(-1, 1)))(view)


def _until_turn(seconds: float) -> float:
    """The seconds until this tab's next turn, of which there is one in so many seconds, half of them from now at least.

    The turns of tabs that are numbered one after the other lie evenly.
    """
    turn: float = st.session_state[TAB] * GOLDEN - time.monotonic() / seconds
    return ((turn - 0.5) % 1 + 0.5) * seconds


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
