"""JSON lines, one object a line, or one array of objects; nested values stay JSON text for the contract's expressions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import duckdb

from data.contract import Reader
from data.sources.rows import Reject, SourceError, TextRows
from data.sources.unpack import to_utf8, unpack
from data.sql_text import identifier, literal


def open_jsonl(connection: duckdb.DuckDBPyConnection, path: Path, reader: Reader, staging: Path) -> TextRows:
    """Every key that occurs, as a text column (null where a line lacks it); lines that are no object become rejects.

    Of an array the number of an element stands for its line. Raises SourceError when the file holds no object at all.
    """
    plain = to_utf8(unpack(path, reader, staging), reader.encoding, staging)
    is_array = _is_array(plain)
    lines = _elements_relation(plain) if is_array else _lines_relation(plain)
    try:
        names = connection.execute(
            f"SELECT DISTINCT unnest(json_keys(line)) AS name FROM {lines} WHERE {_IS_OBJECT} ORDER BY name"
        ).fetchall()
    except duckdb.InvalidInputException as error:
        if not is_array:
            raise
        raise SourceError(f"{path.name}: is no whole JSON array: send the whole file again, or one object a line") from error
    columns = tuple(row[0] for row in names)
    if not columns:
        raise SourceError(f"{path.name}: no line is a JSON object: check `format` in the contract")
    keys = ", ".join(f"line ->> {literal('$.' + chr(34) + name + chr(34))} AS {identifier(name)}" for name in columns)
    return TextRows(
        relation=f"(SELECT {keys} FROM {lines} WHERE {_IS_OBJECT})",
        columns=columns,
        rejects=lambda: _rejects(connection, lines, path.name),
        lines=lambda records: _physical(connection, lines, records),
    )


_IS_OBJECT: Final = "CASE WHEN json_valid(line) THEN json_type(line) = 'OBJECT' ELSE false END"


def _lines_relation(plain: Path) -> str:
    return (
        f"read_csv({literal(str(plain))}, columns = {{'line': 'VARCHAR'}}, header = false, auto_detect = false, "
        "delim = '\x01', quote = '', escape = '', max_line_size = 16777216, buffer_size = 33554432)"
    )


def _is_array(plain: Path) -> bool:
    with plain.open("rb") as file:
        return file.read(1 << 12).removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"[")


def _elements_relation(plain: Path) -> str:
    """The elements of one array, each on a line of its own: a line break within JSON is but a blank."""
    elements = f"read_json_objects({literal(str(plain))}, format = 'array', maximum_object_size = 16777216)"
    return f"(SELECT regexp_replace(json::VARCHAR, '[\r\n]+', ' ', 'g') AS line FROM {elements})"


def _rejects(connection: duckdb.DuckDBPyConnection, lines: str, name: str) -> list[Reject]:
    numbered = f"SELECT row_number() OVER () AS number, line FROM {lines}"
    filled = f"SELECT row_number() OVER () AS record, number, line FROM ({numbered}) WHERE line IS NOT NULL"
    query = f"SELECT record, number, line, max(record) OVER () FROM ({filled}) QUALIFY NOT ({_IS_OBJECT}) ORDER BY record"
    found = connection.execute(query).fetchall()
    if found and found[-1][0] == found[-1][3]:
        raise SourceError(f"{name}: the last line is no whole JSON object: send the whole file again")
    return [Reject(record=record, line=number, raw=line, reason="not a JSON object") for record, number, line, _ in found]


def _physical(connection: duckdb.DuckDBPyConnection, lines: str, records: Sequence[int]) -> list[int]:
    """Physical lines of records, blank lines being none."""
    numbered = f"SELECT row_number() OVER () AS number, line FROM {lines}"
    filled = connection.execute(f"SELECT number FROM ({numbered}) WHERE line IS NOT NULL ORDER BY number").fetchnumpy()["number"]
    return [int(filled[record - 1]) for record in records]
