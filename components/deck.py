"""The map's layers as pydeck describes them, and pydeck's own drawing library, which the app serves itself.

No tiles and no other host: `map_provider=None`. Data is not in here: every layer's marks come beside it as plain rows
with the same fields (`at`, `tip`, `fill`, `line`, `width` …), so that text from data is never taken for an expression.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import pydeck
from pydeck.types import String

from components.tokens import FONT_STACK

LIBRARY: Final = Path(pydeck.__file__).resolve().parent / "nbextension" / "static" / "index.js"
LIBRARY_VERSION: Final = str(pydeck.__version__)

MOST_MARKS: Final = 5_000
"""Objects a layer may hold; what is more is summed up before it comes here."""

PICKABLE: Final = ("areas", "late", "lanes", "complaints", "cities", "warehouses", "incidents")
"""The layers that answer to the pointer, from the ground up."""
LAYERS: Final = ("outline", "areas", "hatch", *PICKABLE[1:], "labels")

FLAT: Final = {"depthCompare": "always"}
"""What lies on the ground is drawn in the order of the layers."""


@lru_cache(maxsize=64)
def describe_deck(*, hexagon: float, column: float, height: float) -> str:
    """Every layer, without data, as the JSON that deck.gl reads.

    `hexagon` is a hexagon's radius in common units, `column` a warehouse column's radius in metres, `height` the metres of
    the tallest one (rows carry 0–1).
    """
    pixels, world = String("pixels"), String("common")
    polygons: dict[str, Any] = {
        "get_fill_color": "properties.fill",
        "get_line_color": "properties.line",
        "get_line_width": "properties.width",
        "line_width_units": pixels,
        "line_width_min_pixels": 0.6,
        "parameters": FLAT,
    }
    rings: dict[str, Any] = {
        "get_position": "at",
        "get_radius": "size",
        "radius_units": pixels,
        "stroked": True,
        "billboard": True,
        "get_line_color": "line",
        "get_line_width": "width",
        "line_width_units": pixels,
        "parameters": FLAT,
    }
    columns: dict[str, Any] = {"get_position": "at", "get_fill_color": "fill"}
    layers = [
        _layer("GeoJsonLayer", "outline", **polygons),
        _layer("GeoJsonLayer", "areas", **polygons),
        _layer(
            "LineLayer", "hatch", get_source_position="from", get_target_position="to", get_color="line", get_width=1.2,
            width_units=pixels, parameters=FLAT,
        ),
        _layer(
            "ColumnLayer", "late", **columns, disk_resolution=6, angle=30, radius=hexagon, radius_units=world, extruded=False, material=False,
            coverage=0.94, parameters=FLAT,
        ),
        _layer(
            "ArcLayer", "lanes", get_source_position="at", get_target_position="to", get_source_color="fill",
            get_target_color="fill", get_width="width", width_units=pixels, get_height=0.32, get_tilt=16,
        ),
        _layer("ScatterplotLayer", "complaints", **rings, filled=False),
        _layer("ScatterplotLayer", "cities", **rings, get_fill_color="fill"),
        _layer(
            "ColumnLayer", "warehouses", **columns, disk_resolution=14, radius=column, extruded=True, get_elevation="size",
            elevation_scale=height,
        ),
        _layer("ScatterplotLayer", "incidents", **rings, filled=False),
        _layer(
            "TextLayer", "labels", get_position="at", get_text="text", get_color="fill", get_size="size", size_units=pixels,
            font_family=String(FONT_STACK), font_weight=500, character_set=String("auto"),
            font_settings={"fontSize": 36, "buffer": 4}, background=True, get_background_color="ground", background_padding=[5, 2],
            background_border_radius=4, get_pixel_offset="offset", parameters=FLAT,
        ),
    ]  # fmt: skip
    described: dict[str, Any] = json.loads(pydeck.Deck(layers=layers, map_provider=None, initial_view_state=None).to_json())
    return json.dumps({"layers": described["layers"]}, separators=(",", ":"))


def _layer(kind: str, name: str, **settings: Any) -> pydeck.Layer:  # noqa: ANN401 - a layer's settings are as many kinds
    is_pickable = name in PICKABLE
    return pydeck.Layer(kind, data=[], id=name, pickable=is_pickable, auto_highlight=is_pickable and name != "areas", **settings)
