"""What stands on the map's provinces: warehouses, lanes, late orders, complaints, what is beyond its limit, and cities."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from access import geography
from access.view import View
from components.format import count, percent
from components.geo_map import Mark
from components.heat import step_around, step_of
from i18n import translate
from pages.figures import figure, metric_name, plain
from pages.heat_paint import distance
from pages.map_areas import Row, is_few
from pages.map_question import OWN, Box, Question, chosen, without
from pages.wording import name_of
from queries.listing import Listing
from queries.query import Query

THINNEST, WIDEST = 0.8, 7.0
"""Pixels of a lane's width."""
WORST_SHARE: Final = 0.30
LEAST_WARM: Final = 0.3
"""What is beyond its target can be told from what is not, however little it is."""
WARM_FROM: Final = 13
"""The step of the scale from which a lane or a column is warm; below it would be too dark to be seen."""
LOW: Final = 0.03
"""A column's least height, so that a warehouse without a queue can still be seen and chosen."""
MARKS_ACROSS: Final = 62
"""How many hexagons lie across the map."""
SMALLEST_HEXAGON: Final = 0.004
RING, WIDE_RING = 5.0, 15.0


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A layer's marks, and how many orders (by reason) could not be placed; `most` is what its largest mark stands for."""

    marks: tuple[Mark, ...] = ()
    most: float = 0
    missing: int = 0
    unplaced: tuple[tuple[str, int], ...] = ()
    total: int = 0


def tone_of(share: float) -> str:
    """The ink of a share without a target: volume's own colour while it is small, the warm end of the scale where it matters."""
    step = step_of(share, 0, WORST_SHARE)
    return "progress" if step < WARM_FROM else f"s{step}"


def tone_against(metric: str, value: float, target: float | None) -> str:
    """The ink of a figure against its target: volume's own colour within it, the warmer the further beyond."""
    if target is None:
        return tone_of(value)
    far = distance(metric, value, target)
    return "progress" if far <= 0 else f"d{step_around(max(LEAST_WARM, far))}"


def hexagon_radius(box: Box) -> float:
    """A hexagon's radius in common units, so that about as many lie across every box."""
    return max(SMALLEST_HEXAGON, (box[2] - box[0]) / 360 * 512 / MARKS_ACROSS / math.sqrt(3))


def read_warehouses(view: View, question: Question) -> Placed:
    """A column per warehouse: as high as its queue of unshipped orders, coloured by the share that is past its time to ship."""
    places = geography.places_of_warehouses(view)
    rows = [row for row in warehouse_rows(view) if row["warehouse"] and row["undispatched_count"]]
    most = max((row["undispatched_count"] for row in rows if row["warehouse"] in places), default=0)
    picked = chosen(view, "warehouse")
    marks = tuple(_column(view, row, places[row["warehouse"]], most, picked) for row in rows if row["warehouse"] in places)
    lost = tuple((row["warehouse"], int(row["undispatched_count"])) for row in rows if row["warehouse"] not in places)
    return Placed(marks=marks, most=most, unplaced=lost)


def warehouse_rows(view: View) -> list[Row]:
    """Every warehouse's queue, what of it is past its time, and, in windows with a start, what comes in and goes out."""
    metrics: tuple[str, ...] = ("undispatched_count", "overdue_ship_count")
    if view.window.start is not None:
        metrics = (*metrics, "arrival_rate_per_hour", "ship_rate_per_hour")
    asked = Query(metrics=metrics, by=("warehouse",), where=without(view, *OWN["warehouse"]), window=view.window)
    return view.run(asked).to_dicts()


def overdue_share(row: Row) -> float:
    """The share of a warehouse's queue that should have been shipped already."""
    return min(1.0, (row["overdue_ship_count"] or 0) / row["undispatched_count"]) if row["undispatched_count"] else 0.0


def utilisation(row: Row) -> float | None:
    """Orders coming in per order going out; None where nothing goes out or the window has no start."""
    out = plain(row.get("ship_rate_per_hour"))
    return (plain(row["arrival_rate_per_hour"]) or 0.0) / out if out else None


def warehouse_lines(view: View, row: Row) -> list[str]:
    """A warehouse's queue in words."""
    language, load = view.language, utilisation(row)
    lines = [
        name_of(language, "warehouse", row["warehouse"]),
        translate(language, "map.queue", n=count(language, row["undispatched_count"])),
        translate(language, "map.overdue", share=percent(language, overdue_share(row), 0)),
    ]
    if load is not None:
        rates = {name: figure(language, name, plain(row[name])) for name in ("arrival_rate_per_hour", "ship_rate_per_hour")}
        texts = {"arriving": rates["arrival_rate_per_hour"], "leaving": rates["ship_rate_per_hour"]}
        lines.append(translate(language, "map.utilisation", load=percent(language, load, 0), **texts))
    if not view.scope.everything:
        lines.append(translate(language, "map.own_orders"))
    return lines


def _column(view: View, row: Row, at: tuple[float, float], most: int, picked: Sequence[str]) -> Mark:
    few = row["undispatched_count"] < view.targets.at(view.as_of, view.zone).minimum_count
    is_chosen = row["warehouse"] in picked
    return Mark(
        at=at,
        ink="hatch" if few else "accent" if is_chosen else tone_of(overdue_share(row)),
        tip="\n".join(warehouse_lines(view, row)),
        size=round(max(LOW, row["undispatched_count"] / most), 3),
        code=row["warehouse"],
        alpha=90 if picked and not is_chosen else 235,
        is_chosen=is_chosen,
    )


