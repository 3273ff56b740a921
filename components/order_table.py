"""A list of orders as a real table: sortable heads, rows that lead to the order, rows to tick, pages, a search."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from components.board import State
from components.kit import mount

Choice = dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Head:
    """A column's head: `sort` is the choice a click makes, `order` how the list is sorted by it now."""

    name: str
    label: str
    sort: Choice = field(default_factory=dict)
    order: Literal["none", "ascending", "descending"] = "none"
    is_figure: bool = False
    tip: str = ""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One figure or word; `tone` colours it and marks it with `state_word`."""

    text: str
    tone: State = "neutral"
    state_word: str = ""
    tip: str = ""


@dataclass(frozen=True, kw_only=True)
class OrderRow:
    """One row: what is copied and ticked (`order_id`), where it leads, its cells; `is_late` tints it, and so does
    `mark`, the gravest rule about single orders that it meets.
    """

    key: str
    order_id: str
    href: str
    cells: tuple[Cell, ...]
    is_late: bool = False
    mark: State = "neutral"


@dataclass(frozen=True, kw_only=True)
class Step:
    """Something to choose: a page, a part, a population; without `choice` it cannot be chosen now."""

    name: str
    choice: Choice | None = None
    is_on: bool = False


@dataclass(frozen=True, kw_only=True)
class ColumnChoice:
    """A column that can be shown or left out."""

    code: str
    name: str
    is_on: bool


@dataclass(frozen=True, kw_only=True)
class OrderTable:
    """The whole list; `empty` says why there is nothing to show and `way` leads on. `words` name the controls, `definition`
    leads to what the figure behind the list means.
    """

    language: str
    title: str
    scope: str
    count: str
    words: dict[str, str]
    heads: tuple[Head, ...] = ()
    rows: tuple[OrderRow, ...] = ()
    choices: tuple[tuple[Step, ...], ...] = ()
    pages: tuple[Step, ...] = ()
    columns: tuple[ColumnChoice, ...] = ()
    search: str = ""
    exports: tuple[tuple[str, str], ...] = ()
    unmasked: tuple[str, str] | None = None
    empty: str = ""
    way: tuple[str, str] | None = None
    definition: tuple[str, str] | None = None
    notes: tuple[str, ...] = ()


def draw_order_table(table: OrderTable, *, key: str, on_choice: Callable[[], None]) -> dict[str, Any]:
    """Draw the list; triggers `choice` (a change of the address) and `columns` (the columns to show, comma-joined)."""
    return mount("order_table", table, key=key, triggers=("choice", "columns"), on_trigger=on_choice)
