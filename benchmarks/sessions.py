"""A hundred open walls and a new snapshot every ten seconds: how long each redraw takes, and what the interface holds."""

from __future__ import annotations

import asyncio
import itertools
import multiprocessing
import os
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from statistics import median, quantiles
from typing import Final

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin

from benchmarks.figure import BenchmarkError, Figure, Trial
from benchmarks.lakes import END, MEMORY_LIMIT, SEED, borrowed_home, lake_home, settings_of
from benchmarks.merge import CONTRACT, RECENT, write_changes
from benchmarks.start import wait_for_answer
from config import ROOT
from data.contract import parse_contract
from data.lake import Lake
from data.watch import take
from tests.accounts import add_demo_accounts
from tests.serving import Served, free_port, wait_until_settled

TABS: Final = 100
SNAPSHOTS: Final = 6
ROWS: Final = 1_000
"""Of changed orders in each snapshot: over eight million changes a day."""
EVERY_SECONDS: Final = 10.0
SETTLING_SECONDS: Final = 20.0
"""Before the first snapshot: tabs that opened as the first of many still look as often as few do."""
OPENING_SECONDS: Final = 0.2
"""Tabs open one after the other, so that their timers are spread as those of people are."""
ACCOUNTS: Final = ("manager", "east", "analyst")
BUDGET_SECONDS: Final = 1.0
BUDGET_BYTES: Final = 3 * 1024**3

STATUS: Final = ForwardMsg.ScriptFinishedStatus


@dataclass
class Tab:
    """One open wall that looks for news by its own timers, as a browser does; `redraws` are the seconds of those that found some."""

    connection: ClientConnection
    timers: dict[str, float] = field(default_factory=dict)
    redraws: list[float] = field(default_factory=list)

    async def open(self) -> None:
        """Draw the wall for the first time."""
        await self._run(ClientState(page_name="", query_string=""))

    async def live(self, until: float) -> None:
        """Follow the timers until the instant (monotonic)."""
        due = {fragment: time.monotonic() + seconds for fragment, seconds in self.timers.items()}
        while time.monotonic() < until:
            fragment = min(due, key=lambda name: due[name])
            await asyncio.sleep(max(0.0, due[fragment] - time.monotonic()))
            began = time.monotonic()
            if await self._run(ClientState(fragment_id=fragment, is_auto_rerun=True)):
                self.redraws.append(time.monotonic() - began)
            now = time.monotonic()
            due = {name: due[name] if name in due and name != fragment else now + each for name, each in self.timers.items()}

    async def _run(self, state: ClientState) -> bool:
        """One run, and the one of the whole page that it may ask for; whether the whole page was drawn."""
        await self.connection.send(BackMsg(rerun_script=state).SerializeToString())
        timers = dict[str, float]()
        while True:
            data = await self.connection.recv()
            message = ForwardMsg.FromString(data if isinstance(data, bytes) else data.encode())
            if message.HasField("new_session"):
                timers = {}
            if message.HasField("auto_rerun"):
                timers[message.auto_rerun.fragment_id] = message.auto_rerun.interval
            if message.HasField("script_finished") and message.script_finished != STATUS.FINISHED_EARLY_FOR_RERUN:
                is_whole = bool(message.script_finished != STATUS.FINISHED_FRAGMENT_RUN_SUCCESSFULLY)
                self.timers = timers if is_whole else self.timers | timers
                return is_whole


def measure(trial: Trial) -> list[Figure]:
    """Median, p95 and worst seconds of a redraw, from a tab's look to the whole page, and the interface's peak memory.

    The walls are of a manager, a lead and an analyst in turn; the snapshots (of `ROWS` changed orders each) are committed by
    a process of their own, as the worker does. Server, worker and the tabs' client share the machine.
    """
    lent = lake_home(trial)
    with borrowed_home(lent, trial.out / "sessions") as settings:
        shutil.copytree(lent.home / "contracts", settings.home / "contracts")
        shutil.copyfile(lent.home / "demo.json", settings.home / "demo.json")
        add_demo_accounts(settings.home)
        with _interface(settings.home) as (served, process_id):
            wait_until_settled(served, seconds=600)
            cookies = [served.sign_in(name) for name in ACCOUNTS]
            redraws, drawn = asyncio.run(_watched(served, cookies, settings.home, trial))
            peak = _peak_bytes(process_id)
    if drawn < TABS * SNAPSHOTS / 3:
        raise BenchmarkError(f"only {drawn} redraws of {TABS} tabs and {SNAPSHOTS} snapshots: the tabs did not see the news")
    return [
        Figure(name="redraw_p50_seconds", value=median(redraws), unit="seconds"),
        Figure(name="redraw_p95_seconds", value=quantiles(redraws, n=20)[-1], unit="seconds", budget=BUDGET_SECONDS),
        Figure(name="redraw_worst_seconds", value=max(redraws), unit="seconds"),
        Figure(name="redraws", value=drawn, unit="count"),
        Figure(name="interface_peak_memory", value=peak, unit="bytes", budget=BUDGET_BYTES),
    ]


