"""Flow cells: what entered and left each stage, and became and ceased to be stuck there, counted by the hour in memory.

They answer for a window at whose end nothing is hidden. Whatever left since its start is in it, and whatever entered, but for
what entered before the start in the very hour that holds it; all else that left had entered before: it is as many as left and
did not enter. Looked at one by one are only the passages that began or ended in that hour, the few that not every sight takes
alike, and what waits at the end. The counts are the same to the last millisecond.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from sqlglot import exp

from data.recent import COUNTED_ROWS, DOUBTFUL, Counted, Counting, Horizon
from data.targets import Targets
from data.visit import IS_DOUBTFUL
from data.zone import Offsets
from queries.base import Ctes, Request, Setting, base
from queries.clock import HOUR_MS
from queries.columns import Sight
from queries.fragment import DIALECT, named, parse, select
from queries.normal import (
    KEPT_NORMALS,
    KEYS,
    NORMAL_SECONDS,
    beside_normals,
    join_normals,
    normal_ctes,
    normal_days,
    normals_named,
)
from queries.passages import PASSAGE_COLUMNS, kept_passages, kept_waits

Kind = Literal["passing", "stuck"]
"""`passing`: from entering a stage to leaving it; `stuck`: from what is normal there to leaving it."""

BEGAN: Final[Mapping[Kind, str]] = {"passing": "0", "stuck": "normal_seconds"}
IS_IN: Final[Mapping[Kind, str]] = {"passing": "TRUE", "stuck": "passage_seconds > normal_seconds"}
WAYS: Final = {"entered": "began", "left": "ended"}
FIGURES: Final = tuple(f"{way}_{figure}" for way in WAYS for figure in ("count", "rest_ms"))
"""By way how many, and the ms from there to the hour's end, added up."""

_WAREHOUSES: Final = ("country_code", "region_code", "warehouse_id")
_CARRIERS: Final = ("country_code", "region_code", "carrier_id", "warehouse_region_code")
TOLD: Final[Mapping[str, tuple[Kind, tuple[str, ...]]]] = {
    "passing_warehouses": ("passing", _WAREHOUSES),
    "passing_carriers": ("passing", _CARRIERS),
    "stuck_warehouses": ("stuck", _WAREHOUSES),
    "stuck_carriers": ("stuck", _CARRIERS),
}
"""The tables: of which kind of flow, and what they tell apart beside stage and hour; the first that tells enough is read."""

WHOLE: Final = "whole"
"""Read for each way: worked out once."""

BEFORE: Final = "(EPOCH_MS($hour_start) - 1)"
"""Where what began before the window stands: in the hour before its first."""


def kept_flow_cells(zone: ZoneInfo, read_targets: Callable[[], Targets]) -> tuple[Counted, ...]:
    """What `Recent` counts of the passages that it keeps as rows, against the normals of the newest data instant."""

    def counting(kind: Kind, keys: tuple[str, ...]) -> Callable[[datetime], Counting]:
        return lambda as_of: _counting(kind, keys, normals_named(normal_days(as_of, zone, read_targets().at(as_of, zone))))

    reads: dict[Kind, str] = {"passing": "", "stuck": KEPT_NORMALS}
    return tuple(
        Counted(name=name, figures=FIGURES, counting_at=counting(kind, keys), reads=reads[kind], of="visits")
        for name, (kind, keys) in TOLD.items()
    )


def held_flow_cells(held: Horizon, values: Mapping[str, Any], offsets: Offsets) -> tuple[str, ...]:
    """The tables in memory that count against a period's normals; none where the zone's hours are not whole ones of UTC."""
    if any(offset % HOUR_MS for _, offset in offsets):
        return ()
    known, normals = dict(held.derived), normals_named(values)
    return tuple(name for name, told in TOLD.items() if known.get(name) == _counting(*told, normals))


def flow_cells_for(kind: Kind, columns: Iterable[str], setting: Setting) -> str | None:
    """The table in memory that tells these columns of a passage apart; None where none does."""
    wanted = {kind, *columns} - {"passage_stage"}
    return next((name for name in setting.flow_cells if wanted <= {TOLD[name][0], *TOLD[name][1]}), None)


def began_sql(kind: Kind) -> str:
    """SQL of the ms since 1970 at which the flow of a passage or wait began; null where it is not known how long that took."""
    return f"CAST(ROUND(EPOCH_MS(at) - (passage_seconds - {BEGAN[kind]}) * 1000) AS BIGINT)"


