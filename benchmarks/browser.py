"""A real browser for benchmarks: opened once, cold in every new context, and told when everything is drawn."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from benchmarks.figure import BenchmarkError
from tests.serving import Served, wait_until_settled

SWITCHES: Final = ("--no-sandbox", "--disable-gpu")
PATIENCE_MS: Final = 60_000
SETTLED_SECONDS: Final = 1800.0
"""So long ten million orders may take to be read on a slow machine."""

Part = tuple[str, int, str]
"""A selector, how many of it must stand on the page, and a text each of them holds."""

WALL: Final[tuple[Part, ...]] = (
    (".topbar .where", 1, ""),
    (".tile .value", 8, ""),
    ("section.heat .cell", 20, ""),
    ("section.country path.area", 20, ""),
    ("section.worst li", 1, ""),
    ("section.warehouses tbody tr", 3, ""),
    ("section.returns tbody tr", 1, ""),
)
FLOOR: Final[tuple[Part, ...]] = (("[data-testid=stMetricValue]", 8, ""),)
"""When the wall, and when a Streamlit page of eight figures, counts as drawn."""

LOOK: Final = """(parts) => {
  const roots = [document];
  for (const root of roots) for (const element of root.querySelectorAll("*")) if (element.shadowRoot) roots.push(element.shadowRoot);
  const isDrawn = (element, text) => element.getClientRects().length > 0 && element.textContent.includes(text);
  const count = (selector, text) => roots.reduce((sum, root) => sum + [...root.querySelectorAll(selector)].filter((e) => isDrawn(e, text)).length, 0);
  return parts.every(([selector, least, text]) => count(selector, text) >= least) && performance.now();
}"""
"""Looked at before every frame is painted; gives the page's own clock, in ms since the navigation began."""

NOTE_CLICKS: Final = "addEventListener('click', (event) => { globalThis.clickedAt = event.timeStamp; }, true)"


def settle(served: Served) -> None:
    """Return once nothing is read into memory any more: it would be measured beside the pages."""
    wait_until_settled(served, seconds=SETTLED_SECONDS)


@contextmanager
def opened_browser() -> Iterator[Browser]:
    """The system's Chromium without a graphics card. Raises BenchmarkError where there is none."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        raise BenchmarkError("no Chromium here: `make browser` says how to install it")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(SWITCHES))
        yield browser
        browser.close()


@contextmanager
def cold_context(browser: Browser, *, url: str = "", cookie: str = "") -> Iterator[BrowserContext]:
    """A browser that has seen nothing yet, with a session's cookie (`name=value`) for `url` where one is given."""
    context = browser.new_context(viewport={"width": 1920, "height": 1080}, locale="en-GB", color_scheme="dark")
    context.set_default_timeout(PATIENCE_MS)
    if cookie:
        name, value = cookie.split("=", 1)
        context.add_cookies([{"name": name, "value": value, "url": url}])
    context.add_init_script(NOTE_CLICKS)
    yield context
    context.close()


@dataclass
class Wire:
    """Bytes that came over the network: responses as they were sent, and what the websocket brought."""

    page: Page
    bytes: int = 0

    def __post_init__(self) -> None:
        """Count from now on."""
        self._session = self.page.context.new_cdp_session(self.page)
        self._session.send("Network.enable")
        self._session.on("Network.loadingFinished", self._add_response)
        self._session.on("Network.webSocketFrameReceived", self._add_frame)

    def close(self) -> None:
        """Count no more."""
        self._session.detach()

    def _add_response(self, event: dict[str, Any]) -> None:
        self.bytes += int(event["encodedDataLength"])

    def _add_frame(self, event: dict[str, Any]) -> None:
        frame = event["response"]
        size = len(frame["payloadData"])
        self.bytes += size if frame["opcode"] == 1 else size * 3 // 4


def seconds_to_draw(page: Page, url: str, parts: Sequence[Part]) -> float:
    """Seconds from the beginning of the navigation until every part is drawn, by the page's own clock."""
    page.goto(url, wait_until="commit")
    return wait_until_drawn(page, parts)


def seconds_to_draw_again(page: Page, parts: Sequence[Part]) -> float:
    """The same when the page is reloaded, from the browser's cache."""
    page.reload(wait_until="commit")
    return wait_until_drawn(page, parts)


def seconds_to_choose(page: Page, window: str) -> float:
    """Seconds from a click on a window of the filter menu until frame and board tell the new figures."""
    menu = page.locator("details.filters")
    button = menu.get_by_role("button", name=window, exact=True)
    if not button.is_visible():
        menu.locator("summary").click()
    button.click()
    drawn = wait_until_drawn(page, ((".topbar .where", 1, window), ("section.heat .scope", 1, window), *WALL))
    return drawn - float(page.evaluate("globalThis.clickedAt")) / 1000


def wait_until_drawn(page: Page, parts: Sequence[Part]) -> float:
    """Return once every part is drawn: when that was, in seconds since the navigation began."""
    found = page.wait_for_function(LOOK, arg=[list(part) for part in parts], polling="raf")
    return float(found.json_value()) / 1000
