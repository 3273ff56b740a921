"""Heatmaps: hand-counted cells and totals, colours that mean something, choices that go together, every board in both languages."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from access.freshness import SourceFreshness
from access.view import View
from components.heat import HeatGrid
from pages.heat_cells import read_cell_panel
from pages.heat_history import history_of
from pages.heat_margins import adds_up, ask_margin, read_margins
from pages.heat_paint import distance
from pages.heat_question import (
    BOARDS,
    COLOURS,
    TIMES,
    Question,
    cell_key,
    chosen_cell,
    dimensions_of,
    question_in,
    read_question,
    refusal,
)
from pages.heat_reading import read_rows
from pages.heatmaps import no_cells, prepare, read_plane
from queries.metrics import METRICS
from queries.query import Filter

OpenView = Callable[..., View]
LATE = Question(board="", metric="late_rate", rows="province", columns="channel", colour="target")
ORDERS = replace(LATE, metric="order_count", colour="plain")


def grid_of(view: View, question: Question) -> HeatGrid:
    grid = read_plane(view, question).cards[0].grid
    assert grid is not None
    return grid


def texts(grid: HeatGrid) -> dict[str, list[str]]:
    return {name: [cell.text for cell in line] for name, line in zip(grid.rows, grid.cells, strict=True)}


def test_cells_and_totals_are_hand_counted(view_of: OpenView) -> None:
    """Three orders an hour and province, two of Tmall and one of JD: 48 and 24 in a day, 72 a province, 288 in all."""
    grid = grid_of(view_of(), ORDERS)
    assert texts(grid)["Shanghai"] == ["48", "24"]
    assert [cell.text for cell in grid.row_totals] == ["72"] * 4
    assert [cell.text for cell in grid.column_totals] == ["192", "96"]
    assert grid.whole is not None
    assert grid.whole.text == "288"


def test_a_share_is_coloured_around_its_target_and_few_are_hatched(view_of: OpenView) -> None:
    """All of Shanghai's promises are late, nobody else's: the ends of the scale; JD's 24 are fewer than thirty."""
    grid = grid_of(view_of(), LATE)
    found = {name: line[0] for name, line in zip(grid.rows, grid.cells, strict=True)}
    assert (grid.scale, found["Shanghai"].text, found["Shanghai"].step) == ("diverging", "100%", 31)
    assert (found["Beijing"].text, found["Beijing"].step) == ("0%", 0)
    assert {(line[1].kind, line[1].text) for line in grid.cells} == {("few", "n 24")}
    assert [cell.text for cell in grid.column_totals] == ["25%", "25%"]


@pytest.mark.parametrize(
    ("metric", "value", "expected"),
    [
        ("late_rate", 0.05, 0.0),
        ("late_rate", 0.10, 0.5),
        ("late_rate", 0.20, 1.0),
        ("late_rate", 0.025, -0.5),
        ("late_rate", 0.0, -1.0),
        ("on_time_rate", 0.95, 0.0),
    ],
)
def test_twice_as_far_off_is_half_the_scale(metric: str, value: float, expected: float) -> None:
    assert distance(metric, value, 0.05 if metric == "late_rate" else 0.95) == pytest.approx(expected)


def test_too_little_history_is_no_colour_and_says_so(view_of: OpenView) -> None:
    grid = grid_of(view_of(), replace(ORDERS, colour="history"))
    cell = grid.cells[0][0]
    assert (cell.kind, cell.text) == ("none", "48")
    assert "Too little history" in cell.tip


def test_history_is_the_same_cell_weeks_before(view_of: OpenView) -> None:
    """The lake begins two days back: a day earlier there were as many orders, a week earlier none."""
    assert history_of(view_of(), ORDERS) == {}
    assert history_of(view_of(), replace(ORDERS, metric="backlog_count")) == {}


