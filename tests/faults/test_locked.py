"""A catalogue that another process holds: readers do not wait for it, the writer does, and what failed is tried again."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from data.ingest import Report
from data.lake import Lake
from tests.data.intake import contract_of, home, take_in, write_csv

HOLD = (
    "import sqlite3, sys, time; held = sqlite3.connect(sys.argv[1], isolation_level=None); held.execute('BEGIN IMMEDIATE'); "
    "print('held', flush=True); time.sleep(float(sys.argv[2])); held.execute('COMMIT')"
)


@contextmanager
def held(catalogue: Path, seconds: float) -> Iterator[None]:
    """Another process that writes into the catalogue for so long."""
    command = [sys.executable, "-c", HOLD, str(catalogue), str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield


def _take_in(lake: Lake, folder: Path, hour: int) -> Report:
    path = write_csv(folder / f"orders_20260201T{hour:02d}0000.csv", [(f"{hour:04d}", "2026-01-01 08:00:00", "1.5", "", "")])
    return take_in(lake, contract_of(), path)


def test_a_reader_does_not_wait_for_a_writer(tmp_path: Path) -> None:
    settings = home(tmp_path)
    with Lake.open_writer(settings) as lake:
        _take_in(lake, tmp_path, 1)
    reader = Lake.open_reader(settings)
    with held(settings.lake_folder / "catalogue.sqlite", 3):
        started = time.monotonic()
        assert reader.head().snapshot_id == 1
        assert Lake.open_reader(settings).newest_version() == reader.newest_version()
        assert time.monotonic() - started < 2.5


def test_readers_do_not_keep_the_writer_from_committing(tmp_path: Path) -> None:
    """A reader inside a long transaction sees what it saw; the writer commits meanwhile."""
    settings = home(tmp_path)
    with Lake.open_writer(settings) as lake:
        _take_in(lake, tmp_path, 1)
        reader = Lake.open_reader(settings).cursor()
        reader.execute("BEGIN")
        count = "SELECT count(*) FROM lake.orders"
        assert reader.execute(count).fetchall() == [(1,)]
        assert _take_in(lake, tmp_path, 2).state == "accepted"
        assert reader.execute(count).fetchall() == [(1,)]
        reader.execute("COMMIT")
        assert reader.execute(count).fetchall() == [(2,)]
