"""An export with several lines per order, as one row per order: which columns are the order's own, which are added up."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from data.sample import Sample
from data.sql_text import identifier

LINES: Final = "order_lines"
"""What the rows call the number of lines of an order."""

A_LINE: Final = 3
"""Columns written on one line."""

_PLAIN: Final = re.compile(r"-?\d+(\.\d+)?")


def collapsed(sample: Sample, key: Sequence[str], own: Sequence[str], added: Sequence[str]) -> str:
    """The SELECT that gives one row per `key` with the columns `own` and `added`, for a contract's `rows`.

    Of `added` those that differ between an order's lines are summed. Empty where no order has several lines, where what
    is `own` differs between them, or where a number to be summed is not written plainly.
    """
    orders: dict[tuple[str | None, ...], list[Sequence[str | None]]] = defaultdict(list)
    place = {header: sample.columns.index(header) for header in (*key, *own, *added)}
    for row in sample.rows:
        orders[tuple(row[place[header]] for header in key)].append(row)
    several = [rows for rows in orders.values() if len(rows) > 1]
    differs = {header for header in (*own, *added) if any(_differ(rows, place[header]) for rows in several)}
    summed = [header for header in added if header in differs]
    if not several or differs.intersection(own) or not all(_is_plain(sample, header) for header in summed):
        return ""
    names = {header: identifier(header) for header in place}
    columns = [names[header] for header in key]
    columns += [f"max({names[header]}) AS {names[header]}" for header in (*own, *added) if header not in summed]
    columns += [f"sum(nullif(trim({names[header]}), '')::DECIMAL(18,4)) AS {names[header]}" for header in summed]
    columns.append(f"count(*) AS {LINES}")
    listed = ",\n       ".join(", ".join(columns[start : start + A_LINE]) for start in range(0, len(columns), A_LINE))
    return f"SELECT {listed}\nFROM file GROUP BY {', '.join(names[header] for header in key)}"


def _differ(rows: Sequence[Sequence[str | None]], position: int) -> bool:
    return len({row[position] for row in rows} - {None, ""}) > 1


def _is_plain(sample: Sample, header: str) -> bool:
    return all(_PLAIN.fullmatch(text) for text in sample.texts(header))
