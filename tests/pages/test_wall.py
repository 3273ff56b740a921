"""The wall tells what is in the lake, in the user's language and within the user's scope."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from streamlit.testing.v1 import AppTest

from access.freshness import SourceFreshness
from access.reading import Reading
from access.user import User
from access.view import View, open_view
from components.board import Board
from data.lake import Lake
from pages.frame import is_due_at, read_live, read_tallies
from pages.panel import Subject, read_panel
from pages.wall import read_board
from pages.wall_bars import read_warehouses
from pages.wall_heat import HEAT_METRICS, read_heat
from pages.wall_map import main_country
from pages.wall_tiles import TILES, tone_of
from pages.wall_worst import read_worst
from queries.query import Filter
from tests.data.intake import contract_of, home, take_in, write_csv
from tests.pages.conftest import AS_OF

OpenView = Callable[..., View]


def board_of(view: View) -> dict[str, Any]:
    return asdict(read_board(view, main_country(view)))


def text_of(board: dict[str, Any]) -> str:
    return json.dumps(board, ensure_ascii=False)


def test_tiles_tell_hand_counted_figures(view_of: OpenView) -> None:
    """As of 16:00 in Shanghai: 16 hours of 12 orders today; open are Shanghai's last 30 h and the others' last 10 h."""
    tiles = {tile["name"]: tile["value"] for tile in board_of(view_of())["tiles"]}
    assert tiles["Orders today"] == str(16 * 12)
    assert tiles["Backlog"] == str(30 * 3 + 10 * 3 * 3)
    assert tiles["Past promise, open"] == str(10 * 3)


def test_on_time_rate_counts_what_was_promised_in_the_last_day(view_of: OpenView) -> None:
    """24 hours of 12 promises; a quarter of them, Shanghai's, is late."""
    tile = next(tile for tile in board_of(view_of())["tiles"] if tile["name"] == "On-time delivery")
    assert (tile["value"], tile["state"]) == ("75.0%", "critical")
    assert "n 288" in tile["note"]


def test_the_bar_counts_the_figures_of_the_page_only_and_a_page_without_figures_has_no_count(view_of: OpenView) -> None:
    view = view_of()
    found = read_tallies(view, (("Backlog", "critical"), ("Orders today", "good"), ("Exceptions", "critical")))
    assert [(tally.state, tally.number) for tally in found] == [("critical", 2), ("warning", 0)]
    assert "Backlog\nExceptions" in found[0].tip
    assert read_tallies(view, ()) == ()


@pytest.mark.parametrize(
    ("difference", "tone"), [(0.0004, "neutral"), (-0.0004, "neutral"), (0.004, "good"), (-0.004, "warning")]
)
def test_a_change_that_shows_as_none_has_no_colour(difference: float, tone: str) -> None:
    spec = next(tile for tile in TILES if tile.metric == "on_time_rate")
    row = {"on_time_rate_last_week_difference": difference, "on_time_rate_last_week": 0.9}
    assert tone_of(spec, row, "warning") == tone


@pytest.mark.parametrize("metric", HEAT_METRICS)
def test_the_heat_grid_is_titled_as_the_cards_beside_it(view_of: OpenView, metric: str) -> None:
    assert read_heat(view_of(), metric).title[:1].isupper()


def test_a_panels_orders_tell_how_late_they_are_in_one_unit_that_fits(view_of: OpenView) -> None:
    panel = read_panel(view_of(), Subject(metric="overdue_count", place="everywhere"))
    assert panel.orders is not None
    assert all(re.fullmatch(r"[0-9]+ (h|min)", row[-1]) for row in panel.orders.rows), panel.orders.rows


def test_a_lead_sees_the_provinces_of_the_region_and_no_other_place(view_of: OpenView) -> None:
    board = board_of(view_of("lead", "CN-EAST"))
    assert board["heat"]["rows"] == ("Shanghai", "Jiangsu")
    coloured = {area["code"] for area in board["map"]["areas"] if area["kind"] != "gap"}
    assert coloured == {"CN-SH", "CN-JS"}
    assert not re.search("Guangzhou|South China|WH-CAN", text_of({**board, "map": None}))


def test_a_leads_warehouse_figures_are_labelled_as_the_regions_own(view_of: OpenView) -> None:
    assert "your region's orders only" in read_warehouses(view_of("lead", "CN-EAST")).scope
    assert "your region's" not in read_warehouses(view_of()).scope


