"""`python cli.py views …`: the saved views somebody took away, and how to bring one back; returns the lines to print."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from datetime import datetime

from sqlalchemy import Engine

from access.acting import By
from access.audit import LOCAL
from access.removal import deleted_views
from access.saved_view import SavedViewError, restore_view
from access.store import open_store
from access.user import User, UserError, find_user
from config import Settings


def add_views_arguments(parser: ArgumentParser) -> None:
    """Give the parser of `views` its actions and their options."""
    actions = parser.add_subparsers(dest="action", required=True)
    deleted = actions.add_parser("deleted", help="what somebody took away and can have back")
    restore = actions.add_parser("restore", help="bring one back exactly as it was")
    restore.add_argument("id", type=int)
    for action in (deleted, restore):
        action.add_argument("--user", metavar="NAME", required=True, help="whose views")


def views(settings: Settings, arguments: Namespace, now: datetime) -> list[str]:
    """Do one action on somebody's views; the lines for standard output. Raises UserError with a remedy."""
    store = open_store(settings)
    try:
        user = find_user(store, arguments.user)
        if user is None:
            raise UserError(f"there is no user {arguments.user!r}: `python cli.py users list` names them")
        if arguments.action == "deleted":
            return _deleted(store, user) or [f"{user.name} has taken away no view that is still kept"]
        try:
            restore_view(store, arguments.id, by=By(user=user, at=now, actor=LOCAL))
        except SavedViewError as error:
            raise UserError(str(error)) from error
        return [f"view {arguments.id} of {user.name} is back"]
    finally:
        store.dispose()


def _deleted(store: Engine, user: User) -> list[str]:
    return [
        f"{view.id:>5}  {view.name}  /{view.page}  gone for good {at:%Y-%m-%d}" for view, at in deleted_views(store, user.name)
    ]
