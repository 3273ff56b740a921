"""Marks for the map: every order of the list is in exactly one hexagon, the nearest one, or counted as without a place."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from config import read_settings
from data.ingest import ingest
from data.lake import Lake
from data.targets import read_targets
from queries.listing import Listing, Moment, build_count
from queries.marks import WORLD, build_cities, build_hexagons
from queries.query import Filter
from queries.run import run
from queries.scope import Scope
from tests.data.intake import contract_of, write_csv

AS_OF = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
RADIUS = 0.4
PLACES = {"CN-SH": (31.2, 121.5), "CN-GD": (23.1, 113.3), "CN-XJ": (43.8, 87.6)}
UNPLACED = (("", ""), ("91.5", "200"))


def _orders() -> list[tuple[str, ...]]:
    """Thirty orders a province spread over two degrees, every third on time, and two without usable coordinates."""
    rows = []
    for province, (latitude, longitude) in PLACES.items():
        for number in range(30):
            lat, lon = latitude + (number % 6) * 0.37, longitude + (number // 6) * 0.41
            created = AS_OF - timedelta(hours=40)
            delivered = created + timedelta(hours=10 if number % 3 == 0 else 30)
            times = (created, created + timedelta(hours=20), delivered)
            rows.append((f"{province}{number}", province, "City", f"{lat:.4f}", f"{lon:.4f}", *(at.isoformat() for at in times)))
    for number, (north, east) in enumerate(UNPLACED):
        times = (AS_OF - timedelta(hours=40), AS_OF - timedelta(hours=20), AS_OF)
        rows.append((f"no{number}", "CN-SH", "City", north, east, *(at.isoformat() for at in times)))
    return rows


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    """A lake of these orders."""
    folder = tmp_path_factory.mktemp("marks")
    header = ("id", "province", "city", "lat", "lon", "created", "promised", "delivered")
    columns = {"order_id": "id", "channel": "'jd'", "province_code": "province", "city": "city", "latitude": "lat"}
    columns |= {"longitude": "lon"} | {f"{name}_at": name for name in ("created", "promised", "delivered")}
    path = write_csv(Path(folder) / f"orders_{AS_OF:%Y%m%dT%H%M%S}.csv", _orders(), header)
    settings = read_settings({}, home=folder / "home", memory_limit="256MB")
    with Lake.open_writer(settings) as writer:
        assert ingest(writer, contract_of(columns=columns), (path,), now=AS_OF).state == "accepted"
    opened = Lake.open_reader(settings)
    yield opened
    opened.close()


def _moment(lake: Lake, scope: Scope = Scope.ALL) -> Moment:
    settings = read_settings({}, home=lake.settings.home)
    zone = ZoneInfo("Asia/Shanghai")
    return Moment(scope=scope, version=lake.newest_version(), as_of=AS_OF, zone=zone, targets=read_targets(settings))


LATE = Listing(metric="late_rate", part="bad")


def _mercator(latitude: float, longitude: float) -> tuple[float, float]:
    y = math.log(math.tan(math.pi / 4 + math.radians(latitude) / 2)) / (2 * math.pi) * WORLD
    return longitude / 360 * WORLD, y


def test_every_late_order_is_in_the_nearest_hexagon(lake: Lake) -> None:
    late = [row for row in _orders() if not row[0].startswith("no") and row[-1] > row[-2]]
    rows = run(lake, build_hexagons(LATE, _moment(lake), radius=RADIUS)).to_dicts()
    placed = [row for row in rows if row["latitude"] is not None]
    middles = [_mercator(row["latitude"], row["longitude"]) for row in placed]
    points = [_mercator(float(row[3]), float(row[4])) for row in late]
    expected: Counter[int] = Counter(min(range(len(middles)), key=lambda i: math.dist(point, middles[i])) for point in points)
    assert {index: row["order_count"] for index, row in enumerate(placed)} == dict(expected)
    assert max(min(math.dist(point, middle) for middle in middles) for point in points) <= RADIUS + 1e-9


def test_orders_without_usable_coordinates_are_counted_not_dropped(lake: Lake) -> None:
    moment = _moment(lake)
    rows = run(lake, build_hexagons(LATE, moment, radius=RADIUS)).to_dicts()
    whole = run(lake, build_count(LATE, moment))["order_count"][0]
    assert sum(row["order_count"] for row in rows) == whole == {row["order_total"] for row in rows}.pop()
    assert [row["order_count"] for row in rows if row["latitude"] is None] == [len(UNPLACED)]


def test_scope_and_filters_hold_for_marks(lake: Lake) -> None:
    south = _moment(lake, Scope.of_regions(["CN-SOUTH"]))
    rows = run(lake, build_hexagons(LATE, south, radius=RADIUS)).to_dicts()
    assert sum(row["order_count"] for row in rows) == 20
    assert {round(row["latitude"]) for row in rows} <= {23, 24, 25}
    other = Listing(metric="late_rate", part="bad", where=(Filter("province", ("CN-SH",)),))
    assert run(lake, build_hexagons(other, south, radius=RADIUS)).is_empty()


def test_cities_come_with_the_middle_of_their_orders(lake: Lake) -> None:
    rows = run(lake, build_cities(Listing(), _moment(lake))).to_dicts()
    found = {row["province"]: row for row in rows}
    own = [row for row in _orders() if row[1] == "CN-SH" and not row[0].startswith("no")]
    assert found["CN-SH"]["order_count"] == 30 + len(UNPLACED)
    assert found["CN-SH"]["latitude"] == pytest.approx(sum(float(row[3]) for row in own) / 30)
    assert found["CN-SH"]["longitude"] == pytest.approx(sum(float(row[4]) for row in own) / 30)
