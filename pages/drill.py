"""Why is it so here? One level of the country or of a warehouse: its figures, who contributes, what is different, the orders."""

from __future__ import annotations

from collections.abc import Container
from functools import partial
from typing import Final

import streamlit as st

from access.view import View
from components.panel import Panel
from components.plane import Card, Control, Plane, draw_plane
from components.topbar import Option
from i18n import translate
from pages.address import take_choice
from pages.contrasts import read_contrasts
from pages.drill_path import next_dimensions
from pages.drill_reading import OFFERED, Level, Parameters, read_ages, read_crumbs, read_level, read_ranking
from pages.drill_tiles import read_level_tiles
from pages.figures import metric_name
from pages.frame import draw_frame, read_filters, watch
from pages.heat_question import narrowed
from pages.lost import unknown_words
from pages.panel import Subject, read_panel, read_trend
from pages.side_by_side import read_side_by_side
from pages.wording import span_name
from queries.dimensions import DIMENSIONS
from queries.metrics import METRICS

PLANE: Final = "drill.plane"


def render(view: View) -> None:
    """Draw the level for this view."""
    parameters = {name: st.query_params.get_all(name) for name in st.query_params}
    level = read_level(view, parameters)
    with st.container(key="drill", gap=None):
        plane = read_plane(view, level)
        states = [(tile.name, tile.state) for tile in plane.tiles]
        words: dict[str, Container[str]] = {"metric": METRICS, "figure": METRICS, "split": DIMENSIONS}
        draw_frame(view, "pages.drill", country=None, states=states, unknown=unknown_words(parameters, words))
        draw_plane(plane, key=PLANE, on_choice=partial(take_choice, PLANE))
        watch(view)


def prepare(view: View, parameters: Parameters) -> None:
    """Ask everything that `render` will ask for this view, so that it finds the answers ready."""
    read_plane(view, read_level(view, parameters))


def read_plane(view: View, level: Level) -> Plane:
    """Path, figures, ranking, trend, what is different, open orders by age, and the panel of a figure that is opened.

    What the top bar offers is asked beside it, so that `draw_frame` finds it ready.
    """
    language, metric = view.language, level.metric
    shown = read_side_by_side(
        view,
        {
            "ranking": partial(read_ranking, view, level),
            "tiles": partial(read_level_tiles, view, metric),
            "contrasts": partial(view.share, read_contrasts, level.problem),
            "trend": partial(read_trend, view, metric, (), view.address.window),
            "ages": partial(view.share, read_ages),
            "panel": partial(_panel, view, level),
            "filters": partial(read_filters, view),
        },
    )
    ranking, contrasts = shown["ranking"], shown["contrasts"]
    return Plane(
        language=language,
        words={name: translate(language, f"panel.{name}") for name in ("close", "path")},
        crumbs=read_crumbs(view, level),
        controls=read_controls(view, level),
        tiles=shown["tiles"],
        cards=(
            Card(title=ranking.title, scope=ranking.scope, parts=ranking),
            Card(title=contrasts.title, scope=contrasts.scope, parts=contrasts),
            Card(title=metric_name(language, metric), lines=(shown["trend"],), size="wide"),
            *shown["ages"],
        ),
        panel=shown["panel"],
    )


def read_controls(view: View, level: Level) -> tuple[Control, ...]:
    """Which problem, and what to split the level by."""
    language, metric = view.language, level.metric
    splits = next_dimensions(view, metric, narrowed(view, metric, ()))
    offered = dict.fromkeys((*OFFERED, metric))
    return (
        Control(
            code="metric",
            name=translate(language, "drill.problem"),
            options=tuple(Option(code=name, name=metric_name(language, name), is_on=name == metric) for name in offered),
        ),
        Control(
            code="split",
            name=translate(language, "drill.split"),
            options=tuple(
                Option(code=name, name=translate(language, f"dimensions.{name}.name"), is_on=name == level.split)
                for name in splits
            ),
        ),
    )


def _panel(view: View, level: Level) -> Panel | None:
    if not level.figure:
        return None
    subject = Subject(metric=level.figure, place=span_name(view.language, level.figure, view.address.window, view.zone))
    return read_panel(view, subject, can_drill=False)
