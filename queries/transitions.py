"""Transitions: from which milestone orders went on to which, where they wait, were cancelled, came back or met an exception."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any, Final

from sqlglot import exp

from data.order import FORWARD_MILESTONES, MILESTONE_BIT
from data.recent import Horizon
from queries.base import Ctes, Period, Request, Setting, base, table_at, window_conditions
from queries.build import Statement
from queries.columns import WAITING_STAGE
from queries.compose import Composed, filter_conditions, written
from queries.fragment import DIALECT, column_names, named, parse, select
from queries.listing import Moment
from queries.metric import CREATED
from queries.query import Filter, Query, Window
from queries.rows import source
from queries.setting import where_shapes
from queries.shape import WhereShape
from queries.standing import stand

BACK: Final = ("return_requested", "returned", "refunded")
"""What brings a delivered order back, or ends one that was not cancelled."""

REACHED: Final = " + ".join(
    f"CASE WHEN {name}_at IS NULL THEN 0 ELSE {MILESTONE_BIT[name]} END" for name in (*FORWARD_MILESTONES, "cancelled")
)
IS_BACK: Final = " OR ".join(f"{name}_at IS NOT NULL" for name in BACK)
BEFORE_EXCEPTION: Final = (
    "CASE WHEN exception_at IS NULL THEN NULL "
    + " ".join(f"WHEN {name}_at <= exception_at THEN '{name}'" for name in reversed(FORWARD_MILESTONES))
    + " ELSE 'created' END"
)
WAYS: Final = {
    "reached": REACHED,
    "is_back": IS_BACK,
    "waiting_stage": WAITING_STAGE,
    "before_exception": BEFORE_EXCEPTION,
    "is_retried": "COALESCE(failed_attempt_count, 0) > 0",
}


@dataclass(frozen=True, kw_only=True)
class Ways:
    """How many of `total` orders went from which milestone to which (`moves`, forward; a skipped one is stepped over).

    By milestone: `reached`; by the furthest one before: `cancelled`, `ended` (a return or refund without delivery, or nothing
    reported beyond); by stage: `waiting` now, `exceptions` met in it. `back` of the delivered were asked or sent back, `retried`
    orders had a failed delivery. For each milestone: reached = moves from it + waiting + cancelled + ended + delivered there.
    """

    total: int
    chain: tuple[str, ...]
    reached: dict[str, int]
    moves: dict[tuple[str, str], int]
    waiting: dict[str, int]
    waiting_from: dict[str, int]
    cancelled: dict[str, int]
    ended: dict[str, int]
    exceptions: dict[str, int]
    back: int
    retried: int
    attempts: int


@dataclass(frozen=True, kw_only=True)
class _Shape:
    where: tuple[WhereShape, ...]
    setting: Setting
    is_settled: bool
    is_repeats: bool


def build_ways(where: tuple[Filter, ...], window: Window, moment: Moment, horizon: Horizon | None = None) -> Statement:
    """The statement that counts orders created in the window by their way so far, inside the moment's scope.

    Columns: `reached` (bits of milestones), `is_back`, `waiting_stage`, `before_exception` (the furthest milestone before the
    exception), `is_retried`, `order_count`, `attempt_count`. Raises QueryError for what cannot be asked.
    """
    return _statement(where, window, moment, horizon, is_repeats=False)


def build_repeats(where: tuple[Filter, ...], window: Window, moment: Moment) -> Statement:
    """The statement that counts, of the same orders, those whose events report a milestone twice from one system.

    Columns: `milestone`, `order_count`. Raises QueryError for what cannot be asked.
    """
    return _statement(where, window, moment, None, is_repeats=True)


def _statement(
    where: tuple[Filter, ...], window: Window, moment: Moment, horizon: Horizon | None, *, is_repeats: bool
) -> Statement:
    stands = stand(Query(metrics=("order_count",), where=where, window=window), moment, horizon)
    shape = _Shape(where=where_shapes(where), setting=stands.setting, is_settled=stands.is_settled, is_repeats=is_repeats)
    return stands.statement(_compose(shape))


@lru_cache(maxsize=64)
def _compose(shape: _Shape) -> Composed:
    scan, rows = filter_conditions(CREATED, shape.where, shape.setting)
    period = Period(is_settled=shape.is_settled)
    wanted = ("channel", "order_id") if shape.is_repeats else (*WAYS.values(), "failed_attempt_count")
    columns = frozenset[str]().union(*(column_names(sql) for sql in (*wanted, *rows)))
    request = Request(anchor=CREATED, columns=columns, filters=tuple(scan), setting=shape.setting, period=period)
    ctes: Ctes = [("reports", _reports(request))] if shape.is_repeats else source(request)[0]
    answer = (_repeats if shape.is_repeats else _ways)(ctes[-1][0], rows)
    for alias, query in ctes:
        answer = answer.with_(alias, as_=query, copy=False)
    return written(answer)


def _ways(name: str, rows: list[str]) -> exp.Select:
    figures = ("COUNT(*) AS order_count", "COALESCE(SUM(failed_attempt_count), 0) AS attempt_count")
    answer = select(*(named(sql, alias) for alias, sql in WAYS.items()), *figures).from_(name, copy=False)
    answer = answer.where(*(parse(condition) for condition in rows), copy=False) if rows else answer
    return answer.group_by(*WAYS, copy=False).order_by(*(f"{key} NULLS LAST" for key in WAYS), dialect=DIALECT, copy=False)


def _reports(request: Request) -> exp.Select:
    """The events that report a milestone of the window's orders, inside the scope; none happened before its start."""
    period = request.period
    told: tuple[str, ...] = ("e.occurred_at <= $as_of", "NOT e.milestone IS NULL")
    told += (f"e.occurred_at >= {period.name('start')}",) if request.setting.has_start else ()
    conditions = [*window_conditions("o.created_at", request.setting, period), *request.filters, *told]
    rows = base(request.columns, request.setting, sight=period.sight("created"), conditions=conditions)
    on = "e.channel = o.channel AND e.order_id = o.order_id"
    rows = rows.join(table_at("order_events", "e"), on=on, join_type="inner", dialect=DIALECT, copy=False)
    return rows.select(*(f"e.{name} AS {name}" for name in ("milestone", "system", "occurred_at")), dialect=DIALECT, copy=False)


