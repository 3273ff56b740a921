"""What one process shares: settings, store, lake, cache; opened by app.py's lifespan, used by every session."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Engine

from access.reading import Reading
from access.store import open_store
from config import Settings
from shell.ahead import Ahead


@dataclass(frozen=True, kw_only=True)
class House:
    """The open resources of this process; `clock` gives the wall clock's instant in UTC."""

    settings: Settings
    store: Engine
    reading: Reading
    clock: Callable[[], datetime]
    ahead: Ahead = field(default_factory=Ahead)

    def close(self) -> None:
        """Stop working ahead, release the lake and the store."""
        self.ahead.stopping.set()
        self.reading.close()
        self.store.dispose()


_open: list[House] = []


def open_house(settings: Settings, *, clock: Callable[[], datetime]) -> House:
    """Open the house of this process; app.py's lifespan does this once."""
    house = House(settings=settings, store=open_store(settings), reading=Reading(settings), clock=clock)
    _open[:] = [house]
    return house


def house() -> House:
    """The open house; RuntimeError when the process was not started through app.py."""
    if not _open:
        raise RuntimeError("the interface runs inside app.py: start it with `make run` or `python cli.py run`")
    return _open[0]
