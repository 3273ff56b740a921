"""What a user does with saved views: one door for the interface, which says what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Engine

from access.acting import By
from access.saved_view import (
    SavedViewError,
    delete_view,
    name_of_view,
    rename_view,
    restore_view,
    save_view,
    set_start_view,
    share_view,
    update_view,
)
from access.view import View


@dataclass(frozen=True, kw_only=True)
class SavedAct:
    """One thing asked for; `page` and `parameters` are what is on the screen."""

    verb: str
    view_id: int | None = None
    name: str = ""
    roles: tuple[str, ...] = ()
    page: str = ""
    parameters: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class SavedDone:
    """What came of it: a key below `saved.said`, and the view."""

    said: str
    view_id: int | None
    name: str


def perform_saved(view: View, act: SavedAct) -> SavedDone:
    """Do it as the view's user. Raises SavedViewError with the reason, SessionEnded."""
    if view.is_preview:
        raise SavedViewError("preview")
    by, store = view.by(), view.store
    if store is None:
        raise SavedViewError("gone")
    if act.verb == "save":
        view_id = save_view(store, name=act.name, page=act.page, parameters=act.parameters, roles=act.roles, by=by)
        return SavedDone(said="save", view_id=view_id, name=name_of_view(store, view_id))
    if act.verb == "start" and act.view_id is None:
        set_start_view(store, None, by=by)
        return SavedDone(said="no_start", view_id=None, name="")
    if act.view_id is None:
        raise SavedViewError("gone")
    _change(store, act, act.view_id, by)
    said = "private" if act.verb == "share" and not act.roles else act.verb
    return SavedDone(said=said, view_id=act.view_id, name=name_of_view(store, act.view_id))


def _change(store: Engine, act: SavedAct, view_id: int, by: By) -> None:
    if act.verb == "rename":
        rename_view(store, view_id, act.name, by=by)
    elif act.verb == "share":
        share_view(store, view_id, act.roles, by=by)
    elif act.verb == "update":
        update_view(store, view_id, page=act.page, parameters=act.parameters, by=by)
    elif act.verb == "delete":
        delete_view(store, view_id, by=by)
    elif act.verb == "restore":
        restore_view(store, view_id, by=by)
    elif act.verb == "start":
        set_start_view(store, view_id, by=by)
    else:
        raise SavedViewError("verb")
