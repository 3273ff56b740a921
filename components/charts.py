"""Drawings of a flow: stages in a row, estimates with their intervals, steps from one total to another, bands."""

from __future__ import annotations

from dataclasses import dataclass

from components.board import State
from components.chain import Sankey, Spreads


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A small figure under a name; `note` is what it is compared with."""

    name: str
    value: str
    note: str = ""
    tone: State = "neutral"


@dataclass(frozen=True, kw_only=True)
class Station:
    """One stage of the strip: what waits in it, what came in and went out, its figures; `share` (0–1) is how full it is."""

    name: str
    value: str
    flow: str
    share: float
    measures: tuple[Measure, ...]
    foot: str
    tone: State = "neutral"
    state_word: str = ""
    mark: str = ""
    is_grey_zone: bool = False
    tip: str = ""
    href: str = ""


@dataclass(frozen=True, kw_only=True)
class Strip:
    """The stages in their order; `zone` names those that make up the grey zone, `note` those that nothing is known of."""

    stations: tuple[Station, ...]
    zone: str = ""
    note: str = ""
    kind: str = "strip"


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A row of a forest: an estimate with its interval, on the axis 0–1; unsure ones are drawn faint."""

    name: str
    value: str
    at: float
    low: float
    high: float
    note: str = ""
    tone: State = "neutral"
    is_sure: bool = True
    tip: str = ""
    href: str = ""


@dataclass(frozen=True, kw_only=True)
class Forest:
    """Estimates with intervals about a line; `lead` says in a sentence what they come to, `ends` label the axis."""

    lead: str
    rows: tuple[Estimate, ...]
    line: float
    line_name: str
    ends: tuple[str, str]
    heads: tuple[str, ...] = ()
    empty: str = ""
    kind: str = "forest"


@dataclass(frozen=True, kw_only=True)
class Step:
    """A bar of a waterfall from `start` to `end` (0–1); a total stands on the ground, a broken one is not to scale."""

    name: str
    value: str
    start: float
    end: float
    is_total: bool = False
    is_broken: bool = False
    tone: State = "neutral"
    tip: str = ""


@dataclass(frozen=True, kw_only=True)
class Waterfall:
    """Steps from one total to another."""

    lead: str
    steps: tuple[Step, ...]
    empty: str = ""
    kind: str = "waterfall"


@dataclass(frozen=True, kw_only=True)
class Band:
    """One band of stacked ones: its thickness at each point, 0–1 of the whole height; `is_base` is what is through."""

    name: str
    values: tuple[float, ...]
    is_base: bool = False
    is_marked: bool = False


@dataclass(frozen=True, kw_only=True)
class Bands:
    """Bands stacked from the bottom, with the texts of each point; `first` and `last` label the ends of time."""

    bands: tuple[Band, ...]
    tips: tuple[str, ...]
    first: str
    last: str
    top: str
    spoken: str
    empty: str = ""
    kind: str = "bands"


Chart = Strip | Forest | Waterfall | Bands | Sankey | Spreads
