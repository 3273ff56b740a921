"""Stores that are migrated already: going through all migrations takes longer than most tests."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Engine

from access.store import open_store
from config import read_settings


@cache
def _migrated() -> bytes:
    with TemporaryDirectory() as folder:
        open_store(read_settings({}, home=Path(folder))).dispose()
        return Path(folder, "store.sqlite").read_bytes()


def new_store(home: Path) -> Engine:
    """The open store of a home; where there is none yet, one as `open_store` lays it out."""
    file = home / "store.sqlite"
    if not file.exists():
        home.mkdir(parents=True, exist_ok=True)
        file.write_bytes(_migrated())
    return open_store(read_settings({}, home=home))
