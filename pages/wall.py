"""How are we doing, and what is worst now? The wall (订单作战室)."""

from __future__ import annotations

from functools import partial
from typing import Final

import streamlit as st

from access.view import View
from components.board import Board, Notice, State, draw_board
from components.format import percent
from i18n import translate
from pages.address import take_choice
from pages.frame import draw_frame, watch
from pages.wall_bars import read_returns, read_warehouses
from pages.wall_heat import HEAT_METRICS, read_complaints, read_heat
from pages.wall_map import main_country, read_map
from pages.wall_tiles import read_tiles
from pages.wall_worst import read_worst

BOARD: Final = "wall.board"


def render(view: View) -> None:
    """Draw the wall for this view, and watch for the next snapshot."""
    with st.container(key="wall", gap=None):
        country = main_country(view)
        board = read_board(view, country)
        states = [(tile.name, tile.state) for tile in board.tiles]
        draw_frame(view, "pages.wall", country=country, states=states, can_go_full=True)
        draw_board(board, key=BOARD, on_choice=partial(take_choice, BOARD))
        watch(view)


def read_board(view: View, country: str | None) -> Board:
    """Everything the wall shows; without orders in sight only the reason why there is nothing."""
    if country is None:
        return Board(language=view.language, notice=_notice(view) or _say(view, "nothing"))
    return Board(
        language=view.language,
        notice=_notice(view),
        tiles=read_tiles(view),
        heat=read_heat(view, _heat_metric()),
        map=read_map(view, country),
        worst=read_worst(view),
        warehouses=read_warehouses(view),
        returns=read_returns(view),
        complaints=read_complaints(view),
    )


def _heat_metric() -> str:
    asked = st.query_params.get("heat", "")
    return asked if asked in HEAT_METRICS else HEAT_METRICS[0]


def _notice(view: View) -> Notice | None:
    if view.is_worker_silent:
        return _say(view, "silent", "critical")
    if view.filling_share is not None:
        return _say(view, "filling", share=percent(view.language, view.filling_share, 0))
    return None


def _say(view: View, key: str, state: State = "neutral", **values: str) -> Notice:
    title, text = (translate(view.language, f"wall.{key}.{part}", **values) for part in ("title", "text"))
    return Notice(state=state, title=title, text=text)