@pytest.mark.parametrize("metric", ["late_rate", "order_count", "over_limit_rate"])
@pytest.mark.parametrize("columns", ["channel", "time.day"])
def test_totals_added_up_are_those_asked_anew(view_of: OpenView, metric: str, columns: str) -> None:
    view, question = view_of(), replace(LATE, metric=metric, columns=columns)
    assert adds_up(question) == (metric != "over_limit_rate" or columns == "channel")
    cells = read_rows(view, question)
    added = read_margins(view, question, cells)
    for row in ask_margin(view, question, ("province",)):
        assert added.rows[row["province"]][metric] == pytest.approx(row[metric])
    assert added.whole is not None
    assert added.whole[metric] == pytest.approx(ask_margin(view, question, ())[0][metric])


def test_rows_are_sorted_by_the_worst_total_or_column(view_of: OpenView) -> None:
    view = view_of()
    assert grid_of(view, replace(LATE, sort="worst")).rows[0] == "Shanghai"
    assert grid_of(view, replace(LATE, sort="tmall")).rows[0] == "Shanghai"
    better = replace(LATE, metric="on_time_rate", sort="worst")
    assert grid_of(view, better).rows[0] == "Shanghai"


def test_a_total_of_too_few_orders_is_hatched_like_a_cell_and_sorted_last(view_of: OpenView) -> None:
    """JD has 24 promises a province, 96 in all: enough to judge the column by, not a row, and nothing to sort rows by."""
    grid = grid_of(view_of(channel=["jd"]), LATE)
    assert {(cell.kind, cell.text) for cell in grid.row_totals} == {("few", "n 24")}
    assert [(cell.kind, cell.text) for cell in grid.column_totals] == [("none", "25%")]
    assert "too few" in grid.row_totals[0].tip
    assert grid_of(view_of(), replace(LATE, sort="jd")).rows == grid_of(view_of(), LATE).rows != ("Shanghai",)


def test_a_total_that_a_silent_source_feeds_is_as_grey_as_its_cells(view_of: OpenView) -> None:
    """Only shipping's own milestone is silent: its column is grey, with every total it is part of; payment's is not."""
    view, feeds = view_of(), frozenset({"orders.shipped_at"})
    source = SourceFreshness(source="wms", as_of=view.as_of, age_seconds=9e4, state="stale", owner="", feeds=feeds)
    view = replace(view, sources=(source,))
    grid = grid_of(view, replace(LATE, metric="over_limit_rate", columns="stage"))
    heads = dict(zip(grid.columns, grid.column_totals, strict=True))
    assert (heads["Shipping"].kind, heads["Payment"].kind) == ("stale", "none")
    assert "wms" in heads["Shipping"].tip
    assert grid.whole is not None
    assert {grid.whole.kind, *(cell.kind for cell in grid.row_totals)} == {"stale"}


def test_a_cell_over_time_has_its_own_window(view_of: OpenView) -> None:
    view, question = view_of(), replace(ORDERS, columns="time.day")
    grid = grid_of(view, question)
    first = next(cell for cell in grid.cells[0] if cell.kind == "value")
    chosen = chosen_cell(view, question, first.key)
    assert chosen is not None
    panel = read_cell_panel(view, replace(question, cell=first.key))
    assert panel is not None
    assert panel.value == first.text


def test_a_cell_of_what_was_open_is_of_its_own_time(view_of: OpenView) -> None:
    view, question = view_of(window=["24h"]), replace(ORDERS, metric="backlog_count", columns="time.hour")
    grid = grid_of(view, question)
    cells = {cell.key: cell.text for cell in (*grid.cells[0][::6], *grid.column_totals[::6])}
    assert len(set(cells.values())) > 2, cells
    for key, text in cells.items():
        panel = read_cell_panel(view, replace(question, cell=key))
        assert panel is not None
        assert panel.value.replace(",", "") == text.replace(",", ""), key
        assert ("as_of=" in panel.actions[0].href) == (not key.endswith("2026-03-02T08%3A00%3A00Z")), key


