"""Heatmaps in a real browser: from the click on a cell to its figure, and to the whole panel."""

from __future__ import annotations

from collections import defaultdict
from itertools import product
from statistics import median
from typing import Final

from playwright.sync_api import Browser, Page

from benchmarks.browser import Part, cold_context, opened_browser, seconds_to_draw, settle, wait_until_drawn
from benchmarks.figure import Figure, Trial
from benchmarks.lakes import MEMORY_LIMIT, lake_home
from tests.serving import Served, serve

GRID: Final[tuple[Part, ...]] = ((".plane td.cell", 40, ""),)
BUDGETS: Final = {"click_to_figure_seconds": 0.5, "click_to_panel_cached_seconds": 0.5}
STAGES: Final = ("accepted", "picked", "packed")
REGIONS: Final = ("CN-EAST", "CN-SOUTH", "CN-NORTH")


def measure(trial: Trial) -> list[Figure]:
    """Medians of nine cells: the figure, the panel asked for the first time, and the same panel asked again."""
    home, measured = lake_home(trial).home, defaultdict[str, list[float]](list)
    with opened_browser() as browser, serve(home, CONTROL_ROOM_MEMORY_LIMIT=MEMORY_LIMIT) as served:
        settle(served)
        _open_all(browser, served, measured)
    return [
        Figure(name=name, value=median(values), unit="seconds", budget=BUDGETS.get(name)) for name, values in measured.items()
    ]


def _open_all(browser: Browser, served: Served, measured: dict[str, list[float]]) -> None:
    with cold_context(browser, url=served.url, cookie=served.sign_in("manager")) as context:
        page = context.new_page()
        seconds_to_draw(page, f"{served.url}/heatmaps?board=limits", GRID)
        for turn, region, stage in product(("uncached", "cached"), REGIONS, STAGES):
            figure, whole = _open(page, f"{region}/{stage}")
            measured["click_to_figure_seconds"].append(figure)
            measured[f"click_to_panel_{turn}_seconds"].append(whole)


def _open(page: Page, key: str) -> tuple[float, float]:
    """Seconds from the click on a cell until its figure stands in the panel, and until trend and definition do."""
    page.locator(f".plane td.cell[data-key='{key}']").click()
    clicked = float(page.evaluate("globalThis.clickedAt")) / 1000
    figure = wait_until_drawn(
        page, ((f".plane td.cell[data-key='{key}'][aria-selected=true]", 1, ""), (".panel-figure strong", 1, "%"))
    )
    whole = wait_until_drawn(page, ((".figure-panel .contract", 1, ""), (".figure-panel .line", 1, "")))
    return figure - clicked, whole - clicked
