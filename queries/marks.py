"""Where the orders of a list go, as marks for a map: summed up in hexagons, or by city, by the engine."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Final

from queries.build import Statement
from queries.compose import Composed
from queries.fragment import named, select
from queries.listing import Listing, Moment, check_listing, shape_of, statement_of
from queries.listing_compose import ListingShape, composed_of, listed_rows

WORLD: Final = 512.0
"""The side of the world in Web Mercator's common units, in which hexagons have one size everywhere on the screen."""

MOST_MARKS: Final = 5_000
"""So many marks at most; the smallest are left out, and the answer's `order_total` tells how many orders there are."""

X: Final = f"longitude / 360.0 * {WORLD}"
Y: Final = f"LN(TAN(PI() / 4 + RADIANS(GREATEST(-85.0, LEAST(85.0, latitude))) / 2)) / (2 * PI()) * {WORLD}"
COLUMNS: Final = frozenset({"latitude", "longitude"})
KNOWN: Final = "latitude BETWEEN -90 AND 90 AND longitude BETWEEN -180 AND 180"


def build_hexagons(listing: Listing, moment: Moment, *, radius: float) -> Statement:
    """How many of the list's rows lie in each hexagon of this radius (common units), the fullest first.

    Columns: longitude, latitude of the middle (null, null: rows without usable coordinates), order_count, order_total.
    Raises QueryError for what cannot be listed.
    """
    check_listing(listing)
    shape, values = shape_of(listing, moment)
    sizes = {"hex_width": math.sqrt(3) * radius, "hex_height": 3.0 * radius}
    return statement_of(_compose_hexagons(shape), values | sizes, shape, moment)


def build_cities(listing: Listing, moment: Moment) -> Statement:
    """How many of the list's rows each city has, the most first, and the middle of those with usable coordinates.

    Columns: province, city, longitude, latitude, order_count. Raises QueryError for what cannot be listed.
    """
    check_listing(listing)
    shape, values = shape_of(listing, moment)
    return statement_of(_compose_cities(shape), values, shape, moment)


@lru_cache(maxsize=256)
def _compose_hexagons(shape: ListingShape) -> Composed:
    """Two lattices of rectangles, half a step apart: the nearer of a point's two nodes is the middle of its hexagon."""
    rows = listed_rows(shape, COLUMNS)
    width, height = "$hex_width", "$hex_height"
    places = rows.answer.select(*(named(f"CASE WHEN {KNOWN} THEN {sql} END", name) for name, sql in (("x", X), ("y", Y))))
    nodes = {
        "ax": f"ROUND(x / {width}) * {width}",
        "ay": f"ROUND(y / {height}) * {height}",
        "bx": f"(ROUND(x / {width} - 0.5) + 0.5) * {width}",
        "by": f"(ROUND(y / {height} - 0.5) + 0.5) * {height}",
    }
    near = "(x - ax) * (x - ax) + (y - ay) * (y - ay) <= (x - bx) * (x - bx) + (y - by) * (y - by)"
    answer = (
        select("x", "y", *(f"{sql} AS {name}" for name, sql in nodes.items())).from_(places.subquery("places")).subquery("nodes")
    )
    middles = select(f"CASE WHEN {near} THEN ax ELSE bx END AS hx", f"CASE WHEN {near} THEN ay ELSE by END AS hy").from_(answer)
    figures = select(
        f"hx / {WORLD} * 360.0 AS longitude",
        f"DEGREES(2 * ATAN(EXP(hy / {WORLD} * 2 * PI())) - PI() / 2) AS latitude",
        "COUNT(*) AS order_count",
        "CAST(SUM(COUNT(*)) OVER () AS BIGINT) AS order_total",
    ).from_(middles.subquery("middles"))
    figures = figures.group_by("hx", "hy").order_by("order_count DESC", "longitude NULLS FIRST", "latitude").limit(MOST_MARKS + 1)
    return composed_of(figures, rows, shape)


@lru_cache(maxsize=256)
def _compose_cities(shape: ListingShape) -> Composed:
    rows = listed_rows(shape, COLUMNS | {"city", "province_code"})
    chosen = {
        "province": "province_code",
        "city": "city",
        "longitude": f"AVG(longitude) FILTER (WHERE {KNOWN})",
        "latitude": f"AVG(latitude) FILTER (WHERE {KNOWN})",
        "order_count": "COUNT(*)",
    }
    answer = rows.answer.select(*(named(sql, name) for name, sql in chosen.items()), copy=False)
    answer = answer.group_by("province_code", "city", copy=False)
    ordered = answer.order_by("order_count DESC", "city NULLS LAST", "province NULLS LAST", copy=False).limit(MOST_MARKS)
    return composed_of(ordered, rows, shape)