@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize("metric", HEAT_METRICS)
def test_no_key_is_left_untranslated(view_of: OpenView, language: str, metric: str) -> None:
    view = view_of(language=language)
    text = text_of(board_of(view)) + text_of(asdict(read_heat(view, metric)))
    assert re.findall(r"\b(?:wall|format|access|label)\.[a-z_.]+", text) == []
    assert re.findall(r"\{[a-z_]+\}", text) == []


def test_a_scope_without_orders_says_so_instead_of_drawing_zeros(view_of: OpenView) -> None:
    board = read_board(view_of("lead", "CN-NORTHWEST"), None)
    assert main_country(view_of("lead", "CN-NORTHWEST")) is None
    assert isinstance(board, Board)
    assert board.tiles == ()
    assert board.notice is not None
    assert "no orders" in board.notice.text


def test_too_few_orders_are_hatched_and_told_not_coloured(view_of: OpenView) -> None:
    cells = [cell for row in board_of(view_of(window=["2h"]))["heat"]["cells"] for cell in row]
    assert {cell["kind"] for cell in cells if cell["text"].startswith("n ")} == {"few"}
    assert any(cell["kind"] == "few" for cell in cells)


@pytest.mark.parametrize(
    ("states", "state", "said"),
    [
        (("stale", "fresh", "once"), "live", "Live · data as of 16:00:00"),
        (("stale", "late"), "live", "Live · data as of 16:00:00"),
        (("stale", "stale", "once"), "stale", "No source reporting · data until 16:00"),
    ],
)
def test_the_mark_is_live_only_while_some_source_reports(
    view_of: OpenView, states: tuple[Any, ...], state: str, said: str
) -> None:
    """Late is still within what the contract allows; stale is beyond it."""
    sources = tuple(SourceFreshness(source=one, as_of=AS_OF, age_seconds=0, state=one, owner="") for one in states)
    live = read_live(replace(view_of(), is_live=True, sources=sources))
    assert (live.state, live.text) == (state, said)


def test_a_stages_panel_is_out_of_date_only_where_its_cell_is(view_of: OpenView) -> None:
    feeds: tuple[tuple[str, Any, str], ...] = (
        ("wms", "stale", "orders.shipped_at"),
        ("tms", "fresh", "orders.delivered_at"),
        ("crm", "stale", "returns.closed_at"),
    )
    sources = tuple(
        SourceFreshness(
            source=name, as_of=AS_OF, age_seconds=60, state=state, owner=f"{name}@example.com", feeds=frozenset({column})
        )
        for name, state, column in feeds
    )
    view = replace(view_of(), sources=sources)
    shipped, delivered = (
        read_panel(view, Subject(metric="over_limit_rate", where=(Filter("stage", (stage,)),)))
        for stage in ("shipped", "delivered")
    )
    assert (shipped.state, delivered.state == "stale") == ("stale", False)
    told = "\n".join(shipped.lines)
    assert ("wms@example.com" in told, "crm@example.com" in told) == (True, False)


@pytest.fixture
def placed(reading: Reading) -> Iterator[None]:
    """The eastern warehouse stands far inland, so that its lanes are long enough to draw."""
    places = reading.settings.home / "warehouses.csv"
    places.write_text("WH-SHA,36.06,103.83\n", encoding="utf-8")
    yield
    places.unlink()


@pytest.mark.usefixtures("placed")
def test_lanes_and_dots_of_the_map_lead_to_their_orders(view_of: OpenView) -> None:
    drawn = board_of(view_of())["map"]
    assert [parse_qs(urlsplit(lane["href"]).query)["lane"] for lane in drawn["lanes"]] == [["WH-SHA>CN-SH"]]
    assert [parse_qs(urlsplit(city["href"]).query)["warehouse"] for city in drawn["cities"]] == [["WH-SHA"]]


def test_an_export_older_than_the_window_is_led_to(view_of: OpenView) -> None:
    view = view_of(window=["2020-01-01..2020-01-02"])
    notice = read_board(view, main_country(view)).notice
    assert notice is not None
    assert (notice.way, parse_qs(urlsplit(notice.href).query)["window"]) == ("Show all data", ["all"])


