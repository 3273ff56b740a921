"""The merge law: the order in which snapshots arrive does not matter, and each clause of the law on its own."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.contract import Contract
from data.lake import Lake
from data.order import MILESTONE_BIT
from tests.data.intake import contract_of, home, table, take_in, write_csv

EXAMPLES = int(os.environ.get("LAW_EXAMPLES", "2"))

HEADER = ("id", "created", "city", "status", "shipped", "delivered", "trouble")
COLUMNS = {
    "order_id": "id",
    "channel": "'web'",
    "created_at": "created",
    "city": "city",
    "shipped_at": "shipped",
    "delivered_at": "delivered",
    "exception_code": "trouble",
}
STATUS = {
    "expression": "status",
    "completed": "delivered",
    "map": {"*": {"sent": "shipped", "done": "completed", "off": "cancelled"}},
}
ROW = st.tuples(
    st.sampled_from(["A", "B"]),
    st.sampled_from(["", "2026-01-01 08:00:00", "2026-01-01 09:00:00"]),
    st.sampled_from(["", "Wuhan", "Xi'an", "GONE"]),
    st.sampled_from(["", "sent", "done", "off"]),
    st.sampled_from(["", "2026-01-02 08:00:00", "GONE"]),
    st.sampled_from(["", "2026-01-03 08:00:00", "2026-01-01 01:00:00"]),
    st.sampled_from(["", "held"]),
)
SNAPSHOT = st.tuples(st.sampled_from(["oms", "tms"]), st.integers(0, 3), st.lists(ROW, min_size=1, max_size=4))
_numbers = count()


def _contract(source: str) -> Contract:
    priority = {"oms": 50, "tms": 60}[source]
    return contract_of(source=source, priority=priority, columns=COLUMNS, status=STATUS, withdrawn=["GONE"])


def _lake_of(folder: Path, snapshots: list[tuple[str, int, list[Any]]]) -> list[tuple[Any, ...]]:
    place = folder / str(next(_numbers))
    place.mkdir()
    with Lake.open_writer(home(place)) as lake:
        for number, (source, hour, rows) in enumerate(snapshots):
            at = datetime(2026, 2, 1, tzinfo=UTC) + timedelta(hours=hour)
            path = write_csv(place / f"{number}_{at:%Y%m%dT%H%M%S}.csv", rows, HEADER)
            take_in(lake, _contract(source), path)
        found = table(lake)
    shutil.rmtree(place)
    return found


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(SNAPSHOT, min_size=2, max_size=4), st.randoms(use_true_random=False))
def test_any_order_of_arrival_gives_the_same_table(tmp_path: Path, snapshots: list[Any], random: Any) -> None:
    shuffled = random.sample(snapshots, len(snapshots))
    assert _lake_of(tmp_path, shuffled) == _lake_of(tmp_path, snapshots)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path


def _one(folder: Path, *rows: tuple[int, dict[str, str]], columns: str) -> tuple[Any, ...]:
    """The named columns of order A after one-row snapshots (hour of as-of, cells), taken in as listed."""
    with Lake.open_writer(home(folder)) as lake:
        for number, (hour, cells) in enumerate(rows):
            at = datetime(2026, 2, 1, hour, tzinfo=UTC)
            path = folder / f"{number}_{at:%Y%m%dT%H%M%S}.csv"
            take_in(lake, _contract("oms"), write_csv(path, [[{"id": "A", **cells}.get(name, "") for name in HEADER]], HEADER))
        row = lake.cursor().execute(f"SELECT {columns} FROM lake.orders").fetchone()
        assert row is not None
        return tuple(row)


def test_newest_as_of_wins_even_when_it_came_first(place: Path) -> None:
    assert _one(place, (5, {"city": "new"}), (4, {"city": "old"}), columns="city") == ("new",)


def test_a_null_never_erases(place: Path) -> None:
    assert _one(place, (4, {"city": "Wuhan"}), (5, {}), columns="city") == ("Wuhan",)


def test_a_withdrawn_word_erases_what_is_older_only(place: Path) -> None:
    assert _one(place, (5, {"city": "GONE"}), (4, {"city": "old"}), columns="city") == (None,)
    newer = place / "newer"
    newer.mkdir()
    assert _one(newer, (5, {"city": "GONE"}), (6, {"city": "new"}), columns="city") == ("new",)


def test_a_measured_instant_beats_an_earlier_inferred_one(place: Path) -> None:
    found = _one(
        place,
        (4, {"status": "sent"}),
        (5, {"shipped": "2026-01-02 08:00:00"}),
        columns="shipped_at::VARCHAR, inferred_milestones",
    )
    assert found == ("2026-01-02 08:00:00+00", 0)


def test_among_inferred_instants_the_earliest_sighting_wins(place: Path) -> None:
    found = _one(
        place, (6, {"status": "sent"}), (4, {"status": "sent"}), columns="shipped_at::VARCHAR, inferred_milestones, status"
    )
    assert found == ("2026-02-01 04:00:00+00", MILESTONE_BIT["shipped"], "shipped")


def test_status_follows_from_milestones_not_from_the_last_word(place: Path) -> None:
    assert _one(place, (4, {"delivered": "2026-01-03 08:00:00"}), (5, {"status": "sent"}), columns="status") == ("delivered",)


def test_an_impossible_pair_is_flagged_and_the_order_kept(place: Path) -> None:
    cells = {"created": "2026-01-01 09:00:00", "shipped": "2026-01-02 08:00:00", "delivered": "2026-01-01 20:00:00"}
    (mask,) = _one(place, (4, cells), columns="impossible_milestones")
    assert mask == MILESTONE_BIT["shipped"] | MILESTONE_BIT["delivered"]
