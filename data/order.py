"""What an order is: its milestones, stages, statuses, allowed order of instants, and its columns.

Imports the standard library only. Every other part of the house reads these registries; to add a milestone
or a status, touch this file (and let the mapping, palette and language tests tell what is missing).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from typing import Final, Literal

ColumnType = Literal["text", "integer", "number", "money", "instant"]

FORWARD_MILESTONES: Final = (
    "created",
    "paid",
    "approved",
    "allocated",
    "accepted",
    "picked",
    "packed",
    "shipped",
    "out_for_delivery",
    "delivered",
)
"""The way of an order that goes well, in the order in which the instants must follow each other."""

SIDE_MILESTONES: Final = ("cancelled", "return_requested", "returned", "refunded")
"""What may end or reverse an order; a later one overrides an earlier one in the status."""

MILESTONES: Final = FORWARD_MILESTONES + SIDE_MILESTONES

STAGES: Final = FORWARD_MILESTONES[1:]
"""A stage is named after the milestone that closes it; it opens at the previous mapped milestone."""

STATUSES: Final = MILESTONES
"""The status is the name of the milestone that decides it (`status_of`)."""

CLOSING_MILESTONES: Final = ("delivered", "cancelled", "returned", "refunded")
"""An order is open from created until the first of these."""

GREY_ZONE: Final = ("created", "accepted")
"""From the customer's order to the warehouse's acceptance: where most delay hides unseen."""

MILESTONE_BIT: Final = {name: 1 << position for position, name in enumerate(MILESTONES)}
"""Each milestone's bit in `inferred_milestones`, `mapped_milestones` and `impossible_milestones`."""

FORWARD_MASK: Final = sum(MILESTONE_BIT[name] for name in FORWARD_MILESTONES)
"""The bits of the milestones that open and close stages."""

MUST_FOLLOW: Final = (
    *combinations(FORWARD_MILESTONES, 2),
    ("created", "cancelled"),
    ("created", "return_requested"),
    ("created", "returned"),
    ("created", "refunded"),
    ("return_requested", "returned"),
)
"""Pairs (earlier, later): a later milestone whose instant lies before the earlier's is impossible."""

EXCEPTION_CODES: Final = ("held", "address", "stock_out", "fraud", "failed_attempt", "damaged", "weather")