def test_a_cell_of_a_code_that_no_order_ever_had_is_unknown_and_one_without_orders_says_so(view_of: OpenView) -> None:
    question = replace(ORDERS, rows="city", cell="Atlantis/tmall")
    view = view_of()
    plane = read_plane(view, question)
    assert plane.panel is None
    assert no_cells(view, plane, question) == ["cell=Atlantis/tmall"]
    there = grid_of(view, replace(question, cell="")).cells[0][0].key
    known = replace(question, cell=there, beside="Atlantis/tmall")
    plane = read_plane(view, known)
    assert plane.panel is not None
    assert plane.panel.compared is None
    assert no_cells(view, plane, known) == ["beside=Atlantis/tmall"]
    early = view_of(window=["2026-02-20..2026-02-21"])
    empty = replace(question, cell=there)
    plane = read_plane(early, empty)
    assert plane.panel is not None, "there is such a city, only without orders then"
    assert no_cells(early, plane, empty) == []


@pytest.mark.parametrize("key", ["nonsense", "a/b/c", "/", "x/", "CN-SH/2026-13-01"])
def test_a_cell_that_is_none_opens_nothing(view_of: OpenView, key: str) -> None:
    assert chosen_cell(view_of(), replace(ORDERS, columns="time.day"), key) is None


def test_a_cell_of_a_code_that_there_cannot_be_opens_nothing(view_of: OpenView) -> None:
    question = replace(LATE, metric="over_limit_rate", columns="stage")
    assert chosen_cell(view_of(), question, "CN-SH/shipped") is not None
    assert chosen_cell(view_of(), question, "CN-SH/99") is None


def test_a_control_shows_what_is_chosen_even_where_it_does_not_go_with_the_rest(view_of: OpenView) -> None:
    plane = read_plane(view_of(), replace(ORDERS, rows="return_kind"))
    assert plane.notice is not None
    shown = {control.code: [option.code for option in control.options if option.is_on] for control in plane.controls}
    assert (shown["rows"], shown["columns"]) == (["return_kind"], ["channel"])


def test_small_lines_of_too_few_orders_come_last(view_of: OpenView) -> None:
    """Twelve promises of one hour are late in Shanghai only: too few to call it the worst."""
    hour = ["2026-03-02T00:00:00Z..2026-03-02T04:00:00Z"]
    many, few = (
        [line.title for line in read_plane(view, replace(LATE, show="lines")).cards[0].lines]
        for view in (view_of(window=["7d"]), view_of(window=hour))
    )
    assert many[0] == "Shanghai"
    assert few[0] != "Shanghai"
    assert set(few) == set(many)


def test_keys_are_read_back(view_of: OpenView) -> None:
    chosen = chosen_cell(view_of(), ORDERS, cell_key("a/b *?&", None))
    assert chosen is not None
    assert chosen.where == (Filter("province", ("a/b *?&",)), Filter("channel", (None,)))
    total = chosen_cell(view_of(), ORDERS, cell_key("*", "jd"))
    assert total is not None
    assert total.where == (Filter("channel", ("jd",)),)


def test_what_does_not_go_together_is_refused_in_a_sentence(view_of: OpenView) -> None:
    view = view_of(window=["all"])
    for question in (
        replace(ORDERS, rows="return_kind"),
        replace(ORDERS, rows="channel"),
        replace(ORDERS, metric="backlog_count", columns="time.day"),
        replace(ORDERS, metric="ship_rate_per_hour"),
    ):
        plane = read_plane(view, question)
        assert plane.notice is not None
        assert plane.cards == ()
        assert plane.controls
        for language in ("en", "zh-CN"):
            assert not re.search(r"\{|heatmaps\.", refusal(language, question, view.window))


def test_what_is_offered_goes_together() -> None:
    for metric, entry in METRICS.items():
        assert {"return_kind", "complaint_kind"} & set(dimensions_of(metric)) == {
            name for name, rows in (("return_kind", "returns"), ("complaint_kind", "complaints")) if entry.anchor.rows == rows
        }


def test_an_address_of_unknown_words_opens_the_board_itself() -> None:
    asked = {"board": ["nowhere"], "metric": ["m"], "rows": ["r"], "columns": ["c"], "colour": ["pink"], "show": ["x"]}
    assert read_question(asked) == BOARDS[0]
    own = read_question({"board": ["ages"], "columns": ["channel"], "colour": ["target"]})
    assert (own.metric, own.rows, own.columns, own.colour) == ("backlog_count", "age_bucket", "channel", "plain")


