"""One order's statements: what it is, its events, returns and complaints, every sighting of it, and comparable orders.

All of them read the lake through the base: an order outside the scope has no row, and so nothing attached to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlglot import exp

from data.order import COMPLAINT_COLUMNS, EVENT_COLUMNS, MILESTONES, ORDER_COLUMNS, RETURN_COLUMNS
from queries.base import Period, Request, Setting, base, table_at
from queries.build import Statement
from queries.columns import Sight
from queries.compose import is_materialized
from queries.fragment import DIALECT, named, select
from queries.listing import Moment
from queries.listing_columns import LISTING_COLUMNS
from queries.metric import PASSED
from queries.query import Window
from queries.rows import source
from queries.setting import Span, setting_of, setting_values, span_values

COMPARABLE_LEVELS: Final = ("lane", "region")
"""Comparable orders are those of the same lane, else of the same region; of the same business type in both."""

MILESTONE_NAMES: Final = MILESTONES
KEY: Final = ("o.channel = $channel", "o.order_id = $order_id")
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
    columns = {column.name for column in ORDER_COLUMNS} | {"status", "is_open", "as_of", "mapped_milestones", "ship_due_at"}
    columns |= {f"{name}_{kind}" for name in MILESTONES for kind in ("measured_at", "inferred")}
    rows = base(columns, _setting(moment), sight=_sight(moment), conditions=_conditions(key))
    answer = select("*", *(named(LISTING_COLUMNS[name].expression, name) for name in SHOWN)).from_("the_order", copy=False)
    return _statement(answer.with_("the_order", as_=rows, copy=False), key, moment)


def build_events(key: OrderKey, moment: Moment) -> Statement:
    """The order's events up to the moment, oldest first."""
    columns = {column.name: f"r.{column.name}" for column in EVENT_COLUMNS}
    return _attached("order_events", columns, "r.occurred_at", key, moment)


def build_returns(key: OrderKey, moment: Moment) -> Statement:
    """The order's returns asked for up to the moment; what came later is null."""
    columns = {column.name: _clipped(column.name) for column in RETURN_COLUMNS}
    return _attached("order_returns", columns, "r.requested_at", key, moment)


def build_complaints(key: OrderKey, moment: Moment) -> Statement:
    """The order's complaints raised up to the moment; what came later is null."""
    columns = {column.name: _clipped(column.name) for column in COMPLAINT_COLUMNS}
    return _attached("order_complaints", columns, "r.created_at", key, moment)


def build_sightings(key: OrderKey, moment: Moment) -> Statement:
    """Every row a snapshot ever brought of the order, as it came, seen up to the moment, oldest first."""
    names = ("snapshot_id", "as_of", "row_number", "withdrawn", "inferred_milestones", *(column.name for column in ORDER_COLUMNS))
    return _attached("order_rows", {name: f"r.{name}" for name in names} | {"as_of": "r.as_of"}, "r.as_of", key, moment)


def build_comparable(comparable: Comparable, moment: Moment) -> Statement:
    """Per stage: p10, p50, p90 and n of the dwell of comparable orders, for the lane (`lane_…`) and the region (`region_…`)."""
    span = Span(window=comparable.window, as_of=moment.as_of, newest=moment.newest)
    edition = moment.targets.at(moment.as_of, moment.zone)
    setting = setting_of(moment.scope, span, edition, grain=None, zone=moment.zone)
    columns = frozenset({"passage_stage", "passage_seconds", "warehouse_id", "province_code"})
    filters = ("o.region_code IS NOT DISTINCT FROM $region", "o.business_type IS NOT DISTINCT FROM $business_type")
    period = Period(is_settled=span.is_settled)
    ctes, name = source(Request(anchor=PASSED, columns=columns, filters=filters, setting=setting, period=period))
    figures = [
        f"QUANTILE_CONT(passage_seconds, {q}) FILTER (WHERE {condition}) AS {level}_p{round(q * 100)}"
        for level, condition in zip(COMPARABLE_LEVELS, (SAME_LANE, "TRUE"), strict=True)
        for q in (0.1, 0.5, 0.9)
    ]
    counts = [
        f"COUNT(passage_seconds) FILTER (WHERE {condition}) AS {level}_n"
        for level, condition in zip(COMPARABLE_LEVELS, (SAME_LANE, "TRUE"), strict=True)
    ]
    answer = select("passage_stage AS stage", *figures, *counts).from_(name, copy=False).group_by("passage_stage", copy=False)
    for cte, query in ctes:
        materialized = is_materialized(cte, setting)
        answer = answer.with_(cte, as_=query, copy=False, materialized=materialized)
    values = setting_values(moment.scope, moment.version, edition) | span_values(span, None, moment.zone, edition)
    values |= {"warehouse": comparable.warehouse, "province": comparable.province}
    return _with_values(answer, values | {"region": comparable.region, "business_type": comparable.business_type})


def _clipped(name: str) -> str:
    return f"CASE WHEN r.{name} <= $as_of THEN r.{name} END" if name.endswith("_at") else f"r.{name}"


def _setting(moment: Moment) -> Setting:
    edition = moment.targets.at(moment.as_of, moment.zone)
    span = Span(window=Window.all_until(moment.as_of), as_of=moment.as_of, newest=moment.newest)
    return setting_of(moment.scope, span, edition, grain=None, zone=moment.zone)


def _sight(moment: Moment) -> Sight:
    return Period(is_settled=moment.newest is not None and moment.newest <= moment.as_of).sight()


def _conditions(key: OrderKey) -> list[str]:
    return [*KEY, *(["o.created_at = $created_at"] if key.created_at else [])]


def _attached(table: str, columns: dict[str, str], at: str, key: OrderKey, moment: Moment) -> Statement:
    """Rows of another table that belong to the order, which must itself be in the base."""
    conditions = [*_conditions(key), "r.channel = $channel", "r.order_id = $order_id", f"{at} <= $as_of"]
    rows = base((), _setting(moment), sight=_sight(moment), conditions=conditions)
    rows = rows.select(*(named(sql, name) for name, sql in columns.items()), append=False, copy=False)
    on = "r.channel = o.channel AND r.order_id = o.order_id"
    rows = rows.join(table_at(table, "r"), on=on, join_type="inner", dialect=DIALECT, copy=False)
    return _statement(rows.order_by(f"{at} NULLS LAST", dialect=DIALECT, copy=False), key, moment)


def _statement(answer: exp.Select, key: OrderKey, moment: Moment) -> Statement:
    edition = moment.targets.at(moment.as_of, moment.zone)
    values = setting_values(moment.scope, moment.version, edition) | {"as_of": moment.as_of}
    return _with_values(answer, values | {"channel": key.channel, "order_id": key.order_id, "created_at": key.created_at})


def _with_values(answer: exp.Select, values: dict[str, object]) -> Statement:
    named_ones = {str(node.name) for node in answer.find_all(exp.Placeholder, exp.Parameter)}
    return Statement(
        sql=answer.sql(DIALECT, pretty=True),
        parameters={name: values[name] for name in sorted(named_ones)},
        columns=tuple(answer.named_selects),
    )
