"""What an address asks for outside the user's scope: places whose region is known without looking at any order."""

from __future__ import annotations

from collections.abc import Iterable

from data.places import region_of
from queries.query import Filter
from queries.scope import Scope


def outside(scope: Scope, filters: Iterable[Filter]) -> tuple[Filter, ...]:
    """The filters on region or province none of whose values lies in the scope: what they ask for is elsewhere."""
    if scope.everything:
        return ()
    return tuple(filter_ for filter_ in filters if filter_.values and not any(_may_be_inside(scope, filter_)))


def _may_be_inside(scope: Scope, filter_: Filter) -> list[bool]:
    """For each value whether it may lie in the scope; an unknown place, or another dimension's value, may."""
    if filter_.dimension == "region":
        return [value in scope.regions for value in filter_.values]
    if filter_.dimension == "province":
        return [(region := region_of(value)) is None or region in scope.regions for value in filter_.values]
    return [True]
