"""The map page as plain data: camera, marks by layer, legend, player, the same in words; drawn by one component of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final, Literal

import streamlit as st

from components.board import Notice, State, Tile, Worst
from components.deck import MOST_MARKS
from components.kit import as_data
from components.plane import Control, Crumb
from components.shapes import ASSETS
from components.topbar import Option

SCRIPTS: Final = ("map_colour.js", "map_deck.js", "map_player.js", "map_page.js")
STYLES: Final = ("map.css",)
FOLDER: Final = ASSETS / "map"

AreaKind = Literal["value", "few", "gap", "stale"]
Box = tuple[float, float, float, float]
"""West, south, east, north in degrees."""


@dataclass(frozen=True, kw_only=True)
class Camera:
    """What to look at: the map moves when `key` changes, and else stays where the reader has moved it."""

    key: str
    box: Box
    pitch: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Area:
    """A province with its figure; `ink` is a step of a scale or a colour role, `is_muted` outside of what is chosen."""

    name: str
    kind: AreaKind
    ink: str
    tip: str
    is_chosen: bool = False
    is_muted: bool = False


@dataclass(frozen=True, kw_only=True)
class Mark:
    """One mark of any layer, in degrees; `size` means what the layer makes of it, `code` is what choosing it chooses."""

    at: tuple[float, float]
    ink: str
    tip: str = ""
    size: float = 0.0
    width: float = 0.0
    to: tuple[float, float] | None = None
    code: str = ""
    text: str = ""
    alpha: int = 255
    is_chosen: bool = False
    offset: tuple[int, int] | None = None


@dataclass(frozen=True, kw_only=True)
class LayerChoice:
    """A layer that can be shown or not, with its legend: a `swatch` and what it means. `picks` is the dimension it chooses."""

    code: str
    name: str
    is_on: bool
    swatch: str
    range: str = ""
    note: str = ""
    href: str = ""


@dataclass(frozen=True, kw_only=True)
class Ranked:
    """A line of the list: the same as on the map in words; `href` chooses it, the others lead on: why, orders, a rule on it."""

    name: str
    href: str
    figure: str
    note: str
    share: float
    tip: str
    drill: str = ""
    orders: str = ""
    alert: str = ""
    state: State = "neutral"
    state_word: str = ""
    is_chosen: bool = False
    before: str = ""
    change: str = ""


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """The list beside the map, the worst first; `empty` is said when there is nothing."""

    title: str
    scope: str
    empty: str
    heads: tuple[str, ...]
    rows: tuple[Ranked, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Stuck:
    """Where it is stuck beyond chance, in words; `way` leads to all of it."""

    worst: Worst
    way: str
    href: str


@dataclass(frozen=True, kw_only=True)
class Missing:
    """What could not be placed: how many, why, and where to see them."""

    title: str
    empty: str
    rows: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Frame:
    """One step of the player: its instant, and each province's ink and figure then."""

    at: str
    name: str
    spoken: str
    cells: dict[str, tuple[str, str]]


@dataclass(frozen=True, kw_only=True)
class Player:
    """The last hours or days as frames; empty until a span is chosen. `left` and `right` are the frames shown, -1 for none."""

    spans: tuple[Option, ...]
    frames: tuple[Frame, ...] = ()
    left: int = -1
    right: int = -1
    metric: str = ""


@dataclass(frozen=True, kw_only=True)
class GeoMap:
    """The whole page; `marks` by layer, `deck` as `components.deck.describe_deck` gives it, `files` the addresses to load."""

    language: str
    words: dict[str, str]
    notice: Notice | None = None
    note: str = ""
    crumbs: tuple[Crumb, ...] = ()
    controls: tuple[Control, ...] = ()
    tiles: tuple[Tile, ...] = ()
    title: str = ""
    scope: str = ""
    spoken: str = ""
    country: str = ""
    files: dict[str, str] = field(default_factory=dict)
    deck: str = ""
    camera: Camera | None = None
    layers: tuple[LayerChoice, ...] = ()
    areas: dict[str, Area] = field(default_factory=dict)
    marks: dict[str, tuple[Mark, ...]] = field(default_factory=dict)
    stuck: Stuck | None = None
    ranking: Ranking | None = None
    missing: Missing | None = None
    player: Player | None = None
    credit: str = ""


@cache
def map_script() -> str:
    """The page's drawing as one JavaScript module; it takes the shared kit's parts from where the kit publishes them."""
    style = "".join((FOLDER / name).read_text(encoding="utf-8") for name in STYLES)
    parts = (f"const MAP_CSS = {json.dumps(style)};", *((FOLDER / name).read_text(encoding="utf-8") for name in SCRIPTS))
    lines = (line.strip() for part in parts for line in part.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


_MAP = st.components.v2.component("order_control_room_map", js=map_script())


def map_payload(page: GeoMap) -> dict[str, Any]:
    """What is sent to the browser: the page without what is empty in its marks. Raises ValueError for a layer too large."""
    for layer, marks in page.marks.items():
        if len(marks) > MOST_MARKS:
            raise ValueError(f"the layer {layer} has {len(marks)} marks: sum them up to {MOST_MARKS} at most")
    data: dict[str, Any] = as_data(page)
    data["marks"] = {layer: [_lean(mark) for mark in marks] for layer, marks in data["marks"].items()}
    data["deck"] = json.loads(page.deck) if page.deck else None
    return data


def _lean(mark: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value for name, value in mark.items() if (value or name in ("at", "ink", "tip")) and (name, value) != ("alpha", 255)
    }


def draw_map(page: GeoMap, *, key: str, on_choice: Callable[[], None]) -> None:
    """Draw the page; triggers `choice` (a change of the address) and `open` (a link followed)."""
    _MAP(key=key, data=map_payload(page), on_choice_change=on_choice, on_open_change=on_choice)
