"""Order cells: orders counted in memory by the hour in which they began or were promised, so that a window need not look at each.

A window's whole hours are read from the cells, its ends and the few orders that not every sight takes alike one by one.
The counts are the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from sqlglot import exp

from data.recent import COUNTED_ROWS, DOUBTFUL_ORDERS, Counted, Counting, Horizon
from data.visit import DOUBTFUL_WHEN
from data.zone import Offsets
from queries.base import Ctes, Request, Setting, base
from queries.clock import HOUR_MS
from queries.columns import Sight, order_columns
from queries.fragment import DIALECT, column_names, named, select
from queries.metric import CREATED, FAULTY, PROMISED, ROW_COUNT, Anchor, Measure
from queries.metrics import DUE_DELIVERY, LATE, ON_TIME


@dataclass(frozen=True, kw_only=True)
class Figure:
    """What one order counts for: seen from an instant, and as one that every sight takes alike (SQL over its columns)."""

    seen: str
    plain: str = ""

    @property
    def counted(self) -> str:
        """What a cell adds up."""
        return self.plain or self.seen


def _if(condition: str) -> Figure:
    return Figure(seen=f"CASE WHEN {condition} THEN 1 ELSE 0 END")


ONE: Final = Figure(seen="1")

FIGURES: Final[Mapping[Anchor, Mapping[str, Figure]]] = {
    # An order that an exception was reported of is not counted in a cell.
    CREATED: {ROW_COUNT: ONE, "faulty_count": Figure(seen=f"CASE WHEN {FAULTY} THEN 1 ELSE 0 END", plain="0")},
    PROMISED: {
        ROW_COUNT: ONE,
        "due_count": _if(DUE_DELIVERY),
        "on_time_count": _if(f"({DUE_DELIVERY}) AND ({ON_TIME})"),
        "late_count": _if(f"({DUE_DELIVERY}) AND ({LATE})"),
    },
}

_PLACES: Final = ("country_code", "region_code")
_PARTS: Final = ("channel", "business_type")
ORDER_CELLS: Final[Mapping[str, tuple[Anchor, tuple[str, ...]]]] = {
    "created_regions": (CREATED, (*_PLACES, *_PARTS)),
    "created_provinces": (CREATED, (*_PLACES, "province_code", *_PARTS)),
    "promised_regions": (PROMISED, (*_PLACES, *_PARTS)),
    "promised_provinces": (PROMISED, (*_PLACES, "province_code", *_PARTS)),
    "promised_lanes": (PROMISED, (*_PLACES, "province_code", "warehouse_id")),
}
"""The tables: by which instant they count, and what they tell apart beside its hour; the first that tells enough is read."""


def kept_order_cells() -> tuple[Counted, ...]:
    """What `Recent` counts of the orders it keeps."""
    return tuple(_counted(name) for name in ORDER_CELLS)


def held_order_cells(held: Horizon, offsets: Offsets) -> tuple[str, ...]:
    """The tables in memory; none where the zone's hours are not whole ones of UTC."""
    if any(offset % HOUR_MS for _, offset in offsets):
        return ()
    known = dict(held.derived)
    return tuple(name for name in ORDER_CELLS if known.get(name) == _counting(name))


def order_cells_for(setting: Setting, anchor: Anchor, measures: Iterable[Measure], columns: Iterable[str]) -> str | None:
    """The table in memory that counts these measures and tells these columns of an order apart; None where none does."""
    wanted = set(columns) - {anchor.at}
    counted = frozenset[str]().union(*(column_names(measure.counted) for measure in measures))
    if counted - FIGURES.get(anchor, {}).keys():
        return None
    return next(
        (name for name in setting.order_cells if ORDER_CELLS[name][0] == anchor and wanted <= set(ORDER_CELLS[name][1])), None
    )


def order_cells(request: Request, table: str) -> tuple[Ctes, str]:
    """Rows with the figures of cells: those of the table, and each order that it does not hold as one."""
    setting, period, anchor = request.setting, request.period, request.anchor
    at, counts = str(anchor.at), FIGURES[anchor]
    wanted = sorted(request.columns & counts.keys())
    kept = sorted((request.columns - counts.keys()) | {at})
    inside = [f"o.{at} >= {period.name('cells_start')}", f"o.{at} < {period.name('whole_end')}"]
    single, cells = f"{anchor.name}_single{period.suffix}", f"{anchor.name}_cells{period.suffix}"
    settled = Sight(as_of="", is_settled=True)
    whole = base(kept, setting, sight=settled, conditions=[*inside, *request.filters], table=table)
    whole = whole.select(*(named(f"o.{figure}", figure) for figure in wanted), copy=False)
    counted = select(*(exp.column(column) for column in kept), *(named(counts[figure].seen, figure) for figure in wanted))
    rows = exp.union(whole, counted.from_(single, copy=False), distinct=False, copy=False)
    return [(single, _single(request, inside, [counts[figure].seen for figure in wanted])), (cells, rows)], cells


def _single(request: Request, inside: list[str], figures: list[str]) -> exp.Query:
    """What is not counted, one by one: at the window's ends, and the doubtful ones inside."""
    setting, period, anchor = request.setting, request.period, request.anchor
    at, counts = str(anchor.at), FIGURES[anchor]
    columns = frozenset({at}).union(request.columns - counts.keys(), *(column_names(sql) for sql in figures))
    sight = period.sight(at.removesuffix("_at"))
    edges = [(period.name("start"), f"LEAST({period.name('cells_start')}, {period.name('end')})")]
    edges.append((f"GREATEST({period.name('whole_end')}, {period.name('start')})", period.name("end")))
    ends = [[f"o.{at} >= {first}", f"o.{at} < {last}"] for first, last in edges]
    rows = [base(columns, setting, sight=sight, conditions=[*between, *request.filters]) for between in ends]
    doubtful = [*inside, DOUBTFUL_WHEN[anchor.name], *request.filters]
    rows.append(base(columns, setting, sight=sight, conditions=doubtful, table=DOUBTFUL_ORDERS))
    return exp.union(*rows, distinct=False, copy=False)


def _counted(name: str) -> Counted:
    figures = tuple(FIGURES[ORDER_CELLS[name][0]])
    return Counted(name=name, figures=figures, counting_at=lambda _: _counting(name), of="orders")


@lru_cache(maxsize=16)
def _counting(name: str) -> Counting:
    anchor, keys = ORDER_CELLS[name]
    at, counts = str(anchor.at), FIGURES[anchor]
    known = order_columns(Sight(as_of="", is_settled=True, is_recent=True))
    columns = sorted({at, *keys}.union(*(column_names(figure.counted) for figure in counts.values())))
    rows = select(*(named(known[column], column) for column in columns))
    rows = rows.from_(exp.to_table(COUNTED_ROWS, alias="o")).where(
        f"o.{at} IS NOT NULL AND NOT {DOUBTFUL_WHEN[anchor.name]}", dialect=DIALECT
    )
    hour = named(f"TO_TIMESTAMP(EPOCH_MS({at}) // {HOUR_MS} * {HOUR_MS // 1000})", at)
    figures = (named(f"CAST(SUM({figure.counted}) AS BIGINT)", name) for name, figure in counts.items())
    counted = select(*(exp.column(key) for key in keys), hour, *figures).from_(rows.subquery("p"))
    counted = counted.group_by(*(exp.Literal.number(i + 1) for i in range(len(keys) + 1)))
    return Counting(sql=counted.order_by(exp.Literal.number(len(keys) + 1)).sql(DIALECT))
