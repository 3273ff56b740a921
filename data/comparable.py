"""Which passages are comparable: the keys that say with which others a passage through a stage is compared.

Of the same region and stage, at the same node: the region for office work, the warehouse inside it, the lane from its
door on. Customer tier and part of the week in which the stage was entered are a second key: what they usually add.
"""

from __future__ import annotations

from typing import Final

OFFICE_STAGES: Final = ("paid", "approved", "allocated")
LANE_STAGES: Final = ("out_for_delivery", "delivered")
COMPARED_COLUMNS: Final = ("region_code", "warehouse_id", "province_code", "customer_tier")
"""What must be known of an order to say which others it is compared with."""

QUARTER_MS: Final = 21_600_000
DAY_MS: Final = 86_400_000


def node_key_sql(stage: str, prefix: str = "") -> str:
    """SQL of the key of region, stage and node; `stage` is SQL of the stage, `prefix` stands before the order's columns."""
    warehouse, province = (f"COALESCE({prefix}{name}, '')" for name in ("warehouse_id", "province_code"))
    in_office, on_lane = f"{stage} IN ({_quoted(OFFICE_STAGES)})", f"{stage} IN ({_quoted(LANE_STAGES)})"
    nodes = f"CASE WHEN {in_office} THEN '' ELSE {warehouse} END, CASE WHEN {on_lane} THEN {province} ELSE '' END"
    return f"HASH(COALESCE({prefix}region_code, ''), {stage}, {nodes})"


def kind_key_sql(stage: str, opened_ms: str, offset: str, prefix: str = "") -> str:
    """SQL of the key of region, stage, customer tier and part of the week: a quarter of a working day or of a weekend's.

    `opened_ms` is SQL of the instant the stage was entered in ms since 1970, `offset` that of the zone's offset then.
    """
    local = f"({opened_ms} + {offset})"
    slot = f"({local} // {QUARTER_MS}) % 4 + CASE WHEN ({local} // {DAY_MS} + 3) % 7 >= 5 THEN 4 ELSE 0 END"
    tier = f"COALESCE({prefix}customer_tier, '')"
    return f"HASH(COALESCE({prefix}region_code, ''), {stage}, {tier}, CAST({slot} AS BIGINT))"


def _quoted(stages: tuple[str, ...]) -> str:
    return ", ".join(f"'{stage}'" for stage in stages)
