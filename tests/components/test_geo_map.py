"""The map's drawing keeps text as text, names no other host, and sends the browser only what its marks hold."""

from __future__ import annotations

import json
import re

import pytest

from components.geo_map import FOLDER, SCRIPTS, STYLES, GeoMap, Mark, map_payload, map_script
from tests.components.test_kit import HTML_SINKS


def test_every_script_and_style_of_the_folder_is_in_the_drawing() -> None:
    assert sorted((*SCRIPTS, *STYLES)) == sorted(file.name for file in FOLDER.iterdir() if file.suffix in (".js", ".css"))


@pytest.mark.parametrize("script", SCRIPTS)
def test_no_script_parses_html_or_has_text_over_several_lines(script: str) -> None:
    text = (FOLDER / script).read_text(encoding="utf-8")
    assert [sink for sink in HTML_SINKS if sink in text] == []
    assert [line for line in text.splitlines() if line.count("`") % 2] == []


def test_nothing_in_the_drawing_names_another_host() -> None:
    assert re.findall(r"https?://[^\s\"']+", map_script()) == []


def test_the_drawing_is_small_beside_the_library() -> None:
    assert len(map_script()) < 40_000


def test_text_that_looks_like_an_expression_stays_outside_of_what_is_described() -> None:
    word = "@@=alert(1)"
    page = GeoMap(
        language="en", words={}, deck='{"layers":[]}', marks={"lanes": (Mark(at=(1.0, 2.0), ink="text", tip=word, code=word),)}
    )
    payload = map_payload(page)
    assert word not in json.dumps(payload["deck"])
    assert payload["marks"]["lanes"] == [{"at": [1.0, 2.0], "ink": "text", "tip": word, "code": word}]


def test_eight_hundred_lanes_and_a_full_layer_of_hexagons_stay_below_a_megabyte() -> None:
    lanes = tuple(
        Mark(at=(121.4581, 31.2222), to=(104.0672, 30.6667), ink="d27", width=3.1, alpha=215, code=f"WH-{i:03d}>CN-SC",
             tip="Shanghai Pudong → Sichuan\nLate delivery 12.3%\nof 1,234 orders")
        for i in range(800)
    )  # fmt: skip
    hexagons = tuple(Mark(at=(121.4581, 31.2222), ink="s27", alpha=215, tip="1,234 late orders here") for _ in range(5_000))
    payload = map_payload(GeoMap(language="en", words={}, marks={"lanes": lanes, "late": hexagons}))
    assert len(json.dumps(payload, separators=(",", ":")).encode()) < 1_000_000
