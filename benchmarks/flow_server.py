"""The flow page on the server: every question asked and put into words, its frame included, with and without cached answers."""

from __future__ import annotations

from functools import partial
from typing import Final

from streamlit.logger import set_log_level

from access.bottlenecks import explain_change, find_trouble, read_bottlenecks
from access.reading import Reading
from access.view import View
from benchmarks.figure import Figure, Trial
from benchmarks.lakes import lake_home
from benchmarks.timing import Act
from benchmarks.wall_server import BUDGET_CACHED, LEAD, MANAGER, medians, view_of
from pages.flow import render
from pages.flow_question import passing, read_question

BUDGET_ENGINE: Final = 1.5
"""The engine's three parts one after the other, not cached, over seven days; and everything the page asks: the worker ahead of
the pages takes that time, not a visitor."""


def measure(trial: Trial) -> list[Figure]:
    """Median seconds of the engine's parts for a manager over 7 days, and of the page for a manager, a lead (24 h) and over 7 days.

    As in the running interface the recent orders are in memory.
    """
    set_log_level("error")
    reading = Reading(lake_home(trial))
    views = {"": view_of(reading, MANAGER), "lead_": view_of(reading, LEAD), "week_": view_of(reading, MANAGER, window=["7d"])}
    figures = list[Figure]()
    try:
        reading.keep_up()
        figures += _engine(reading, views["week_"], trial.rounds)
        for name, view in views.items():
            uncached, cached = medians(reading, partial(render, view), trial.rounds)
            figures.append(Figure(name=f"{name}flow_uncached", value=uncached, unit="seconds", budget=BUDGET_ENGINE))
            figures.append(Figure(name=f"{name}flow_cached", value=cached, unit="seconds", budget=BUDGET_CACHED))
        return figures
    finally:
        reading.close()


def _engine(reading: Reading, view: View, rounds: int) -> list[Figure]:
    """What each part of the engine takes with nothing cached, and all of them together, one after the other."""
    question, where = read_question({}), passing(view)
    rated = tuple(filter_ for filter_ in view.filters_for(question.metric) if filter_.dimension != "stage")
    parts: dict[str, Act] = {
        "ranking": lambda: read_bottlenecks(view, question.split, where),
        "change": lambda: explain_change(view, question.metric, question.split, rated, window=view.window),
        "detectors": lambda: find_trouble(view, where),
    }
    every = parts | {"engine": lambda: [part() for part in parts.values()]}
    figures = []
    for name, act in every.items():
        uncached, _ = medians(reading, act, rounds)
        budget = BUDGET_ENGINE if name == "engine" else None
        figures.append(Figure(name=f"{name}_uncached", value=uncached, unit="seconds", budget=budget))
    return figures
