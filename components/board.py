"""The wall's board: what each card shows, as plain texts and steps, and the one mounted component that draws it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from components.heat import HeatGrid, Legend
from components.kit import mount

if TYPE_CHECKING:
    from components.panel import Panel
from components.time_axis import AxisMark

State = Literal["good", "neutral", "warning", "critical", "stale", "unknown"]


@dataclass(frozen=True, kw_only=True)
class Tile:
    """One figure: `tone` colours its change, `state` marks it against its target.

    `spark` is its last day in equal steps, None for gaps; `marks` stand on the same axis.
    `figure` names what it opens in place, `href` where it leads.
    """

    name: str
    value: str
    change: str
    note: str
    tip: str
    info: str
    spoken: str
    state: State = "neutral"
    state_word: str = ""
    tone: State = "neutral"
    spark: tuple[float | None, ...] = ()
    figure: str = ""
    marks: tuple[AxisMark, ...] = ()
    href: str = ""


@dataclass(frozen=True, kw_only=True)
class Area:
    """One province on the map; `kind` and `step` as in a heat cell."""

    code: str
    kind: str
    step: int
    tip: str
    href: str = ""


@dataclass(frozen=True, kw_only=True)
class Lane:
    """An arc between two places in view-box units; `width` in the same units; `href` opens it."""

    start: tuple[float, float]
    end: tuple[float, float]
    tone: State
    width: float
    tip: str
    href: str = ""


@dataclass(frozen=True, kw_only=True)
class City:
    """A dot with a name on the map, in view-box units; `href` opens it."""

    name: str
    x: float
    y: float
    is_big: bool = False
    tone: State = "neutral"
    tip: str = ""
    href: str = ""


@dataclass(frozen=True, kw_only=True)
class CountryMap:
    """The country by province with its busiest late lanes.

    `no_shapes` is said where we have no outlines; `box` is the part to show (left, top, width, height), None for all.
    """

    title: str
    scope: str
    spoken: str
    no_shapes: str
    credit: str
    legend: Legend
    box: tuple[float, float, float, float] | None = None
    areas: tuple[Area, ...] = ()
    lanes: tuple[Lane, ...] = ()
    cities: tuple[City, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """One of the places where most delay-hours are being lost, in words; `href` leads to it, `orders` to its orders, `sure_tip` explains `sure`."""

    state: State
    state_word: str
    title: str
    text: str
    sure: str
    since: str
    href: str
    sure_tip: str = ""
    orders: str = ""
    orders_word: str = ""


@dataclass(frozen=True, kw_only=True)
class Worst:
    """What is worst now, the costliest first; `empty` is said when nothing is."""

    title: str
    scope: str
    empty: str
    items: tuple[Trouble, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A row of name, bar (`share` 0–1), figure and ending."""

    name: str
    share: float
    tone: State
    figure: str
    end: str
    end_tone: State
    tip: str
    href: str = ""
    state_word: str = ""


@dataclass(frozen=True, kw_only=True)
class Bars:
    """A card of bars; `empty` is said when there are none."""

    kind: str
    title: str
    scope: str
    empty: str
    rows: tuple[Bar, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Notice:
    """A sentence above the cards, or instead of them where there are no tiles; then `way` leads on to `href`.

    `tip` says more on pointing.
    """

    state: State
    title: str
    text: str
    href: str = ""
    way: str = ""
    tip: str = ""


@dataclass(frozen=True, kw_only=True)
class Board:
    """The whole wall. Without tiles only the notice is drawn, and says why; `axis` tells what is marked on the tiles' lines."""

    language: str
    notice: Notice | None = None
    tiles: tuple[Tile, ...] = ()
    heat: HeatGrid | None = None
    map: CountryMap | None = None
    worst: Worst | None = None
    warehouses: Bars | None = None
    returns: Bars | None = None
    complaints: HeatGrid | None = None
    axis: str = ""
    words: dict[str, str] = field(default_factory=dict)
    panel: Panel | None = None


def draw_board(board: Board, *, key: str, on_choice: Callable[[], None]) -> dict[str, Any]:
    """Draw the wall; triggers `choice` (a change of the address) and `open` (a link followed), None where silent."""
    return mount("board", board, key=key, triggers=("choice", "open"), on_trigger=on_choice)
