"""The rhythm of the demo country: orders per day, minute of the day, pick waves, delivery rounds, promises."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from data.demo.world import World

Floats = NDArray[np.float64]

HOUR: Final = 3600.0
DAY: Final = 24 * HOUR

WEEKDAY_FACTORS: Final = (1.00, 0.97, 0.96, 0.98, 1.03, 1.05, 1.01)
FESTIVALS: Final = {(6, 18): 2.4, (11, 11): 2.6, (12, 12): 1.9}
MEMBER_DAY: Final = 18
MEMBER_DAY_FACTOR: Final = 1.6

CONSUMER_HOURS: Final = "2.2 1.2 0.7 0.5 0.5 0.8 1.6 2.8 4.2 5.6 6.4 6.2 5.4 5.2 5.3 5.5 5.4 4.9 4.8 5.6 6.9 7.3 6.3 4.7"
OFFICE_HOURS: Final = "0.2 0.1 0.1 0.1 0.1 0.2 0.6 1.8 7.0 11 12 9.0 4.0 8.5 11.5 11 9.5 6.5 3.0 1.6 1.0 0.7 0.4 0.3"
"""Relative volume of each hour of the day, midnight first."""

CUT_OFF_HOUR: Final = 11.0
DELIVERY_ROUNDS: Final = (7.5, 12.5, 16.5)
DAYTIME: Final = (7.0, 22.0)


def festival_factor(day: date) -> float:
    """Volume against a plain day: the shopping festivals and the members' day on the 18th of each month, else 1."""
    return FESTIVALS.get((day.month, day.day), MEMBER_DAY_FACTOR if day.day == MEMBER_DAY else 1.0)


def load_factor(day: date) -> float:
    """How much slower the warehouses are than on a plain day: the wake of a festival fades over two days."""
    wake = enumerate((1.0, 0.6, 0.3))
    surplus = [(festival_factor(day - timedelta(days=ago)) - 1) * share for ago, share in wake]
    return 1.0 + 0.3 * max(surplus)


def orders_on(world: World, day: date) -> int:
    """How many orders are created on a business day (0 before the world starts)."""
    if day < world.start_day:
        return 0
    noise = np.random.default_rng([world.seed, day.toordinal(), 1]).normal(1.0, 0.015)
    return round(world.orders_per_day * WEEKDAY_FACTORS[day.weekday()] * festival_factor(day) * float(noise))


def draw_seconds_of_day(random: np.random.Generator, count: int, *, office: bool) -> Floats:
    """Seconds since midnight of `count` orders, unsorted."""
    seconds: Floats = np.interp(random.random(count), _cumulative(office), np.arange(25) * HOUR)
    return seconds


@cache
def _cumulative(office: bool) -> Floats:
    weights = np.array((OFFICE_HOURS if office else CONSUMER_HOURS).split(), dtype=np.float64)
    cumulative: Floats = np.concatenate([[0.0], np.cumsum(weights) / weights.sum()])
    return cumulative


def next_of_day(seconds: Floats, hours: tuple[float, ...]) -> Floats:
    """The next of the given hours of the day at or after each instant (local seconds)."""
    slots = np.array([*hours, hours[0] + 24]) * HOUR
    midnight = np.floor(seconds / DAY) * DAY
    found: Floats = midnight + slots[np.searchsorted(slots, seconds - midnight, side="left")]
    return found


def into_daytime(seconds: Floats, random: np.random.Generator) -> Floats:
    """Nobody delivers at night: what falls there moves to the next morning."""
    opens, closes = DAYTIME
    clock = np.mod(seconds, DAY) / HOUR
    morning = np.floor((seconds + (24 - closes) * HOUR) / DAY) * DAY + (opens + 3 * random.random(len(seconds))) * HOUR
    moved: Floats = np.where((clock < opens) | (clock >= closes), morning, seconds)
    return moved
