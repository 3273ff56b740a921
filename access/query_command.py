"""`python cli.py query …`: from the words to the answer, inside the scope of the user it is asked for."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import polars as pl

from access.outside import note_outside
from access.store import open_store
from access.user import UserError, find_user, scope_of
from config import Settings
from data.active import targets_in_force
from data.lake import Lake, LakeError
from queries.build import Statement, build
from queries.known_values import check_values
from queries.present import notes
from queries.query import Query, QueryError
from queries.request import Request, Words, parse_instant, parse_request
from queries.run import run
from queries.scope import Scope

WORDS = ("metrics", "by", "where", "window", "grain", "compare", "order_by", "limit")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The rows under the names as typed, and what a reader should know beside them, one sentence each."""

    rows: pl.DataFrame
    notes: tuple[str, ...] = field(default=())


@dataclass(frozen=True, kw_only=True)
class _Desk:
    """What the question is put to: one snapshot of the lake, inside one scope."""

    lake: Lake
    settings: Settings
    scope: Scope
    snapshot: int
    version: int
    newest: datetime

    def statement(self, query: Query, as_of: datetime) -> Statement:
        return build(
            query,
            scope=self.scope,
            snapshot=self.snapshot,
            version=self.version,
            as_of=as_of,
            zone=self.settings.zone,
            targets=targets_in_force(self.settings)[0],
            newest=self.lake.newest_milestone(self.version),
        )

    def ask(self, query: Query, as_of: datetime | None = None) -> list[dict[str, Any]]:
        return run(self.lake, self.statement(query, as_of or self.newest)).to_dicts()


def user_scope(settings: Settings, name: str) -> Scope:
    """The scope of an account. Raises UserError when there is none of that name."""
    store = open_store(settings)
    try:
        user = find_user(store, name)
    finally:
        store.dispose()
    if user is None:
        raise UserError(f"there is no user {name!r}: `python cli.py users list` names them")
    return scope_of(user)


def query(settings: Settings, arguments: Namespace, *, now: datetime, say: Callable[[str], None]) -> Answer:
    """Answer the question in the arguments; `say` is told the statement where it is to be shown.

    Raises QueryError or UserError for what cannot be asked, with a remedy.
    """
    lake = Lake.open_reader(settings)
    try:
        desk = _desk(lake, settings, arguments)
        as_of = desk.newest if arguments.as_of is None else parse_instant(arguments.as_of, settings.zone)
        request = parse_request(Words(**{name: getattr(arguments, name) for name in WORDS}), as_of=as_of, zone=settings.zone)
        note_outside(settings, arguments.user or "", desk.scope, request.query.where, now=now)
        statement = desk.statement(request.query, as_of)
        _check_as_of(desk, as_of)
        check_values(request.query.where, desk.ask)
        if arguments.show_sql:
            say(statement.sql + "\n" + "\n".join(f"  ${name} = {value!r}" for name, value in statement.parameters.items()))
        rows = run(lake, statement)
        told = (*_beside(desk, arguments, request, as_of), *notes(rows, request.query))
        return Answer(rows=rows.rename(request.names_as_typed(rows.columns)), notes=told)
    finally:
        lake.close()


def _desk(lake: Lake, settings: Settings, arguments: Namespace) -> _Desk:
    head = lake.head()
    snapshot = head.snapshot_id if arguments.snapshot is None else arguments.snapshot
    if not head.snapshot_id:
        raise QueryError(f"no snapshot in {settings.home}: take in a file first with `python cli.py ingest`")
    try:
        version = lake.version_of(snapshot)
    except LakeError as error:
        raise QueryError(str(error)) from error
    newest = lake.as_of(snapshot)
    if newest is None:
        raise QueryError(f"no file was taken in up to snapshot {snapshot}: `python cli.py snapshots` says why")
    scope = Scope.ALL if arguments.user is None else user_scope(settings, arguments.user)
    return _Desk(lake=lake, settings=settings, scope=scope, snapshot=snapshot, version=version, newest=newest)


def _check_as_of(desk: _Desk, as_of: datetime) -> None:
    """Raise QueryError for an instant before the first order: nothing can be known of it."""
    counted = Query(metrics=("order_count",))
    if as_of >= desk.newest or desk.ask(counted, as_of)[0]["order_count"]:
        return
    first = desk.ask(Query(metrics=("order_count",), grain="hour", order_by="bucket_at", limit=1))
    if first:
        began = first[0]["bucket_at"].astimezone(desk.settings.zone).isoformat(timespec="minutes")
        raise QueryError(
            f"as of {_utc(as_of)} there was no order yet: the first one is of the hour from {began}, ask of a later instant"
        )


def _beside(desk: _Desk, arguments: Namespace, request: Request, as_of: datetime) -> tuple[str, ...]:
    who = "the local administrator (no --user given)" if arguments.user is None else arguments.user
    told = [f"as {who}, snapshot {desk.snapshot}", *request.notes]
    if as_of > desk.newest:
        told.append(
            f"as of {_utc(as_of)} is later than the newest data ({_utc(desk.newest)}): what happened since is not known, "
            "and open orders seem to wait until then"
        )
    return tuple(told)


def _utc(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
