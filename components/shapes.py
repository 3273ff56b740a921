"""Outlines of a country's provinces as compact SVG paths, projected once and packaged.

`python -m components.shapes` rebuilds `assets/shapes_<country>.json` from `data/geo/` (Made with Natural Earth).
The projection is Lambert's azimuthal equal-area one about the country's middle: areas compare truly.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

ASSETS: Final = Path(__file__).resolve().parent / "assets"
WIDTH: Final = 1000
"""Width of every map's view box; its height follows from the country."""

Point = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Frame:
    """Where a country's map lies: middle in degrees, boundary file, and what is left out of the frame."""

    latitude: float
    longitude: float
    file: str
    without: tuple[str, ...] = ()


FRAMES: Final = {
    "CN": Frame(latitude=35.5, longitude=104.0, file="china.geojson"),
    "BR": Frame(latitude=-14.5, longitude=-54.0, file="brazil.geojson"),
    "US": Frame(latitude=39.0, longitude=-96.0, file="usa.geojson", without=("US-AK", "US-HI")),
}

SMALLEST_RING: Final = 3.0
"""Square units of the view box under which an island is left out, unless it is all the province has."""


@cache
def load_shapes(country: str) -> dict[str, Any] | None:
    """A packaged country, None if we have none: `box` [width, height], `fit` [scale, left, top], `paths`
    {province: SVG path}, `anchors` {province: [x, y] of its middle},
    `boxes` {province: [left, top, right, bottom]}.
    """
    file = ASSETS / f"shapes_{country.lower()}.json"
    if country not in FRAMES or not file.exists():
        return None
    shapes: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return shapes


def place(country: str, latitude: float, longitude: float) -> Point | None:
    """View-box coordinates of a place on a packaged country's map; None without a map or outside its frame."""
    shapes = load_shapes(country)
    if shapes is None:
        return None
    scale, left, top = shapes["fit"]
    x, y = project(FRAMES[country], longitude, latitude)
    found = (round(x * scale + left, 1), round(y * scale + top, 1))
    inside = 0 <= found[0] <= shapes["box"][0] and 0 <= found[1] <= shapes["box"][1]
    return found if inside else None


def frame_around(country: str, provinces: Sequence[str]) -> tuple[float, float, float, float] | None:
    """Left, top, width, height of the part that shows these provinces, not nearer than a third of the country; None for all."""
    shapes = load_shapes(country)
    boxes = [shapes["boxes"][code] for code in provinces if code in shapes["boxes"]] if shapes else []
    if shapes is None or not boxes or len(boxes) > len(shapes["boxes"]) / 2:
        return None
    left, top, right, bottom = (pick(box[side] for box in boxes) for side, pick in enumerate((min, min, max, max)))
    width, height = max(right - left, shapes["box"][0] / 3), max(bottom - top, shapes["box"][1] / 3)
    return ((left + right - width) / 2, (top + bottom - height) / 2, width, height)


def anchor(country: str, province: str) -> Point | None:
    """View-box coordinates of a province's middle; None where we have no outline."""
    shapes = load_shapes(country)
    found = shapes["anchors"].get(province) if shapes else None
    return (found[0], found[1]) if found else None


def project(frame: Frame, longitude: float, latitude: float) -> Point:
    """Lambert azimuthal equal-area (Snyder 1987, eq. 24-2 to 24-4) on the unit sphere, y downwards."""
    phi, middle = math.radians(latitude), math.radians(frame.latitude)
    turn = math.radians(longitude - frame.longitude)
    k = math.sqrt(2 / (1 + math.sin(middle) * math.sin(phi) + math.cos(middle) * math.cos(phi) * math.cos(turn)))
    return k * math.cos(phi) * math.sin(turn), -k * (
        math.cos(middle) * math.sin(phi) - math.sin(middle) * math.cos(phi) * math.cos(turn)
    )


