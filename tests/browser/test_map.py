"""The map in a real browser that may reach nothing but the app itself: drawn, chosen on, led back, played, read without seeing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page, Request, expect

from tests.serving import Served

pytestmark = pytest.mark.browser

OpenMap = Callable[..., Page]
LAYERS = "areas,late,lanes,warehouses,complaints,incidents"


@pytest.fixture
def refused(page: Page, served: Served) -> list[str]:
    """Every request to another host than the app is noted here; the browser finds no other host."""
    asked: list[str] = []

    def note(request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob") and parts.netloc != urlsplit(served.url).netloc:
            asked.append(request.url)

    page.on("request", note)
    return asked


@pytest.fixture
def open_map(context: BrowserContext, page: Page, served: Served, refused: list[str]) -> Iterator[OpenMap]:
    """Opens the map as a demo user and waits until it is drawn; no fault of the page may have been told in the console."""
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if "Content Security Policy" in message.text else None)

    def open_(user: str = "manager", query: str = "") -> Page:
        name, value = served.sign_in(user).split("=", 1)
        context.add_cookies([{"name": name, "value": value, "url": served.url}])
        page.set_viewport_size({"width": 1024, "height": 680})
        page.goto(f"{served.url}/map?lang=en&theme=dark{query}")
        expect(page.locator(".deck[data-state=drawn]")).to_be_visible(timeout=120_000)
        return page

    yield open_
    assert faults == []


def _is_painted(page: Page) -> bool:
    """Whether the picture of the map has more to it than its ground: a plain picture packs into next to nothing."""
    box = page.locator(".deck").bounding_box()
    assert box is not None
    middle = {"x": box["x"] + 0.4 * box["width"], "y": box["y"] + 0.3 * box["height"], "width": 300, "height": 300}
    return len(page.screenshot(clip=middle)) > 6_000  # type: ignore[arg-type]


def test_map_is_drawn_without_any_network(open_map: OpenMap, refused: list[str]) -> None:
    page = open_map(query=f"&layers={LAYERS}&lanes=800")
    expect(page.locator(".deck")).to_have_attribute("data-frames", re.compile(r"\d+"))
    assert _is_painted(page)
    assert refused == []
    assert page.locator(".layer.on").count() == len(LAYERS.split(","))


def test_choosing_a_province_narrows_everything_and_back_undoes_it(open_map: OpenMap) -> None:
    page = open_map()
    crumbs, orders = page.locator("nav.crumbs"), page.locator(".figures .value").first
    everything = orders.inner_text()
    page.locator(".ranking a", has_text="Shanghai").first.click()
    expect(crumbs).to_contain_text("Shanghai")
    expect(page).to_have_url(re.compile("province=CN-SH"))
    expect(orders).not_to_have_text(everything)
    page.go_back()
    expect(crumbs).not_to_contain_text("Shanghai")
    expect(orders).to_have_text(everything)


def test_a_click_on_the_map_chooses_what_is_there(open_map: OpenMap) -> None:
    page = open_map(query="&province=CN-SC&layers=areas")
    box = page.locator(".deck").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] * 0.56, box["y"] + box["height"] * 0.5)
    expect(page).not_to_have_url(re.compile("province="))


@pytest.mark.soak
def test_layers_are_switches_and_stay_in_the_address(open_map: OpenMap) -> None:
    page = open_map()
    lanes = page.get_by_role("switch", name="Lanes")
    expect(lanes).to_have_attribute("aria-checked", "true")
    lanes.press("Space")
    expect(lanes).to_have_attribute("aria-checked", "false")
    expect(page).to_have_url(re.compile("layers=areas%2Cwarehouses%2Cincidents|layers=areas,warehouses,incidents"))
    expect(page.locator(".deck")).to_have_attribute("data-layers", "areas warehouses incidents")


def test_the_player_plays_stops_and_compares(open_map: OpenMap) -> None:
    page = open_map(query="&span=24h")
    when = page.locator(".player .when").first
    now = when.inner_text()
    page.get_by_role("button", name="Play").press("Enter")
    expect(when).not_to_have_text(now)
    page.get_by_role("button", name="Pause").press("Enter")
    expect(page).to_have_url(re.compile("at=2026"))
    page.get_by_role("button", name="Compare two").press("Enter")
    expect(page.locator(".instants span")).to_have_count(2)
    expect(page.locator(".ranking thead")).to_contain_text("Change")
    page.get_by_role("button", name="Back to now").press("Enter")
    expect(page.locator(".instants")).to_have_count(0)


def test_a_lead_sees_the_own_regions_only(open_map: OpenMap) -> None:
    page = open_map("east", f"&layers={LAYERS}")
    expect(page.locator("nav.crumbs")).to_have_text("East China")
    names = page.locator(".ranking tbody th").all_inner_texts()
    assert set(names) == {"Shanghai", "Jiangsu"}


def test_what_the_map_shows_can_be_reached_with_keys_alone(open_map: OpenMap) -> None:
    page = open_map()
    page.locator(".deck").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("+")
    link = page.locator(".ranking a", has_text="Shanghai").first
    link.focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("province=CN-SH"))
    assert "Worst" in (page.locator(".deck").get_attribute("aria-label") or "")
