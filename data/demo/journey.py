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
from data.demo.rhythm import CUT_OFF_HOUR, DAY, DELIVERY_ROUNDS, HOUR, into_daytime, load_factor, next_of_day
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

TRANSIT_SIGMA: Final = 0.36
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

MISROUTED_SHARE: Final = 0.02
MISROUTED_FACTOR: Final = 4.0
FAILED_SHARE: Final = 0.008
TWICE_SHARE: Final = 0.2
REJECTED_SHARE: Final = 0.003
DECAY_PACE: Final = 2.3
DECAY_FAILED_FACTOR: Final = 4.0
UNPAID_SHARE: Final = 0.015
CANCEL_SHARE: Final = 0.025
WEATHER_SHARE: Final = 0.15
CLOCK_FAULT_SHARE: Final = 0.0004
SHORT_SHARE: Final = 0.012
DRAIN_SECONDS: Final = 10 * HOUR
PROMISE_HOURS: Final = 26.0
PROMISE_HOUR: Final = 22.0
NOTED_AFTER: Final = {"held": "paid", "fraud": "paid", "address": "approved", "stock_out": "wave", "damaged": "picked"}


@dataclass(frozen=True, kw_only=True)
class Trip:
    """A day's orders on their way: what is settled, what has been found out so far (`at`, `exception` are filled in).

    `offset` is the business zone's distance from UTC in seconds on that day.
    """

    random: np.random.Generator
    placed: Placed
    incidents: Sequence[Incident]
    offset: float
    at: dict[str, Floats]
    exception: Index

    def wait(self, stage: str, factor: Floats) -> Floats:
        """Seconds in a stage: the normal time times `factor`, and what exceptions add."""
        added = np.zeros(len(self.exception))
        for code, (place, _, dwell) in EXTRA.items():
            if place == stage:
                hit = self.exception == EXCEPTION_CODES.index(code)
                added[hit] = dwell.draw(self.random, np.ones(int(hit.sum())))
        total: Floats = DWELLS[stage].draw(self.random, factor) + added
        return total

    def next_hour(self, instants: Floats, hours: tuple[float, ...]) -> Floats:
        """The next of the business zone's hours at or after each instant."""
        return next_of_day(instants + self.offset, hours) - self.offset

    def chance(self) -> Floats:
        """One uniform number per order."""
        return self.random.random(len(self.exception))

    def of_kind(self, kind: str) -> list[Incident]:
        """The incidents of one kind."""
        return [incident for incident in self.incidents if incident.kind == kind]


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
    offset = (world.midnight(day).astimezone(world.zone).utcoffset() or timedelta()).total_seconds()
    trip = Trip(
        random=random,
        placed=placed,
        incidents=incidents,
        offset=offset,
        at={"created": placed.created},
        exception=_draw_exceptions(random, len(placed)),
    )
    pace = np.where(placed.is_urgent, 0.7, 1.0)
    _through_office(trip, pace)
    _through_warehouse(trip, pace * load_factor(day))
    _through_storms(trip)
    _to_the_station(trip)
    _to_the_door(trip)
    _note_exceptions(trip)
    _promise(trip)
    _cancel(trip)
    _misread_clocks(trip)
    nothing = np.full(len(placed), -1, dtype=np.int64)
    return Life(
        at=trip.at,
        exception=trip.exception,
        return_kind=nothing.copy(),
        complaint_kind=nothing.copy(),
        wave_hour=(np.mod(trip.at["wave"] + offset, DAY) // HOUR).astype(np.int64),
        is_short=random.random(len(placed)) < SHORT_SHARE,
    )


def _draw_exceptions(random: np.random.Generator, count: int) -> Index:
    """Position of each order's exception in EXCEPTION_CODES; -1 for most."""
    shares = [share for _, share, _ in EXTRA.values()]
    drawn = pick(random, count, [*shares, 1 - sum(shares)])
    positions = np.array([*(EXCEPTION_CODES.index(code) for code in EXTRA), -1])
    found: Index = positions[drawn]
    return found


def _through_office(trip: Trip, pace: Floats) -> None:
    """Payment, approval, allocation; a finance review holds big orders that reach approval while it lasts."""
    at, placed = trip.at, trip.placed
    at["paid"] = at["created"] + trip.wait("paid", pace * np.where(placed.is_b2b, 2.0, 1.0))
    approval = trip.wait("approved", pace * np.where(placed.is_b2b, 1.5, 1.0))
    review = REVIEW.draw(trip.random, pace)
    for incident in trip.of_kind("finance_review"):
        held = (placed.amount > BIG_AMOUNT) & _during(at["paid"], incident)
        approval = np.where(held, np.maximum(approval, review), approval)
    at["approved"] = at["paid"] + approval
    at["allocated"] = at["approved"] + trip.wait("allocated", pace)


def _through_warehouse(trip: Trip, pace: Floats) -> None:
    """Acceptance, the next pick wave of the warehouse, picking, packing, shipping."""
    at = trip.at
    at["accepted"] = at["allocated"] + trip.wait("accepted", pace)
    wave = at["accepted"].copy()
    for waves in {warehouse.waves for warehouse in WAREHOUSES}:
        here = np.array([warehouse.waves == waves for warehouse in WAREHOUSES])[trip.placed.warehouse_index]
        wave[here] = trip.next_hour(wave[here], waves)
    at["wave"] = wave
    at["picked"] = wave + trip.wait("picked", pace)
    at["packed"] = at["picked"] + trip.wait("packed", pace)
    at["shipped"] = at["packed"] + trip.wait("shipped", pace)


def _through_storms(trip: Trip) -> None:
    """A closed warehouse does nothing: what falls into the closure queues up and drains after it, in order."""
    at, exception = trip.at, trip.exception
    at["weather"] = np.full(len(exception), np.nan)
    codes = [warehouse.code for warehouse in WAREHOUSES]
    for incident in trip.of_kind("storm"):
        here = trip.placed.warehouse_index == codes.index(incident.place)
        waiting = here & _during(at["accepted"], incident) & (exception < 0) & (trip.chance() < WEATHER_SHARE)
        exception[waiting] = EXCEPTION_CODES.index("weather")
        at["weather"] = np.where(waiting, at["accepted"] + 0.5 * HOUR, at["weather"])
        for name in ("accepted", "picked", "packed", "shipped"):
            at[name] = np.where(here, _queue(at[name], incident), at[name])


def _queue(instants: Floats, incident: Incident) -> Floats:
    """Instants moved behind a closure: [start, end + drain) is squeezed into [end, end + drain), order kept."""
    start, end = incident.starts_at.timestamp(), incident.ends_at.timestamp()
    squeezed = end + (instants - start) * (DRAIN_SECONDS / (end - start + DRAIN_SECONDS))
    moved: Floats = np.where((instants >= start) & (instants < end + DRAIN_SECONDS), squeezed, instants)
    return moved


def _to_the_station(trip: Trip) -> None:
    """Transit by lane and carrier, then the next delivery round; a few parcels take the wrong way."""
    at, random, count = trip.at, trip.random, len(trip.placed)
    hours = trip.placed.transit_hours * np.exp(TRANSIT_SIGMA * random.standard_normal(count))
    hours *= np.where(_decayed(trip), DECAY_PACE, 1.0) * np.where(trip.placed.is_urgent, 0.85, 1.0)
    hours *= np.where(trip.chance() < MISROUTED_SHARE, MISROUTED_FACTOR, 1.0)
    arrived = at["shipped"] + np.minimum(hours, TRANSIT_CAP_HOURS) * HOUR
    at["out_for_delivery"] = trip.next_hour(arrived, DELIVERY_ROUNDS) + trip.chance() * 0.7 * HOUR


def _to_the_door(trip: Trip) -> None:
    """Delivery in daytime; failed attempts are tried again the next day, some parcels are refused at the door."""
    at, exception = trip.at, trip.exception
    rung = at["out_for_delivery"] + trip.wait("delivered", np.ones(len(exception)))
    rung = into_daytime(rung + trip.offset, trip.random) - trip.offset
    chance = trip.chance() / np.where(_decayed(trip), DECAY_FAILED_FACTOR, 1.0)
    fails = (chance < FAILED_SHARE) & (exception < 0)
    twice = fails & (trip.chance() < TWICE_SHARE)
    exception[fails] = EXCEPTION_CODES.index("failed_attempt")
    at["attempt_1"] = np.where(fails, rung, np.nan)
    at["attempt_2"] = np.where(twice, rung + DAY, np.nan)
    refused = fails & (chance < REJECTED_SHARE)
    at["delivered"] = np.where(refused, np.nan, rung + (fails * 1.0 + twice) * (DAY + 0.5 * HOUR))
    at["refused"] = np.where(refused, np.fmax(at["attempt_1"], at["attempt_2"]), np.nan)


def _decayed(trip: Trip) -> Flags:
    """Which parcels were handed to a carrier while it decays."""
    codes = [carrier.code for carrier in CARRIERS]
    decayed = np.zeros(len(trip.placed), dtype=bool)
    for incident in trip.of_kind("carrier_decay"):
        decayed |= (trip.placed.carrier_index == codes.index(incident.place)) & _during(trip.at["shipped"], incident)
    return decayed


def _note_exceptions(trip: Trip) -> None:
    """When each exception was first noted: soon after its stage opened."""
    at, exception = trip.at, trip.exception
    soon = trip.chance() * 0.3 * HOUR + 300
    noted = {code: at[milestone] + soon for code, milestone in NOTED_AFTER.items()}
    noted |= {"failed_attempt": at["attempt_1"], "weather": at["weather"]}
    at["exception"] = np.full(len(exception), np.nan)
    for code, instants in noted.items():
        at["exception"] = np.where(exception == EXCEPTION_CODES.index(code), instants, at["exception"])


def _promise(trip: Trip) -> None:
    """Shipping by the end of the cut-off's day, delivery by 22:00 after a lane-dependent time."""
    created = trip.at["created"] + trip.offset
    midnight = np.floor(created / DAY) * DAY
    missed = created - midnight >= CUT_OFF_HOUR * HOUR
    trip.at["promised_ship"] = midnight + np.where(missed, 2, 1) * DAY - 1 - trip.offset
    hours = PROMISE_HOURS + np.where(trip.placed.is_urgent, 1.35, 1.55) * trip.placed.transit_hours
    trip.at["promised"] = trip.next_hour(trip.at["created"] + hours * HOUR, (PROMISE_HOUR,))


def _cancel(trip: Trip) -> None:
    """Some never pay, some change their mind before the parcel leaves; nothing happens to an order after that."""
    at, exception = trip.at, trip.exception
    never = trip.chance() < UNPAID_SHARE
    gives_up = at["created"] + (0.5 + 20 * trip.chance()) * HOUR
    regrets = at["paid"] + 5 * HOUR * np.exp(trip.random.standard_normal(len(exception)))
    regretted = (trip.chance() < CANCEL_SHARE) & (regrets < at["shipped"])
    at["cancelled"] = np.where(never, gives_up, np.where(regretted, regrets, np.nan))
    for name in (*FORWARD_MILESTONES[1:], "attempt_1", "attempt_2", "refused", "exception"):
        at[name] = np.where((at[name] >= at["cancelled"]) | never, np.nan, at[name])
    exception[np.isnan(at["exception"])] = -1


def _misread_clocks(trip: Trip) -> None:
    """A few scanners upload hours late: shipped is noted after delivered, an impossible pair."""
    at = trip.at
    faulty = (trip.chance() < CLOCK_FAULT_SHARE) & ~np.isnan(at["delivered"])
    at["shipped"] = np.where(faulty, at["delivered"] + 2 * HOUR, at["shipped"])


def _during(instants: Floats, incident: Incident) -> Flags:
    during: Flags = (instants >= incident.starts_at.timestamp()) & (instants < incident.ends_at.timestamp())
    return during
