"""Excel workbooks, read as a stream: what a cell means (text, number, date) comes from its type and its format.

DuckDB's `read_xlsx` and openpyxl both lose the difference between a text of sixteen digits and a number that Excel has
rounded, the zeros in front of a formatted number and serial 60; and both stop quietly at surprising places. So the
parts of the archive are parsed here with expat, in memory bounded by the workbook's own shared texts.
"""

from __future__ import annotations

import csv
import zipfile
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count, dropwhile, islice
from pathlib import Path
from xml.parsers import expat

import duckdb

from data.contract import Reader, did_you_mean
from data.sources.csv import check_names, plain_relation
from data.sources.rows import Reject, SourceError, TextRows
from data.sources.unpack import check_archive
from data.sources.xlsx_cell import Show, shown_by_style

_numbers = count(1)
Row = tuple[int, dict[int, str]]


def open_xlsx(connection: duckdb.DuckDBPyConnection, path: Path, reader: Reader, staging: Path) -> TextRows:
    """Every column of one sheet by the names in its first filled row (below `skip_rows`), as text; dates as ISO text.

    Raises SourceError for a bomb, a file that is no workbook, a sheet that is not there or a faulty header.
    """
    with _whole(path), zipfile.ZipFile(path) as archive:
        check_archive(archive, path, reader)
        return _sheet_rows(archive, path, reader, staging)


def sheet_names(path: Path) -> tuple[str, ...]:
    """The names of a workbook's sheets in their order. Raises SourceError for a bomb or a file that is no workbook."""
    with _whole(path), zipfile.ZipFile(path) as archive:
        check_archive(archive, path, Reader(format="xlsx"))
        return tuple(_parts_of_sheets(archive)[0])


def filled_cells(path: Path, sheet: str, most: int) -> list[tuple[int, int]]:
    """Of the first rows of a sheet that hold something (at most so many): the row's number, and how many cells it fills."""
    with _whole(path), zipfile.ZipFile(path) as archive:
        check_archive(archive, path, Reader(format="xlsx"))
        part, _ = _find_sheet(archive, path.name, sheet)
        rows = _rows(archive, part, _shared_texts(archive), _styles(archive, base_1904=False))
        return [(number, len(cells)) for number, cells in islice(rows, most)]


@contextmanager
def _whole(path: Path) -> Iterator[None]:
    """Raise SourceError in place of what a file that is no whole workbook makes fail."""
    try:
        yield
    except (zipfile.BadZipFile, expat.ExpatError, KeyError, IndexError, EOFError, ValueError) as error:
        if isinstance(error, SourceError):
            raise
        raise SourceError(
            f"{path.name}: is no whole .xlsx workbook ({error}): save it again as .xlsx, without a password"
        ) from error


def _sheet_rows(archive: zipfile.ZipFile, path: Path, reader: Reader, staging: Path) -> TextRows:
    part, base_1904 = _find_sheet(archive, path.name, reader.sheet)
    filled = _rows(archive, part, _shared_texts(archive), _styles(archive, base_1904))
    rows = dropwhile(lambda row: row[0] <= reader.skip_rows, filled)
    first = next(rows, None)
    if first is None:
        raise SourceError(f"{path.name}: the sheet is empty, not even a header: send it again")
    width = max(first[1]) + 1
    names = check_names([first[1].get(column, "") for column in range(width)], path.name)
    copy = staging / f"sheet-{next(_numbers)}.csv"
    lines, rejects = _write(rows, copy, width)
    return TextRows(
        relation=plain_relation(copy, names),
        columns=names,
        rejects=lambda: rejects,
        lines=lambda records: [lines[record - 1] for record in records],
    )


def _write(rows: Iterator[Row], copy: Path, width: int) -> tuple[array[int], list[Reject]]:
    """Write the rows below the header as plain CSV; the sheet's row number of each record, and rows that are too wide."""
    lines = array("L")
    rejects = []
    with copy.open("w", encoding="utf-8", newline="") as file:
        write = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_MINIMAL).writerow
        for number, cells in rows:
            lines.append(number)
            if max(cells) >= width:
                raw = ",".join(cells[column] for column in sorted(cells))
                rejects.append(Reject(record=len(lines), line=number, raw=raw, reason="has more cells than the header"))
            else:
                write([cells.get(column) for column in range(width)])
    return lines, rejects


def _find_sheet(archive: zipfile.ZipFile, name: str, sheet: str) -> tuple[str, bool]:
    """The archive's part that holds the sheet (the first one when no name is given), and whether dates count from 1904."""
    sheets, based = _parts_of_sheets(archive)
    wanted = sheet or next(iter(sheets), "")
    if wanted not in sheets:
        raise SourceError(f"{name}: there is no sheet {wanted!r}{did_you_mean(wanted, sheets)}")
    return sheets[wanted], based


def _parts_of_sheets(archive: zipfile.ZipFile) -> tuple[dict[str, str], bool]:
    """By the name of each sheet the archive's part that holds it, and whether dates count from 1904."""
    sheets: dict[str, str] = {}
    targets: dict[str, str] = {}
    based: list[bool] = []

    def start(tag: str, values: dict[str, str]) -> None:
        tag = tag.rpartition(":")[2]
        if tag == "sheet":
            sheets[values["name"]] = next(value for key, value in values.items() if key.endswith(":id"))
        elif tag == "workbookPr":
            based.append(values.get("date1904") in ("1", "true"))
        elif tag == "Relationship":
            targets[values["Id"]] = values["Target"]

    _parse(archive, "xl/workbook.xml", start=start)
    _parse(archive, "xl/_rels/workbook.xml.rels", start=start)
    parts = {name: targets[number] for name, number in sheets.items()}
    return {name: part.lstrip("/") if part.startswith("/") else f"xl/{part}" for name, part in parts.items()}, any(based)


