"""What a rate is made of: its orders by kind and day, the bad ones by the stage in which each lost most against what is normal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from sqlglot import exp

from data.comparable import COMPARED_COLUMNS, kind_key_sql, node_key_sql
from data.order import STAGES
from data.recent import Horizon
from data.zone import offset_sql
from queries.attribution import Cell
from queries.base import Ctes, Period, Request, Setting
from queries.build import Statement
from queries.check import check
from queries.clock import DAY_MS
from queries.columns import WAITING_STAGE, opened_at
from queries.compose import Composed, dimension_sql, filter_conditions, is_materialized, written
from queries.dimensions import DIMENSIONS
from queries.fragment import DIALECT, column_names, local_ms, named, parse, select
from queries.listing import Moment
from queries.metric import seconds
from queries.metrics import METRICS
from queries.normal import beside_normals, normal_ctes, normal_days
from queries.passages import WAITING_COLUMNS
from queries.query import Filter, Query, QueryError, Window
from queries.rows import source
from queries.setting import where_shapes
from queries.shape import WhereShape
from queries.standing import stand

EXPLAINED: Final = ("on_time_rate", "late_rate", "delivered_on_time_rate", "otif_rate", "on_time_ship_rate")
"""Rates whose bad orders were slow somewhere; of other rates the bad ones have no cause by stage."""


STORED: Final = ("told", "bad_orders")
"""Read more than once: they are worked out once."""

READ_ANEW: Final = ("told", "orders_")
"""But not where the orders are in memory: of those each time little is read."""


@dataclass(frozen=True, kw_only=True)
class Makeup:
    """What is asked: a rate over orders, by the values of one dimension, of which orders, in which window."""

    metric: str
    by: str
    window: Window
    where: tuple[Filter, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Shape:
    metric: str
    by: str
    where: tuple[WhereShape, ...]
    setting: Setting
    is_settled: bool


def can_explain(metric: str) -> bool:
    """Whether a change of the metric can be taken apart: a share of orders of one population."""
    entry = METRICS[metric]
    is_share = entry.kind == "ratio" and entry.unit == "rate" and entry.listed.bad_anchor is None
    return is_share and entry.anchor.rows == "orders" and not entry.anchor.is_stock


def build_makeup(makeup: Makeup, moment: Moment, *, yardstick: Moment, horizon: Horizon | None = None) -> Statement:
    """The statement of a rate's makeup inside the moment's scope; what is normal is that of the `yardstick`'s instant.

    Columns: `kind`, `block` (the day, as a number), `cause` (a stage, null where none was slow), `n_count`, `bad_count`;
    rows with an n and rows with bad ones are different rows. Raises QueryError for what cannot be asked.
    """
    asked = Query(metrics=(makeup.metric,), by=(makeup.by,), where=makeup.where, window=makeup.window)
    check(asked)
    if not can_explain(makeup.metric):
        raise QueryError(f"{makeup.metric} is no share of orders: a change of {', '.join(EXPLAINED)} can be explained")
    if makeup.window.start is None:
        raise QueryError("a change is between two windows with a start: for example 24h or 7d")
    usual = normal_days(yardstick.as_of, moment.zone, moment.targets.at(yardstick.as_of, moment.zone))
    is_explained = makeup.metric in EXPLAINED
    stands = stand(asked, moment, horizon, further=usual, needs_normals=is_explained)
    composed = _compose(
        _Shape(
            metric=makeup.metric,
            by=makeup.by,
            where=where_shapes(makeup.where),
            setting=stands.setting,
            is_settled=stands.is_settled,
        )
    )
    return stands.statement(composed)


def cells_of(rows: Iterable[dict[str, Any]]) -> list[Cell]:
    """The rows of `build_makeup` as cells for `attribute`."""
    n: dict[tuple[str | None, int], int] = defaultdict(int)
    bad: dict[tuple[str | None, int], dict[str | None, int]] = defaultdict(dict)
    for row in rows:
        key = (row["kind"], int(row["block"]))
        n[key] += int(row["n_count"])
        if row["bad_count"]:
            bad[key][row["cause"]] = bad[key].get(row["cause"], 0) + int(row["bad_count"])
    return [Cell(kind=kind, n=count, bad=bad[kind, block], block=block) for (kind, block), count in n.items()]


@lru_cache(maxsize=256)
def _compose(shape: _Shape) -> Composed:
    metric, setting = METRICS[shape.metric], shape.setting
    anchor, listed = metric.anchor, metric.listed
    is_explained = shape.metric in EXPLAINED
    kind = dimension_sql(DIMENSIONS[shape.by], anchor, setting)
    scan, rows = filter_conditions(anchor, shape.where, setting)
    block = f"{local_ms(str(anchor.at), setting.offsets)} // {DAY_MS}"
    needed = frozenset[str]().union(*(column_names(sql) for sql in (kind, block, listed.counted, listed.bad, *rows)))
    needed |= (WAITING_COLUMNS | frozenset(COMPARED_COLUMNS) | {"channel", "order_id"}) if is_explained else frozenset()
    period = Period(is_settled=shape.is_settled)
    request = Request(anchor=anchor, columns=needed, filters=tuple(scan), setting=setting, period=period)
    ctes, name = source(request)
    verdict = (f"({listed.counted}) AS is_counted", f"({listed.bad}) AS is_bad")
    told = select("*", named(kind, "kind"), f"{block} AS block", *verdict).from_(name, copy=False)
    if rows:
        told = told.where(*(parse(condition) for condition in rows), copy=False)
    all_rows = select("kind", "block", "CAST(NULL AS TEXT) AS cause", "COUNT(*) AS n_count", "0 AS bad_count")
    all_rows = all_rows.from_("told").where("is_counted").group_by("kind", "block")
    steps = _blame(setting) if is_explained else [("blamed", _unblamed())]
    bad_rows = select("kind", "block", "cause", "0 AS n_count", "COUNT(*) AS bad_count").from_("blamed")
    both = exp.union(all_rows, bad_rows.group_by("kind", "block", "cause"), distinct=False)
    answer = select("*").from_(both.subquery("makeup"))
    answer = answer.order_by("kind NULLS LAST", "block", "cause NULLS LAST", dialect=DIALECT)
    for alias, query in (*ctes, ("told", told), *steps):
        answer = answer.with_(alias, as_=query, copy=False, materialized=_is_stored(alias, setting))
    return written(answer, ("kind", "block", "cause", "n_count", "bad_count"))


def _is_stored(alias: str, setting: Setting) -> bool | None:
    if setting.is_recent and alias.startswith(READ_ANEW):
        return False
    return True if alias in STORED else is_materialized(alias, setting)


def _unblamed() -> exp.Select:
    return select("kind", "block", "CAST(NULL AS TEXT) AS cause").from_("told").where("is_bad")


def _blame(setting: Setting) -> Ctes:
    """Each bad order's way through the stages, and of these the one in which it lost most; null where none took too long."""
    bad = select("*", f"{WAITING_STAGE} AS waiting_stage", "ROW_NUMBER() OVER () AS number").from_("told").where("is_bad")
    branches: list[exp.Query] = [_time_in(stage) for stage in STAGES]
    opened = "(EPOCH_MS(left_at) - CAST(passage_seconds * 1000 AS BIGINT))"
    kind = kind_key_sql("passage_stage", opened, offset_sql(opened, setting.offsets))
    keyed = select("*", f"{node_key_sql('passage_stage')} AS node_key", f"{kind} AS kind_key").from_("bad_times")
    loss = "passage_seconds - normal_seconds"
    worst = f"ARG_MAX(passage_stage, {loss}) FILTER (WHERE {loss} > 0) AS cause"
    blamed = select("number", "ANY_VALUE(kind) AS kind", "ANY_VALUE(block) AS block", worst)
    return [
        ("bad_orders", bad),
        ("bad_times", exp.union(*branches, distinct=False)),
        ("bad_keyed", keyed),
        *normal_ctes(setting),
        ("bad_measured", beside_normals("bad_keyed")),
        ("blamed", blamed.from_("bad_measured").group_by("number")),
    ]


def _time_in(stage: str) -> exp.Select:
    """The bad orders' time in one stage: until it ended, or so far where they wait in it; a row also where that is unknown."""
    waits = f"CASE WHEN waiting_stage = '{stage}' THEN as_of END"
    left = f"COALESCE({stage}_measured_at, {waits})"
    opened = opened_at(stage)
    took = f"CASE WHEN {opened} <= {left} THEN {seconds(left, opened)} END"
    own = ("number", "kind", "block", *COMPARED_COLUMNS)
    figures = (f"'{stage}' AS passage_stage", f"{left} AS left_at", f"{took} AS passage_seconds")
    return select(*own, *figures).from_("bad_orders")
