"""The cities of a province on the map: where their orders say they are, else where their name is; the rest is told."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from access import geography
from access.geography import CityPlace
from access.view import View
from components.format import count
from components.geo_map import Mark
from i18n import translate
from pages.figures import figure, metric_name, plain
from pages.map_areas import Coloured, Row, is_few
from pages.map_question import Question, chosen, without
from queries.listing import Listing
from queries.query import Query

Ink = Callable[[Row], str | None]
Point = tuple[float, float]
Extent = tuple[int, Sequence[str]]
"""The most orders of one city, and the cities chosen."""

CITY_DOTS: Final = (3.5, 15.0)
MOST_CITIES: Final = 400
CITY_LABELS: Final = 12


@dataclass(frozen=True, kw_only=True)
class Dots:
    """The cities that could be placed, as large as their orders, coloured by the figure; the largest ones' names; and the rest."""

    dots: tuple[Mark, ...] = ()
    labels: tuple[Mark, ...] = ()
    lost: tuple[CityPlace, ...] = ()
    at: Mapping[str, Point] = field(default_factory=dict)


def read_cities(view: View, question: Question, coloured: Coloured) -> Dots:
    """The cities of the provinces in sight; only below the country there are few enough of them."""
    if question.level not in ("province", "city"):
        return Dots()
    where = without(view, "city")
    places = geography.locate_cities(view, Listing(where=where, window=view.window), question.country)
    asked = Query(metrics=(question.metric,), by=("city",), where=where, window=view.window, compare=("target",))
    rows = {row["city"]: row for row in view.run(asked).to_dicts()}
    return _dots(view, question, places, rows, coloured.ink)


def _dots(view: View, question: Question, places: Sequence[CityPlace], rows: Mapping[Any, Row], ink: Ink) -> Dots:
    found = [place for place in places if place.point][:MOST_CITIES]
    most = max((place.order_count for place in found), default=1)
    picked = chosen(view, "city")
    dots = tuple(_dot(view, question, place, rows.get(place.city), ink, (most, picked)) for place in reversed(found))
    labels = tuple(
        Mark(at=_rounded(place.point), ink="text", text=city_name(view.language, place), size=12, offset=(0, -14))
        for place in found[:CITY_LABELS]
    )
    lost = tuple(place for place in places if not place.point)
    return Dots(dots=dots, labels=labels, lost=lost, at={str(place.city): place.point for place in found if place.point})


def city_name(language: str, place: CityPlace) -> str:
    """A city's name in the language where it is one we know, else the source's word."""
    english, chinese = place.names
    return (chinese if language == "zh-CN" else english) or str(place.city or translate(language, "format.unknown"))


def _dot(view: View, question: Question, place: CityPlace, row: Row | None, ink: Ink, extent: Extent) -> Mark:
    language, metric = view.language, question.metric
    most, picked = extent
    small, large = CITY_DOTS
    value = None if row is None else plain(row[metric])
    few = row is not None and is_few(view, metric, row)
    colour = "hatch" if few else "blank" if row is None or value is None else ink(row | {"province": row["city"]}) or "blank"
    lines = [
        city_name(language, place),
        f"{metric_name(language, metric)} {figure(language, metric, value)}",
        translate(language, "map.orders_here", n=count(language, place.order_count)),
    ]
    return Mark(
        at=_rounded(place.point),
        ink=colour,
        tip="\n".join(lines),
        size=round(small + (large - small) * math.sqrt(place.order_count / most), 1),
        width=2.5 if place.city in picked else 1,
        code=str(place.city or ""),
        is_chosen=place.city in picked,
        alpha=235,
    )


def _rounded(point: tuple[float, float] | None) -> tuple[float, float]:
    return (0.0, 0.0) if point is None else (round(point[0], 4), round(point[1], 4))
