"""A real browser with the kit in it, without a server: what the components do to a page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from components.kit import KINDS, kit_script, loader
from components.shapes import load_shapes

START = """
async ([kit, loaders, shapes]) => {
  const load = (text) => import(URL.createObjectURL(new Blob([text], { type: "text/javascript" })));
  window.sent = [];
  window.parts = {};
  window.show = async (kind, data) => {
    let part = window.parts[kind];
    if (!part) {
      const host = document.body.appendChild(document.createElement("div"));
      host.style.setProperty("--st-background-color", "#0B0F14");
      part = window.parts[kind] = { root: host.attachShadow({ mode: "open" }), run: (await load(loaders[kind])).default };
    }
    part.run({ data, parentElement: part.root, setTriggerValue: (name, value) => window.sent.push([name, value]) });
  };
  localStorage.setItem(`stActiveTheme-${location.pathname}-v2`, '"Dark"');
  (await load(kit)).default({ data: { shapes } });
}
"""

Show = Callable[[str, dict[str, Any]], None]


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty page with the kit and China's outlines, 1920 by 1080; an error on the page fails the test."""
    opened = browser.new_page(viewport={"width": 1920, "height": 1080})
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.route(
        "**/*", lambda route: route.fulfill(content_type="text/html", body="<!doctype html><body style='margin:0'></body>")
    )
    opened.goto("http://localhost/")
    opened.evaluate(START, [kit_script(is_wide=True), {kind: loader(kind) for kind in KINDS}, load_shapes("CN")])
    yield opened
    opened.close()
    assert errors == []


@pytest.fixture
def show(page: Page) -> Show:
    """Draw a kind of component with its data, as Streamlit does on every run."""
    return lambda kind, data: page.evaluate("([kind, data]) => window.show(kind, data)", [kind, data])
