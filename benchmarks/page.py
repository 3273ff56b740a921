"""The wall in a real browser: cold, warm, after a filter change; cold and warm against a Streamlit page of eight figures."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from typing import Final

from playwright.sync_api import Browser, BrowserContext

from benchmarks.browser import (
    FLOOR,
    WALL,
    Part,
    Wire,
    cold_context,
    opened_browser,
    seconds_to_choose,
    seconds_to_draw,
    seconds_to_draw_again,
    settle,
)
from benchmarks.figure import BenchmarkError, Figure, Trial, Unit
from benchmarks.lakes import END, MEMORY_LIMIT, lake_home
from tests.serving import Served, free_port, serve

ROUNDS: Final = 3
FLOOR_PAGE: Final = Path(__file__).resolve().parent / "floor.py"
VISITS: Final = {"cold": False, "warm": True, "tab": False}
"""In a browser that has seen nothing, reloaded there, in another tab of the same browser: whether the open tab draws it again."""

BUDGETS: Final = {
    "cold_over_floor": 1.3,
    "cold_wire": 3_000_000,
    "warm_seconds": 1.3,
    "filter_cached_seconds": 0.4,
    "filter_uncached_seconds": 0.9,
}
UNITS: Final[dict[str, Unit]] = {
    **{f"{kind}_over_floor": "ratio" for kind in VISITS},
    **{f"{kind}_wire": "bytes" for kind in VISITS},
    **{f"floor_{kind}_wire": "bytes" for kind in VISITS},
}
Measured = dict[str, list[float]]


def measure(trial: Trial) -> list[Figure]:
    """Medians over three rounds; the ratio is that of each round's two cold pages, which take turns."""
    home, measured = lake_home(trial).home, defaultdict[str, list[float]](list)
    with (
        opened_browser() as browser,
        serve(home, CONTROL_ROOM_MEMORY_LIMIT=MEMORY_LIMIT) as wall,
        serve_floor(trial.out) as floor,
    ):
        cookie = wall.sign_in("manager")
        with cold_context(browser, url=wall.url, cookie=cookie) as context:
            measured["first_visit_seconds"] = [_draw(context, wall.url, WALL)[0]]
        settle(wall)
        with cold_context(browser) as context:
            _draw(context, floor, FLOOR)
        for number in range(ROUNDS):
            _measure_cold(browser, wall, cookie, floor, measured)
            _measure_filters(browser, wall, cookie, number, measured)
            trial.say(f"page round {number + 1}: " + ", ".join(f"{name} {values[-1]:,.3g}" for name, values in measured.items()))
    return [
        Figure(name=name, value=median(values), unit=UNITS.get(name, "seconds"), budget=BUDGETS.get(name))
        for name, values in measured.items()
    ]


def _measure_cold(browser: Browser, wall: Served, cookie: str, floor: str, measured: Measured) -> None:
    """Both pages in browsers that have seen nothing, then each again from the browser's cache: reloaded, and in a new tab."""
    with cold_context(browser) as context:
        bare = {kind: _draw(context, floor, FLOOR, again=again) for kind, again in VISITS.items()}
    with cold_context(browser, url=wall.url, cookie=cookie) as context:
        own = {kind: _draw(context, wall.url, WALL, again=again) for kind, again in VISITS.items()}
    for kind in VISITS:
        (seconds, sent), (floor_seconds, floor_bytes) = own[kind], bare[kind]
        found = {f"{kind}_over_floor": seconds / floor_seconds, f"{kind}_seconds": seconds, f"{kind}_wire": sent}
        found |= {f"floor_{kind}_seconds": floor_seconds, f"floor_{kind}_wire": floor_bytes}
        for name, value in found.items():
            measured[name].append(value)


def _measure_filters(browser: Browser, wall: Served, cookie: str, number: int, measured: Measured) -> None:
    """The window 24 h → 7 d at an instant nobody has looked at, so that nothing is cached; then back, and there again."""
    instant = END + timedelta(minutes=number + 1)
    with cold_context(browser, url=wall.url, cookie=cookie) as context:
        page = context.new_page()
        seconds_to_draw(page, f"{wall.url}/?as_of={instant:%Y-%m-%dT%H:%M:%SZ}", WALL)
        measured["filter_uncached_seconds"].append(seconds_to_choose(page, "last 7 d"))
        for window in ("last 24 h", "last 7 d"):
            measured["filter_cached_seconds"].append(seconds_to_choose(page, window))


def _draw(context: BrowserContext, url: str, parts: Sequence[Part], *, again: bool = False) -> tuple[float, int]:
    """Seconds until a new tab has drawn the page, or until the tab that is open has drawn it `again`, and the bytes it took."""
    for open_tab in [] if again else context.pages:
        open_tab.close()
    page = context.pages[-1] if again else context.new_page()
    wire = Wire(page)
    seconds = seconds_to_draw_again(page, parts) if again else seconds_to_draw(page, url, parts)
    page.wait_for_load_state("networkidle")
    wire.close()
    return seconds, wire.bytes


@contextmanager
def serve_floor(folder: Path) -> Iterator[str]:
    """The address of a plain `streamlit run` of the floor, away from our own settings; ended afterwards."""
    port, folder = free_port(), folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    options = {"server.port": port, "server.headless": "true", "logger.level": "error"}
    options |= {"browser.gatherUsageStats": "false", "browser.serverAddress": "localhost"}
    words = [f"--{name}={value}" for name, value in options.items()]
    command = (sys.executable, "-m", "streamlit", "run", str(FLOOR_PAGE), *words)
    variables = {name: value for name, value in os.environ.items() if not name.startswith("STREAMLIT_")}
    process = subprocess.Popen(command, cwd=folder, env=variables, stdout=subprocess.DEVNULL)
    try:
        _wait_until_healthy(port, process)
        yield f"http://localhost:{port}"
    finally:
        process.terminate()
        process.wait(timeout=20)


def _wait_until_healthy(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        connection = HTTPConnection("localhost", port, timeout=5)
        try:
            connection.request("GET", "/_stcore/health")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.1)
        finally:
            connection.close()
    raise BenchmarkError("the Streamlit page to compare with did not start")
