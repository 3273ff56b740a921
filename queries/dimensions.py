"""Every dimension: what results may be grouped and filtered by. To add one, add an entry (and its names in i18n)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from data.order import COMPLAINT_KINDS, RETURN_KINDS, STAGES, STATUSES
from queries.columns import (
    AGE_BUCKET,
    AGE_BUCKET_BEYOND,
    AGE_BUCKETS,
    DISPATCH_AGE,
    DISPATCH_AGE_BEYOND,
    DISPATCH_AGES,
    WAITING_STAGE,
)

Rows = Literal["orders", "passages", "returns", "complaints"]
"""What one row of a metric's population is: an order, its passage through a stage, a return, a complaint."""

ALL_ROWS: Final[tuple[Rows, ...]] = ("orders", "passages", "returns", "complaints")


@dataclass(frozen=True, kw_only=True)
class Dimension:
    """One way to group: SQL over the columns of a row, its parent for drilling, and the rows it exists for.

    `{local}` in the expression is the anchor instant's clock reading in the business zone, in ms since 1970.
    `codes` are listed where they are a closed set, in the order to show them; `aliases` are accepted on the
    command line; `column` is the column of lake.orders it shows, whose name labels its codes.
    """

    name: str
    expression: str
    parent: str | None = None
    rows: tuple[Rows, ...] = ALL_ROWS
    codes: tuple[str | int, ...] = ()
    aliases: tuple[str, ...] = ()
    column: str | None = None


def _plain(name: str, column: str, parent: str | None = None, *aliases: str) -> Dimension:
    given = (column, *aliases) if column != name else aliases
    return Dimension(name=name, expression=column, parent=parent, aliases=given, column=column)


_AGES: Final = (*(code for code, _ in AGE_BUCKETS), AGE_BUCKET_BEYOND)

_ENTRIES: Final = (
    _plain("channel", "channel"),
    _plain("business_type", "business_type"),
    _plain("country", "country_code"),
    _plain("region", "region_code", "country"),
    _plain("province", "province_code", "region", "state"),
    _plain("city", "city", "province"),
    _plain("warehouse_region", "warehouse_region_code"),
    _plain("warehouse", "warehouse_id"),
    _plain("wave", "wave_id", "warehouse"),
    Dimension(name="order", expression="channel || '/' || order_id", parent="wave", aliases=("order_id",)),
    _plain("carrier", "carrier_id"),
    Dimension(name="lane", expression="warehouse_id || '>' || province_code", parent="carrier"),
    _plain("category", "category"),
    _plain("customer_tier", "customer_tier"),
    _plain("priority", "priority"),
    _plain("currency", "currency"),
    Dimension(name="exception", expression="exception_code", aliases=("exception_code",), column="exception_code"),
    Dimension(name="status", expression="status", codes=STATUSES, column="status"),
    Dimension(name="stage", expression=WAITING_STAGE, codes=STAGES),
    Dimension(name="age_bucket", expression=AGE_BUCKET, codes=_AGES),
    Dimension(name="dispatch_age", expression=DISPATCH_AGE, codes=(*(code for code, _ in DISPATCH_AGES), DISPATCH_AGE_BEYOND)),
    Dimension(name="hour", expression="({local} // 3600000) % 24", codes=tuple(range(24)), aliases=("hour_of_day",)),
    Dimension(name="weekday", expression="({local} // 86400000 + 3) % 7 + 1", codes=tuple(range(1, 8)), aliases=("day_of_week",)),
    Dimension(name="return_kind", expression="return_kind", rows=("returns",), codes=RETURN_KINDS),
    Dimension(name="complaint_kind", expression="complaint_kind", rows=("complaints",), codes=COMPLAINT_KINDS),
)

DIMENSIONS: Final[dict[str, Dimension]] = {entry.name: entry for entry in _ENTRIES}


def children_of(name: str) -> list[str]:
    """The dimensions one drill step below this one."""
    return [entry.name for entry in _ENTRIES if entry.parent == name]
