"""From the command to a wall with live data in the browser: in an empty home, and again with what is there."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser

from benchmarks.browser import WALL, cold_context, opened_browser, wait_until_drawn
from benchmarks.figure import BenchmarkError, Figure, Trial
from config import ROOT
from tests.serving import Served, free_port

BUDGET_SECONDS: Final = 30.0
LIVE: Final = (*WALL, (".topbar .live.live", 1, ""))
"""The wall with figures, and its mark that they are live."""


def measure(trial: Trial) -> list[Figure]:
    """Seconds of a first start, with the environment already made, and of a second one a moment later."""
    home = trial.out.resolve() / "start"
    shutil.rmtree(home, ignore_errors=True)
    try:
        with opened_browser() as browser:
            figures = _start(browser, home, "first") + _start(browser, home, "second")
    finally:
        shutil.rmtree(home, ignore_errors=True)
    return figures


def _start(browser: Browser, home: Path, name: str) -> list[Figure]:
    """One start: seconds from the command to the first answer, to a wall with figures, to live ones."""
    started = time.perf_counter()
    with _running(home) as served:
        answered = time.perf_counter() - started
        with cold_context(browser, url=served.url, cookie=served.sign_in("manager")) as context:
            page = context.new_page()
            page.goto(served.url, wait_until="commit")
            wait_until_drawn(page, WALL)
            drawn = time.perf_counter() - started
            wait_until_drawn(page, LIVE)
            live = time.perf_counter() - started
    return [
        Figure(name=f"{name}_answer_seconds", value=answered, unit="seconds"),
        Figure(name=f"{name}_drawn_seconds", value=drawn, unit="seconds"),
        Figure(name=f"{name}_live_seconds", value=live, unit="seconds", budget=BUDGET_SECONDS),
    ]


@contextmanager
def _running(home: Path) -> Iterator[Served]:
    """`cli.py run` on the home, from its first answer on; ended as with Ctrl-C."""
    served = Served(port=free_port(), home=home)
    variables = {name: value for name, value in os.environ.items() if not name.startswith("CONTROL_ROOM_")}
    variables |= {"CONTROL_ROOM_HOME": str(home), "CONTROL_ROOM_PORT": str(served.port)}
    process = subprocess.Popen((sys.executable, "cli.py", "run"), cwd=ROOT, env=variables, stdout=subprocess.DEVNULL)
    try:
        wait_for_answer(served, process)
        yield served
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)


def wait_for_answer(served: Served, process: subprocess.Popen[bytes]) -> None:
    """Return once the interface answers. Raises BenchmarkError where it ends, or does not within a minute."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if served.ask("GET", "/healthz").status == 200:
                return
        except OSError:
            time.sleep(0.05)
    raise BenchmarkError("the interface did not answer: its lines above say why")
