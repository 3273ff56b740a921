"""Where signing in leads: the saved view the user starts with, else the wall."""

from __future__ import annotations

from access.saved_view import SAVED, start_view
from access.user import find_user
from pages import PAGES
from shell.house import house


def start_path(name: str) -> str:
    """The path for a user who asked for no page; a start view that no longer opens leads to the wall, which says so."""
    user = find_user(house().store, name)
    found = start_view(house().store, user) if user is not None else None
    if user is None or found is None:
        return "/"
    view_id, view = found
    opens = view is not None and any(page.url_path == view.page and user.role in page.roles for page in PAGES)
    return view.href if view is not None and opens else f"/?{SAVED}={view_id}"
