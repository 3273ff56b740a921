"""The packaged outlines are those of data/geo, complete, and where they should be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from components.shapes import ASSETS, FRAMES, anchor, build_shapes, load_shapes, place

GEO = Path(__file__).resolve().parents[2] / "data" / "geo"
COUNTRIES = pytest.mark.parametrize("country", FRAMES)


@COUNTRIES
def test_the_packaged_outlines_are_built_from_the_boundary_files(country: str) -> None:
    collection = json.loads((GEO / FRAMES[country].file).read_text(encoding="utf-8"))
    assert json.loads((ASSETS / f"shapes_{country.lower()}.json").read_text(encoding="utf-8")) == build_shapes(
        country, collection
    )


@pytest.mark.parametrize(("country", "count"), [("CN", 34), ("BR", 27), ("US", 49)])
def test_every_province_has_an_outline_and_a_middle(country: str, count: int) -> None:
    shapes = load_shapes(country)
    assert shapes is not None
    assert len(shapes["paths"]) == len(shapes["anchors"]) == count
    assert all(path.startswith("M") and path.endswith("z") for path in shapes["paths"].values())
    assert "CN-TW" in shapes["paths"] or country != "CN"


def test_shanghai_lies_near_the_middle_of_shanghai_and_east_of_chengdu() -> None:
    shanghai, chengdu, middle = place("CN", 31.23, 121.47), place("CN", 30.66, 104.06), anchor("CN", "CN-SH")
    assert shanghai is not None
    assert chengdu is not None
    assert middle is not None
    assert abs(shanghai[0] - middle[0]) < 12
    assert abs(shanghai[1] - middle[1]) < 12
    assert shanghai[0] > chengdu[0] + 250


def test_a_place_outside_the_frame_or_without_a_map_has_no_point() -> None:
    assert place("CN", 48.86, 2.35) is None
    assert place("FR", 48.86, 2.35) is None
    assert load_shapes("FR") is None


@COUNTRIES
def test_an_outline_file_stays_small_enough_for_a_first_page(country: str) -> None:
    assert (ASSETS / f"shapes_{country.lower()}.json").stat().st_size < 40_000
