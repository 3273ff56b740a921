"""Who orders what, from where to where, on one day: everything about an order that is settled when it is placed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from data.demo.country import (
    CARRIERS,
    CATEGORIES,
    CHANNELS,
    CUSTOMER_TIERS,
    PRIORITIES,
    SLOW_PROVINCES,
    destination_shares,
    destinations,
    lane_kilometres,
    sourcing,
)
from data.demo.rhythm import draw_seconds_of_day, orders_on
from data.demo.world import World

Floats = NDArray[np.float64]
Index = NDArray[np.int64]

BUSINESS_TYPES = ("b2c", "b2b", "o2o", "dtc")


@dataclass(frozen=True, kw_only=True)
class Placed:
    """Arrays of equal length, sorted by `created` (seconds since 1970, UTC); `*_index` point into the registries."""

    created: Floats
    channel_index: Index
    business_index: Index
    destination_index: Index
    warehouse_index: Index
    carrier_index: Index
    category_index: Index
    tier_index: Index
    priority_index: Index
    line_count: Index
    quantity: Index
    amount: Floats
    freight: Floats
    transit_hours: Floats
    latitude: Floats
    longitude: Floats

    def __len__(self) -> int:
        """How many orders were placed."""
        return len(self.created)

    @property
    def is_urgent(self) -> NDArray[np.bool_]:
        """Which orders are urgent."""
        urgent: NDArray[np.bool_] = self.priority_index == 1
        return urgent

    @property
    def is_b2b(self) -> NDArray[np.bool_]:
        """Which orders come from companies."""
        companies: NDArray[np.bool_] = self.business_index == BUSINESS_TYPES.index("b2b")
        return companies


def draw_placed(random: np.random.Generator, world: World, day: date) -> Placed:
    """The orders placed on a business day; the same world and day always give the same orders."""
    count = orders_on(world, day)
    created, channel, business = _placing(random, world, day, count)
    destination = pick(random, count, destination_shares())
    warehouse = (sourcing()[destination] < random.random(count)[:, None]).sum(axis=1).clip(max=sourcing().shape[1] - 1)
    carrier = pick(random, count, [carrier.share for carrier in CARRIERS])
    category = pick(random, count, [category.share for category in CATEGORIES])
    lines, quantity, amount = _basket(random, category, business == 1)
    kilometres = lane_kilometres()[destination, warehouse]
    seats = np.array([[city.latitude, city.longitude] for city in destinations()])[destination]
    doors = np.round(seats + random.normal(0, 0.07, seats.shape), 4)
    return Placed(
        created=created,
        channel_index=channel,
        business_index=business,
        destination_index=destination,
        warehouse_index=warehouse,
        carrier_index=carrier,
        category_index=category,
        tier_index=pick(random, count, [share for _, share in CUSTOMER_TIERS]),
        priority_index=pick(random, count, [share for _, share in PRIORITIES]),
        line_count=lines,
        quantity=quantity,
        amount=amount,
        freight=_freight(random, carrier, kilometres, quantity),
        transit_hours=_expected_transit_hours(destination, carrier, kilometres),
        latitude=doors[:, 0],
        longitude=doors[:, 1],
    )


def pick(random: np.random.Generator, count: int, shares: Sequence[float] | Floats) -> Index:
    """`count` random positions, each with its share (shares need not sum to 1)."""
    cumulative = np.cumsum(shares)
    found: Index = np.searchsorted(cumulative, random.random(count) * cumulative[-1], side="right").astype(np.int64)
    return found


def _business_types(random: np.random.Generator, channel: Index) -> Index:
    """Business type of each order, from its channel's shares."""
    business = np.zeros(len(channel), dtype=np.int64)
    for position, registered in enumerate(CHANNELS):
        mine = channel == position
        names = [BUSINESS_TYPES.index(name) for name, _ in registered.business_types]
        drawn = pick(random, int(mine.sum()), [share for _, share in registered.business_types])
        business[mine] = np.array(names)[drawn]
    return business


def _placing(random: np.random.Generator, world: World, day: date, count: int) -> tuple[Floats, Index, Index]:
    """Sorted instants with their channels and business types; companies order in office hours."""
    channel = pick(random, count, [each.share for each in CHANNELS])
    business = _business_types(random, channel)
    seconds = draw_seconds_of_day(random, count, office=False)
    office = business == 1
    seconds[office] = draw_seconds_of_day(random, int(office.sum()), office=True)
    order = np.argsort(seconds, kind="stable")
    created: Floats = np.floor(seconds[order]) + world.midnight(day).timestamp()
    return created, channel[order], business[order]


def _basket(random: np.random.Generator, category: Index, wholesale: NDArray[np.bool_]) -> tuple[Index, Index, Floats]:
    """Lines, units and amount (CNY, two decimals): companies buy many of each."""
    count = len(category)
    lines = random.geometric(0.62, count).clip(max=12)
    per_line = np.where(wholesale, random.geometric(0.05, count).clip(max=90), random.geometric(0.8, count).clip(max=6))
    quantity = lines * per_line
    median = np.array([each.amount for each in CATEGORIES])[category]
    spread = np.array([each.spread for each in CATEGORIES])[category]
    rebate = np.where(wholesale, 0.9, 1.0)
    amount = np.round(median * np.exp(spread * random.standard_normal(count)) * quantity**0.9 * rebate, 2).clip(1.0, 400_000.0)
    return lines.astype(np.int64), quantity.astype(np.int64), amount


def _freight(random: np.random.Generator, carrier: Index, kilometres: Floats, quantity: Index) -> Floats:
    """Freight in CNY: a base, distance and weight, times the carrier's price."""
    price = np.array([each.price for each in CARRIERS])[carrier]
    base = 2.6 + 0.0016 * kilometres + 0.35 * np.minimum(quantity, 60)
    freight: Floats = np.round(base * price * np.exp(0.12 * random.standard_normal(len(carrier))), 2)
    return freight


def _expected_transit_hours(destination: Index, carrier: Index, kilometres: Floats) -> Floats:
    """Hours from shipping to the delivery station as planned for the lane and carrier."""
    slowness = np.array([SLOW_PROVINCES.get(city.province_code, 1.0) for city in destinations()])[destination]
    pace = np.array([each.pace for each in CARRIERS])[carrier]
    hours: Floats = (9.5 + kilometres / 42) * slowness * pace
    return hours
