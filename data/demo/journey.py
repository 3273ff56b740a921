"""The life of a day's orders from payment to the door, with what incidents and exceptions do to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from data.demo.country import CARRIERS, WAREHOUSES
from data.demo.draw import Placed, pick
from data.demo.incidents import BIG_AMOUNT, Incident
from data.demo.rhythm import DAY, DELIVERY_ROUNDS, HOUR, into_daytime, load_factor, next_of_day
from data.demo.world import World
from data.order import EXCEPTION_CODES, FORWARD_MILESTONES

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Index = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Dwell:
    """A lognormal time in a stage: median and cap in hours, sigma of the logarithm."""

    median: float
    sigma: float
    cap: float

    def draw(self, random: np.random.Generator, factor: Floats) -> Floats:
        """Seconds, one per factor; the cap holds after the factor."""
        hours = self.median * factor * np.exp(self.sigma * random.standard_normal(len(factor)))
        seconds: Floats = np.minimum(hours, self.cap) * HOUR
        return seconds


DWELLS: Final = {
    "paid": Dwell(median=0.08, sigma=1.8, cap=20),
    "approved": Dwell(median=0.55, sigma=1.1, cap=30),
    "allocated": Dwell(median=0.15, sigma=1.45, cap=24),
    "accepted": Dwell(median=0.95, sigma=1.02, cap=30),
    "picked": Dwell(median=1.25, sigma=0.95, cap=30),
    "packed": Dwell(median=0.7, sigma=1.0, cap=24),
    "shipped": Dwell(median=2.8, sigma=0.85, cap=36),
    "delivered": Dwell(median=2.8, sigma=0.55, cap=14),
}
"""Normal times; `picked` counts from the start of the pick wave, transit has its own rule by lane."""

TRANSIT_SIGMA: Final = 0.3
TRANSIT_CAP_HOURS: Final = 190.0
REVIEW: Final = Dwell(median=7.2, sigma=0.6, cap=40)
EXTRA: Final = {
    "held": ("approved", 0.0025, Dwell(median=12, sigma=0.6, cap=48)),
    "fraud": ("approved", 0.0012, Dwell(median=20, sigma=0.5, cap=60)),
    "address": ("allocated", 0.0025, Dwell(median=10, sigma=0.6, cap=48)),
    "stock_out": ("picked", 0.003, Dwell(median=18, sigma=0.6, cap=72)),
    "damaged": ("packed", 0.001, Dwell(median=10, sigma=0.5, cap=36)),
}
"""Exception code → stage it lengthens, share of orders, by how much."""

MISROUTED_SHARE: Final = 0.015
MISROUTED_FACTOR: Final = 4.0
FAILED_SHARE: Final = 0.008
REJECTED_SHARE: Final = 0.003
DECAY_PACE: Final = 1.9
DECAY_FAILED_FACTOR: Final = 4.0
UNPAID_SHARE: Final = 0.015
CANCEL_SHARE: Final = 0.025
WEATHER_SHARE: Final = 0.15
CLOCK_FAULT_SHARE: Final = 0.0004
SHORT_SHARE: Final = 0.012
DRAIN_SECONDS: Final = 10 * HOUR
CUT_OFF_HOUR: Final = 11.0
SHIP_PROMISE_HOURS: Final = 24.0


@dataclass(frozen=True, kw_only=True)
class Life:
    """Instants by name without `_at` (seconds since 1970, NaN = never); positions of words in their registries (-1 = none)."""

    at: dict[str, Floats]
    exception: Index
    return_kind: Index
    complaint_kind: Index
    wave_hour: Index
    is_short: Flags


def walk(random: np.random.Generator, placed: Placed, world: World, day: date, incidents: Sequence[Incident]) -> Life:
    """Every forward milestone, promise, exception, failed attempt and cancellation of the day's orders."""
    start = world.midnight(day)
    offset = (start.astimezone(world.zone).utcoffset() or timedelta()).total_seconds()
    exception = _draw_exceptions(random, len(placed))
    at = {"created": placed.created}
    pace = np.where(placed.is_urgent, 0.7, 1.0)
    _through_office(random, placed, at, pace, exception, incidents)
    _through_warehouse(random, placed, at, pace * load_factor(day), exception, offset)
    _through_storms(random, placed, at, exception, incidents)
    _to_the_door(random, placed, at, exception, offset, incidents)
    _note_exceptions(random, at, exception)
    _promise(placed, at, offset)
    _cancel(random, at, exception)
    _misread_clocks(random, at)
    nothing = np.full(len(placed), -1, dtype=np.int64)
    return Life(
        at=at,
        exception=exception,
        return_kind=nothing.copy(),
        complaint_kind=nothing.copy(),
        wave_hour=(np.mod(at["wave"] + offset, DAY) // HOUR).astype(np.int64),
        is_short=random.random(len(placed)) < SHORT_SHARE,
    )


def _draw_exceptions(random: np.random.Generator, count: int) -> Index:
    """Position of each order's exception in EXCEPTION_CODES; -1 for most."""
    shares = [share for _, share, _ in EXTRA.values()]
    drawn = pick(random, count, [*shares, 1 - sum(shares)])
    positions = np.array([*(EXCEPTION_CODES.index(code) for code in EXTRA), -1])
    found: Index = positions[drawn]
    return found


def _extra(random: np.random.Generator, stage: str, exception: Index) -> Floats:
    """Seconds that exceptions add to a stage."""
    added = np.zeros(len(exception))
    for code, (place, _, dwell) in EXTRA.items():
        if place == stage:
            hit = exception == EXCEPTION_CODES.index(code)
            added[hit] += dwell.draw(random, np.ones(int(hit.sum())))
    return added


def _through_office(
    random: np.random.Generator, placed: Placed, at: dict[str, Floats], pace: Floats, exception: Index, incidents: Sequence[Incident]
) -> None:
    """Payment, approval, allocation; a finance review holds big orders that reach approval while it lasts."""
    at["paid"] = at["created"] + DWELLS["paid"].draw(random, pace * np.where(placed.is_b2b, 2.0, 1.0))
    approval = DWELLS["approved"].draw(random, pace * np.where(placed.is_b2b, 1.5, 1.0))
    review = REVIEW.draw(random, pace)
    for incident in incidents:
        if incident.kind == "finance_review":
            held = (placed.amount > BIG_AMOUNT) & _during(at["paid"], incident)
            approval = np.where(held, np.maximum(approval, review), approval)
    at["approved"] = at["paid"] + approval + _extra(random, "approved", exception)
    at["allocated"] = at["approved"] + DWELLS["allocated"].draw(random, pace) + _extra(random, "allocated", exception)


def _through_warehouse(
    random: np.random.Generator, placed: Placed, at: dict[str, Floats], pace: Floats, exception: Index, offset: float
) -> None:
    """Acceptance, the next pick wave of the warehouse, picking, packing, shipping."""
    at["accepted"] = at["allocated"] + DWELLS["accepted"].draw(random, pace)
    wave = at["accepted"].copy()
    for waves in {warehouse.waves for warehouse in WAREHOUSES}:
        here = np.array([warehouse.waves == waves for warehouse in WAREHOUSES])[placed.warehouse_index]
        wave[here] = next_of_day(wave[here] + offset, tuple(float(hour) for hour in waves)) - offset
    at["wave"] = wave
    at["picked"] = wave + DWELLS["picked"].draw(random, pace) + _extra(random, "picked", exception)
    at["packed"] = at["picked"] + DWELLS["packed"].draw(random, pace) + _extra(random, "packed", exception)
    at["shipped"] = at["packed"] + DWELLS["shipped"].draw(random, pace)


def _through_storms(
    random: np.random.Generator, placed: Placed, at: dict[str, Floats], exception: Index, incidents: Sequence[Incident]
) -> None:
    """A closed warehouse does nothing: what falls into the closure queues up and drains after it, in order."""
    codes = [warehouse.code for warehouse in WAREHOUSES]
    for incident in incidents:
        if incident.kind != "storm":
            continue
        here = placed.warehouse_index == codes.index(incident.place)
        waiting = here & _during(at["accepted"], incident) & (exception < 0) & (random.random(len(here)) < WEATHER_SHARE)
        exception[waiting] = EXCEPTION_CODES.index("weather")
        at["weather"] = np.where(waiting, at["accepted"] + 0.5 * HOUR, at.get("weather", np.full(len(here), np.nan)))
        for name in ("accepted", "picked", "packed", "shipped"):
            at[name] = np.where(here, _queue(at[name], incident), at[name])


def _queue(instants: Floats, incident: Incident) -> Floats:
    """Instants moved behind a closure: [start, end + drain) is squeezed into [end, end + drain), order kept."""
    start, end = incident.starts_at.timestamp(), incident.ends_at.timestamp()
    squeezed = end + (instants - start) * (DRAIN_SECONDS / (end - start + DRAIN_SECONDS))
    moved: Floats = np.where((instants >= start) & (instants < end + DRAIN_SECONDS), squeezed, instants)
    return moved


def _to_the_door(
    random: np.random.Generator, placed: Placed, at: dict[str, Floats], exception: Index, offset: float, incidents: Sequence[Incident]
) -> None:
    """Transit by lane and carrier, the next delivery round, the door; failed attempts come back the next day."""
    count = len(placed)
    decayed = _decayed(placed, at["shipped"], incidents)
    hours = placed.transit_hours * np.exp(TRANSIT_SIGMA * random.standard_normal(count)) * np.where(decayed, DECAY_PACE, 1.0)
    hours *= np.where(placed.is_urgent, 0.85, 1.0) * np.where(random.random(count) < MISROUTED_SHARE, MISROUTED_FACTOR, 1.0)
    arrived = at["shipped"] + np.minimum(hours, TRANSIT_CAP_HOURS) * HOUR
    at["out_for_delivery"] = next_of_day(arrived + offset, DELIVERY_ROUNDS) - offset + random.random(count) * 0.7 * HOUR
    at["delivered"] = into_daytime(at["out_for_delivery"] + DWELLS["delivered"].draw(random, np.ones(count)) + offset, random) - offset
    chance = random.random(count) / np.where(decayed, DECAY_FAILED_FACTOR, 1.0)
    fails = (chance < FAILED_SHARE) & (exception < 0)
    twice = fails & (random.random(count) < 0.2)
    exception[fails] = EXCEPTION_CODES.index("failed_attempt")
    at["attempt_1"] = np.where(fails, at["delivered"], np.nan)
    at["attempt_2"] = np.where(twice, at["delivered"] + DAY, np.nan)
    refused = fails & (chance < REJECTED_SHARE)
    at["delivered"] = np.where(refused, np.nan, at["delivered"] + (fails * 1.0 + twice) * (DAY + 1800))
    at["refused"] = np.where(refused, np.fmax(at["attempt_1"], at["attempt_2"]), np.nan)


def _decayed(placed: Placed, shipped: Floats, incidents: Sequence[Incident]) -> Flags:
    codes = [carrier.code for carrier in CARRIERS]
    decayed = np.zeros(len(placed), dtype=bool)
    for incident in incidents:
        if incident.kind == "carrier_decay":
            decayed |= (placed.carrier_index == codes.index(incident.place)) & _during(shipped, incident)
    return decayed


def _note_exceptions(random: np.random.Generator, at: dict[str, Floats], exception: Index) -> None:
    """When each exception was first noted: soon after its stage opened."""
    opened = {"held": "paid", "fraud": "paid", "address": "approved", "stock_out": "wave", "damaged": "picked"}
    soon = random.random(len(exception)) * 0.3 * HOUR + 300
    noted = np.where(exception == EXCEPTION_CODES.index("failed_attempt"), at["attempt_1"], np.nan)
    for code, milestone in opened.items():
        noted = np.where(exception == EXCEPTION_CODES.index(code), at[milestone] + soon, noted)
    if "weather" in at:
        noted = np.where(exception == EXCEPTION_CODES.index("weather"), at["weather"], noted)
    at["exception"] = noted


def _promise(placed: Placed, at: dict[str, Floats], offset: float) -> None:
    """Shipping by the end of the cut-off's day, delivery by 22:00 after a lane-dependent time."""
    local = at["created"] + offset
    midnight = np.floor(local / DAY) * DAY
    late = (local - midnight) >= CUT_OFF_HOUR * HOUR
    at["promised_ship"] = midnight + np.where(late, 2, 1) * DAY - 1 - offset
    hours = SHIP_PROMISE_HOURS + np.where(placed.is_urgent, 1.3, 1.45) * placed.transit_hours
    at["promised"] = next_of_day(local + hours * HOUR, (22.0,)) - offset


def _cancel(random: np.random.Generator, at: dict[str, Floats], exception: Index) -> None:
    """Some never pay, some change their mind before the parcel leaves; nothing happens to an order after that."""
    count = len(exception)
    never = random.random(count) < UNPAID_SHARE
    gives_up = at["created"] + (0.5 + 20 * random.random(count)) * HOUR
    regrets = at["paid"] + 5 * HOUR * np.exp(random.standard_normal(count))
    regretted = (random.random(count) < CANCEL_SHARE) & (regrets < at["shipped"])
    at["cancelled"] = np.where(never, gives_up, np.where(regretted, regrets, np.nan))
    for name in (*FORWARD_MILESTONES[1:], "attempt_1", "attempt_2", "refused", "exception"):
        at[name] = np.where((at[name] >= at["cancelled"]) | never, np.nan, at[name])
    exception[np.isnan(at["exception"])] = -1


def _misread_clocks(random: np.random.Generator, at: dict[str, Floats]) -> None:
    """A few scanners upload hours late: shipped is noted after delivered, an impossible pair."""
    faulty = (random.random(len(at["created"])) < CLOCK_FAULT_SHARE) & ~np.isnan(at["delivered"])
    at["shipped"] = np.where(faulty, at["delivered"] + 2 * HOUR, at["shipped"])


def _during(instants: Floats, incident: Incident) -> Flags:
    during: Flags = (instants >= incident.starts_at.timestamp()) & (instants < incident.ends_at.timestamp())
    return during
