"""From text to canonical values: expressions, instants and numbers; what can't be read refuses its row, not its file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from data.sources import open_rows
from data.validate import STAGED, stage
from tests.data.intake import NOW, contract_of, write_csv

Outcome = tuple[str | None, str]


def outcome(folder: Path, column: str, expression: str, values: dict[str, str], **changes: Any) -> Outcome:
    """What becomes of one row beside an empty one: the canonical value (as text, in UTC), or the reason of its refusal."""
    columns = {"order_id": "id", "channel": "'web'", column: expression}
    contract = contract_of(**({"columns": columns} | changes))
    path = write_csv(folder / "a.csv", [["1", *values.values()], ["2", *([""] * len(values))]], ["id", *values])
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        staged = stage(
            connection, contract, open_rows(connection, path, contract.reader, folder), as_of=NOW, now=NOW, name="a.csv"
        )
        row = connection.execute(f"SELECT {column}::VARCHAR FROM {STAGED} WHERE order_id = '1'").fetchone()
    assert row is not None
    assert [refusal.line for refusal in staged.refusals] in ([], [2])
    return row[0], (staged.refusals[0].reason if staged.refusals else "")


@pytest.mark.parametrize(
    ("expression", "values", "amount"),
    [
        ("amount_cents::DECIMAL(18,2) / 100", {"amount_cents": "1250"}, "12.5000"),
        ("CAST(a AS DECIMAL(18,2)) * CAST(b AS DECIMAL(18,2))", {"a": "2", "b": "3.5"}, "7.0000"),
        ("replace(a, ',', '.')", {"a": "12,50"}, "12.5000"),
        ("replace(replace(a, '.', ''), ',', '.')", {"a": "1.212,50"}, "1212.5000"),
        ("ltrim(a, '$')", {"a": "$8"}, "8.0000"),
        ("a", {"a": "-3.1"}, "-3.1000"),
        ("9.99", {"a": "x"}, "9.9900"),
        ("CASE WHEN a = 'gift' THEN 0 ELSE b::DECIMAL(18,2) END", {"a": "gift", "b": "5"}, "0.0000"),
        ("coalesce(a, b)", {"a": "", "b": "5"}, "5.0000"),
    ],
)
def test_an_expression_computes_the_value(tmp_path: Path, expression: str, values: dict[str, str], amount: str) -> None:
    assert outcome(tmp_path, "amount", expression, values) == (amount, "")


@pytest.mark.parametrize(
    ("expression", "values"),
    [
        ("amount_cents::DECIMAL(18,2) / 100", {"amount_cents": "12 yuan"}),
        ("CAST(a AS DECIMAL(18,2)) * CAST(b AS DECIMAL(18,2))", {"a": "2", "b": "x"}),
        ("a", {"a": "1,250.00"}),
        ("a", {"a": "12.5.0"}),
        ("a", {"a": "NaN"}),
        ("a", {"a": "inf"}),
        ("a", {"a": "1e309"}),
        ("a", {"a": "¥12"}),
        ("round(a::DOUBLE, 2)", {"a": "abc"}),
        ("a::INTEGER", {"a": "99999999999"}),
    ],
)
def test_an_amount_that_cannot_be_read_refuses_its_row(tmp_path: Path, expression: str, values: dict[str, str]) -> None:
    value, reason = outcome(tmp_path, "amount", expression, values)
    assert (value, reason.startswith("is not an amount")) == (None, True)


@pytest.mark.parametrize(("text", "count"), [("3", "3"), (" 3 ", "3"), ("3.0", "3"), ("0", "0"), ("1e2", "100")])
def test_a_whole_number_is_read(tmp_path: Path, text: str, count: str) -> None:
    assert outcome(tmp_path, "line_count", "n", {"n": text}) == (count, "")


@pytest.mark.parametrize("text", ["12.5", "1,250", "three", "NaN", "inf", "1e30", "0x10", "--1", "9223372036854775808"])
def test_what_is_no_whole_number_refuses_its_row(tmp_path: Path, text: str) -> None:
    assert outcome(tmp_path, "line_count", "n", {"n": text})[1].startswith("is not a whole number")


def test_a_large_whole_number_keeps_its_digits(tmp_path: Path) -> None:
    assert outcome(tmp_path, "line_count", "n", {"n": "9007199254740993"}) == ("9007199254740993", "")


def test_a_thousands_separator_is_named_as_the_reason(tmp_path: Path) -> None:
    value, reason = outcome(tmp_path, "amount", "a", {"a": "1,250.00"})
    assert (value, reason) == (
        None,
        "is not an amount: write it without thousands separators, or replace(…) them in the contract",
    )


INSTANTS = {
    "2026-01-05T10:00:00Z": "2026-01-05 10:00:00+00",
    "2026-01-05 10:00:00+08:00": "2026-01-05 02:00:00+00",
    "2026-01-05 10:00:00 +0800": "2026-01-05 02:00:00+00",
    "2026-01-05 10:00:00-03": "2026-01-05 13:00:00+00",
    "2026-01-05 10:00:00 UTC": "2026-01-05 10:00:00+00",
    "2026-01-05T10:00:00.123456Z": "2026-01-05 10:00:00.123+00",
    "2026-01-05 10:00:00": "2026-01-05 02:00:00+00",
    "2026-01-05 10:00": "2026-01-05 02:00:00+00",
    "2026-01-05T10:00": "2026-01-05 02:00:00+00",
    "2026-01-05": "2026-01-04 16:00:00+00",
    "2026/01/05 10:00:00": "2026-01-05 02:00:00+00",
    "2026-1-5 9:05:00": "2026-01-05 01:05:00+00",
    "2026-01-05 10:00:00.5": "2026-01-05 02:00:00.5+00",
    "2026-01-05T10:00:00+0000": "2026-01-05 10:00:00+00",
    "2026-01-05T10:00Z": "2026-01-05 10:00:00+00",
    "2026-01-05T10:00+08:00": "2026-01-05 02:00:00+00",
}


@pytest.mark.parametrize(("text", "instant"), INSTANTS.items())
def test_an_offset_counts_and_a_naive_instant_takes_the_contracts_zone(tmp_path: Path, text: str, instant: str) -> None:
    assert outcome(tmp_path, "paid_at", "t", {"t": text}, time_zone="Asia/Shanghai") == (instant, "")


@pytest.mark.parametrize(
    "text",
    [
        "05.01.2026",
        "2026-13-01",
        "2026-02-30",
        "yesterday",
        "20260105",
        "1767580800",
        "10:00",
        "45292",
        "0000-00-00",
        "inf",
        "2026-01-05 25:00:00",
    ],
)
def test_what_is_no_instant_refuses_its_row(tmp_path: Path, text: str) -> None:
    assert outcome(tmp_path, "paid_at", "t", {"t": text})[1].startswith("is not an instant")


@pytest.mark.parametrize(
    ("formats", "text", "instant"),
    [
        (["%d/%m/%Y %H:%M"], "05/01/2026 10:00", "2026-01-05 02:00:00+00"),
        (["%m/%d/%Y"], "01/05/2026", "2026-01-04 16:00:00+00"),
        (["%d.%m.%Y %H:%M:%S", "%d.%m.%Y"], "05.01.2026", "2026-01-04 16:00:00+00"),
        (["%Y%m%d%H%M%S"], "20260105100000", "2026-01-05 02:00:00+00"),
        (["%Y年%m月%d日 %H:%M"], "2026年01月05日 10:00", "2026-01-05 02:00:00+00"),
        (["%d/%m/%Y %H:%M %z"], "05/01/2026 10:00 +0300", "2026-01-05 07:00:00+00"),
        (["%d/%m/%Y %H:%M %z", "%d/%m/%Y %H:%M"], "05/01/2026 10:00", "2026-01-05 02:00:00+00"),
        (["epoch_seconds"], "1767578400", "2026-01-05 02:00:00+00"),
        (["epoch_milliseconds"], "1767578400123", "2026-01-05 02:00:00.123+00"),
        (["excel"], "46027.416666666664", "2026-01-05 02:00:00+00"),
        (["excel"], "60", None),
        (["%d/%m/%Y", "excel"], "46027", "2026-01-04 16:00:00+00"),
        (["%d/%m/%Y"], "2026-01-05", None),
    ],
)
def test_a_contract_names_the_formats_of_its_instants(tmp_path: Path, formats: list[str], text: str, instant: str | None) -> None:
    value, reason = outcome(tmp_path, "paid_at", "t", {"t": text}, instant_formats=formats, time_zone="Asia/Shanghai")
    assert value == instant
    assert bool(reason) == (instant is None)


@pytest.mark.parametrize(
    ("expression", "type_"),
    [
        ("t::INT::DECIMAL(18,2)", "amount"),
        ("t::INT + t::INT", "amount"),
        ("(t::DECIMAL(18,2)::INT)::VARCHAR", "city"),
        ("'No. ' || t::INT::VARCHAR", "city"),
        ("strptime(t::INT::VARCHAR, '%Y%m%d')", "paid_at"),
        ("t ->> '$.price'", "amount"),
        ("(t ->> '$.city') || (t ->> '$.city')", "city"),
        ("list_sum(json_extract(t, '$[*].qty')::INT[])", "quantity"),
    ],
)
@pytest.mark.parametrize("text", ["x", '{"a": ', "99999999999"])
def test_what_cannot_be_worked_out_refuses_its_row_only(tmp_path: Path, expression: str, type_: str, text: str) -> None:
    if "json" in expression or "->>" in expression:
        text = text.replace("99999999999", "nul")
    value, reason = outcome(tmp_path, type_, expression, {"t": text})
    assert value is None
    assert reason


@pytest.mark.parametrize(
    ("text", "formats"),
    [
        ("0", ["epoch_milliseconds"]),
        ("0.0", ["epoch_milliseconds"]),
        ("0", ["epoch_seconds"]),
        ("0000-00-00 00:00:00", []),
        ("1970-01-01 08:00:00", []),
        ("1900-01-01T00:00:00Z", []),
        ("0001-01-01", []),
    ],
)
def test_a_date_by_which_a_system_means_nothing_yet_is_no_instant(tmp_path: Path, text: str, formats: list[str]) -> None:
    value, reason = outcome(tmp_path, "paid_at", "t", {"t": text}, instant_formats=formats)
    assert (value, reason) == (
        None,
        f"is not an instant of an order: where it means «nothing yet», write nullif(column, '{text}')",
    )
    assert outcome(tmp_path, "paid_at", f"nullif(t, '{text}')", {"t": text}, instant_formats=formats) == (None, "")


@pytest.mark.parametrize(
    ("expression", "values"),
    [
        ("d || ' ' || t", {"d": "2026-01-05", "t": "10:00:00"}),
        ("concat_ws(' ', d, t)", {"d": "2026-01-05", "t": "10:00"}),
        ("strptime(d, '%d/%m/%Y %H:%M')", {"d": "05/01/2026 10:00"}),
        ("strptime(d || t, '%Y%m%d%H%M')", {"d": "20260105", "t": "1000"}),
        ("d::TIMESTAMP + INTERVAL 10 HOUR", {"d": "2026-01-05"}),
        ("to_timestamp(e::BIGINT)", {"e": "1767578400"}),
        ("make_timestamp(e::BIGINT * 1000) + INTERVAL 8 HOUR", {"e": "1767578400000"}),
    ],
)
def test_split_and_strange_instants_are_one_expression(tmp_path: Path, expression: str, values: dict[str, str]) -> None:
    got = outcome(tmp_path, "paid_at", expression, values, time_zone="Asia/Shanghai")
    assert got == ("2026-01-05 02:00:00+00", "")


@pytest.mark.parametrize(
    ("expression", "values"),
    [
        ("d || ' ' || t", {"d": "2026-01-05", "t": "noon"}),
        ("strptime(d, '%d/%m/%Y')", {"d": "2026-01-05"}),
        ("d::TIMESTAMP", {"d": "soon"}),
    ],
)
def test_an_instant_expression_that_fails_refuses_its_row(tmp_path: Path, expression: str, values: dict[str, str]) -> None:
    assert outcome(tmp_path, "paid_at", expression, values)[1].startswith("is not an instant")


@pytest.mark.parametrize(
    ("zone", "text", "instant"),
    [
        ("Europe/Berlin", "2026-03-29 01:59:59", "2026-03-29 00:59:59+00"),
        ("Europe/Berlin", "2026-03-29 02:30:00", "2026-03-29 01:30:00+00"),
        ("Europe/Berlin", "2026-03-29 03:00:00", "2026-03-29 01:00:00+00"),
        ("Europe/Berlin", "2025-10-26 02:30:00", "2025-10-26 00:30:00+00"),
        ("America/Sao_Paulo", "2018-11-04 00:30:00", "2018-11-04 03:30:00+00"),
        ("Asia/Kolkata", "2026-01-05 10:00:00", "2026-01-05 04:30:00+00"),
    ],
)
def test_naive_instants_cross_daylight_saving(tmp_path: Path, zone: str, text: str, instant: str) -> None:
    assert outcome(tmp_path, "promised_at", "t", {"t": text}, time_zone=zone) == (instant, "")


@pytest.mark.parametrize(
    ("text", "instant"),
    [("2026-01-05", "2026-01-05 15:59:59.999+00"), ("2026-01-05 00:00:00", "2026-01-05 15:59:59.999+00")],
)
def test_a_day_promise_lasts_until_the_end_of_that_day_in_the_zone(tmp_path: Path, text: str, instant: str) -> None:
    got = outcome(tmp_path, "promised_at", "t", {"t": text}, time_zone="Asia/Shanghai", promise="day")
    assert got == (instant, "")


@pytest.mark.parametrize(
    "text", ["<img src=x onerror=alert(1)>", '"><svg onload=alert(1)>', "=1+1", "'; DROP TABLE orders; --", "上海 ☂"]
)
def test_hostile_text_is_kept_as_text(tmp_path: Path, text: str) -> None:
    assert outcome(tmp_path, "city", "c", {"c": text}) == (text, "")


@pytest.mark.parametrize(("word", "value"), [("NULL", None), ("-", None), ("", None), ("null", "null"), ("x", "x")])
def test_null_words_are_nothing(tmp_path: Path, word: str, value: str | None) -> None:
    assert outcome(tmp_path, "city", "c", {"c": word}, null_words=["NULL", "-"]) == (value, "")


def test_null_words_hold_inside_expressions_too(tmp_path: Path) -> None:
    got = outcome(tmp_path, "amount", "a::DECIMAL(18,2) / 100", {"a": "NULL"}, null_words=["NULL"])
    assert got == (None, "")


def test_a_tolerated_column_becomes_null_instead_of_refusing_the_row(tmp_path: Path) -> None:
    assert outcome(tmp_path, "latitude", "x", {"x": "north"}, tolerate=["latitude"]) == (None, "")


def test_column_names_with_spaces_and_signs_are_quoted(tmp_path: Path) -> None:
    assert outcome(tmp_path, "city", '"Shipping City (收货)"', {"Shipping City (收货)": "Köln"}) == ("Köln", "")


def test_a_column_may_be_named_in_other_capitals(tmp_path: Path) -> None:
    assert outcome(tmp_path, "city", "SHIP_CITY", {"Ship_City": "Köln"}) == ("Köln", "")