_KEYS = {"channel": "'web'", "order_id": "amount", "kind": "shipped"}
_NO_WORD_OF_OURS = {
    "complaints": _KEYS | {"complaint_id": "id", "created_at": "created"},
    "returns": _KEYS | {"return_id": "id", "requested_at": "created"},
}
"""Sources whose words for kinds are none of the registry's, over the plain header's columns."""


def test_orders_without_any_place_have_their_wall_and_a_source_its_own_words(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "orders_20260302T080000.csv", [("1", "2026-03-02T01:00:00Z", "5", "", "")])
    settings = home(tmp_path)
    with Lake.open_writer(settings) as lake:
        take_in(lake, contract_of(), path)
        for kind, columns in _NO_WORD_OF_OURS.items():
            said = write_csv(tmp_path / f"{kind}_20260302T080000.csv", [("x", "2026-03-01T01:00:00Z", "1", "少件", "")])
            report = take_in(lake, contract_of(source=kind, kind=kind, columns=columns, mandatory=[]), said)
            assert (report.state, report.accepted_count) == ("accepted", 1), report
    reading = Reading(settings)
    user = User(name="li", display_name="li", role="manager", regions=())
    view = open_view(reading, user, {}, now=AS_OF, language="en", stays_valid=lambda: None)
    board = read_board(view, main_country(view))
    assert (main_country(view), board.notice) == ("", None)
    assert next(tile.value for tile in board.tiles if tile.name == "Orders today") == "1"
    assert board.complaints is not None
    assert board.returns is not None
    assert (board.complaints.columns, [row.name for row in board.returns.rows]) == (("少件",), ["少件"])
    reading.close()


def test_every_figure_of_one_board_is_of_one_snapshot(view_of: OpenView) -> None:
    view = view_of()
    assert board_of(view) == board_of(view)


def draw_wall(home: str, language: str, region: str) -> None:
    from datetime import UTC, datetime
    from pathlib import Path

    import streamlit as st

    from access.reading import Reading
    from access.user import User
    from access.view import open_view
    from config import read_settings
    from pages.wall import render

    user = User(name="someone", display_name="someone", role="manager")
    parameters = {name: st.query_params.get_all(name) for name in st.query_params}
    if region:
        parameters["region"] = [region]
    reading = Reading(read_settings({}, home=Path(home), threads=1))
    render(
        open_view(reading, user, parameters, now=datetime(2026, 3, 2, 8, tzinfo=UTC), language=language, stays_valid=lambda: None)
    )


@pytest.mark.parametrize(("language", "region"), [("en", ""), ("zh-CN", "CN-EAST")])
def test_the_page_draws_without_a_fault(view_of: OpenView, language: str, region: str) -> None:
    home = str(view_of().reading.settings.home)
    app = AppTest.from_function(draw_wall, kwargs={"home": home, "language": language, "region": region}, default_timeout=60)
    app.query_params["window"] = "nonsense"
    app.run()
    assert [error.value for error in app.exception] == []
    bar = next(
        json.loads(element.proto.json) for element in app.get("bidi_component") if "topbar" in element.proto.component_name
    )
    assert any("window=nonsense" in problem for problem in bar["problems"])


def test_while_history_fills_a_page_follows_until_it_is_at_the_present(
    view_of: OpenView, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five looks between two drawings, but for what is not the present yet; nothing new is never drawn anew."""

    def looks(view: View, *, has_news: bool = True) -> list[bool]:
        view.__dict__["has_news"] = lambda: has_news
        return [is_due_at(view, looks) for looks in (1, 4, 5)]

    present = view_of()
    filling = replace(present, filling_share=0.5)
    assert looks(present) == [True, True, True]
    assert looks(filling) == [False, False, True]
    assert looks(replace(filling, now=present.as_of + timedelta(hours=1))) == [True, True, True]
    assert looks(filling, has_news=False) == looks(present, has_news=False) == [False, False, False]
    monkeypatch.setattr("pages.frame.is_turn", lambda seconds, since: since < present.reading.ready_at)
    assert looks(present) == [False, False, False], "in a crowd it is not this tab's turn since the news was ready"


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_how_sure_a_trouble_is_says_what_its_sign_means(view_of: OpenView, language: str) -> None:
    items = read_worst(view_of(language=language, window=["7d"])).items
    assert items
    assert {("95%" in item.sure_tip, not item.sure.startswith("±") or item.sure in item.sure_tip) for item in items} == {
        (True, True)
    }
