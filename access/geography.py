"""What a map needs to know of places: boxes and middles of boundaries, where cities and warehouses are, marks of orders."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from access.view import View
from access.warehouse_places import warehouse_places
from data.city import resolve_city
from data.outline import Box, Point, box_of, edition_of, holds, middles, outlines
from data.places import MAP_CREDITS, country_of_province, provinces, region_of
from queries.listing import Listing
from queries.marks import build_cities, build_hexagons

CityVerdict = Literal["found", "ambiguous", "unknown", "elsewhere"]


@dataclass(frozen=True, kw_only=True)
class CityPlace:
    """A city of orders: where it is (the middle of its orders, else its seat), or why nobody knows."""

    province: str | None
    city: str | None
    order_count: int
    verdict: CityVerdict
    point: Point | None = None
    names: tuple[str, str] = ("", "")


def map_credits() -> tuple[str, ...]:
    """Whose work the boundaries and coordinates are."""
    return MAP_CREDITS


def has_boundaries(country: str) -> bool:
    """Whether boundaries of the country are packaged."""
    return bool(outlines(country))


def boundary_edition(country: str) -> str:
    """A word that changes when the country's boundaries do."""
    return edition_of(country)


def province_middles(country: str) -> Mapping[str, Point]:
    """The middle of each province's largest part."""
    return middles(country)


def frame_box(country: str, codes: Iterable[str] = ()) -> Box | None:
    """The box of these provinces, or of the whole country; None where no boundary is known."""
    return box_of(country, codes)


def country_of(province: str | None) -> str | None:
    """The country of a province's code."""
    return country_of_province().get(province or "")


def region_of_province(province: str | None) -> str | None:
    """The region of a province's code."""
    return region_of(province)


def country_of_regions(regions: Iterable[str]) -> str | None:
    """The country of the first of these regions that is known."""
    known = {entry.region_code: entry.country_code for entry in provinces()}
    return next((known[code] for code in regions if code in known), None)


def provinces_of(country: str, regions: Iterable[str]) -> tuple[str, ...]:
    """The provinces of these regions of a country, in the order of the registry."""
    wanted = set(regions)
    return tuple(entry.code for entry in provinces() if entry.country_code == country and entry.region_code in wanted)


def provinces_in_sight(view: View, country: str) -> frozenset[str]:
    """The provinces whose figures the user may see; an unknown region is nobody's but those' who see everything."""
    known = (entry for entry in provinces() if entry.country_code == country)
    return frozenset(entry.code for entry in known if view.scope.everything or entry.region_code in view.scope.regions)


def places_of_warehouses(view: View) -> Mapping[str, Point]:
    """Longitude and latitude of each warehouse that has coordinates."""
    return {code: (longitude, latitude) for code, (latitude, longitude) in warehouse_places(view.reading.settings).items()}


def count_hexagons(view: View, listing: Listing, radius: float) -> list[dict[str, Any]]:
    """The orders of a list by hexagon (`queries.marks.build_hexagons`)."""
    return view.from_memory(lambda horizon: view.ask(build_hexagons(listing, view.moment(horizon), radius=radius))).to_dicts()


def locate_cities(view: View, listing: Listing, country: str) -> list[CityPlace]:
    """The cities of a list's orders, the busiest first, each located or with the reason why not.

    A city's own orders say where it is; where they have no coordinates its name does. Coordinates that lie outside the
    province the orders name are reported (`elsewhere`) and not drawn.
    """
    found = view.from_memory(lambda horizon: view.ask(build_cities(listing, view.moment(horizon))))
    return [_locate(row, country) for row in found.to_dicts()]


def _locate(row: Mapping[str, Any], country: str) -> CityPlace:
    province, word = row["province"], row["city"]
    point = None if row["latitude"] is None else (row["longitude"], row["latitude"])
    is_elsewhere = point is not None and province is not None and not _is_inside(country, province, point)
    resolved = resolve_city(word, province, None if is_elsewhere else point, country=country)
    city, own = resolved.city, None if is_elsewhere else point
    place = CityPlace(province=province, city=word, order_count=row["order_count"], verdict="found")
    if city:
        return replace(place, point=own or (city.longitude, city.latitude), names=(city.name, city.name_zh))
    if own:
        return replace(place, point=own)
    return replace(place, verdict="ambiguous" if resolved.verdict == "ambiguous" else "elsewhere" if is_elsewhere else "unknown")


def _is_inside(country: str, province: str, point: Point) -> bool:
    """Inside the simplified boundary, or as near to it as a boundary's simplification and a coast may take a city."""
    longitude, latitude = point
    around = ((0.0, 0.0), (0.4, 0.0), (-0.4, 0.0), (0.0, 0.4), (0.0, -0.4))
    if province not in outlines(country):
        return True
    return any(holds(country, province, (longitude + x, latitude + y)) for x, y in around)
