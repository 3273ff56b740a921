"""Dwells: how many passages took how long, stage by stage, and how long those still waiting have waited so far."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import exp as raise_e
from math import floor, log
from typing import Any, Final

from sqlglot import exp

from data.recent import Horizon
from queries.base import Period, Request, Setting
from queries.build import Statement
from queries.compose import Composed, filter_conditions, is_materialized
from queries.fragment import DIALECT, column_names, parse, select
from queries.listing import Moment
from queries.metric import PASSED_OR_WAITING
from queries.normal import BIN
from queries.query import Filter, Query, Window
from queries.rows import source
from queries.setting import where_shapes
from queries.shape import WhereShape
from queries.standing import stand

COLUMNS: Final = ("passage_stage", "is_waiting", "passage_seconds")


@dataclass(frozen=True, kw_only=True)
class Dwells:
    """One stage: orders by step of time, of those that went through (`passed`) and of those still waiting, by their time so far.

    Steps are five per cent wide (`seconds_of`); times that are not measured are in neither.
    """

    passed: dict[int, int]
    waiting: dict[int, int]

    @property
    def n(self) -> int:
        """How many went through."""
        return sum(self.passed.values())

    @property
    def n_waiting(self) -> int:
        """How many still wait."""
        return sum(self.waiting.values())


@dataclass(frozen=True, kw_only=True)
class _Shape:
    where: tuple[WhereShape, ...]
    setting: Setting
    is_settled: bool


def build_dwells(where: tuple[Filter, ...], window: Window, moment: Moment, horizon: Horizon | None = None) -> Statement:
    """The statement of passages that ended in the window and of orders waiting at its end, inside the moment's scope.

    Columns: `stage`, `is_waiting`, `bin` (a step of five per cent), `passage_count`. Raises QueryError for what cannot be asked.
    """
    stands = stand(Query(metrics=("lost_seconds",), where=where, window=window), moment, horizon)
    return stands.statement(_compose(_Shape(where=where_shapes(where), setting=stands.setting, is_settled=stands.is_settled)))


@lru_cache(maxsize=64)
def _compose(shape: _Shape) -> Composed:
    scan, rows = filter_conditions(PASSED_OR_WAITING, shape.where, shape.setting)
    columns = frozenset(COLUMNS).union(*(column_names(sql) for sql in rows))
    period = Period(is_settled=shape.is_settled)
    request = Request(anchor=PASSED_OR_WAITING, columns=columns, filters=tuple(scan), setting=shape.setting, period=period)
    ctes, name = source(request)
    answer = select("passage_stage AS stage", "is_waiting", f"{BIN} AS bin", "COUNT(*) AS passage_count").from_(name, copy=False)
    answer = answer.where(*(parse(condition) for condition in ("passage_seconds >= 0", *rows)), copy=False)
    keys = ("stage", "is_waiting", "bin")
    answer = answer.group_by(*keys, copy=False).order_by(*keys, copy=False)
    for alias, query in ctes:
        answer = answer.with_(alias, as_=query, copy=False, materialized=is_materialized(alias, shape.setting))
    return Composed(
        sql=answer.sql(DIALECT, pretty=True),
        columns=tuple(answer.named_selects),
        parameters=frozenset(str(node.name) for node in answer.find_all(exp.Placeholder, exp.Parameter)),
    )


def dwells_of(rows: Iterable[Mapping[str, Any]]) -> dict[str, Dwells]:
    """The answer's rows by stage."""
    found: dict[str, Dwells] = {}
    for row in rows:
        own = found.setdefault(str(row["stage"]), Dwells(passed={}, waiting={}))
        (own.waiting if row["is_waiting"] else own.passed)[int(row["bin"])] = int(row["passage_count"])
    return found


def seconds_of(step: float) -> float:
    """How long the times of a step are at least."""
    return 60 * (raise_e(step / 20) - 1)


def step_at(seconds: float) -> int:
    """The step that holds a time."""
    return floor(20 * log(seconds / 60 + 1))


def quantile(counts: Mapping[int, int], share: float) -> float | None:
    """The time that a share of the orders kept to, to a step of five per cent, in seconds; None without orders."""
    left = share * sum(counts.values())
    for step in sorted(counts):
        left -= counts[step]
        if left <= 1e-9:
            return seconds_of(step + 0.5)
    return None
