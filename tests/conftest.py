"""The one browser of a test process: Playwright allows no second one beside it."""

from __future__ import annotations

import gc
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from typing import TypedDict

import duckdb
import pytest
from playwright.sync_api import Browser, BrowserType, expect, sync_playwright
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tests.nursery import nursery

NOTHING_SHARED = ("tests/shell/test_fresh_process.py", "tests/shell/test_run.py")
"""Long files whose tests each start a process of their own."""


class LaunchOptions(TypedDict):
    """How the browser is started."""

    executable_path: str
    args: list[str]


def pytest_collection_finish() -> None:
    """Thousands of collected tests stay: no collection of garbage walks them again; those of trees of statements come seldom."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


@pytest.fixture(scope="session", autouse=True)
def engine_kept_small() -> Iterator[None]:
    """The engine hashes the whole of each packaged extension whenever a lake is opened, half a second of processor: here no more.

    Nor does it divide the few rows of a test among threads. Every interface, worker and command that a test starts loads the
    extensions as users do, signatures and all, and has all threads.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(duckdb, "connect", partial(_connect_trusting, duckdb.connect))
        yield


@pytest.fixture(scope="session", autouse=True)
def nothing_left_running() -> Iterator[None]:
    """The process from which interfaces are forked ends with the tests."""
    yield
    if nursery.cache_info().currsize:
        nursery().close()


def _connect_trusting(
    connect: Callable[..., duckdb.DuckDBPyConnection],
    database: str = ":memory:",
    *,
    config: dict[str, object] | None = None,
    **options: object,
) -> duckdb.DuckDBPyConnection:
    return connect(database, config={"allow_unsigned_extensions": True, "threads": 1} | (config or {}), **options)


class Together(LoadScopeScheduling):  # type: ignore[misc]
    """What goes to one worker: all browser tests, else a file's; of files without a share in anything each test by itself."""

    def _split_scope(self, nodeid: str) -> str:
        """The name of a test's group (xdist asks for it; with pytest 9.2 its own `loadgroup` sees no marks)."""
        file = nodeid.split("::")[0]
        if file in NOTHING_SHARED:
            return nodeid
        return "browser" if file.startswith("tests/browser/") else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Together:
    """What tests share is made in one worker, not in each."""
    return Together(config, log)


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
