"""What the demo country consists of: warehouses, carriers, channels, categories, and where its customers live.

Names are invented and neutral; cities, coordinates and populations are real (`data/geo`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from data.places import City, cities, provinces, region_of

Floats = NDArray[np.float64]

ALL_WAVES: Final = (0, 3, 6, 8, 10, 12, 14, 16, 18, 20, 22)
DAY_WAVES: Final = (0, 6, 8, 10, 12, 14, 16, 18, 20, 22)


@dataclass(frozen=True, kw_only=True)
class Warehouse:
    """A warehouse: its city (GB code), its share of the country's capacity, the hours its pick waves start."""

    code: str
    city_code: str
    capacity: float
    waves: tuple[float, ...] = DAY_WAVES


@dataclass(frozen=True, kw_only=True)
class Carrier:
    """A carrier: market share, pace (transit time against the mean) and price per parcel against the mean."""

    code: str
    share: float
    pace: float
    price: float


@dataclass(frozen=True)
class Channel:
    """A channel: share of orders, its business types with their shares, shape of its order numbers."""

    code: str
    share: float
    business_types: tuple[tuple[str, float], ...]
    prefix: str
    digits: int
    return_factor: float
    complaint_factor: float


@dataclass(frozen=True, kw_only=True)
class Category:
    """A category: share of orders, median amount of a line (CNY), spread (sigma of the logarithm), return rate."""

    code: str
    share: float
    amount: float
    spread: float
    return_rate: float


WAREHOUSES: Final = (
    Warehouse(code="WH-SHA", city_code="310000", capacity=17.0, waves=ALL_WAVES),
    Warehouse(code="WH-SZV", city_code="320500", capacity=5.0, waves=ALL_WAVES),
    Warehouse(code="WH-NKG", city_code="320100", capacity=3.5),
    Warehouse(code="WH-HGH", city_code="330100", capacity=6.0, waves=ALL_WAVES),
    Warehouse(code="WH-YIW", city_code="330700", capacity=4.0, waves=ALL_WAVES),
    Warehouse(code="WH-HFE", city_code="340100", capacity=2.8),
    Warehouse(code="WH-XMN", city_code="350200", capacity=3.0),
    Warehouse(code="WH-KHN", city_code="360100", capacity=2.0),
    Warehouse(code="WH-TNA", city_code="370100", capacity=3.6),
    Warehouse(code="WH-TAO", city_code="370200", capacity=2.8),
    Warehouse(code="WH-CAN", city_code="440100", capacity=7.5, waves=ALL_WAVES),
    Warehouse(code="WH-SZX", city_code="440300", capacity=5.0, waves=ALL_WAVES),
    Warehouse(code="WH-DGM", city_code="441900", capacity=3.5, waves=ALL_WAVES),
    Warehouse(code="WH-NNG", city_code="450100", capacity=2.0),
    Warehouse(code="WH-BJS", city_code="110000", capacity=5.5, waves=ALL_WAVES),
    Warehouse(code="WH-TSN", city_code="120000", capacity=3.0),
    Warehouse(code="WH-SJW", city_code="130100", capacity=2.4),
    Warehouse(code="WH-TYN", city_code="140100", capacity=1.4),
    Warehouse(code="WH-WUH", city_code="420100", capacity=5.5, waves=ALL_WAVES),
    Warehouse(code="WH-CGO", city_code="410100", capacity=4.0, waves=ALL_WAVES),
    Warehouse(code="WH-CSX", city_code="430100", capacity=3.2),
    Warehouse(code="WH-CTU", city_code="510100", capacity=5.0, waves=ALL_WAVES),
    Warehouse(code="WH-CKG", city_code="500000", capacity=3.2),
    Warehouse(code="WH-KMG", city_code="530100", capacity=2.0),
    Warehouse(code="WH-KWE", city_code="520100", capacity=1.4),
    Warehouse(code="WH-XIY", city_code="610100", capacity=3.2),
    Warehouse(code="WH-LHW", city_code="620100", capacity=1.3),
    Warehouse(code="WH-URC", city_code="650100", capacity=1.2),
    Warehouse(code="WH-SHE", city_code="210100", capacity=2.8),
    Warehouse(code="WH-CGQ", city_code="220100", capacity=1.4),
    Warehouse(code="WH-HRB", city_code="230100", capacity=1.6),
)

CARRIERS: Final = (
    Carrier(code="YUNHE", share=0.22, pace=0.92, price=1.25),
    Carrier(code="QINGYI", share=0.18, pace=1.00, price=0.95),
    Carrier(code="YUANQIAO", share=0.15, pace=1.02, price=0.90),
    Carrier(code="XUNLAN", share=0.13, pace=0.97, price=1.05),
    Carrier(code="BEITU", share=0.10, pace=1.05, price=0.92),
    Carrier(code="HAITING", share=0.09, pace=1.03, price=0.96),
    Carrier(code="SHANXIN", share=0.08, pace=1.08, price=0.88),
    Carrier(code="BAISUN", share=0.05, pace=0.86, price=1.60),
)

_CONSUMER: Final = (("b2c", 1.0),)

CHANNELS: Final = (
    Channel("tmall", 0.31, _CONSUMER, prefix="3", digits=9, return_factor=1.0, complaint_factor=1.0),
    Channel("jd", 0.22, _CONSUMER, prefix="2", digits=7, return_factor=0.8, complaint_factor=0.8),
    Channel("douyin", 0.22, _CONSUMER, prefix="69", digits=10, return_factor=1.5, complaint_factor=1.7),
    Channel("shopify", 0.08, (("dtc", 1.0),), prefix="#", digits=6, return_factor=0.9, complaint_factor=0.9),
    Channel("store", 0.11, (("o2o", 0.85), ("b2c", 0.15)), prefix="00", digits=6, return_factor=0.5, complaint_factor=0.4),
    Channel("b2b", 0.06, (("b2b", 1.0),), prefix="B", digits=5, return_factor=0.25, complaint_factor=0.6),
)

