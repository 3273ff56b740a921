"""A look at a file nobody has described yet: its format, encoding, delimiter, header and first rows, as text."""

from __future__ import annotations

import csv
import gzip
import io
import re
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final

import duckdb

from data.contract import Reader
from data.sources import SourceError, open_rows
from data.sources.xlsx import filled_cells, sheet_names

SAMPLE_ROWS: Final = 2000
_SAMPLE_BYTES: Final = 1 << 18
_NEARLY_ALL: Final = 0.95
_STEADY: Final = 0.75
_MOSTLY: Final = 0.6
_TOP: Final = 30
"""Among so many rows the header is looked for."""
_DELIMITERS: Final = (",", ";", "\t", "|", "^")
_FORMATS: Final = {
    ".csv": "csv", ".tsv": "csv", ".tab": "csv", ".psv": "csv", ".txt": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl",
    ".parquet": "parquet", ".xlsx": "xlsx",
}  # fmt: skip
ISO_PATTERN: Final = re.compile(
    r"\d{4}[-/]\d{1,2}[-/]\d{1,2}([T ]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?)?\s*(Z|UTC|GMT|[+-]\d{2}(:?\d{2})?)?"
)
DATE_FORMATS: Final = (
    "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y%m%d", "%Y.%m.%d", "%Y年%m月%d日", "%d/%m/%y", "%m/%d/%y", "%d %b %Y", "%b %d, %Y",
)  # fmt: skip
TIME_FORMATS: Final = ("", " %H:%M:%S", " %H:%M", " %I:%M:%S %p", " %I:%M %p", "T%H:%M:%S", "%H%M%S", " %H:%M:%S %z")


@dataclass(frozen=True, kw_only=True)
class Sample:
    """The reader that fits, and the first rows as columns of filled texts (nulls left out).

    `reshaped` is the SELECT over `file` that gives these columns, where the file's own hold objects.
    """

    reader: Reader
    columns: tuple[str, ...]
    rows: list[tuple[str | None, ...]]
    reshaped: str = ""

    def texts(self, column: str) -> list[str]:
        """The filled values of a column."""
        position = self.columns.index(column)
        return [value.strip() for row in self.rows if (value := row[position]) and value.strip()]


def read_sample(path: Path) -> Sample:
    """The sample of a file. Raises SourceError when its kind is not known or it cannot be read."""
    names = [suffix.lower() for suffix in path.suffixes if suffix.lower() not in (".gz", ".zip")]
    form = _FORMATS.get(names[-1] if names else ".csv")
    if form is None:
        raise SourceError(
            f"{path.name}: {names[-1]} is no known kind of file: known are {', '.join(_FORMATS)}, also packed as .gz or .zip"
        )
    keys: dict[str, object] = {"format": form}
    try:
        head = _head(path)
    except (OSError, EOFError, IndexError, zipfile.BadZipFile) as error:
        why = getattr(error, "strerror", None) or error
        raise SourceError(f"{path} cannot be read ({why}): give the path of a whole export") from None
    if form in ("csv", "jsonl"):
        keys["encoding"] = guess_encoding(head)
        if form == "csv":
            text = head.decode(str(keys["encoding"]), errors="ignore")
            steady = _steady_delimiter(text)
            keys["delimiter"], keys["skip_rows"] = (steady, 0) if steady else guess_title(text) or (",", 0)
    if form == "xlsx":
        return _widest_sheet(path)
    return _sampled(path, Reader.model_validate(keys))


def _sampled(path: Path, reader: Reader) -> Sample:
    with tempfile.TemporaryDirectory() as staging, duckdb.connect() as connection:
        text_rows = open_rows(connection, path, reader, Path(staging))
        rows = connection.execute(f"SELECT * FROM {text_rows.relation} LIMIT {SAMPLE_ROWS}").fetchall()
    return Sample(reader=reader, columns=text_rows.columns, rows=rows)


def _widest_sheet(path: Path) -> Sample:
    """The sheet with the most columns that has rows below its header, the first where none has: notes often come before the data."""
    found = []
    names = sheet_names(path)
    for name in names:
        sheet = "" if name == names[0] else name
        try:
            reader = Reader(format="xlsx", sheet=sheet, skip_rows=_title_of_sheet(path, sheet))
            found.append(_sampled(path, reader))
        except SourceError:
            if len(names) == 1:
                raise
    filled = [sample for sample in found if sample.rows]
    if not filled:
        return found[0] if found else _sampled(path, Reader(format="xlsx"))
    return max(filled, key=lambda sample: len(sample.columns))


