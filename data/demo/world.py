"""Which demo country this is: everything in it follows from these few values."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from config import Settings

HISTORY_DAYS: Final = 30
GRID: Final = timedelta(minutes=10)
FILE_NAME: Final = "demo.json"


@dataclass(frozen=True, kw_only=True)
class World:
    """A demo country: seed, mean orders per day, the instant it was founded (incidents hang on it), business zone.

    Orders begin `history_days` business days before the founding.
    """

    seed: int
    orders_per_day: int
    anchor: datetime
    zone: ZoneInfo
    history_days: int = HISTORY_DAYS

    @property
    def start_day(self) -> date:
        """The first business day with orders."""
        return self.day_of(self.anchor) - timedelta(days=self.history_days)

    def day_of(self, instant: datetime) -> date:
        """The business day of an instant."""
        return instant.astimezone(self.zone).date()

    def midnight(self, day: date) -> datetime:
        """The UTC instant at which a business day begins."""
        return datetime.combine(day, time(), self.zone).astimezone(UTC)


def found_world(settings: Settings, now: datetime) -> World:
    """The demo country of a home: read from its file, or founded at `now` and written there."""
    path = settings.home / FILE_NAME
    if path.exists():
        return _read(path, settings.zone)
    world = World(
        seed=settings.demo_seed,
        orders_per_day=max(1, settings.demo_orders // HISTORY_DAYS),
        anchor=floor_to(now, GRID),
        zone=settings.zone,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    values = {"seed": world.seed, "orders_per_day": world.orders_per_day, "anchor": world.anchor.isoformat()}
    path.write_text(json.dumps(values) + "\n", encoding="utf-8")
    return world


def floor_to(instant: datetime, step: timedelta) -> datetime:
    """The last multiple of `step` since 1970 that is not after `instant`, in UTC."""
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return epoch + (instant - epoch) // step * step


def _read(path: Path, zone: ZoneInfo) -> World:
    values = json.loads(path.read_text(encoding="utf-8"))
    anchor = datetime.fromisoformat(values["anchor"])
    return World(seed=values["seed"], orders_per_day=values["orders_per_day"], anchor=anchor, zone=zone)
