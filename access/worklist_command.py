"""`python cli.py worklist`: the work list of a user's area as a frame, as the page has it."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from datetime import datetime
from typing import Any, Final

import polars as pl

from access.reading import Reading
from access.store import open_store
from access.user import LOCAL_ADMINISTRATOR, UserError, find_user
from access.view import View, open_view
from access.worklist import TABS, WorkRow, read_worklist
from config import Settings

SCHEMA: Final[dict[str, Any]] = {
    "channel": pl.String, "order_id": pl.String, "trouble": pl.String, "region": pl.String, "province": pl.String,
    "city": pl.String, "warehouse": pl.String, "stage": pl.String, "promised_at": pl.Datetime("ms", "UTC"),
    "late_by_seconds": pl.Float64, "assignee": pl.String, "state": pl.String, "follow_up_at": pl.Datetime("ms", "UTC"),
    "is_back": pl.Boolean, "notes": pl.String,
}  # fmt: skip


def add_worklist_arguments(parser: ArgumentParser) -> None:
    """Give the parser of `worklist` its options."""
    parser.add_argument("--user", metavar="NAME", help="whose area (default: everything, as the local administrator)")
    parser.add_argument("--tab", choices=TABS, default="all")
    parser.add_argument("--limit", type=int, default=100)


def worklist(settings: Settings, arguments: Namespace, now: datetime) -> pl.DataFrame:
    """The list's rows in its order, columns as in SCHEMA. Raises UserError for an unknown user, LakeError without a snapshot."""
    store, reading = open_store(settings), Reading(settings)
    try:
        user = LOCAL_ADMINISTRATOR if arguments.user is None else find_user(store, arguments.user)
        if user is None:
            raise UserError(f"there is no user {arguments.user!r}: `python cli.py users list` names them")
        view = open_view(reading, user, {}, now=now, language="en", stays_valid=lambda: None, store=store)
        return _frame(view, arguments)
    finally:
        reading.close()
        store.dispose()


def _frame(view: View, arguments: Namespace) -> pl.DataFrame:
    rows = read_worklist(view, arguments.tab, shown=max(1, arguments.limit)).rows
    return pl.DataFrame([_cells(row) for row in rows], schema=SCHEMA)


def _cells(row: WorkRow) -> dict[str, object]:
    known = {name: row.row.get(name) for name in SCHEMA if name in row.row}
    item = row.item
    return known | {
        "trouble": row.trouble,
        "assignee": item.assignee,
        "state": item.state,
        "follow_up_at": item.follow_up_at,
        "is_back": row.is_back,
        "notes": " | ".join(note.note for note in item.notes) or None,
    }
