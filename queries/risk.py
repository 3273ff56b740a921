"""At risk: open orders that comparable orders say will miss their promise."""

from __future__ import annotations

from typing import Final

from sqlglot import exp

from data.order import FORWARD_MILESTONES
from queries.base import Ctes, Request, base, stock
from queries.columns import WAITING_SINCE, Sight
from queries.fragment import DIALECT, select
from queries.passages import WAITING_COLUMNS

STEPS: Final = tuple(round(step * 0.05, 2) for step in range(1, 20))
"""What comparable orders needed is kept as these quantiles: a distribution in twenty equal steps."""

BEFORE_DELIVERY: Final = FORWARD_MILESTONES[:-1]
GROUPS: Final = ("region_code", "business_type")


def _milliseconds(later: str, earlier: str) -> str:
    return f"EPOCH_MS({later}) - EPOCH_MS({earlier})"


def _case(value: str) -> str:
    return "CASE furthest " + " ".join(f"WHEN '{name}' THEN {value.format(name)}" for name in BEFORE_DELIVERY) + " END"


FURTHEST: Final = (
    "CASE " + " ".join(f"WHEN {name}_at IS NOT NULL THEN '{name}'" for name in reversed(FORWARD_MILESTONES)) + " END"
)
LONGER: Final = "LENGTH(LIST_FILTER(needed, LAMBDA x : x > {}))"
WAITED: Final = _milliseconds("as_of", "waiting_since")
ALLOWED: Final = _milliseconds("promised_at", "waiting_since")
AT_RISK: Final = (
    "promised_at >= as_of AND comparable_count >= $risk_minimum "
    f"AND ({LONGER.format(WAITED)} = 0 OR 2 * {LONGER.format(ALLOWED)} > {LONGER.format(WAITED)})"
)
"""In danger when most comparable orders that had waited as long needed longer than this one is allowed."""


def risk(request: Request) -> tuple[Ctes, str]:
    """Open orders with `is_at_risk`, by comparable orders: same region, business type and furthest milestone."""
    suffix, grain = request.period.suffix, request.setting.grain
    waiting, delivered, comparables, rows = (
        f"{name}{suffix}" for name in ("orders_at_risk", "orders_comparable", "comparables", "at_risk_rows")
    )
    keys = (*(["risk_end"] if grain else []), *GROUPS)
    known = select("*", f"{FURTHEST} AS furthest", f"{WAITING_SINCE} AS waiting_since").from_(waiting, copy=False)
    joined = (
        select("w.*", f"{_case('c.needed_{}')} AS needed", f"{_case('c.{}_count')} AS comparable_count")
        .from_(known.subquery("w", copy=False), copy=False)
        .join(f"{comparables} AS c", on=_same(keys), join_type="left", dialect=DIALECT, copy=False)
    )
    judged = select("*", f"{AT_RISK} AS is_at_risk").from_(joined.subquery("compared", copy=False), copy=False)
    wanted = WAITING_COLUMNS | {"promised_at", *GROUPS}
    open_orders = stock(request, wanted)
    open_orders = open_orders.select("i.risk_end", copy=False) if grain else open_orders
    return [
        (waiting, open_orders),
        (delivered, _delivered(request)),
        (comparables, _comparables(delivered, keys)),
        (rows, judged),
    ], rows


def _same(keys: tuple[str, ...]) -> str:
    return " AND ".join(f"c.{key} IS NOT DISTINCT FROM w.{key}" for key in keys)


def _delivered(request: Request) -> exp.Select:
    """Orders delivered in the days before as-of's own; the question's filters do not narrow what is comparable."""
    period, setting = request.period, request.setting
    columns = {*GROUPS} | {f"{name}_measured_at" for name in FORWARD_MILESTONES}
    if not setting.grain:
        conditions = [f"o.delivered_at < {period.name('risk_end')}", f"o.delivered_at >= {period.name('risk_start')}"]
        return base(columns, setting, sight=period.sight("delivered"), conditions=conditions)
    earliest = f"o.delivered_at >= {period.name('risk_start')}"
    sight = Sight(as_of="d.risk_end", certain=frozenset({"created", "delivered"}))
    rows = base(
        columns, setting, sight=sight, conditions=[earliest, "o.delivered_at >= d.risk_start", "o.delivered_at < d.risk_end"]
    )
    days = select("risk_start", "risk_end").distinct().from_(f"instants{period.suffix}")
    return rows.join(days.subquery("d"), join_type="cross", copy=False).select("d.risk_end", copy=False)


def _comparables(table: str, keys: tuple[str, ...]) -> exp.Select:
    """What orders needed from each milestone to delivery, and how many there are."""
    figures = []
    for name in BEFORE_DELIVERY:
        needed = _milliseconds("delivered_measured_at", f"{name}_measured_at")
        figures += [
            f"QUANTILE_CONT({needed}, [{', '.join(map(str, STEPS))}]) AS needed_{name}",
            f"COUNT({needed}) AS {name}_count",
        ]
    return select(*keys, *figures).from_(table, copy=False).group_by(*keys, copy=False)
