"""Answers as text: nothing rounded in JSON and CSV, unknown is null, nothing in the data is run."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

import polars as pl
import pytest

from queries.present import notes, present, safe_text
from queries.query import Query, QueryError

FRAME = pl.DataFrame(
    {
        "region": ["CN-EAST", None, "=1+1"],
        "bucket_at": [datetime(2026, 3, 1, 16, tzinfo=UTC), datetime(2026, 3, 1, 0, 0, 0, 5000, tzinfo=UTC), None],
        "on_time_rate": [0.1 + 0.2, float("nan"), None],
        "on_time_rate_n": [3, 0, 12345678901],
    }
)


def test_json_is_one_array_of_flat_objects_unrounded() -> None:
    assert json.loads(present(FRAME, "json")) == [
        {"region": "CN-EAST", "bucket_at": "2026-03-01T16:00:00.000Z", "on_time_rate": 0.30000000000000004, "on_time_rate_n": 3},
        {"region": None, "bucket_at": "2026-03-01T00:00:00.005Z", "on_time_rate": None, "on_time_rate_n": 0},
        {"region": "=1+1", "bucket_at": None, "on_time_rate": None, "on_time_rate_n": 12345678901},
    ]


def test_no_rows_are_an_empty_array() -> None:
    assert json.loads(present(FRAME.clear(), "json")) == []


def test_csv_leaves_unknown_empty_and_defuses_formulas() -> None:
    assert present(FRAME, "csv").splitlines() == [
        "region,bucket_at,on_time_rate,on_time_rate_n",
        "CN-EAST,2026-03-01T16:00:00.000Z,0.30000000000000004,3",
        ",2026-03-01T00:00:00.005Z,,0",
        "'=1+1,,,12345678901",
    ]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "＝", "＋", "－", "＠"])
@pytest.mark.parametrize(
    "before",
    ["", " ", "\t", "\r", "\n", "\r\n", "\xa0", "\u3000", "\u200b", "\ufeff", "\x00", "\x0b", "\u202e", "'", '"', ";", " ,"],
)
def test_nothing_before_a_formula_lets_it_run(before: str, start: str) -> None:
    assert safe_text(f"{before}{start}cmd|' /C calc'!A0") == f"'{before}{start}cmd|' /C calc'!A0"


@pytest.mark.parametrize("text", ["", " ", "WH-SHA", "a=b", "3-4", "x@y", "' quoted'", "上海+江苏", "'"])
def test_text_that_is_no_formula_stays_as_it_is(text: str) -> None:
    assert safe_text(text) == text


def test_negative_numbers_in_csv_stay_numbers() -> None:
    assert present(pl.DataFrame({"x": [-1.5]}), "csv") == "x\n-1.5\n"


def test_a_table_lines_up_wide_characters_and_hides_control_characters() -> None:
    frame = pl.DataFrame({"city": ["武汉", "a\x1b[31m"], "n": [1, 22]})
    assert present(frame, "table") == "city     n\n------  --\n武汉     1\na�[31m  22\n"


def test_money_is_a_number() -> None:
    frame = pl.DataFrame({"x": [Decimal("10.2500"), Decimal("3.0000")]})
    assert json.loads(present(frame, "json")) == [{"x": 10.25}, {"x": 3}]


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(QueryError, match="use table, json or csv"):
        present(FRAME, "yaml")


def test_an_empty_amount_is_explained() -> None:
    frame = pl.DataFrame({"order_amount": [None]}, schema={"order_amount": pl.Float64})
    assert notes(frame, Query(metrics=("order_amount",))) == [
        "order_amount is null where a group is empty or mixes currencies: add --by currency"
    ]
    assert notes(frame, Query(metrics=("order_amount",), by=("currency",))) == []
