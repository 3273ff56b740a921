"""Writing the address: a choice made on a page becomes query parameters, which the next run checks and understands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import parse_qs

import streamlit as st

from access.address import FILTER_DIMENSIONS
from i18n import LANGUAGES

WINDOWS: Final = ("24h", "7d", "30d", "all")
LISTS: Final = FILTER_DIMENSIONS
SINGLES: Final = (
    "window",
    "as_of",
    "heat",
    "board",
    "metric",
    "rows",
    "columns",
    "colour",
    "sort",
    "cell",
    "beside",
    "split",
    "show",
    "figure",
    "part",
    "population",
    "search",
    "phone",
    "after",
    "before",
    "tab",
    "shown",
    "item",
    "rule",
    "holder",
    "draft",
    "layers",
    "rank",
    "lanes",
    "span",
    "at",
)
"""What pages keep in the address besides filters; each page checks its own."""

LONGEST: Final = 2_000

Changes = dict[str, list[str]]


def address_changes(choice: Mapping[str, object]) -> Changes:
    """Query parameters to set for a choice, an empty list to remove; whatever is not a known plain text is left out."""
    changes: Changes = {}
    for name, value in choice.items():
        text = value[:LONGEST] if isinstance(value, str) else ""
        if name == "clear":
            changes |= {key: [] for key in (*LISTS, "window", "as_of", "snapshot")}
        elif name == "language" and text in LANGUAGES:
            changes["lang"] = [text]
        elif name in LISTS:
            changes[name] = [part for part in text.split(",") if part]
        elif name in (*SINGLES, "snapshot"):
            changes[name] = [text] if text else []
    return changes


def follow_changes(href: object) -> Changes:
    """The same for a link to this page such as `?region=CN-EAST`: what it does not name is removed."""
    if not isinstance(href, str) or not href.startswith("?"):
        return {}
    named = {name: values for name, values in parse_qs(href[1:LONGEST]).items() if name in (*LISTS, *SINGLES, "snapshot")}
    return {name: [] for name in (*LISTS, *SINGLES, "snapshot")} | named


def take_choice(component: str, *, kept: Sequence[str] = ()) -> None:
    """Put what a component's triggers `choice` and `open` carry into the address, except `kept`; runs before the page does.

    All at once: one choice is one step of the browser's back button.
    """
    state = st.session_state.get(component) or {}
    choice, link = state.get("choice"), state.get("open")
    changes = (address_changes(choice) if isinstance(choice, Mapping) else {}) | follow_changes(link)
    changes = {name: values for name, values in changes.items() if name not in kept}
    before = {name: st.query_params.get_all(name) for name in st.query_params}
    after = {name: values for name, values in (before | changes).items() if values}
    if after != before:
        st.query_params.from_dict(after)
