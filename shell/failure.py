"""What a user sees when a page cannot be drawn: a sentence with a remedy; Streamlit puts the trace into the log."""

from __future__ import annotations

import logging
import re
from typing import Final

import streamlit as st

from access.freshness import read_promises
from access.reading import EmptyLake, UnreadableLake
from access.session import SessionEnded
from access.user import PreviewError
from components.board import Board, Notice, draw_board
from components.kit import mount_kit
from data.lake import LakeError
from i18n import translate
from queries.query import QueryError
from shell.house import house
from shell.visitor import visitor_language

LOG: Final = logging.getLogger("control_room.interface")
MARKS: Final = re.compile(r"([!-/:-@\[-`{-~])")
RETRY_SECONDS: Final = 2.0
RETRIED: Final = "shell.retried"

LEAVE: Final = """
export default function () {
  const here = location.pathname + location.search;
  location.replace("/auth/sign-in?next=" + encodeURIComponent(here));
}
"""


def as_text(text: str) -> str:
    """The text for one of Streamlit's own boxes, which read Markdown: every sign of it stands for itself."""
    return MARKS.sub(r"\\\1", text)


def show_failure(error: Exception) -> bool:
    """Show the error in the visitor's language; true, so that Streamlit shows nothing of its own."""
    language = visitor_language()
    if isinstance(error, SessionEnded):
        show_ended(language)
    elif isinstance(error, PreviewError):
        st.info(translate(language, "access.preview_only"))
    elif isinstance(error, QueryError | LakeError):
        LOG.warning("a page could not be answered: %s", error)
        st.warning(translate(language, "access.refused", reason=as_text(str(error))))
    else:
        st.error(translate(language, "access.failed"))
    return True


def show_ended(language: str) -> None:
    """Say that the session has ended and lead the browser to the sign-in page, back to this one afterwards."""
    st.info(translate(language, "access.ended"))
    st.components.v2.component("leave", html="<span></span>", js=LEAVE)(key="shell.leave")


def try_again(error: Exception, language: str) -> None:
    """Say that the figures cannot be read at this moment, and draw the page again by itself until they can."""
    LOG.warning("a page could not be answered and is drawn again: %s", error.__cause__ or error)
    st.info(translate(language, "access.again"))

    @st.fragment(run_every=RETRY_SECONDS)
    def again() -> None:
        # The first run is this one's; what comes by the clock draws the whole page.
        if st.session_state.pop(RETRIED, False):
            st.rerun()
        st.session_state[RETRIED] = True

    st.session_state[RETRIED] = False
    again()


def wait_for_lake(error: LakeError, language: str) -> None:
    """Say why there is nothing to show, and draw the page by itself once there is a snapshot."""
    is_empty = isinstance(error, EmptyLake)
    if not is_empty:
        st.info(translate(language, "access.refused", reason=as_text(str(error))))
    else:
        # In the colours that the page will have.
        mount_kit(None)
        title, text = (translate(language, f"access.no_lake.{part}") for part in ("title", "text"))
        draw_board(
            Board(language=language, notice=Notice(state="neutral", title=title, text=text)),
            key="waiting",
            on_choice=lambda: None,
        )
        if isinstance(error, UnreadableLake):
            st.caption(as_text(str(error)))
        _tell_faults(language)

    @st.fragment(run_every=RETRY_SECONDS)
    def look_again() -> None:
        try:
            is_there = house().reading.ledger().snapshot > 0
        except LakeError:
            is_there = False
        if is_there and is_empty:
            st.rerun()

    look_again()


def _tell_faults(language: str) -> None:
    """Name the contracts that cannot be used, as plain text: a reason why nothing has come in."""
    faults = read_promises(house().settings)[1]
    if faults:
        sources = translate(language, "marks.joiner").join(fault.source for fault in faults)
        st.warning(translate(language, "faults.contract", sources=as_text(sources)))
        st.text("\n".join((*(fault.reason for fault in faults), translate(language, "faults.remedy"))))
