"""One order's whole life at one moment: what it is, what happened to it, what was known when, and orders like it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Final

import polars as pl

from data.order import FORWARD_MILESTONES, MILESTONE_BIT, MILESTONES
from queries.build import Statement
from queries.clock import HOUR_MS
from queries.listing import Moment
from queries.query import Filter, Window
from queries.twin import (
    Comparable,
    OrderKey,
    build_comparable,
    build_complaints,
    build_events,
    build_order,
    build_returns,
)

Row = dict[str, Any]
Ask = Callable[[Sequence[Statement]], list[pl.DataFrame]]
"""Answers several statements, side by side where it can."""

COMPARED: Final = (timedelta(days=2), timedelta(days=14), timedelta(days=60))
"""Over so long orders are compared: the first in which enough passed any stage, so that a small house has a usual too."""

ATTACHED: Final = {
    "events": build_events,
    "returns": build_returns,
    "complaints": build_complaints,
}
LEAST_COMPARABLE: Final = 20
"""With fewer orders than this nothing is said about what is usual."""


@dataclass(frozen=True, kw_only=True)
class Usual:
    """What comparable orders needed for a stage, in seconds, and how many they are; `level` says which orders."""

    level: str
    p10: float
    p50: float
    p90: float
    n: int


@dataclass(frozen=True, kw_only=True)
class Passage:
    """An order's way through one stage; `seconds` is None where either end is missing or not measured."""

    stage: str
    opened_at: datetime | None
    closed_at: datetime | None
    seconds: float | None
    limit_seconds: float | None
    is_waiting: bool = False
    is_inferred: bool = False
    usual: Usual | None = None

    @property
    def excess_seconds(self) -> float | None:
        """How much longer it took than comparable orders' median."""
        return None if self.seconds is None or self.usual is None else self.seconds - self.usual.p50


@dataclass(frozen=True, kw_only=True)
class Twin:
    """One order; `order` has every column of `build_order`, the other rows those of their own statements."""

    order: Row
    passages: tuple[Passage, ...]
    events: tuple[Row, ...]
    returns: tuple[Row, ...]
    complaints: tuple[Row, ...]
    compared: dict[str, tuple[Filter, ...]] = field(default_factory=dict)
    compared_window: Window | None = None

    @property
    def key(self) -> OrderKey:
        """The order's key, with the instant it was created."""
        return OrderKey(channel=self.order["channel"], order_id=self.order["order_id"], created_at=self.order["created_at"])

    @property
    def worst(self) -> Passage | None:
        """The stage that cost most against comparable orders, when it cost more than their median."""
        known = [passage for passage in self.passages if (passage.excess_seconds or 0) > 0]
        return max(known, key=lambda passage: passage.excess_seconds or 0, default=None)


def read_twin(key: OrderKey, moment: Moment, ask: Ask) -> Twin | None:
    """The order at the moment; None when there is none in the scope. A wrong `created_at` in the key costs time, no more."""
    (found,) = ask([build_order(key, moment)])
    if found.is_empty() and key.created_at is not None:
        (found,) = ask([build_order(replace(key, created_at=None), moment)])
    if found.is_empty():
        return None
    order = found.to_dicts()[0]
    key = replace(key, created_at=order["created_at"])
    window = compared_window(order, COMPARED[0])
    statements = [build_comparable(_comparable(order, window), moment), *(build(key, moment) for build in ATTACHED.values())]
    compared, *attached = ask(statements)
    usual = _usual(compared.to_dicts())
    passages = passages_of(order, moment)
    for length in COMPARED[1:]:
        if passages and not usual:
            window = compared_window(order, length)
            usual = _usual(ask([build_comparable(_comparable(order, window), moment)])[0].to_dicts())
    rows = {name: tuple(frame.to_dicts()) for name, frame in zip(ATTACHED, attached, strict=True)}
    known = tuple(replace(passage, usual=usual.get(passage.stage)) for passage in passages)
    return Twin(order=order, passages=known, compared=_compared(order), compared_window=window, **rows)


def passages_of(order: Row, moment: Moment) -> list[Passage]:
    """The order's way through its stages, in their order: those it left and the one it waits in."""
    edition = moment.targets.at(moment.as_of, moment.zone)
    mapped = [name for name in FORWARD_MILESTONES if order["mapped_milestones"] & MILESTONE_BIT[name]]
    found = []
    for before, stage in pairwise(mapped):
        closed, is_waiting = order[f"{stage}_at"], order["stage"] == stage
        if closed is None and not is_waiting:
            continue
        opened = _furthest(order, stage) if is_waiting else order[f"{before}_at"]
        seconds = order["waited_seconds"] if is_waiting else _between(order, before, stage)
        found.append(
            Passage(
                stage=stage,
                opened_at=opened,
                closed_at=closed,
                seconds=seconds,
                limit_seconds=edition.limit_of(stage, order["business_type"]),
                is_waiting=is_waiting,
                is_inferred=bool(order[f"{stage}_inferred"] or order[f"{before}_inferred"]),
            )
        )
    return found


def compared_window(order: Row, length: timedelta) -> Window:
    """So long up to the hour in which the order's life (so far) ended: whom it is compared with passed stages in them."""
    reached = [order[f"{name}_at"] for name in MILESTONES if order[f"{name}_at"] is not None]
    last = order["as_of"] if order["is_open"] else max(reached)
    end = last.replace(minute=0, second=0, microsecond=0) + timedelta(milliseconds=HOUR_MS)
    return Window(start=end - length, end=end)


def _furthest(order: Row, stage: str) -> datetime | None:
    """The instant of the furthest milestone reached before the stage."""
    earlier = FORWARD_MILESTONES[: FORWARD_MILESTONES.index(stage)]
    return next((order[f"{name}_at"] for name in reversed(earlier) if order[f"{name}_at"] is not None), None)


def _between(order: Row, before: str, stage: str) -> float | None:
    opened, closed = order[f"{before}_measured_at"], order[f"{stage}_measured_at"]
    return None if opened is None or closed is None else (closed - opened) / timedelta(seconds=1)


def _comparable(order: Row, window: Window) -> Comparable:
    return Comparable(
        warehouse=order["warehouse_id"],
        province=order["province_code"],
        region=order["region_code"],
        business_type=order["business_type"],
        window=window,
    )


def _compared(order: Row) -> dict[str, tuple[Filter, ...]]:
    """The filters that give the comparable orders of each level, as a list or a figure takes them."""
    business = Filter("business_type", (order["business_type"],))
    region = Filter("region", (order["region_code"],))
    lane = Filter("lane", (f"{order['warehouse_id']}>{order['province_code']}",))
    return {"lane": (business, region, lane), "region": (business, region)}


def _usual(rows: list[Row]) -> dict[str, Usual]:
    """For each stage what is usual on the lane, or where too few orders took it in the region; left out where both are few."""
    found = {}
    for row in rows:
        for level in ("lane", "region"):
            if row[f"{level}_n"] >= LEAST_COMPARABLE:
                figures = {name: row[f"{level}_{name}"] for name in ("p10", "p50", "p90", "n")}
                found[row["stage"]] = Usual(level=level, **figures)
                break
    return found
