"""Rules about single orders after a snapshot: one statement for all of them, and per rule one transaction with what changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine, and_, select, tuple_, update

from access.freshness import SourceFreshness
from access.store import writing
from alerts.book import LiveRule, Told, live_rules, read_state, write_state, write_transitions
from alerts.needs import readiness
from alerts.outbox import put_out, receivers_of
from alerts.review import AT_ONCE, OrderKey, change
from alerts.rule import Rule
from alerts.sampling import Source
from alerts.state import RuleState, Transition
from alerts.tables import REVIEWS
from queries.listing import Moment
from queries.order_match import Asked, build_matches
from queries.query import QueryError
from queries.run import RunError, run
from queries.scope import Scope

MOST_MATCHES: Final = 5_000
"""A rule with a queue or receivers that matches more orders than this is too wide to be worked through."""

Matched = dict[OrderKey, str | None]
"""The orders a rule matches, with their regions."""


@dataclass
class Sweep:
    """What a pass over the rules about single orders did; `notes` are lines for the log."""

    rules: int = 0
    entered: int = 0
    left: int = 0
    queries: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Due:
    """One rule to be looked at, the silent source that keeps it still, and what it matches or why that is not known."""

    live: LiveRule
    frozen_by: str = ""
    matched: Matched | None = None
    error: str = ""


def watch_orders(
    store: Engine,
    source: Source,
    sources: Sequence[SourceFreshness],
    *,
    now: datetime,
    checkpoint: Callable[[str], None] = lambda _: None,
) -> Sweep:
    """Bring every queue up to the snapshot: orders that match enter, those that no longer do leave by themselves.

    A rule that knows the snapshot already is left alone; one that cannot be asked keeps its queue and says why.
    """
    done = Sweep()
    at = max((entry.as_of for entry in sources), default=None)
    found = [live for live in live_rules(store) if live.rule.order is not None]
    if at is None or not found:
        return done
    due = _ask(source, [_due(live, sources, at, source.zone) for live in found], at, done)
    checkpoint("asked")
    for entry in due:
        _keep(store, entry, source, at, now, done, checkpoint)
    return done


def keeps_matches(rule: Rule) -> bool:
    """Whether the orders a rule matches are kept: for its queue, or to tell of each once."""
    return rule.order is not None and bool(rule.order.confirmations or rule.receivers)


def asked_of(rule: Rule, scope: Scope) -> Asked:
    """What is asked of open orders for a rule about single orders."""
    assert rule.order is not None
    return Asked(pick=rule.order.pick, scope=scope)


def _due(live: LiveRule, sources: Sequence[SourceFreshness], at: datetime, zone: ZoneInfo) -> Due:
    if live.rule.has_ended(at, zone):
        return Due(live=live, matched={})
    return Due(live=live, frozen_by=readiness(live.rule, sources).frozen_by, error=live.error)


def _ask(source: Source, due: Sequence[Due], at: datetime, done: Sweep) -> list[Due]:
    """What each rule matches: all in one statement, one by one only where that statement cannot be run."""
    asking = [
        one
        for one in due
        if one.matched is None and not one.error and not one.frozen_by and (one.live.is_personal or keeps_matches(one.live.rule))
    ]
    if not asking:
        return list(due)
    answers: dict[str, Matched | str] = {}
    try:
        answers = dict(zip([one.live.rule.name for one in asking], _matches(source, asking, at, done), strict=True))
    except (QueryError, RunError):
        for one in asking:
            try:
                answers[one.live.rule.name] = _matches(source, [one], at, done)[0]
            except (QueryError, RunError) as error:
                answers[one.live.rule.name] = str(error)
    return [_answered(one, answers[name]) if (name := one.live.rule.name) in answers else one for one in due]


def _answered(due: Due, answer: Matched | str) -> Due:
    if isinstance(answer, str):
        return replace(due, error=answer)
    if len(answer) > MOST_MATCHES:
        return replace(due, error=f"it matches {len(answer)} orders, more than {MOST_MATCHES}: narrow it")
    return replace(due, matched=answer)


def _matches(source: Source, asking: Sequence[Due], at: datetime, done: Sweep) -> list[Matched]:
    done.queries += 1
    moment = Moment(
        scope=Scope.ALL,
        version=source.version,
        as_of=at,
        zone=source.zone,
        targets=source.targets,
        newest=source.lake.newest_milestone(source.version),
    )
    rows = run(source.lake, build_matches([asked_of(one.live.rule, one.live.scope) for one in asking], moment)).to_dicts()
    return [
        {(row["channel"], row["order_id"]): row["region_code"] for row in rows if row[f"match_{place}"]}
        for place in range(len(asking))
    ]


def _keep(
    store: Engine, due: Due, source: Source, at: datetime, now: datetime, done: Sweep, checkpoint: Callable[[str], None]
) -> None:
    live = due.live
    with writing(store) as connection:
        before, known = read_state(connection, live.rule.name, live.version)
        if known >= source.snapshot:
            return
        after = _state(before, due, at)
        if due.matched is not None and not due.error:
            entered = _enter(connection, live, due.matched, at, source.snapshot)
            left = _leave(connection, live, due.matched, at, source.snapshot)
            checkpoint("written")
            _tell(connection, live, entered, at, source.snapshot, now)
            done.entered, done.left = done.entered + len(entered), done.left + left
        write_state(connection, live, after, before=before, snapshot=source.snapshot, frozen_by=due.frozen_by)
        checkpoint("put out")
    checkpoint("committed")
    done.rules += 1
    if due.error:
        done.notes += (f"rule {live.rule.name}: {due.error}",)


def _state(before: RuleState, due: Due, at: datetime) -> RuleState:
    if due.error:
        return replace(before, errors=before.errors + 1, error=due.error)
    return replace(before, at=before.at if due.frozen_by else at, errors=0, error="")


def _enter(connection: Connection, live: LiveRule, matched: Matched, at: datetime, snapshot: int) -> list[Mapping[str, Any]]:
    """Let the orders in that are not there; those that were there before begin a new episode, told of already."""
    own = REVIEWS.c.rule == live.rule.name
    present = select(REVIEWS.c.channel, REVIEWS.c.order_id).where(own, REVIEWS.c.state != "left")
    there = {(row.channel, row.order_id) for row in connection.execute(present)}
    coming = [key for key in matched if key not in there]
    known: dict[OrderKey, Any] = {}
    for start in range(0, len(coming), AT_ONCE):
        some = tuple_(REVIEWS.c.channel, REVIEWS.c.order_id).in_(coming[start : start + AT_ONCE])
        known |= {
            (row["channel"], row["order_id"]): row for row in connection.execute(select(REVIEWS).where(own, some)).mappings()
        }
    fresh: list[dict[str, Any]] = []
    again: list[dict[str, Any]] = []
    for key in coming:
        before = known.get(key)
        row = _row(live, key, matched[key], at, snapshot)
        row |= {"episode": 1 + (before["episode"] if before else 0), "told_by": before["told_by"] if before else None}
        (again if before else fresh).append(row)
    if fresh:
        connection.execute(REVIEWS.insert(), fresh)
    for row in again:
        connection.execute(update(REVIEWS).where(_is(row)).values(**row))
    change(connection, [*fresh, *again], "entered", at=at, snapshot=snapshot)
    return [*fresh, *again]


def _row(live: LiveRule, key: OrderKey, region: str | None, at: datetime, snapshot: int) -> dict[str, Any]:
    assert live.rule.order is not None
    return {
        "rule": live.rule.name,
        "channel": key[0],
        "order_id": key[1],
        "region_code": region,
        "owner": live.owner if live.is_personal else "",
        "needed": live.rule.order.confirmations,
        "state": "waiting",
        "reason": "",
        "entered_at": at,
        "left_at": None,
        "version": live.version,
        "snapshot": snapshot,
    }


def _leave(connection: Connection, live: LiveRule, matched: Matched, at: datetime, snapshot: int) -> int:
    is_open = and_(REVIEWS.c.rule == live.rule.name, REVIEWS.c.state != "left")
    rows = [dict(row) for row in connection.execute(select(REVIEWS).where(is_open)).mappings()]
    gone = [row for row in rows if (row["channel"], row["order_id"]) not in matched]
    for row in gone:
        connection.execute(update(REVIEWS).where(_is(row)).values(state="left", left_at=at, reason="no_match"))
    change(connection, gone, "left", at=at, snapshot=snapshot)
    return len(gone)


def _is(row: Mapping[str, Any]) -> Any:  # noqa: ANN401 - SQLAlchemy's own condition type
    return and_(REVIEWS.c.rule == row["rule"], REVIEWS.c.channel == row["channel"], REVIEWS.c.order_id == row["order_id"])


def _tell(
    connection: Connection, live: LiveRule, entered: Sequence[Mapping[str, Any]], at: datetime, snapshot: int, now: datetime
) -> None:
    """One message per region for the orders nobody was told of yet; each order is told of once per rule."""
    if not receivers_of(live):
        return
    regions: dict[str | None, list[Mapping[str, Any]]] = {}
    for row in entered:
        if row["told_by"] is None:
            regions.setdefault(row["region_code"], []).append(row)
    placed = replace(live, rule=replace(live.rule, group_by=("region",)))
    for region, rows in regions.items():
        transition = _transition(live, region, len(rows), at)
        number = write_transitions(connection, placed, [transition], snapshot=snapshot, now=now)[0]
        untold = and_(
            REVIEWS.c.snapshot == snapshot,
            REVIEWS.c.rule == live.rule.name,
            REVIEWS.c.told_by.is_(None),
            REVIEWS.c.region_code.is_not_distinct_from(region),
        )
        connection.execute(update(REVIEWS).where(untold, REVIEWS.c.state != "left").values(told_by=number))
        scope = None if region is None else frozenset({region})
        put_out(
            connection, placed, [Told(transition_id=number, transition=transition, message="matched", regions=scope)], now=now
        )


def _transition(live: LiveRule, region: str | None, count: int, at: datetime) -> Transition:
    level = live.rule.order.severity if live.rule.order else None
    return Transition(
        at=at,
        group=(region,),
        before="inactive",
        before_level=None,
        after="inactive",
        level=level,
        episode_at=None,
        message="matched",
        value=float(count),
        n=count,
    )
