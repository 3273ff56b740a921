"""Killed at a random moment of intake: after a rerun the ledger, the rows and the table are those of an undisturbed run."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from config import ROOT
from data.lake import Lake
from data.maintain import check_counts
from tests.data.intake import PLAIN, home, table, write_csv

KILLS = 3
FILES = 6


def _files(folder: Path) -> Path:
    inbox = folder / "files"
    inbox.mkdir()
    for hour in range(FILES):
        shipped = f"2026-01-02 {hour:02d}:00:00"
        rows = [[f"{number:05d}", "2026-01-01 08:00:00", f"{hour}.5", shipped if number % 3 else "", ""] for number in range(400)]
        write_csv(inbox / f"orders_20260201T{hour:02d}0000.csv", rows)
    (folder / "shop.yaml").write_text(yaml.safe_dump(PLAIN), encoding="utf-8")
    return inbox


def _command(folder: Path, place: str) -> list[str]:
    (folder / place).mkdir(exist_ok=True)
    paths = ["--contract", str(folder / "shop.yaml"), str(folder / "files")]
    return [sys.executable, "cli.py", "--home", str(home(folder / place).home), "ingest", *paths]


def _finish(folder: Path, place: str) -> tuple[list[object], list[str]]:
    subprocess.run(_command(folder, place), cwd=ROOT, check=True, capture_output=True)
    with Lake.open_writer(home(folder / place)) as lake:
        return list(table(lake)), check_counts(lake)


def _kill_at_random(folder: Path, place: str, delay: float) -> None:
    process = subprocess.Popen(_command(folder, place), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(delay)
    process.send_signal(signal.SIGKILL)
    process.wait()


def _survives(folder: Path, kills: int) -> None:
    seed = int(os.environ.get("KILL_SEED", random.randrange(10_000)))
    print(f"KILL_SEED={seed}")
    chance = random.Random(seed)
    _files(folder)
    started = time.monotonic()
    expected, faults = _finish(folder, "undisturbed")
    took = time.monotonic() - started
    assert faults == []
    for _ in range(kills):
        _kill_at_random(folder, "killed", chance.uniform(0.2, 1.0) * took)
    found, faults = _finish(folder, "killed")
    assert faults == []
    assert found == expected


def test_random_kills_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    _survives(tmp_path, KILLS)


@pytest.mark.soak
@pytest.mark.parametrize("number", range(19))
def test_many_random_kills_lose_nothing_and_double_nothing(tmp_path: Path, number: int) -> None:
    _survives(tmp_path, KILLS)
