"""One order's whole life: what was known when, where the time went, and nothing outside the scope or after the instant."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from access.audit import LOCAL
from access.order_history import known_at
from access.order_twin import Twin
from access.reading import Reading
from access.store import open_store
from access.user import User, add_user
from access.view import View, open_view
from cli import main
from config import read_settings
from data.ingest import ingest
from data.lake import Lake
from data.order import ORDER_COLUMNS
from queries.listing import Listing
from queries.query import Filter
from tests.data.intake import contract_of, write_csv

EXAMPLES = int(os.environ.get("LAW_EXAMPLES", "1"))

DAY = datetime(2026, 3, 2, tzinfo=UTC)
HEADER = ("id", "province", "created", "paid", "shipped", "delivered", "promised", "amount")
COLUMNS = {"order_id": "id", "channel": "'web'", "province_code": "province", "amount": "amount", "warehouse_id": "'W1'"}
COLUMNS |= {f"{name}_at": name for name in ("created", "paid", "shipped", "delivered", "promised")}


def at(hours: float) -> datetime:
    """An instant so many hours into the day."""
    return DAY + timedelta(hours=hours)


def text(hours: float | None) -> str:
    """The same as a file has it; empty for unknown."""
    return "" if hours is None else at(hours).isoformat()


def row(number: str, *hours: float | None, province: str = "CN-SH", amount: str = "10") -> tuple[str, ...]:
    """An order's row: created, paid, shipped, delivered, promised in hours of the day."""
    return (number, province, *(text(hour) for hour in hours), amount)


def take_in(lake: Lake, folder: Path, hours: float, rows: list[tuple[str, ...]], source: str = "shop") -> None:
    """One snapshot of a source as of so many hours into the day."""
    path = write_csv(folder / f"{source}_{at(hours):%Y%m%dT%H%M%S}.csv", rows, HEADER)
    report = ingest(lake, contract_of(source=source, columns=COLUMNS), (path,), now=at(100))
    assert report.state in ("accepted", "unchanged"), report


COMPARABLE = [row(f"C{n:02d}", 1, 1.5, 2 + n / 10, 10, 20) for n in range(24)]
"""Shipped 0.5 h to 2.8 h after payment."""


@pytest.fixture(scope="module")
def reading(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reading]:
    """Orders seen at 12:00 and again at 30:00, when one of them was corrected."""
    folder = tmp_path_factory.mktemp("twin")
    opened = read_settings({}, home=folder / "home", memory_limit="512MB", threads=1)
    with Lake.open_writer(opened) as lake:
        first = [*COMPARABLE, row("A", 1, 2, None, None, 20), row("S", 1, 2, 3, None, 20, province="CN-GD")]
        take_in(lake, folder, 12, first)
        take_in(lake, folder, 30, [row("A", 1, 2.25, 9.5, 29.5, 20, amount="12"), row("B", 11, None, None, None, 40)])
    reading = Reading(opened)
    yield reading
    reading.close()


def view(reading: Reading, *regions: str, **parameters: str) -> View:
    """A manager's view, or with regions a lead's."""
    user = User(name="x", display_name="X", role="lead" if regions else "manager", regions=regions)
    asked = {name: [value] for name, value in parameters.items()}
    return open_view(reading, user, asked, now=at(300), language="en", stays_valid=lambda: None)


def found(view: View, order_id: str) -> Twin:
    """The order, which must be there."""
    twin = view.read_order("web", order_id)
    assert twin is not None
    return twin


def test_stages_have_their_time_and_what_is_usual(reading: Reading) -> None:
    twin = found(view(reading), "A")
    hours = {passage.stage: (passage.seconds or 0) / 3600 for passage in twin.passages}
    assert hours == {"paid": 1.25, "shipped": 7.25, "delivered": 20}
    assert twin.order["late_by_seconds"] == 9.5 * 3600
    usual = next(passage.usual for passage in twin.passages if passage.stage == "shipped")
    assert usual is not None
    assert (usual.level, usual.n) == ("lane", 25), "A itself is one of the lane's orders"
    assert usual.p50 == pytest.approx((0.5 + 1.2) * 3600)


