"""The one browser of a test process: Playwright allows no second one beside it."""

from __future__ import annotations

import gc
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright


def pytest_collection_finish() -> None:
    """Thousands of collected tests stay: no collection of garbage walks them again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium, which finds no host but this machine; skips, saying so, where there is none."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no Chromium here: `make test` says how to install it")
    expect.set_options(timeout=30_000)
    with sync_playwright() as playwright:
        nowhere = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1"
        opened = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu", nowhere])
        yield opened
        opened.close()
