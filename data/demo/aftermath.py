"""What follows delivery: returns by category, channel and incident; complaints by channel, kind and delay."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from data.demo.country import CATEGORIES, CHANNELS, destinations
from data.demo.draw import Placed, pick
from data.demo.incidents import Incident
from data.demo.journey import Life
from data.demo.rhythm import HOUR
from data.order import COMPLAINT_KINDS, EXCEPTION_CODES, RETURN_KINDS

Floats = NDArray[np.float64]

RETURN_SHARES: Final = {"inspection": 0.30, "refund": 0.48, "exchange": 0.22}
HANDLING_HOURS: Final = {"inspection": 13.0, "refund": 18.5, "exchange": 23.0, "rejected": 16.0}
"""Median hours from the request to the closing, by kind."""

HANDLING_SIGMA: Final = 0.38
HANDLING_CAP_HOURS: Final = 120.0
RECEIPT_SHARE: Final = (0.3, 0.75)
"""The goods are back after this share of the handling time."""

WITHOUT_GOODS_SHARE: Final = 0.3
INCIDENT_RETURN_FACTOR: Final = 5.0

COMPLAINT_RATES: Final = {
    "missing_item": 0.0004,
    "damaged": 0.0005,
    "attitude": 0.0003,
    "delay": 0.0003,
    "wrong_item": 0.0004,
}
LATE_COMPLAINT_RATE: Final = 0.03


def add_returns(random: np.random.Generator, placed: Placed, life: Life, incidents: Sequence[Incident]) -> None:
    """Add request, receipt, closing, and the order's own return milestones; refused parcels come back by themselves."""
    at, count = life.at, len(placed)
    returned = random.random(count) < _return_rates(placed, at["delivered"], incidents)
    after = np.minimum(40 * np.exp(0.8 * random.standard_normal(count)), 168) * HOUR
    refused = ~np.isnan(at["refused"])
    requested = np.where(refused, at["refused"], np.where(returned, at["delivered"] + after, np.nan))
    kind = np.where(refused, RETURN_KINDS.index("rejected"), _return_kinds(random, count))
    life.return_kind[:] = np.where(np.isnan(requested), -1, kind)
    medians = np.array([HANDLING_HOURS[name] for name in RETURN_KINDS])[kind]
    handling = np.minimum(medians * np.exp(HANDLING_SIGMA * random.standard_normal(count)), HANDLING_CAP_HOURS) * HOUR
    without = (kind == RETURN_KINDS.index("refund")) & (random.random(count) < WITHOUT_GOODS_SHARE)
    received = np.where(without, np.nan, requested + handling * random.uniform(*RECEIPT_SHARE, count))
    closed = requested + handling
    at |= {"return_requested": requested, "return_received": received, "return_closed": closed, "returned": received}
    at["refunded"] = np.where(kind == RETURN_KINDS.index("exchange"), np.nan, closed)


def add_complaints(random: np.random.Generator, placed: Placed, life: Life) -> None:
    """Add at most one complaint per order: late and damaged orders complain much more."""
    at, count = life.at, len(placed)
    late = np.isnan(at["cancelled"]) & ~(at["delivered"] <= at["promised"])
    factor = np.array([channel.complaint_factor for channel in CHANNELS])[placed.channel_index]
    rates = np.tile([COMPLAINT_RATES[kind] for kind in COMPLAINT_KINDS], (count, 1)) * factor[:, None]
    rates[:, COMPLAINT_KINDS.index("delay")] += late * LATE_COMPLAINT_RATE * factor
    rates[:, COMPLAINT_KINDS.index("damaged")] += (life.exception == EXCEPTION_CODES.index("damaged")) * 0.2
    drawn = (np.cumsum(rates, axis=1) < random.random(count)[:, None]).sum(axis=1)
    kind = np.where(drawn < len(COMPLAINT_KINDS), drawn, -1)
    soon = 6 * np.exp(0.7 * random.standard_normal(count)) * HOUR
    because_late = (kind == COMPLAINT_KINDS.index("delay")) & late
    raised = np.where(because_late, at["promised"], at["delivered"]) + soon
    kind = np.where(np.isnan(raised) | ~np.isnan(at["cancelled"]), -1, kind)
    life.complaint_kind[:] = kind
    at["complaint_created"] = np.where(kind >= 0, raised, np.nan)
    settling = np.minimum(16 * np.exp(0.6 * random.standard_normal(count)), 120) * HOUR
    at["complaint_closed"] = at["complaint_created"] + settling


def _return_kinds(random: np.random.Generator, count: int) -> NDArray[np.int64]:
    positions = np.array([RETURN_KINDS.index(name) for name in RETURN_SHARES])
    kinds: NDArray[np.int64] = positions[pick(random, count, list(RETURN_SHARES.values()))]
    return kinds


def _return_rates(placed: Placed, delivered: Floats, incidents: Sequence[Incident]) -> Floats:
    rates: Floats = np.array([category.return_rate for category in CATEGORIES])[placed.category_index]
    rates = rates * np.array([channel.return_factor for channel in CHANNELS])[placed.channel_index]
    cities = np.array([city.name_zh for city in destinations()])
    categories = np.array([category.code for category in CATEGORIES])
    for incident in incidents:
        if incident.kind == "city_returns":
            here = (cities == incident.place)[placed.destination_index] & (categories == incident.category)[placed.category_index]
            here &= (delivered >= incident.starts_at.timestamp()) & (delivered < incident.ends_at.timestamp())
            rates = np.where(here, np.minimum(rates * INCIDENT_RETURN_FACTOR, 0.6), rates)
    return rates
