"""What the map page asks: the figure, the layers, the list, the place; and which part of the country that puts in sight."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from access import geography
from access.view import View
from pages.heat_question import Question as Painted
from pages.heat_question import colours_of, dimensions_of
from pages.links import Change
from pages.wall_map import main_country
from queries.metrics import METRICS
from queries.query import Filter

Parameters = Mapping[str, Sequence[str]]
Level = Literal["country", "region", "province", "city"]
Box = tuple[float, float, float, float]

FIRST: Final = "late_rate"
LAYERS: Final = ("areas", "late", "lanes", "warehouses", "complaints", "incidents")
USUAL_LAYERS: Final = ("areas", "lanes", "warehouses", "incidents")
RANKS: Final = ("region", "province", "city", "warehouse", "lane")
LANE_COUNTS: Final = ("60", "200", "800")
SPANS: Final = {"24h": "hour", "7d": "day"}
"""The player's spans and the length of their frames."""
LOWER: Final = {"region": ("region", "province", "city"), "province": ("province", "city"), "city": ("city",)}
OWN: Final = {**LOWER, "warehouse": ("warehouse", "wave", "lane"), "lane": ("lane",)}
"""What a layer or list of places does not narrow by: its own dimension and those below, so that neighbours stay in sight."""
HOME: Final = "CN"
CITY_REACH: Final = 0.45
"""Degrees around a city that are in sight with it."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """What the address asks of the map; `rank` is what the list lists, `at` and `beside` are frames of the player."""

    metric: str
    layers: tuple[str, ...]
    rank: str
    lanes: int
    span: str
    at: str
    beside: str
    country: str
    level: Level
    places: tuple[str, ...]

    @property
    def own_parameters(self) -> dict[str, Change]:
        """What a link to this page keeps besides the view's own."""
        layers = "" if self.layers == USUAL_LAYERS else ",".join(self.layers) or "none"
        lanes = "" if str(self.lanes) == LANE_COUNTS[0] else str(self.lanes)
        return {"metric": "" if self.metric == FIRST else self.metric, "layers": layers, "lanes": lanes, "span": self.span}

    @property
    def painted(self) -> Painted:
        """The same figure as a heatmap asks it, for the colouring that all pages share."""
        has_target = "target" in colours_of(self.metric)
        return Painted(
            board="", metric=self.metric, rows="province", columns="province", colour="target" if has_target else "plain"
        )


def offered_metrics() -> tuple[str, ...]:
    """Every rate and duration that provinces can have."""
    kinds = ("rate", "seconds")
    return tuple(name for name, entry in METRICS.items() if entry.unit in kinds and "province" in dimensions_of(name))


def read_question(view: View, parameters: Parameters) -> Question:
    """The question in the address; unknown words fall back to the usual ones."""

    def one(name: str, known: Sequence[str], usual: str) -> str:
        values = parameters.get(name) or ("",)
        return values[-1] if values[-1] in known else usual

    level, places = _place(view)
    below = {"country": "province", "region": "province", "province": "city", "city": "city"}
    span = one("span", tuple(SPANS), "")
    return Question(
        metric=one("metric", offered_metrics(), FIRST),
        layers=_layers(parameters),
        rank=one("rank", RANKS, below[level]),
        lanes=int(one("lanes", LANE_COUNTS, LANE_COUNTS[0])),
        span=span,
        at=(parameters.get("at") or ("",))[-1] if span else "",
        beside=(parameters.get("beside") or ("",))[-1] if span else "",
        country=_country(view, level, places),
        level=level,
        places=places,
    )


def _layers(parameters: Parameters) -> tuple[str, ...]:
    text = (parameters.get("layers") or ("",))[-1]
    return tuple(name for name in LAYERS if name in text.split(",")) if text else USUAL_LAYERS


def chosen(view: View, dimension: str) -> tuple[str, ...]:
    """The address's values of a dimension."""
    values = next((filter_.values for filter_ in view.filters if filter_.dimension == dimension), ())
    return tuple(str(value) for value in values if value is not None)


def without(view: View, *dimensions: str) -> tuple[Filter, ...]:
    """The view's filters but those of some dimensions."""
    return tuple(filter_ for filter_ in view.filters if filter_.dimension not in dimensions)


def _place(view: View) -> tuple[Level, tuple[str, ...]]:
    """The lowest level chosen and its values; a lead's own regions where none are."""
    levels: tuple[Level, ...] = ("city", "province", "region")
    for level in levels:
        if values := chosen(view, level):
            return level, values
    own = () if view.scope.everything else view.scope.regions
    return ("region", own) if own else ("country", ())


def _country(view: View, level: Level, places: Sequence[str]) -> str:
    """The country of the place; else the one asked for, else the one most orders go to."""
    provinces = places if level == "province" else chosen(view, "province")
    if known := [country for code in provinces if (country := geography.country_of(code))]:
        return known[0]
    regions = places if level == "region" else chosen(view, "region")
    if found := geography.country_of_regions(regions):
        return found
    return next(iter(chosen(view, "country")), None) or main_country(view) or HOME


def provinces_here(view: View, question: Question) -> tuple[str, ...]:
    """The provinces that are in sight at this level, of those whose figures the user may see."""
    seen = geography.provinces_in_sight(view, question.country)
    if question.level == "country":
        return tuple(sorted(seen))
    regions = question.places if question.level == "region" else ()
    provinces = chosen(view, "province") if question.level != "region" else ()
    wanted = set(provinces) | set(geography.provinces_of(question.country, regions))
    return tuple(sorted(seen & wanted)) or tuple(sorted(seen))


def frame_of(view: View, question: Question, city: tuple[float, float] | None) -> Box | None:
    """What the camera shows: around the city, the provinces in sight, or the country."""
    if question.level == "city" and city is not None:
        (x, y), reach = city, CITY_REACH
        return x - reach, y - reach, x + reach, y + reach
    codes = () if question.level == "country" else provinces_here(view, question)
    return geography.frame_box(question.country, codes)


def camera_key(question: Question) -> str:
    """Names what the camera shows; the same place is the same key."""
    return "/".join((question.country, question.level, *question.places))


def place_changes(dimension: str, code: str | None) -> dict[str, Change]:
    """The changes of the address that choose a place, warehouse or lane and let go of what lies below it."""
    below = [name for name in OWN.get(dimension, (dimension,)) if name != dimension]
    return {**dict.fromkeys(below), dimension: (code,)}
