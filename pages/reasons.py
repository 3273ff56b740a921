"""Reasons that are written in English where they are found, and the sentence of the catalogue for each."""

from __future__ import annotations

import re
from collections.abc import Iterable


def first_fit(reasons: Iterable[tuple[str, str]], text: str) -> tuple[str, dict[str, str]] | None:
    """The key of the first pattern found in the text, and what its named parts hold (nothing as ""); None where none fits."""
    for pattern, key in reasons:
        if match := re.search(pattern, text):
            return key, {name: part or "" for name, part in match.groupdict().items()}
    return None
