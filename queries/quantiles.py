"""Quantiles of one value taken together: its values are gathered once, and each quantile is read from them.

Times are gathered in whole milliseconds, which are put in order far faster than fractions of seconds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

SECONDS: Final = " / 1000.0"
"""What makes seconds of the milliseconds between two instants (`queries.metric.seconds`)."""

_QUANTILE: Final = re.compile(r"QUANTILE_CONT\((.+), ([0-9.]+)\)", re.DOTALL)
_COUNT: Final = re.compile(r"COUNT\((.+)\)", re.DOTALL)


def quantile_sql(value: str, share: float | str) -> str:
    """SQL of the exact quantile, interpolated; of a list of shares, of each."""
    return f"QUANTILE_CONT({value}, {share})"


def taken_together(figures: Mapping[str, str]) -> dict[str, str]:
    """The figures (SQL by name); of those that are quantiles of one value each is an element of the same list.

    How many values there are is counted of the same milliseconds, so that nobody makes seconds of them to count them.
    """
    shares: dict[str, list[str]] = {}
    found = {name: match for name, sql in figures.items() if (match := _QUANTILE.fullmatch(sql))}
    for match in found.values():
        shares.setdefault(match[1], []).append(match[2])

    def taken(value: str, share: str) -> str:
        own, gathered = shares[value], value.replace(SECONDS, "")
        sql = quantile_sql(gathered, share)
        if len(own) > 1:
            sql = f"LIST_EXTRACT({quantile_sql(gathered, '[' + ', '.join(own) + ']')}, {own.index(share) + 1})"
        return sql if gathered == value else f"{sql}{SECONDS}"

    def counted(sql: str) -> str:
        known = _COUNT.fullmatch(sql)
        return sql.replace(SECONDS, "") if known and known[1] in shares else sql

    return {name: taken(*found[name].groups()) if name in found else counted(sql) for name, sql in figures.items()}
