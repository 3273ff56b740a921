"""Row sources: for each anchor the SELECT whose rows a measure counts."""

from __future__ import annotations

from typing import Final

from sqlglot import exp

from data.order import MILESTONE_BIT
from queries.base import Ctes, Request, base, ship_due_by_cut_off, stock, table_at, window_conditions
from queries.fragment import DIALECT, named
from queries.normal import passages_with_normals
from queries.passages import passages
from queries.risk import risk

RETURN_COLUMNS: Final = {
    "return_id": "{r}return_id",
    "return_kind": "{r}kind",
    "requested_at": "{r}requested_at",
    "received_at": "CASE WHEN {r}received_at <= {as_of} THEN {r}received_at END",
    "closed_at": "CASE WHEN {r}closed_at <= {as_of} THEN {r}closed_at END",
    "due_at": "{r}requested_at + TO_MILLISECONDS($return_handling_ms)",
}
COMPLAINT_COLUMNS: Final = {"complaint_id": "{r}complaint_id", "complaint_kind": "{r}kind", "complained_at": "{r}created_at"}
"""Of a return and a complaint the columns that measures name; `{r}` is the attached row."""


def source(request: Request) -> tuple[Ctes, str]:
    """The CTEs that deliver the anchor's rows, and the name of the last one."""
    anchor = request.anchor
    if anchor.rows == "passages":
        return passages_with_normals(request) if "normal_seconds" in request.columns else passages(request)
    if anchor.rows in ("returns", "complaints"):
        return _attached(request)
    if anchor.extra == "risk":
        return risk(request)
    name = f"orders_{anchor.name}{request.period.suffix}"
    return [(name, stock(request) if anchor.is_stock else _flow(request))], name


def _flow(request: Request) -> exp.Query:
    anchor = request.anchor
    if anchor.extra == "due":
        return _ship_due(request)
    conditions = window_conditions(f"o.{anchor.at}", request.setting, request.period)
    sight = request.period.sight(str(anchor.at).removesuffix("_at"))
    return base(request.columns | {str(anchor.at)}, request.setting, sight=sight, conditions=[*conditions, *request.filters])


def _ship_due(request: Request) -> exp.Query:
    """Orders due for shipping in the window, as promised or by the cut-off; two scans, each over its own few days."""
    setting, period = request.setting, request.period
    promised = window_conditions("o.promised_ship_at", setting, period, end="due_end")
    by_cut_off = ["o.promised_ship_at IS NULL", *window_conditions(ship_due_by_cut_off(setting), setting, period, end="due_end")]
    if setting.has_start:
        by_cut_off.append(f"o.created_at >= {period.name('due_since')}")
    told = f"(o.mapped_milestones & {MILESTONE_BIT['shipped']}) <> 0"
    scans = [
        base(request.columns | {"ship_due_at"}, setting, sight=period.sight(), conditions=[*conditions, told, *request.filters])
        for conditions in (promised, by_cut_off)
    ]
    return exp.union(*scans, distinct=False, copy=False)


def _attached(request: Request) -> tuple[Ctes, str]:
    """Returns or complaints of the orders in the scoped base."""
    anchor, period, is_recent = request.anchor, request.period, request.setting.is_recent
    as_of, own = period.name("as_of"), "o.r_" if is_recent else "r."
    table, columns = ("order_returns", RETURN_COLUMNS) if anchor.rows == "returns" else ("order_complaints", COMPLAINT_COLUMNS)
    known = {column: sql.format(r=own, as_of=as_of) for column, sql in columns.items()}
    existing = f"{own}requested_at" if anchor.rows == "returns" else f"{own}created_at"
    raw = f"{own}closed_at" if anchor.at == "closed_at" else known[str(anchor.at)]
    conditions = [*window_conditions(raw, request.setting, period), f"{existing} <= {as_of}", *request.filters]
    # In memory each stands beside its order; one whose order nobody knows counts nowhere.
    conditions += ["o.created_at IS NOT NULL"] if is_recent else []
    wanted = request.columns - known.keys()
    rows = base(wanted, request.setting, sight=period.sight(), conditions=conditions, table=table if is_recent else "orders")
    chosen = sorted((request.columns | {str(anchor.at)}) & known.keys())
    rows = rows.select(*(named(known[column], column) for column in chosen), copy=False)
    if not is_recent:
        on = "r.channel = o.channel AND r.order_id = o.order_id"
        rows = rows.join(table_at(table, "r"), on=on, join_type="inner", dialect=DIALECT, copy=False)
    name = f"{anchor.name}_rows{period.suffix}"
    return [(name, rows)], name
