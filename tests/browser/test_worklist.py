"""A regional lead's shift in a real browser: take an order, note, follow up, finish, take back, hand over; a view to start with."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from access.audit import verify
from access.store import open_store
from config import read_settings
from data.demo.world import found_world
from data.ingest import ingest
from data.lake import Lake
from tests.browser.conftest import AS_OF, HEADER
from tests.data.intake import contract_of, write_csv
from tests.serving import Served, serve

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """An interface over a home of its own: six late orders of Shanghai, two of Guangdong."""
    folder = tmp_path_factory.mktemp("desk")
    settings = read_settings({}, home=folder / "home")
    columns = {"order_id": "id", "channel": "channel", "province_code": "province", "warehouse_id": "warehouse"}
    columns |= {f"{name}_at": name for name in ("created", "paid", "shipped", "promised", "delivered")}
    rows = []
    for number in range(8):
        created, promised = AS_OF - timedelta(hours=40 + number), AS_OF - timedelta(hours=20 - number)
        province = "CN-SH" if number < 6 else "CN-GD"
        rows.append(
            (f"L{number}", "jd", province, "WH-0", created.isoformat(), created.isoformat(), "", promised.isoformat(), "")
        )
    path = write_csv(Path(folder) / f"orders_{AS_OF:%Y%m%dT%H%M%S}.csv", rows, HEADER)
    found_world(settings, AS_OF)
    with Lake.open_writer(settings) as lake:
        assert ingest(lake, contract_of(columns=columns), (path,), now=AS_OF).state == "accepted"
    with serve(settings.home) as running:
        yield running


@pytest.fixture
def tablet(browser: Browser) -> Iterator[BrowserContext]:
    """A tablet's browser, in English, touched."""
    opened = browser.new_context(viewport={"width": 1024, "height": 768}, locale="en-GB", color_scheme="dark", has_touch=True)
    opened.set_default_timeout(60_000)
    yield opened
    opened.close()


def open_page(context: BrowserContext, desk: Served, path: str, name: str = "east") -> Page:
    page = context.new_page()
    page.goto(desk.url + path)
    page.locator(f"[data-demo={name}]").click()
    return page


def test_a_lead_works_through_a_shift(tablet: BrowserContext, desk: Served) -> None:
    page = open_page(tablet, desk, "/worklist")
    table = page.get_by_role("table", name="Late and at-risk orders")
    expect(table.get_by_role("rowheader")).to_have_count(6)
    said = page.locator(".said")
    page.get_by_role("button", name="L0").click()
    page.get_by_role("button", name="Take it").click()
    expect(said).to_contain_text("L0: assigned to")
    page.get_by_role("textbox", name="Note").fill("<b>van</b> at 18:00")
    page.get_by_role("button", name="Add note").click()
    expect(said).to_contain_text("L0: note written")
    expect(table).to_contain_text("<b>van</b> at 18:00")
    page.get_by_role("button", name="In 2 h").click()
    expect(said).to_contain_text("L0: follow-up")
    page.get_by_role("button", name="Done", exact=True).click()
    expect(said).to_contain_text("L0: state: Done")
    expect(table.get_by_role("rowheader")).to_have_count(5)
    said.get_by_role("button", name="Undo").click()
    expect(said).to_contain_text("taken back")
    said.get_by_role("button", name="Close").click()
    expect(said).to_be_hidden()
    expect(table.get_by_role("rowheader")).to_have_count(6)
    page.get_by_role("link", name="Handover sheet").click()
    expect(page.get_by_role("heading", name="Handover ·")).to_be_visible()
    expect(page.get_by_role("table").first).to_contain_text("L0")
    expect(page.locator(".paper")).to_contain_text("<b>van</b> at 18:00")
    page.emulate_media(media="print")
    expect(page.locator(".topbar")).to_be_hidden()
    expect(page.locator(".paper")).to_be_visible()
    assert verify(open_store(read_settings({}, home=desk.home))).broken_seq is None


def test_rows_are_walked_with_the_keyboard(tablet: BrowserContext, desk: Served) -> None:
    page = open_page(tablet, desk, "/worklist")
    first = page.locator("button.job").first
    first.focus()
    page.keyboard.press("ArrowDown")
    second = page.locator("button.job").nth(1)
    expect(second).to_be_focused()
    expect(second).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".job-head h2")).to_contain_text(str(second.get_attribute("data-job")).split("/")[1])


def test_an_order_of_another_region_is_not_found(tablet: BrowserContext, desk: Served) -> None:
    page = open_page(tablet, desk, "/worklist?item=jd/L7")
    expect(page.get_by_role("alert").filter(has_text="L7")).to_contain_text("was not found in your area")
    expect(page.locator("main.worklist")).not_to_contain_text("Guangdong")


def test_a_view_is_saved_shared_and_started_with(browser: Browser, tablet: BrowserContext, desk: Served) -> None:
    page = open_page(tablet, desk, "/worklist?province=CN-SH", name="manager")
    menu = page.locator("details.saved")
    menu.locator("summary").first.click()
    page.get_by_label("Save this page as").fill("Shanghai late")
    page.get_by_role("checkbox", name="Regional lead").check()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Shanghai late is saved.")).to_be_visible()
    menu.get_by_label("More: Shanghai late").click()
    page.get_by_role("button", name="Start with this view").click()
    expect(page.get_by_text("You start with Shanghai late")).to_be_visible()
    again = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
    again.set_default_timeout(60_000)
    started = open_page(again, desk, "/", name="manager")
    expect(started.get_by_role("table", name="Late and at-risk orders").get_by_role("rowheader")).to_have_count(6)
    assert "/worklist" in started.url
    assert "province=CN-SH" in started.url
    again.close()
    menu.locator("details.entry").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("Shanghai late is deleted.")).to_be_visible()
    lost = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
    lost.set_default_timeout(60_000)
    fallen = open_page(lost, desk, "/", name="manager")
    expect(fallen.get_by_text("The view you start with no longer opens")).to_be_visible()
    lost.close()
    page.locator(".saved-said").get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Shanghai late is back.")).to_be_visible()
    menu.get_by_label("More: Shanghai late").click()
    menu.locator("details.entry").get_by_role("button", name="Delete").click()
    menu.get_by_text("Deleted views (1)").click()
    menu.get_by_role("button", name="Restore: Shanghai late").click()
    expect(page.get_by_text("Shanghai late is back.")).to_be_visible()
    expect(menu.get_by_text("Deleted views")).to_have_count(0)
