"""Who is looking: the session behind this browser tab, asked of the store again on every run, and the language."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from access.session import Session, SessionEnded, read_session
from i18n import LANGUAGES, closest_language
from shell.guard import HOST_COOKIE, SESSION_COOKIE
from shell.house import house


@dataclass(frozen=True, kw_only=True)
class Visitor:
    """The session's secret as this tab sent it when it connected."""

    secret: str

    def session(self) -> Session:
        """The session as it is now; raises SessionEnded when it is no longer valid."""
        found = read_session(house().store, self.secret, house().clock())
        if found is None:
            raise SessionEnded("the session has ended: sign in again")
        return found

    def check(self) -> None:
        """Raise SessionEnded when the session is no longer valid."""
        self.session()


def current_visitor() -> Visitor:
    """The visitor of the running script."""
    cookies = st.context.cookies
    return Visitor(secret=cookies.get(HOST_COOKIE) or cookies.get(SESSION_COOKIE) or "")


def visitor_language(preferred: str = "") -> str:
    """The language to show: the address's, else the user's own, else the browser's."""
    asked = st.query_params.get("lang", "")
    if asked in LANGUAGES:
        return asked
    return preferred if preferred in LANGUAGES else closest_language(st.context.locale)