def _shared_texts(archive: zipfile.ZipFile) -> list[str]:
    """The texts that cells refer to by number; readings beside Chinese or Japanese text are left out."""
    texts: list[str] = []
    parts: list[str] = []
    state = {"text": False, "reading": False}

    def start(tag: str, _: dict[str, str]) -> None:
        tag = tag.rpartition(":")[2]
        if tag == "si":
            parts.clear()
        elif tag == "rPh":
            state["reading"] = True
        state["text"] = tag == "t" and not state["reading"]

    def end(tag: str) -> None:
        tag = tag.rpartition(":")[2]
        state["text"] = False
        if tag == "rPh":
            state["reading"] = False
        elif tag == "si":
            texts.append("".join(parts))

    def data(text: str) -> None:
        if state["text"]:
            parts.append(text)

    if "xl/sharedStrings.xml" in archive.namelist():
        _parse(archive, "xl/sharedStrings.xml", start=start, end=end, data=data)
    return texts


def _styles(archive: zipfile.ZipFile, base_1904: bool) -> list[Show]:
    """How a number is shown, by a cell's style number."""
    codes: dict[int, str] = {}
    formats: list[int] = []
    inside: list[str] = []

    def start(tag: str, values: dict[str, str]) -> None:
        tag = tag.rpartition(":")[2]
        if tag == "numFmt":
            codes[int(values["numFmtId"])] = values["formatCode"]
        elif tag == "xf" and "cellXfs" in inside:
            formats.append(int(values.get("numFmtId", "0")))
        inside.append(tag)

    def end(_: str) -> None:
        inside.pop()

    if "xl/styles.xml" in archive.namelist():
        _parse(archive, "xl/styles.xml", start=start, end=end)
    return [shown_by_style(number, codes.get(number, ""), base_1904) for number in formats or [0]]


def _rows(archive: zipfile.ZipFile, part: str, texts: list[str], styles: list[Show]) -> Iterator[Row]:
    """The filled rows of a sheet: number (1 = first) and texts by column (0 = A)."""
    ready: list[Row] = []
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _no_doctype
    _watch_cells(parser, ready, texts, styles)
    with archive.open(part) as file:
        while chunk := file.read(1 << 18):
            parser.Parse(chunk, False)
            yield from ready
            ready.clear()
        parser.Parse(b"", True)
        yield from ready


def _watch_cells(parser: expat.XMLParserType, ready: list[Row], texts: list[str], styles: list[Show]) -> None:  # noqa: C901 - one state
    """Hang the handlers of one sheet on the parser; each filled row is appended to `ready` when it ends."""
    cells: dict[int, str] = {}
    value: list[str] = []
    columns: dict[str, int] = {}
    row = column = -1
    kind = style = prefix = ""

    def start(tag: str, values: dict[str, str]) -> None:
        nonlocal row, column, kind, style
        tag = tag.removeprefix(prefix)
        if tag == "c":
            column = _column(values.get("r", ""), column + 1, columns)
            kind, style = values.get("t", "n"), values.get("s", "0")
            value.clear()
        elif tag in ("v", "t"):
            parser.CharacterDataHandler = value.append
        elif tag == "row":
            row, column = int(values.get("r", max(row, 0) + 1)), -1

    def end(tag: str) -> None:
        tag = tag.removeprefix(prefix)
        if tag in ("v", "t"):
            parser.CharacterDataHandler = None
        elif tag == "c":
            if value and (text := _text(kind, "".join(value), int(style), texts, styles)):
                cells[column] = text
        elif tag == "row" and cells:
            ready.append((row, dict(cells)))
            cells.clear()

    def root(tag: str, _: dict[str, str]) -> None:
        nonlocal prefix
        prefix = tag.removesuffix("worksheet")
        parser.StartElementHandler = start

    parser.StartElementHandler, parser.EndElementHandler = root, end


def _text(kind: str, value: str, style: int, texts: list[str], styles: list[Show]) -> str:
    if kind == "s":
        return texts[int(value)]
    if kind == "n":
        return styles[style](value)
    if kind == "b":
        return "true" if value == "1" else "false"
    return value


def _column(place: str, following: int, known: dict[str, int]) -> int:
    """The column (0 = A) of a place such as `AB12`; the following one where a cell names no place."""
    letters = place.rstrip("0123456789")
    if not letters:
        return following
    if letters not in known:
        number = 0
        for letter in letters:
            number = number * 26 + ord(letter) - 64
        known[letters] = number - 1
    return known[letters]


def _parse(
    archive: zipfile.ZipFile,
    part: str,
    *,
    start: Callable[[str, dict[str, str]], None],
    end: Callable[[str], None] | None = None,
    data: Callable[[str], None] | None = None,
) -> None:
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _no_doctype
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, data
    with archive.open(part) as file:
        parser.ParseFile(file)


def _no_doctype(*_: object) -> None:
    raise SourceError("the workbook declares entities of its own, which no spreadsheet program writes: it is not read")
