"""Saved views in the top bar: the list within reach of this user, and what they do with it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import streamlit as st

from access.removal import deleted_views
from access.saved_act import SavedAct, perform_saved
from access.saved_view import LONGEST_NAME, SAVED, SavedView, SavedViewError, check_parameters, list_saved_views, start_view
from access.user import ROLES, list_users
from access.view import View
from components.saved_views import DeletedEntry, RoleChoice, SavedEntry, SavedMenu, SavedSaid
from i18n import translate
from pages import PAGES
from pages.one_go import in_one_go

ASKED: Final = "saved.asked"
TOLD: Final = "saved.told"
TOLD_FOR: Final = timedelta(seconds=30)
LONGEST: Final = 400
MOST_DELETED: Final = 20
WORDS: Final = (
    "title", "none", "save_title", "save", "update", "name", "rename", "share", "roles", "start", "not_start", "is_start",
    "delete", "undo", "more", "deleted", "restore",
)  # fmt: skip


def keep_saved_act(component: str) -> None:
    """Keep what the component's trigger `saved` carries for the run that follows."""
    state = st.session_state.get(component) or {}
    if isinstance(asked := state.get("saved"), Mapping):
        st.session_state[ASKED] = {name: value[:LONGEST] for name, value in asked.items() if isinstance(value, str)}


def read_saved_menu(view: View, module: str) -> SavedMenu | None:
    """Do what was asked of the saved views in this run; the menu as it is then. None where nothing can be kept."""
    if view.store is None:
        return None
    page = next((entry.url_path for entry in PAGES if entry.module == module), PAGES[0].url_path)
    said = _hear(view, page)
    views, start = list_saved_views(view.store, view.user), start_view(view.store, view.user)
    here = opened_id()
    known = {user.name: user.display_name or user.name for user in list_users(view.store)}
    return SavedMenu(
        words={name: translate(view.language, f"saved.{name}") for name in WORDS},
        entries=tuple(_entry(view, saved, known, here, start[0] if start else None) for saved in views),
        roles=tuple(RoleChoice(code=role, name=translate(view.language, f"access.role_{role}")) for role in ROLES),
        longest_name=LONGEST_NAME,
        changed=next((str(saved.id) for saved in views if saved.id == here and _is_changed(view, saved, page)), ""),
        said=said,
        deleted=tuple(_deleted(view, saved, at) for saved, at in deleted_views(view.store, view.user.name)[:MOST_DELETED]),
    )


def opened_id() -> int | None:
    """The saved view that the address says it was opened by."""
    text = st.query_params.get(SAVED, "")
    return int(text) if text.isdecimal() and len(text) < 10 else None


def lost_view(view: View) -> tuple[str, ...]:
    """A sentence where the address names a saved view that no longer opens for this user."""
    if view.store is None or SAVED not in st.query_params:
        return ()
    here, start = opened_id(), start_view(view.store, view.user)
    if any(saved.id == here for saved in list_saved_views(view.store, view.user)):
        is_page = start is None or start[0] != here or start[1] is None or _page_opens(view, start[1])
        return () if is_page else (translate(view.language, "saved.lost_start"),)
    return (translate(view.language, "saved.lost_start" if start and start[0] == here else "saved.lost"),)


def _page_opens(view: View, saved: SavedView) -> bool:
    return any(entry.url_path == saved.page and view.user.role in entry.roles for entry in PAGES)


def _is_changed(view: View, saved: SavedView, page: str) -> bool:
    now = check_parameters({name: st.query_params.get_all(name) for name in st.query_params})
    return saved.owner == view.user.name and (saved.page != page or saved.parameters != now)


@in_one_go
def _hear(view: View, page: str) -> SavedSaid | None:
    asked: dict[str, str] | None = st.session_state.pop(ASKED, None)
    if asked is not None:
        st.session_state[TOLD] = (_do(view, page, asked), view.now)
    told: tuple[SavedSaid | None, datetime] = st.session_state.get(TOLD, (None, view.now))
    return told[0] if view.now - told[1] < TOLD_FOR else None


def _do(view: View, page: str, asked: Mapping[str, str]) -> SavedSaid:
    number = asked.get("id", "")
    act = SavedAct(
        verb=asked.get("verb", ""),
        view_id=int(number) if number.isdecimal() and len(number) < 10 else None,
        name=asked.get("name", ""),
        roles=tuple(role for role in asked.get("roles", "").split(",") if role),
        page=page,
        parameters={name: st.query_params.get_all(name) for name in st.query_params},
    )
    try:
        done = perform_saved(view, act)
    except SavedViewError as error:
        return SavedSaid(text=error.sentence(view.language), is_refusal=True)
    if act.verb == "save":
        st.query_params[SAVED] = str(done.view_id)
    elif act.verb == "delete" and opened_id() == done.view_id:
        del st.query_params[SAVED]
    text = translate(view.language, f"saved.said.{done.said}", name=done.name)
    return SavedSaid(text=text, restore=str(done.view_id) if act.verb == "delete" else "")


def _deleted(view: View, saved: SavedView, ends_at: datetime) -> DeletedEntry:
    title = next((translate(view.language, entry.title) for entry in PAGES if entry.url_path == saved.page), saved.page)
    until = translate(view.language, "saved.until", at=f"{ends_at.astimezone(view.zone):%Y-%m-%d}")
    return DeletedEntry(id=str(saved.id), name=saved.name, note=f"{title} · {until}")


def _entry(view: View, saved: SavedView, known: Mapping[str, str], here: int | None, start: int | None) -> SavedEntry:
    language, is_own = view.language, saved.owner == view.user.name
    roles = (", " if language == "en" else "、").join(translate(language, f"access.role_{role}") for role in saved.roles)
    if is_own:
        note = translate(language, "saved.shared_with", roles=roles) if saved.roles else translate(language, "saved.private")
    else:
        note = translate(language, "saved.shared_by", who=known.get(saved.owner, saved.owner))
    title = next((translate(language, entry.title) for entry in PAGES if entry.url_path == saved.page), saved.page)
    return SavedEntry(
        id=str(saved.id),
        name=saved.name,
        href=saved.href,
        note=f"{title} · {note}",
        roles=saved.roles,
        is_own=is_own,
        is_here=saved.id == here,
        is_start=saved.id == start,
    )
