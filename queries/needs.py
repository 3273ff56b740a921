"""Which delivered columns a metric cannot do without, so that a figure can name its sources and their ages."""

from __future__ import annotations

from functools import cache
from typing import Final

from data.order import CLOSING_MILESTONES, FORWARD_MILESTONES, MILESTONES
from queries.fragment import column_names
from queries.metrics import METRICS

ATTACHED: Final = {
    "returns": {"requested_at", "received_at", "closed_at", "due_at", "return_kind"},
    "complaints": {"complained_at", "complaint_kind"},
}
"""Columns that come with a return or a complaint, not with its order."""

STANDS_FOR: Final = {
    "is_open": tuple(f"{name}_at" for name in CLOSING_MILESTONES),
    "passage_seconds": tuple(f"{name}_at" for name in FORWARD_MILESTONES),
    "ship_due_at": ("promised_ship_at", "created_at"),
    "is_at_risk": ("promised_at", "delivered_at"),
    "due_at": ("requested_at",),
    "complained_at": ("created_at",),
    "return_kind": ("kind",),
    "complaint_kind": ("kind",),
}
"""Derived columns and the delivered ones behind them."""


@cache
def needed_columns(metric: str) -> frozenset[str]:
    """The delivered columns as `kind.column` (`orders.delivered_at`) that decide a metric's figure."""
    entry = METRICS[metric]
    found: set[str] = set()
    for measure in entry.measures:
        names = set(column_names(measure.expression)) | ({str(measure.anchor.at)} if measure.anchor.at else {"is_open"})
        for name in names:
            found |= _delivered(name, measure.anchor.rows)
    return frozenset(found) or _delivered("created_at", "orders")


def _delivered(name: str, rows: str) -> frozenset[str]:
    kind = rows if name in ATTACHED.get(rows, ()) else "orders"
    plain = name.replace("_measured_at", "_at").replace("_inferred", "_at")
    known = {f"{milestone}_at" for milestone in MILESTONES} | {"promised_at", "promised_ship_at", "exception_code", "quantity"}
    known |= {"delivered_quantity", "amount", "freight_cost", "failed_attempt_count"}
    if plain in STANDS_FOR:
        return frozenset(f"{kind}.{column}" for column in STANDS_FOR[plain])
    return frozenset({f"{kind}.{plain}"}) if kind != "orders" or plain in known else frozenset()
