"""The wall's map: share of late orders by province, and the lanes with most late orders."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from access.view import View
from access.warehouse_places import warehouse_places
from components.board import Area, City, CountryMap, Lane, State
from components.format import count, percent
from components.heat import Legend, step_of
from components.shapes import Point, anchor, frame_around, load_shapes, place
from i18n import translate
from pages.links import link
from pages.wording import judge, name_of
from queries.query import Query

WORST_SHARE: Final = 0.30
MOST_LANES: Final = 7
SHORTEST_LANE: Final = 55.0
"""View-box units under which an arc would be a dot."""
THINNEST, WIDEST = 1.6, 5.0


def main_country(view: View) -> str | None:
    """The country most orders in sight go to, empty where no order tells of one; None without orders."""
    asked = Query(metrics=("order_count",), by=("country",), where=view.filters, window=view.window)
    rows = [row for row in view.run(asked).to_dicts() if row["order_count"]]
    named = [row for row in rows if row["country"]]
    if not named:
        return "" if rows else None
    return str(max(named, key=lambda row: row["order_count"])["country"])


def read_map(view: View, country: str) -> CountryMap:
    """The country's provinces and busiest late lanes in this view."""
    language = view.language
    asked = Query(metrics=("late_rate",), by=("province",), where=view.filters, window=view.window)
    found = {row["province"]: row for row in view.run(asked).to_dicts()}
    shapes = load_shapes(country) or {"paths": {}}
    areas = tuple(_area(view, code, found.get(code)) for code in shapes["paths"])
    lanes, cities = _lanes(view, country)
    high = percent(language, WORST_SHARE, 0)
    range_, few = translate(language, "wall.map.range", high=high), translate(language, "wall.heat.few")
    ranked = sorted((area for area in areas if area.kind == "value"), key=lambda area: -area.step)
    worst = ", ".join(name_of(language, "province", area.code) for area in ranked[:3])
    return CountryMap(
        title=translate(language, "wall.map.title"),
        scope=translate(language, "wall.map.scope"),
        spoken=translate(language, "wall.map.spoken", worst=worst),
        no_shapes=translate(language, "wall.map.no_shapes"),
        credit=translate(language, "wall.map.credit"),
        legend=Legend(range=range_, few=few, spoken=f"{range_}, {few}"),
        box=frame_around(country, [area.code for area in areas if area.kind != "gap"]),
        areas=areas,
        lanes=lanes,
        cities=cities,
    )


def _area(view: View, code: str, row: Mapping[str, Any] | None) -> Area:
    language, name = view.language, name_of(view.language, "province", code)
    n = row["late_rate_n"] if row else 0
    if row is None or not n:
        return Area(code=code, kind="gap", step=0, tip=translate(language, "wall.map.area_none", name=name))
    if n < view.targets.at(view.as_of, view.zone).minimum_count:
        return Area(code=code, kind="few", step=0, tip=translate(language, "wall.map.area_few", name=name, n=n))
    tip = translate(language, "wall.map.area", name=name, share=percent(language, row["late_rate"]), n=count(language, n))
    return Area(code=code, kind="value", step=step_of(row["late_rate"], 0, WORST_SHARE), tip=tip, href=_drill(view, code))


def _drill(view: View, province: str) -> str:
    return link(view, "/drill", metric="late_rate", province=province)


def _lanes(view: View, country: str) -> tuple[tuple[Lane, ...], tuple[City, ...]]:
    """The lanes with most late orders whose ends we can place, widest first, and the warehouses they start from."""
    places = warehouse_places(view.reading.settings)
    if not places:
        return (), ()
    asked = Query(metrics=("late_rate",), by=("lane",), where=view.filters, window=view.window)
    minimum = view.targets.at(view.as_of, view.zone).minimum_count
    rows = [row for row in view.run(asked).to_dicts() if row["lane"] and row["late_rate"] and row["late_rate_n"] >= minimum]
    rows.sort(key=lambda row: -row["late_rate"] * row["late_rate_n"])
    ends = {row["lane"]: _ends(country, row["lane"], places) for row in rows[: 20 * MOST_LANES]}
    drawn = [row for row in rows if ends.get(row["lane"])][:MOST_LANES]
    most = max((row["late_rate"] * row["late_rate_n"] for row in drawn), default=1)
    lanes = tuple(lane for row in drawn if (lane := _lane(view, row, ends[row["lane"]], most)))
    return lanes, _cities(view, country, drawn, places)


def _ends(country: str, lane: str, places: Mapping[str, tuple[float, float]]) -> tuple[Point, Point] | None:
    warehouse, _, province = lane.partition(">")
    start = place(country, *places[warehouse]) if warehouse in places else None
    end = anchor(country, province)
    return (start, end) if start and end and math.dist(start, end) >= SHORTEST_LANE else None


def _lane(view: View, row: Mapping[str, Any], ends: tuple[Point, Point] | None, most: float) -> Lane | None:
    if ends is None:
        return None
    language, late = view.language, row["late_rate"] * row["late_rate_n"]
    warehouse, _, province = row["lane"].partition(">")
    tones: dict[str | None, State] = {"critical": "critical", "warning": "warning"}
    tip = translate(
        language,
        "wall.map.lane",
        start=name_of(language, "warehouse", warehouse),
        end=name_of(language, "province", province),
        share=percent(language, row["late_rate"]),
        n=count(language, row["late_rate_n"]),
        late=count(language, late),
    )
    tone = tones.get(
        judge("late_rate", row["late_rate"], view.targets.at(view.as_of, view.zone).target_of("late_rate")), "neutral"
    )
    width = round(THINNEST + (WIDEST - THINNEST) * late / most, 1)
    href = link(view, "/drill", metric="late_rate", lane=(row["lane"],))
    return Lane(start=ends[0], end=ends[1], tone=tone, width=width, tip=tip, href=href)


def _cities(view: View, country: str, drawn: list[Any], places: Mapping[str, tuple[float, float]]) -> tuple[City, ...]:
    found: dict[str, City] = {}
    for row in drawn:
        warehouse, _, _ = row["lane"].partition(">")
        point = place(country, *places[warehouse])
        if point and warehouse not in found:
            name, href = name_of(view.language, "warehouse", warehouse), link(view, "/drill", warehouse=(warehouse,))
            tip = translate(view.language, "wall.map.city", name=name)
            found[warehouse] = City(name=name, x=point[0], y=point[1], is_big=not found, tip=tip, href=href)
    return tuple(found.values())
