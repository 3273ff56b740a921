"""Acts are done whole: what a later run of the same tab shows, and that an act is never stopped in the middle."""

from __future__ import annotations

import threading
from pathlib import Path
from unittest.mock import MagicMock

import pytest
from streamlit.runtime import Runtime
from streamlit.runtime.pages_manager import PagesManager
from streamlit.runtime.state import SafeSessionState, SessionState
from streamlit.testing.v1.local_script_runner import LocalScriptRunner

from pages.one_go import in_one_go

PAGE = """
import streamlit as st
from pages.one_go import in_one_go

@in_one_go
def hear():
    if asked := st.session_state.pop("asked", None):
        st.session_state["begun"].set()
        st.session_state["go"].wait(20)
        st.session_state["half"] = asked
        st.session_state["told"] = asked + " done"
    return st.session_state.get("told", "nothing")

st.text(hear())
st.session_state["drawn"].set()
"""


def _start(page: Path, state: SessionState) -> LocalScriptRunner:
    runner = LocalScriptRunner(str(page), SafeSessionState(state, lambda: None), PagesManager(str(page), setup_watcher=False))
    runner.start()
    return runner


def test_an_act_is_done_to_its_end_and_the_run_that_ended_the_first_shows_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As Streamlit's own AppTest does: a runtime around the runners, which here are two at a time.
    monkeypatch.setattr(Runtime, "_instance", MagicMock(spec=Runtime))
    monkeypatch.setattr(PagesManager, "uses_pages_directory", False)
    page, state = tmp_path / "page.py", SessionState()
    page.write_text(PAGE)
    begun, go, drawn = threading.Event(), threading.Event(), threading.Event()
    for name, value in {"asked": "acknowledge", "begun": begun, "go": go, "drawn": drawn}.items():
        state[name] = value
    first = _start(page, state)
    assert begun.wait(20)
    first.request_stop()
    second = _start(page, state)
    assert not drawn.wait(0.3), "the later run waits for what is being done"
    go.set()
    first.join()
    second.join()
    assert state["half"] == "acknowledge"
    texts = [message.delta.new_element.text.body for message in second.forward_msg_queue._queue if message.HasField("delta")]
    assert "acknowledge done" in texts


def test_what_an_act_raises_is_raised_and_an_act_within_an_act_does_not_wait_for_itself() -> None:
    @in_one_go
    def inner() -> int:
        return 1

    @in_one_go
    def outer(number: int) -> int:
        if number:
            raise ValueError("no")
        return inner() + 1

    assert outer(0) == 2
    with pytest.raises(ValueError, match="no"):
        outer(1)
