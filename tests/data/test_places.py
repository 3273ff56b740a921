"""Places resolve: every unit has a region, every word a source may use finds its code."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from data.places import GEO_FOLDER, MAP_FILES, cities, province_aliases, provinces, region_codes, region_of, resolve_province


def test_three_countries_have_all_their_units() -> None:
    assert Counter(province.country_code for province in provinces()) == {"CN": 34, "BR": 27, "US": 51}


def test_every_province_lies_in_a_declared_region_of_its_country() -> None:
    for province in provinces():
        assert province.region_code in region_codes()
        assert region_of(province.code) == province.region_code
        assert province.region_code.startswith(province.country_code)


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("上海", "CN-SH"),
        ("上海市", "CN-SH"),
        ("Shanghai", "CN-SH"),
        ("310000", "CN-SH"),
        ("CN-31", "CN-SH"),
        ("内蒙古自治区", "CN-NM"),
        ("陕西", "CN-SN"),
        ("山西", "CN-SX"),
        ("São Paulo", "BR-SP"),
        ("sao paulo", "BR-SP"),
        ("BR-SP", "BR-SP"),
        ("us-ny", "US-NY"),
        ("加利福尼亚州", "US-CA"),
        ("华盛顿州", "US-WA"),
    ],
)
def test_word_resolves_to_its_province(word: str, code: str) -> None:
    assert province_aliases()[word.casefold()] == code


def test_bare_code_needs_its_country() -> None:
    assert resolve_province("SC") is None
    assert resolve_province("SC", "BR") == "BR-SC"
    assert resolve_province("sc", "US") == "US-SC"
    assert resolve_province("SC", "CN") == "CN-SC"


def test_no_word_means_two_provinces() -> None:
    names = Counter(name.casefold() for p in provinces() for name in {p.code, p.name, p.name_zh, p.short_zh, p.gb_code or p.code})
    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize("country", MAP_FILES)
def test_the_map_draws_exactly_the_provinces(country: str) -> None:
    drawn = json.loads((GEO_FOLDER / MAP_FILES[country]).read_text(encoding="utf-8"))
    codes = {feature["properties"]["iso"] for feature in drawn["features"]}
    assert codes == {province.code for province in provinces() if province.country_code == country}


def test_every_city_lies_in_a_known_province() -> None:
    assert len(cities()) == 337
    assert all(region_of(city.province_code) for city in cities())
