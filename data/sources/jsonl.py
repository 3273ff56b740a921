"""JSON lines: one object a line; nested values stay JSON text for the contract's expressions."""

from __future__ import annotations

from pathlib import Path

import duckdb

from data.contract import Reader
from data.sources.rows import Reject, SourceError, TextRows
from data.sources.unpack import to_utf8, unpack
from data.sql_text import identifier, literal


def open_jsonl(connection: duckdb.DuckDBPyConnection, path: Path, reader: Reader, staging: Path) -> TextRows:
    """Every key that occurs, as a text column (null where a line lacks it); lines that are no object become rejects.

    Raises SourceError when the file holds no object at all.
    """
    plain = to_utf8(unpack(path, reader, staging), reader.encoding, staging)
    lines = _lines_relation(plain)
    names = connection.execute(
        f"SELECT DISTINCT unnest(json_keys(line)) AS name FROM {lines} WHERE {_IS_OBJECT} ORDER BY name"  # noqa: S608 - a literal path
    ).fetchall()
    columns = tuple(row[0] for row in names)
    if not columns:
        raise SourceError(f"{path.name}: no line is a JSON object: check `format` in the contract")
    keys = ", ".join(f"line ->> {literal('$.' + chr(34) + name + chr(34))} AS {identifier(name)}" for name in columns)
    return TextRows(
        relation=f"(SELECT {keys} FROM {lines} WHERE {_IS_OBJECT})",  # noqa: S608 - names are quoted
        columns=columns,
        rejects=lambda: _rejects(connection, lines, path.name),
        lines=lambda records: list(records),
    )


_IS_OBJECT = "json_valid(line) AND json_type(line) = 'OBJECT'"


def _lines_relation(plain: Path) -> str:
    return (
        f"read_csv({literal(str(plain))}, columns = {{'line': 'VARCHAR'}}, header = false, auto_detect = false, "
        "delim = '\x01', quote = '', escape = '', max_line_size = 16777216)"
    )


def _rejects(connection: duckdb.DuckDBPyConnection, lines: str, name: str) -> list[Reject]:
    query = f"SELECT number, line FROM (SELECT row_number() OVER () AS number, line FROM {lines}) WHERE NOT ({_IS_OBJECT})"  # noqa: S608 - literal
    total = connection.execute(f"SELECT count(*) FROM {lines}").fetchone()  # noqa: S608 - literal
    found = connection.execute(query).fetchall()
    if total and any(number == total[0] for number, _ in found):
        raise SourceError(f"{name}: the last line is no whole JSON object: send the whole file again")
    return [Reject(record=number, line=number, raw=line or "", reason="not a JSON object") for number, line in found]
