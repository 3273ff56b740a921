"""The flow page on the server: every question asked and put into words, its frame included, with and without cached answers."""

from __future__ import annotations

from functools import partial
from typing import Final

from streamlit.logger import set_log_level

from access.reading import Reading
from benchmarks.figure import Figure, Trial
from benchmarks.lakes import lake_home
from benchmarks.wall_server import BUDGET_CACHED, LEAD, MANAGER, medians, view_of
from pages.flow import render

BUDGET_ENGINE: Final = 1.5
"""Everything the page asks, not cached, over a window of seven days; the worker ahead of the pages takes that time, not a visitor."""


def measure(trial: Trial) -> list[Figure]:
    """Median seconds of the page for a manager and a lead (24 h) and for a manager over 7 days; recent orders in memory."""
    set_log_level("error")
    reading = Reading(lake_home(trial))
    views = {"": view_of(reading, MANAGER), "lead_": view_of(reading, LEAD), "week_": view_of(reading, MANAGER, window=["7d"])}
    figures = list[Figure]()
    try:
        reading.keep_up()
        for name, view in views.items():
            uncached, cached = medians(reading, partial(render, view), trial.rounds)
            figures.append(Figure(name=f"{name}flow_uncached", value=uncached, unit="seconds", budget=BUDGET_ENGINE))
            figures.append(Figure(name=f"{name}flow_cached", value=cached, unit="seconds", budget=BUDGET_CACHED))
        return figures
    finally:
        reading.close()
