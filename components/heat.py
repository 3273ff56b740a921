"""The heat grid every page shares: cells as steps of the scale.

Hatched for too few orders, dashed for interrupted data, grey for stale, blank where there is nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from components.kit import mount
from components.tokens import SCALE_STEPS

Scale = Literal["scale", "diverging", "plain"]
"""How far beyond the limit; around a target; volume without judgement."""

CellKind = Literal["value", "few", "gap", "none", "stale"]


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One cell: its text, its step on the scale (only for kind `value`), what it says on hover and aloud, where it leads."""

    key: str
    text: str
    tip: str
    kind: CellKind = "value"
    step: int = 0
    worst: bool = False
    href: str = ""


@dataclass(frozen=True, kw_only=True)
class Legend:
    """The one line under a grid or a map; empty parts are left out."""

    range: str
    spoken: str
    few: str = ""
    gap: str = ""
    stale: str = ""
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """An option of the grid's switch of metric."""

    code: str
    name: str


@dataclass(frozen=True, kw_only=True)
class HeatGrid:
    """Rows by columns of cells; `cells[row][column]`.

    `chosen` is the key of the selected cell, `beside` of one compared with it, `metric` the option shown. Totals stand
    on the margins, `whole` in their corner; `column_keys` make the heads choose the column to sort by, `sorted_by`.
    """

    title: str
    scope: str
    columns: tuple[str, ...]
    rows: tuple[str, ...]
    cells: tuple[tuple[Cell, ...], ...]
    legend: Legend
    language: str = "en"
    chosen: str | None = None
    metrics: tuple[Choice, ...] = ()
    metric: str = ""
    switch_name: str = ""
    empty: str = ""
    scale: Scale = "scale"
    beside: str | None = None
    row_totals: tuple[Cell, ...] = ()
    column_totals: tuple[Cell, ...] = ()
    whole: Cell | None = None
    total_name: str = ""
    column_keys: tuple[str, ...] = ()
    sorted_by: str = ""
    sort_word: str = ""


def step_of(value: float, low: float, high: float) -> int:
    """The step of the scale for a value between `low` (nothing) and `high` (the worst), clipped."""
    span = high - low
    level = (value - low) / span if span else 0.0
    return round(min(max(level, 0.0), 1.0) * (SCALE_STEPS - 1))


def step_around(distance: float) -> int:
    """The step of a diverging scale for a distance from its middle, -1 (best) to 1 (worst), clipped."""
    return step_of(distance, -1.0, 1.0)


def draw_heat_grid(grid: HeatGrid, *, key: str) -> str | None:
    """Draw the grid in a card of its own; the key of the cell chosen in this run, None where silent."""
    chosen = mount("heat_grid", grid, key=key, triggers=("cell",))["cell"]
    return str(chosen) if chosen else None
