"""Heatmaps and drill on the server: every figure asked for and put into words, with and without cached answers."""

from __future__ import annotations

from functools import partial

from streamlit.logger import set_log_level

from access.reading import Reading
from access.view import View
from benchmarks.figure import Figure, Trial
from benchmarks.lakes import lake_home
from benchmarks.timing import Act
from benchmarks.wall_server import BUDGET_CACHED, BUDGET_UNCACHED, LEAD, MANAGER, medians, view_of
from pages import drill, heatmaps
from pages.drill_reading import read_level
from pages.heat_question import read_question


def measure(trial: Trial) -> list[Figure]:
    """Median seconds of heatmaps and levels of the drill (the first of each with its frame), and of a cell with its panel.

    First (`lake_…`) answered by the lake alone, as days long past are; then as in the running interface, where the recent
    orders are in memory.
    """
    set_log_level("error")
    reading = Reading(lake_home(trial))
    manager, lead = view_of(reading, MANAGER), view_of(reading, LEAD)
    shanghai = view_of(reading, MANAGER, region=["CN-EAST"], province=["CN-SH"])
    acts: dict[str, Act] = {
        "heatmap": partial(heatmaps.render, manager),
        "heatmap_by_day": _heatmap(manager, board="carriers"),
        "heatmap_34_by_24": _heatmap(manager, board="by_hour"),
        "heatmap_history": _heatmap(manager, board="speed"),
        "cell_panel": _heatmap(manager, cell="CN-EAST/accepted"),
        "drill": partial(drill.render, manager),
        "drill_province": partial(drill.read_plane, shanghai, read_level(shanghai, {})),
        "lead_drill": partial(drill.read_plane, lead, read_level(lead, {})),
    }
    try:
        figures = [_from_the_lake(reading, name, act, trial.rounds) for name, act in acts.items()]
        reading.keep_up()
        return figures + [figure for name, act in acts.items() for figure in _figures(reading, name, act, trial.rounds)]
    finally:
        reading.close()


def _heatmap(view: View, **asked: str) -> Act:
    question = read_question({name: [value] for name, value in asked.items()})
    return partial(heatmaps.read_plane, view, question)


def _from_the_lake(reading: Reading, name: str, act: Act, rounds: int) -> Figure:
    return Figure(name=f"lake_{name}_uncached", value=medians(reading, act, rounds)[0], unit="seconds")


def _figures(reading: Reading, name: str, act: Act, rounds: int) -> list[Figure]:
    uncached, cached = medians(reading, act, rounds)
    return [
        Figure(name=f"{name}_uncached", value=uncached, unit="seconds", budget=BUDGET_UNCACHED),
        Figure(name=f"{name}_cached", value=cached, unit="seconds", budget=BUDGET_CACHED),
    ]
