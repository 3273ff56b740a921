"""What an address asks for outside the user's scope: places whose region is known without looking at any order."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from access.audit import note
from access.store import open_store
from config import Settings
from data.places import region_of
from queries.query import Filter
from queries.scope import Scope


def outside(scope: Scope, filters: Iterable[Filter]) -> tuple[Filter, ...]:
    """The filters on region or province none of whose values lies in the scope: what they ask for is elsewhere."""
    if scope.everything:
        return ()
    return tuple(filter_ for filter_ in filters if filter_.values and not any(_may_be_inside(scope, filter_)))


def note_outside(settings: Settings, name: str, scope: Scope, filters: Iterable[Filter], *, now: datetime) -> None:
    """Put on record that this user asked, on the command line, for places elsewhere."""
    if not (denied := outside(scope, filters)):
        return
    store = open_store(settings)
    asked = {filter_.dimension: [str(value) for value in filter_.values] for filter_ in denied}
    note(
        store, at=now, actor=name, action="area_refused", object_kind="command", object_id="query", detail=asked, result="denied"
    )
    store.dispose()


def note_unseen_order(settings: Settings, name: str, channel: str, order_id: str, *, now: datetime) -> None:
    """Put on record that this user asked, on the command line, for an order that is not there for the user."""
    store = open_store(settings)
    what = f"{channel}/{order_id}"
    note(store, at=now, actor=name, action="order_not_found", object_kind="order", object_id=what, result="denied")
    store.dispose()


def _may_be_inside(scope: Scope, filter_: Filter) -> list[bool]:
    """For each value whether it may lie in the scope; an unknown place, or another dimension's value, may."""
    if filter_.dimension == "region":
        return [value in scope.regions for value in filter_.values]
    if filter_.dimension == "province":
        return [(region := region_of(value)) is None or region in scope.regions for value in filter_.values]
    return [True]
