"""Every column a list of orders can show, by name: its SQL over a row, its kind, and the rows that have it.

To add one, add an entry and its names in i18n (`listing.*`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from data.order import MILESTONES
from queries.columns import WAITING_SINCE, WAITING_STAGE
from queries.dimensions import ALL_ROWS, Rows
from queries.metric import seconds
from queries.metrics import AGE, CYCLE, EXCESS, LATE_BY, LOSING, LOST_MS

ColumnKind = Literal["text", "code", "count", "number", "money", "instant", "seconds"]


@dataclass(frozen=True, kw_only=True)
class ListingColumn:
    """One column: its SQL over the rows of an anchor; `dimension` names its codes where it is one."""

    name: str
    expression: str
    kind: ColumnKind
    rows: tuple[Rows, ...] = ALL_ROWS
    dimension: str | None = None


def _code(dimension: str, expression: str) -> ListingColumn:
    return ListingColumn(name=dimension, expression=expression, kind="code", dimension=dimension)


def _instant(name: str) -> ListingColumn:
    return ListingColumn(name=name, expression=name, kind="instant")


def _of_row(name: str, kind: ColumnKind, rows: Rows, expression: str = "") -> ListingColumn:
    return ListingColumn(name=name, expression=expression or name, kind=kind, rows=(rows,))


WAITED: Final = f"CASE WHEN is_open THEN {seconds('as_of', f'({WAITING_SINCE})')} END"

_ENTRIES: Final = (
    ListingColumn(name="order_id", expression="order_id", kind="text"),
    _code("channel", "channel"),
    _code("business_type", "business_type"),
    ListingColumn(name="source_order_ids", expression="source_order_ids", kind="text"),
    _code("region", "region_code"),
    _code("province", "province_code"),
    _code("city", "city"),
    _code("warehouse", "warehouse_id"),
    _code("wave", "wave_id"),
    _code("carrier", "carrier_id"),
    _code("status", "status"),
    _code("stage", WAITING_STAGE),
    ListingColumn(name="waited_seconds", expression=WAITED, kind="seconds"),
    ListingColumn(name="age_seconds", expression=f"CASE WHEN is_open THEN {AGE} END", kind="seconds"),
    ListingColumn(name="order_cycle_seconds", expression=CYCLE, kind="seconds"),
    _instant("promised_at"),
    _instant("promised_ship_at"),
    ListingColumn(name="late_by_seconds", expression=LATE_BY, kind="seconds"),
    ListingColumn(name="delay_cost", expression=f"COALESCE(CAST(amount AS DOUBLE), 1.0) * ({LATE_BY}) / 3600.0", kind="number"),
    ListingColumn(name="amount", expression="CAST(amount AS DOUBLE)", kind="money"),
    _code("currency", "currency"),
    ListingColumn(name="freight_cost", expression="CAST(freight_cost AS DOUBLE)", kind="money"),
    _code("exception", "exception_code"),
    ListingColumn(name="failed_attempt_count", expression="failed_attempt_count", kind="count"),
    _code("category", "category"),
    _code("customer_tier", "customer_tier"),
    _code("priority", "priority"),
    ListingColumn(name="line_count", expression="line_count", kind="count"),
    ListingColumn(name="quantity", expression="quantity", kind="number"),
    ListingColumn(name="delivered_quantity", expression="delivered_quantity", kind="number"),
    *(_instant(f"{milestone}_at") for milestone in MILESTONES),
    _of_row("passage_stage", "code", "passages"),
    _of_row("passage_seconds", "seconds", "passages"),
    _of_row("limit_seconds", "seconds", "passages"),
    _of_row("excess_seconds", "seconds", "passages", f"CASE WHEN passage_seconds > limit_seconds THEN {EXCESS} END"),
    _of_row("normal_seconds", "seconds", "passages"),
    _of_row("lost_seconds", "seconds", "passages", f"CASE WHEN {LOSING} THEN {LOST_MS} / 1000.0 END"),
    _of_row("return_id", "text", "returns"),
    _of_row("return_kind", "code", "returns"),
    _of_row("requested_at", "instant", "returns"),
    _of_row("received_at", "instant", "returns"),
    _of_row("closed_at", "instant", "returns"),
    _of_row("complaint_id", "text", "complaints"),
    _of_row("complaint_kind", "code", "complaints"),
    _of_row("complained_at", "instant", "complaints"),
)

LISTING_COLUMNS: Final[dict[str, ListingColumn]] = {entry.name: entry for entry in _ENTRIES}

DEFAULT_COLUMNS: Final = (
    "order_id", "channel", "province", "city", "warehouse", "carrier", "status", "stage",
    "age_seconds", "promised_at", "late_by_seconds", "amount", "exception",
)  # fmt: skip

OWN_COLUMNS: Final[dict[Rows, tuple[str, ...]]] = {
    "orders": (),
    "passages": ("passage_stage", "passage_seconds", "limit_seconds"),
    "returns": ("return_id", "return_kind", "requested_at", "closed_at"),
    "complaints": ("complaint_id", "complaint_kind", "complained_at"),
}
"""What a list of passages, returns or complaints shows beside the order."""

ROW_KEY: Final[dict[Rows, tuple[str, ...]]] = {
    "orders": (),
    "passages": ("passage_stage",),
    "returns": ("return_id",),
    "complaints": ("complaint_id",),
}
"""What tells the rows of one order apart."""

FIRST_ORDER: Final[dict[Rows, str]] = {
    "orders": "-created_at",
    "passages": "-passage_seconds",
    "returns": "-requested_at",
    "complaints": "-complained_at",
}
"""How a list is sorted where nothing is asked."""


def columns_of(rows: Rows) -> list[str]:
    """The names of all columns that rows of this kind have, in the order of the registry."""
    return [name for name, column in LISTING_COLUMNS.items() if rows in column.rows]
