"""The kit holds every part, keeps text as text, and costs a redraw nothing but its data."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from components.kit import SCRIPTS, STYLES, WIDE_SCRIPTS, WIDE_STYLES, kit_script, loader
from components.shapes import ASSETS
from components.tokens import FONT_STACK, THEMES

ROOT = Path(__file__).resolve().parents[2]
HTML_SINKS = (
    "innerHTML",
    "outerHTML",
    "insertAdjacentHTML",
    "document.write",
    "createContextualFragment",
    "eval(",
    "new Function",
)
ROLES = {
    "primaryColor": "accent",
    "backgroundColor": "background",
    "secondaryBackgroundColor": "surface",
    "textColor": "text",
    "borderColor": "line",
    "redColor": "critical",
    "orangeColor": "warning",
    "greenColor": "good",
}


def test_every_script_and_style_of_the_folder_is_in_the_kit() -> None:
    assert sorted((*SCRIPTS, *STYLES, *WIDE_SCRIPTS, *WIDE_STYLES)) == sorted(
        file.name for file in ASSETS.iterdir() if file.suffix in (".js", ".css")
    )


@pytest.mark.parametrize("script", [*SCRIPTS, *WIDE_SCRIPTS])
def test_no_script_parses_html(script: str) -> None:
    text = (ASSETS / script).read_text(encoding="utf-8")
    assert [sink for sink in HTML_SINKS if sink in text] == []


@pytest.mark.parametrize("script", [*SCRIPTS, *WIDE_SCRIPTS])
def test_no_script_has_text_over_several_lines(script: str) -> None:
    """The kit drops indentation and comment lines, which such a text would lose."""
    assert [line for line in (ASSETS / script).read_text(encoding="utf-8").splitlines() if line.count("`") % 2] == []


def test_nothing_in_the_kit_names_another_host() -> None:
    assert re.findall(r"https?://[^\s\"']+", kit_script(is_wide=True)) == ["http://www.w3.org/2000/svg"]


def test_a_mounted_component_carries_a_few_lines_only() -> None:
    assert len(loader("board")) < 400
    assert len(kit_script()) < 170_000


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_streamlits_own_colours_are_the_tokens(theme: str) -> None:
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))["theme"]
    roles = THEMES["dark" if theme == "dark" else "light"]
    assert {key: config[theme][key] for key in ROLES} == {key: getattr(roles, role) for key, role in ROLES.items()}
    assert config["font"] == config["headingFont"] == FONT_STACK


def test_no_two_files_declare_the_same_name() -> None:
    """All scripts stand in one scope: a name declared twice draws nothing at all."""
    declared = Counter(
        name
        for path in sorted(ASSETS.glob("*.js"))
        for name in re.findall(r"^(?:async )?(?:function|const|let|class) (\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    )
    assert [name for name, times in declared.items() if times > 1] == []
