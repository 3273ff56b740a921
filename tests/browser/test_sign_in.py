"""What a person sees from the sign-in page to the wall and back, in a real browser."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, expect

from access.store import open_store, writing
from access.user import end_sessions
from config import read_settings
from tests.serving import Served

pytestmark = pytest.mark.browser


def sign_in(page: Page, served: Served, name: str, path: str = "/") -> None:
    """Open a page of the interface, be led to the sign-in page, and use the one-click demo sign-in."""
    page.goto(served.url + path)
    page.locator(f"[data-demo={name}]").click()


def wall(page: Page) -> None:
    """Wait until the wall's board is drawn."""
    expect(page.get_by_text("Where it is stuck").or_(page.get_by_text("哪里卡住了"))).to_be_visible()


def test_manager_sees_the_country(page: Page, served: Served) -> None:
    """At once dark where the computer prefers light and nothing is kept: the page does not open twice."""
    page.emulate_media(color_scheme="light")
    opened: list[str] = []
    page.on("request", lambda asked: opened.append(asked.url) if asked.resource_type == "document" else None)
    sign_in(page, served, "manager")
    wall(page)
    assert opened.count(f"{served.url}/") == 2, opened
    assert page.evaluate("() => getComputedStyle(document.querySelector('.stApp')).colorScheme") == "dark"
    for region in ("East", "South", "Northeast"):
        expect(page.get_by_role("rowheader", name=region, exact=True)).to_be_visible()


def test_lead_sees_only_the_leads_region(page: Page, served: Served) -> None:
    sign_in(page, served, "east")
    wall(page)
    expect(page.get_by_role("rowheader", name="Shanghai", exact=True)).to_be_visible()
    for elsewhere in ("South China", "Guangdong", "Beijing", "Sichuan", "Liaoning"):
        expect(page.get_by_text(elsewhere, exact=True)).to_have_count(0)


def test_language_is_switched_and_kept(page: Page, served: Served) -> None:
    sign_in(page, served, "manager")
    wall(page)
    page.get_by_role("button", name="中文").click()
    expect(page.get_by_text("哪里卡住了")).to_be_visible()
    page.reload()
    expect(page.get_by_text("哪里卡住了")).to_be_visible()


def test_sign_in_by_typing_in_chinese(context: BrowserContext, served: Served) -> None:
    page = context.new_page()
    page.goto(f"{served.url}/auth/sign-in?lang=zh-CN")
    page.get_by_label("用户名").fill("manager")
    page.get_by_label("密码").fill("wrong password")
    page.get_by_role("button", name="登录", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("用户名或密码不正确")
    page.get_by_label("用户名").fill("manager")
    page.get_by_label("密码").fill("demo-manager")
    page.get_by_role("button", name="登录", exact=True).click()
    expect(page.get_by_text("哪里卡住了")).to_be_visible()


def test_deep_link_survives_sign_in(page: Page, served: Served) -> None:
    sign_in(page, served, "manager", "/?window=7d&region=CN-SOUTH")
    wall(page)
    assert re.search(r"window=7d.*region=CN-SOUTH|region=CN-SOUTH.*window=7d", page.url)


def test_wall_has_an_address_of_its_own(page: Page, served: Served) -> None:
    sign_in(page, served, "manager", "/wall")
    wall(page)
    expect(page.get_by_text("Page not found")).to_have_count(0)


def test_sign_out_leaves_and_the_back_button_shows_nothing(page: Page, served: Served) -> None:
    sign_in(page, served, "manager")
    wall(page)
    page.locator('summary[aria-label="Menu"]').click()
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(re.compile("/auth/sign-in"))
    page.go_back()
    expect(page).to_have_url(re.compile("/auth/sign-in"))


def test_open_wall_leaves_when_its_session_is_ended(page: Page, served: Served) -> None:
    sign_in(page, served, "analyst", "/?window=7d")
    wall(page)
    store = open_store(read_settings({}, home=served.home))
    with writing(store) as connection:
        end_sessions(connection, "analyst", datetime.now(UTC))
    expect(page).to_have_url(re.compile(r"/auth/sign-in\?next=.*window%3D7d"), timeout=15_000)


def test_nothing_comes_from_elsewhere_and_the_policy_holds(page: Page, served: Served) -> None:
    foreign: list[str] = []
    complaints: list[str] = []

    def note_request(request: Request) -> None:
        if not request.url.startswith((served.url, f"ws://localhost:{served.port}", "data:", "blob:")):
            foreign.append(request.url)

    def note_message(message: ConsoleMessage) -> None:
        if message.type == "error" and "/_stcore/" not in message.text + (message.location or {}).get("url", ""):
            complaints.append(message.text)

    page.on("request", note_request)
    page.on("console", note_message)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    sign_in(page, served, "manager")
    wall(page)
    assert foreign == []
    assert complaints == []


def test_session_cookie_is_out_of_reach_of_scripts(page: Page, served: Served) -> None:
    sign_in(page, served, "manager")
    wall(page)
    assert "control_room_session" not in page.evaluate("document.cookie")
