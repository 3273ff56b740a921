"""How a source's word for a city resolves: by code, by its name in either language, or by coordinates; ambiguity is said."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

from data.places import City, cities_of

Verdict = Literal["found", "ambiguous", "unknown"]
Point = tuple[float, float]
"""Longitude, latitude."""

ENDINGS: Final = ("市", "地区", "自治州", "盟", " city", " shi", " prefecture", " municipality")
"""What a word may carry after the name; whole names are tried first, so that 市 alone takes nothing away."""
NEAR_KM: Final = 40.0
"""The seat must be as near as this for coordinates alone to name a city."""
COUNTRIES: Final = ("CN", "US")
"""Those whose cities are packaged."""
EARTH_KM: Final = 6371.0


@dataclass(frozen=True, kw_only=True)
class Resolution:
    """What a word came to: the city where it is one, the candidates where it may be several."""

    verdict: Verdict
    city: City | None = None
    candidates: tuple[City, ...] = ()


UNKNOWN: Final = Resolution(verdict="unknown")


def resolve_city(
    word: str | None, province_code: str | None = None, near: Point | None = None, *, country: str = "CN"
) -> Resolution:
    """The packaged city of a country meant by a word: a code or a name, inside the province where that is known.

    Of several with the name the one nearest to `near` counts, if it is near; without a word `near` alone decides.
    """
    text = (word or "").strip().casefold()
    found = _known(text, country) if text else ()
    here = tuple(city for city in found if province_code in (None, city.province_code))
    if len(here) > 1 and near is not None:
        here = tuple(city for city in here if kilometres(near, _seat(city)) <= NEAR_KM) or here
    if len(here) == 1:
        return Resolution(verdict="found", city=here[0])
    if here:
        return Resolution(verdict="ambiguous", candidates=here)
    return _nearest(near, country) if near is not None and not text else UNKNOWN


def named_city(word: str) -> City | None:
    """The one packaged city of any country that a code or a word in Chinese means; a word in Latin letters may be a place elsewhere."""
    text = word.strip().casefold()
    if text.isascii() and not text.isdecimal():
        return None
    found = {city.code: city for country in COUNTRIES for city in _known(text, country)}
    return next(iter(found.values())) if len(found) == 1 else None


def _known(text: str, country: str) -> tuple[City, ...]:
    names = _by_word(country)
    for word in (text, *(text.removesuffix(ending) for ending in ENDINGS if text.endswith(ending))):
        if found := names.get(word.strip()):
            return found
    return ()


def _nearest(point: Point, country: str) -> Resolution:
    by_distance = ((kilometres(point, _seat(city)), city) for city in cities_of(country))
    distance, city = min(by_distance, key=lambda pair: pair[0], default=(math.inf, None))
    return Resolution(verdict="found", city=city) if distance <= NEAR_KM else UNKNOWN


@cache
def _by_word(country: str) -> dict[str, tuple[City, ...]]:
    """Casefolded word → the cities that it may mean: code, English name, Chinese name with and without its ending, others."""
    words: dict[str, dict[str, City]] = {}
    for city in cities_of(country):
        for word in (city.code, city.name, city.name_zh, *_shortened(city.name_zh), *city.other_names):
            if word:
                words.setdefault(word.casefold(), {})[city.code] = city
    return {word: tuple(found.values()) for word, found in words.items()}


def _shortened(name: str) -> tuple[str, ...]:
    return tuple(name.removesuffix(ending) for ending in ENDINGS if name.endswith(ending))


def _seat(city: City) -> Point:
    return city.longitude, city.latitude


def kilometres(one: Point, other: Point) -> float:
    """The distance of two places on the sphere (haversine)."""
    (x1, y1), (x2, y2) = ((math.radians(x), math.radians(y)) for x, y in (one, other))
    half = math.sin((y2 - y1) / 2) ** 2 + math.cos(y1) * math.cos(y2) * math.sin((x2 - x1) / 2) ** 2
    return 2 * EARTH_KM * math.asin(math.sqrt(half))
