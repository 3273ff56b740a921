"""The sidebar's account part: who is signed in, the language, sign-out."""

from __future__ import annotations

from html import escape

import streamlit as st

from access.user import User, set_language
from i18n import LANGUAGES, label, translate
from shell.house import house
from shell.routes import LANGUAGE_NAMES


def draw_account(user: User, language: str) -> None:
    """Draw the account part of the sidebar."""
    regions = " · ".join(label(language, "region", code) for code in user.regions if code != "*")
    with st.sidebar:
        st.caption(
            " · ".join(part for part in (user.display_name, translate(language, f"access.role_{user.role}"), regions) if part)
        )
        st.segmented_control(
            translate(language, "access.languages"),
            LANGUAGES,
            default=language,
            format_func=lambda code: LANGUAGE_NAMES[code],
            key="shell.language",
            on_change=_choose_language,
            args=(user.name,),
            label_visibility="collapsed",
        )
        sign_out = escape(translate(language, "access.sign_out"))
        st.html(f'<form method="post" action="/auth/sign-out"><button type="submit">{sign_out}</button></form>')


def _choose_language(name: str) -> None:
    chosen = st.session_state["shell.language"]
    if chosen in LANGUAGES:
        set_language(house().store, name, chosen)
        st.query_params["lang"] = chosen
