"""The list of orders and the one order in a real browser: there and back, deep links, downloads, keyboard, both languages."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import select

from access.audit import AUDIT
from access.store import open_store
from config import read_settings
from tests.serving import Served

pytestmark = pytest.mark.browser


def open_at(page: Page, served: Served, path: str, name: str = "manager") -> None:
    page.goto(served.url + path)
    page.locator(f"[data-demo={name}]").click()


def test_from_the_list_to_the_order_and_back(page: Page, served: Served) -> None:
    open_at(page, served, "/orders?window=7d&region=CN-EAST&sort=-late_by_seconds")
    first = page.locator("tbody th a").first
    number = first.inner_text()
    first.click()
    expect(page.locator("h2").filter(has_text=number)).to_be_visible()
    expect(page.locator(".sentence")).to_contain_text("Late by")
    page.go_back()
    expect(page.locator("tbody th a").first).to_have_text(number)
    assert "region=CN-EAST" in page.url


def test_the_way_back_leads_to_the_same_place_in_the_list_and_another_page_begins_at_its_top(page: Page, served: Served) -> None:
    page.set_viewport_size({"width": 1440, "height": 700})
    open_at(page, served, "/orders?window=7d&sort=order_id")
    rows, scroll = page.locator("tbody th a"), page.locator(".table-scroll")
    expect(rows).to_have_count(100)
    number = rows.nth(60).inner_text()
    rows.nth(60).click()
    expect(page.locator("h2").filter(has_text=number)).to_be_visible()
    page.go_back()
    expect(rows.nth(60)).to_have_text(number)
    expect(rows.nth(60)).to_be_in_viewport()
    page.get_by_role("button", name="Next").click()
    expect(rows.first).not_to_have_text(re.compile("^0000"))
    expect(rows.first).to_be_in_viewport()
    assert scroll.evaluate("place => place.scrollTop") == 0


def test_on_paper_an_order_is_light_and_without_what_only_a_screen_can_do(page: Page, served: Served) -> None:
    open_at(page, served, "/order?channel=tmall&order_id=0000&theme=dark")
    fact = page.locator(".facts dd").first
    expect(page.locator(".scrub")).to_be_visible()
    assert ink_of(fact) > 0.5
    page.emulate_media(media="print")
    for part in (".topbar", ".strip", ".scrub", ".search", "a.step"):
        expect(page.locator(part)).to_be_hidden()
    assert ink_of(fact) < 0.2
    page.emulate_media(media="screen")


def ink_of(place: Locator) -> float:
    """How light the text is, from black (0) to white (1)."""
    return float(place.evaluate("(e) => Math.max(...getComputedStyle(e).color.match(/[0-9.]+/g).slice(0, 3).map(Number)) / 255"))


def test_a_lead_sees_the_own_orders_and_of_others_that_there_is_none(page: Page, served: Served) -> None:
    open_at(page, served, "/orders?window=7d", name="east")
    expect(page.locator(".tally-text")).to_have_text("96 orders")  # 48 hours of Shanghai and of Jiangsu
    page.goto(f"{served.url}/order?channel=tmall&order_id=0002")  # Guangdong
    expect(page.get_by_role("alert")).to_contain_text("Order not found")
    page.get_by_role("link", name="To the list of orders").click()
    expect(page.locator(".tally-text")).to_be_visible()


def test_pages_search_and_sorting_stay_in_the_address(page: Page, served: Served) -> None:
    open_at(page, served, "/orders?window=7d")
    expect(page.locator(".tally-text")).to_have_text("384 orders")
    first = page.locator("tbody th a").first.inner_text()
    page.get_by_role("button", name="Next").click()
    expect(page.locator("tbody th a").first).not_to_have_text(first)
    assert "after=" in page.url
    page.get_by_role("button", name="Previous").click()
    expect(page.locator("tbody th a").first).to_have_text(first)
    page.get_by_role("button", name="Order", exact=True).click()
    expect(page.get_by_role("columnheader", name="Order", exact=True)).to_have_attribute("aria-sort", "ascending")
    page.get_by_role("searchbox").fill("0470")
    page.get_by_role("button", name="Find").click()
    expect(page.locator(".tally-text")).to_have_text("1 orders")


def test_a_download_is_what_is_seen(page: Page, served: Served) -> None:
    open_at(page, served, "/orders?window=7d&region=CN-EAST")
    expect(page.locator(".tally-text")).to_have_text("96 orders")
    with page.expect_download() as downloading:
        page.get_by_role("link", name="CSV").click()
    rows = list(csv.reader(io.StringIO(Path(downloading.value.path()).read_text(encoding="utf-8-sig"))))
    assert sum(len(row) > 2 for row in rows) == 1 + 96
    assert re.search(r"orders_created_\d{8}-\d{6}_snapshot-1_manager\.csv", downloading.value.suggested_filename)


def test_chosen_columns_are_remembered(page: Page, served: Served) -> None:
    open_at(page, served, "/orders?window=7d", name="analyst")
    page.get_by_text("Columns", exact=True).first.click()
    page.get_by_role("checkbox", name="City").uncheck()
    page.get_by_role("button", name="Show these").click()
    expect(page.get_by_role("columnheader", name="City")).to_have_count(0)
    page.goto(f"{served.url}/orders?window=7d")
    expect(page.get_by_role("columnheader", name="Province")).to_be_visible()
    expect(page.get_by_role("columnheader", name="City")).to_have_count(0)


def test_ticked_orders_can_be_copied_and_arrows_go_from_order_to_order(page: Page, served: Served) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    open_at(page, served, "/orders?window=7d&sort=order_id")
    boxes = page.locator("tbody input.row")
    boxes.nth(0).check()
    boxes.nth(1).check()
    page.get_by_role("button", name="Copy numbers").click()
    expect(page.locator(".ticked-count")).to_have_text("copied")
    assert page.evaluate("navigator.clipboard.readText()").split() == ["0000", "0001"]
    page.locator("tbody th a").first.focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator("tbody th a").nth(1)).to_be_focused()


def test_a_customers_link_opens_without_a_session(page: Page, served: Served) -> None:
    open_at(page, served, "/order?channel=tmall&order_id=0000&lang=zh-CN")
    expect(page.locator(".sentence")).to_contain_text("超时")
    page.get_by_role("button", name="客户查询链接").click()
    link = page.get_by_role("textbox", name="客户查询页").input_value()
    fresh = page.context.browser
    assert fresh is not None
    other = fresh.new_context(locale="en-GB").new_page()
    other.goto(link)
    expect(other.get_by_role("heading", name="Your order").or_(other.get_by_role("heading", name="Order"))).to_be_visible()
    assert "0000" not in other.inner_text("body").split("•")[0]
    other.context.close()


BROKEN = (
    "/order",
    "/order?channel=x&order_id=" + "y" * 300,
    "/order?channel=%00&order_id=%F0",
    "/orders?metric=no&after=%7B&sort=-x",
)


@pytest.mark.parametrize("path", BROKEN, ids=["no order", "too long", "no text", "nothing we know"])
def test_a_broken_address_says_so_and_leads_on(page: Page, served: Served, path: str) -> None:
    open_at(page, served, path)
    expect(page.get_by_role("alert").first).to_be_visible()
    expect(page.get_by_text("Traceback")).to_have_count(0)


@pytest.mark.parametrize("parameter", ["as_of=2001-01-01", "snapshot=99"])
def test_an_instant_before_the_first_snapshot_leads_back_to_now(page: Page, served: Served, parameter: str) -> None:
    open_at(page, served, f"/orders?window=7d&{parameter}")
    expect(page.get_by_text("Nothing is known of that instant")).to_be_visible()
    page.get_by_role("link", name="To the newest data").click()
    expect(page.locator(".tally-text")).to_have_text("384 orders")
    assert parameter not in page.url


def test_the_way_back_to_now_keeps_the_order(page: Page, served: Served) -> None:
    open_at(page, served, "/order?channel=tmall&order_id=0000&as_of=2001-01-01&lang=en")
    page.get_by_role("link", name="To the newest data").click()
    expect(page.locator(".sentence")).to_be_visible()
    assert "as_of" not in page.url


def test_the_channel_that_names_an_order_is_no_filter(page: Page, served: Served) -> None:
    open_at(page, served, "/order?channel=tmall&order_id=0000&region=CN-EAST")
    expect(page.locator("h2").filter(has_text="0000")).to_be_visible()
    expect(page.locator(".where")).not_to_contain_text("Tmall")
    page.locator("details.pages summary").click()
    expect(page.get_by_role("link", name="Heatmaps")).to_have_attribute("href", "/heatmaps?region=CN-EAST")
    page.locator("details.filters summary").click()
    expect(page.locator("details.filters legend").filter(has_text="Channel")).to_have_count(0)
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("details.filters .count")).to_have_count(0)
    expect(page.locator("h2").filter(has_text="0000")).to_be_visible()
    assert "channel=tmall" in page.url


def test_asking_for_an_order_of_another_area_is_on_the_record(page: Page, served: Served) -> None:
    open_at(page, served, "/order?channel=tmall&order_id=0002", name="east")
    expect(page.get_by_role("alert")).to_contain_text("Order not found")
    store = open_store(read_settings({}, home=served.home))
    with store.connect() as connection:
        rows = connection.execute(select(AUDIT).where(AUDIT.c.action == "order_not_found")).mappings().all()
    store.dispose()
    assert [(row["actor"], row["object_id"], row["result"]) for row in rows][-1] == ("east", "tmall/0002", "denied")


def test_a_late_order_is_taken_on_from_its_page_and_given_back(page: Page, served: Served) -> None:
    open_at(page, served, "/order?channel=tmall&order_id=0010&lang=en")
    page.get_by_role("button", name="Take on").click()
    said = page.locator(".work-said")
    expect(said).to_contain_text("assigned to")
    expect(page.get_by_role("link", name="On your work list")).to_be_visible()
    said.get_by_role("button", name="Undo").click()
    expect(said).to_contain_text("taken back")
    expect(page.get_by_role("button", name="Take on")).to_be_visible()