def build_shapes(country: str, collection: dict[str, Any]) -> dict[str, Any]:
    """What `load_shapes` gives, from a GeoJSON feature collection with the property `iso`."""
    frame = FRAMES[country]
    features = [feature for feature in collection["features"] if feature["properties"]["iso"] not in frame.without]
    rings = {
        feature["properties"]["iso"]: [[project(frame, *p[:2]) for p in ring] for ring in _rings(feature)] for feature in features
    }
    points = [point for province in rings.values() for ring in province for point in ring]
    left, right = min(x for x, _ in points), max(x for x, _ in points)
    top, bottom = min(y for _, y in points), max(y for _, y in points)
    scale = WIDTH / (right - left)
    fit = [round(scale, 4), round(-left * scale, 4), round(-top * scale, 4)]
    paths = {code: _path([[_fit(point, fit) for point in ring] for ring in province]) for code, province in sorted(rings.items())}
    anchors = {
        code: _middle([_fit(point, fit) for point in max(province, key=_area)]) for code, province in sorted(rings.items())
    }
    boxes = {code: _box([_fit(point, fit) for ring in province for point in ring]) for code, province in sorted(rings.items())}
    return {"box": [WIDTH, math.ceil((bottom - top) * scale)], "fit": fit, "paths": paths, "anchors": anchors, "boxes": boxes}


def _rings(feature: dict[str, Any]) -> list[list[list[float]]]:
    geometry = feature["geometry"]
    polygons = [geometry["coordinates"]] if geometry["type"] == "Polygon" else geometry["coordinates"]
    return [ring for polygon in polygons for ring in polygon]


def _fit(point: Point, fit: list[float]) -> tuple[int, int]:
    """Whole view-box units: neighbours share their points, so rounding opens no gap between them."""
    return round(point[0] * fit[0] + fit[1]), round(point[1] * fit[0] + fit[2])


def _path(rings: list[list[tuple[int, int]]]) -> str:
    by_size = sorted(rings, key=_area, reverse=True)
    kept = [ring for index, ring in enumerate(by_size) if index == 0 or _area(ring) >= SMALLEST_RING]
    return "".join(_ring_path(ring) for ring in kept)


def _box(points: list[tuple[int, int]]) -> list[int]:
    """Left, top, right, bottom."""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return [min(xs), min(ys), max(xs), max(ys)]


def _middle(ring: list[tuple[int, int]]) -> list[int]:
    """The centroid of a ring's area."""
    pairs = list(zip(ring, ring[1:] + ring[:1], strict=True))
    crosses = [x * y2 - x2 * y for (x, y), (x2, y2) in pairs]
    weight = 3 * sum(crosses) or 1
    x_sum = sum((x + x2) * cross for ((x, _), (x2, _)), cross in zip(pairs, crosses, strict=True))
    y_sum = sum((y + y2) * cross for ((_, y), (_, y2)), cross in zip(pairs, crosses, strict=True))
    return [round(x_sum / weight), round(y_sum / weight)]


def _area(ring: Sequence[tuple[float, float]]) -> float:
    return abs(sum(x * y2 - x2 * y for (x, y), (x2, y2) in zip(ring, [*ring[1:], ring[0]], strict=True))) / 2


def _ring_path(ring: list[tuple[int, int]]) -> str:
    x, y = ring[0]
    steps = []
    for next_x, next_y in ring[1:]:
        if (next_x, next_y) != (x, y):
            steps.append(f"{next_x - x} {next_y - y}".replace(" -", "-"))
            x, y = next_x, next_y
    return f"M{ring[0][0]} {ring[0][1]}l{' '.join(steps).replace(' -', '-')}z"


def main() -> None:
    """Rebuild every packaged country."""
    folder = ASSETS.parent.parent / "data" / "geo"
    for country, frame in FRAMES.items():
        collection = json.loads((folder / frame.file).read_text(encoding="utf-8"))
        text = json.dumps(build_shapes(country, collection), separators=(",", ":"), sort_keys=True)
        (ASSETS / f"shapes_{country.lower()}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
