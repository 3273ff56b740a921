"""How are we doing, and what is worst now? The wall (订单作战室)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final

import streamlit as st

from access.view import View
from components.board import Board, Notice, State, draw_board
from components.format import percent
from i18n import translate
from pages.address import take_choice
from pages.frame import draw_frame, read_filters, watch
from pages.links import link
from pages.lost import unknown_words
from pages.side_by_side import read_side_by_side
from pages.wall_bars import read_returns, read_warehouses
from pages.wall_heat import HEAT_METRICS, read_complaints, read_heat
from pages.wall_map import main_country, read_map
from pages.wall_panel import read_wall_panel
from pages.wall_tiles import read_tiles
from pages.wall_worst import read_worst
from pages.wording import source_name
from queries.metrics import METRICS

BOARD: Final = "wall.board"


def render(view: View) -> None:
    """Draw the wall for this view, and watch for the next snapshot."""
    with st.container(key="wall", gap=None):
        country = view.share(main_country)
        parameters = {name: st.query_params.get_all(name) for name in st.query_params}
        board = read_opened(view, country, parameters)
        states = [(tile.name, tile.state) for tile in board.tiles]
        unknown = unknown_words(parameters, {"page": (), "heat": HEAT_METRICS, "figure": METRICS})
        unknown += unknown_words(parameters, {"cell": ()}) if board.panel is None else ()
        draw_frame(view, "pages.wall", country=country, states=states, can_go_full=True, unknown=unknown)
        draw_board(board, key=BOARD, on_choice=partial(take_choice, BOARD))
        watch(view)


def prepare(view: View, parameters: Mapping[str, Sequence[str]]) -> None:
    """Ask everything that `render` will ask for this view, so that it finds the answers ready."""
    read_opened(view, view.share(main_country), parameters)
    read_filters(view)


def read_opened(view: View, country: str | None, parameters: Mapping[str, Sequence[str]]) -> Board:
    """The board with the figure the address opens."""
    asked = parameters.get("heat") or ("",)
    heat = heat_metric(asked[-1])
    board = view.share(read_board, country, heat)
    return board if country is None else replace(board, panel=read_wall_panel(view, heat, parameters))


def read_board(view: View, country: str | None, heat: str = HEAT_METRICS[0]) -> Board:
    """Everything the wall shows, the heat grid of one metric; without orders in sight only the reason why there is nothing.

    What the top bar offers is asked beside it, so that `draw_frame` finds it ready.
    """
    if country is None:
        return Board(language=view.language, notice=_say_nothing(view))
    parts: dict[str, Callable[[], Any]] = {
        "returns": partial(read_returns, view),
        "tiles": partial(read_tiles, view),
        "worst": partial(read_worst, view),
        "heat": partial(read_heat, view, heat),
        "map": partial(read_map, view, country),
        "warehouses": partial(read_warehouses, view),
        "complaints": partial(read_complaints, view),
        "filters": partial(read_filters, view),
    }
    shown = read_side_by_side(view, parts)
    shown.pop("filters")
    tiles, axis = shown.pop("tiles")
    return Board(
        language=view.language,
        notice=_notice(view),
        words={"close": translate(view.language, "panel.close")},
        tiles=tiles,
        axis=axis,
        **shown,
    )


def heat_metric(asked: str | None) -> str:
    """The metric of the heat grid as the address asks for it, the first one where it asks for none that there is."""
    return asked if asked in HEAT_METRICS else HEAT_METRICS[0]


def _notice(view: View) -> Notice | None:
    if view.is_worker_silent:
        return _say(view, "silent", "critical")
    if view.faults:
        return _tell_faults(view)
    if view.filling_share is not None:
        return _say(view, "filling", share=percent(view.language, view.filling_share, 0))
    return None


def _tell_faults(view: View) -> Notice:
    """Which sources are not taken in, or that nothing is judged, because of a file that must be mended; the details on pointing."""
    language, names = view.language, [source_name(fault.source) for fault in view.faults if fault.source]
    parts = [translate(language, "faults.contract", sources=translate(language, "marks.joiner").join(names))] if names else []
    parts += [translate(language, "faults.targets")] if any(not fault.source for fault in view.faults) else []
    return Notice(
        state="critical",
        title=translate(language, "faults.title"),
        text=" ".join(parts),
        tip="\n".join((*(fault.reason for fault in view.faults), translate(language, "faults.remedy"))),
    )


def _say_nothing(view: View) -> Notice:
    """Why there is nothing, and the way out: without the filters, or over all data where an export is older than the window."""
    said = _notice(view) or _say(view, "nothing")
    changes = dict.fromkeys(filter_.dimension for filter_ in view.address.filters)
    if not changes and view.address.window == "all":
        return said
    way = translate(view.language, "wall.nothing.way" if changes else "wall.nothing.all")
    return replace(said, way=way, href=link(view, "/", **changes, **({} if changes else {"window": "all"})))


def _say(view: View, key: str, state: State = "neutral", **values: str) -> Notice:
    title, text = (translate(view.language, f"wall.{key}.{part}", **values) for part in ("title", "text"))
    return Notice(state=state, title=title, text=text)
