"""The wall's time on the server: every figure asked for and put into words, its frame included, with and without cached answers."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from statistics import median
from typing import Final

from streamlit.testing.v1 import AppTest

from access.reading import Reading
from access.user import User
from access.view import View, open_view
from benchmarks.figure import BenchmarkError, Figure, Trial
from benchmarks.lakes import END, lake_home
from benchmarks.timing import seconds_of
from pages.wall import read_board, render
from pages.wall_map import main_country
from queries.cache import Cache

BUDGET_UNCACHED: Final = 0.6
BUDGET_CACHED: Final = 0.05
MANAGER: Final = User(name="bench", display_name="bench", role="manager", regions=())
LEAD: Final = User(name="bench-east", display_name="bench-east", role="lead", regions=("CN-EAST",))


def measure(trial: Trial) -> list[Figure]:
    """Median seconds of the page for a manager and a lead (24 h) and for a manager over 7 days; of the board alone."""
    reading = Reading(lake_home(trial))
    manager, lead, week = _view(reading, MANAGER), _view(reading, LEAD), _view(reading, MANAGER, window=["7d"])
    logging.getLogger("streamlit").setLevel(logging.ERROR)
    try:
        board, board_cached = _board_seconds(reading, manager, trial.rounds)
        figures = [Figure(name="board_uncached", value=board, unit="seconds")]
        figures += [Figure(name="board_cached", value=board_cached, unit="seconds")]
        for name, view in (("page", manager), ("lead_page", lead), ("week_page", week)):
            uncached, cached = _page_seconds(reading, view, trial.rounds)
            figures.append(Figure(name=f"{name}_uncached", value=uncached, unit="seconds", budget=BUDGET_UNCACHED))
            figures.append(Figure(name=f"{name}_cached", value=cached, unit="seconds", budget=BUDGET_CACHED))
        return figures
    finally:
        reading.close()


def _view(reading: Reading, user: User, **parameters: list[str]) -> View:
    return open_view(reading, user, parameters, now=END, language="en", stays_valid=lambda: None)


def _board_seconds(reading: Reading, view: View, rounds: int) -> tuple[float, float]:
    return _medians(reading, lambda: seconds_of(lambda: read_board(view, main_country(view))), rounds)


def _page_seconds(reading: Reading, view: View, rounds: int) -> tuple[float, float]:
    """The page's own run, measured inside Streamlit's: what Streamlit does before and after is not the page's."""
    taken: list[float] = []

    def draw() -> None:
        started = time.perf_counter()
        render(view)
        taken.append(time.perf_counter() - started)

    page = AppTest.from_function(_call, args=(draw,), default_timeout=120)

    def run() -> float:
        page.run()
        if page.exception:
            raise BenchmarkError(f"the page failed: {page.exception[0].message}")
        return taken[-1]

    return _medians(reading, run, rounds)


def _call(act: Callable[[], None]) -> None:
    act()


def _medians(reading: Reading, run: Callable[[], float], rounds: int) -> tuple[float, float]:
    """Medians of runs whose answers are not cached, as after a new snapshot, and of the runs after each; one run before all."""
    run()
    uncached, cached = [], []
    for _ in range(rounds):
        reading.cache = Cache(reading.settings.cache_bytes)
        uncached.append(run())
        cached.append(run())
    return median(uncached), median(cached)