def counted_events(request: Request, table: str, kind: Kind, dimensions: Mapping[str, str]) -> Ctes:
    """CTEs, the last one `events`: by the dimensions (SQL over a passage's columns) and `bucket` (the hour, in ms) how many
    entered (`is_entry`) or left, `passage_count`, and the ms from there to the hour's end, added up, `rest`.

    Both may be negative where others make up for it. Nothing is hidden at the end of the request's period.
    """
    ctes, name = _singles(request, kind)
    keys = (named(sql, alias) for alias, sql in dimensions.items())
    began = select(*keys, "part", "at", "is_waiting", f"{began_sql(kind)} AS began").from_(name, copy=False)
    began = began.where(parse(IS_IN[kind]), copy=False)
    events = exp.union(*_whole_events(dimensions), *_single_events(dimensions), distinct=False, copy=False)
    return [*ctes, ("began", began), (WHOLE, _whole(request, table, dimensions)), ("events", events)]


def _singles(request: Request, kind: Kind) -> tuple[Ctes, str]:
    """What is looked at one by one, and which `part` it takes.

    Those that began in the window's first hour but before it are `undone`, for the hour counts that they entered; those that
    ended in that hour but in the window are its `edge`, whose leaving no hour counts. No hour counts the doubtful ones and the
    waits: `alone`.
    """
    hour, start, first = (request.period.name(name) for name in ("hour_start", "start", "cells_start"))
    # A stage is entered no later than one is stuck in it.
    early = [f"o.at >= {hour}", f"o.opened_at < {start}", *([f"o.opened_at >= {hour}"] if kind == "passing" else [])]
    told, sure = request.columns - PASSAGE_COLUMNS, f"NOT {IS_DOUBTFUL}"
    request = replace(request, columns=request.columns | KEYS) if kind == "stuck" else request
    parts = [
        ("undone", kept_passages("passages", told, [*early, sure], request)),
        ("edge", kept_passages("passages", told, [f"o.at >= {start}", f"o.at < {first}", sure], request)),
        ("alone", kept_passages(DOUBTFUL, told, [f"o.at >= {start}"], request)),
        ("alone", kept_waits(told, request)),
    ]
    rows = [query.select(named(f"'{part}'", "part"), copy=False) for part, query in parts]
    ctes: Ctes = [("singles", exp.union(*rows, distinct=False, copy=False))]
    if kind == "passing":
        return ctes, "singles"
    beside = "singles_beside_normals"
    return [*ctes, *normal_ctes(request.setting), (beside, beside_normals("singles"))], beside


def _whole(request: Request, table: str, dimensions: Mapping[str, str]) -> exp.Select:
    """The cells by the dimensions and hour; the hour that the window begins in counts only what entered."""
    hour, first = (request.period.name(name) for name in ("hour_start", "cells_start"))
    sight, inside = Sight(as_of="", is_settled=True), [f"o.at >= {hour}", *request.filters]
    rows = base(request.columns - PASSAGE_COLUMNS, request.setting, sight=sight, conditions=inside, table=table)
    rows = rows.select(*(f"o.{name}" for name in ("passage_stage", "at", *FIGURES)), dialect=DIALECT, copy=False)
    counts = {way: f"CASE WHEN at >= {first} THEN {{}} ELSE 0 END" if way == "left" else "{}" for way in WAYS}
    sums = [f"{_sum(counts[way].format(f'{way}_{figure}'))} AS {way}_{figure}" for way in WAYS for figure in ("count", "rest_ms")]
    keys = (named(sql, alias) for alias, sql in dimensions.items())
    whole = select(*keys, "EPOCH_MS(at) AS bucket", *sums).from_(rows.subquery("c", copy=False), copy=False)
    return whole.group_by(*_first(len(dimensions) + 1), copy=False)


def _whole_events(dimensions: Mapping[str, str]) -> list[exp.Select]:
    """What entered and left in whole hours; of what left so many more as did not enter in them had entered before."""
    ways = [
        select(*dimensions, "bucket", f"{way}_count AS passage_count", f"{way}_rest_ms AS rest", f"{entry} AS is_entry")
        for way, entry in (("entered", "TRUE"), ("left", "FALSE"))
    ]
    more = _sum("left_count - entered_count")
    before = select(*dimensions, f"{_hour(BEFORE)} AS bucket", f"{more} AS passage_count", f"{more} AS rest", "TRUE AS is_entry")
    found = [query.from_(WHOLE, copy=False) for query in (*ways, before)]
    return [*found[:-1], found[-1].group_by(*_first(len(dimensions)), copy=False)]


