"""The View: the interface's only door to data, built anew for each run of a page from the session and the address."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from threading import Event
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

import polars as pl
from sqlalchemy import Engine

from access.acting import By
from access.address import Address, read_address
from access.audit import Actor, note
from access.flag import limits_of, look_at
from access.freshness import SourceFreshness, filling_share, is_worker_silent, judge_sources, read_promises
from access.journey import VALID_FOR, Journey, make_token
from access.order_history import Learned, history
from access.order_twin import Twin, read_twin
from access.preference import read_preference, write_preference
from access.reading import EmptyLake, Reading
from access.session import Checked
from access.user import PreviewError, User, scope_of
from data.active import Fault, targets_in_force
from data.keys import read_keys
from data.lake import LakeError
from data.recent import Horizon
from data.targets import Targets
from queries.build import Statement, build
from queries.cache import Key, key_of
from queries.dimensions import ALL_ROWS, DIMENSIONS
from queries.listing import Listing, Moment, build_count, build_listing
from queries.listing_page import begins_in_memory, read_page
from queries.metrics import ASKABLE
from queries.query import Filter, Query, Window
from queries.request import parse_window
from queries.run import MovedOn
from queries.scope import Scope
from queries.together import read_together
from queries.twin import OrderKey, build_sightings

T = TypeVar("T")

HELD_FOR: Final = timedelta(seconds=30)
"""So long a view waits for what is being made ready; then news is news, ready or not."""


class Overtaken(RuntimeError):
    """While a page was being drawn the orders in memory became those of a newer snapshot."""


@dataclass(frozen=True, kw_only=True)
class View:
    """One user's sight of one snapshot at one instant: all figures of a run of a page agree.

    `is_live` says that no instant was chosen and some source still delivers. `window` and `filters` are the address's
    choice, for `Query.window` and `Query.where`: of its filters those that every figure has (`filters_for` has all that
    a figure has). `faults` are the contracts and targets that cannot be used. `stays_valid` raises SessionEnded once
    the session has ended. `now` is the wall clock's instant at which the view was opened, for what people do; `store`
    is None where nothing is kept. `checked` lets answers of a moment share one look at the session. `drawing` is set while a
    page is drawn that can be begun anew with a newer view; `held` is when it first waited for news that was being made ready.
    """

    user: User
    scope: Scope
    reading: Reading
    snapshot: int
    version: int
    as_of: datetime
    now: datetime
    is_live: bool
    window: Window
    filters: tuple[Filter, ...]
    language: str
    zone: ZoneInfo
    targets: Targets
    address: Address = field(default_factory=Address)
    sources: tuple[SourceFreshness, ...] = ()
    is_worker_silent: bool = False
    filling_share: float | None = None
    faults: tuple[Fault, ...] = ()
    stays_valid: Callable[[], None] = field(default=lambda: None, repr=False)
    store: Engine | None = field(default=None, repr=False)
    actor: Actor | None = field(default=None, repr=False)
    clock: Callable[[], datetime] | None = field(default=None, repr=False)
    checked: Checked = field(default_factory=Checked, repr=False, compare=False)
    drawing: Event = field(default_factory=Event, repr=False, compare=False)
    held: list[datetime] = field(default_factory=list, repr=False, compare=False)

    def at_present(self) -> View:
        """The same view for what is done now, maybe long after it was opened."""
        return replace(self, now=self.clock()) if self.clock else self

    @property
    def is_preview(self) -> bool:
        """Whether an administrator looks through this user's eyes: nothing can be changed."""
        return self.actor is not None and self.actor.name != self.user.name

    def run(self, query: Query) -> pl.DataFrame:
        """The answer within the user's scope at this view's snapshot and instant; `queries.build` names the columns.

        Raises QueryError for a question that cannot be asked, SessionEnded when the session has ended.
        """
        return self.from_memory(lambda horizon: self._answer(self._statement(query, horizon)))

    def statement(self, query: Query) -> Statement:
        """What asks the lake for the query's answer, for this user at this view's snapshot and instant."""
        return self._statement(query, None)

    def sql(self, query: Query) -> str:
        """The SELECT that answers the query for this user, with the values of its parameters; for reading."""
        self.stays_valid()
        statement = self.statement(query)
        values = [f"-- ${name} = {_shown(value)}" for name, value in statement.parameters.items()]
        return "\n".join((*values, statement.sql))

    def run_all(self, queries: Sequence[Query]) -> list[pl.DataFrame]:
        """The answers of several questions, in their order, asked side by side so that every core has work; as `run`."""
        return list(self.reading.askers.map(self.run, queries))

    def ask_together(self, questions: Sequence[Query | Listing]) -> None:
        """Ask at once what only the lake answers of these and is not kept yet, where several look at the same orders.

        Each question then finds its answer ready, a list by `list_at_once`. Raises as `run`.
        """
        self.stays_valid()
        horizon = self.reading.horizon(self.version)
        statements = [self._lakes_own(question, horizon) for question in questions]
        due = {self._key(statement): statement for statement in statements if statement is not None}
        asked = {key: statement for key, statement in due.items() if not self.reading.cache.has(key)}
        keys, each = list(asked), list(asked.values())
        together = read_together(each)
        if together is None:
            return
        others = [
            self.reading.askers.submit(self._answer, own) for place, own in enumerate(each) if place not in together.readers
        ]
        for place, frame in self.reading.answer_together(each, together).items():
            self.reading.cache.get(keys[place], partial(_same, frame))
        for other in others:
            other.result()

    def _lakes_own(self, question: Query | Listing, horizon: Horizon | None) -> Statement | None:
        """What asks the lake; None where memory answers, or may."""
        if isinstance(question, Query):
            statement = self._statement(question, horizon)
        elif begins_in_memory(question, self.moment(horizon)):
            return None
        else:
            statement = build_listing(question, self.moment(horizon))
        return statement if statement.kept_version is None else None

    def _statement(self, query: Query, horizon: Horizon | None) -> Statement:
        return build(
            query,
            scope=self.scope,
            snapshot=self.snapshot,
            version=self.version,
            as_of=self.as_of,
            zone=self.zone,
            targets=self.targets,
            newest=self.reading.lake().newest_milestone(self.version),
            horizon=horizon,
        )

    def list_orders(self, listing: Listing) -> pl.DataFrame:
        """One page of the rows behind a figure, or of orders, first row first; `queries.listing` names the columns.

        Raises QueryError for what cannot be listed, SessionEnded when the session has ended.
        """
        rows = self.from_memory(lambda horizon: read_page(listing, self.moment(horizon), self._answer))
        return rows.reverse() if listing.before else rows

    def list_at_once(self, listing: Listing) -> pl.DataFrame:
        """The first rows of a list, as `list_orders`; where only the lake has them, with all they show in one question."""

        def ask(horizon: Horizon | None) -> pl.DataFrame:
            statement = self._lakes_own(listing, horizon)
            return read_page(listing, self.moment(horizon), self._answer) if statement is None else self._answer(statement)

        return self.from_memory(ask)

    def count_orders(self, listing: Listing) -> int:
        """How many rows the whole list has; for all that a figure stands on exactly its n."""
        return int(self.count_orders_by(listing)["order_count"][0])

    def count_orders_by(self, listing: Listing, *by: str) -> pl.DataFrame:
        """How many rows the whole list has (`order_count`) in each group of the dimensions, the largest first."""
        return self.from_memory(lambda horizon: self._answer(build_count(listing, self.moment(horizon), by=by)))

    def read_order(self, channel: str, order_id: str, created_at: datetime | None = None) -> Twin | None:
        """One order's life at this view's instant; None when there is none in the user's scope. `created_at` finds it sooner."""
        key = OrderKey(channel=channel, order_id=order_id, created_at=created_at)
        return self.from_memory(
            lambda horizon: read_twin(key, self.moment(horizon), lambda asked: list(self.reading.askers.map(self._answer, asked)))
        )

    def order_history(self, twin: Twin) -> list[Learned]:
        """Every change of what was known of the order, oldest first."""
        sightings = self.from_memory(lambda horizon: self._answer(build_sightings(twin.key, self.moment(horizon)))).to_dicts()
        return history(sightings, self.reading.snapshot_sources(self.version, (row["snapshot_id"] for row in sightings)))

    def make_journey(self, channel: str, order_id: str) -> str:
        """The path of a customer's page of one order in the user's scope, good for `VALID_FOR`; making it is recorded.

        Empty where there is no such order, and in a preview. Raises SessionEnded, KeysError.
        """
        if self.is_preview or self.read_order(channel, order_id) is None:
            return ""
        journey = Journey(channel=channel, order_id=order_id, expires_at=self.now + VALID_FOR)
        self._note("journey_made", "order", f"{channel}/{order_id}")
        return f"/journey/{make_token(journey, read_keys(self.reading.settings).signing)}"

    def note_denied(self, kind: str, name: str) -> None:
        """Record that something asked for is not there for this user: unknown, or outside the scope."""
        if not self.scope.everything and not self.is_preview:
            self._note("order_not_found", kind, name, result="denied")

    def note_export(self, kind: str, name: str, detail: dict[str, object]) -> None:
        """Record that something was taken out of the control room as a file."""
        self._note("orders_exported", kind, name, detail=detail)
        if self.store:
            look_at(self.store, self.by_name, limits_of(self.reading.settings), self.now)

    def _note(self, action: str, kind: str, name: str, *, result: str = "done", detail: dict[str, object] | None = None) -> None:
        if self.store:
            note(
                self.store,
                at=self.now,
                actor=self.actor or self.user.name,
                action=action,
                object_kind=kind,
                object_id=name,
                result=result,
                detail=detail,
            )

    @property
    def by_name(self) -> str:
        """The account that acts, which in a preview is not the one looked through."""
        return self.actor.name if self.actor else self.user.name

    def moment(self, horizon: Horizon | None = None) -> Moment:
        """What lists and single orders are seen from."""
        return Moment(
            scope=self.scope,
            version=self.version,
            as_of=self.as_of,
            zone=self.zone,
            targets=self.targets,
            newest=self.reading.lake().newest_milestone(self.version),
            horizon=horizon,
        )

    def ask(self, statement: Statement) -> pl.DataFrame:
        """The answer to a statement that `queries` built for this view's scope, version and instant; kept like any other."""
        return self._answer(statement)

    def ask_recent(self, build_for: Callable[[Moment, Horizon | None], Statement]) -> pl.DataFrame:
        """The answer to what `build_for` makes for this view's moment, from the orders in memory where they hold what is asked."""
        moment = self.moment()
        return self.from_memory(lambda horizon: self._answer(build_for(moment, horizon)))

    def work_out(self, work: Callable[..., T], answers: tuple[pl.DataFrame, ...], *rest: Hashable) -> T:
        """What a function of the answers alone, and of plain values, makes of them; kept beside them (`Cache.work_out`)."""
        return self.reading.cache.work_out(work, answers, *rest)

    def share(self, read: Callable[..., T], *rest: Hashable) -> T:
        """What `read(self, *rest)` gives, kept for every view that shows the same: scope, snapshot, instant, address, language.

        `read` is a function at the top of a module that asks nothing of who looks but the role, and nothing of the clock but
        the minutes of the sources' ages. What it gives is shared: do not change it. Raises SessionEnded.
        """
        self.checked.check(self.stays_valid)
        return self.reading.cache.share((read, self._sight(), rest), lambda: read(self, *rest))

    def _sight(self) -> Hashable:
        """All that what is shown depends on."""
        sources = tuple((replace(source, age_seconds=0), source.age_seconds // 60) for source in self.sources)
        own = (self.user.role, self.scope, self.snapshot, self.version, self.as_of, self.is_live, self.window, self.filters)
        told = (self.language, self.zone, self.targets, self.address, sources, self.is_worker_silent, self.filling_share)
        return own, told, self.faults

    def _answer(self, statement: Statement) -> pl.DataFrame:
        self.checked.check(self.stays_valid)
        return self.reading.cache.get(self._key(statement), lambda: self.reading.answer(statement))

    def _key(self, statement: Statement) -> Key:
        return key_of(statement, scope=self.scope, snapshot=self.snapshot, as_of=self.as_of)

    def from_memory(self, ask: Callable[[Horizon | None], T]) -> T:
        """What is asked of the recent orders in memory, or of the lake where they have moved on to a newer snapshot.

        Raises Overtaken where that happens to a page that follows the present, while it is being drawn (`drawing`).
        """
        try:
            horizon = self.reading.horizon(self.version)
            if horizon is None:
                self._leave_if_overtaken()
            return ask(horizon)
        except MovedOn:
            self._leave_if_overtaken()
            return ask(None)

    def _leave_if_overtaken(self) -> None:
        is_chosen = self.address.as_of is not None or self.address.snapshot is not None
        if self.drawing.is_set() and not is_chosen and self.reading.has_moved_on(self.version):
            raise Overtaken("there is a newer snapshot: draw that one")

    def filters_for(self, *metrics: str) -> tuple[Filter, ...]:
        """Of the address's filters those whose dimension all these metrics have."""
        rows = {ASKABLE[name].anchor.rows for name in metrics}
        return tuple(filter_ for filter_ in self.address.filters if rows <= set(DIMENSIONS[filter_.dimension].rows))

    def freshness(self) -> list[SourceFreshness]:
        """Every source's age and state, by source name."""
        return list(self.sources)

    def has_news(self) -> bool:
        """Whether there is something newer to draw than this view; raises SessionEnded when the session has ended.

        While older history is still coming in, every few seconds, only a newer data instant is news; and what is being made
        ready is none yet, unless this view has waited too long for it.
        """
        self.stays_valid()
        is_chosen = self.address.as_of is not None or self.address.snapshot is not None
        if is_chosen or (self.reading.is_preparing and self._holds()):
            return False
        try:
            newest = self.reading.ledger()
        except LakeError:
            # Nothing is known of what is new: what is drawn stays, the next look asks again.
            return False
        is_older_history = newest.as_of == self.as_of and filling_share(self.reading.settings) is not None
        return newest.snapshot != self.snapshot and not is_older_history

    def _holds(self) -> bool:
        """Whether this view has not waited too long yet for what is being made ready."""
        now = self.at_present().now
        self.held.append(now)
        del self.held[1:]
        return now - self.held[0] < HELD_FOR

    def preference(self, name: str) -> str | None:
        """The small choice this user keeps under the name; None when there is none."""
        return read_preference(self.store, self.user, name) if self.store else None

    def keep_preference(self, name: str, value: str | None) -> None:
        """Keep a small choice of this user, None forgets it. Raises PreferenceError, SessionEnded."""
        self.stays_valid()
        if self.store and not self.is_preview:
            write_preference(self.store, self.user, name, value)

    def by(self, *, seen_version: int = 0) -> By:
        """The user as who acts now, having seen this version of what is changed. Raises SessionEnded, PreviewError."""
        self.stays_valid()
        if self.is_preview:
            raise PreviewError("a preview only looks: leave it to change anything")
        return By(user=self.user, at=self.now, seen_version=seen_version, actor=self.actor)

    @property
    def is_filling(self) -> bool:
        """Whether older history is still coming in."""
        return self.filling_share is not None


def _same(frame: pl.DataFrame) -> pl.DataFrame:
    return frame


def _shown(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else repr(value)


def open_view(
    reading: Reading,
    user: User,
    parameters: Mapping[str, Sequence[str]],
    *,
    now: datetime,
    language: str,
    stays_valid: Callable[[], None],
    store: Engine | None = None,
    actor: Actor | None = None,
    clock: Callable[[], datetime] | None = None,
) -> View:
    """The user's view of what the address's query parameters ask for, at `now`; `clock` tells the instant of what is done later.

    Raises EmptyLake where there is nothing to look at, LakeError where a chosen snapshot is not kept.
    """
    settings = reading.settings
    address = read_address(parameters, settings.zone)
    ledger = reading.ledger(until=address.as_of, snapshot=address.snapshot)
    if ledger.as_of is None:
        raise EmptyLake("there is no snapshot: wait for the first one or take in a file")
    if address.as_of is not None and address.as_of > max(now, ledger.as_of):
        # Nothing is known of what is to come: every open order would be told as late.
        lost = f"as_of={address.as_of.astimezone(settings.zone).isoformat(timespec='seconds')}"
        address = replace(address, as_of=None, notes=(*address.notes, lost))
    as_of = address.as_of or ledger.as_of
    is_chosen = address.as_of is not None or address.snapshot is not None
    promises, faults = read_promises(settings)
    targets, fault = targets_in_force(settings)
    sources = judge_sources(ledger.sources, promises, as_of if is_chosen else now)
    return View(
        user=user,
        scope=scope_of(user),
        reading=reading,
        snapshot=ledger.snapshot,
        version=ledger.version,
        as_of=as_of,
        now=now,
        is_live=not is_chosen and any(source.state != "once" for source in sources),
        window=parse_window(address.window, as_of=as_of, zone=settings.zone),
        filters=tuple(filter_ for filter_ in address.filters if DIMENSIONS[filter_.dimension].rows == ALL_ROWS),
        language=language,
        zone=settings.zone,
        targets=targets,
        address=address,
        sources=sources,
        is_worker_silent=is_worker_silent(settings, now),
        filling_share=filling_share(settings),
        faults=(*faults, *([fault] if fault else [])),
        stays_valid=stays_valid,
        store=store,
        actor=actor,
        clock=clock,
    )