async def _watched(served: Served, cookies: Sequence[str], home: Path, trial: Trial) -> tuple[list[float], int]:
    """The seconds of all redraws, and how many there were, of tabs that live while snapshots come."""
    tabs = list[Tab]()
    async with _opened(served, cookies, tabs):
        trial.say(f"sessions: {len(tabs)} walls are open")
        until = time.monotonic() + SETTLING_SECONDS + (SNAPSHOTS + 1) * EVERY_SECONDS
        worker = multiprocessing.get_context("spawn").Process(target=deliver, args=(home,))
        worker.start()
        try:
            await asyncio.gather(*(tab.live(until) for tab in tabs))
        finally:
            worker.join(timeout=60)
        if worker.exitcode:
            raise BenchmarkError("the snapshots could not be committed: the trace is above")
    redraws = list(itertools.chain.from_iterable(tab.redraws for tab in tabs))
    return redraws, len(redraws)


@asynccontextmanager
async def _opened(served: Served, cookies: Sequence[str], tabs: list[Tab]) -> AsyncIterator[None]:
    """Fill `tabs` with walls that are drawn."""
    pause = Random(SEED)
    try:
        for number in range(TABS):
            connection = await connect(
                f"ws://localhost:{served.port}/_stcore/stream",
                additional_headers={"Cookie": cookies[number % len(cookies)]},
                origin=Origin(served.url),
                open_timeout=60,
                max_size=None,
            )
            tabs.append(Tab(connection=connection))
            await tabs[-1].open()
            await asyncio.sleep(pause.uniform(0, OPENING_SECONDS))
        yield
    finally:
        await asyncio.gather(*(tab.connection.close() for tab in tabs))


def deliver(home: Path) -> None:
    """Commit the snapshots, one every so many seconds."""
    settings, contract = settings_of(home), parse_contract(CONTRACT)
    with Lake.open_writer(settings) as lake:
        began = time.monotonic() + SETTLING_SECONDS
        for number in range(SNAPSHOTS):
            path = write_changes(lake, settings, RECENT, number, rows=ROWS)
            time.sleep(max(0.0, began + number * EVERY_SECONDS - time.monotonic()))
            report = take(lake, contract, (path,), settings, now=END)
            if report.state != "accepted":
                raise BenchmarkError(f"{path.name} was {report.state}: {report.reason}")


@contextmanager
def _interface(home: Path) -> Iterator[tuple[Served, int]]:
    """A running interface over the home and its process id."""
    served = Served(port=free_port(), home=home)
    variables = {name: value for name, value in os.environ.items() if not name.startswith("CONTROL_ROOM_")}
    variables |= {"CONTROL_ROOM_HOME": str(home), "CONTROL_ROOM_PORT": str(served.port)}
    variables |= {"CONTROL_ROOM_MEMORY_LIMIT": MEMORY_LIMIT}
    command = (
        sys.executable,
        "-m",
        "uvicorn",
        "app:app",
        "--port",
        str(served.port),
        "--log-level",
        "warning",
        "--no-access-log",
    )
    process = subprocess.Popen(command, cwd=ROOT, env=variables)
    try:
        wait_for_answer(served, process)
        yield served, process.pid
    finally:
        process.terminate()
        process.wait(timeout=60)


def _peak_bytes(process_id: int) -> int:
    """The most memory that the process has held."""
    lines = Path(f"/proc/{process_id}/status").read_text(encoding="utf-8").splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
