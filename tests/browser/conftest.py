"""A browser, and an interface over a small country of orders whose figures the tests know."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, BrowserType, Page

from config import read_settings
from data.demo.world import found_world
from data.ingest import ingest
from data.lake import Lake
from tests.conftest import LaunchOptions
from tests.data.intake import contract_of, write_csv
from tests.serving import Served, serve

AS_OF = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
PROVINCES = ("CN-SH", "CN-JS", "CN-GD", "CN-BJ", "CN-HB", "CN-SC", "CN-SN", "CN-LN")
HEADER = ("id", "channel", "province", "warehouse", "created", "paid", "shipped", "promised", "delivered")
"""Per province and hour one order; every second one is delivered, in Shanghai a day late."""


def _rows() -> list[tuple[str, ...]]:
    rows = []
    for hour in range(48):
        for place, province in enumerate(PROVINCES):
            created = AS_OF - timedelta(hours=48 - hour)
            paid, shipped, promised = (created + timedelta(hours=hours) for hours in (1, 4, 20))
            delivered = created + timedelta(hours=44 if province == "CN-SH" else 18)
            known = [instant for instant in (created, paid, shipped) if instant <= AS_OF]
            texts = [instant.isoformat() for instant in known] + [""] * (3 - len(known))
            is_delivered = hour % 2 == 0 and delivered <= AS_OF
            end = delivered.isoformat() if is_delivered else ""
            number = f"{hour:03d}{place}"
            rows.append((number, "jd" if place % 2 else "tmall", province, f"WH-{place % 3}", *texts, promised.isoformat(), end))
    return rows


@pytest.fixture(scope="session")
def filled_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with 384 orders of eight provinces in one snapshot."""
    folder = tmp_path_factory.mktemp("country")
    columns = {"order_id": "id", "channel": "channel", "province_code": "province", "warehouse_id": "warehouse"}
    columns |= {f"{name}_at": name for name in ("created", "paid", "shipped", "promised", "delivered")}
    settings = read_settings({}, home=folder / "home")
    path = write_csv(folder / f"orders_{AS_OF:%Y%m%dT%H%M%S}.csv", _rows(), HEADER)
    found_world(settings, AS_OF)
    with Lake.open_writer(settings) as lake:
        report = ingest(lake, contract_of(columns=columns), (path,), now=AS_OF)
    assert report.state == "accepted", report
    return settings.home


@pytest.fixture(scope="session")
def served(filled_home: Path) -> Iterator[Served]:
    """The interface over the filled home, with the demo's accounts."""
    with serve(filled_home) as running:
        yield running


@pytest.fixture(scope="session")
def kept_context(
    engine: BrowserType, launch_options: LaunchOptions, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BrowserContext]:
    """One browser profile for many tests: what it has fetched and compiled once it has."""
    opened = engine.launch_persistent_context(
        tmp_path_factory.mktemp("profile"),
        **launch_options,
        viewport={"width": 1920, "height": 1080},
        locale="en-GB",
        color_scheme="dark",
    )
    opened.set_default_timeout(30_000)
    yield opened
    opened.close()


@pytest.fixture
def context(kept_context: BrowserContext) -> Iterator[BrowserContext]:
    """A browser without cookies or anything kept by a page, the wall's size, in English."""
    yield kept_context
    kept_context.clear_cookies()
    kept_context.clear_permissions()
    for page in kept_context.pages[1:]:
        if page.url.startswith("http"):
            page.evaluate("() => { localStorage.clear(); sessionStorage.clear(); }")
        page.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """A tab of that browser."""
    return context.new_page()
