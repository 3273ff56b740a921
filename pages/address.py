"""Writing the address: a choice made on a page becomes query parameters, which the next run checks and understands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qs

import streamlit as st

from access.address import FILTER_DIMENSIONS
from i18n import LANGUAGES

WINDOWS: Final = ("24h", "7d", "30d", "all")
THEMES: Final = ("dark", "light")
LISTS: Final = FILTER_DIMENSIONS
SINGLES: Final = ("window", "as_of", "heat")
LONGEST: Final = 2_000


def address_changes(choice: Mapping[str, object]) -> dict[str, list[str]]:
    """Query parameters to set for a choice, an empty list to remove; whatever is not a known plain text is left out."""
    changes: dict[str, list[str]] = {}
    for name, value in choice.items():
        text = value[:LONGEST] if isinstance(value, str) else ""
        if name == "clear":
            changes |= {key: [] for key in (*LISTS, "window", "as_of", "snapshot")}
        elif name == "language" and text in LANGUAGES:
            changes["lang"] = [text]
        elif name in LISTS:
            changes[name] = [part for part in text.split(",") if part]
        elif name in SINGLES:
            changes[name] = [text] if text else []
    return changes


def follow_changes(href: object) -> dict[str, list[str]]:
    """The same for a link to this page such as `?region=CN-EAST`."""
    if not isinstance(href, str) or not href.startswith("?"):
        return {}
    return {name: values for name, values in parse_qs(href[1:LONGEST]).items() if name in (*LISTS, *SINGLES)}


def take_choice(component: str) -> None:
    """Put what a component's triggers `choice` and `open` carry into the address; runs before the page does."""
    state = st.session_state.get(component) or {}
    choice, link = state.get("choice"), state.get("open")
    changes = address_changes(choice) if isinstance(choice, Mapping) else {}
    for name, values in (changes | follow_changes(link)).items():
        if values:
            st.query_params[name] = values
        elif name in st.query_params:
            del st.query_params[name]


def chosen_theme() -> str:
    """The theme the address asks for; empty for the user's own."""
    theme = st.query_params.get("theme", "")
    return theme if theme in THEMES else ""
