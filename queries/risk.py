"""At risk: open orders that comparable orders say will miss their promise."""

from __future__ import annotations

from typing import Final

from sqlglot import exp

from data.order import FORWARD_MILESTONES
from queries.base import Ctes, Request, base, stock
from queries.columns import WAITING_SINCE
from queries.fragment import DIALECT
from queries.metric import seconds
from queries.passages import WAITING_COLUMNS


def risk(request: Request) -> tuple[Ctes, str]:
    """Open orders with the chance, by comparable orders of the last weeks, to be delivered in time."""
    suffix, grain = request.period.suffix, request.setting.grain
    names = {key: f"{key}{suffix}" for key in ("orders_at_risk", "orders_comparable", "comparables", "at_risk_rows")}
    wanted = WAITING_COLUMNS | {"promised_at", "region_code", "business_type", "mapped_milestones"}
    rows = exp.select("*", f"{_FURTHEST} AS furthest", f"{WAITING_SINCE} AS waiting_since", dialect=DIALECT)
    keys = ("bucket",) if grain else ()
    on = [f"c.{key} IS NOT DISTINCT FROM w.{key}" for key in (*keys, "region_code", "business_type", "furthest")]
    joined = (
        exp.select("w.*", f"{_AT_RISK} AS is_at_risk", dialect=DIALECT)
        .from_(rows.from_(names["orders_at_risk"]).subquery("w"))
        .join(f"{names['comparables']} AS c", on=" AND ".join(on), join_type="left", dialect=DIALECT)
    )
    return [
        (names["orders_at_risk"], stock(request, wanted)),
        (names["orders_comparable"], _comparable_base(request)),
        (names["comparables"], _comparables(names["orders_comparable"], keys)),
        (names["at_risk_rows"], joined),
    ], names["at_risk_rows"]


_FURTHEST: Final = (
    "CASE " + " ".join(f"WHEN {name}_at IS NOT NULL THEN '{name}'" for name in reversed(FORWARD_MILESTONES)) + " END"
)
_STEPS: Final = tuple(round(step * 0.05, 2) for step in range(1, 20))
_LONGER: Final = "LENGTH(LIST_FILTER(c.needed, LAMBDA x : x > {}))"
_WAITED: Final = seconds("w.as_of", "w.waiting_since")
_ALLOWED: Final = seconds("w.promised_at", "w.waiting_since")
_AT_RISK: Final = (
    f"w.promised_at >= w.as_of AND c.comparable_count >= $risk_minimum "
    f"AND ({_LONGER.format(_WAITED)} = 0 OR 2 * {_LONGER.format(_ALLOWED)} > {_LONGER.format(_WAITED)})"
)
"""In danger when most comparable orders that had waited as long needed longer than this one has; by steps of 5 %."""


def _comparable_base(request: Request) -> exp.Select:
    period, setting = request.period, request.setting
    columns = {"region_code", "business_type"} | {f"{name}_measured_at" for name in FORWARD_MILESTONES}
    as_of = "i.as_of" if setting.grain else period.name("as_of")
    conditions = [f"o.delivered_at <= {as_of}", f"o.delivered_at > {as_of} - TO_MILLISECONDS($risk_history_ms)"]
    if not setting.grain:
        return base(columns, setting, as_of=as_of, conditions=conditions)
    conditions.append(f"o.delivered_at > {period.name('start')} - TO_MILLISECONDS($risk_history_ms)")
    select = base(columns, setting, as_of=as_of, conditions=conditions)
    return select.join(f"instants{period.suffix} AS i", join_type="cross", dialect=DIALECT).select("i.bucket")


def _comparables(table: str, keys: tuple[str, ...]) -> exp.Query:
    columns = [*keys, "region_code", "business_type"]
    needed = [(name, seconds("delivered_measured_at", f"{name}_measured_at")) for name in FORWARD_MILESTONES[:-1]]
    selects = [
        exp.select(*columns, f"'{name}' AS furthest", f"{sql} AS seconds", dialect=DIALECT).from_(table) for name, sql in needed
    ]
    union = exp.union(*selects, distinct=False, copy=False)
    quantiles = f"QUANTILE_CONT(seconds, [{', '.join(map(str, _STEPS))}]) AS needed"
    grouped = exp.select(*columns, "furthest", quantiles, "COUNT(seconds) AS comparable_count", dialect=DIALECT)
    return grouped.from_(union.subquery("passages")).group_by(*columns, "furthest")
