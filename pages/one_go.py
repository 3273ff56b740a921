"""Acts are done whole: Streamlit begins a page anew while the run before still works, and stops that run wherever it next speaks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import ContextVar, copy_context
from functools import wraps
from typing import Final, ParamSpec, TypeVar

import streamlit as st
from streamlit.runtime.scriptrunner import add_script_run_ctx, get_script_run_ctx

TURN: Final = "pages.turn"
P = ParamSpec("P")
R = TypeVar("R")
_IS_ACTING: ContextVar[bool] = ContextVar("is_acting", default=False)


def in_one_go(act: Callable[P, R]) -> Callable[P, R]:
    """The same, to its end although the run that calls it may be over, and by one run of a tab at a time.

    A run that comes meanwhile waits, so that it shows what came of the act. Raises what the act raises.
    """

    @wraps(act)
    def whole(*args: P.args, **kwargs: P.kwargs) -> R:
        context = get_script_run_ctx(suppress_warning=True)
        if context is None or _IS_ACTING.get():
            return act(*args, **kwargs)
        found: list[R] = []
        failed: list[BaseException] = []

        def do() -> None:
            _IS_ACTING.set(True)
            try:
                with turn:
                    found.append(act(*args, **kwargs))
            except BaseException as error:
                failed.append(error)

        turn = _turn()
        # Only the thread of the run itself is stopped in the middle.
        thread = threading.Thread(target=copy_context().run, args=(do,), name="act", daemon=True)
        add_script_run_ctx(thread, context)
        thread.start()
        thread.join()
        if failed:
            raise failed[0]
        return found[0]

    return whole


def _turn() -> threading.Lock:
    """The tab's turn to act; every run asks for it, the first long before anything can be asked."""
    if TURN not in st.session_state:
        st.session_state[TURN] = threading.Lock()
    turn: threading.Lock = st.session_state[TURN]
    return turn
