"""Where order numbers lie: nothing that is in the lake is looked for where it is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from data.lake import Lake
from data.numbers import Numbers, in_small_letters
from tests.data.intake import contract_of, home, take_in, write_csv

HEADER = ("id", "created", "other", "city")
HOUR = timedelta(hours=1)


def noon(day: int) -> datetime:
    """An instant of January."""
    return datetime(2026, 1, day, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def numbers(tmp_path_factory: pytest.TempPathFactory) -> Numbers:
    """Of five orders of January, then a sixth that is older and one row without a creation."""
    folder = tmp_path_factory.mktemp("numbers")
    columns = {"order_id": "id", "channel": "'web'", "created_at": "created", "source_order_ids": "other", "city": "city"}
    contract = contract_of(columns=columns)
    rows = [(f"N{day}", f"2026-01-0{day} 12:10:00", "", "Wuhan" if day < 3 else "") for day in range(1, 6)]
    later = [("M1", "2025-12-30 12:00:00", "X9", "Éu"), ("N3", "", "", "")]
    with Lake.open_writer(home(folder)) as lake:
        take_in(lake, contract, write_csv(folder / "a_20260131T000000.csv", rows, HEADER))
        cursor = lake.cursor()
        first = Numbers.read(cursor, lake.newest_version())
        take_in(lake, contract, write_csv(folder / "b_20260201T000000.csv", later, HEADER))
        version = lake.newest_version()
        changed = "SELECT * FROM lake.orders WHERE snapshot_id > 1"
        cursor.execute(f"CREATE OR REPLACE TEMP TABLE changed AS {changed}")
        found = first.with_changes(cursor, version, 1)
        for name, orders in (("orders", "orders"), ("cities", "cities"), ("rows", "rows")):
            anew = getattr(Numbers.read(cursor, version), orders)
            assert getattr(found, name).sort(anew.columns).equals(anew.sort(anew.columns))
        return found


def test_a_number_is_looked_for_in_the_hours_that_may_hold_it(numbers: Numbers) -> None:
    reach = numbers.reach_of("web", "N2")
    assert reach is not None
    assert (reach.first, reach.end) == (noon(2), noon(2) + HOUR)
    assert numbers.reach_of("web", "N9") is None
    assert numbers.reach_of("desk", "N2") is None
    rows = numbers.rows_of("web", "N3")
    assert rows.dated is not None
    assert (rows.dated.first, rows.undated) == (noon(3), (2, 2))
    assert numbers.rows_of("web", "N4").undated is None


def test_a_text_is_looked_for_in_the_columns_that_may_begin_with_it(numbers: Numbers) -> None:
    others = noon(30).replace(year=2025, month=12)
    for text, columns, first, end in (
        ("N4", ("order_id", "source_order_ids"), others, noon(4) + HOUR),
        ("N", ("order_id", "source_order_ids"), others, noon(5) + HOUR),
        ("wUH", ("source_order_ids", "city"), others, noon(2) + HOUR),
        ("X9", ("source_order_ids",), others, others + HOUR),
        ("É", ("source_order_ids", "city"), others, noon(2) + HOUR),
        ("武", ("source_order_ids",), others, others + HOUR),
    ):
        found = numbers.found(text)
        assert found.reach is not None
        assert (found.columns, found.reach.first, found.reach.end) == (columns, first, end), text


def test_where_no_order_is_nothing_is_found(tmp_path: Path) -> None:
    with Lake.open_writer(home(tmp_path)) as lake:
        numbers = Numbers.read(lake.cursor(), lake.newest_version())
    assert (numbers.found("N").columns, numbers.found("N").reach, numbers.reach_of("web", "N")) == ((), None, None)


def test_letters_are_made_small_as_the_engine_makes_them() -> None:
    signs = [
        sign for sign in map(chr, range(1, 0x20000, 3)) if not 0xD800 <= ord(sign) < 0xE000 and in_small_letters(sign) is not None
    ]
    (small,) = duckdb.execute("SELECT list_transform($1, s -> lower(s))", [signs]).fetchone() or ([],)
    assert [(a, b) for a, b in zip(map(in_small_letters, signs), small, strict=True) if a != b] == []
    assert len(signs) > 30_000
