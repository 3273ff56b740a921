"""The regions there are, by country: what a scope can be made of."""

from __future__ import annotations

from data.places import provinces, region_codes, regions


def regions_by_country() -> dict[str, tuple[str, ...]]:
    """Region codes by country code, in the order in which they are shown."""
    countries = dict.fromkeys(region.country_code for region in regions())
    return {country: tuple(region.code for region in regions() if region.country_code == country) for country in countries}


def is_region(code: str) -> bool:
    """Whether there is such a region."""
    return code in region_codes()


def is_province(code: str) -> bool:
    """Whether there is such a province."""
    return any(province.code == code for province in provinces())


def is_undeclared(dimension: str, value: str) -> bool:
    """Whether a place of a declared country is none that was declared; of other countries nothing is said."""
    codes = place_codes(dimension)
    return value not in codes and value.partition("-")[0] in {code.partition("-")[0] for code in codes}


def place_codes(dimension: str) -> tuple[str, ...]:
    """Every code that a dimension of declared places can have: regions and provinces; of other dimensions none is declared."""
    if dimension == "region":
        return region_codes()
    return tuple(province.code for province in provinces()) if dimension == "province" else ()