def test_a_board_by_region_is_by_province_where_one_region_is_in_sight(view_of: OpenView) -> None:
    assert question_in(view_of(), {}).rows == "region"
    east, north = view_of("lead", "CN-EAST"), view_of(region=["CN-NORTH"])
    assert question_in(east, {}).rows == question_in(north, {"metric": ["late_rate"]}).rows == "province"
    assert question_in(east, {"rows": ["region"]}).rows == question_in(east, {"columns": ["province"]}).rows == "region"
    assert question_in(east, {"board": ["ages"]}).rows == "age_bucket"


def test_there_are_boards_enough_and_each_asks_what_there_is() -> None:
    assert len(BOARDS) >= 8
    assert len({entry.board for entry in BOARDS}) == len(BOARDS)
    for entry in BOARDS:
        known = dimensions_of(entry.metric)
        assert entry.rows in known
        assert entry.columns in (*known, *TIMES)


@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize("board", [entry.board for entry in BOARDS])
def test_every_board_speaks_the_language(view_of: OpenView, language: str, board: str) -> None:
    view = view_of(language=language)
    shown: list[dict[str, Any]] = []
    for show in ("grid", "lines", "calendar"):
        parameters = {"board": [board], "show": [show]}
        prepare(view, parameters)
        shown.append(asdict(read_plane(view, read_question(parameters))))
    text = json.dumps(shown, ensure_ascii=False, default=str)
    assert re.findall(r"\b(?:heatmaps|panel|contract|wall|format|dimensions|metrics|label|figures)\.[a-z_.]+", text) == []
    assert re.findall(r"\{(?!name\})[a-z_]+\}", text) == []


def test_a_lead_sees_no_other_place_in_any_colour(view_of: OpenView) -> None:
    view = view_of("lead", "CN-EAST")
    for colour in COLOURS:
        grid = grid_of(view, replace(LATE, colour=colour))
        assert grid.rows == ("Shanghai", "Jiangsu")
    whole = grid_of(view, ORDERS).whole
    assert whole is not None
    assert whole.text == "144"


def test_a_calendar_has_a_cell_for_each_day(view_of: OpenView) -> None:
    view = view_of()
    grid = grid_of(view, replace(ORDERS, show="calendar"))
    assert len(grid.rows) == 7
    cells = {cell.tip.split("\n")[0]: cell for line in grid.cells for cell in line}
    day = (view.as_of.astimezone(view.zone) - timedelta(days=1)).date()
    assert cells[f"{day}"].text == "288"
    assert {f"{day - timedelta(days=back)}" for back in range(80)} <= set(cells)
    panel = read_plane(view, replace(ORDERS, show="calendar", cell=cells[f"{day}"].key)).panel
    assert panel is not None
    assert panel.value == "288"


def draw_heatmaps(home: str, language: str) -> None:
    from datetime import UTC, datetime
    from pathlib import Path

    import streamlit as st

    from access.reading import Reading
    from access.user import User
    from access.view import open_view
    from config import read_settings
    from pages.heatmaps import render

    parameters = {name: st.query_params.get_all(name) for name in st.query_params}
    user = User(name="someone", display_name="someone", role="manager")
    reading, now = Reading(read_settings({}, home=Path(home), threads=1)), datetime(2026, 3, 2, 8, tzinfo=UTC)
    render(open_view(reading, user, parameters, now=now, language=language, stays_valid=lambda: None))


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_the_page_draws_without_a_fault(view_of: OpenView, language: str) -> None:
    home = str(view_of().reading.settings.home)
    app = AppTest.from_function(draw_heatmaps, kwargs={"home": home, "language": language}, default_timeout=60)
    app.query_params["cell"] = "CN-EAST/shipped"
    app.query_params["return_kind"] = "refund"
    app.query_params["sort"] = "<b>"
    app.run()
    assert [error.value for error in app.exception] == []
    parts = {element.proto.component_name.split("_")[-1]: json.loads(element.proto.json) for element in app.get("bidi_component")}
    assert parts["plane"]["panel"]["contract"]["sql"]
    assert len(parts["topbar"]["problems"]) == 2
    assert "sort=<b>" in parts["topbar"]["problems"][0]