def _repeats(name: str, rows: list[str]) -> exp.Select:
    keys = ("channel", "order_id", "milestone")
    twice = select(*keys).from_(name, copy=False)
    twice = twice.where(*(parse(condition) for condition in rows), copy=False) if rows else twice
    twice = twice.group_by(*keys, "system", copy=False)
    twice = twice.having("COUNT(DISTINCT occurred_at) > 1", dialect=DIALECT, copy=False)
    orders = select(*keys).distinct(copy=False).from_(twice.subquery("twice", copy=False), copy=False)
    answer = select("milestone", "COUNT(*) AS order_count").from_(orders.subquery("orders", copy=False), copy=False)
    return answer.group_by("milestone", copy=False).order_by("milestone", copy=False)


def ways_of(rows: Iterable[Mapping[str, Any]]) -> Ways:
    """The counts of all ways together."""
    known = [(_milestones(row["reached"]), row) for row in rows]
    used = {name for reached, _ in known for name in reached} | {row["waiting_stage"] for _, row in known}
    chain = tuple(name for name in FORWARD_MILESTONES if name in used)
    found = Ways(
        total=sum(int(row["order_count"]) for _, row in known),
        chain=chain,
        reached={},
        moves={},
        waiting={},
        waiting_from={},
        cancelled={},
        ended={},
        exceptions={},
        back=sum(int(row["order_count"]) for reached, row in known if row["is_back"] and "delivered" in reached),
        retried=sum(int(row["order_count"]) for _, row in known if row["is_retried"]),
        attempts=sum(int(row["attempt_count"]) for _, row in known),
    )
    for reached, row in known:
        _add(found, reached, row)
    return found


def _add(found: Ways, reached: tuple[str, ...], row: Mapping[str, Any]) -> None:
    n = int(row["order_count"])
    for name in reached:
        found.reached[name] = found.reached.get(name, 0) + n
    for move in pairwise(reached):
        found.moves[move] = found.moves.get(move, 0) + n
    last = reached[-1]
    if row["before_exception"]:
        stage = _stage_after(row["before_exception"], reached, row["waiting_stage"], found.chain)
        found.exceptions[stage] = found.exceptions.get(stage, 0) + n
    if int(row["reached"]) & MILESTONE_BIT["cancelled"]:
        found.cancelled[last] = found.cancelled.get(last, 0) + n
    elif last == "delivered":
        return
    elif row["waiting_stage"]:
        found.waiting[row["waiting_stage"]] = found.waiting.get(row["waiting_stage"], 0) + n
        found.waiting_from[last] = found.waiting_from.get(last, 0) + n
    else:
        found.ended[last] = found.ended.get(last, 0) + n


def _milestones(reached: int) -> tuple[str, ...]:
    return tuple(name for name in FORWARD_MILESTONES if int(reached) & MILESTONE_BIT[name])


def _stage_after(before: str, reached: tuple[str, ...], waiting: str | None, chain: tuple[str, ...]) -> str:
    """The stage in which something happened after a milestone: the next one reached, waited in, or of any order."""
    later = FORWARD_MILESTONES[FORWARD_MILESTONES.index(before) + 1 :]
    for known in (reached, (waiting,), chain):
        found = next((name for name in later if name in known), None)
        if found:
            return found
    return before
