"""Courses of a flow, counted by hand: what is there at each hour's end, and the order-hours spent there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from queries.series import courses

START = datetime(2026, 3, 1, 5, 20, tzinfo=UTC)
FIRST = datetime(2026, 3, 1, 5, tzinfo=UTC)
AS_OF = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)


def row(place: str | None, hour: int, entered: int, left: int, entered_rest: float, left_rest: float) -> dict[str, object]:
    """What entered and left in an hour, and the hours that remained of it for each, summed."""
    return {
        "place": place,
        "bucket_at": FIRST + timedelta(hours=hour),
        "entered_count": entered,
        "left_count": left,
        "entered_rest_seconds": 3600 * entered_rest,
        "left_rest_seconds": 3600 * left_rest,
    }


def test_levels_and_order_hours_are_those_counted_by_hand() -> None:
    rows = pl.DataFrame(
        [
            row("A", -2, 3, 0, 0, 0),  # three were there before
            row("A", 0, 2, 1, 1.0, 0.25),  # 40 min of the hour are looked at; two enter, each with half an hour left; one leaves
            row(None, 1, 1, 0, 0.5, 0),
            row("A", 3, 0, 4, 0, 3.5),  # the last hour is only half known: four leave with 3.5 h of it left
        ]
    )
    found = courses(rows, ("place",), START, AS_OF)
    assert list(found) == [("A",), (None,)]
    assert found["A",].level.tolist() == [4, 4, 4, 0]
    assert found["A",].hours.tolist() == pytest.approx([3 * 2 / 3 + 1.0 - 0.25, 4, 4, 4 - 3.5])
    assert found[None,].entered.tolist() == [0, 1, 0, 0]
    assert found[None,].level.tolist() == [0, 1, 1, 1]
    assert found[None,].hours.tolist() == [0, 0.5, 1, 0.5]
    assert found["A",].starts[0] == FIRST
    assert found["A",].passed == 0.5
    assert len(found["A",].starts) == 4


def test_rows_told_apart_by_more_are_added_up() -> None:
    rows = pl.DataFrame([row(place, hour, 2 + hour, hour, 1.5, 0.25 * hour) for hour in range(3) for place in ("A", None, "B")])
    rows = rows.with_columns(stage=pl.lit("paid"))
    (whole,) = courses(rows, ("stage",), START, AS_OF).values()
    parts = courses(rows, ("place", "stage"), START, AS_OF).values()
    assert whole.level.tolist() == np.sum([part.level for part in parts], axis=0).tolist()
    assert whole.hours.tolist() == np.sum([part.hours for part in parts], axis=0).tolist()


def test_no_rows_are_no_courses() -> None:
    rows = pl.DataFrame([row("A", 0, 1, 0, 0, 0)]).clear()
    assert courses(rows, ("place",), START, AS_OF) == {}
