"""Headers, refused rows with their line and reason, and files that are refused whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from config import Settings, read_settings
from data.ingest import Report, ingest
from data.keys import read_keys
from data.lake import Lake
from data.personal import unseal_row
from tests.data.intake import HEADER, NOW, contract_of, home, table, take_in, write_csv

GOOD = ("1", "2026-01-01 08:00:00", "12.50", "2026-01-02 08:00:00", "")
NAME = "orders_20260201T000000.csv"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return home(tmp_path)


@pytest.fixture
def lake(settings: Settings) -> Iterator[Lake]:
    with Lake.open_writer(settings) as opened:
        yield opened


def take(lake: Lake, folder: Path, text: str, **changes: Any) -> Report:
    path = folder / NAME
    path.write_text(text, encoding="utf-8")
    return take_in(lake, contract_of(**changes), path)


def quarantine(lake: Lake) -> list[tuple[Any, ...]]:
    return lake.cursor().execute("SELECT line, column_name, value, reason FROM lake.quarantine ORDER BY line").fetchall()


def test_a_missing_column_refuses_the_file_and_names_the_nearest(lake: Lake, tmp_path: Path) -> None:
    """F08, F09: the last good data stays."""
    take(lake, tmp_path, "id,created,amount,shipped,delivered\n1,2026-01-01 08:00:00,1,,\n")
    before = table(lake)
    report = take(lake, tmp_path, "id,created_on,amount,shipped,delivered\n1,2026-01-01 08:00:00,2,,\n")
    assert (report.state, table(lake)) == ("refused", before)
    assert report.reason.endswith(
        "column 'created', which columns.created_at needs, is not in the header: did you mean 'created_on'?"
    )


def test_extra_and_reordered_columns_give_the_same_table(tmp_path: Path) -> None:
    """F10, F11."""
    row = dict(zip(HEADER, GOOD, strict=True))
    tables = []
    for number, header in enumerate([HEADER, tuple(reversed(HEADER)), ("note", *HEADER, "x")]):
        path = write_csv(tmp_path / NAME, [[row.get(name, "?") for name in header]], header)
        with Lake.open_writer(read_settings({}, home=tmp_path / str(number))) as lake:
            report = take_in(lake, contract_of(), path)
            tables.append(table(lake))
        assert ("not used by the contract: note, x" in " ".join(report.notices)) == ("x" in header)
    assert tables[0] == tables[1] == tables[2] != []


def test_refused_rows_name_their_physical_line(lake: Lake, tmp_path: Path) -> None:
    text = (
        'id,created,amount,shipped,delivered\n1,2026-01-01,1,,\n2,2026-01-01,"1\n2",,\n3,2026-01-01,3,,\n4,2026-01-01\n'
        "5,2026-01-01,five,,\n,2026-01-01,6,,\n7,,7,,\n"
    )
    report = take(lake, tmp_path, text, mandatory=["created_at"])
    assert (report.state, report.row_count, report.accepted_count) == ("accepted", 7, 2)
    assert [(line, column, value) for line, column, value, _ in quarantine(lake)] == [
        (3, "amount", "1\n2"),
        (6, "", None),
        (7, "amount", "five"),
        (8, "order_id", None),
        (9, "created_at", None),
    ]


def test_a_row_keeps_its_raw_text_for_a_replay(lake: Lake, tmp_path: Path) -> None:
    take(lake, tmp_path, "id,created,amount,shipped,delivered\n1,2026-01-01,1,,\n2,2026-01-01,x,,\n")
    source, kept = lake.cursor().execute("SELECT source, raw FROM lake.quarantine").fetchone() or ("", "")
    assert (unseal_row(read_keys(lake.settings), kept, source),) == (
        '{"id":"2","created":"2026-01-01","amount":"x","shipped":null,"delivered":null}',
    )


@pytest.mark.parametrize(
    ("check", "value", "reason"),
    [
        ({"min": 0}, "-0.01", "is below 0"),
        ({"min": 0}, "0", None),
        ({"max": 100}, "100.01", "is above 100"),
        ({"max": 100}, "100", None),
        ({"pattern": r"\d+\.\d{2}"}, "1.5", r"does not match \d+\.\d{2}"),
        ({"pattern": r"\d+\.\d{2}"}, "1.50", None),
    ],
)
def test_checks_hold_at_their_limits(lake: Lake, tmp_path: Path, check: dict[str, Any], value: str, reason: str | None) -> None:
    text = f"id,created,amount,shipped,delivered\n0,2026-01-01,10.00,,\n1,2026-01-01,{value},,\n"
    take(lake, tmp_path, text, checks={"amount": check})
    assert [row[3] for row in quarantine(lake)] == ([reason] if reason else [])


@pytest.mark.parametrize("number", ["1.23457E+15", "1E+16", "1.23456789012346e+15"])
def test_a_rounded_order_number_is_refused(lake: Lake, tmp_path: Path, number: str) -> None:
    text = f"id,created,amount,shipped,delivered\n0012345678901234,2026-01-01,1,,\n{number},2026-01-01,1,,\n"
    take(lake, tmp_path, text)
    assert [row[3] for row in quarantine(lake)] == ["was rounded by a spreadsheet: export it as text"]
    assert table(lake)[0][1] == "0012345678901234"


def test_an_instant_up_to_ten_minutes_ahead_passes_and_a_later_one_is_refused(lake: Lake, tmp_path: Path) -> None:
    rows = "1,2026-02-01 00:10:00,1,,\n2,2026-02-01 00:10:01,1,,\n"
    take(lake, tmp_path, f"id,created,amount,shipped,delivered\n{rows}")
    assert [(row[0], row[3]) for row in quarantine(lake)] == [(3, "lies in the future of the snapshot")]


def test_an_unmapped_status_is_refused_with_the_nearest_word(lake: Lake, tmp_path: Path) -> None:
    status = {"expression": "amount", "completed": "delivered", "map": {"*": {"Paid": "paid", "sent": "shipped"}}}
    columns = {"order_id": "id", "channel": "'web'", "created_at": "created"}
    take(
        lake,
        tmp_path,
        "id,created,amount\n1,2026-01-01,PAID\n2,2026-01-01,payed\n3,2026-01-01,zzz\n",
        status=status,
        columns=columns,
    )
    assert quarantine(lake) == [
        (3, "status", "payed", 'is not in the contract\'s status map: did you mean "Paid"?'),
        (4, "status", "zzz", "is not in the contract's status map"),
    ]


def test_a_status_of_another_channel_is_told_from_a_misspelt_one(lake: Lake, tmp_path: Path) -> None:
    status = {"expression": "amount", "completed": "delivered", "map": {"web": {"Paid": "paid"}, "store": {"New": "created"}}}
    text = "id,created,amount\n1,2026-01-01,Paid\n2,2026-01-01,new\n"
    take(lake, tmp_path, text, status=status, columns={"order_id": "id", "channel": "'web'", "created_at": "created"})
    reason = "is not in the contract's status map: it is mapped for other channels, not for this row's"
    assert quarantine(lake) == [(3, "status", "new", reason)]


@pytest.mark.parametrize(("bad", "state"), [(100, "accepted"), (101, "refused")])
def test_a_file_over_both_limits_is_refused_whole(lake: Lake, tmp_path: Path, bad: int, state: str) -> None:
    """F12: over 1 % and over 100 rows."""
    rows = [(str(n), "2026-01-01", "x" if n < bad else "1", "", "") for n in range(5000)]
    report = take_in(lake, contract_of(), write_csv(tmp_path / NAME, rows))
    assert report.state == state
    assert len(table(lake)) == (5000 - bad if state == "accepted" else 0)


def test_many_bad_rows_pass_while_their_share_is_small(lake: Lake, tmp_path: Path) -> None:
    rows = [(str(n), "2026-01-01", "x" if n < 150 else "1", "", "") for n in range(20_000)]
    assert take_in(lake, contract_of(), write_csv(tmp_path / NAME, rows)).state == "accepted"


def test_a_file_without_one_usable_row_is_refused(lake: Lake, tmp_path: Path) -> None:
    report = take(lake, tmp_path, "id,created,amount,shipped,delivered\n1,never,1,,\n")
    assert report.state == "refused"
    assert "none of 1 rows can be used; first reason: line 2, column created_at: 'never' is not an instant" in report.reason


def test_a_header_alone_is_accepted_and_changes_nothing(lake: Lake, tmp_path: Path) -> None:
    """F25."""
    take_in(lake, contract_of(), write_csv(tmp_path / "orders_20260131T000000.csv", [GOOD]))
    before = table(lake)
    report = take(lake, tmp_path, "id,created,amount,shipped,delivered\n")
    assert (report.state, report.row_count, report.reason) == ("accepted", 0, "the file holds no rows")
    assert table(lake) == before


def test_a_parquet_file_with_a_zeroed_page_is_refused(lake: Lake, tmp_path: Path) -> None:
    """F05: `count(*)` of such a file passes from its metadata, so the intake reads every value."""
    path = tmp_path / "orders_20260201T000000.parquet"
    duckdb.execute(
        "COPY (SELECT 'A' || hash(range) AS id, '2026-01-01' AS created, '1' AS amount, NULL::VARCHAR AS shipped, "
        f"NULL::VARCHAR AS delivered FROM range(50000)) TO '{path}' (FORMAT parquet)"
    )
    whole = bytearray(path.read_bytes())
    whole[2000:8000] = bytes(6000)
    path.write_bytes(whole)
    assert duckdb.execute(f"SELECT count(*) FROM '{path}'").fetchone() == (50_000,)
    report = take_in(lake, contract_of(reader={"format": "parquet", "path": "*.parquet"}), path)
    assert (report.state, table(lake)) == ("refused", [])


def test_the_same_order_number_in_two_channels_is_two_orders(lake: Lake, tmp_path: Path) -> None:
    """F13."""
    columns = {"order_id": "id", "channel": "amount", "created_at": "created"}
    take(lake, tmp_path, "id,created,amount\n1,2026-01-01,tmall\n1,2026-01-01,jd\n", columns=columns)
    assert [row[:2] for row in table(lake)] == [("jd", "1"), ("tmall", "1")]


def test_an_expression_that_is_no_sql_refuses_the_file_with_the_reason(lake: Lake, tmp_path: Path) -> None:
    columns = {"order_id": "id", "channel": "'web'", "created_at": "created", "amount": "no_such_function(amount)"}
    report = take(lake, tmp_path, "id,created,amount\n1,2026-01-01,1\n", columns=columns)
    assert report.state == "refused"
    assert "no_such_function" in report.reason


def test_a_file_several_times_the_memory_comes_in_whole(tmp_path: Path) -> None:
    """F19, in small: 480 MB of text under a limit of 160 MB."""
    path, rows = tmp_path / NAME, 400_000
    values = "'A' || range AS id, '2026-01-01 08:00:00' AS created, range % 1000 AS amount, '' AS shipped"
    duckdb.execute(f"COPY (SELECT {values}, repeat(md5(range::VARCHAR), 36) AS note FROM range({rows})) TO '{path}' (HEADER)")
    assert path.stat().st_size > 460_000_000
    columns = {"order_id": "id", "channel": "'web'", "created_at": "created", "amount": "amount", "city": "left(note, 8)"}
    with Lake.open_writer(read_settings({}, home=tmp_path / "home", memory_limit="160MB", threads=2)) as lake:
        report = ingest(lake, contract_of(columns=columns), (path,), now=NOW)
        assert (report.state, report.accepted_count) == ("accepted", rows), report.reason
        assert lake.cursor().execute("SELECT count(*) FROM lake.orders").fetchone() == (rows,)
