"""Whether what a filter names exists at all: a misspelt value is refused, not answered with nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import Final

from data.places import provinces, region_codes, regions
from queries.dimensions import DIMENSIONS, Dimension
from queries.query import Filter, Query, QueryError

Ask = Callable[[Query], list[dict[str, object]]]
"""Answers a question over all that is known, inside the scope of whoever asked."""

COUNTED: Final = {"orders": "order_count", "returns": "return_count", "complaints": "complaint_count"}
"""What tells that a value exists, by the rows its dimension has."""

MOST_SUGGESTED: Final = 1000
SHOWN: Final = 8


def check_values(filters: Iterable[Filter], ask: Ask) -> None:
    """Raise QueryError for a filter value that neither the registries nor any order that can be seen has.

    A place that is known is no mistake where no order lies in it; nor is unknown (null).
    """
    for item in filters:
        known = _declared(item.dimension)
        if item.dimension == "order":
            continue  # numbers of orders are no vocabulary: one that is not there is an answer
        doubtful = [value for value in item.values if value is not None and value not in known]
        if doubtful:
            _check_doubtful(DIMENSIONS[item.dimension], doubtful, ask, known)


def _check_doubtful(dimension: Dimension, values: list[str], ask: Ask, known: frozenset[str]) -> None:
    metric = next(name for rows, name in COUNTED.items() if rows in dimension.rows)
    question = Query(metrics=(metric,), by=(dimension.name,), where=(Filter(dimension.name, tuple(values)),))
    seen = {str(row[dimension.name]) for row in ask(question)}
    missing = [value for value in values if value not in seen]
    if not missing:
        return
    most = Query(metrics=(metric,), by=(dimension.name,), order_by=f"-{metric}", limit=MOST_SUGGESTED)
    there = [str(row[dimension.name]) for row in ask(most) if row[dimension.name] is not None]
    raise QueryError(f"no {dimension.name} that can be seen is {missing[0]!r}: {_remedy(missing[0], there, known)}")


def _remedy(value: str, there: list[str], known: frozenset[str]) -> str:
    folded = {name.casefold(): name for name in (*sorted(known), *there)}
    ending = [name for name in folded.values() if name.casefold().endswith((f"-{value.casefold()}", f">{value.casefold()}"))]
    near = [folded[name] for name in get_close_matches(value.casefold(), list(folded), n=3, cutoff=0.6)]
    if found := list(dict.fromkeys([*ending, *near]))[:3]:
        return f"did you mean {' or '.join(found)}?"
    if there:
        return f"there are {', '.join(there[:SHOWN])}{' …' if len(there) > SHOWN else ''}"
    return "leave the filter out to see what there is"


def _declared(dimension: str) -> frozenset[str]:
    """The codes that exist whatever the data holds."""
    if dimension in ("region", "warehouse_region"):
        return frozenset(region_codes())
    if dimension == "province":
        return frozenset(province.code for province in provinces())
    if dimension == "country":
        return frozenset(region.country_code for region in regions())
    return frozenset(str(code) for code in DIMENSIONS[dimension].codes)