CATEGORIES: Final = (
    Category(code="apparel", share=0.24, amount=139, spread=0.7, return_rate=0.075),
    Category(code="shoes", share=0.09, amount=239, spread=0.6, return_rate=0.065),
    Category(code="beauty", share=0.14, amount=159, spread=0.7, return_rate=0.025),
    Category(code="food", share=0.15, amount=79, spread=0.6, return_rate=0.008),
    Category(code="home", share=0.12, amount=129, spread=0.8, return_rate=0.03),
    Category(code="small_appliance", share=0.08, amount=359, spread=0.7, return_rate=0.032),
    Category(code="electronics", share=0.07, amount=1299, spread=0.9, return_rate=0.03),
    Category(code="baby", share=0.06, amount=169, spread=0.6, return_rate=0.025),
    Category(code="sports", share=0.05, amount=199, spread=0.7, return_rate=0.045),
)

CUSTOMER_TIERS: Final = (("standard", 0.70), ("gold", 0.22), ("vip", 0.08))
PRIORITIES: Final = (("normal", 0.94), ("urgent", 0.06))

SLOW_PROVINCES: Final = {"CN-XZ": 1.9, "CN-XJ": 1.4, "CN-QH": 1.4, "CN-HI": 1.25, "CN-NM": 1.2, "CN-TW": 2.0, "CN-HK": 1.6}
"""Transit time against the mean for a lane of the same length."""

OUTLYING: Final = tuple(
    City(code=code, name=name, name_zh=name_zh, province_code=province, latitude=latitude, longitude=longitude, population=None)
    for code, name, name_zh, province, latitude, longitude in (
        ("810000", "Hong Kong", "香港", "CN-HK", 22.302, 114.177),
        ("820000", "Macao", "澳门", "CN-MO", 22.199, 113.545),
        ("710100", "Taipei", "台北市", "CN-TW", 25.048, 121.532),
    )
)
"""Seats of the units that the city list leaves out, so that a few orders go there too (too few to colour a cell)."""

OUTLYING_SHARE: Final = 0.0008


@cache
def destinations() -> tuple[City, ...]:
    """Every city that orders go to."""
    return cities() + OUTLYING


@cache
def province_weights() -> dict[str, float]:
    """Share of orders by province: geometric mean of its shares of population and of economic output; sums to 1."""
    chinese = [p for p in provinces() if p.country_code == "CN"]
    known = [p for p in chinese if p.population and p.gdp]
    people = float(sum(p.population or 0 for p in known))
    output = sum(p.gdp or 0.0 for p in known)
    weights = {p.code: float(np.sqrt((p.population or 0) / people * (p.gdp or 0.0) / output)) for p in known}
    weights |= {p.code: OUTLYING_SHARE for p in chinese if p.code not in weights}
    total = sum(weights.values())
    return {code: weight / total for code, weight in weights.items()}


@cache
def destination_shares() -> Floats:
    """Share of orders by destination, in the order of `destinations`; sums to 1.

    Inside a province by the city's population between a floor and a cap, because the figures are uneven.
    """
    raw = np.array([float(np.clip(city.population or 0, 300_000, 9_000_000)) ** 0.8 for city in destinations()])
    codes = np.array([city.province_code for city in destinations()])
    shares = np.zeros(len(raw))
    for code, weight in province_weights().items():
        inside = codes == code
        shares[inside] = raw[inside] / raw[inside].sum() * weight
    total: Floats = shares / shares.sum()
    return total


@cache
def warehouse_city(code: str) -> City:
    """The city a warehouse lies in."""
    by_code = {city.code: city for city in cities()}
    return by_code[next(warehouse.city_code for warehouse in WAREHOUSES if warehouse.code == code)]


@cache
def warehouse_regions() -> tuple[str, ...]:
    """Region code of each warehouse, in the order of `WAREHOUSES`."""
    return tuple(region_of(warehouse_city(warehouse.code).province_code) or "" for warehouse in WAREHOUSES)


@cache
def lane_kilometres() -> Floats:
    """Great-circle distance, kilometres: one row per destination, one column per warehouse."""
    seats = [warehouse_city(warehouse.code) for warehouse in WAREHOUSES]
    here = np.radians([[city.latitude, city.longitude] for city in destinations()])[:, None, :]
    there = np.radians([[city.latitude, city.longitude] for city in seats])[None, :, :]
    half = np.sin((here - there) / 2) ** 2
    chord = half[..., 0] + np.cos(here[..., 0]) * np.cos(there[..., 0]) * half[..., 1]
    distances: Floats = 2 * 6371 * np.arcsin(np.sqrt(chord))
    return distances


@cache
def sourcing() -> Floats:
    """Cumulative share of each warehouse in serving each destination: near ones mostly, far ones for what is out of stock."""
    capacity = np.array([warehouse.capacity for warehouse in WAREHOUSES])
    near = capacity * np.exp(-lane_kilometres() / 180)
    anywhere = capacity / capacity.sum()
    weights = 0.93 * near / near.sum(axis=1, keepdims=True) + 0.07 * anywhere
    cumulative: Floats = np.cumsum(weights, axis=1)
    return cumulative
