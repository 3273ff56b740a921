"""Drawings of a chain of stages: where orders went from each, and how long they took in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

WayKind = Literal["through", "skip", "waiting", "cancelled", "back", "ended"]


@dataclass(frozen=True, kw_only=True)
class Node:
    """Orders at one milestone, or out of the chain after it: its column, top and height (0–1 of the plot)."""

    column: int
    top: float
    height: float
    kind: WayKind
    value: str
    tip: str


@dataclass(frozen=True, kw_only=True)
class Ribbon:
    """Orders on their way from a column to another: where it leaves and arrives, and how thick it is (0–1 of the plot)."""

    start: int
    end: int
    start_top: float
    end_top: float
    height: float
    kind: WayKind
    tip: str


@dataclass(frozen=True, kw_only=True)
class Loop:
    """Orders that met something in the stage that ends at a column: `exception`, or that went through it again, `repeat`."""

    column: int
    kind: Literal["exception", "repeat"]
    value: str
    weight: float
    tip: str


@dataclass(frozen=True, kw_only=True)
class Sankey:
    """The ways of orders from left to right; `table` says the same, a row a stage, its first cell leading to `hrefs`."""

    lead: str
    heads: tuple[str, ...]
    notes: tuple[str, ...]
    nodes: tuple[Node, ...]
    ribbons: tuple[Ribbon, ...]
    loops: tuple[Loop, ...]
    keys: tuple[tuple[str, str], ...]
    table_heads: tuple[str, ...]
    table: tuple[tuple[str, ...], ...]
    hrefs: tuple[str, ...]
    spoken: str
    empty: str = ""
    kind: str = "sankey"


@dataclass(frozen=True, kw_only=True)
class Spread:
    """One stage's times: orders by step that went through and that wait so far (0–1 of the most), and what is marked (0–1)."""

    name: str
    passed: tuple[float, ...]
    waiting: tuple[float, ...]
    low: float | None
    high: float | None
    middle: float | None
    usual: str
    now: str
    slow: str
    open: str
    tip: str
    href: str = ""


@dataclass(frozen=True, kw_only=True)
class Spreads:
    """Distributions one below the other on one axis of time; `ticks` are its marks (0–1 and text)."""

    lead: str
    rows: tuple[Spread, ...]
    ticks: tuple[tuple[float, str], ...]
    heads: tuple[str, ...]
    keys: tuple[tuple[str, str], ...]
    empty: str = ""
    kind: str = "spreads"
