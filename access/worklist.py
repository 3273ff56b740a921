"""The work list: late and at-risk orders inside the user's scope, joined with what the desk has recorded on them.

The list is derived: an order that is delivered leaves by itself. Records alone show nothing; every order is asked of the
lake through the View first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal, get_args

from access.view import View
from access.work_change import Sighting
from access.work_item import Key, Trouble, WorkItem, items_at, open_keys, touched_keys
from queries.listing import Listing
from queries.query import Filter, Window

Tab = Literal["all", "late", "at_risk", "mine", "unassigned", "due", "done", "left"]
TABS: Final[tuple[Tab, ...]] = get_args(Tab)

METRIC_OF: Final[dict[Trouble, str]] = {"late": "overdue_count", "at_risk": "at_risk_count"}
URGENCY: Final[dict[Trouble, str]] = {"late": "-delay_cost", "at_risk": "promised_at"}
"""Late orders: amount times hours late, the costliest first; orders at risk: the nearest promise first."""

COLUMNS: Final = (
    "region", "province", "city", "warehouse", "carrier", "stage", "waited_seconds", "promised_at", "late_by_seconds",
    "amount", "currency", "exception", "customer_tier", "priority", "status", "delivered_at", "cancelled_at",
)  # fmt: skip

PLACES: Final = ("region", "province", "warehouse")
"""What the list can be narrowed by."""

REMEMBERED: Final = timedelta(days=30)
"""Records that nobody touched for longer, and that are done, no longer matter."""

LOOKED_BACK: Final = timedelta(days=60)
"""An order that is no longer open is looked for among those created in this time."""

WHOLE: Final = 2_000
"""Up to so many orders in a trouble are read at once, for lists, counts and records alike; of more only what is shown."""

Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class WorkRow:
    """One order of the list: the lake's `row` (COLUMNS and its key), its trouble now (None: it left), the desk's item."""

    row: Row
    trouble: Trouble | None
    item: WorkItem

    @property
    def key(self) -> Key:
        """Which order."""
        return self.item.key

    @property
    def is_back(self) -> bool:
        """Whether it was done and is in trouble anew."""
        return self.trouble is not None and self.item.is_back(self.trouble, self.row["promised_at"])

    @property
    def is_done(self) -> bool:
        """Whether there is nothing left to do for it."""
        return self.item.state == "done" and not self.is_back


@dataclass(frozen=True, kw_only=True)
class Worklist:
    """What a tab shows: `rows`, how many each tab has, how many orders each place has (`PLACES`), whether there are more."""

    rows: tuple[WorkRow, ...]
    counts: dict[Tab, int]
    places: tuple[Row, ...]
    has_more: bool = False


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """Orders with a record, as the lake shows them now: in trouble, and those that left."""

    troubled: tuple[WorkRow, ...]
    left: tuple[WorkRow, ...]


def read_worklist(view: View, tab: Tab, *, shown: int) -> Worklist:
    """The work list of this view's scope and filters; a follow-up that is due comes first, then what costs most."""
    recorded = read_recorded(view)
    numbers = _numbers(view)
    held = {row.key: row for row in recorded.troubled}
    working = [row for row in recorded.troubled if not row.is_done]
    done = [row for row in recorded.troubled if row.is_done]
    late, at_risk = (_count(view, numbers, trouble) for trouble in METRIC_OF)
    done_late = sum(row.trouble == "late" for row in done)
    chosen: dict[Tab, list[WorkRow]] = {
        "mine": [row for row in working if row.item.assignee == view.user.name],
        "due": [row for row in working if row.item.is_due(_now(view))],
        "done": done,
        "left": list(recorded.left),
    }
    counts: dict[Tab, int] = {
        "all": late + at_risk - len(done),
        "late": late - done_late,
        "at_risk": at_risk - (len(done) - done_late),
        "unassigned": late + at_risk - len(done) - sum(row.item.assignee is not None for row in working),
        **{name: len(rows) for name, rows in chosen.items()},
    }
    known = chosen.get(tab)
    rows = _from_the_top(view, tab, shown, held) if known is None else sorted(known, key=_urgency(view))
    return Worklist(rows=tuple(rows[:shown]), counts=counts, places=numbers, has_more=counts[tab] > shown)


