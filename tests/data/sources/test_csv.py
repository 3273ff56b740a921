"""Delimited text: encodings, delimiters, headers, physical lines, cut files."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import pytest

from data.sources import SourceError
from tests.data.sources.conftest import ReadFile

TABLE = "订单号,省份,amount\n00123,上海,12.50\n00124,广东,8\n"
ROWS = [("00123", "上海", "12.50"), ("00124", "广东", "8")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gbk", "gb18030"])
def test_every_encoding_gives_the_same_table(read_file: ReadFile, tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(TABLE.encode(encoding))
    read = read_file(path, encoding=encoding)
    assert (read.columns, read.rows) == (("订单号", "省份", "amount"), ROWS)


def test_a_byte_order_mark_is_no_part_of_the_first_name(read_file: ReadFile, tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(TABLE.encode("utf-8-sig"))
    assert read_file(path).columns[0] == "订单号"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "gb18030"])
def test_rows_above_the_header_are_passed_over_and_counted(read_file: ReadFile, tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(f"订单报表,2026\n\n{TABLE}".encode(encoding))
    read = read_file(path, encoding=encoding, skip_rows=2)
    assert (read.columns, read.rows, read.lines) == (("订单号", "省份", "amount"), ROWS, [4, 5])
    path.write_bytes(f"订单报表,2026\n\n{TABLE}1,2,3,4\n5,6,7\n".encode(encoding))
    assert [reject.line for reject in read_file(path, encoding=encoding, skip_rows=2).rejects] == [6]


@pytest.mark.parametrize(("declared", "actual"), [("utf-8", "gb18030"), ("gb18030", "utf-8"), ("utf-16", "utf-8")])
def test_a_wrongly_declared_encoding_is_refused(read_file: ReadFile, tmp_path: Path, declared: str, actual: str) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes("订单号,省\n1,上海x\n2,中\n".encode(actual))
    with pytest.raises(SourceError, match="encoding"):
        read_file(path, encoding=declared)


def test_a_file_of_two_encodings_is_refused(read_file: ReadFile, tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    body = "id,city\n" + "".join(f"{n},上海\n" for n in range(1000))
    path.write_bytes(body.encode() + "9,北京\n".encode("gb18030") + b"10,x\n")
    with pytest.raises(SourceError, match="encoding"):
        read_file(path)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", "^", "\x01", "~", " "])
def test_any_delimiter_splits(read_file: ReadFile, tmp_path: Path, delimiter: str) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(TABLE.replace(",", delimiter), encoding="utf-8")
    assert read_file(path, delimiter=delimiter).rows == ROWS


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_any_newline_ends_a_record(read_file: ReadFile, tmp_path: Path, newline: str) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(TABLE.replace("\n", newline).encode())
    assert read_file(path).rows == ROWS


def test_quoted_fields_keep_delimiters_quotes_and_newlines(read_file: ReadFile, tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text('id,note\n1,"a,b"\n2,"say ""hi"""\n3,"two\nlines"\n4,plain\n', encoding="utf-8")
    read = read_file(path)
    assert read.rows == [("1", "a,b"), ("2", 'say "hi"'), ("3", "two\nlines"), ("4", "plain")]
    assert read.lines == [2, 3, 4, 6]


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_records_of_a_wrong_width_are_set_apart_with_their_line(read_file: ReadFile, tmp_path: Path, ending: str) -> None:
    path = tmp_path / "orders.csv"
    text = 'id,note,city\n1,"two\nlines",x\n2,only\n3,a,b,c\n4,ok,y\n5,ok,z\n'
    path.write_text(text.replace("\n", ending), encoding="utf-8", newline="")
    read = read_file(path)
    assert [row[0] for row in read.rows] == ["1", "4", "5"]
    assert [(reject.line, reject.record) for reject in read.rejects] == [(4, 2), (5, 3)]


def test_a_blank_line_is_no_record(read_file: ReadFile, tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text("id,city\n1,x\n\n2,y\n\n", encoding="utf-8")
    read = read_file(path)
    assert read.rows == [("1", "x"), ("2", "y")]
    assert read.lines == [2, 4]


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("id,city,id", "'id' stands twice"),
        ("id,City,city", "'city' stands twice"),
        ("id,,city", "column 2 has no name"),
        ("id,city,", "column 3 has no name"),
    ],
)
def test_a_faulty_header_is_refused_with_the_column(read_file: ReadFile, tmp_path: Path, header: str, reason: str) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(f"{header}\n1,2,3\n", encoding="utf-8")
    with pytest.raises(SourceError, match=reason):
        read_file(path)


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"\n"])
def test_an_empty_file_is_refused(read_file: ReadFile, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(content)
    with pytest.raises(SourceError, match="empty"):
        read_file(path)


def test_a_header_alone_is_a_table_without_rows(read_file: ReadFile, tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text("id,city\n", encoding="utf-8")
    assert read_file(path).rows == []


def test_a_file_cut_anywhere_gives_all_its_whole_records_or_a_refusal(read_file: ReadFile, tmp_path: Path) -> None:
    """F04: never a quiet half. Without a manifest only a cut inside the last field can't be seen."""
    whole = "id,note,amount\n" + "".join(f'{n:05d},"note ""{n}""\nmore",{n}.50\n' for n in range(30))
    body = whole.encode()
    path = tmp_path / "orders.csv"
    for cut in range(20, len(body), 7):
        path.write_bytes(body[:cut])
        try:
            read = read_file(path)
        except SourceError:
            continue
        assert all(len(row) == 3 and row[1] == f'note "{int(row[0] or "")}"\nmore' for row in read.rows)
        assert not read.rejects
        tail = body[:cut].decode().rpartition('more",')[2]
        assert len(read.rows) == body[:cut].count(b'more",') or not tail


def test_a_contract_may_demand_a_last_newline(read_file: ReadFile, tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text("id,amount\n1,12.50\n2,8.2", encoding="utf-8")
    assert len(read_file(path).rows) == 2
    with pytest.raises(SourceError, match="newline"):
        read_file(path, must_end_with_newline=True)


def test_a_gzip_cut_short_is_refused(read_file: ReadFile, tmp_path: Path) -> None:
    path = tmp_path / "orders.csv.gz"
    body = "id,digest\n" + "".join(f"{n},{hashlib.sha256(str(n).encode()).hexdigest()}\n" for n in range(2000))
    packed = gzip.compress(body.encode())
    path.write_bytes(packed)
    assert len(read_file(path).rows) == 2000
    path.write_bytes(packed[: len(packed) // 2])
    with pytest.raises(SourceError, match="broken"):
        read_file(path)


def test_text_is_never_guessed_into_something_else(read_file: ReadFile, tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text("a,b,c,d\n007,1e5,2024-01-01,true\n,NULL,NaN, x \n", encoding="utf-8")
    assert read_file(path).rows == [("007", "1e5", "2024-01-01", "true"), (None, "NULL", "NaN", " x ")]
