"""How long delivered orders were promised to take, took, and spent in each stage: means that add up."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from data.order import FORWARD_MILESTONES, STAGES
from data.recent import Horizon
from queries.base import Period, Request, Setting
from queries.build import Statement
from queries.columns import opened_at
from queries.compose import Composed, filter_conditions, written
from queries.fragment import column_names, parse, select
from queries.listing import Moment
from queries.metric import DELIVERED, seconds
from queries.query import Filter, Query, Window
from queries.rows import source
from queries.setting import where_shapes
from queries.shape import WhereShape
from queries.standing import stand

CYCLE: Final = seconds("delivered_measured_at", "created_measured_at")
PROMISE: Final = seconds("promised_at", "created_measured_at")


@dataclass(frozen=True, kw_only=True)
class Times:
    """Means over delivered orders with a promise, in seconds; `rest` is what no stage accounts for (unmeasured milestones).

    `sum(stages.values()) + rest == actual`.
    """

    n: int
    promised: float
    actual: float
    stages: dict[str, float]
    rest: float


@dataclass(frozen=True, kw_only=True)
class _Shape:
    where: tuple[WhereShape, ...]
    setting: Setting
    is_settled: bool


def build_times(where: tuple[Filter, ...], window: Window, moment: Moment, horizon: Horizon | None = None) -> Statement:
    """The statement of the means of orders delivered in the window, inside the moment's scope.

    One row: `order_count`, `promised_seconds`, `actual_seconds` and `<stage>_seconds`. Raises QueryError for what cannot be asked.
    """
    stands = stand(Query(metrics=("order_cycle_seconds_p50",), where=where, window=window), moment, horizon)
    return stands.statement(_compose(_Shape(where=where_shapes(where), setting=stands.setting, is_settled=stands.is_settled)))


def times_of(row: dict[str, Any]) -> Times | None:
    """The answer's row; None where no such order was delivered."""
    if not row["order_count"]:
        return None
    stages = {stage: float(row[f"{stage}_seconds"] or 0.0) for stage in STAGES}
    actual = float(row["actual_seconds"])
    return Times(
        n=int(row["order_count"]),
        promised=float(row["promised_seconds"]),
        actual=actual,
        stages=stages,
        rest=actual - sum(stages.values()),
    )


@lru_cache(maxsize=64)
def _compose(shape: _Shape) -> Composed:
    scan, rows = filter_conditions(DELIVERED, shape.where, shape.setting)
    needed = {f"{name}_measured_at" for name in FORWARD_MILESTONES} | {"promised_at", "mapped_milestones"}
    columns = frozenset(needed).union(*(column_names(sql) for sql in rows))
    period = Period(is_settled=shape.is_settled)
    request = Request(anchor=DELIVERED, columns=columns, filters=tuple(scan), setting=shape.setting, period=period)
    ctes, name = source(request)
    means = [f"SUM({_time_in(stage)}) / COUNT(*) AS {stage}_seconds" for stage in STAGES]
    whole = ("COUNT(*) AS order_count", f"AVG({PROMISE}) AS promised_seconds", f"AVG({CYCLE}) AS actual_seconds")
    answer = select(*whole, *means).from_(name, copy=False)
    told = ("promised_at IS NOT NULL", f"({CYCLE}) >= 0")
    answer = answer.where(*(parse(condition) for condition in (*told, *rows)), copy=False)
    for alias, query in ctes:
        answer = answer.with_(alias, as_=query, copy=False)
    return written(answer)


def _time_in(stage: str) -> str:
    opened, closed = opened_at(stage), f"{stage}_measured_at"
    return f"CASE WHEN {opened} <= {closed} THEN {seconds(closed, opened)} END"
