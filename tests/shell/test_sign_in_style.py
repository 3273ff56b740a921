"""The sign-in page wears the same colours as the pages behind it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from components.tokens import THEMES

CSS: Final = (Path(__file__).resolve().parents[2] / "shell" / "sign_in.css").read_text(encoding="utf-8")
DARK, LIGHT = CSS.split("@media (prefers-color-scheme: light)")
ROLES: Final = ("background", "surface", "line", "text", "secondary", "muted", "critical", "accent")


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(("theme", "part"), [("dark", DARK), ("light", LIGHT)], ids=["dark", "light"])
def test_colour_is_the_token(theme: str, part: str, role: str) -> None:
    found = re.search(rf"--{role}: (#[0-9A-F]{{6}});", part)
    assert found
    assert found[1] == getattr(THEMES[theme], role)  # type: ignore[index]
