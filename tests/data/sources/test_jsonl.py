"""JSON lines: an object a line, others set apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from data.sources import SourceError
from tests.data.sources.conftest import ReadFile


def test_every_key_is_a_column_and_values_stay_as_written(read_file: ReadFile, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(
        '{"id": "007", "n": 12.25, "to": {"city": "上海"}}\n{"id": "008", "x.y": null, "ok": true}\n', encoding="utf-8"
    )
    read = read_file(path, format="jsonl")
    assert read.columns == ("id", "n", "ok", "to", "x.y")
    assert read.rows == [("007", "12.25", None, '{"city":"上海"}', None), ("008", None, "true", None, None)]


def test_lines_that_are_no_object_are_set_apart_with_their_line(read_file: ReadFile, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"id": 1}\n\n[1, 2]\n{"id": 2\n{"id": 3}\n', encoding="utf-8")
    read = read_file(path, format="jsonl")
    assert read.rows == [("1",), ("3",)]
    assert [reject.line for reject in read.rejects] == [3, 4]


def test_a_line_cut_at_the_end_refuses_the_file(read_file: ReadFile, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"id": 1}\n{"id": 2}\n{"id": 3', encoding="utf-8")
    with pytest.raises(SourceError, match="whole"):
        read_file(path, format="jsonl")


@pytest.mark.parametrize("content", ["", "\n", "id,city\n1,x\n"])
def test_a_file_without_an_object_is_refused(read_file: ReadFile, tmp_path: Path, content: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(SourceError):
        read_file(path, format="jsonl")


def test_blank_lines_count_as_lines_but_are_no_records(read_file: ReadFile, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"id": 1}\n\n{"id": 2}\n', encoding="utf-8")
    assert read_file(path, format="jsonl").lines == [1, 3]


def test_an_array_of_objects_is_read_as_lines_are(read_file: ReadFile, tmp_path: Path) -> None:
    path = tmp_path / "orders.json"
    path.write_text('[\n  {"id": "1",\n   "to": {"city": "X"}},\n  {"id": "2"}, 7, {"id": "3"}\n]\n', encoding="utf-8")
    read = read_file(path, format="jsonl")
    assert [row[0] for row in read.rows] == ["1", "2", "3"]
    assert [(reject.line, reject.reason) for reject in read.rejects] == [(3, "not a JSON object")]
    path.write_text('[{"id": "1"}, {"id": ', encoding="utf-8")
    with pytest.raises(SourceError, match="no whole JSON array"):
        read_file(path, format="jsonl")
