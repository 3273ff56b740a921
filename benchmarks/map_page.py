"""The map in a real browser: cold against a Streamlit page of eight figures, and from a click to the whole page narrowed."""

from __future__ import annotations

import json
from collections import defaultdict
from functools import partial
from statistics import median
from typing import Final

from playwright.sync_api import Browser, Page

from access.reading import Reading
from benchmarks.browser import FLOOR, Part, cold_context, opened_browser, seconds_to_draw, settle, wait_until_drawn
from benchmarks.figure import Figure, Trial, Unit
from benchmarks.lakes import MEMORY_LIMIT, lake_home
from benchmarks.page import serve_floor
from benchmarks.wall_server import BUDGET_CACHED, BUDGET_UNCACHED, LEAD, MANAGER, medians, view_of
from components.geo_map import map_payload
from pages.map import read_page
from tests.serving import Served, serve

ROUNDS: Final = 3
MAP: Final[tuple[Part, ...]] = (
    (".deck[data-state=drawn] canvas", 1, ""),
    (".ranking tbody tr", 20, ""),
    (".figures .value", 6, ""),
)
EVERYTHING: Final = "layers=areas,late,lanes,warehouses,complaints,incidents&lanes=800"
PLACES: Final = ("Jiangsu", "Guangdong", "Sichuan")
BUDGETS: Final = {
    "cold_over_floor": 2.5,
    "payload": 1_000_000,
    "click_to_narrowed_seconds": 1.5,
    "uncached": BUDGET_UNCACHED,
    "cached": BUDGET_CACHED,
}
UNITS: Final[dict[str, Unit]] = {"cold_over_floor": "ratio", "payload": "bytes"}
Measured = dict[str, list[float]]


def measure(trial: Trial) -> list[Figure]:
    """Server times and payload with every layer on, then the browser: medians of three rounds."""
    settings, measured = lake_home(trial), defaultdict[str, list[float]](list)
    _measure_server(Reading(settings), measured, trial.rounds)
    with (
        opened_browser() as browser,
        serve(settings.home, CONTROL_ROOM_MEMORY_LIMIT=MEMORY_LIMIT) as served,
        serve_floor(trial.out) as floor,
    ):
        settle(served)
        for _ in range(ROUNDS):
            _measure_cold(browser, served, floor, measured)
        _measure_clicks(browser, served, measured)
    return [_figure(name, median(values)) for name, values in measured.items()]


def _figure(name: str, value: float) -> Figure:
    return Figure(name=name, value=value, unit=UNITS.get(name, "seconds"), budget=BUDGETS.get(name))


def _measure_server(reading: Reading, measured: Measured, rounds: int) -> None:
    """As in the running interface the recent orders are in memory."""
    asked = {"layers": ["areas,late,lanes,warehouses,complaints,incidents"], "lanes": ["800"], "span": ["24h"]}
    try:
        reading.keep_up()
        for name, user in (("", MANAGER), ("lead_", LEAD)):
            view = view_of(reading, user)
            uncached, cached = medians(reading, partial(read_page, view, {}), rounds)
            measured[f"{name}uncached"], measured[f"{name}cached"] = [uncached], [cached]
        payload = map_payload(read_page(view_of(reading, MANAGER), asked))
        measured["payload"] = [float(len(json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()))]
    finally:
        reading.close()


def _measure_cold(browser: Browser, served: Served, floor: str, measured: Measured) -> None:
    with cold_context(browser) as context:
        below = seconds_to_draw(context.new_page(), floor, FLOOR)
    with cold_context(browser, url=served.url, cookie=served.sign_in("manager")) as context:
        seconds = seconds_to_draw(context.new_page(), f"{served.url}/map", MAP)
    measured["cold_seconds"].append(seconds)
    measured["cold_over_floor"].append(seconds / below)


def _measure_clicks(browser: Browser, served: Served, measured: Measured) -> None:
    with cold_context(browser, url=served.url, cookie=served.sign_in("manager")) as context:
        page = context.new_page()
        for place in PLACES:
            seconds_to_draw(page, f"{served.url}/map?{EVERYTHING}", MAP)
            measured["click_to_narrowed_seconds"].append(_click(page, place))


def _click(page: Page, place: str) -> float:
    """Seconds from the click on a province until path, figures, list and map are its own."""
    page.locator(".ranking tbody a", has_text=place).first.click()
    clicked = float(page.evaluate("globalThis.clickedAt")) / 1000
    parts = (
        ("nav.crumbs [aria-current]", 1, place),
        (".deck[data-state=drawn]:not([data-busy])", 1, ""),
        (".ranking tbody tr", 1, ""),
    )
    return wait_until_drawn(page, parts) - clicked
