"""`python cli.py views …`: the saved views somebody took away, and how to bring one back; returns the lines to print."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from datetime import datetime

from sqlalchemy import Engine, select

from access.acting import By
from access.audit import LOCAL
from access.removal import KEPT_FOR
from access.saved_view import SAVED_VIEWS, SavedViewError, restore_view
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
    query = select(SAVED_VIEWS).where(SAVED_VIEWS.c.owner == user.name, SAVED_VIEWS.c.deleted_at.is_not(None))
    with store.connect() as connection:
        rows = connection.execute(query.order_by(SAVED_VIEWS.c.id)).all()
    return [f"{row.id:>5}  {row.name}  /{row.page}  gone for good {row.deleted_at + KEPT_FOR:%Y-%m-%d}" for row in rows]
