"""Places: regions (大区), provinces and cities, and how a source's words for them resolve to codes.

Codes are ISO 3166-2 for provinces; regions are declared in `data/geo/regions.csv`. A region code may look like a
province code (`BR-SE` is Brazil's Southeast and also Sergipe): they live in different columns and never mix.
Everything is read on first use from the CSV files packaged in `data/geo/`.
"""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

GEO_FOLDER: Final = Path(__file__).resolve().parent / "geo"

MAP_FILES: Final = {"CN": "china.geojson", "BR": "brazil.geojson", "US": "usa.geojson"}

MAP_CREDITS: Final = ("Made with Natural Earth", "GeoNames")

_OTHER_NAMES: Final = {
    "tibet": "CN-XZ",
    "macau": "CN-MO",
    "hongkong": "CN-HK",
    "neimenggu": "CN-NM",
    "nei mongol": "CN-NM",
    "shanxi sheng": "CN-SX",
    "sha'anxi": "CN-SN",
    "washington dc": "US-DC",
    "washington, d.c.": "US-DC",
    "washington state": "US-WA",
    "华盛顿": "US-WA",
    "加州": "US-CA",
}


@dataclass(frozen=True, kw_only=True)
class Region:
    """A region (大区) of a country: the unit of scope."""

    code: str
    country_code: str
    name: str
    name_zh: str


@dataclass(frozen=True, kw_only=True)
class Province:
    """A first-level unit; `population` (persons) and `gdp` (100 m of currency) are None where not packaged."""

    code: str
    country_code: str
    region_code: str
    name: str
    name_zh: str
    short_zh: str
    gb_code: str
    population: int | None
    gdp: float | None


@dataclass(frozen=True, kw_only=True)
class City:
    """A city with its seat's coordinates in degrees: China's by GB code, others by GeoNames id; `name_zh` may be empty."""

    code: str
    name: str
    name_zh: str
    province_code: str
    latitude: float
    longitude: float
    population: int | None
    other_names: tuple[str, ...] = ()


@cache
def regions() -> tuple[Region, ...]:
    """All regions, China's first, in the order in which they are shown."""
    return tuple(
        Region(code=row["region_code"], country_code=row["country_code"], name=row["name"], name_zh=row["name_zh"])
        for row in _rows("regions.csv")
    )


@cache
def region_codes() -> tuple[str, ...]:
    """Codes of all regions, in the order of `regions`."""
    return tuple(region.code for region in regions())


@cache
def provinces() -> tuple[Province, ...]:
    """All first-level units: China 34, Brazil 27, USA 51."""
    return tuple(
        Province(
            code=row["province_code"],
            country_code=row["country_code"],
            region_code=row["region_code"],
            name=row["name"],
            name_zh=row["name_zh"],
            short_zh=row["short_zh"],
            gb_code=row["gb_code"],
            population=int(row["population"]) if row["population"] else None,
            gdp=float(row["gdp_100m"]) if row["gdp_100m"] else None,
        )
        for row in _rows("provinces.csv")
    )


@cache
def cities() -> tuple[City, ...]:
    """China's 337 prefecture-level cities and municipalities."""
    return tuple(
        City(
            code=row["gb_code"],
            name=row["name_en"],
            name_zh=row["name_zh"],
            province_code=row["iso_3166_2"],
            latitude=float(row["lat"]),
            longitude=float(row["lon"]),
            population=int(row["geonames_population"]) if row["geonames_population"] else None,
        )
        for row in _rows("china_cities.csv")
    )


@cache
def cities_of(country: str) -> tuple[City, ...]:
    """A country's packaged cities: China's, those of the USA with 50,000 people and more; none of others."""
    if country == "CN":
        return cities()
    if country != "US":
        return ()
    return tuple(
        City(
            code=row["geonameid"],
            name=row["name"],
            name_zh=row["name_zh"],
            province_code=row["iso_3166_2"],
            latitude=float(row["lat"]),
            longitude=float(row["lon"]),
            population=int(row["geonames_population"]),
            other_names=tuple(name for name in row["other_names"].split("|") if name),
        )
        for row in _rows("us_cities.csv")
    )


@cache
def province_aliases() -> dict[str, str]:
    """Casefolded word → ISO code: ISO and pre-2017 ISO codes, GB codes, names in both languages, with and without accents.

    A bare code such as `SP` means nothing without its country and is not in here: see `resolve_province`.
    """
    aliases = dict(_OTHER_NAMES)
    for province in provinces():
        aliases |= {alias.casefold(): province.code for alias in _aliases_of(province)}
    return aliases


@cache
def country_of_province() -> dict[str, str]:
    """Province code → country code."""
    return {province.code: province.country_code for province in provinces()}


def resolve_province(text: str | None, country_code: str | None = None) -> str | None:
    """The ISO code meant by a source's word; a bare code (`SP`) resolves only with its country. None when unknown."""
    if not text or not text.strip():
        return None
    word = text.strip().casefold()
    if country_code and (code := f"{country_code.upper()}-{word.upper()}") in country_of_province():
        return code
    return province_aliases().get(word)


@cache
def _region_by_province() -> dict[str, str]:
    return {province.code: province.region_code for province in provinces()}


def region_of(province_code: str | None) -> str | None:
    """The region of a province code; None when it is unknown."""
    return None if province_code is None else _region_by_province().get(province_code)


def _aliases_of(province: Province) -> Iterator[str]:
    yield from (province.code, province.name, _without_accents(province.name), province.name_zh, province.short_zh)
    if province.gb_code:
        yield from (province.gb_code, f"CN-{province.gb_code[:2]}")
        yield from (f"{province.name} Province", f"{province.name} Sheng", f"{province.name} Shi")
    elif not province.name_zh.endswith(("州", "区")):
        yield f"{province.name_zh}州"


def _without_accents(text: str) -> str:
    return "".join(sign for sign in unicodedata.normalize("NFD", text) if not unicodedata.combining(sign))


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (GEO_FOLDER / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)
