"""What one process shares: settings, store, lake, cache; opened by app.py's lifespan, used by every session."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Engine

from access.flag import limits_of
from access.provider import read_provider
from access.reading import Reading
from access.sign_on import SignOn
from access.store import open_store
from config import Settings
from shell.ahead import Ahead
from shell.log import secrets_of
from shell.turnstile import Turnstile


@dataclass(frozen=True, kw_only=True)
class House:
    """The open resources of this process; `clock` gives the wall clock's instant in UTC, `sign_on` is the company's, if any.

    `turnstile` lets a few pages be drawn at a time.
    """

    settings: Settings
    store: Engine
    reading: Reading
    clock: Callable[[], datetime]
    ahead: Ahead = field(default_factory=Ahead)
    sign_on: SignOn | None = None
    turnstile: Turnstile = field(default_factory=Turnstile)

    def secrets(self) -> tuple[str, ...]:
        """What must never stand in a log."""
        return secrets_of(self.settings, self.sign_on.provider.client_secret if self.sign_on else "")

    def close(self) -> None:
        """Stop working ahead, release the lake and the store."""
        self.ahead.stopping.set()
        self.reading.close()
        self.store.dispose()


_open: list[House] = []


def open_house(settings: Settings, *, clock: Callable[[], datetime]) -> House:
    """Open the house of this process; app.py's lifespan does this once. Raises SettingsError for a faulty sign-on or lock."""
    provider = read_provider(settings)
    limits_of(settings)
    store = open_store(settings)
    sign_on = SignOn(store, provider) if provider else None
    house = House(settings=settings, store=store, reading=Reading(settings), clock=clock, sign_on=sign_on)
    _open[:] = [house]
    return house


def house() -> House:
    """The open house; RuntimeError when the process was not started through app.py."""
    if not _open:
        raise RuntimeError("the interface runs inside app.py: start it with `make run` or `python cli.py run`")
    return _open[0]
