"""Cells: passages counted by the hour in memory, so that a window need not look at each; for what only adds up.

A window's whole hours are read from the cells, its ends and the few passages that not every sight takes alike from the
passages themselves, and so is what waits at its end. The sum is the same to the last millisecond.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlglot import exp

from data.recent import COUNTED_ROWS, DOUBTFUL, Counted, Counting, Horizon
from data.targets import Edition, Targets
from data.visit import IS_DOUBTFUL
from data.zone import Offsets
from queries.base import Ctes, Request, Setting, base
from queries.clock import HOUR_MS
from queries.columns import Sight
from queries.fragment import DIALECT, bucket_sql, named, select
from queries.limits import Limit, limit_values, limits_of, passage_limit_sql
from queries.normal import (
    KEPT_NORMALS,
    NORMAL_SECONDS,
    beside_normals,
    join_normals,
    normal_ctes,
    normal_days,
    normals_named,
)
from queries.normal import KEYS as NORMAL_KEYS
from queries.passages import closed_at_edges, kept_passages, kept_waits
from queries.wait_spans import are_spanned, spanned_waits

PASSED_COUNT: Final = "passed_count"

LIMITED: Final = {
    PASSED_COUNT: "1",
    "limited_count": "CASE WHEN limit_seconds IS NOT NULL THEN 1 ELSE 0 END",
    "timed_count": "CASE WHEN passage_seconds IS NOT NULL AND limit_seconds IS NOT NULL THEN 1 ELSE 0 END",
    "beyond_count": "CASE WHEN passage_seconds > limit_seconds THEN 1 ELSE 0 END",
    "beyond_ms": (
        "CASE WHEN passage_seconds > limit_seconds "
        "THEN CAST(ROUND((passage_seconds - limit_seconds) * 1000) AS BIGINT) ELSE 0 END"
    ),
}
"""What one passage counts for: itself, with a limit, timed and with a limit, beyond it, and by so many ms."""

NORMED: Final = {
    PASSED_COUNT: "1",
    "normal_count": "CASE WHEN normal_seconds IS NOT NULL THEN 1 ELSE 0 END",
    "compared_count": "CASE WHEN passage_seconds IS NOT NULL AND normal_seconds IS NOT NULL THEN 1 ELSE 0 END",
    "losing_count": "CASE WHEN passage_seconds > normal_seconds THEN 1 ELSE 0 END",
    "lost_ms": (
        "CASE WHEN passage_seconds > normal_seconds "
        "THEN CAST(ROUND((passage_seconds - normal_seconds) * 1000) AS BIGINT) ELSE 0 END"
    ),
}
"""The same against what is normal: itself, with a normal, timed and with a normal, slower than that, and by so many ms."""

SINGLE: Final = LIMITED | NORMED
FIGURES: Final = frozenset(SINGLE)

KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "passage_cells": ("country_code", "region_code", "province_code", "channel", "business_type"),
    "warehouse_cells": ("country_code", "region_code", "warehouse_id", "channel", "business_type"),
    "lost_cells": ("country_code", "region_code", "warehouse_id"),
}
"""What is told apart beside stage and hour, by table; the first that tells enough is read."""

COUNTS: Final[Mapping[str, Mapping[str, str]]] = dict.fromkeys(KEYS, LIMITED) | {"lost_cells": NORMED}
"""What each table counts: against limits over all that is kept, or against normals the passages kept as rows."""


def kept_cells(zone: ZoneInfo, read_targets: Callable[[], Targets]) -> tuple[Counted, ...]:
    """What `Recent` counts beside the passages: over all regions, under the limits and normals of the newest data instant."""

    def counting(name: str) -> Callable[[datetime], Counting]:
        def found(as_of: datetime) -> Counting:
            edition = read_targets().at(as_of, zone)
            return _counting(name, edition, normals_named(normal_days(as_of, zone, edition)))

        return found

    return tuple(
        Counted(
            name=name,
            figures=tuple(figures),
            counting_at=counting(name),
            reads=KEPT_NORMALS if figures is NORMED else "",
            of="visits" if figures is NORMED else "span",
        )
        for name, figures in COUNTS.items()
    )


def held_cells(held: Horizon, edition: Edition, values: Mapping[str, Any], offsets: Offsets) -> tuple[str, ...]:
    """The tables in memory that count under an edition's limits, or against the normals that a period's parameters name.

    None where the zone's hours are not whole ones of UTC.
    """
    if any(offset % HOUR_MS for _, offset in offsets):
        return ()
    known, normals = dict(held.derived), normals_named(values)
    return tuple(name for name in KEYS if known.get(name) == _counting(name, edition, normals))


def cells_for(setting: Setting, columns: Iterable[str], figures: Iterable[str]) -> str | None:
    """The table in memory that tells these columns of a passage apart and counts these figures; None where none does."""
    wanted, counted = set(columns) - {"passage_stage", "at"}, set(figures) & FIGURES
    fit = (name for name in setting.cells if wanted <= set(KEYS[name]) and counted <= COUNTS[name].keys())
    return next((name for name in fit if COUNTS[name] is LIMITED or setting.has_visits), None)


def cells(request: Request, table: str) -> tuple[Ctes, str]:
    """Rows with the figures of cells: those of the table, and each passage and wait that it does not hold as one."""
    setting, period = request.setting, request.period
    passthrough = request.columns - FIGURES - {"passage_stage", "at"}
    first, last = period.name("cells_start"), period.name("cells_end")
    inside = [f"o.at >= {first}", f"o.at < {last}"]
    counts = COUNTS[table]
    wanted = sorted(request.columns & FIGURES)
    spanned = are_spanned(request, wanted) and counts is LIMITED
    ctes, single = _single(request, passthrough, inside, counts, has_waits=not spanned)
    kept = sorted(passthrough | {"passage_stage"} | (request.columns & {"at"})) + (["bucket"] if setting.grain else [])
    one_by_one = f"{request.anchor.name}_single{period.suffix}"
    name = f"{request.anchor.name}_cells{period.suffix}"
    figures = {"passage_stage": "o.passage_stage", "at": "o.at"} | {figure: f"o.{figure}" for figure in wanted}
    if setting.grain:
        figures["bucket"] = bucket_sql("o.at", setting.grain, setting.offsets)
    settled = Sight(as_of="", is_settled=True)
    whole = base(passthrough, setting, sight=settled, conditions=[*inside, *request.filters], table=table)
    whole = whole.select(*(named(sql, column) for column, sql in figures.items()), copy=False)
    summed = select(*(exp.column(column) for column in (*kept, *wanted))).from_(whole.subquery("c", copy=False), copy=False)
    counted = select(*(exp.column(column) for column in kept), *(named(counts[figure], figure) for figure in wanted))
    ctes, counted_rows = [*ctes, (one_by_one, single)], one_by_one
    if counts is NORMED:
        counted_rows = f"{one_by_one}_beside_normals"
        # One CTE of normals serves all periods of a statement.
        ctes += [] if period.suffix else normal_ctes(setting)
        ctes.append((counted_rows, beside_normals(one_by_one)))
    rows = [summed, counted.from_(counted_rows, copy=False)]
    if spanned:
        waits, lasting = spanned_waits(request, passthrough, wanted)
        ctes, rows = [*ctes, *waits], [*rows, lasting]
    return [*ctes, (name, exp.union(*rows, distinct=False, copy=False))], name


def _single(
    request: Request, passthrough: frozenset[str], inside: list[str], counts: Mapping[str, str], *, has_waits: bool
) -> tuple[Ctes, exp.Query]:
    """What is not counted, one by one: at the window's ends, the doubtful ones inside, and, unless left out, the waits."""
    setting, period = request.setting, request.period
    passthrough, beside = (passthrough, NORMAL_KEYS) if counts is NORMED else (passthrough | {"business_type"}, {"limit_seconds"})
    single = replace(request, columns=passthrough | {"passage_seconds", "at"} | beside)
    edges = [(period.name("start"), f"LEAST({period.name('cells_start')}, {period.name('end')})")]
    edges.append((f"GREATEST({period.name('cells_end')}, {period.name('start')})", period.name("end")))
    ended = [[f"o.at >= {start}", f"o.at < {end}"] for start, end in edges]
    near = ended if setting.has_visits else ended[1:]
    far = edges[: len(edges) - len(near)]
    ctes: Ctes = []
    rows: list[exp.Query] = [kept_passages("passages", passthrough, between, single) for between in near]
    if far:
        ctes, before = closed_at_edges(passthrough, far, single)
        rows += before
        # Those that ended before their order began are doubtful.
        early = ([*between, "o.created_at > o.at"] for between in ended[: len(far)])
        rows += [kept_passages(DOUBTFUL, passthrough, between, single) for between in early]
    rows.append(kept_passages(DOUBTFUL, passthrough, inside, single))
    if has_waits and request.anchor.extra == "waiting":
        rows.append(kept_waits(passthrough, single))
    return ctes, exp.union(*rows, distinct=False, copy=False)


