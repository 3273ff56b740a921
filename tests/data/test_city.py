"""Words for cities resolve by code, by name in either language, and by coordinates; several meanings are said, not guessed."""

from __future__ import annotations

import pytest

from data.city import resolve_city
from data.outline import box_of, holds, middles, outlines
from data.places import cities, cities_of, provinces


@pytest.mark.parametrize("word", ["320500", "苏州市", "苏州"])
def test_code_and_chinese_name_are_one_city(word: str) -> None:
    assert resolve_city(word).city.code == "320500"  # type: ignore[union-attr]


def test_name_of_several_cities_is_ambiguous_until_province_or_coordinates_tell() -> None:
    found = resolve_city("Suzhou")
    assert (found.verdict, {city.province_code for city in found.candidates}) == ("ambiguous", {"CN-JS", "CN-AH"})
    assert resolve_city("suzhou", "CN-AH").city.code == "341300"  # type: ignore[union-attr]
    assert resolve_city("Suzhou", near=(120.6, 31.3)).city.code == "320500"  # type: ignore[union-attr]


def test_every_packaged_city_is_found_by_each_of_its_words_in_its_province() -> None:
    for city in cities():
        for word in (city.code, city.name, city.name_zh, city.name.upper(), f" {city.name} "):
            found = resolve_city(word, city.province_code)
            assert found.verdict == "ambiguous" or found.city == city, word


def test_coordinates_alone_name_the_nearest_seat_and_nothing_far_from_any() -> None:
    assert resolve_city(None, near=(121.47, 31.23)).city.code == "310000"  # type: ignore[union-attr]
    assert resolve_city("", near=(85.0, 38.5)).verdict == "unknown"
    assert resolve_city("Atlantis", near=(121.47, 31.23)).verdict == "unknown"


def test_a_word_of_another_province_is_unknown_here() -> None:
    assert resolve_city("Suzhou", "CN-GD").verdict == "unknown"


def test_every_province_of_the_registry_has_a_boundary_that_holds_its_cities() -> None:
    for entry in provinces():
        assert entry.code in outlines(entry.country_code), entry.code
    outside = [city.name for city in cities() if not holds("CN", city.province_code, (city.longitude, city.latitude))]
    assert len(outside) <= 12, outside


@pytest.mark.parametrize(("country", "west", "north"), [("CN", 73.6, 53.6), ("BR", -74.0, 5.3), ("US", -124.7, 49.4)])
def test_a_countrys_box_is_its_mainland(country: str, west: float, north: float) -> None:
    box = box_of(country)
    assert box is not None
    assert (round(box[0], 1), round(box[3], 1)) == (west, north)


def test_middles_lie_in_their_box_and_unknown_countries_have_nothing() -> None:
    for country in ("CN", "BR", "US"):
        for code, (x, y) in middles(country).items():
            box = box_of(country, [code])
            assert box is not None
            assert box[0] <= x <= box[2], code
            assert box[1] <= y <= box[3], code
    assert (outlines("XX"), box_of("XX")) == ({}, None)


def test_every_packaged_city_of_the_usa_is_found_by_each_of_its_words_in_its_state_and_lies_there() -> None:
    for city in cities_of("US"):
        for word in filter(None, (city.code, city.name, city.name_zh, city.name.upper(), *city.other_names)):
            found = resolve_city(word, city.province_code, country="US")
            assert found.city == city or city in found.candidates, word
    outside = [city.name for city in cities_of("US") if not holds("US", city.province_code, (city.longitude, city.latitude))]
    assert len(outside) <= 15, outside


@pytest.mark.parametrize(
    ("word", "state"), [("New York", "US-NY"), ("纽约", "US-NY"), ("5128581", "US-NY"), ("saint louis", "US-MO")]
)
def test_a_city_of_the_usa_is_found_by_code_and_name(word: str, state: str) -> None:
    assert resolve_city(word, country="US").city.province_code == state  # type: ignore[union-attr]
    assert resolve_city(word).verdict == "unknown"


def test_a_country_without_packaged_cities_knows_none() -> None:
    assert cities_of("BR") == ()
    assert resolve_city("Campinas", country="BR").verdict == "unknown"
    assert resolve_city(None, near=(-47.06, -22.9), country="BR").verdict == "unknown"
    assert resolve_city(None, near=(-122.33, 47.6), country="US").city.name == "Seattle"  # type: ignore[union-attr]
