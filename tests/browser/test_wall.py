"""The wall in a real browser: links open the same view, choices go to the address, a new snapshot comes in place."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from config import read_settings
from data.demo.world import found_world
from data.ingest import ingest
from data.lake import Lake
from tests.browser.conftest import AS_OF, HEADER
from tests.data.intake import contract_of, write_csv
from tests.serving import Served, serve

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def living(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """An interface over a home of its own with 40 orders, into which a test may take in more."""
    home = tmp_path_factory.mktemp("living") / "home"
    found_world(read_settings({}, home=home), AS_OF)
    take_in(home, tmp_path_factory.mktemp("first"), at=AS_OF, orders=40)
    with serve(home) as running:
        yield running


def open_wall(page: Page, served: Served, path: str = "/", name: str = "manager") -> None:
    page.goto(served.url + path)
    page.locator(f"[data-demo={name}]").click()
    expect(page.locator("section.worst h2")).to_be_visible()


def take_in(home: Path, folder: Path, *, at: datetime, orders: int) -> None:
    """A snapshot as of `at` with new orders of Shanghai, created two minutes before."""
    created, promised = (at - timedelta(minutes=2)).isoformat(), (at + timedelta(hours=20)).isoformat()
    rows = [(f"{at:%H%M}-{index}", "jd", "CN-SH", "WH-0", created, "", "", promised, "") for index in range(orders)]
    columns = {"order_id": "id", "channel": "channel", "province_code": "province", "warehouse_id": "warehouse"}
    columns |= {f"{name}_at": name for name in ("created", "paid", "shipped", "promised", "delivered")}
    path = write_csv(folder / f"orders_{at:%Y%m%dT%H%M%S}.csv", rows, HEADER)
    with Lake.open_writer(read_settings({}, home=home)) as lake:
        assert ingest(lake, contract_of(columns=columns), (path,), now=at).state == "accepted"


def test_a_link_opens_the_same_view(page: Page, served: Served) -> None:
    open_wall(page, served, "/?region=CN-EAST&window=7d&lang=zh-CN")
    expect(page.locator(".where")).to_have_text("华东 · 最近 7 天")
    expect(page.get_by_role("rowheader", name="上海", exact=True)).to_be_visible()


def test_a_filter_goes_to_the_address_and_back_again(page: Page, served: Served) -> None:
    open_wall(page, served)
    page.locator("details.filters summary").click()
    page.get_by_role("checkbox", name="South China").check()
    expect(page.locator(".where")).to_contain_text("South China")
    assert "region=CN-SOUTH" in page.url
    page.get_by_role("button", name="Clear all filters").click()
    expect(page.locator(".where")).to_contain_text("Nationwide")
    assert "region" not in page.url


def test_a_bad_value_in_the_address_is_ignored_and_named(page: Page, served: Served) -> None:
    open_wall(page, served, "/?window=nonsense")
    expect(page.get_by_role("alert")).to_contain_text("window=nonsense")
    expect(page.locator(".where")).to_contain_text("last 24 h")


def test_the_switch_shows_another_figure(page: Page, served: Served) -> None:
    open_wall(page, served)
    page.get_by_label("Figure shown").select_option("backlog_count")
    expect(page.get_by_role("heading", name="waiting now")).to_be_visible()
    assert "heat=backlog_count" in page.url


def test_nothing_scrolls_at_the_walls_sizes(page: Page, served: Served) -> None:
    open_wall(page, served)
    for width, height in ((1920, 1080), (1440, 900)):
        page.set_viewport_size({"width": width, "height": height})
        sizes = page.evaluate(
            "(() => { const m = document.querySelector('[data-testid=stMain]'); return [m.scrollHeight, m.scrollWidth]; })()"
        )
        assert sizes == [height, width]


def test_light_is_chosen_and_stays(page: Page, served: Served) -> None:
    open_wall(page, served)
    expect(page.locator(".ocr[data-theme=dark] .board")).to_be_visible()
    page.get_by_role("button", name="Dark or light").click()
    expect(page.locator(".ocr[data-theme=light] .board")).to_be_visible()
    page.reload()
    expect(page.locator(".ocr[data-theme=light] .board")).to_be_visible()


def test_a_new_snapshot_comes_in_place_and_focus_stays(page: Page, living: Served, tmp_path: Path) -> None:
    open_wall(page, living)
    today = page.get_by_role("button", name="Orders today")
    expect(today.locator(".value")).to_have_text("40")
    today.focus()
    page.evaluate("window.isTheSamePage = true")
    take_in(living.home, tmp_path, at=AS_OF + timedelta(minutes=5), orders=25)
    expect(today.locator(".value")).to_have_text("65")
    expect(today).to_be_focused()
    assert page.evaluate("window.isTheSamePage")