def _counting(name: str, edition: Edition, normals: Hashable) -> Counting:
    if COUNTS[name] is NORMED:
        return Counting(sql=_counting_sql(name, ()), stands_for=normals)
    return Counting(sql=_counting_sql(name, limits_of(edition)), values=tuple(sorted(limit_values(edition).items())))


@lru_cache(maxsize=64)
def _counting_sql(name: str, limits: tuple[Limit, ...]) -> str:
    keys, counts = KEYS[name], COUNTS[name]
    hour = f"TO_TIMESTAMP(EPOCH_MS(o.at) // {HOUR_MS} * {HOUR_MS // 1000})"
    chosen = [*(f"o.{key}" for key in keys), "o.passage_stage", "o.passage_seconds"]
    beside = (NORMAL_SECONDS, "normal_seconds") if counts is NORMED else (passage_limit_sql(limits), "limit_seconds")
    rows = select(*chosen, named(hour, "at"), named(*beside))
    rows = rows.from_(exp.to_table(COUNTED_ROWS, alias="o")).where(f"NOT {IS_DOUBTFUL}", dialect=DIALECT)
    rows = join_normals(rows) if counts is NORMED else rows
    told = [exp.column(name) for name in (*keys, "passage_stage", "at")]
    figures = (named(f"CAST(SUM({sql}) AS BIGINT)", name) for name, sql in counts.items())
    counted = select(*told, *figures).from_(rows.subquery("p")).group_by(*(exp.Literal.number(i + 1) for i in range(len(told))))
    return counted.order_by(exp.column("at")).sql(DIALECT)
