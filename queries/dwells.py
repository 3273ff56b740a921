"""Dwells: how many passages took how long, stage by stage, and how long those still waiting have waited so far.

In memory they are counted by the hour and step of time. A window's whole hours are read from there; its ends, the few
passages that not every sight takes alike, and the waits are looked at one by one. The counts are the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import exp as raise_e
from math import floor, log
from typing import Any, Final

from sqlglot import exp

from data.recent import COUNTED_ROWS, DOUBTFUL, Counted, Counting, Horizon
from data.visit import IS_DOUBTFUL
from queries.base import Ctes, Period, Request, Setting, base
from queries.build import Statement
from queries.clock import HOUR_MS
from queries.columns import Sight
from queries.compose import Composed, filter_conditions, filtered_columns, is_materialized, written
from queries.fragment import DIALECT, column_names, named, parse, select
from queries.listing import Moment
from queries.metric import PASSED_OR_WAITING
from queries.normal import BIN
from queries.passages import kept_passages, kept_waits
from queries.query import Filter, Query, Window
from queries.rows import source
from queries.setting import where_shapes
from queries.shape import WhereShape
from queries.standing import stand

COLUMNS: Final = ("passage_stage", "is_waiting", "passage_seconds")

DWELL_CELLS: Final = "dwell_cells"
"""The table in memory that counts passages by stage, hour and step of time."""

PLACES: Final = ("country_code", "region_code")
"""What it tells apart beside these."""

IS_TIMED: Final = "passage_seconds >= 0"

KEYS: Final = ("stage", "is_waiting", "bin")


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
    is_counted: bool


def kept_dwells() -> Counted:
    """What `Recent` counts of the passages that it keeps as rows."""
    return Counted(name=DWELL_CELLS, figures=("passage_count",), counting_at=lambda as_of: _counting(), of="visits")


def build_dwells(where: tuple[Filter, ...], window: Window, moment: Moment, horizon: Horizon | None = None) -> Statement:
    """The statement of passages that ended in the window and of orders waiting at its end, inside the moment's scope.

    Columns: `stage`, `is_waiting`, `bin` (a step of five per cent), `passage_count`. Raises QueryError for what cannot be asked.
    """
    stands = stand(Query(metrics=("lost_seconds",), where=where, window=window), moment, horizon)
    is_counted = stands.setting.has_visits and horizon is not None and dict(horizon.derived).get(DWELL_CELLS) == _counting()
    shape = _Shape(
        where=where_shapes(where),
        setting=stands.setting,
        is_settled=stands.is_settled,
        is_counted=is_counted and bool(window.start),
    )
    return stands.statement(_compose(shape))


@lru_cache(maxsize=64)
def _compose(shape: _Shape) -> Composed:
    scan, rows = filter_conditions(PASSED_OR_WAITING, shape.where, shape.setting)
    columns = frozenset(COLUMNS).union(*(column_names(sql) for sql in rows))
    period = Period(is_settled=shape.is_settled)
    request = Request(anchor=PASSED_OR_WAITING, columns=columns, filters=tuple(scan), setting=shape.setting, period=period)
    is_counted = shape.is_counted and not rows and filtered_columns(scan) <= set(PLACES)
    ctes, name = _single(request) if is_counted else source(request)
    counted: exp.Query = _binned(name, *rows)
    if is_counted:
        both = exp.union(counted, _whole(request), distinct=False, copy=False)
        figures = ("stage", "is_waiting", "bin", "CAST(SUM(passage_count) AS BIGINT) AS passage_count")
        counted = select(*figures).from_(both.subquery("counted", copy=False), copy=False).group_by(*KEYS, copy=False)
        # What came and went again leaves counts that cancel each other out.
        counted = counted.having("SUM(passage_count) > 0", dialect=DIALECT, copy=False)
    answer = counted.order_by(*KEYS, copy=False)
    for alias, query in ctes:
        answer = answer.with_(alias, as_=query, copy=False, materialized=is_materialized(alias, shape.setting))
    return written(answer)


def _binned(name: str, *conditions: str) -> exp.Select:
    """Passages and waits counted by step of time."""
    rows = select("passage_stage AS stage", "is_waiting", f"{BIN} AS bin", "COUNT(*) AS passage_count").from_(name, copy=False)
    return rows.where(*(parse(condition) for condition in (IS_TIMED, *conditions)), copy=False).group_by(*KEYS, copy=False)


def _single(request: Request) -> tuple[Ctes, str]:
    """What is not counted in memory, one by one: at the window's ends, the doubtful ones inside, and the waits."""
    start, end, first, last = (request.period.name(name) for name in ("start", "end", "cells_start", "cells_end"))
    edges = ((start, f"LEAST({first}, {end})"), (f"GREATEST({last}, {start})", end))
    rows = [kept_passages("passages", frozenset(), [f"o.at >= {begin}", f"o.at < {until}"], request) for begin, until in edges]
    rows.append(kept_passages(DOUBTFUL, frozenset(), [f"o.at >= {first}", f"o.at < {last}"], request))
    rows.append(kept_waits(frozenset(), request))
    return [("singles", exp.union(*rows, distinct=False, copy=False))], "singles"


def _whole(request: Request) -> exp.Select:
    """The window's whole hours as they are counted in memory."""
    inside = [f"o.at >= {request.period.name('cells_start')}", f"o.at < {request.period.name('cells_end')}"]
    sight = Sight(as_of="", is_settled=True)
    cells = base((), request.setting, sight=sight, conditions=[*inside, *request.filters], table=DWELL_CELLS)
    chosen = ("o.passage_stage AS stage", "FALSE AS is_waiting", "o.bin AS bin", "o.passage_count AS passage_count")
    return cells.select(*chosen, append=False, dialect=DIALECT, copy=False)


@lru_cache(maxsize=1)
def _counting() -> Counting:
    hour = f"TO_TIMESTAMP(EPOCH_MS(o.at) // {HOUR_MS} * {HOUR_MS // 1000})"
    told = (*PLACES, "passage_stage")
    rows = select(*(f"o.{name}" for name in (*told, "passage_seconds")), named(hour, "at"))
    rows = rows.from_(exp.to_table(COUNTED_ROWS, alias="o")).where(f"NOT {IS_DOUBTFUL}", f"o.{IS_TIMED}", dialect=DIALECT)
    counted = select(*told, exp.column("at"), named(BIN, "bin"), "CAST(COUNT(*) AS BIGINT) AS passage_count")
    counted = counted.from_(rows.subquery("p")).group_by(*(exp.Literal.number(i + 1) for i in range(len(told) + 2)))
    return Counting(sql=counted.order_by(exp.column("at")).sql(DIALECT))


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
