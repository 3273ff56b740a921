"""How often open tabs look for news: every few seconds, and the more of them are open the more rarely."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from random import Random
from typing import Final

import streamlit as st

from access.view import View

TAB: Final = "frame.tab"
OPEN_SECONDS: Final = 30.0
"""A tab that has not looked for so long is closed or hidden."""
LOOKS_PER_SECOND: Final = 10
"""More tabs than find place in their own rhythm look more rarely: so many redraws the interpreter has time for."""

SPREAD: Final = 0.2
"""By so much each tab's rhythm may differ from the others'."""

_numbers = itertools.count()
_even = Random()
_seen: dict[int, float] = {}


def look_every(seconds: float, look: Callable[[View], None], view: View) -> None:
    """Call `look` now and, as a fragment of the page, every so many seconds; with many open tabs more rarely."""
    note_look()
    # Tabs that waited for the same page would all look again at the same moment.
    own = 1 + SPREAD * _even.uniform(-1, 1)
    st.fragment(look, run_every=own * max(seconds, open_tabs() / LOOKS_PER_SECOND))(view)


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
