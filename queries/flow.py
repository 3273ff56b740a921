"""Flow: when orders entered and left a stage, or began and ceased to be stuck in it, bucket by bucket."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

from sqlglot import exp

from data.recent import Horizon
from data.zone import offset_sql
from queries.base import Ctes, Period, Request, Setting
from queries.build import Statement
from queries.check import check
from queries.clock import DAY_MS, HOUR_MS
from queries.compose import Composed, dimension_sql, filter_conditions, filtered_columns, is_materialized, written
from queries.dimensions import DIMENSIONS
from queries.flow_cells import IS_IN, WHOLE, Kind, began_sql, counted_events, flow_cells_for
from queries.fragment import DIALECT, column_names, named, parse, select
from queries.listing import Moment
from queries.metric import PASSED_OR_WAITING
from queries.query import Filter, Query, QueryError, Window
from queries.rows import source
from queries.setting import where_shapes
from queries.shape import WhereShape
from queries.standing import stand

STEP_MS: Final = {"hour": HOUR_MS, "day": DAY_MS}
ENDS: Final = ("began", "ended")
COLUMNS: Final = ("entered_count", "left_count", "entered_rest_seconds", "left_rest_seconds")


@dataclass(frozen=True, kw_only=True)
class Flow:
    """What is asked: by which dimensions, stage always among them, of which orders, in which window with a start."""

    kind: Kind
    window: Window
    by: tuple[str, ...] = ()
    where: tuple[Filter, ...] = ()
    grain: Literal["hour", "day"] = "hour"


@dataclass(frozen=True, kw_only=True)
class _Shape:
    kind: Kind
    by: tuple[str, ...]
    where: tuple[WhereShape, ...]
    step_ms: int
    setting: Setting
    is_settled: bool


def build_flow(flow: Flow, moment: Moment, horizon: Horizon | None = None) -> Statement:
    """The statement of a flow inside the moment's scope; orders cancelled while they waited are left out.

    Columns: the dimensions, `stage`, `bucket_at` (its start; what began before the window stands in the bucket before its first),
    `entered_count` and `left_count`, and for each the seconds from there to the bucket's end, added up:
    `entered_rest_seconds`, `left_rest_seconds`. Raises QueryError for what cannot be asked.
    """
    asked = Query(metrics=("lost_seconds",), by=flow.by, where=flow.where, window=flow.window)
    check(asked)
    if flow.window.start is None:
        raise QueryError("a flow needs a window with a start: for example 24h, 7d or A..B")
    if "stage" in flow.by:
        raise QueryError("a flow is by stage already: leave it out")
    stands = stand(asked, moment, horizon, needs_normals=flow.kind == "stuck")
    composed = _compose(
        _Shape(
            kind=flow.kind,
            by=flow.by,
            where=where_shapes(flow.where),
            step_ms=STEP_MS[flow.grain],
            setting=stands.setting,
            is_settled=stands.is_settled,
        )
    )
    return stands.statement(composed)


@lru_cache(maxsize=256)
def _compose(shape: _Shape) -> Composed:
    setting = shape.setting
    dimensions = {name: dimension_sql(DIMENSIONS[name], PASSED_OR_WAITING, setting) for name in (*shape.by, "stage")}
    scan, rows = filter_conditions(PASSED_OR_WAITING, shape.where, setting)
    told = frozenset[str]().union(*(column_names(sql) for sql in (*dimensions.values(), *rows)))
    request = Request(
        anchor=PASSED_OR_WAITING,
        columns=told | column_names(began_sql(shape.kind)) | column_names(IS_IN[shape.kind]) | {"at", "is_waiting"},
        filters=tuple(scan),
        setting=setting,
        period=Period(is_settled=shape.is_settled),
    )
    table = _counted_table(shape, told | filtered_columns(scan), rows)
    ctes = counted_events(request, table, shape.kind, dimensions) if table else _events(request, shape, dimensions, rows)
    answer = _answer(dimensions)
    for alias, query in ctes:
        is_stored = True if alias == WHOLE else is_materialized(alias, setting)
        answer = answer.with_(alias, as_=query, copy=False, materialized=is_stored)
    return written(answer)


def _counted_table(shape: _Shape, told: frozenset[str], rows: list[str]) -> str | None:
    """The table in memory that counts what is asked by the hour; None where the passages themselves must be looked at."""
    return None if rows or shape.step_ms != HOUR_MS else flow_cells_for(shape.kind, told, shape.setting)


def _events(request: Request, shape: _Shape, dimensions: Mapping[str, str], rows: list[str]) -> Ctes:
    """CTEs, the last one `events`: when passages and waits began and ended, by the dimensions and bucket."""
    setting, step = shape.setting, shape.step_ms
    ctes, name = source(request)
    zone_offset = offset_sql("EPOCH_MS($start)", setting.offsets)
    before = f"(EPOCH_MS($start) + {zone_offset}) // {step} * {step} - {zone_offset} - 1"
    keys = tuple(named(sql, alias) for alias, sql in dimensions.items())
    began = began_sql(shape.kind)
    ends = (
        f"CASE WHEN {began} >= EPOCH_MS($start) THEN {began} ELSE {before} END AS began",
        "CASE WHEN NOT is_waiting THEN EPOCH_MS(at) END AS ended",
    )
    spans = select(*keys, *ends).from_(name, copy=False)
    spans = spans.where(*(parse(condition) for condition in (IS_IN[shape.kind], *rows)), copy=False)

    # Counted by both buckets before each is looked at: a few times fewer rows than passages have ends.
    buckets = {
        end: f"({end} + {offset_sql(end, setting.offsets)}) // {step} * {step} - {offset_sql(end, setting.offsets)}"
        for end in ENDS
    }
    rests = [f"SUM({sql} + {step} - {end}) AS {end}_rest" for end, sql in buckets.items()]
    both = (named(sql, f"{end}_bucket") for end, sql in buckets.items())
    pairs = select(*dimensions, *both, "COUNT(*) AS passage_count", *rests).from_("spans", copy=False).group_by("ALL", copy=False)

    each = (
        "UNNEST([began_bucket, ended_bucket]) AS bucket",
        "UNNEST([began_rest, ended_rest]) AS rest",
        "UNNEST([TRUE, FALSE]) AS is_entry",
    )
    events = select(*dimensions, "passage_count", *each).from_("pairs", copy=False)
    return [*ctes, ("spans", spans), ("pairs", pairs), ("events", events)]


def _answer(dimensions: Mapping[str, str]) -> exp.Select:
    """The columns of the answer from the events; a bucket in which nothing came or went is none."""
    count, rest = (
        "CAST(COALESCE(SUM(passage_count) FILTER (WHERE {}), 0) AS BIGINT)",
        "COALESCE(SUM(rest) FILTER (WHERE {}) / 1000.0, 0)",
    )
    answer = select(
        *dimensions,
        "TO_TIMESTAMP(bucket / 1000.0) AS bucket_at",
        f"{count.format('is_entry')} AS entered_count",
        f"{count.format('NOT is_entry')} AS left_count",
        f"{rest.format('is_entry')} AS entered_rest_seconds",
        f"{rest.format('NOT is_entry')} AS left_rest_seconds",
    ).from_("events", copy=False)
    answer = answer.where("NOT bucket IS NULL", copy=False).group_by(*dimensions, "bucket", copy=False)
    answer = answer.having("entered_count > 0 OR left_count > 0", dialect=DIALECT, copy=False)
    return answer.order_by(*(f"{key} NULLS LAST" for key in dimensions), "bucket", dialect=DIALECT, copy=False)
