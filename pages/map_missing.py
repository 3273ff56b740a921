"""What the map cannot show: orders, warehouses and cities without a place, counted and listed, each with a way to them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from access import geography
from access.geography import CityPlace
from access.view import View
from components.format import count
from components.geo_map import Missing
from i18n import translate
from pages.links import link
from pages.map_areas import Row
from pages.map_cities import Dots
from pages.map_marks import Placed
from pages.map_question import LOWER, Question, provinces_here, without
from pages.wording import codes_in_order, name_of, names_of
from queries.query import Query

Line = tuple[str, str]
MOST_NAMED: Final = 6


def read_missing(view: View, question: Question, placed: dict[str, Placed], cities: Dots) -> Missing:
    """Everything of this view that has no place on this map."""
    lines: list[Line] = [
        *_provinces(view, question),
        *_warehouses(view, placed),
        *_cities(view, cities.lost),
        *_coordinates(view, placed),
        *_alerts(view, placed),
    ]
    language = view.language
    return Missing(title=translate(language, "map.missing"), empty=translate(language, "map.nothing_missing"), rows=tuple(lines))


def _provinces(view: View, question: Question) -> Iterable[Line]:
    """Regions without orders; orders of no province, of one without a boundary, and of other countries."""
    where = without(view, "country", *LOWER["region"])
    rows = view.run(Query(metrics=("order_count",), by=("country", "province"), where=where, window=view.window)).to_dicts()
    rows = [row for row in rows if row["order_count"]]
    language, known = view.language, geography.province_middles(question.country)
    yield from _quiet_regions(view, question, rows)
    unknown = sum(row["order_count"] for row in rows if row["province"] is None)
    if unknown:
        text = translate(language, "map.no_province", n=count(language, unknown))
        yield text, link(view, "/orders", province=(None,))
    for row in rows:
        if row["province"] and geography.country_of(row["province"]) in (None, question.country) and row["province"] not in known:
            name = name_of(language, "province", row["province"])
            text = translate(language, "map.no_boundary", name=name, n=count(language, row["order_count"]))
            yield text, link(view, "/orders", province=(row["province"],))
    yield from _other_countries(view, question, rows)


def _quiet_regions(view: View, question: Question, rows: Sequence[Row]) -> Iterable[Line]:
    """The regions in sight that no order goes to; where they are few of many nobody would miss them on the map."""
    regions = {geography.region_of_province(code) for code in provinces_here(view, question)} - {None}
    busy = {geography.region_of_province(row["province"]) for row in rows}
    quiet = codes_in_order("region", list(regions - busy))
    if question.level in ("country", "region") and quiet:
        names = names_of(view.language, "region", quiet, most=MOST_NAMED)
        yield translate(view.language, "map.no_region_orders", n=len(quiet), all=len(regions), names=names), ""


def _other_countries(view: View, question: Question, rows: Sequence[Row]) -> Iterable[Line]:
    totals: dict[str, int] = {}
    for row in rows:
        country = geography.country_of(row["province"]) or row["country"]
        if country and country != question.country:
            totals[country] = totals.get(country, 0) + row["order_count"]
    for country, n in sorted(totals.items(), key=lambda pair: -pair[1]):
        name = name_of(view.language, "country", country)
        changes = dict.fromkeys(LOWER["region"]) | {"country": country}
        text = translate(view.language, "map.other_country", name=name, n=count(view.language, n))
        yield text, link(view, "/map", **changes)


def _warehouses(view: View, placed: dict[str, Placed]) -> Iterable[Line]:
    """Warehouses without coordinates: of the columns their queue, of the arcs their orders."""
    for layer, key in (("warehouses", "map.no_warehouse_place"), ("lanes", "map.no_lane_start")):
        lost = sorted(placed.get(layer, Placed()).unplaced, key=lambda pair: -pair[1])
        if lost:
            codes = [code for code, _ in lost]
            names = names_of(view.language, "warehouse", codes, most=MOST_NAMED)
            total = count(view.language, sum(n for _, n in lost))
            text = translate(view.language, key, names=names, warehouses=len(lost), n=total)
            yield text, link(view, "/orders", warehouse=tuple(codes[:50]))


def _cities(view: View, lost: Sequence[CityPlace]) -> Iterable[Line]:
    for verdict in ("ambiguous", "elsewhere", "unknown"):
        places = [place for place in lost if place.verdict == verdict]
        if places:
            names = names_of(view.language, "city", [place.city for place in places], most=MOST_NAMED)
            total = count(view.language, sum(place.order_count for place in places))
            text = translate(view.language, f"map.city_{verdict}", names=names, n=total)
            yield text, link(view, "/orders", city=tuple(place.city for place in places[:50]))


def _coordinates(view: View, placed: dict[str, Placed]) -> Iterable[Line]:
    for layer, metric in (("late", "late_rate"), ("complaints", "complaint_count")):
        n = placed.get(layer, Placed()).missing
        if n:
            text = translate(view.language, f"map.no_coordinates_{layer}", n=count(view.language, n))
            yield text, link(view, "/orders", metric=metric, part="bad")


def _alerts(view: View, placed: dict[str, Placed]) -> Iterable[Line]:
    """Alerts of a whole region, a carrier or the whole house."""
    lost = placed.get("incidents", Placed()).unplaced
    if lost:
        names = (", " if view.language == "en" else "、").join(rule for rule, _ in lost[:MOST_NAMED])
        yield translate(view.language, "map.no_alert_place", n=sum(n for _, n in lost), names=names), ""
