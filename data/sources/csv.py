"""Delimited text: any delimiter and encoding, plain, .gz or .zip."""

from __future__ import annotations

import csv
import mmap
import shutil
from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path

import duckdb

from data.contract import Reader
from data.sources.rows import Reject, SourceError, TextRows
from data.sources.unpack import to_utf8, unpack
from data.sql_text import literal

csv.field_size_limit(1 << 24)
_numbers = count(1)


def open_csv(connection: duckdb.DuckDBPyConnection, path: Path, reader: Reader, staging: Path) -> TextRows:
    """Every column by its header name, as text; records that do not split become rejects.

    Raises SourceError for an empty file, doubled or empty header names, a wrong encoding or a file cut at its end.
    """
    plain = _below_title(to_utf8(unpack(path, reader, staging), reader.encoding, staging), reader.skip_rows, staging)
    above = reader.skip_rows
    names = _header(plain, path.name, reader)
    if reader.must_end_with_newline:
        _check_newline(plain, path.name)
    table = f"rejects_{next(_numbers)}"
    relation = _relation(plain, names, reader, table)
    return TextRows(
        relation=relation,
        columns=names,
        rejects=lambda: [replace(found, line=found.line + above) for found in _rejects(connection, table, plain, path.name)],
        lines=lambda records: [line + above for line in _lines(plain, reader, records)],
    )


def _below_title(plain: Path, rows: int, staging: Path) -> Path:
    """`plain` itself, or a copy in `staging` without so many lines at its top."""
    if not rows:
        return plain
    copy = staging / f"below-title-{next(_numbers)}.csv"
    with plain.open("rb") as source, copy.open("wb") as target:
        for _ in range(rows):
            source.readline()
        shutil.copyfileobj(source, target)
    return copy


def _header(plain: Path, name: str, reader: Reader) -> tuple[str, ...]:
    try:
        with plain.open(encoding="utf-8-sig", newline="") as file:
            header = next(csv.reader(file, delimiter=reader.delimiter, quotechar=reader.quote or None), None)
    except UnicodeDecodeError as error:
        raise SourceError(f"{name}: the header is not {reader.encoding}: correct `encoding` in the contract") from error
    if not header:
        raise SourceError(f"{name}: the file is empty, not even a header: send it again")
    return check_names(header, name)


def check_names(header: Sequence[str], name: str) -> tuple[str, ...]:
    """The trimmed column names of a header. Raises SourceError when one is empty or stands twice, whatever its capitals."""
    names = tuple(column.strip() for column in header)
    seen: set[str] = set()
    for position, column in enumerate(names, start=1):
        if not column or column.casefold() in seen:
            fault = f"column {column!r} stands twice" if column else f"column {position} has no name"
            raise SourceError(f"{name}: in the header {fault}: correct the export")
        seen.add(column.casefold())
    return names


def plain_relation(path: Path, names: tuple[str, ...], *, skip: int = 0) -> str:
    """A CSV of our own making (comma, no header, an empty unquoted field is null) as a relation of text columns.

    `skip` lines at the top are left out.
    """
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in names)
    return (
        f"read_csv({literal(str(path))}, columns = {{{columns}}}, header = false, skip = {skip}, "
        "auto_detect = false, delim = ',', quote = '\"', escape = '\"', strict_mode = true, max_line_size = 16777216, buffer_size = 33554432)"
    )


def _relation(plain: Path, names: tuple[str, ...], reader: Reader, table: str) -> str:
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in names)
    quote = literal(reader.quote)
    return (
        f"read_csv({literal(str(plain))}, columns = {{{columns}}}, header = true, auto_detect = false, "
        f"delim = {literal(reader.delimiter)}, quote = {quote}, escape = {quote}, strict_mode = true, "
        f"null_padding = false, max_line_size = 16777216, buffer_size = 33554432, store_rejects = true, "
        f"rejects_table = '{table}', rejects_scan = '{table}_scan', rejects_limit = 0)"
    )


def _rejects(connection: duckdb.DuckDBPyConnection, table: str, plain: Path, name: str) -> list[Reject]:
    rows = connection.execute(
        f"SELECT line, line_byte_position, error_type, csv_line, error_message FROM {table} ORDER BY line"
    ).fetchall()
    connection.execute(f"DROP TABLE {table}; DROP TABLE {table}_scan")
    rejects: dict[int, Reject] = {}
    with plain.open("rb") as file:
        size = plain.stat().st_size
        for record, position, kind, raw, message in rows:
            if position is not None and raw and raw.startswith("\n"):
                # Where lines end in CR LF the engine takes the LF for the record's first byte.
                position, raw = position + 1, raw[1:]
            if kind == "INVALID ENCODING":
                raise SourceError(f"{name}: record {record} is not of the declared encoding: correct `encoding` in the contract")
            reason = f"{kind.lower()}: {message.splitlines()[0]}"
            if position is not None and position + len((raw or "").encode()) >= size - 2:
                raise SourceError(f"{name}: the last record is cut ({reason}): send the whole file again")
            line = _newlines_before(file, position) + 1 if position is not None else record
            rejects.setdefault(record, Reject(record=record - 1, line=line, raw=raw or "", reason=reason))
    return list(rejects.values())


def _newlines_before(file: object, position: int) -> int:
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:  # type: ignore[attr-defined]
        return view[: max(position - 1, 0)].count(b"\n")


def _check_newline(plain: Path, name: str) -> None:
    with plain.open("rb") as file:
        file.seek(max(plain.stat().st_size - 1, 0))
        if file.read(1) != b"\n":
            raise SourceError(f"{name}: does not end with a newline, so its end may be missing: send the whole file again")


def _lines(plain: Path, reader: Reader, records: Sequence[int]) -> list[int]:
    """Physical first lines of data records (1 = first after the header)."""
    with plain.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
        apart = (b"\n\n", b"\n\r\n", b"\r\r", *((reader.quote.encode(),) if reader.quote else ()))
        one_line_each = not any(view.find(sign) >= 0 for sign in apart)
    if one_line_each:
        return [record + 1 for record in records]
    wanted, lines, last = set(records), {}, max(records, default=0)
    with plain.open(encoding="utf-8-sig", newline="") as text:
        rows = csv.reader(text, delimiter=reader.delimiter, quotechar=reader.quote or None)
        start, record = 1, -1
        for row in rows:
            if row:
                record += 1
                if record in wanted:
                    lines[record] = start
            start = rows.line_num + 1
            if record >= last:
                break
    return [lines.get(record, record + 1) for record in records]
