"""The one browser of a test process: Playwright allows no second one beside it."""

from __future__ import annotations

import gc
import shutil
from collections.abc import Iterator
from typing import TypedDict

import pytest
from playwright.sync_api import Browser, BrowserType, expect, sync_playwright


class LaunchOptions(TypedDict):
    """How the browser is started."""

    executable_path: str
    args: list[str]


def pytest_collection_finish() -> None:
    """Thousands of collected tests stay: no collection of garbage walks them again."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """Tests that share something made for their module run in one process, or it would be made twice."""
    for item in items:
        known = getattr(item, "_fixtureinfo", None)
        definitions = [] if known is None else [found[-1] for found in known.name2fixturedefs.values()]
        if not item.get_closest_marker("xdist_group") and any(found.scope == "module" for found in definitions):
            item.add_marker(pytest.mark.xdist_group(item.nodeid.split("::")[0]))
    yield


@pytest.fixture(scope="session")
def engine() -> Iterator[BrowserType]:
    """Chromium as Playwright drives it."""
    expect.set_options(timeout=30_000)
    with sync_playwright() as playwright:
        yield playwright.chromium


@pytest.fixture(scope="session")
def launch_options() -> LaunchOptions:
    """The system's Chromium, which finds no host but this machine; skips, saying so, where there is none."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no Chromium here: `make test` says how to install it")
    nowhere = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1"
    return {"executable_path": path, "args": ["--no-sandbox", "--disable-gpu", nowhere]}


@pytest.fixture(scope="session")
def browser(engine: BrowserType, launch_options: LaunchOptions) -> Iterator[Browser]:
    """A browser whose profiles are empty."""
    opened = engine.launch(**launch_options)
    yield opened
    opened.close()