def _title_of_sheet(path: Path, sheet: str) -> int:
    """How many rows of a sheet stand above its header: the first row that fills most of the sheet's columns is the header."""
    rows = filled_cells(path, sheet, _TOP)
    widest = max((width for _, width in rows), default=0)
    header = next((number for number, width in rows if width >= max(2, _MOSTLY * widest)), None)
    return 0 if header is None or header == rows[0][0] else header - 1


def _head(path: Path) -> bytes:
    if path.suffix.lower() == ".gz":
        with gzip.open(path) as file:
            return file.read(_SAMPLE_BYTES)
    if path.suffix.lower() == ".zip":
        with zipfile.ZipFile(path) as archive, archive.open(archive.infolist()[0]) as file:
            return file.read(_SAMPLE_BYTES)
    with path.open("rb") as file:
        return file.read(_SAMPLE_BYTES)


def guess_encoding(head: bytes) -> str:
    """utf-16 by its mark, utf-8 where it decodes, gb18030 (Chinese Excel) where high bytes come in pairs, else cp1252."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if _decodes(head, "utf-8"):
        return "utf-8"
    high = len(re.findall(rb"[\x80-\xff]", head))
    paired = sum(len(run) for run in re.findall(rb"[\x80-\xff]{2,}", head))
    return "gb18030" if paired >= 0.6 * high and _decodes(head, "gb18030") else "cp1252"


def _decodes(head: bytes, encoding: str) -> bool:
    try:
        head.decode(encoding)
    except UnicodeDecodeError as error:
        return len(head) == _SAMPLE_BYTES and error.start >= len(head) - 4
    return True


def guess_delimiter(text: str) -> str:
    """The sign that splits the header into the most columns, and most records into as many; a faulty line is no reason against."""
    return _steady_delimiter(text) or ","


def _steady_delimiter(text: str) -> str | None:
    best, most = None, 1
    for sign in _DELIMITERS:
        widths = [len(row) for row in csv.reader(io.StringIO(text), delimiter=sign) if row][:200]
        whole = widths[:-1] or widths
        if whole and widths[0] > most and whole.count(widths[0]) > _STEADY * len(whole):
            best, most = sign, widths[0]
    return best


def guess_title(text: str) -> tuple[str, int] | None:
    """The delimiter and the number of lines above the header, of a file that begins with a title; None where it does not."""
    best, most = None, 1
    for sign in _DELIMITERS:
        reader, rows, line = csv.reader(io.StringIO(text), delimiter=sign), [], 0
        for row in islice(reader, 10 * _TOP):
            if any(row):
                rows.append((line, len(row)))
            line = reader.line_num
        usual = Counter(width for _, width in rows).most_common(1)[0][0] if rows else 0
        first = next((place for place, (_, width) in enumerate(rows) if width == usual), 0)
        steady = sum(width == usual for _, width in rows[first:]) > _STEADY * len(rows[first:])
        if usual > most and 0 < first < _TOP and steady:
            best, most = (sign, rows[first][0]), usual
    return best


def instant_format(texts: Sequence[str]) -> str | None:
    """ "" for ISO 8601, else the pattern or word (`epoch_seconds` …) that reads nearly all of them; None when none does."""
    if not texts:
        return None
    if _share(texts, ISO_PATTERN.fullmatch) >= _NEARLY_ALL:
        return ""
    for word, pattern in (("epoch_seconds", r"1\d{9}(\.\d+)?"), ("epoch_milliseconds", r"1\d{12}(\.\d+)?")):
        if _share(texts, re.compile(pattern).fullmatch) >= _NEARLY_ALL:
            return word
    candidates = [f"{date}{clock}" for date in DATE_FORMATS for clock in TIME_FORMATS]
    shares = [_share(texts[:200], partial(_parses, form=form)) for form in candidates]
    best = max(shares)
    return candidates[shares.index(best)] if best >= _NEARLY_ALL else None


def _share(texts: Sequence[str], test: Callable[[str], object]) -> float:
    return sum(bool(test(text)) for text in texts) / len(texts)


def _parses(text: str, *, form: str) -> bool:
    try:
        datetime.strptime(text, form)  # noqa: DTZ007 - only whether it parses
    except ValueError:
        return False
    return True
