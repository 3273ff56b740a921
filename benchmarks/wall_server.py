"""The wall's time on the server: every figure asked for and put into words, its frame included, with and without cached answers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Final

from streamlit.logger import set_log_level
from streamlit.testing.v1 import AppTest

from access.reading import Reading
from access.user import User
from access.view import View, open_view
from benchmarks.figure import BenchmarkError, Figure, Trial
from benchmarks.lakes import END, lake_home
from benchmarks.timing import Act, seconds_of
from pages.wall import read_board, render
from pages.wall_map import main_country
from queries.cache import Cache

BUDGET_UNCACHED: Final = 0.6
BUDGET_CACHED: Final = 0.05
MANAGER: Final = User(name="bench", display_name="bench", role="manager", regions=())
LEAD: Final = User(name="bench-east", display_name="bench-east", role="lead", regions=("CN-EAST",))


def measure(trial: Trial) -> list[Figure]:
    """Median seconds of the page for a manager and a lead (24 h) and for a manager over 7 days; of the board alone.

    As in the running interface the recent orders are in memory; what reading them at the start takes is told first.
    """
    set_log_level("error")
    reading = Reading(lake_home(trial))
    kept = Figure(name="recent_orders_read", value=seconds_of(reading.keep_up), unit="seconds")
    manager, lead, week = view_of(reading, MANAGER), view_of(reading, LEAD), view_of(reading, MANAGER, window=["7d"])
    try:
        board, board_cached = medians(reading, lambda: read_board(manager, main_country(manager)), trial.rounds)
        figures = [kept, Figure(name="board_uncached", value=board, unit="seconds")]
        figures += [Figure(name="board_cached", value=board_cached, unit="seconds")]
        for name, view in (("page", manager), ("lead_page", lead), ("week_page", week)):
            uncached, cached = medians(reading, partial(render, view), trial.rounds)
            figures.append(Figure(name=f"{name}_uncached", value=uncached, unit="seconds", budget=BUDGET_UNCACHED))
            figures.append(Figure(name=f"{name}_cached", value=cached, unit="seconds", budget=BUDGET_CACHED))
        return figures
    finally:
        reading.close()


def view_of(reading: Reading, user: User, **parameters: list[str]) -> View:
    """A user's view of the benchmark's lake."""
    return open_view(reading, user, parameters, now=END, language="en", stays_valid=lambda: None)


def medians(reading: Reading, act: Act, rounds: int) -> tuple[float, float]:
    """Medians of runs whose answers are not cached, as after a new snapshot, and of the runs after each; one run before all."""
    run = _inside_streamlit(act)
    run()
    uncached, cached = [], []
    for _ in range(rounds):
        reading.cache = Cache(reading.settings.cache_bytes)
        uncached.append(run())
        cached.append(run())
    return median(uncached), median(cached)


def _inside_streamlit(act: Act) -> Callable[[], float]:
    """The act's own seconds in a run of Streamlit's: what Streamlit does before and after is not the page's."""
    taken: list[float] = []
    page = AppTest.from_function(_call, args=(lambda: taken.append(seconds_of(act)),), default_timeout=300)

    def run() -> float:
        page.run()
        if page.exception:
            raise BenchmarkError("the page failed; the trace is above")
        return taken[-1]

    return run


def _call(act: "Callable[[], None]") -> None:  # noqa: UP037 - run from its source, where no name is imported
    act()
