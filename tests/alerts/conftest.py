"""A bench for each test over one lake."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from access.store import open_store
from config import read_settings
from data.lake import Lake
from tests.alerts.bench import Bench, open_bench


@pytest.fixture(scope="session")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    """One lake, filled anew by each test."""
    settings = read_settings({}, home=tmp_path_factory.mktemp("alerts"), threads=1, memory_limit="512MB")
    with Lake.open_writer(settings) as opened:
        yield opened


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated store without rows, to be copied: migrating takes longer than most tests."""
    home = tmp_path_factory.mktemp("store")
    open_store(read_settings({}, home=home)).dispose()
    return home / "store.sqlite"


@pytest.fixture
def bench(lake: Lake, empty_store: Path, tmp_path: Path) -> Iterator[Bench]:
    """A bench with an empty store and nothing published."""
    lake.cursor().execute("DELETE FROM lake.snapshots")
    shutil.copy(empty_store, tmp_path / "store.sqlite")
    opened = open_bench(tmp_path, lake)
    yield opened
    opened.store.dispose()
