"""Workbooks (F18): dates by format, zeros kept, rounded numbers seen, nothing lost quietly."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter

from data.sources import SourceError
from tests.data.sources.conftest import ReadFile


def workbook(path: Path, rows: Sequence[Sequence[object]], *, formats: dict[int, str] | None = None, **options: object) -> Path:
    """A workbook with one sheet; numbers of a column take the column's format."""
    book = xlsxwriter.Workbook(str(path), options)
    sheet = book.add_worksheet("Orders")
    styles = {column: book.add_format({"num_format": code}) for column, code in (formats or {}).items()}
    for number, row in enumerate(rows):
        for column, value in enumerate(row):
            if value is not None:
                sheet.write(number, column, value, styles.get(column) if number else None)
    book.close()
    return path


@pytest.mark.parametrize(
    ("serial", "code", "text"),
    [
        (45292, "yyyy-mm-dd", "2024-01-01"),
        (45292, "m/d/yy", "2024-01-01"),
        (45292.604166666664, 'yyyy"年"m"月"d"日" hh:mm', "2024-01-01 14:30:00"),
        (45292.000011574, "dd.mm.yyyy hh:mm:ss.000", "2024-01-01 00:00:01"),
        (0.75, "hh:mm", "18:00:00"),
        (59, "yyyy-mm-dd", "1900-02-28"),
        (60, "yyyy-mm-dd", "1900-02-29"),
        (61, "yyyy-mm-dd", "1900-03-01"),
        (45292, "General", "45292"),
        (42, "000000", "000042"),
        (1.5, "[h]:mm", "1.5"),
        (19.99, "#,##0.00 [$¥-804]", "19.99"),
        (0.1 + 0.2, "General", "0.3"),
        (1234567890123456, "0", "1.23456789012346e+15"),
        (123456789012345, "0", "123456789012345"),
    ],
)
def test_a_number_means_what_its_format_says(read_file: ReadFile, tmp_path: Path, serial: float, code: str, text: str) -> None:
    path = workbook(tmp_path / "a.xlsx", [["value"], [serial]], formats={0: code})
    assert read_file(path, format="xlsx").rows == [(text,)]


def test_a_title_above_the_header_is_passed_over(read_file: ReadFile, tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", [["Report of March"], [], ["no", "total"], ["1", 5]])
    read = read_file(path, format="xlsx", skip_rows=1)
    assert (read.columns, read.rows, read.lines) == (("no", "total"), [("1", "5")], [4])


def test_dates_may_count_from_1904(read_file: ReadFile, tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", [["day"], [datetime(2024, 1, 1)]], formats={0: "yyyy-mm-dd"}, date_1904=True)  # noqa: DTZ001
    assert read_file(path, format="xlsx").rows == [("2024-01-01",)]


def test_texts_stay_texts(read_file: ReadFile, tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", [["id", "city"], ["0012345678901234567", " 上海\n浦东 "]], strings_to_numbers=False)
    assert read_file(path, format="xlsx").rows == [("0012345678901234567", " 上海\n浦东 ")]


def test_gaps_booleans_and_faults_keep_their_place(read_file: ReadFile, tmp_path: Path) -> None:
    rows: list[list[object]] = [["a", "b", "c"], [None, True, 1], [], ["x", None, "#N/A"], [None, None, None], ["y"]]
    read = read_file(workbook(tmp_path / "a.xlsx", rows), format="xlsx")
    assert read.rows == [(None, "true", "1"), ("x", None, "#N/A"), ("y", None, None)]
    assert read.lines == [2, 4, 6]


def test_a_cell_beyond_the_header_sets_its_row_apart(read_file: ReadFile, tmp_path: Path) -> None:
    read = read_file(workbook(tmp_path / "a.xlsx", [["a", "b"], [1, 2], [3, 4, 5], [6, 7]]), format="xlsx")
    assert [row[0] for row in read.rows] == ["1", "6"]
    assert [(reject.line, reject.reason) for reject in read.rejects] == [(3, "has more cells than the header")]


def test_every_row_of_a_long_sheet_arrives(read_file: ReadFile, tmp_path: Path) -> None:
    rows: list[list[object]] = [["id", "n"], *([f"A{n}", n] for n in range(20_000))]
    read = read_file(workbook(tmp_path / "a.xlsx", rows, constant_memory=True), format="xlsx")
    assert len(read.rows) == 20_000
    assert read.rows[-1] == ("A19999", "19999")


def test_what_openpyxl_writes_reads_the_same(read_file: ReadFile, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.create_sheet("订单").append(["单号", "when"])
    book["订单"].append(["007", datetime(2024, 1, 1, 14, 30)])  # noqa: DTZ001
    book.save(tmp_path / "a.xlsx")
    assert read_file(tmp_path / "a.xlsx", format="xlsx", sheet="订单").rows == [("007", "2024-01-01 14:30:00")]


def test_a_missing_sheet_is_named_with_the_nearest(read_file: ReadFile, tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", [["a"]])
    with pytest.raises(SourceError, match="'Ordes': did you mean 'Orders'"):
        read_file(path, format="xlsx", sheet="Ordes")


def test_an_empty_sheet_is_refused(read_file: ReadFile, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="empty"):
        read_file(workbook(tmp_path / "a.xlsx", []), format="xlsx")


def rewritten(path: Path, part: str, change: Callable[[bytes], bytes]) -> Path:
    """A copy of the workbook with one part changed."""
    copy = path.with_name("changed.xlsx")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(copy, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            content = old.read(entry)
            new.writestr(entry, change(content) if entry.filename == part else content)
    return copy


def test_entities_of_its_own_are_refused(read_file: ReadFile, tmp_path: Path) -> None:
    declaration = b'<!DOCTYPE x [<!ENTITY a "aaaa">]>'
    path = workbook(tmp_path / "a.xlsx", [["a"], ["b"]])
    changed = rewritten(path, "xl/sharedStrings.xml", lambda content: content.replace(b"?>", b"?>" + declaration, 1))
    with pytest.raises(SourceError, match="entities"):
        read_file(changed, format="xlsx")


def test_a_workbook_bomb_is_refused(read_file: ReadFile, tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", [["a"], ["b"]])
    changed = rewritten(path, "xl/worksheets/sheet1.xml", lambda content: content + b" " * 30_000_000)
    with pytest.raises(SourceError, match="ratio 100"):
        read_file(changed, format="xlsx")


def test_a_cut_workbook_is_refused(read_file: ReadFile, tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", [["a"], *([n] for n in range(1000))])
    whole = path.read_bytes()
    for share in (0.1, 0.5, 0.9, 0.99):
        path.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(SourceError, match="workbook"):
            read_file(path, format="xlsx")
