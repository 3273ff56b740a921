"""Where and when is it out of order? Any figure by any two dimensions, or over time; a cell opens its panel."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Final

import streamlit as st

from access.view import View
from components.board import Notice
from components.panel import Panel
from components.plane import Card, Control, Plane, draw_plane
from components.topbar import Option
from i18n import translate
from pages.address import take_choice
from pages.figures import metric_name
from pages.frame import draw_frame, read_filters, watch
from pages.heat_cells import read_cell_panel
from pages.heat_question import (
    BOARDS,
    SHOWS,
    TIMES,
    Parameters,
    Question,
    asked_cells,
    axis_name,
    chosen_cell,
    colours_of,
    dimensions_of,
    question_in,
    refusal,
    window_code,
    window_of,
    words_known,
)
from pages.heat_reading import read_rows, read_whole_grid
from pages.heat_series import read_calendar, read_multiples
from pages.lost import LONGEST, unknown_words
from pages.side_by_side import read_side_by_side
from queries.metrics import METRICS

PLANE: Final = "heatmaps.plane"
CELLS: Final = ("cell", "beside")
SORTS: Final = ("usual", "worst")


def render(view: View) -> None:
    """Draw the page for this view and the address's question."""
    parameters = {name: st.query_params.get_all(name) for name in st.query_params}
    question = question_in(view, parameters)
    with st.container(key="heatmaps", gap=None):
        plane = read_plane(view, question)
        unknown = (*unknown_words(parameters, words_known()), *no_cells(view, plane, question), *_no_sort(plane, question))
        applied = view.filters_for(question.metric)
        draw_frame(view, "pages.heatmaps", country=None, states=(), applied=applied, unknown=unknown)
        draw_plane(plane, key=PLANE, on_choice=partial(take_choice, PLANE))
        watch(view)


def prepare(view: View, parameters: Parameters) -> None:
    """Ask everything that `render` will ask for this view, so that it finds the answers ready."""
    read_plane(view, question_in(view, parameters))


def read_plane(view: View, question: Question) -> Plane:
    """Controls, the grid (or lines, or calendar) and the panel of the chosen cell; or why there is no answer.

    What the top bar offers is asked beside it, so that `draw_frame` finds it ready.
    """
    language = view.language
    words = {name: translate(language, f"panel.{name}") for name in ("close", "path")}
    plane = Plane(language=language, words=words, controls=read_controls(view, question))
    if reason := refusal(language, question, window_of(view, window_code(view, question))):
        title = translate(language, "heatmaps.refused.title")
        return replace(plane, notice=Notice(state="neutral", title=title, text=reason))
    shown = read_side_by_side(
        view,
        {
            "filters": partial(read_filters, view),
            "card": partial(view.share, _card, question),
            "panel": partial(_panel, view, question),
        },
    )
    return replace(plane, cards=(shown["card"],), panel=shown["panel"])


def _card(view: View, question: Question) -> Card:
    if question.show == "calendar":
        return read_calendar(view, question)
    if question.show == "lines":
        return read_multiples(view, question, read_rows(view, question))
    grid = read_whole_grid(view, question)
    return Card(title=grid.title, scope=grid.scope, grid=grid, size="sight", picks="cell")


def _panel(view: View, question: Question) -> Panel | None:
    return read_cell_panel(view, question) if question.cell else None


def no_cells(view: View, plane: Plane, question: Question) -> list[str]:
    """The cells in the address that are no cells of the grid, or of what there is not."""
    asked, panel = asked_cells(question), plane.panel
    missing = {"cell": not plane.notice and panel is None, "beside": panel is not None and panel.compared is None}
    named = {name: getattr(question, name) for name in CELLS}
    return [
        f"{name}={key[:LONGEST]}"
        for name, key in named.items()
        if key and (missing[name] or chosen_cell(view, asked, key) is None)
    ]


def _no_sort(plane: Plane, question: Question) -> list[str]:
    """The column in the address to sort a grid by that it has not."""
    heads = [key for card in plane.cards if card.grid for key in card.grid.column_keys]
    is_lost = bool(heads) and question.sort not in ("", *SORTS, *heads)
    return [f"sort={question.sort[:LONGEST]}"] if is_lost else []


def _with(offered: list[str], chosen: str) -> list[str]:
    """What is offered, and what is chosen although it does not go with the rest: a control never shows another choice than the page's."""
    return offered if chosen in offered else [chosen, *offered]


def read_controls(view: View, question: Question) -> tuple[Control, ...]:
    """The ready-made boards, then the free choice; what does not go together is not offered."""
    language, known = view.language, dimensions_of(question.metric)
    columns = [*(name for name in known if name != question.rows), *TIMES]
    choices: dict[str, list[tuple[str, str]]] = {
        "board": [(entry.board, translate(language, f"heatmaps.board.{entry.board}")) for entry in BOARDS],
        "metric": [(name, metric_name(language, name)) for name in METRICS],
        "rows": [(name, axis_name(language, name)) for name in _with(known, question.rows)],
        "columns": [(name, axis_name(language, name)) for name in _with(columns, question.columns)],
        "colour": [(name, translate(language, f"heatmaps.colour.{name}")) for name in colours_of(question.metric)],
        "sort": [(name, translate(language, f"heatmaps.sort.{name}")) for name in SORTS],
        "show": [(name, translate(language, f"heatmaps.show.{name}")) for name in SHOWS],
    }
    clears: dict[str, tuple[str, ...]] = {
        "board": ("metric", "rows", "columns", "colour", "sort", *CELLS),
        "sort": (),
        "colour": (),
        "show": CELLS,
    }
    return tuple(
        Control(
            code=code,
            name=translate(language, f"heatmaps.control.{code}"),
            options=tuple(Option(code=word, name=name, is_on=word == getattr(question, code)) for word, name in options),
            clears=clears.get(code, ("sort", *CELLS)),
        )
        for code, options in choices.items()
    )