def read_recorded(view: View) -> Recorded:
    """Every order with a live record that the user's scope and the view's filters cover."""
    items = read_items_in_sight(view)
    rows = {trouble: look_up(view, list(items), trouble) for trouble in METRIC_OF}
    troubled = [
        WorkRow(row=row, trouble=trouble, item=items[key]) for trouble, found in rows.items() for key, row in found.items()
    ]
    in_trouble = {row.key for row in troubled}
    gone = [key for key, item in items.items() if key not in in_trouble and item.state != "done"]
    left = [WorkRow(row=row, trouble=None, item=items[key]) for key, row in look_up(view, gone).items()]
    return Recorded(troubled=tuple(troubled), left=tuple(left))


def read_items_in_sight(view: View) -> dict[Key, WorkItem]:
    """The desk's records that still matter, as they stood at the view's instant; of every region: ask `look_up` first."""
    if view.store is None:
        return {}
    until = view.as_of if is_looking_back(view) else None
    since = (until or view.now) - REMEMBERED
    keys = dict.fromkeys(touched_keys(view.store, since=since, until=until))
    if until is None:
        keys |= dict.fromkeys(open_keys(view.store))
    return items_at(view.store, list(keys), until)


def look_up(view: View, keys: Sequence[Key], trouble: Trouble | None = None) -> dict[Key, Row]:
    """The lake's rows of these orders inside the view's scope and filters: of those in a trouble, or of all there are."""
    if not keys:
        return {}
    if trouble is not None and (whole := _whole(view, trouble)) is not None:
        return {key: whole[key] for key in keys if key in whole and _is_here(view, whole[key])}
    where = (*view.filters, Filter("order", tuple("/".join(key) for key in keys)))
    if trouble is not None:
        return _rows(view, Listing(metric=METRIC_OF[trouble], where=where, columns=COLUMNS, limit=len(keys)))
    found = _rows(view, Listing(population="open", where=where, columns=COLUMNS, limit=len(keys)))
    missing = [key for key in keys if key not in found]
    if missing:
        where = (*view.filters, Filter("order", tuple("/".join(key) for key in missing)))
        window = Window.last(LOOKED_BACK, view.as_of)
        found |= _rows(view, Listing(window=window, where=where, columns=COLUMNS, limit=len(missing)))
    return found


def read_row(view: View, key: Key) -> WorkRow | None:
    """One order as the user may see it, whatever the view's filters; None when there is none in the user's scope."""
    plain = replace(view, filters=())
    row = look_up(plain, [key]).get(key)
    if row is None:
        where = (Filter("order", ("/".join(key),)),)
        row = _rows(plain, Listing(where=where, columns=COLUMNS, limit=1)).get(key)
    if row is None:
        return None
    trouble = next((trouble for trouble in METRIC_OF if key in look_up(plain, [key], trouble)), None)
    until = view.as_of if is_looking_back(view) else None
    items = items_at(view.store, [key], until) if view.store is not None else {}
    return WorkRow(row=row, trouble=trouble, item=items.get(key) or WorkItem(channel=key[0], order_id=key[1]))


def trouble_of(view: View, key: Key) -> Trouble | None:
    """What the order is in, whatever the view's filters; None where it is in no trouble, or out of the user's sight."""
    where = (Filter("order", ("/".join(key),)),)
    found = (trouble for trouble, metric in METRIC_OF.items() if view.count_orders(Listing(metric=metric, where=where)))
    return next(found, None)


def sighting_of(row: WorkRow) -> Sighting:
    """The row as whoever changes its record needs it."""
    return Sighting(
        channel=row.key[0],
        order_id=row.key[1],
        region_code=row.row["region"],
        trouble=row.trouble,
        promised_at=row.row["promised_at"],
    )


def is_looking_back(view: View) -> bool:
    """Whether the view is of a chosen instant or snapshot: nothing can be changed there."""
    return view.address.as_of is not None or view.address.snapshot is not None


