"""Who may be told what: for every field of an order the nearest circle that sees it. One table; a test walks the registries.

The circles lie inside each other: what a customer may know, a partner may, what a partner may, a regional lead may.
`NATIONAL` is what a regional lead may see of the whole country; where something stands in it, groups under
`SMALLEST_GROUP` orders are left out. Today it is empty: a lead's every figure is made of the lead's own orders.
"""

from __future__ import annotations

from typing import Final, Literal

Tier = Literal["customer", "partner", "region", "headquarters"]

TIERS: Final[tuple[Tier, ...]] = ("customer", "partner", "region", "headquarters")

NATIONAL: Final[tuple[str, ...]] = ()
SMALLEST_GROUP: Final = 5

FIELD_TIERS: Final[dict[str, Tier]] = {
    # customer: the own order, as a journey link shows it
    **dict.fromkeys(("channel", "order_id", "country_code", "province_code", "city", "category", "line_count"), "customer"),
    **dict.fromkeys(("quantity", "delivered_quantity", "carrier_id", "status", "promised_ship_at", "promised_at"), "customer"),
    **dict.fromkeys(("created_at", "paid_at", "shipped_at", "out_for_delivery_at", "delivered_at"), "customer"),
    **dict.fromkeys(("cancelled_at", "return_requested_at", "returned_at", "refunded_at"), "customer"),
    **dict.fromkeys(("return_id", "requested_at", "received_at", "complaint_id", "kind", "closed_at"), "customer"),
    # partner: what a warehouse or a carrier needs to do its part
    **dict.fromkeys(("business_type", "source_order_ids", "region_code", "warehouse_id", "warehouse_region_code"), "partner"),
    **dict.fromkeys(("wave_id", "priority", "exception_code", "failed_attempt_count", "exception_at"), "partner"),
    **dict.fromkeys(("approved_at", "allocated_at", "accepted_at", "picked_at", "packed_at"), "partner"),
    **dict.fromkeys(("event_id", "milestone", "occurred_at", "system", "step", "place"), "partner"),
    # region: the lead of the area
    **dict.fromkeys(("latitude", "longitude", "amount", "currency", "freight_cost", "customer_tier"), "region"),
    **dict.fromkeys(("actor", "latency_seconds", "inferred_milestones", "mapped_milestones"), "region"),
    **dict.fromkeys(("impossible_milestones", "open_until_at", "settled_at", "snapshot_id"), "region"),
    **dict.fromkeys(("field", "masked"), "region"),
    # headquarters: intake, keys, and what opens an original (with a reveal only)
    **dict.fromkeys(("as_of", "row_number", "withdrawn", "key_id", "sealed", "search"), "headquarters"),
}

ROLE_TIERS: Final[dict[str, Tier]] = {
    "lead": "region",
    "analyst": "headquarters",
    "manager": "headquarters",
    "admin": "headquarters",
}


def may_see(tier: Tier, field: str) -> bool:
    """Whether a circle may be told a field; a field nobody put into the table is nobody's."""
    return field in FIELD_TIERS and TIERS.index(FIELD_TIERS[field]) <= TIERS.index(tier)


def fields_for(tier: Tier) -> frozenset[str]:
    """Every field a circle may be told."""
    return frozenset(field for field in FIELD_TIERS if may_see(tier, field))
