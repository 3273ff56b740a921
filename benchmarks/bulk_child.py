"""One bulk run in a process of its own: `python -m benchmarks.bulk_child KIND CSV FOLDER` prints seconds and peak memory."""

from __future__ import annotations

import csv
import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import duckdb

from benchmarks.lakes import BULK_CONTRACT, MEMORY_LIMIT, settings_of, take_in
from data.contract import read_contract
from data.lake import Lake
from data.sql_text import literal


def intake(path: Path, folder: Path) -> float:
    """Seconds of taking the file into a new lake: read, checked, merged, committed."""
    with Lake.open_writer(settings_of(folder / "home")) as lake:
        contract = read_contract(BULK_CONTRACT)
        started = time.perf_counter()
        take_in(lake, contract, path)
        return time.perf_counter() - started


def bare(path: Path, folder: Path) -> float:
    """Seconds of DuckDB's copy to Parquet with every column given as text: nothing looked at, nothing checked."""
    with path.open(encoding="utf-8", newline="") as file:
        columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in next(csv.reader(file)))
    return _copy(f"read_csv({literal(str(path))}, auto_detect = false, header = true, columns = {{{columns}}})", folder)


def sniffed(path: Path, folder: Path) -> float:
    """Seconds of DuckDB's copy to Parquet as anyone would type it first."""
    return _copy(f"read_csv({literal(str(path))})", folder)


def _copy(relation: str, folder: Path) -> float:
    connection = duckdb.connect(config={"memory_limit": MEMORY_LIMIT, "temp_directory": str(folder)})
    started = time.perf_counter()
    connection.execute(f"COPY (FROM {relation}) TO {literal(str(folder / 'orders.parquet'))} (FORMAT parquet)")
    return time.perf_counter() - started


def peak_bytes() -> int:
    """The most memory this process held; the kernel's mark of the program itself, as getrusage also counts its parent's."""
    status = Path("/proc/self/status")
    if status.exists():
        marks = dict(line.split(":", 1) for line in status.read_text(encoding="utf-8").splitlines())
        return int(marks["VmHWM"].split()[0]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


KINDS: Final[dict[str, Callable[[Path, Path], float]]] = {"intake": intake, "bare": bare, "sniffed": sniffed}

if __name__ == "__main__":
    taken = KINDS[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]))
    print(json.dumps({"seconds": taken, "peak_bytes": peak_bytes()}))
