"""A small country of orders whose figures can be counted by hand, and views of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from access.reading import Reading
from access.user import User
from access.view import View, open_view
from config import read_settings
from data.ingest import ingest
from data.lake import Lake
from tests.data.intake import contract_of, write_csv

AS_OF = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
PROVINCES = {"CN-SH": "WH-SHA", "CN-JS": "WH-SHA", "CN-GD": "WH-CAN", "CN-BJ": "WH-BJS"}
COLUMNS = ("created", "paid", "shipped", "promised", "delivered")
PER_HOUR = 3
HOURS = 48
OpenView = Callable[..., View]


def _rows() -> Iterator[tuple[str, ...]]:
    """Three orders an hour and province for two days; shipped after 4 h, delivered after 10 h, in Shanghai after 30 h."""
    for hour in range(HOURS):
        for number in range(PER_HOUR):
            for province, warehouse in PROVINCES.items():
                created = AS_OF - timedelta(hours=HOURS - hour - 0.5)
                hours = (0, 1, 4, 20, 30 if province == "CN-SH" else 10)
                instants = [created + timedelta(hours=later) for later in hours]
                texts = [
                    instant.isoformat() if name == "promised" or instant <= AS_OF else ""
                    for name, instant in zip(COLUMNS, instants, strict=True)
                ]
                yield (f"{hour:02d}{number}{province}", ("tmall", "jd")[number % 2], province, warehouse, *texts)


@pytest.fixture(scope="session")
def reading(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reading]:
    """A lake with 576 orders of four provinces in three regions, one snapshot, delivered once."""
    folder = tmp_path_factory.mktemp("wall")
    columns = {"order_id": "id", "channel": "channel", "province_code": "province", "warehouse_id": "warehouse"}
    columns |= {f"{name}_at": name for name in COLUMNS}
    settings = read_settings({}, home=folder / "home", memory_limit="512MB", threads=1)
    header = ("id", "channel", "province", "warehouse", *COLUMNS)
    path = write_csv(Path(folder) / f"orders_{AS_OF:%Y%m%dT%H%M%S}.csv", list(_rows()), header)
    with Lake.open_writer(settings) as lake:
        report = ingest(lake, contract_of(columns=columns), (path,), now=AS_OF)
    assert report.state == "accepted", report
    opened = Reading(settings)
    yield opened
    opened.close()


@pytest.fixture
def view_of(reading: Reading) -> OpenView:
    """A view for a role's user: `view_of("lead", "CN-EAST", language="en", window=["7d"])`."""

    def open_(role: str = "manager", *regions: str, language: str = "en", **parameters: list[str]) -> View:
        user = User(name="someone", display_name="someone", role=role, regions=regions)  # type: ignore[arg-type]
        return open_view(reading, user, parameters, now=AS_OF, language=language, stays_valid=lambda: None)

    return open_
