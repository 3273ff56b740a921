"""What the map loads: behind the session, packed, cached for ever by its version, and only of countries that there are."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.deck import LIBRARY
from config import read_settings
from data.demo.world import found_world
from data.places import GEO_FOLDER
from tests.browser.conftest import AS_OF
from tests.serving import Served, serve


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """An interface with the demo's accounts and nothing else."""
    home = tmp_path_factory.mktemp("geo")
    found_world(read_settings({}, home=home), AS_OF)
    with serve(home) as running:
        yield running


@pytest.fixture(scope="module")
def cookie(served: Served) -> str:
    """A manager's session."""
    return served.sign_in("manager")


@pytest.mark.parametrize("path", ["/geo/deck.js", "/geo/cn.json"])
def test_nothing_is_sent_without_a_session(served: Served, path: str) -> None:
    answer = served.ask("GET", path)
    assert answer.status == 303
    assert answer.headers["location"] == "/auth/sign-in"


def test_library_is_pydecks_own_and_comes_packed(served: Served, cookie: str) -> None:
    answer = served.ask("GET", "/geo/deck.js", Cookie=cookie, Accept_Encoding="gzip")
    assert answer.headers["content-encoding"] == "gzip"
    assert gzip.decompress(answer.body) == LIBRARY.read_bytes()
    assert len(answer.body) < 1_300_000
    assert "immutable" in answer.headers["cache-control"]
    assert "private" in answer.headers["cache-control"]
    assert served.ask("GET", "/geo/deck.js", Cookie=cookie).body == LIBRARY.read_bytes()


@pytest.mark.parametrize(("country", "file", "units"), [("cn", "china", 34), ("br", "brazil", 27), ("us", "usa", 51)])
def test_boundaries_are_those_packaged(served: Served, cookie: str, country: str, file: str, units: int) -> None:
    answer = served.ask("GET", f"/geo/{country}.json", Cookie=cookie)
    assert answer.body == (GEO_FOLDER / f"{file}.geojson").read_bytes()
    assert len(json.loads(answer.body)["features"]) == units


@pytest.mark.parametrize("country", ["xx", "..%2f..%2fconfig", "cn.geojson"])
def test_other_countries_and_other_files_are_not_there(served: Served, cookie: str, country: str) -> None:
    assert served.ask("GET", f"/geo/{country}.json", Cookie=cookie).status in (400, 404)


def test_policy_allows_the_map_nothing_more_than_any_page(served: Served, cookie: str) -> None:
    policies = {served.ask("GET", path, Cookie=cookie).headers["content-security-policy"] for path in ("/map", "/wall")}
    assert len(policies) == 1
    policy = policies.pop()
    assert "'unsafe-eval'" not in policy
    assert "http" not in policy
    assert "*" not in policy


def test_the_package_brings_the_library() -> None:
    assert Path(LIBRARY).is_file()
