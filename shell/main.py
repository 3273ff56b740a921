"""The Streamlit script, run for every session and every change: session → user → view → menu → role → page."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Final

import streamlit as st

from access.user import User
from access.view import View, open_view
from config import ROOT
from i18n import translate
from pages import PAGES, Page
from shell.failure import show_ended
from shell.house import house
from shell.menu import draw_account
from shell.visitor import Visitor, current_visitor, visitor_language

ICON: Final = ROOT / "shell" / "icon.png"


def run() -> None:
    """Check the session, build the view once for this run, and run the page that the address names."""
    visitor = current_visitor()
    try:
        user = visitor.session().user
    except PermissionError:
        st.set_page_config(page_icon=str(ICON), layout="wide")
        show_ended(visitor_language())
        st.stop()
    language = visitor_language(user.language)
    st.set_page_config(
        page_title=translate(language, "access.product"), page_icon=str(ICON), layout="wide", initial_sidebar_state="collapsed"
    )
    menu = [_menu_entry(page, user, visitor, language) for page in PAGES]
    chosen = st.navigation(menu, position="hidden" if len(menu) == 1 else "sidebar")
    draw_account(user, language)
    chosen.run()


def _menu_entry(page: Page, user: User, visitor: Visitor, language: str) -> st.Page:  # type: ignore[valid-type]
    return st.Page(
        partial(_show, page, user, visitor, language),
        title=translate(language, page.title),
        url_path=page.url_path,
        default=page is PAGES[0],
        visibility="visible" if user.role in page.roles else "hidden",
    )


def _show(page: Page, user: User, visitor: Visitor, language: str) -> None:
    """Refuse a role the page is not for, before any of the page's code is imported or run."""
    if user.role not in page.roles:
        st.warning(translate(language, "access.no_page"))
        return
    render: Callable[[View], None] = import_module(page.module).render
    render(_view(user, visitor, language))


def _view(user: User, visitor: Visitor, language: str) -> View:
    opened = house()
    parameters = {name: st.query_params.get_all(name) for name in st.query_params}
    view = open_view(opened.reading, user, parameters, now=opened.clock(), language=language, stays_valid=visitor.check)
    for part in view.address.notes:
        st.warning(translate(language, "access.bad_address", part=part))
    return view


run()
