"""One lake for all query tests; each test fills it anew."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from config import read_settings
from data.lake import Lake
from tests.queries.desk import Desk


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A desk over an empty lake."""
    folder = tmp_path_factory.mktemp("desk")
    with Lake.open_writer(read_settings({}, home=folder, threads=1, memory_limit="512MB")) as lake:
        yield Desk(lake=lake, folder=folder)
