"""What the components do in a real browser: nothing scrolls, nothing jumps, text is text, keys work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from components.board import Notice
from components.charts import Station, Strip
from components.kit import KINDS, as_data, kit_script, loader
from components.plane import Card, Plane
from components.shapes import load_shapes
from components.time_axis import AxisMark
from components.topbar import Live, Source, Tally
from tests.components.conftest import START
from tests.components.sample import board, heat_grid, tile, topbar

pytestmark = pytest.mark.browser
Show = Callable[[str, dict[str, Any]], None]

HOSTILE = '"><img src=x onerror=document.title="broken"><script>document.title="broken"</script>'
OVERFLOWING = """() => [...window.parts.board.root.querySelectorAll("section.card, .tile")]
  .filter((card) => card.scrollHeight > card.clientHeight + 1 || card.scrollWidth > card.clientWidth + 1)
  .map((card) => `${card.className} ${card.scrollWidth}x${card.scrollHeight} in ${card.clientWidth}x${card.clientHeight}`)"""


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (1440, 900), (2560, 1440)])
def test_nothing_scrolls_on_a_wall(page: Page, show: Show, width: int, height: int) -> None:
    page.set_viewport_size({"width": width, "height": height})
    show("topbar", topbar())
    show("board", board())
    assert page.evaluate("[document.documentElement.scrollHeight, document.documentElement.scrollWidth]") == [height, width]
    assert page.evaluate(OVERFLOWING) == []


def test_on_a_tablet_the_worst_comes_before_the_grids(page: Page, show: Show) -> None:
    page.set_viewport_size({"width": 1024, "height": 768})
    show("topbar", topbar())
    show("board", board())
    sections = page.locator(".tiles, section.worst, section.heat, section.country").all()
    boxes = {section.get_attribute("class"): section.bounding_box() or {"y": 0.0} for section in sections}
    tops = [boxes[name]["y"] for name in ("tiles", "card worst", "card heat", "card country")]
    assert tops == sorted(tops)
    assert page.evaluate("document.documentElement.scrollWidth") == 1024


def test_text_from_data_is_never_markup(page: Page, show: Show) -> None:
    show("topbar", topbar(problems=(HOSTILE,)))
    show("board", board(tiles=(tile(name=HOSTILE, value=HOSTILE),) * 8, heat=heat_grid(text=HOSTILE)))
    expect(page.locator(".tile .name").first).to_have_text(HOSTILE)
    page.locator(".tile").first.hover()
    expect(page.locator(".tip:visible").first).to_contain_text("<img")
    assert page.title() != "broken"
    assert page.locator("img, script").count() == 0


def test_a_link_out_of_the_app_is_no_link(page: Page, show: Show) -> None:
    data = board()
    data["worst"]["items"][0]["href"] = "javascript:alert(1)"
    for place, out in enumerate(("//elsewhere.example", "/\\elsewhere.example", "/\t/elsewhere.example"), 1):
        data["worst"]["items"][place]["href"] = out
    show("board", data)
    hrefs = page.locator(".worst-list a").evaluate_all("links => links.map(link => link.getAttribute('href'))")
    assert hrefs == [None, None, None, None, "?region=CN-EAST"]


def test_new_figures_come_in_place_and_focus_stays(page: Page, show: Show) -> None:
    show("board", board())
    page.evaluate("window.before = window.parts.board.root.querySelectorAll('td.cell')[3]")
    page.locator("td.cell").nth(3).focus()
    show("board", board(heat=heat_grid(text="31%"), notice=Notice(state="neutral", title="Filling", text="42%")))
    expect(page.locator("td.cell").nth(3)).to_have_text("31%")
    assert page.evaluate("window.before === window.parts.board.root.querySelectorAll('td.cell')[3]")
    assert page.evaluate("window.before === window.parts.board.root.activeElement")


def test_a_redraw_moves_nothing_but_the_figures_themselves(page: Page, show: Show) -> None:
    show("topbar", topbar())
    show("board", board())
    page.evaluate(
        "new PerformanceObserver(l => window.shift = (window.shift || 0) + l.getEntries().reduce((s, e) => s + e.value, 0))"
        ".observe({type: 'layout-shift'})"
    )
    show("board", board(tiles=(tile(value="38 h 10 min"),) * 8, heat=heat_grid(text="100%")))
    page.wait_for_timeout(200)
    assert page.evaluate("window.shift || 0") < 0.001


def test_arrows_walk_the_grid_and_enter_chooses(page: Page, show: Show) -> None:
    show("heat_grid", {**heat_grid_data(), "chosen": None})
    page.locator("td.cell").first.focus()
    for key in ("ArrowRight", "ArrowDown", "ArrowDown", "ArrowLeft", "ArrowUp", "Enter"):
        page.keyboard.press(key)
    assert page.evaluate("window.sent") == [["cell", "1/0"]]
    assert page.locator("td.cell[tabindex='0']").count() == 1


def heat_grid_data() -> dict[str, Any]:
    data: dict[str, Any] = board()["heat"]
    return data


def test_lanes_and_warehouses_of_the_map_are_walked_by_keys_and_opened_by_enter(page: Page, show: Show) -> None:
    data = board()
    data["map"]["lanes"] = [{**data["map"]["lanes"][0], "tip": f"lane {n}\nlate 3", "href": f"/drill?lane={n}"} for n in range(3)]
    data["map"]["cities"] = [{**data["map"]["cities"][0], "tip": "EAST-01", "href": "/drill?warehouse=EAST-01"}]
    show("board", data)
    page.get_by_role("link", name="lane 0, late 3").focus()
    for key in ("ArrowRight", "ArrowDown", "ArrowRight", "ArrowLeft"):
        page.keyboard.press(key)
    lane = page.get_by_role("link", name="lane 1, late 3")
    expect(lane).to_be_focused()
    expect(page.locator(".tip:visible").first).to_contain_text("lane 1")
    assert lane.locator(".lane-reach").evaluate("path => getComputedStyle(path).stroke") != "rgba(0, 0, 0, 0)"
    assert page.locator(".lanes [tabindex='0']").count() == 1
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="EAST-01")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/drill?warehouse=EAST-01")


def test_a_stage_of_the_strip_opens_by_enter_as_by_a_click_anywhere_on_it(page: Page, show: Show) -> None:
    for key in ("Enter", ""):
        show("plane", strip_of_two("/drill?stage=picked"))
        if key:
            page.get_by_role("link", name="Picking").focus()
            page.keyboard.press(key)
        else:
            page.locator(".station").first.click(position={"x": 12, "y": 60})
        page.wait_for_url("**/drill?stage=picked")
        page.goto("http://localhost/")
        page.evaluate(START, [kit_script(is_wide=True), {kind: loader(kind) for kind in KINDS}, load_shapes("CN")])


def strip_of_two(href: str) -> dict[str, Any]:
    stations = tuple(
        Station(name=name, value="12", flow="3 in", share=0.5, measures=(), foot="steady", href=href)
        for name in ("Picking", "Packing")
    )
    plane = Plane(language="en", words={"path": "path"}, cards=(Card(title="Stages", scope="", chart=Strip(stations=stations)),))
    data: dict[str, Any] = as_data(plane)
    return data


def test_a_grid_is_a_table_with_heads_for_a_screen_reader(page: Page, show: Show) -> None:
    show("board", board())
    grid = page.get_by_role("grid", name="Orders beyond the limit")
    expect(grid.get_by_role("columnheader")).to_have_count(9)
    expect(grid.get_by_role("rowheader")).to_have_count(7)
    expect(grid.get_by_role("gridcell", name="row 2 · column 4, 3%")).to_be_visible()


def test_a_tile_tells_its_definition_on_click_until_escape(page: Page, show: Show) -> None:
    show("board", board())
    page.get_by_role("button", name="Backlog").first.click()
    expect(page.locator(".tip[data-pinned=yes]")).to_contain_text("definition")
    page.keyboard.press("Escape")
    expect(page.locator(".tip:visible")).to_have_count(0)


def test_a_tiles_value_without_neighbours_is_a_dot_that_can_be_seen(page: Page, show: Show) -> None:
    show("board", board(tiles=(replace(tile(), spark=(None, None, 0.94, None)), tile(), *(tile(),) * 6)))
    dot = page.locator(".tile .spark").first.locator(".dot")
    expect(dot).to_have_attribute("d", "M62.5 12.0l0 0")
    assert float(dot.evaluate("one => parseFloat(getComputedStyle(one).strokeWidth)")) >= 4
    line = page.locator(".tile .spark").nth(1).locator(".line")
    assert [path.get_attribute("d") for path in line.all()] == ["M62.5 2.0L87.5 12.0", "M12.5 22.0l0 0"]


def test_the_calendar_stands_on_the_tiles_lines_and_is_told_aloud(page: Page, show: Show) -> None:
    marks = (
        AxisMark(kind="promotion", start=0.0, end=0.25, text="11.11"),
        AxisMark(kind="cut_off", start=0.5, end=0.5, text="16:00"),
    )
    show("board", board(tiles=(replace(tile(), marks=marks),) * 8, axis="Marked: cut-off 16:00"))
    spark = page.locator(".tile .spark").first
    box, band, line = (part.bounding_box() for part in (spark, spark.locator(".promotion"), spark.locator(".cut_off")))
    assert box
    assert band
    assert line
    assert band["width"] == pytest.approx(box["width"] / 4, abs=1)
    assert line["x"] - box["x"] == pytest.approx(box["width"] / 2, abs=1)
    expect(page.get_by_role("button", name="Backlog").first).to_have_accessible_description("Marked: cut-off 16:00")


def test_a_filter_is_sent_as_codes(page: Page, show: Show) -> None:
    show("topbar", topbar())
    page.locator("details.filters summary").click()
    page.get_by_role("checkbox", name="CN-SOUTH").check()
    page.get_by_role("button", name="last 7 d").click()
    assert page.evaluate("window.sent") == [["choice", {"region": "CN-SOUTH"}], ["choice", {"window": "7d"}]]


def test_wall_mode_hides_the_controls_and_escape_brings_them_back(page: Page, show: Show) -> None:
    show("topbar", topbar())
    show("board", board())
    page.get_by_role("button", name="full_screen").click()
    expect(page.locator("nav.controls")).to_be_hidden()
    assert "wall=1" in page.url
    page.keyboard.press("Escape")
    expect(page.locator("nav.controls")).to_be_visible()
    assert "wall=1" not in page.url


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (1440, 900)])
def test_the_sections_of_the_wall_come_forward_in_turn_and_fill_the_screen(
    page: Page, show: Show, width: int, height: int
) -> None:
    page.set_viewport_size({"width": width, "height": height})
    page.clock.install()
    show("topbar", topbar())
    show("board", board())
    page.get_by_role("button", name="full_screen").click()
    for area in ("worst", "heat", "country", "warehouses"):
        page.clock.run_for(15_000)
        card = page.locator("section.card.zoomed")
        expect(card).to_have_attribute("data-area", area)
        box = card.bounding_box()
        assert box
        assert box["width"] > 0.9 * width
        assert box["y"] + box["height"] <= height
    bars = [row.bounding_box() for row in page.locator("section.card.zoomed .bars tr").all()]
    assert all(bar and bar["height"] >= 0.06 * height for bar in bars)
    page.clock.run_for(15_000)
    expect(page.locator("section.card.zoomed")).to_have_count(0)


def test_a_state_is_a_shape_and_a_word_besides_its_colour(page: Page, show: Show) -> None:
    show("board", board())
    expect(page.locator(".tile .mark.warning").first).to_have_attribute("aria-label", "warning")
    assert page.locator(".tile .mark.warning").first.evaluate("mark => getComputedStyle(mark).clipPath").startswith("polygon")


def test_a_count_of_none_has_no_colour_and_the_chosen_instant_is_read_whole(page: Page, show: Show) -> None:
    page.set_viewport_size({"width": 1440, "height": 900})
    silent = tuple(Source(name=name, age="silent 10 h", state="stale", tip=name) for name in ("OMS", "WMS", "TMS", "CRM"))
    none = Tally(state="critical", number=0, word="critical", tip="none")
    some = Tally(state="warning", number=3, word="warning", tip="three")
    past = Live(state="past", text="As of 2026-11-25 10:00", tip="chosen")
    show("topbar", topbar(live=past, sources=silent, counts=(none, some)))
    colours = page.locator(".tally").evaluate_all(
        "all => all.map((one) => getComputedStyle(one.querySelector('.mark')).backgroundColor)"
    )
    muted = page.locator(".tallies > .muted").evaluate("one => getComputedStyle(one).color")
    assert colours[0] == muted != colours[1]
    assert page.locator(".live").evaluate("one => one.scrollWidth <= one.clientWidth")
    assert page.evaluate("document.documentElement.scrollWidth") == 1440


@pytest.mark.parametrize("width", [1024, 1440])
def test_many_filters_are_all_read_whole(page: Page, show: Show, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 768})
    texts = [f"Warehouse: Shanghai, Guangzhou {number}" for number in range(9)]
    show("topbar", topbar(chips=tuple({"code": "city", "text": text, "remove": "Remove"} for text in texts)))
    expect(page.locator(".chip")).to_have_count(9)
    clipped = "spans => spans.filter((span) => span.scrollWidth > span.clientWidth).length"
    assert page.locator(".chip span:first-child").evaluate_all(clipped) == 0
    assert page.evaluate("document.documentElement.scrollWidth") == width
    expect(page.locator(".controls")).to_be_in_viewport(ratio=1)


def test_a_chip_removes_its_filter(page: Page, show: Show) -> None:
    show("topbar", topbar(chips=({"code": "city", "text": HOSTILE, "remove": "Remove City"},)))
    expect(page.locator(".chip")).to_contain_text(HOSTILE)
    page.get_by_role("button", name="Remove City").click()
    assert page.evaluate("window.sent") == [["choice", {"city": ""}]]


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (1440, 900), (1024, 768)])
def test_the_menu_of_pages_opens_whole(page: Page, show: Show, width: int, height: int) -> None:
    page.set_viewport_size({"width": width, "height": height})
    links = tuple({"name": f"A page of the house {n}", "href": f"/{n}", "is_here": n == 0} for n in range(8))
    show("topbar", topbar(pages=links))
    page.locator("details.pages summary").click()
    for link in page.locator("details.pages a").all():
        box = link.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        assert box["y"] + box["height"] <= height
    expect(page.locator("details.pages a[aria-current=page]")).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth") == width