def test_the_comparable_set_is_exactly_the_list_it_leads_to(reading: Reading) -> None:
    here, twin = view(reading), found(view(reading), "A")
    for passage in twin.passages:
        assert passage.usual is not None
        where = (*twin.compared[passage.usual.level], Filter("stage", (passage.stage,)))
        listing = Listing(metric="dwell_seconds_p50", where=where, window=twin.compared_window)
        assert here.count_orders(listing) == passage.usual.n


def test_a_past_instant_knows_nothing_later(reading: Reading) -> None:
    then = found(view(reading, as_of=text(12)), "A")
    assert (then.order["status"], then.order["paid_at"], then.order["amount"]) == ("paid", at(2), 10)
    assert then.order["stage"] == "shipped"
    assert [passage.is_waiting for passage in then.passages] == [False, True]
    seen = {change.seen_at for change in view(reading, as_of=text(12)).order_history(then)}
    assert seen == {at(12)}
    assert view(reading, as_of=text(12)).read_order("web", "B") is None, "nobody had told of it yet"


def test_a_correction_shows_what_was_known_before(reading: Reading) -> None:
    here = view(reading)
    changes = here.order_history(found(here, "A"))
    assert known_at(changes, at(12))["paid_at"] == at(2)
    assert known_at(changes, at(30))["paid_at"] == at(2.25)
    corrected = {change.fact: (change.before, change.after) for change in changes if change.kind == "corrected"}
    assert corrected == {"paid_at": (at(2), at(2.25)), "amount": (10, 12)}
    assert {change.fact for change in changes if change.kind == "learned" and change.seen_at == at(30)} == {
        "shipped_at",
        "delivered_at",
    }


def test_outside_the_scope_there_is_no_order_and_nothing_attached(reading: Reading) -> None:
    assert view(reading, "CN-EAST").read_order("web", "S") is None
    assert view(reading, "CN-SOUTH").read_order("web", "S") is not None
    assert view(reading).read_order("web", "no such order") is None
    assert view(reading).read_order("web' OR 1=1 --", "A") is None


SEEN = st.lists(
    st.tuples(
        st.integers(51, 90), st.sampled_from(["shop", "depot"]), *(st.one_of(st.none(), st.integers(0, 50)) for _ in range(4))
    ),
    min_size=1,
    max_size=5,
    unique_by=lambda seen: (seen[0], seen[1]),
)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(seen=SEEN)
def test_the_history_ends_in_what_the_lake_holds_whatever_came_in_which_order(
    tmp_path_factory: pytest.TempPathFactory, seen: list[Any]
) -> None:
    folder = tmp_path_factory.mktemp("history")
    opened = read_settings({}, home=folder / "home", memory_limit="512MB", threads=1)
    answers = []
    with Lake.open_writer(opened) as lake:
        for hours, source, *milestones in seen:
            take_in(lake, folder, hours, [row("A", 1, *milestones)], source)
            reading = Reading(opened)
            snapshot = reading.ledger().snapshot
            answers.append((snapshot, _answer(reading, at(200), snapshot)))
            reading.close()
    reading = Reading(opened)
    here = view(reading, as_of=text(200))
    twin = found(here, "A")
    known = known_at(here.order_history(twin), at(200))
    names = [column.name for column in ORDER_COLUMNS if column.name not in ("channel", "order_id")]
    assert {name: known.get(name) for name in names} == {name: twin.order[name] for name in names}
    for snapshot, before in answers:  # as-of and snapshot fixed: later snapshots change nothing
        assert _answer(reading, at(200), snapshot) == before
    reading.close()


def _answer(reading: Reading, as_of: datetime, snapshot: int) -> Any:
    return view(reading, as_of=as_of.isoformat(), snapshot=str(snapshot)).read_order("web", "A")


def test_the_command_line_tells_the_same_order_inside_the_users_scope(
    reading: Reading, capsys: pytest.CaptureFixture[str]
) -> None:
    home = str(reading.settings.home)
    store = open_store(reading.settings)
    lead = User(name="south", display_name="South", role="lead", regions=("CN-SOUTH",))
    add_user(store, lead, password_hash="-", now=at(31), by=LOCAL)
    store.dispose()
    assert main(["--home", home, "order", "web", "S", "--user", "south"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["order"]["order_id"], told["order"]["paid_at"]) == ("S", "2026-03-02T02:00:00.000Z")
    assert {change["kind"] for change in told["history"]} == {"learned"}
    assert main(["--home", home, "order", "web", "A", "--user", "south"]) == 2
    assert "south can see" in capsys.readouterr().err
