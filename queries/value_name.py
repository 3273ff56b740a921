"""What the values of dimensions are called in a language: by the catalogue, and where a code stands for a known place by that."""

from __future__ import annotations

from functools import lru_cache

from data.city import named_city
from i18n import FALLBACK, label, translate
from queries.dimensions import DIMENSIONS


def value_name(language: str, dimension: str, code: str | None) -> str:
    """The name of a dimension's value, a lane's in words; the code where nobody knows a name, a word for unknown when it is None."""
    if dimension == "lane" and code:
        return _lane_name(language, code)
    entry = DIMENSIONS.get(dimension)
    return column_value_name(language, (entry.column if entry else None) or dimension, code)


def column_value_name(language: str, column: str, code: str | None) -> str:
    """The name of a value of a column of the orders; a city's also where its code or another of its names stands there."""
    text = label(language, column, code)
    return _city_name(language, code) if column == "city" and code is not None and text == code else text


@lru_cache(maxsize=4096)
def _city_name(language: str, word: str) -> str:
    city = named_city(word)
    if city is None:
        return word
    by_name = label(language, "city", city.name_zh)
    return city.name if language == FALLBACK or not city.name_zh else by_name


def _lane_name(language: str, lane: str) -> str:
    warehouse, _, province = lane.partition(">")
    names = {"start": value_name(language, "warehouse", warehouse), "end": value_name(language, "province", province)}
    return translate(language, "map.lane", **names)