OPEN_UNTIL_FOREVER: Final = "9999-12-31 00:00:00+00"
"""`open_until_at` of an order that is still open: a real instant, so that file statistics can skip closed days."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """One canonical column that a contract may map: name, type, and what it means in one sentence."""

    name: str
    type: ColumnType
    meaning: str


def _instants(names: Iterable[str]) -> tuple[Column, ...]:
    return tuple(Column(name=f"{name}_at", type="instant", meaning=f"instant of the milestone {name}") for name in names)


ORDER_KEY: Final = ("channel", "order_id")

ORDER_COLUMNS: Final = (
    Column(name="channel", type="text", meaning="sales channel: tmall, jd, douyin, shopify, store, b2b …"),
    Column(name="order_id", type="text", meaning="the channel's own order number, leading zeros kept"),
    Column(name="business_type", type="text", meaning="b2c, b2b, o2o or dtc"),
    Column(name="source_order_ids", type="text", meaning="other numbers this order has in other systems, space separated"),
    Column(name="country_code", type="text", meaning="destination country, ISO 3166-1 alpha-2"),
    Column(name="region_code", type="text", meaning="destination region (大区); derived from the province where not given"),
    Column(name="province_code", type="text", meaning="destination province, ISO 3166-2; names in either language are resolved"),
    Column(name="city", type="text", meaning="destination city"),
    Column(name="latitude", type="number", meaning="destination latitude, degrees"),
    Column(name="longitude", type="number", meaning="destination longitude, degrees"),
    Column(name="warehouse_id", type="text", meaning="warehouse (or seller) the order ships from"),
    Column(name="warehouse_region_code", type="text", meaning="region the warehouse lies in"),
    Column(name="wave_id", type="text", meaning="pick wave inside the warehouse"),
    Column(name="carrier_id", type="text", meaning="carrier of the parcel"),
    Column(name="category", type="text", meaning="category of the order's main line"),
    Column(name="line_count", type="integer", meaning="order lines"),
    Column(name="quantity", type="number", meaning="ordered units"),
    Column(name="delivered_quantity", type="number", meaning="delivered units"),
    Column(name="amount", type="money", meaning="order amount in `currency`"),
    Column(name="currency", type="text", meaning="ISO 4217"),
    Column(name="freight_cost", type="money", meaning="freight in `currency`"),
    Column(name="customer_tier", type="text", meaning="customer tier, for example vip, standard"),
    Column(name="priority", type="text", meaning="priority, for example urgent, normal"),
    Column(name="exception_code", type="text", meaning="newest exception: " + ", ".join(EXCEPTION_CODES) + " …"),
    Column(name="failed_attempt_count", type="integer", meaning="delivery attempts that failed"),
    Column(name="exception_at", type="instant", meaning="first exception; the sighting's as-of where the source has no instant"),
    Column(name="promised_ship_at", type="instant", meaning="promised to be shipped by"),
    Column(name="promised_at", type="instant", meaning="promised to be delivered by"),
    *_instants(MILESTONES),
)

RETURN_KEY: Final = ("channel", "return_id")
RETURN_KINDS: Final = ("inspection", "refund", "exchange", "rejected")

RETURN_COLUMNS: Final = (
    Column(name="channel", type="text", meaning="sales channel of the order"),
    Column(name="return_id", type="text", meaning="number of the return"),
    Column(name="order_id", type="text", meaning="the order returned"),
    Column(name="kind", type="text", meaning="what is asked: " + ", ".join(RETURN_KINDS)),
    Column(name="requested_at", type="instant", meaning="asked for by the customer"),
    Column(name="received_at", type="instant", meaning="goods back in the warehouse"),
    Column(name="closed_at", type="instant", meaning="handled: refunded, exchanged or rejected"),
)

COMPLAINT_KEY: Final = ("channel", "complaint_id")
COMPLAINT_KINDS: Final = ("missing_item", "damaged", "attitude", "delay", "wrong_item")

COMPLAINT_COLUMNS: Final = (
    Column(name="channel", type="text", meaning="sales channel of the order"),
    Column(name="complaint_id", type="text", meaning="number of the complaint"),
    Column(name="order_id", type="text", meaning="the order complained about"),
    Column(name="kind", type="text", meaning="subject: " + ", ".join(COMPLAINT_KINDS)),
    Column(name="created_at", type="instant", meaning="raised by the customer"),
    Column(name="closed_at", type="instant", meaning="settled"),
)

EVENT_KEY: Final = ("channel", "order_id", "event_id")

EVENT_COLUMNS: Final = (
    Column(name="channel", type="text", meaning="sales channel of the order"),
    Column(name="order_id", type="text", meaning="the order"),
    Column(name="event_id", type="text", meaning="number of the event; derived from system, step and instant where not given"),
    Column(name="milestone", type="text", meaning="the milestone this event reaches; empty for a step that reaches none"),
    Column(name="occurred_at", type="instant", meaning="when it happened"),
    Column(name="system", type="text", meaning="system that reports it"),
    Column(name="step", type="text", meaning="the system's own word for the step"),
    Column(name="actor", type="text", meaning="who or what did it"),
    Column(name="place", type="text", meaning="where"),
    Column(name="latency_seconds", type="number", meaning="seconds from happening to being recorded"),
)


def status_of(reached: Iterable[str]) -> str | None:
    """The status of an order that has reached these milestones; None when it has reached none.

    A side milestone wins over the forward ones, the latest listed first; else the furthest forward one.
    """
    milestones = set(reached)
    unknown = milestones.difference(MILESTONES)
    if unknown:
        raise ValueError(f"unknown milestones {sorted(unknown)}: a milestone is one of {', '.join(MILESTONES)}")
    return next((name for name in reversed(MILESTONES) if name in milestones), None)


def impossible_pairs(instants: dict[str, datetime]) -> list[tuple[str, str]]:
    """Pairs (earlier, later) of `MUST_FOLLOW` whose instants contradict the order of the milestones."""
    return [
        (earlier, later)
        for earlier, later in MUST_FOLLOW
        if earlier in instants and later in instants and instants[later] < instants[earlier]
    ]


def opening_milestone(stage: str, mapped: Iterable[str]) -> str | None:
    """The milestone that opens `stage` for an order whose contracts map `mapped`; None if none comes before it."""
    known = set(mapped)
    before = FORWARD_MILESTONES[: FORWARD_MILESTONES.index(stage)]
    return next((name for name in reversed(before) if name in known), None)
