"""Quantiles of one value taken together: its values are gathered once, and each quantile is read from them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

_QUANTILE: Final = re.compile(r"QUANTILE_CONT\((.+), ([0-9.]+)\)", re.DOTALL)


def quantile_sql(value: str, share: float) -> str:
    """SQL of the exact quantile, interpolated."""
    return f"QUANTILE_CONT({value}, {share})"


def taken_together(figures: Mapping[str, str]) -> dict[str, str]:
    """The figures (SQL by name); of those that are quantiles of one value each is an element of the same list."""
    shares: dict[str, list[str]] = {}
    found = {name: match for name, sql in figures.items() if (match := _QUANTILE.fullmatch(sql))}
    for match in found.values():
        shares.setdefault(match[1], []).append(match[2])

    def element(value: str, share: str) -> str:
        own = shares[value]
        return f"LIST_EXTRACT(QUANTILE_CONT({value}, [{', '.join(own)}]), {own.index(share) + 1})"

    return {
        name: element(*found[name].groups()) if name in found and len(shares[found[name][1]]) > 1 else sql
        for name, sql in figures.items()
    }
