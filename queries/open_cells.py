"""Open cells: orders counted in memory by the hour in which they began and ceased to be open, or overdue.

So many more began than ceased up to the end of a bucket, so many are open there. They answer where nothing is hidden at the
end of the period; orders that fall due in the very hour of as-of are looked at one by one. The counts are those of `spans`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

from sqlglot import exp

from data.recent import COUNTED_ROWS, Counted, Counting, Horizon
from data.zone import Offsets
from queries.base import Ctes, Request, Setting, base
from queries.clock import HOUR_MS, PART_MS
from queries.columns import Sight
from queries.fragment import DIALECT, bucket_sql, named, parse, select
from queries.metric import WHILE_OPEN, Measure, Span

OPEN_CELLS: Final = "open_cells"
KEYS: Final = ("country_code", "region_code", "channel", "business_type")

OVERDUE: Final = Span(after="promised_at")
_OPENED: Final = "epoch_ms(o.created_at) < epoch_ms(o.open_until_at)"
"""What was closed before it began was never open."""
_DUE: Final = (
    "o.promised_at IS NOT NULL AND greatest(epoch_ms(o.created_at), epoch_ms(o.promised_at) + 1) < epoch_ms(o.open_until_at)"
)
EVENTS: Final[Mapping[str, tuple[str, str]]] = {
    "opened_count": ("epoch_ms(o.created_at)", _OPENED),
    "closed_count": ("epoch_ms(o.open_until_at)", _OPENED),
    "fell_due_count": ("(epoch_ms(o.promised_at) + 1)", f"{_DUE} AND epoch_ms(o.promised_at) + 1 > epoch_ms(o.created_at)"),
    "born_due_count": ("epoch_ms(o.created_at)", f"{_DUE} AND epoch_ms(o.promised_at) + 1 <= epoch_ms(o.created_at)"),
    "due_closed_count": ("epoch_ms(o.open_until_at)", _DUE),
}
"""What is counted: at which instant (ms) and of which orders (SQL over the order `o`)."""

CHANGES: Final[Mapping[Span, str]] = {
    WHILE_OPEN: "opened_count - closed_count",
    OVERDUE: "fell_due_count + born_due_count - due_closed_count",
}
"""By how much a count of open orders grows in an hour."""


def kept_open_cells() -> Counted:
    """What `Recent` counts of the orders it keeps."""
    return Counted(name=OPEN_CELLS, figures=tuple(EVENTS), counting_at=lambda _: _counting(), of="orders")


def holds_open_cells(held: Horizon, offsets: Offsets) -> bool:
    """Whether the table is in memory; not where the zone's hours are not whole ones of UTC."""
    return not any(offset % HOUR_MS for _, offset in offsets) and dict(held.derived).get(OPEN_CELLS) == _counting()


def are_counted(measures: Iterable[Measure], columns: Iterable[str], setting: Setting) -> bool:
    """Whether the table counts these measures by the bucket and tells these columns of an order apart."""
    known = setting.has_open_cells and setting.has_start and setting.grain not in PART_MS
    return known and set(columns) <= set(KEYS) and all(measure.during in CHANGES for measure in measures)


def counted_spans(request: Request, measures: tuple[Measure, ...], keys: Mapping[str, str]) -> tuple[Ctes, str]:
    """For every bucket and group (SQL by name) in which an order is open each measure's count, under the measure's name.

    Nothing is hidden at the end of the request's period.
    """
    setting, period = request.setting, request.period
    columns = frozenset(KEYS)
    hours = base(
        columns, setting, sight=_SIGHT, conditions=[f"o.at <= {period.name('until')}", *request.filters], table=OPEN_CELLS
    )
    hours = hours.select(*(named(f"o.{name}", name) for name in ("at", *EVENTS)), copy=False)
    until = f"epoch_ms({period.name('until')})"
    ahead = [f"o.promised_at >= {period.name('until')}", EVENTS["fell_due_count"][1]]
    ahead.append(f"(epoch_ms(o.promised_at) + 1) // {HOUR_MS} = {until} // {HOUR_MS}")
    ahead.append(f"o.promised_at < {period.name('until')} + INTERVAL 1 HOUR")
    late = base(columns, setting, sight=_SIGHT, conditions=[*ahead, *request.filters])
    late = late.select(named(period.name("until"), "at"), copy=False)
    late = late.select(*(named("-1" if name == "fell_due_count" else "0", name) for name in EVENTS), copy=False)
    events, changes, answer = (f"{name}{period.suffix}" for name in ("open_events", "open_changes", "open_spans"))
    wanted = {measure.name: CHANGES[measure.during] for measure in measures if measure.during} | {"open": CHANGES[WHILE_OPEN]}
    told = [named(sql, key) for key, sql in keys.items()] + [
        named(bucket_sql("at", setting.grain, setting.offsets), "first_bucket")
    ]
    summed = select(*told, *(named(f"SUM({sql})", name) for name, sql in wanted.items())).from_(events, copy=False)
    summed = summed.group_by(*(exp.Literal.number(i + 1) for i in range(len(told))), copy=False)
    figures = (f"CAST(SUM(s.{measure.name}) AS BIGINT) AS {measure.name}" for measure in measures)
    joined = select(*(f"s.{key}" for key in keys), "i.bucket", *figures).from_(exp.to_table(changes, alias="s"), copy=False)
    joined = joined.join(f"instants{period.suffix} AS i", on="i.bucket >= s.first_bucket", dialect=DIALECT, copy=False)
    joined = joined.group_by(*(exp.Literal.number(i + 1) for i in range(len(keys) + 1)), copy=False)
    joined = joined.having(parse("SUM(s.open) > 0"), copy=False)
    return [(events, exp.union(hours, late, distinct=False, copy=False)), (changes, summed), (answer, joined)], answer


_SIGHT: Final = Sight(as_of="", is_settled=True)


@lru_cache(maxsize=1)
def _counting() -> Counting:
    parts = []
    for at in dict.fromkeys(at for at, _ in EVENTS.values()):
        hour = named(f"TO_TIMESTAMP({at} // {HOUR_MS} * {HOUR_MS // 1000})", "at")
        counts = {name: f"COUNT(*) FILTER (WHERE {when})" if own == at else "0" for name, (own, when) in EVENTS.items()}
        figures = (named(f"CAST({sql} AS BIGINT)", name) for name, sql in counts.items())
        rows = select(*(named(f"o.{key}", key) for key in KEYS), hour, *figures).from_(exp.to_table(COUNTED_ROWS, alias="o"))
        rows = rows.where(f"{at} IS NOT NULL", dialect=DIALECT)
        parts.append(rows.group_by(*(exp.Literal.number(i + 1) for i in range(len(KEYS) + 1))))
    counted = exp.union(*parts, distinct=False)
    return Counting(sql=select("*").from_(counted.subquery("c")).order_by(exp.column("at")).sql(DIALECT))