def _single_events(dimensions: Mapping[str, str]) -> list[exp.Select]:
    """What single rows add to the hours: each at the edge entered before; that its hour counts so too is undone or makes up for it."""
    start = "EPOCH_MS($start)"

    def events(instant: str, when: str, *, is_entry: bool, sign: str = "") -> exp.Select:
        rest = f"{_hour(instant)} + {HOUR_MS} - {instant}"
        figures = (f"{sign}COUNT(*) AS passage_count", f"{sign}{_sum(rest)} AS rest", f"{is_entry} AS is_entry")
        found = select(*dimensions, f"{_hour(instant)} AS bucket", *figures).from_("began", copy=False)
        return found.where(parse(when), copy=False).group_by(*_first(len(dimensions) + 1), copy=False)

    undone = f"part = 'undone' AND began > {BEFORE} AND began < {start}"
    return [
        events(f"(CASE WHEN began >= {start} THEN began ELSE {BEFORE} END)", "part = 'alone'", is_entry=True),
        events(BEFORE, f"part = 'edge' OR ({undone})", is_entry=True),
        events("began", undone, is_entry=True, sign="-"),
        events("EPOCH_MS(at)", "part <> 'undone' AND NOT is_waiting", is_entry=False),
    ]


def _sum(figure: str) -> str:
    """As whole as what it adds up: sums are added up again, which wider numbers would make slow."""
    return f"CAST(SUM({figure}) AS BIGINT)"


def _hour(instant_ms: str) -> str:
    return f"({instant_ms} // {HOUR_MS} * {HOUR_MS})"


def _first(count: int) -> list[exp.Expr]:
    """The first columns of a SELECT, to group by."""
    return [exp.Literal.number(position + 1) for position in range(count)]


@lru_cache(maxsize=64)
def _counting(kind: Kind, keys: tuple[str, ...], normals: tuple[tuple[str, Any], ...]) -> Counting:
    return Counting(sql=_counting_sql(kind, (*keys, "passage_stage")), stands_for=normals if kind == "stuck" else ())


def _counting_sql(kind: Kind, told: tuple[str, ...]) -> str:
    """Each end is counted by itself: by both hours at once there would be almost as many groups as passages."""
    ways = (_way(way, end, told) for way, end in WAYS.items())
    sums = (f"CAST(SUM({figure}) AS BIGINT) AS {figure}" for figure in FIGURES)
    counted = select(*told, named("TO_TIMESTAMP(hour // 1000)", "at"), *sums)
    counted = counted.from_(exp.union(*ways, distinct=False).subquery("ways")).group_by(*_first(len(told) + 1))
    # What is stuck is worked out once: it is few beside what must be looked at to find it.
    counted = counted.with_("ends", as_=_ends(kind, told), materialized=kind == "stuck")
    return f'FROM ({counted.sql(DIALECT)}) ORDER BY "at"'


def _way(way: str, end: str, told: tuple[str, ...]) -> exp.Select:
    figures = {"count": "COUNT(*)", "rest_ms": f"SUM({_hour(end)} + {HOUR_MS} - {end})"}
    own = (f"{figures[figure] if of == way else 0} AS {of}_{figure}" for of in WAYS for figure in figures)
    found = select(*told, f"{_hour(end)} AS hour", *own).from_("ends").where(f"NOT {end} IS NULL")
    return found.group_by(*_first(len(told) + 1))


def _ends(kind: Kind, told: tuple[str, ...]) -> exp.Select:
    """When the flow of each passage of a kind began and ended, in ms."""
    chosen = [f"o.{name}" for name in (*told, "at", "passage_seconds")]
    rows = select(*chosen).from_(exp.to_table(COUNTED_ROWS, alias="o")).where(f"NOT {IS_DOUBTFUL}", dialect=DIALECT)
    if kind == "stuck":
        rows = join_normals(rows.select(f"{NORMAL_SECONDS} AS normal_seconds"))
    ends = select(*told, f"{began_sql(kind)} AS began", "EPOCH_MS(at) AS ended").from_(rows.subquery("passed"))
    return ends.where(IS_IN[kind])
