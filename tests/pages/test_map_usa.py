"""A home of orders in the USA: states by code or name, cities by code, by name in either language or by coordinates; doubt is told."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from access import geography
from access.reading import Reading
from access.user import User
from access.view import View, open_view
from components.geo_map import GeoMap, map_payload
from config import read_settings
from data.contract import SHIPPED_CONTRACTS, read_contract
from data.ingest import ingest
from data.lake import Lake
from data.outline import box_of
from pages.map import read_page
from pages.map_question import Box
from queries.listing import Listing
from tests.data.intake import contract_of, write_csv

AS_OF = datetime(2026, 3, 2, 20, tzinfo=UTC)
HEADER = ("id", "state", "city", "lat", "lon", "warehouse", "created", "promised", "delivered")
PLACES = (
    ("US-CA", "Los Angeles", "", ""),
    ("California", "洛杉矶", "", ""),
    ("加利福尼亚州", "5368361", "", ""),
    ("us-ca", "LOS ANGELES", "", ""),
    ("California", "Mono Hot Springs", "37.326", "-119.017"),
    ("California", "Nowhere", "", ""),
    ("California", "Oakland", "41.88", "-87.63"),
    ("New York", "New York", "", ""),
    ("纽约", "Brooklyn", "40.65", "-73.95"),
    ("", "Springfield", "", ""),
    ("Illinois", "Springfield", "", ""),
    ("Alaska", "Anchorage", "", ""),
)
"""State, city, coordinates; seven of California."""
ROUNDS = 9
OpenUsa = Callable[..., View]


def _rows() -> Iterator[tuple[str, ...]]:
    """Every place gets nine orders, due in twelve hours; those of California come after twenty, the others after six."""
    for turn in range(ROUNDS):
        for number, (state, city, latitude, longitude) in enumerate(PLACES):
            created = AS_OF - timedelta(hours=23, minutes=-20 * turn)
            delivered = created + timedelta(hours=20 if number < 7 else 6)
            instants = (created, created + timedelta(hours=12), delivered)
            yield (
                f"{turn}-{number}",
                state,
                city,
                latitude,
                longitude,
                ("ONT", "EWR")[number % 2],
                *map(datetime.isoformat, instants),
            )


@pytest.fixture(scope="module")
def usa(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenUsa]:
    """A view of the orders; one warehouse has coordinates."""
    folder = tmp_path_factory.mktemp("usa")
    settings = read_settings({}, home=folder / "home", memory_limit="512MB", threads=1, demo=False)
    columns = {"order_id": "id", "channel": "'web'", "country_code": "'US'", "province_code": "state", "city": "city"}
    columns |= {"latitude": "lat", "longitude": "lon", "warehouse_id": "warehouse"}
    columns |= {f"{name}_at": name for name in ("created", "promised", "delivered")}
    path = write_csv(folder / f"orders_{AS_OF:%Y%m%dT%H%M%S}.csv", list(_rows()), HEADER)
    with Lake.open_writer(settings) as lake:
        report = ingest(lake, contract_of(columns=columns), (path,), now=AS_OF)
    assert report.state == "accepted", report
    (settings.home / "warehouses.csv").write_text("ONT,34.05,-117.6\n", encoding="utf-8")
    reading = Reading(settings)

    def open_(role: str = "manager", *regions: str, language: str = "en", **parameters: list[str]) -> View:
        user = User(name="someone", display_name="someone", role=role, regions=regions)  # type: ignore[arg-type]
        return open_view(reading, user, parameters, now=AS_OF, language=language, stays_valid=lambda: None)

    yield open_
    reading.close()


def _page(usa: OpenUsa, *who: str, **parameters: Any) -> GeoMap:
    return read_page(usa(*who, **parameters), parameters)


def test_states_are_coloured_by_whatever_word_they_came(usa: OpenUsa) -> None:
    page = _page(usa)
    assert (page.country, len(page.areas)) == ("US", 51)
    assert page.camera is not None
    assert page.camera.box == box_of("US")
    told = {code: area.tip.splitlines()[:2] for code, area in page.areas.items() if area.kind != "gap"}
    late = {code: lines[1].split()[-1] for code, lines in told.items()}
    assert late == {"US-CA": "100.0%", "US-NY": "0.0%", "US-IL": "0.0%", "US-AK": "0.0%"}
    assert page.ranking is not None
    assert [row.name for row in page.ranking.rows][:1] == ["California"]


def test_cities_resolve_by_code_name_and_coordinates_and_doubt_is_told(usa: OpenUsa) -> None:
    found = {(place.province, place.city): place for place in geography.locate_cities(usa(), Listing(), "US")}
    angeles = [found["US-CA", word] for word in ("Los Angeles", "洛杉矶", "5368361", "LOS ANGELES")]
    assert {(place.verdict, place.names) for place in angeles} == {("found", ("Los Angeles", "洛杉矶"))}
    springs = found["US-CA", "Mono Hot Springs"]
    assert springs.verdict == "found"
    assert springs.point == pytest.approx((-119.017, 37.326))
    assert found["US-NY", "New York"].names[1] == "纽约"
    assert found["US-IL", "Springfield"].verdict == "found"
    verdicts = {key: place.verdict for key, place in found.items() if place.verdict != "found"}
    assert verdicts == {(None, "Springfield"): "ambiguous", ("US-CA", "Nowhere"): "unknown"}
    # Chicago's coordinates are not Oakland's, California: the name counts, at its own place.
    assert found["US-CA", "Oakland"].point == (-122.2708, 37.8044)


@pytest.mark.parametrize(
    ("language", "known", "lost"), [("en", "Los Angeles", "without coordinates"), ("zh-CN", "洛杉矶", "没有坐标")]
)
def test_a_states_cities_are_named_in_the_readers_language_and_the_rest_is_listed(
    usa: OpenUsa, language: str, known: str, lost: str
) -> None:
    page = read_page(usa(language=language, province=["US-CA"]), {})
    assert known in {label.text for label in page.marks["labels"]}
    assert page.missing is not None
    assert [text for text, _ in page.missing.rows if lost in text and "Nowhere" in text]


def test_a_name_of_many_states_without_its_state_is_reported(usa: OpenUsa) -> None:
    page = _page(usa, city=["Springfield"])
    assert page.missing is not None
    assert [text for text, href in page.missing.rows if "several meanings" in text and "Springfield" in text and "city=" in href]


def test_warehouses_of_the_home_start_lanes_and_one_without_coordinates_is_named(usa: OpenUsa) -> None:
    page = _page(usa)
    assert {mark.code.partition(">")[0] for mark in page.marks["lanes"]} == {"ONT"}
    assert page.missing is not None
    assert [text for text, _ in page.missing.rows if "without coordinates" in text and "EWR" in text]


def test_a_lead_of_the_west_gets_nothing_of_the_east(usa: OpenUsa) -> None:
    page = _page(usa, "lead", "US-W")
    box: Box | None = box_of("US", geography.provinces_of("US", ["US-W"]))
    assert set(page.areas) == set(geography.provinces_of("US", ["US-W"]))
    assert page.camera is not None
    assert page.camera.box == box
    told = json.dumps(map_payload(page), ensure_ascii=False)
    assert [word for word in ("US-NY", "US-IL", "New York", "Springfield") if word in told] == []


def test_shopifys_export_lands_on_the_states(tmp_path: Path) -> None:
    """The shipped contract as it is: bare state codes beside the country's."""
    contract = read_contract(SHIPPED_CONTRACTS / "shopify_orders.yaml")
    header = (
        "Name", "Id", "Financial Status", "Fulfillment Status", "Created at", "Paid at", "Fulfilled at", "Cancelled at", "Currency",
        "Total", "Shipping", "Shipping Method", "Shipping City", "Shipping Province", "Shipping Country", "Risk Level", "Vendor",
        "Lineitem quantity",
    )  # fmt: skip
    at = "2026-03-02 10:00:00 -0500"
    rows = [
        (
            f"#{number}",
            str(number),
            "paid",
            "fulfilled",
            at,
            at,
            at,
            "",
            "USD",
            "10",
            "1",
            "UPS",
            city,
            state,
            "US",
            "Low",
            "x",
            "1",
        )
        for number, (city, state) in enumerate((("Seattle", "WA"), ("Boston", "MA"), ("Washington", "DC")), 1000)
    ]
    settings = read_settings({}, home=tmp_path / "home", memory_limit="512MB", threads=1, demo=False)
    with Lake.open_writer(settings) as lake:
        report = ingest(lake, contract, (write_csv(tmp_path / "orders_export.csv", rows, header),), now=AS_OF)
        found = lake.cursor().execute("SELECT province_code, region_code, city FROM lake.orders ORDER BY order_id").fetchall()
    assert report.state == "accepted", report
    assert found == [("US-WA", "US-W", "Seattle"), ("US-MA", "US-NE", "Boston"), ("US-DC", "US-S", "Washington")]
