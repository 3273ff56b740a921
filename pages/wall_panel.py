"""The wall's panel: a tile's figure, or a cell of the heat grid, opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from access.view import View
from components.panel import Panel
from pages.heat_cells import read_cell_panel
from pages.heat_question import Question, place_dimension
from pages.panel import Subject, read_panel
from pages.wording import span_name
from queries.metrics import METRICS

TODAY: Final = ("order_count",)


def read_wall_panel(view: View, heat: str, parameters: Mapping[str, Sequence[str]]) -> Panel | None:
    """The panel the address asks for: `figure` a metric of a tile, `cell` a place and stage of the grid of `heat`."""

    def one(name: str) -> str:
        values = parameters.get(name) or ("",)
        return values[-1]

    if one("figure") in METRICS:
        window = "today" if one("figure") in TODAY else view.address.window
        place = span_name(view.language, one("figure"), window, view.zone)
        return read_panel(view, Subject(metric=one("figure"), window=window, place=place))
    if one("cell"):
        question = Question(
            board="",
            metric=heat,
            rows=place_dimension(view),
            columns="stage",
            colour="plain",
            cell=one("cell"),
            beside=one("beside"),
        )
        return read_cell_panel(view, question)
    return None
