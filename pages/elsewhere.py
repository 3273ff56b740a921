"""What a user sees who follows a link to what is not theirs, or not there: a place, a page, a moment; why not, and a way on."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from access.view import View
from components.board import Board, Notice, draw_board
from i18n import translate
from pages.frame import draw_frame, watch
from pages.links import link
from pages.wording import names_of
from queries.query import Filter


def render_elsewhere(view: View, module: str, path: str, denied: Sequence[Filter]) -> None:
    """Draw the frame of the page and, instead of its figures, that it is not in the user's area."""
    _draw(view, module, _notice(view, path, denied), key="elsewhere.notice")
    watch(view)


def render_unknown_moment(view: View, module: str, now: str) -> None:
    """Draw the frame of the page and, instead of its figures, that nothing is known of the moment asked for; `now` is its address now."""
    title, text, way = (translate(view.language, f"moment.{part}") for part in ("title", "text", "way"))
    notice = Notice(state="neutral", title=title, text=text, way=way, href=now)
    _draw(view, module, notice, key="elsewhere.moment")


def render_not_for_role(view: View, module: str) -> None:
    """Draw the frame with its menu and, instead of the page, that it is not for the user's role; nothing of the page is imported."""
    title, text, way = (translate(view.language, f"access.{key}") for key in ("no_page_title", "no_page", "no_page_way"))
    _draw(view, module, Notice(state="neutral", title=title, text=text, way=way, href=link(view, "/")), key="elsewhere.role")
    watch(view)


def _draw(view: View, module: str, notice: Notice, *, key: str) -> None:
    with st.container(key="elsewhere", gap=None):
        draw_frame(view, module, country=None, states=())
        draw_board(Board(language=view.language, notice=notice), key=key, on_choice=_nothing)


def _notice(view: View, path: str, denied: Sequence[Filter]) -> Notice:
    language = view.language
    names = "; ".join(names_of(language, filter_.dimension, filter_.values, most=4) for filter_ in denied)
    own = names_of(language, "region", view.scope.regions, most=7) or translate(language, "frame.no_regions")
    return Notice(
        state="neutral",
        title=translate(language, "frame.elsewhere_title"),
        text=translate(language, "frame.elsewhere", names=names, own=own),
        href=link(view, path, **{filter_.dimension: None for filter_ in denied}),
        way=translate(language, "frame.elsewhere_way"),
    )


def _nothing() -> None:
    """The notice has nothing to choose."""
