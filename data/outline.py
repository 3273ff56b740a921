"""The packaged boundaries as figures: the box and the middle of every first-level unit, in degrees."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import pairwise
from typing import Any, Final

from data.places import GEO_FOLDER, MAP_FILES

Point = tuple[float, float]
"""Longitude, latitude."""
Box = tuple[float, float, float, float]
"""West, south, east, north."""

OUTLYING: Final = frozenset({"US-AK", "US-HI"})
"""Drawn where they are, but left out of a country's box: with them the rest would be a stamp."""


@cache
def outlines(country: str) -> dict[str, tuple[tuple[Point, ...], ...]]:
    """The rings of each unit by code, the largest first; empty for a country we have no boundaries of."""
    if country not in MAP_FILES:
        return {}
    collection = json.loads((GEO_FOLDER / MAP_FILES[country]).read_text(encoding="utf-8"))
    return {feature["properties"]["iso"]: _rings(feature["geometry"]) for feature in collection["features"]}


@cache
def edition_of(country: str) -> str:
    """A word that changes when the country's boundary file does."""
    return hashlib.sha256((GEO_FOLDER / MAP_FILES[country]).read_bytes()).hexdigest()[:12] if country in MAP_FILES else ""


@cache
def middles(country: str) -> dict[str, Point]:
    """The centroid of each unit's largest part."""
    return {code: _centroid(rings[0]) for code, rings in outlines(country).items()}


def box_of(country: str, codes: Iterable[str] = ()) -> Box | None:
    """The box that holds these units, or with none the whole country; None where no boundary is known."""
    known = outlines(country)
    wanted = [code for code in codes if code in known] or [code for code in known if code not in OUTLYING]
    points = [point for code in wanted for ring in known[code] for point in ring]
    if not points:
        return None
    longitudes, latitudes = [point[0] for point in points], [point[1] for point in points]
    return min(longitudes), min(latitudes), max(longitudes), max(latitudes)


def holds(country: str, code: str, point: Point) -> bool:
    """Whether a unit holds a point, by the even-odd rule over all its rings."""
    longitude, latitude = point
    is_inside = False
    for ring in outlines(country).get(code, ()):
        for (x1, y1), (x2, y2) in pairwise(ring):
            if (y1 > latitude) != (y2 > latitude) and longitude < (x2 - x1) * (latitude - y1) / (y2 - y1) + x1:
                is_inside = not is_inside
    return is_inside


def _rings(geometry: dict[str, Any]) -> tuple[tuple[Point, ...], ...]:
    polygons = [geometry["coordinates"]] if geometry["type"] == "Polygon" else geometry["coordinates"]
    rings = [tuple((point[0], point[1]) for point in ring) for polygon in polygons for ring in polygon]
    return tuple(sorted(rings, key=lambda ring: -abs(_area(ring))))


def _crosses(ring: tuple[Point, ...]) -> Iterator[tuple[Point, Point, float]]:
    for one, other in zip(ring, ring[1:] + ring[:1], strict=True):
        yield one, other, one[0] * other[1] - other[0] * one[1]


def _area(ring: tuple[Point, ...]) -> float:
    return sum(cross for _, _, cross in _crosses(ring)) / 2


def _centroid(ring: tuple[Point, ...]) -> Point:
    area = _area(ring)
    if not area:
        return ring[0]
    longitude = sum((one[0] + other[0]) * cross for one, other, cross in _crosses(ring)) / (6 * area)
    latitude = sum((one[1] + other[1]) * cross for one, other, cross in _crosses(ring)) / (6 * area)
    return round(longitude, 4), round(latitude, 4)
