"""Where warehouses stand, for maps: `<home>/warehouses.csv` (code, latitude, longitude), in a demo home the demo's own."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from config import Settings
from data.demo.country import WAREHOUSES
from data.places import cities

Places = Mapping[str, tuple[float, float]]


def warehouse_places(settings: Settings) -> Places:
    """Latitude and longitude in degrees by warehouse code; a line that is no code and place on earth is left out."""
    own = settings.home / "warehouses.csv"
    if own.exists():
        return _read(own, own.stat().st_mtime_ns)
    return _demo_places() if settings.demo else {}


@lru_cache(maxsize=4)
def _read(file: Path, _changed_ns: int) -> Places:
    found = {}
    with file.open(encoding="utf-8-sig", errors="replace", newline="") as rows:
        for row in csv.reader(line.replace("\0", "") for line in rows):
            if len(row) == 3 and _is_number(row[1]) and _is_number(row[2]):
                latitude, longitude = float(row[1]), float(row[2])
                if abs(latitude) <= 90 and abs(longitude) <= 180:
                    found[row[0].strip()] = (latitude, longitude)
    return found


@lru_cache(maxsize=1)
def _demo_places() -> Places:
    seats = {city.code: (city.latitude, city.longitude) for city in cities()}
    return {warehouse.code: seats[warehouse.city_code] for warehouse in WAREHOUSES if warehouse.city_code in seats}


def _is_number(text: str) -> bool:
    return text.strip().lstrip("-").replace(".", "", 1).isdigit()
