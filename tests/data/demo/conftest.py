"""One small demo country for all its tests: 31 days of 6,000 orders, founded on a Monday afternoon."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from data.demo.simulate import simulate_day
from data.demo.world import World

FOUNDED = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)


def make_world(orders_per_day: int, seed: int = 7) -> World:
    return World(seed=seed, orders_per_day=orders_per_day, anchor=FOUNDED, zone=ZoneInfo("Asia/Shanghai"))


@pytest.fixture(scope="session")
def world() -> World:
    return make_world(6000)


@pytest.fixture(scope="session")
def small_world() -> World:
    return make_world(400)


@pytest.fixture(scope="session")
def orders(world: World) -> pl.DataFrame:
    """Everything ever created until the day of the founding, with whole lives."""
    return pl.concat([simulate_day(world, world.start_day + timedelta(days=ahead)) for ahead in range(31)])
