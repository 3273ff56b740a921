"""A contract's `rows`: the file, or the set of files, reshaped by one SELECT before the columns read it.

Where the SELECT looks at each line by itself a line that cannot be read is set apart as in any other file; where it adds
lines up, what is left of an order without that line would be wrong: the file is refused. A row remembers the line it comes from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import duckdb
import sqlglot
from sqlglot import Token, TokenType, exp

from data.contract import Contract
from data.sources import Reject, SourceError, TextRows, open_rows
from data.sources.rows import record_at, same_record
from data.sql_text import identifier
from data.validate import RefusedError

FILE: Final = "file"
_FROM_RECORD: Final = "from record of file"
_BY_ITSELF: Final = {"expressions", "from_", "joins", "laterals", "where", "order"}
"""Parts of a SELECT that look at one line at a time."""

_NO_RECORD: Final = 1 << 62
"""Where a line that was set apart stands among rows that are not the file's own: behind all of them."""


def open_selected(
    connection: duckdb.DuckDBPyConnection, contract: Contract, unit: Sequence[Path], folder: Path, name: str
) -> TextRows:
    """Load every file of the contract as a text table under its name (`file` for a single one), and give the rows of its SELECT.

    Raises SourceError and RefusedError where a file cannot be read, or a line of one that `rows` adds up.
    """
    tables, loaded = contract.files or {FILE: contract.reader}, {}
    try:
        for path, (table, reader) in zip(unit, tables.items(), strict=True):
            rows = open_rows(connection, path, reader, folder)
            connection.execute(f"CREATE OR REPLACE TEMP TABLE {identifier(table)} AS SELECT * FROM {rows.relation}")
            loaded[table] = rows, _readable(connection, contract, path, rows.rejects())
    except duckdb.Error as error:
        raise RefusedError(f"{path.name}: {' '.join(str(error).split())[:300]}: send the whole file again") from error
    try:
        columns = [row[0] for row in connection.execute(f"DESCRIBE {contract.rows}").fetchall()]
        texts = ", ".join(f"{identifier(column)}::VARCHAR AS {identifier(column)}" for column in columns)
        tracked = None if contract.files else _with_record(connection, contract.rows)
        record = f", {identifier(_FROM_RECORD)}" if tracked else ""
        connection.execute(f"CREATE OR REPLACE TEMP TABLE joined AS SELECT {texts}{record} FROM ({tracked or contract.rows})")
    except duckdb.Error as error:
        raise RefusedError(f"{name}: rows: {' '.join(str(error).split())[:300]}: correct `rows` in the contract") from error
    rejects = [replace(reject, record=_NO_RECORD) for _, found in loaded.values() for reject in found]
    return TextRows(
        relation=f"(SELECT {', '.join(map(identifier, columns))} FROM joined)",
        columns=tuple(columns),
        rejects=lambda: rejects,
        lines=_lines_of(connection, *loaded[FILE]) if tracked else same_record,
    )


def _readable(connection: duckdb.DuckDBPyConnection, contract: Contract, path: Path, rejects: list[Reject]) -> list[Reject]:
    """The lines to set apart. Raises SourceError where the rows are not made of each line by itself."""
    if rejects and (contract.files or not takes_lines_by_themselves(connection, contract.rows)):
        why = "`rows` puts lines together, so none may be left out"
        raise SourceError(f"{path.name}, line {rejects[0].line}: {rejects[0].reason}: correct the file ({why})")
    return rejects


def takes_lines_by_themselves(connection: duckdb.DuckDBPyConnection, rows: str) -> bool:
    """Whether a SELECT over `file` makes its rows of one line each: nothing of it changes when another line is left out."""
    select = sqlglot.parse_one(rows, dialect="duckdb")
    if not isinstance(select, exp.Select) or {part for part, value in select.args.items() if value} - _BY_ITSELF:
        return False
    tables = [table for table in select.find_all(exp.Table) if not isinstance(table.this, exp.Func)]
    if len(tables) != 1 or _main_table(select) is not tables[0] or select.find(exp.Window):
        return False
    known = {
        row[0]
        for row in connection.execute("SELECT function_name FROM duckdb_functions() WHERE function_type = 'aggregate'").fetchall()
    }
    added = [
        node
        for node in select.find_all(exp.AggFunc, exp.Anonymous)
        if isinstance(node, exp.AggFunc) or node.name.lower() in known
    ]
    return all(node.find_ancestor(exp.Select) is not select for node in added)


def _main_table(select: exp.Select) -> exp.Table | None:
    """The table `file` where the SELECT reads it first and only once by its side."""
    origin = select.args.get("from_")
    table = origin.this if origin else None
    return table if isinstance(table, exp.Table) and table.name.lower() == FILE else None


def _with_record(connection: duckdb.DuckDBPyConnection, rows: str) -> str | None:
    """The SELECT with the record of `file` that each row comes from, the first where it groups several; None where that cannot be told."""
    select = sqlglot.parse_one(rows, dialect="duckdb")
    if not isinstance(select, exp.Select) or select.args.get("distinct") or select.args.get("with_"):
        return None
    table, tokens = _main_table(select), sqlglot.tokenize(rows, dialect="duckdb")
    place = _first_from(tokens)
    if table is None or place is None or tokens[0].token_type != TokenType.SELECT:
        return None
    record = f"{identifier(table.alias_or_name)}.rowid"
    record = f"min({record})" if select.args.get("group") else record
    comma = "" if tokens[place - 1].token_type == TokenType.COMMA else ","
    before, after = rows[: tokens[place].start], rows[tokens[place].start :]
    tracked = f"{before}{comma} {record} AS {identifier(_FROM_RECORD)} {after}"
    try:
        connection.execute(f"EXPLAIN {tracked}")
    except duckdb.Error:
        return None  # all lines in one row, for example
    return tracked


def _first_from(tokens: Sequence[Token]) -> int | None:
    depth = 0
    for place, token in enumerate(tokens):
        depth += (token.token_type == TokenType.L_PAREN) - (token.token_type == TokenType.R_PAREN)
        if token.token_type == TokenType.FROM and not depth:
            return place
    return None


def _lines_of(
    connection: duckdb.DuckDBPyConnection, rows: TextRows, rejects: Sequence[Reject]
) -> Callable[[Sequence[int]], list[int]]:
    """Gives the physical lines of the file that rows of `joined` come from."""

    def lines(places: Sequence[int]) -> list[int]:
        wanted = "SEMI JOIN (SELECT unnest(?::BIGINT[]) AS place) ON joined.rowid + 1 = place"
        sql = f"SELECT joined.rowid + 1, {identifier(_FROM_RECORD)} + 1 FROM joined {wanted}"
        found = dict(connection.execute(sql, [list(places)]).fetchall())
        skipped = sorted(reject.record for reject in rejects)
        return rows.lines([record_at(found[place], skipped) for place in places])

    return lines