def _now(view: View) -> datetime:
    return view.as_of if is_looking_back(view) else view.now


def _from_the_top(view: View, tab: Tab, shown: int, held: dict[Key, WorkRow]) -> list[WorkRow]:
    """The first rows by urgency; those that the desk knows carry their record, those that are done are left out."""
    kinds = [trouble for trouble in METRIC_OF if tab in ("all", "unassigned", trouble)]
    rows = [row for row in held.values() if row.trouble in kinds and row.item.is_due(_now(view))]
    rows = sorted(rows, key=_urgency(view))
    seen = {row.key for row in rows}
    for trouble in kinds:
        if len(rows) < shown:
            rows += [row for row in _top(view, trouble, shown + len(held), held) if row.key not in seen]
    working = [row for row in rows if not row.is_done]
    return [row for row in working if row.item.assignee is None] if tab == "unassigned" else working


def _top(view: View, trouble: Trouble, limit: int, held: dict[Key, WorkRow]) -> Iterator[WorkRow]:
    whole = _whole(view, trouble)
    if whole is None:
        listing = Listing(metric=METRIC_OF[trouble], where=view.filters, columns=COLUMNS, order_by=URGENCY[trouble], limit=limit)
        whole = _rows(view, listing)
    for key, row in [(key, row) for key, row in whole.items() if _is_here(view, row)][:limit]:
        yield held.get(key) or WorkRow(row=row, trouble=trouble, item=WorkItem(channel=key[0], order_id=key[1]))


def _rows(view: View, listing: Listing) -> dict[Key, Row]:
    return {(row["channel"], row["order_id"]): row for row in view.list_orders(listing).to_dicts()}


def _numbers(view: View) -> tuple[Row, ...]:
    """How many late and at-risk orders each region, province and warehouse has, were no place chosen: `trouble`, PLACES, `count`."""
    found: list[Row] = []
    for trouble, metric in METRIC_OF.items():
        if (whole := _whole(view, trouble)) is not None:
            places = Counter(tuple(row[place] for place in PLACES) for row in whole.values())
            rows = [dict(zip(PLACES, values, strict=True)) | {"order_count": number} for values, number in places.items()]
        else:
            rows = view.count_orders_by(Listing(metric=metric, where=_other_filters(view)), *PLACES).to_dicts()
        found += [{"trouble": trouble, "count": row.pop("order_count")} | row for row in rows]
    return tuple(found)


def _whole(view: View, trouble: Trouble) -> dict[Key, Row] | None:
    """Every order in the trouble, were no place chosen, by urgency; None where there are too many to read at once."""
    listing = Listing(
        metric=METRIC_OF[trouble], where=_other_filters(view), columns=COLUMNS, order_by=URGENCY[trouble], limit=WHOLE
    )
    rows = _rows(view, listing)
    return rows if len(rows) < WHOLE else None


def _other_filters(view: View) -> tuple[Filter, ...]:
    return tuple(filter_ for filter_ in view.filters if filter_.dimension not in PLACES)


def _count(view: View, numbers: Sequence[Row], trouble: Trouble) -> int:
    """How many orders of the places chosen are in the trouble."""
    return sum(row["count"] for row in numbers if row["trouble"] == trouble and _is_here(view, row))


def _is_here(view: View, row: Row) -> bool:
    """Whether the row lies in the places chosen."""
    return all(row[filter_.dimension] in filter_.values for filter_ in view.filters if filter_.dimension in PLACES)


def _urgency(view: View) -> Callable[[WorkRow], tuple[Any, ...]]:
    """Due first, the longest due before the others; then late before at risk, what costs most first."""
    now = _now(view)

    def key(row: WorkRow) -> tuple[Any, ...]:
        due = row.item.follow_up_at if row.item.is_due(now) else None
        cost = (row.row["amount"] or 1.0) * (row.row["late_by_seconds"] or 0.0)
        promise = row.row["promised_at"]
        rank = {"late": 0, "at_risk": 1}.get(row.trouble or "", 2)
        return (due is None, due or now, rank, -cost, promise or now, row.key)

    return key