def read_lanes(view: View, question: Question) -> Placed:
    """The lanes with most orders as arcs: as wide as their orders, coloured by the share that is late."""
    places, middles = geography.places_of_warehouses(view), geography.province_middles(question.country)
    rows = lane_rows(view)
    ends = {row["lane"]: lane_ends(row["lane"], places, middles) for row in rows}
    drawn = sorted((row for row in rows if ends[row["lane"]]), key=lambda row: -row["late_rate_n"])
    busiest = drawn[: question.lanes]
    most = max((row["late_rate_n"] for row in busiest), default=0)
    picked = chosen(view, "lane")
    marks = tuple(_arc(view, row, ends[row["lane"]], most, picked) for row in reversed(busiest))
    lost: dict[str, int] = {}
    for row in rows:
        warehouse, _, province = row["lane"].partition(">")
        if not ends[row["lane"]] and warehouse not in places and geography.country_of(province) == question.country:
            lost[warehouse] = lost.get(warehouse, 0) + int(row["late_rate_n"])
    return Placed(marks=marks, most=most, unplaced=tuple(lost.items()), total=len(drawn))


def lane_rows(view: View) -> list[Row]:
    """Every lane with orders due in the window."""
    asked = Query(metrics=("late_rate",), by=("lane",), where=without(view, "lane"), window=view.window, compare=("target",))
    return [row for row in view.run(asked).to_dicts() if row["lane"] and row["late_rate_n"]]


Ends = tuple[tuple[float, float], tuple[float, float]]


def lane_ends(lane: str, places: Mapping[str, tuple[float, float]], middles: Mapping[str, tuple[float, float]]) -> Ends | None:
    """Where a lane starts and ends; None where either is nowhere on this map."""
    warehouse, _, province = lane.partition(">")
    return (places[warehouse], middles[province]) if warehouse in places and province in middles else None


def _arc(view: View, row: Row, ends: Ends | None, most: int, picked: Sequence[str]) -> Mark:
    language, few = view.language, is_few(view, "late_rate", row)
    start, end = ends or ((0.0, 0.0), (0.0, 0.0))
    is_chosen = row["lane"] in picked
    value = percent(language, row["late_rate"])
    lines = [name_of(language, "lane", row["lane"]), f"{metric_name(language, 'late_rate')} {value}"]
    one = row["late_rate_n"] == 1
    lines.append(
        translate(language, "map.one_order") if one else translate(language, "wall.tip.n", n=count(language, row["late_rate_n"]))
    )
    if few and not one:
        lines.append(translate(language, "wall.note.few", n=row["late_rate_n"]))
    return Mark(
        at=start,
        to=end,
        ink="hatch" if few else tone_against("late_rate", row["late_rate"], plain(row.get("late_rate_target"))),
        tip="\n".join(lines),
        width=round(THINNEST + (WIDEST - THINNEST) * math.sqrt(row["late_rate_n"] / most), 1),
        code=row["lane"],
        alpha=50 if picked and not is_chosen else 120 if few else 215,
        is_chosen=is_chosen,
    )


def read_late(view: View, box: Box) -> Placed:
    """The late orders of the window, summed up in hexagons."""
    listing = Listing(metric="late_rate", part="bad", where=view.filters, window=view.window)

    def mark(row: Row, most: int) -> Mark:
        tip = translate(view.language, "map.late_here", n=count(view.language, row["order_count"]))
        step = step_of(math.log1p(row["order_count"]), 0, math.log1p(most))
        return Mark(at=_at(row), ink=f"s{max(6, step)}", tip=tip, alpha=215)

    return _marks(view, listing, hexagon_radius(box), mark)


def read_complaints(view: View, box: Box) -> Placed:
    """The complaints of the window as rings, larger where there are more."""
    listing = Listing(metric="complaint_count", where=view.filters, window=view.window)

    def mark(row: Row, most: int) -> Mark:
        size = RING + (WIDE_RING - RING) * math.sqrt((row["order_count"] - 1) / max(1, most - 1))
        tip = translate(view.language, "map.complaints_here", n=count(view.language, row["order_count"]))
        return Mark(at=_at(row), ink="secondary", tip=tip, size=round(size, 1), width=1.5, alpha=230)

    return _marks(view, listing, 1.6 * hexagon_radius(box), mark)


def _marks(view: View, listing: Listing, radius: float, mark: Callable[[Row, int], Mark]) -> Placed:
    rows = geography.count_hexagons(view, listing, radius)
    placed = [row for row in rows if row["latitude"] is not None][:5_000]
    most = max((row["order_count"] for row in placed), default=0)
    total = rows[0]["order_total"] if rows else 0
    lost = sum(row["order_count"] for row in rows if row["latitude"] is None)
    return Placed(marks=tuple(mark(row, most) for row in placed), most=most, missing=lost, total=total)


def _at(row: Row) -> tuple[float, float]:
    return round(row["longitude"], 4), round(row["latitude"], 4)
