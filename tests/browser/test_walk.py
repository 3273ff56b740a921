"""From the wall down to the reason and back, by clicks and keys only; links pasted into a fresh browser; nothing outside the scope."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from access.audit_rows import list_audit
from access.store import open_store
from config import read_settings
from tests.serving import Served

pytestmark = pytest.mark.browser

WORDS = {
    "en": ("Drill down here", "What this figure means", "Everywhere", "My area", "Show the orders"),
    "zh-CN": ("在此下钻", "指标口径", "全部", "本区域", "查看订单"),
}


def sign_in(page: Page, served: Served, name: str, path: str) -> None:
    page.goto(served.url + path)
    page.locator(f"[data-demo={name}]").click()


@pytest.mark.parametrize(("user", "language", "width", "height"), [("manager", "en", 1440, 900), ("east", "zh-CN", 1024, 768)])
def test_from_the_wall_to_the_reason_and_back(
    page: Page, served: Served, user: str, language: str, width: int, height: int
) -> None:
    drill, contract, everywhere, own, orders = WORDS[language]
    page.set_viewport_size({"width": width, "height": height})
    sign_in(page, served, user, f"/?lang={language}")
    cell = page.locator("section.heat td.cell.value").first
    cell.click()
    panel = page.locator(".figure-panel")
    expect(panel.get_by_text(contract)).to_be_visible()
    figure = panel.locator(".panel-figure strong").inner_text()
    expect(panel.get_by_role("link", name=orders, exact=True)).to_have_attribute(
        "href", re.compile(r"^/orders\?.*metric=over_limit_rate")
    )
    wall_url = page.url
    panel.get_by_role("link", name=drill).click()
    expect(page.locator(".crumbs")).to_contain_text(own if user == "east" else everywhere)
    assert f"lang={language}" in page.url
    first = page.locator(".plane .parts tbody a").first
    name = first.inner_text()
    first.click()
    expect(page.locator(".crumbs [aria-current]")).to_have_text(name)
    page.go_back()
    expect(page.locator(".crumbs [aria-current]")).not_to_have_text(name)
    page.go_forward()
    expect(page.locator(".crumbs [aria-current]")).to_have_text(name)
    page.go_back()
    page.go_back()
    expect(page.locator(".figure-panel .panel-figure strong")).to_have_text(figure)
    assert page.url == wall_url
    if user == "east":
        for elsewhere in ("广东", "华南", "北京"):
            expect(page.get_by_text(elsewhere, exact=True)).to_have_count(0)


def test_a_link_opens_the_same_panel_in_a_fresh_browser(browser: Browser, page: Page, served: Served) -> None:
    sign_in(page, served, "manager", "/heatmaps?board=limits&window=7d")
    page.locator(".plane td.cell.value").first.click()
    expect(page.locator(".figure-panel .contract")).to_be_visible()
    figure = page.locator(".panel-figure strong").inner_text()
    other = browser.new_context(locale="en-GB").new_page()
    sign_in(other, served, "manager", page.url.removeprefix(served.url))
    expect(other.locator(".figure-panel .panel-figure strong")).to_have_text(figure)
    other.context.close()


def test_keys_open_a_cell_and_set_a_second_beside_it(page: Page, served: Served) -> None:
    sign_in(page, served, "manager", "/heatmaps?board=limits")
    page.locator(".plane td.cell").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".figure-panel .contract")).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Shift+Enter")
    expect(page.locator(".compared")).to_contain_text("Difference")
    expect(page.locator("td.cell[aria-selected=true]")).to_have_count(2)
    page.locator(".figure-panel .close").click()
    expect(page.locator(".figure-panel")).to_have_count(0)
    assert "cell" not in page.url
    expect(page.locator("td.cell:focus")).to_have_count(1)
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(page.locator(".figure-panel .contract")).to_be_visible()


def test_on_a_tablet_the_panel_leaves_every_cell_of_the_grid_in_reach(page: Page, served: Served) -> None:
    page.set_viewport_size({"width": 1024, "height": 768})
    sign_in(page, served, "manager", "/heatmaps?board=by_hour")
    last = page.locator(".plane tbody tr").first.locator("td.cell").last
    last.click()
    expect(page.locator(".figure-panel .contract")).to_be_visible()
    cell, panel = last.bounding_box(), page.locator(".figure-panel").bounding_box()
    assert cell
    assert panel
    assert cell["x"] + cell["width"] <= panel["x"]
    page.locator(".figure-panel .compare").click()
    page.locator(".plane td.cell").first.click()
    expect(page.locator(".compared")).to_contain_text("Difference")


def test_a_tile_opens_its_contract_and_escape_closes_it(page: Page, served: Served) -> None:
    sign_in(page, served, "manager", "/")
    page.get_by_role("button", name="On-time delivery").click()
    panel = page.locator(".figure-panel")
    expect(panel.locator(".contract")).to_contain_text("Snapshot")
    panel.get_by_text("Show the SQL").click()
    expect(panel.locator("pre")).to_contain_text("SELECT")
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)


def test_the_menu_leads_on_with_the_same_filters(page: Page, served: Served) -> None:
    sign_in(page, served, "manager", "/?region=CN-EAST&warehouse=WH-0")
    expect(page.locator(".chip")).to_contain_text("WH-0")
    page.locator("details.pages summary").click()
    page.get_by_role("link", name="Heatmaps").click()
    expect(page.locator(".plane td.cell").first).to_be_visible()
    assert re.search(r"/heatmaps\?.*region=CN-EAST", page.url)
    page.locator(".chip").click()
    expect(page.locator(".chip")).to_have_count(0)
    assert "warehouse" not in page.url


def test_a_place_elsewhere_is_refused_with_a_way_on_and_recorded(page: Page, served: Served) -> None:
    sign_in(page, served, "east", "/drill?region=CN-SOUTH&metric=late_rate")
    expect(page.get_by_role("heading", name="Not in your area")).to_be_visible()
    denied = list_audit(open_store(read_settings({}, home=served.home)), limit=1)[0]
    assert (denied.actor, denied.action, denied.object_id, denied.result) == ("east", "area_refused", "drill", "denied")
    page.get_by_role("link", name="Open this page for your area").click()
    expect(page.locator(".crumbs")).to_contain_text("My area")


def test_what_does_not_go_together_is_a_sentence_not_a_blank_page(page: Page, served: Served) -> None:
    sign_in(
        page, served, "manager", "/heatmaps?metric=backlog_count&rows=channel&columns=time.day&window=all&cell=x%00y&board=zzz"
    )
    expect(page.get_by_role("status").filter(has_text="do not go together")).to_contain_text("needs a window with a beginning")


@pytest.mark.parametrize("path", ["/users", "/?region=CN-SOUTH", "/?as_of=2020-01-01T00:00"])
def test_the_bars_stay_in_their_place_where_a_page_is_not_for_the_user(page: Page, served: Served, path: str) -> None:
    sign_in(page, served, "east", "/alerts")
    expect(page.locator(".alerts")).to_be_visible()
    places = [page.locator(bar).bounding_box() for bar in (".topbar h1", ".strip")]
    page.goto(f"{served.url}{path}")
    expect(page.locator(".board.nothing")).to_be_visible()
    found = [page.locator(bar).bounding_box() for bar in (".topbar h1", ".strip")]
    assert [box and box["y"] for box in found] == [box and box["y"] for box in places]
