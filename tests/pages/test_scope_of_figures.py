"""What a lead sees is what a manager sees who filters for the lead's region: in grids, rankings, contrasts, panels and lines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from access.view import View
from pages.contrasts import find_contrasts
from pages.drill_reading import OFFERED, read_level, read_ranking
from pages.drill_tiles import read_level_tiles
from pages.heat_question import BOARDS, Question
from pages.heat_reading import read_grid, read_rows
from pages.heat_series import read_calendar, read_multiples
from pages.panel import Subject, read_figure, read_trend
from pages.problems import PROBLEMS

OpenView = Callable[..., View]
REGION = "CN-EAST"


def _both(view_of: OpenView, read: Callable[[View], Any]) -> tuple[Any, Any]:
    return read(view_of("lead", REGION)), read(view_of("manager", region=[REGION]))


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.board)
def test_every_heatmap_is_restricted(view_of: OpenView, board: Question) -> None:
    def read(view: View) -> Any:
        grid = read_grid(view, board, read_rows(view, board))
        cells = [[(cell.kind, cell.text, cell.step) for cell in line] for line in grid.cells]
        return grid.rows, grid.columns, cells, [cell.text for cell in grid.column_totals], grid.whole and grid.whole.text

    own, filtered = _both(view_of, read)
    assert own == filtered


@pytest.mark.parametrize("metric", OFFERED)
def test_every_level_is_restricted(view_of: OpenView, metric: str) -> None:
    def read(view: View) -> Any:
        level = read_level(view, {"metric": [metric], "split": ["province"]})
        ranking = [(row.name, row.value, row.note) for row in read_ranking(view, level).rows]
        return ranking, [(tile.name, tile.value) for tile in read_level_tiles(view, metric)]

    own, filtered = _both(view_of, read)
    assert own == filtered


def test_contrasts_lines_and_panels_are_restricted(view_of: OpenView) -> None:
    def read(view: View) -> Any:
        board = BOARDS[0]
        lines = [line.values for line in read_multiples(view, board, ()).lines]
        calendar = read_calendar(view, board).grid
        found = [(finding.dimension, finding.code, finding.contrast) for finding in find_contrasts(view, PROBLEMS["late_rate"])]
        return (
            lines,
            calendar,
            found,
            read_trend(view, "late_rate", (), "7d").values,
            read_figure(view, Subject(metric="late_rate")),
        )

    own, filtered = _both(view_of, read)
    assert own == filtered
