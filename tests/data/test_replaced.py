"""A file read again under a corrected contract: the correction counts, whatever the first reading said."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from data.keys import read_keys
from data.lake import Lake
from data.maintain import check_counts
from data.personal import SEALED_SUFFIX, seal_file
from data.recent import Recent
from data.replay import list_quarantine, replay
from tests.data.intake import NOW, PLAIN, contract_of, home, table, take_in, write_csv

ROWS = (
    ("A", "2026-01-01 08:00:00", "1250", "2026-01-02 08:00:00", "2026-01-03 08:00:00"),
    ("B", "2026-01-01 09:00:00", "300", "", ""),
)
COLUMNS: dict[str, str] = PLAIN["columns"]
CENTS = {"amount": "amount::DECIMAL(18,2) / 100"}


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Lake]:
    with Lake.open_writer(home(tmp_path)) as opened:
        yield opened


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    return write_csv(tmp_path / "orders_20260201T000000.csv", ROWS)


def _read(lake: Lake, sql: str) -> list[tuple[Any, ...]]:
    return lake.cursor().execute(sql).fetchall()


def _columns(**changes: str | None) -> dict[str, str]:
    return {name: text for name, text in (COLUMNS | changes).items() if text is not None}


def _fresh(folder: Path, path: Path, **changes: Any) -> list[tuple[Any, ...]]:
    """The table of a lake that knows the corrected contract only."""
    folder.mkdir()
    with Lake.open_writer(home(folder)) as lake:
        take_in(lake, contract_of(**changes), path)
        return table(lake)


CORRECTIONS = {
    "a value": {"columns": _columns(**CENTS)},
    "a column taken out": {"columns": _columns(delivered_at=None)},
    "another column": {"columns": _columns(shipped_at=None, packed_at="shipped")},
    "another channel": {"columns": _columns(channel="'shop'")},
    "the time zone": {"time_zone": "Asia/Shanghai"},
    "the time zone, the newest instant being the as-of": {"time_zone": "Asia/Shanghai", "as_of": {"from": "newest"}},
    "another as-of": {"as_of": {"from": "constant", "value": "2026-01-15T00:00:00Z"}},
    "a lower priority": {"columns": _columns(**CENTS), "priority": 10},
    "fewer rows": {"rows": "SELECT * FROM file WHERE id = 'B'"},
}


@pytest.mark.parametrize("changes", CORRECTIONS.values(), ids=CORRECTIONS.keys())
def test_a_corrected_contract_gives_what_it_would_have_given_at_first(
    lake: Lake, orders: Path, tmp_path: Path, changes: dict[str, Any]
) -> None:
    first = {"as_of": {"from": "newest"}} if changes.get("as_of") == {"from": "newest"} else {}
    take_in(lake, contract_of(**first), orders)
    report = take_in(lake, contract_of(**changes), orders)
    assert (report.state, report.late) == ("accepted", False)
    assert any("replaces what snapshot 1" in notice for notice in report.notices)
    assert table(lake) == _fresh(tmp_path / "fresh", orders, **changes)
    assert _read(lake, "SELECT state FROM lake.snapshots ORDER BY snapshot_id") == [("replaced",), ("accepted",)]
    assert check_counts(lake) == []


def test_a_correction_can_be_taken_back(lake: Lake, orders: Path) -> None:
    plain, cents = contract_of(), contract_of(columns=_columns(**CENTS))
    for contract in (plain, cents, plain):
        assert take_in(lake, contract, orders).changed_count == 2
    assert take_in(lake, plain, orders).state == "duplicate"
    assert _read(lake, "SELECT amount::INT FROM lake.orders ORDER BY order_id") == [(1250,), (300,)]


def test_a_copy_of_another_name_is_the_same_file_where_it_speaks_of_the_same_instant(lake: Lake, orders: Path) -> None:
    take_in(lake, contract_of(), orders)
    copy = orders.rename(orders.with_name("again_20260201T000000.csv"))
    assert take_in(lake, contract_of(columns=_columns(**CENTS)), copy).changed_count == 2
    assert _read(lake, "SELECT amount::DOUBLE FROM lake.orders ORDER BY order_id") == [(12.5,), (3.0,)]


def test_the_archives_sealed_file_is_the_file_it_was(lake: Lake, orders: Path) -> None:
    as_of = {"from": "file_name", "pattern": r"orders_(\d{8}T\d{6})", "format": "%Y%m%dT%H%M%S", "zone": "Asia/Shanghai"}
    take_in(lake, contract_of(), orders)
    sealed = orders.with_name(f"{orders.name}{SEALED_SUFFIX}")
    seal_file(read_keys(lake.settings), orders, sealed)
    report = take_in(lake, contract_of(as_of=as_of), sealed)
    assert (report.name, report.changed_count) == (orders.name, 0)
    assert _read(lake, "SELECT state FROM lake.snapshots ORDER BY snapshot_id") == [("replaced",), ("accepted",)]


def test_what_other_files_told_stays(lake: Lake, orders: Path, tmp_path: Path) -> None:
    other = write_csv(tmp_path / "orders_20260201T010000.csv", [("A", ROWS[0][1], "", "", "2026-01-04 08:00:00")])
    for path in (orders, other):
        take_in(lake, contract_of(), path)
    take_in(lake, contract_of(columns=_columns(amount=None, shipped_at=None)), orders)
    found = _read(lake, "SELECT order_id, amount, shipped_at, delivered_at::VARCHAR FROM lake.orders ORDER BY order_id")
    assert found == [("A", None, None, "2026-01-04 08:00:00+00"), ("B", None, None, None)]


def test_the_same_content_on_another_day_replaces_nothing(lake: Lake, tmp_path: Path) -> None:
    status = {"expression": "shipped", "completed": "delivered", "map": {"*": {"sent": "shipped"}}}
    columns = {"order_id": "id", "channel": "'web'", "created_at": "created"}
    for day, more in (("01", {}), ("02", {"city": "amount"})):
        path = write_csv(tmp_path / f"orders_202602{day}T000000.csv", [("A", ROWS[0][1], "", "sent", "")])
        take_in(lake, contract_of(columns=columns | more, status=status), path)
    assert _read(lake, "SELECT shipped_at::VARCHAR FROM lake.orders") == [("2026-02-01 00:00:00+00",)]
    assert _read(lake, "SELECT DISTINCT state FROM lake.snapshots") == [("accepted",)]


def test_returns_read_as_orders_at_first_leave_no_order_behind(lake: Lake, orders: Path) -> None:
    take_in(lake, contract_of(), orders)
    returns = {"channel": "'web'", "return_id": "id", "order_id": "amount", "requested_at": "created"}
    take_in(lake, contract_of(kind="returns", columns=returns), orders)
    assert _read(lake, "SELECT order_id, created_at FROM lake.orders ORDER BY ALL") == [("1250", None), ("300", None)]
    take_in(lake, contract_of(), orders)
    assert _read(lake, "SELECT order_id FROM lake.orders ORDER BY ALL") == [("A",), ("B",)]
    assert _read(lake, "SELECT count(*) FROM lake.order_returns") == [(0,)]


def test_a_milestone_only_the_first_reading_knew_no_longer_parts_a_stage(lake: Lake, tmp_path: Path) -> None:
    path = write_csv(
        tmp_path / "orders_20260201T000000.csv", [("A", ROWS[0][1], "", *ROWS[0][3:]), ("B", ROWS[1][1], "new", "", "")]
    )
    columns = _columns(amount=None)
    for meaning in ("paid", "created"):
        status = {"expression": "amount", "completed": "delivered", "map": {"*": {"new": meaning}}}
        take_in(lake, contract_of(columns=columns, status=status), path)
    expected = contract_of(columns=columns).mapped_milestones
    assert _read(lake, "SELECT DISTINCT mapped_milestones FROM lake.orders") == [(expected,)]
    assert _read(lake, "SELECT mapped_milestones FROM lake.channel_milestones") == [(expected,)]


def test_the_quarantine_lists_what_the_newest_reading_refuses(lake: Lake, tmp_path: Path) -> None:
    rows = [*ROWS, ("C", "2026-01-01", "1,000", "", "")]
    path = write_csv(tmp_path / "orders_20260201T000000.csv", rows)
    strict = contract_of(checks={"amount": {"max": 10}})
    plain = contract_of()
    mended = contract_of(columns=_columns(amount="replace(amount, ',', '')"))
    assert take_in(lake, strict, path).state == "refused"
    assert list_quarantine(lake.cursor())["line"].to_list() == [2, 3, 4]
    take_in(lake, plain, path)
    assert list_quarantine(lake.cursor())["line"].to_list() == [4]
    assert [done.report.accepted_count for done in replay(lake, contract_of(columns=_columns(amount=None)), now=NOW)] == [1]
    take_in(lake, mended, path)
    assert list_quarantine(lake.cursor()).is_empty()
    assert _read(lake, "SELECT order_id, amount::INT FROM lake.orders ORDER BY ALL") == [("A", 1250), ("B", 300), ("C", 1000)]
    assert _read(lake, "SELECT count(*) FROM lake.snapshots WHERE state = 'accepted'") == [(1,)]


def test_the_recent_orders_follow_a_correction(lake: Lake, orders: Path) -> None:
    take_in(lake, contract_of(), orders)
    recent, at = Recent(lake), datetime(2026, 1, 4, tzinfo=UTC)
    recent.advance(lake.newest_version(), at)
    take_in(lake, contract_of(columns=_columns(channel="'shop'", **CENTS)), orders)
    recent.advance(lake.newest_version(), at)
    sql = "SELECT channel, order_id, amount::VARCHAR FROM {}.orders ORDER BY ALL"
    assert _read(lake, sql.format("recent")) == _read(lake, sql.format("lake"))
    assert {channel for channel, *_ in _read(lake, sql.format("recent"))} == {"shop"}
