"""One order's statements: what it is, its events, returns and complaints, every sighting of it, and comparable orders.

All of them read the lake through the base: an order outside the scope has no row, and so nothing attached to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final

from sqlglot import exp

from data.order import COMPLAINT_COLUMNS, EVENT_COLUMNS, MILESTONES, ORDER_COLUMNS, RETURN_COLUMNS, Column
from queries.base import Period, Request, Setting, base, table_at
from queries.build import Statement
from queries.compose import Composed, is_materialized, written
from queries.fragment import DIALECT, named, select
from queries.listing import Moment, numbers_of
from queries.listing_columns import LISTING_COLUMNS
from queries.metric import PASSED
from queries.query import Query, Window
from queries.rows import source
from queries.setting import Span, setting_of, setting_values
from queries.standing import stand

COMPARABLE_LEVELS: Final = ("lane", "region")
"""Comparable orders are those of the same lane, else of the same region; of the same business type in both."""

MILESTONE_NAMES: Final = MILESTONES
KEY: Final = ("o.channel = $channel", "o.order_id = $order_id")
SIGHTED: Final = ("snapshot_id", "as_of", "row_number", "withdrawn", "inferred_milestones")


def _names(columns: tuple[Column, ...]) -> tuple[str, ...]:
    return tuple(column.name for column in columns)


ATTACHED: Final[dict[str, tuple[tuple[str, ...], str, bool]]] = {
    "order_events": (_names(EVENT_COLUMNS), "occurred_at", False),
    "order_returns": (_names(RETURN_COLUMNS), "requested_at", True),
    "order_complaints": (_names(COMPLAINT_COLUMNS), "created_at", True),
    "order_rows": ((*SIGHTED, *_names(ORDER_COLUMNS)), "as_of", False),
}
"""By table: what is read of it, since when a row exists, and whether later instants in it are forgotten."""

SHOWN: Final = ("stage", "waited_seconds", "age_seconds", "order_cycle_seconds", "late_by_seconds")
SAME_LANE: Final = "warehouse_id = $warehouse AND province_code = $province"


@dataclass(frozen=True, kw_only=True)
class OrderKey:
    """An order's key; `created_at` narrows the search once it is known."""

    channel: str
    order_id: str
    created_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Comparable:
    """Whom an order is compared with: its lane and region, business type, and the days their stages ended in."""

    warehouse: str | None
    province: str | None
    region: str | None
    business_type: str | None
    window: Window


def build_order(key: OrderKey, moment: Moment) -> Statement:
    """The order as it is at the moment: every column, its inferred and measured milestones, stage, age and lateness."""
    return _statement("order", key, moment)


def build_events(key: OrderKey, moment: Moment) -> Statement:
    """The order's events up to the moment, oldest first."""
    return _statement("order_events", key, moment)


def build_returns(key: OrderKey, moment: Moment) -> Statement:
    """The order's returns asked for up to the moment; what came later is null."""
    return _statement("order_returns", key, moment)


def build_complaints(key: OrderKey, moment: Moment) -> Statement:
    """The order's complaints raised up to the moment; what came later is null."""
    return _statement("order_complaints", key, moment)


def build_sightings(key: OrderKey, moment: Moment) -> Statement:
    """Every row a snapshot ever brought of the order, as it came, seen up to the moment, oldest first."""
    return _statement("order_rows", key, moment)


def build_comparable(comparable: Comparable, moment: Moment) -> Statement:
    """Per stage: p10, p50, p90 and n of the dwell of comparable orders, for the lane (`lane_…`) and the region (`region_…`)."""
    stands = stand(Query(metrics=("dwell_seconds_p50",), window=comparable.window), moment, moment.horizon)
    whom = {"warehouse": comparable.warehouse, "province": comparable.province}
    whom |= {"region": comparable.region, "business_type": comparable.business_type}
    return stands.statement(_compose_comparable(stands.setting, is_settled=stands.is_settled), whom)


def _statement(table: str, key: OrderKey, moment: Moment) -> Statement:
    edition = moment.targets.at(moment.as_of, moment.zone)
    span = Span(window=Window.all_until(moment.as_of), as_of=moment.as_of, newest=moment.newest)
    setting = setting_of(moment.scope, span, edition, grain=None, zone=moment.zone)
    values = setting_values(moment.scope, moment.version, edition) | {"as_of": moment.as_of}
    values |= {"channel": key.channel, "order_id": key.order_id, "created_at": key.created_at}
    conditions, bounds = _places(key, moment)
    if table == "order":
        return _with_values(_compose_order(setting, conditions, is_settled=span.is_settled), values | bounds)
    parts, row_bounds = _row_places(key, moment) if table == "order_rows" else (("TRUE",), {})
    composed = _compose_attached(table, setting, conditions, parts, is_settled=span.is_settled)
    return _with_values(composed, values | bounds | row_bounds)


