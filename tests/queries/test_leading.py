"""Lists whose first rows are in memory: every page is the one that the lake's own rows make, whatever it is sorted by."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.recent import Horizon, Recent
from queries.build import Statement
from queries.leading import OF_OPEN_ORDERS, RANKED, RECENT_INSTANTS, bound_of, kept_rankings
from queries.listing import Listing, build_listing, cursor_at
from queries.listing_columns import columns_of
from queries.listing_page import read_page
from queries.query import Filter, Window
from queries.run import run
from queries.scope import Scope
from tests.queries.desk import AS_OF, Desk, Row
from tests.queries.test_laws import BEGIN, EXAMPLES, SLOW, TARGETS, at, orders
from tests.queries.test_listing import a_lake, moment

MOST = 3
FIGURES = st.sampled_from([None, 0.0, 1.0, 2.0, 2.5, 7.0])
SORTS = [f"{sign}{name}" for name in columns_of("orders") for sign in ("-", "")]
KNOWN = [sort for sort in SORTS if sort.removeprefix("-") in (*RANKED, *OF_OPEN_ORDERS, *RECENT_INSTANTS)]


@st.composite
def many(draw: st.DrawFn) -> list[Row]:
    """Orders of figures that are often the same, or not known."""
    rows = [row | {"id": f"{row['id']}{part}"} for part in "AB" for row in draw(orders())]
    figures = ("amount", "freight_cost", "quantity", "delivered_quantity")
    return [row | {name: draw(FIGURES) for name in figures} | {"line_count": draw(st.sampled_from([None, 1, 2]))} for row in rows]


def horizon_of(desk: Desk, span: timedelta) -> Horizon:
    """The orders of the span in memory, and the first of the older ones."""
    recent = Recent(desk.lake, rankings=kept_rankings(), spans=(span,), zone=desk.zone)
    recent.advance(desk.version, AS_OF)
    horizon = recent.complete()
    assert horizon is not None
    return horizon


def in_order(rows: list[Row], sort: str) -> list[Row]:
    """The rows as a list in this order has them, unknown last."""
    rows = sorted(rows, key=lambda row: (row["created_at"], row["channel"], row["order_id"]))
    known = [row for row in rows if row["order_value"] is not None]
    known = sorted(known, key=lambda row: row["order_value"], reverse=sort.startswith("-"))
    if sort.startswith("-"):  # a stable sort in reverse keeps equals as they were
        assert [row["order_value"] for row in known] == sorted((row["order_value"] for row in known), reverse=True)
    return known + [row for row in rows if row["order_value"] is None]


class Asked:
    """Answers statements, and remembers how many pages were found in memory and how many statements the lake answered."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.from_lake = desk, 0

    def __call__(self, statement: Statement) -> Any:
        self.from_lake += statement.kept_version is None
        return run(self.desk.lake, statement)


def pages_differ(desk: Desk, listing: Listing, horizon: Horizon, **changes: Any) -> list[Any]:
    """The pages, forwards and back again, that are not those of the lake's rows in order."""
    here = moment(desk, horizon=horizon, **changes)
    whole = run(desk.lake, build_listing(replace(listing, limit=1000), moment(desk, **changes))).to_dicts()
    expected, found, ask = in_order(whole, listing.sorted_by), [], Asked(desk)
    for first in range(0, len(expected) + 1, listing.limit):
        after = cursor_at(listing, expected[first - 1]) if first else None
        page = read_page(replace(listing, after=after), here, ask).to_dicts()
        if page != expected[first : first + listing.limit]:
            found.append((listing, first, page, expected))
        if first < len(expected):
            before = replace(listing, before=cursor_at(listing, expected[first]))
            back = read_page(before, here, ask).to_dicts()[::-1]
            if back != expected[max(0, first - listing.limit) : first]:
                found.append((before, first, back, expected))
    return found


@SLOW
@given(
    rows=many(),
    sorts=st.lists(st.sampled_from(KNOWN), min_size=3, max_size=3, unique=True),
    hours=st.sampled_from([6, 30, 60]),
    as_of=st.sampled_from([AS_OF, AS_OF - timedelta(hours=5), AS_OF - timedelta(hours=40)]),
    scope=st.sampled_from([Scope.ALL, Scope.of_regions(["R1"]), Scope.of_regions(["R1", "R3"])]),
    where=st.sampled_from([(), (Filter("city", ("Wuhan",)),)]),
    window=st.sampled_from([None, Window(start=BEGIN + timedelta(hours=9), end=AS_OF + timedelta(hours=12))]),
    is_settled=st.booleans(),
)
def test_every_page_is_that_of_the_lakes_own_rows(
    desk: Desk,
    monkeypatch: pytest.MonkeyPatch,
    rows: list[Row],
    sorts: list[str],
    hours: int,
    as_of: datetime,
    scope: Scope,
    where: Any,
    window: Window | None,
    is_settled: bool,
) -> None:
    monkeypatch.setattr("data.leading.MOST", MOST)
    filled = desk.filled(rows).with_targets(TARGETS)
    horizon = horizon_of(filled, timedelta(hours=hours))
    instants = [value for row in rows for value in row.values() if isinstance(value, datetime)]
    newest = max(instants, default=AS_OF) if is_settled else None
    for sort in sorts:
        listing = Listing(order_by=sort, columns=("status",), limit=2, where=where, window=window)
        assert pages_differ(filled, listing, horizon, as_of=as_of, scope=scope, newest=newest) == []


@pytest.fixture
def kept(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> tuple[Desk, Horizon]:
    """Four dozen orders, most of them closed before what is recent, and of these a few by each figure."""
    monkeypatch.setattr("data.leading.MOST", MOST)
    rows, _, _ = a_lake()
    closed = [row | {"delivered": row["created"] + timedelta(hours=9 + number % 7)} for number, row in enumerate(rows)]
    older = [row | {"promised": at(5 + 3 * (number % 9)), "promised_ship": None} for number, row in enumerate(closed[:40])]
    older = [row | {"line_count": n % 4, "amount": 3.0 * (n % 13), "cancelled": None} for n, row in enumerate(older)]
    filled = desk.filled([*older, *closed[40:]]).with_targets(TARGETS)
    return filled, horizon_of(filled, timedelta(hours=24))


def test_a_list_of_everything_begins_in_memory(kept: tuple[Desk, Horizon]) -> None:
    filled, horizon = kept
    ask = Asked(filled)
    for sort in SORTS if EXAMPLES > 5 else SORTS[::7]:
        listing = Listing(order_by=sort, columns=("order_id", "late_by_seconds"), limit=2)
        assert read_page(listing, moment(filled, horizon=horizon), ask).equals(
            run(filled.lake, build_listing(listing, moment(filled)))
        ), sort
    ask = Asked(filled)
    for name in ("amount", "order_cycle_seconds", "late_by_seconds", "quantity"):
        read_page(Listing(order_by=f"-{name}", limit=1), moment(filled, horizon=horizon), ask)
    assert ask.from_lake <= 2
    assert bound_of("-channel", horizon) is None


def test_memory_of_another_version_or_an_earlier_instant_is_not_asked(kept: tuple[Desk, Horizon]) -> None:
    filled, horizon = kept
    listing = Listing(order_by="-amount", limit=1)
    for here in (
        moment(filled, horizon=replace(horizon, version=horizon.version + 1)),
        moment(filled, horizon=horizon, as_of=horizon.since - timedelta(hours=1)),
        moment(filled, horizon=replace(horizon, bounds=None)),
    ):
        ask = Asked(filled)
        read_page(listing, here, ask)
        assert ask.from_lake == 2
