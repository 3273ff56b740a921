"""Bulk intake with validation, against DuckDB's bare `read_csv` to Parquet of the same file: taking turns, each in a process of its own."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.figure import BenchmarkError, Figure, Trial
from benchmarks.lakes import orders_file
from config import ROOT

MOST_ROUNDS: Final = 3
KINDS: Final = ("intake", "bare", "sniffed")
BUDGET_RATIO: Final = 3.0
BUDGET_BYTES: Final = 5_000_000_000
"""The engine's limit is 4 GB; the rest is the interpreter and what the engine does not count."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run of a child process: its seconds, and the most memory it held."""

    seconds: float
    peak_bytes: int


def measure(trial: Trial) -> list[Figure]:
    """Medians of the intake and of two bare copies, their ratios, peak memory; one file, one intake."""
    path = orders_file(trial)
    runs: dict[str, list[Run]] = defaultdict(list)
    for number in range(min(MOST_ROUNDS, trial.rounds)):
        for kind in KINDS if number % 2 == 0 else reversed(KINDS):
            runs[kind].append(run_child(kind, path, trial.out / "bulk"))
            trial.say(f"bulk round {number + 1}: {kind} {runs[kind][-1].seconds:.1f} s")
    seconds = {kind: median(run.seconds for run in runs[kind]) for kind in KINDS}
    peaks = {kind: max(run.peak_bytes for run in runs[kind]) for kind in KINDS}
    return [
        Figure(name="intake_seconds", value=seconds["intake"], unit="seconds"),
        Figure(name="bare_seconds", value=seconds["bare"], unit="seconds"),
        Figure(name="sniffed_seconds", value=seconds["sniffed"], unit="seconds"),
        Figure(name="intake_over_bare", value=seconds["intake"] / seconds["bare"], unit="ratio", budget=BUDGET_RATIO),
        Figure(name="intake_over_sniffed", value=seconds["intake"] / seconds["sniffed"], unit="ratio"),
        Figure(name="intake_rate", value=trial.orders / seconds["intake"], unit="per_second"),
        Figure(name="intake_peak_memory", value=peaks["intake"], unit="bytes", budget=BUDGET_BYTES),
        Figure(name="bare_peak_memory", value=peaks["bare"], unit="bytes"),
        Figure(name="file_size", value=path.stat().st_size, unit="bytes"),
    ]


def run_child(kind: str, path: Path, folder: Path) -> Run:
    """One run in a fresh process and an empty folder. Raises BenchmarkError with the child's words when it fails."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    command = (sys.executable, "-m", "benchmarks.bulk_child", kind, str(path), str(folder))
    child = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    shutil.rmtree(folder)
    if child.returncode:
        raise BenchmarkError(f"{kind} failed: {child.stderr.strip()[-500:]}")
    return Run(**json.loads(child.stdout))