def _places(key: OrderKey, moment: Moment) -> tuple[tuple[str, ...], dict[str, object]]:
    """Conditions that say where to look for the order, and their parameters."""
    numbers = numbers_of(moment)
    if key.created_at is not None:
        return (*KEY, "o.created_at = $created_at"), {}
    if numbers is None:
        return KEY, {}
    reach = numbers.reach_of(key.channel, key.order_id)
    if reach is None:
        return (*KEY, "FALSE"), {}
    bounds: dict[str, object] = {"order_first": reach.first, "order_end": reach.end}
    return (*KEY, "o.created_at >= $order_first", "o.created_at < $order_end"), bounds


def _row_places(key: OrderKey, moment: Moment) -> tuple[tuple[str, ...], dict[str, object]]:
    """Conditions of which each of the order's rows meets exactly one: where to look for them, scan by scan."""
    numbers = numbers_of(moment)
    if numbers is None:
        return ("TRUE",), {}
    parts, bounds, reach = [], dict[str, object](), numbers.rows_of(key.channel, key.order_id)
    if reach.dated is not None:
        parts.append("r.created_at >= $row_first AND r.created_at < $row_end")
        bounds |= {"row_first": reach.dated.first, "row_end": reach.dated.end}
    if reach.undated is not None:
        parts.append("r.created_at IS NULL AND r.snapshot_id >= $first_snapshot AND r.snapshot_id <= $last_snapshot")
        bounds |= dict(zip(("first_snapshot", "last_snapshot"), reach.undated, strict=True))
    return tuple(parts) or ("FALSE",), bounds


@lru_cache(maxsize=64)
def _compose_order(setting: Setting, places: tuple[str, ...], *, is_settled: bool) -> Composed:
    columns = {column.name for column in ORDER_COLUMNS} | {"status", "is_open", "as_of", "mapped_milestones", "ship_due_at"}
    columns |= {f"{name}_{kind}" for name in MILESTONES for kind in ("measured_at", "inferred")}
    rows = base(columns, setting, sight=Period(is_settled=is_settled).sight(), conditions=[*places])
    answer = select("*", *(named(LISTING_COLUMNS[name].expression, name) for name in SHOWN)).from_("the_order", copy=False)
    return written(answer.with_("the_order", as_=rows, copy=False))


@lru_cache(maxsize=256)
def _compose_attached(
    table: str, setting: Setting, places: tuple[str, ...], parts: tuple[str, ...], *, is_settled: bool
) -> Composed:
    """Rows of another table that belong to the order, which must itself be in the base; read part by part."""
    names, at, clips = ATTACHED[table]
    columns = {name: _clipped(name) if clips else f"r.{name}" for name in names}
    on, found = "r.channel = o.channel AND r.order_id = o.order_id", []
    for part in parts:
        conditions = [*places, "r.channel = $channel", "r.order_id = $order_id", f"r.{at} <= $as_of", part]
        rows = base((), setting, sight=Period(is_settled=is_settled).sight(), conditions=conditions)
        rows = rows.select(*(named(sql, name) for name, sql in columns.items()), append=False, copy=False)
        found.append(rows.join(table_at(table, "r"), on=on, join_type="inner", dialect=DIALECT, copy=False))
    if len(found) == 1:
        return written(found[0].order_by(f"r.{at} NULLS LAST", dialect=DIALECT, copy=False))
    together = exp.union(*found, distinct=False, copy=False).subquery("r", copy=False)
    answer = select(*(exp.column(name) for name in names)).from_(together, copy=False)
    return written(answer.order_by(f"{at} NULLS LAST", dialect=DIALECT, copy=False))


@lru_cache(maxsize=64)
def _compose_comparable(setting: Setting, *, is_settled: bool) -> Composed:
    columns = frozenset({"passage_stage", "passage_seconds", "warehouse_id", "province_code"})
    filters = ("o.region_code IS NOT DISTINCT FROM $region", "o.business_type IS NOT DISTINCT FROM $business_type")
    period = Period(is_settled=is_settled)
    ctes, name = source(Request(anchor=PASSED, columns=columns, filters=filters, setting=setting, period=period))
    figures = []
    for level, condition in zip(COMPARABLE_LEVELS, (SAME_LANE, "TRUE"), strict=True):
        known = f"FILTER (WHERE {condition})"
        figures += [f"QUANTILE_CONT(passage_seconds, {q}) {known} AS {level}_p{round(q * 100)}" for q in (0.1, 0.5, 0.9)]
        figures.append(f"COUNT(passage_seconds) {known} AS {level}_n")
    answer = select("passage_stage AS stage", *figures).from_(name, copy=False).group_by("passage_stage", copy=False)
    for cte, query in ctes:
        answer = answer.with_(cte, as_=query, copy=False, materialized=is_materialized(cte, setting))
    return written(answer)


def _clipped(name: str) -> str:
    return f"CASE WHEN r.{name} <= $as_of THEN r.{name} END" if name.endswith("_at") else f"r.{name}"


def _with_values(composed: Composed, values: dict[str, object]) -> Statement:
    parameters = {name: values[name] for name in sorted(composed.parameters)}
    return Statement(sql=composed.sql, parameters=parameters, columns=composed.columns)
