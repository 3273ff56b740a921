"""One run for one tab: session → user → menu → role → view → page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from importlib import import_module
from typing import Any, Final
from urllib.parse import urlencode

import streamlit as st

from access.audit import note
from access.outside import outside
from access.session import Session, SessionEnded, set_preview
from access.view import Overtaken, View, open_view
from components.preview import draw_preview
from config import ROOT
from data.lake import LakeError
from i18n import translate
from pages import PAGES, Page
from pages.elsewhere import render_elsewhere, render_not_for_role, render_unknown_moment
from pages.looks import drawing
from queries.query import Filter
from queries.run import RunError
from shell.failure import show_ended, try_again, wait_for_lake
from shell.house import house
from shell.visitor import Visitor, current_visitor, visitor_language

REFUSED: Final = "shell.refused_area"
BEGUN: Final = "shell.begun"
MOST_BEGUN: Final = 3
ICON: Final = str(ROOT / "shell" / "icon.png")


def run() -> None:
    """Check the session, then run the page that the address names, if the user's role may see it."""
    visitor = current_visitor()
    try:
        session = visitor.session()
    except SessionEnded:
        st.set_page_config(page_icon=ICON, layout="wide")
        show_ended(visitor_language())
        st.stop()
    language = visitor_language(session.user.language)
    st.set_page_config(
        page_title=translate(language, "access.product"), page_icon=ICON, layout="wide", initial_sidebar_state="collapsed"
    )
    chosen = st.navigation([_entry(page, session, visitor, language) for page in PAGES], position="hidden")
    with house().turnstile.passing(), drawing():
        chosen.run()


def _entry(page: Page, session: Session, visitor: Visitor, language: str) -> Any:  # noqa: ANN401 - Streamlit's page type is not exported
    draw = partial(show, page, session, visitor, language)
    return st.Page(draw, title=translate(language, page.title), url_path=page.url_path, default=page is PAGES[0])


def show(page: Page, session: Session, visitor: Visitor, language: str) -> None:
    """Refuse a role the page is not for, before any of the page's code is imported."""
    user = session.user
    _frame_preview(session, language)
    parameters = {name: st.query_params.get_all(name) for name in st.query_params}
    if user.role not in page.roles:
        _refuse_role(page, session, visitor, language, parameters)
        return
    house().ahead.note(page, user, parameters)
    try:
        view = _view(session, visitor, language, parameters)
    except LakeError as error:
        _show_nothing(page, session, visitor, language, parameters, error)
        return
    try:
        if denied := outside(view.scope, view.address.filters):
            _refuse_area(page, view, denied)
        else:
            _draw(page, view)
    except SessionEnded:
        show_ended(language)
    except RunError as error:
        try_again(error, language)


def _draw(page: Page, view: View) -> None:
    """Draw the page; begun anew where a newer snapshot overtakes it, and when that goes on and on brought to its end all the same."""
    begun = st.session_state.get(BEGUN, 0)
    if begun < MOST_BEGUN:
        view.drawing.set()
    st.session_state[BEGUN] = 0
    try:
        import_module(page.module).render(view)
    except Overtaken:
        st.session_state[BEGUN] = begun + 1
        st.rerun()
    finally:
        view.drawing.clear()


def _refuse_role(page: Page, session: Session, visitor: Visitor, language: str, parameters: Mapping[str, Sequence[str]]) -> None:
    """Say that the role does not include the page; on the record, unless an administrator only looks through the role's eyes."""
    opened = house()
    if session.previewer is None:
        what = {"object_kind": "page", "object_id": page.url_path, "detail": {"role": session.user.role}, "result": "denied"}
        note(opened.store, at=opened.clock(), actor=session.actor, action="page_refused", **what)
    try:
        view = _view(session, visitor, language, _without_moment(parameters))
    except LakeError:
        st.warning(translate(language, "access.no_page"))
    else:
        render_not_for_role(view, page.module)


def _show_nothing(
    page: Page, session: Session, visitor: Visitor, language: str, parameters: Mapping[str, Sequence[str]], error: LakeError
) -> None:
    """Say why there is nothing: for an instant or snapshot of which nothing is known, with the way back to now."""
    now = _without_moment(parameters)
    try:
        view = _view(session, visitor, language, now) if len(now) < len(parameters) else None
    except LakeError:
        view = None
    if view is None:
        wait_for_lake(error, language)
    else:
        render_unknown_moment(view, page.module, f"/{page.url_path}?{urlencode(now, doseq=True)}")


def _without_moment(parameters: Mapping[str, Sequence[str]]) -> dict[str, Sequence[str]]:
    """The address of the same page now."""
    return {name: values for name, values in parameters.items() if name not in ("as_of", "snapshot")}


def _frame_preview(session: Session, language: str) -> None:
    """In a preview, say so above whatever the page shows, a refusal too, and offer the way out."""
    if session.previewer is None:
        return
    role = translate(language, f"access.role_{session.user.role}")
    text = translate(language, "access.preview", name=session.user.display_name, role=role)
    draw_preview(
        language, text, translate(language, "access.preview_leave"), key="shell.preview", on_leave=partial(_leave, session)
    )


def _leave(session: Session) -> None:
    set_preview(house().store, session.actor, None, house().clock())


def _refuse_area(page: Page, view: View, denied: Sequence[Filter]) -> None:
    """Say that the places are not in the user's area; on the record once for this tab and link, however often it is drawn."""
    asked = {filter_.dimension: [str(value) for value in filter_.values] for filter_ in denied}
    if st.session_state.get(REFUSED) != (page.url_path, asked):
        st.session_state[REFUSED] = (page.url_path, asked)
        what = {"object_kind": "page", "object_id": page.url_path, "detail": asked, "result": "denied"}
        note(house().store, at=view.now, actor=view.actor or view.user.name, action="area_refused", **what)
    render_elsewhere(view, page.module, f"/{page.url_path}", denied)


def _view(session: Session, visitor: Visitor, language: str, parameters: Mapping[str, Sequence[str]]) -> View:
    opened = house()
    return open_view(
        opened.reading,
        session.user,
        parameters,
        now=opened.clock(),
        language=language,
        stays_valid=visitor.check,
        store=opened.store,
        actor=session.actor,
        clock=opened.clock,
    )
