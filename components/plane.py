"""A working page: a path, controls, cards of figures, and the panel of the one that is opened; drawn by one component."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from components.board import Notice, Tile, Worst
from components.charts import Chart
from components.heat import HeatGrid
from components.kit import mount
from components.panel import Line, Panel, Parts
from components.topbar import Option


@dataclass(frozen=True, kw_only=True)
class Control:
    """A choice that goes to the address under `code`; choosing also removes the parameters in `clears`."""

    code: str
    name: str
    options: tuple[Option, ...]
    clears: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Crumb:
    """A step of the path; the last one is here."""

    name: str
    href: str
    is_here: bool = False


@dataclass(frozen=True, kw_only=True)
class Card:
    """A card of one kind: a heat grid, contributors, lines (small multiples), a chart, troubles in words, or only the text that says why not.

    `size` is how much room it takes: the whole width and height in sight, the width, a half, a third. Cells of a grid
    with a `picks` are chosen into the address under that name.
    """

    title: str
    scope: str = ""
    grid: HeatGrid | None = None
    parts: Parts | None = None
    lines: tuple[Line, ...] = ()
    chart: Chart | None = None
    worst: Worst | None = None
    text: str = ""
    size: str = "half"
    picks: str = ""


@dataclass(frozen=True, kw_only=True)
class Plane:
    """Everything a working page shows; `words` are the drawing's own texts."""

    language: str
    words: dict[str, str] = field(default_factory=dict)
    notice: Notice | None = None
    crumbs: tuple[Crumb, ...] = ()
    controls: tuple[Control, ...] = ()
    tiles: tuple[Tile, ...] = ()
    cards: tuple[Card, ...] = ()
    panel: Panel | None = None


def draw_plane(plane: Plane, *, key: str, on_choice: Callable[[], None]) -> dict[str, Any]:
    """Draw the page; triggers `choice` (a change of the address) and `open` (a link followed), None where silent."""
    return mount("plane", plane, key=key, triggers=("choice", "open"), on_trigger=on_choice)
