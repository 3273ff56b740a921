"""What a user sees when a page cannot be drawn: a sentence with a remedy; the trace goes to the log."""

from __future__ import annotations

import logging

import streamlit as st

from access.session import SessionEnded
from access.view import EmptyLake
from data.lake import LakeError
from i18n import translate
from queries.query import QueryError
from shell.visitor import visitor_language

LOG = logging.getLogger("control_room.interface")


def show_failure(error: Exception) -> bool:
    """Show the error in the visitor's language; true, so that Streamlit shows nothing of its own."""
    language = visitor_language()
    if isinstance(error, SessionEnded):
        show_ended(language)
    elif isinstance(error, EmptyLake):
        st.info(translate(language, "access.no_lake"))
    elif isinstance(error, QueryError | LakeError):
        LOG.warning("a page could not be answered: %s", error)
        st.warning(translate(language, "access.refused", reason=str(error)))
    else:
        LOG.error("a page could not be drawn", exc_info=error)
        st.error(translate(language, "access.failed"))
    return True


def show_ended(language: str) -> None:
    """Say that the session has ended and lead the browser to the sign-in page, back to this one afterwards."""
    st.info(translate(language, "access.ended"))
    leave = st.components.v2.component("leave", html="", js=LEAVE)
    leave(key="shell.leave")


LEAVE = """
export default function () {
  const here = location.pathname + location.search;
  location.replace("/auth/sign-in?next=" + encodeURIComponent(here));
}
"""
