"""After compaction every filter finds what is there, whatever the packaged lake forgets of its columns' bounds."""

from __future__ import annotations

from pathlib import Path

from data.bounds import heal_bounds, wrong_bounds
from data.lake import Lake
from data.maintain import compact
from tests.data.intake import home

OLDER = "SELECT count(*) FROM lake.orders WHERE delivered_at < TIMESTAMPTZ '2026-11-10 00:00:00+00'"


def _insert(lake: Lake, month: int, day: int, *, is_delivered: bool = True) -> None:
    at = f"2026-{month}-{day:02d}"
    delivered = f"TIMESTAMPTZ '{at} 10:00:00+00'" if is_delivered else "NULL"
    lake.writer().execute(
        "INSERT INTO lake.orders (channel, order_id, created_at, delivered_at) "
        f"SELECT 'web', '{at}-' || number, TIMESTAMPTZ '{at} 00:00:00+00', {delivered} FROM range(5) AS rows (number)"
    )


def _forgetful(lake: Lake) -> None:
    """Two months, one with a file that holds only undelivered orders, and deletions that make a rewrite worth it."""
    _insert(lake, 10, 3)
    _insert(lake, 11, 5)
    _insert(lake, 10, 13, is_delivered=False)
    lake.writer().execute("DELETE FROM lake.orders WHERE order_id IN ('2026-10-03-1', '2026-11-05-1')")


def test_compaction_leaves_bounds_that_hold_every_value(tmp_path: Path) -> None:
    with Lake.open_writer(home(tmp_path)) as lake:
        _forgetful(lake)
        compact(lake)
        assert wrong_bounds(lake) == []
        _insert(lake, 11, 20)
        assert lake.cursor().execute(OLDER).fetchall() == [(8,)]


def test_bounds_forgotten_by_a_rewrite_are_found_and_healed(tmp_path: Path) -> None:
    with Lake.open_writer(home(tmp_path)) as lake:
        _forgetful(lake)
        lake.writer().execute("CALL ducklake_rewrite_data_files('lake', 'orders', delete_threshold => 0.0)")
        _insert(lake, 11, 20)
        assert lake.cursor().execute(OLDER).fetchall() == [(0,)], "the lake has learnt to remember: data/bounds.py can go"
        assert heal_bounds(lake) == 1
        assert lake.cursor().execute(OLDER).fetchall() == [(8,)]
