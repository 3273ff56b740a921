"""One running interface for the tests of the door; each test brings its own session."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.serving import Served, serve


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The interface with demo accounts and an empty home."""
    with serve(tmp_path_factory.mktemp("home")) as running:
        yield running
