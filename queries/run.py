"""The only door to the lake: admits exactly one SELECT over the lake's own tables, and returns a frame."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, partial
from typing import Final

import duckdb
import polars as pl
from sqlglot import exp, parse
from sqlglot.errors import SqlglotError

from data.lake import RECENT, Lake
from data.leading import LISTED
from data.recent import DOUBTFUL, DOUBTFUL_ORDERS, VISITS
from data.taken import TAKEN
from queries.build import Statement
from queries.cells import KEYS as CELL_KEYS
from queries.dwells import DWELL_CELLS
from queries.flow_cells import TOLD
from queries.fragment import DIALECT
from queries.normal import KEPT_NORMALS
from queries.open_cells import OPEN_CELLS
from queries.order_cells import ORDER_CELLS
from queries.risk import KEPT_COMPARABLES
from queries.together import Together

TABLES: Final = frozenset({"orders", "order_returns", "order_complaints"})
KEPT_TABLES: Final = TABLES | {
    KEPT_COMPARABLES,
    KEPT_NORMALS,
    DOUBTFUL,
    LISTED,
    *CELL_KEYS,
    *TOLD,
    DWELL_CELLS,
    *VISITS,
    *TAKEN,
    *ORDER_CELLS,
    OPEN_CELLS,
    DOUBTFUL_ORDERS,
}
"""Of the recent orders in memory."""
ATTACHED_TABLES: Final = frozenset({"order_events", "order_rows", "order_contacts"})
"""Admitted only where the same SELECT joins them to the orders of the base by channel and order: scope is on these."""

FORBIDDEN_FUNCTIONS: Final = (
    "read_",
    "glob",
    "getenv",
    "sniff_",
    "duckdb_",
    "pragma_",
    "query",
    "sqlite_",
    "postgres_",
    "mysql_",
    "parquet_",
    "ducklake_",
)


class RunError(RuntimeError):
    """A statement was refused at the door or failed in the engine; carries no data."""


class MovedOn(RunError):
    """The recent orders in memory are those of another version by now: ask the lake itself."""


class Forgotten(MovedOn):
    """The recent orders are no longer in memory."""


def run(lake: Lake, statement: Statement) -> pl.DataFrame:
    """The rows of the statement; raises RunError when the door refuses it or the engine fails, MovedOn where it comes late."""
    admit(statement.sql)
    try:
        frame = lake.read(partial(_answer, statement=statement))
    except duckdb.Error as error:
        raise RunError(f"the query could not be answered: {type(error).__name__}") from error
    return _in_utc(frame)


def run_together(lake: Lake, statements: Sequence[Statement], together: Together) -> dict[int, pl.DataFrame]:
    """The rows of those of the statements, by their place, that `read_together` found to read the same orders; as `run` gives them.

    Raises RunError as `run`.
    """
    for statement in (*(take.statement for take in together.takes), *(statements[place] for place in together.readers)):
        admit(statement.sql)
    try:
        frames = lake.read(partial(_answers, together=together))
    except duckdb.Error as error:
        raise RunError(f"the queries could not be answered: {type(error).__name__}") from error
    return {place: _in_utc(frame) for place, frame in frames.items()}


def _in_utc(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(pl.col(pl.Datetime).dt.convert_time_zone("UTC"))


def _answers(cursor: duckdb.DuckDBPyConnection, together: Together) -> dict[int, pl.DataFrame]:
    for take in together.takes:
        cursor.execute(f"CREATE TEMP TABLE {take.name} AS {take.statement.sql}", take.statement.parameters)
    return {place: _answer(cursor, reader) for place, reader in together.readers.items()}


def _answer(cursor: duckdb.DuckDBPyConnection, statement: Statement) -> pl.DataFrame:
    if statement.kept_version is not None:
        _hold(cursor, statement.kept_version)
    return cursor.execute(statement.sql, statement.parameters).pl()


def _hold(cursor: duckdb.DuckDBPyConnection, version: int) -> None:
    """See the recent orders as they are now until the cursor is closed, if they are those of the version."""
    cursor.execute("BEGIN")
    try:
        held = cursor.execute("SELECT version FROM recent.mark").fetchall()
    except duckdb.CatalogException as error:
        raise Forgotten("the recent orders are no longer in memory") from error
    if held != [(version,)]:
        raise MovedOn("the recent orders have moved on to a newer snapshot")


@lru_cache(maxsize=2048)
def admit(sql: str) -> None:
    """Raise RunError unless `sql` is exactly one SELECT that reads the admitted tables and nothing else."""
    try:
        statements = parse(sql, dialect=DIALECT)
    except SqlglotError as error:
        raise RunError("refused: not one readable SELECT") from error
    if len(statements) != 1 or not isinstance(statements[0], exp.Select):
        raise RunError("refused: only one SELECT is admitted")
    tree = statements[0]
    names = {cte.alias for cte in tree.find_all(exp.CTE)}
    for table in tree.find_all(exp.Table):
        _admit_table(table, names)
    for function in tree.find_all(exp.Anonymous):
        if str(function.name).lower().startswith(FORBIDDEN_FUNCTIONS):
            raise RunError(f"refused: the function {function.name} is not admitted")
    if tree.find(exp.DDL, exp.DML, exp.Command, exp.Into, exp.Copy, exp.Attach, exp.Set, exp.Pragma):
        raise RunError("refused: only reading is admitted")


def _admit_table(table: exp.Table, names: set[str]) -> None:
    if not isinstance(table.this, exp.Identifier):
        raise RunError("refused: a table function is not admitted")
    own = table.db == "" and table.catalog == "" and table.name in names
    lake = table.db == "lake" and table.catalog == "" and (table.name in TABLES or _is_attached(table))
    kept = table.db == RECENT and table.catalog == "" and table.name in KEPT_TABLES
    if not (own or lake or kept):
        raise RunError(f"refused: the table {table.name} is not admitted")


def _is_attached(table: exp.Table) -> bool:
    """Whether the table is one of those joined, by channel and order, to `lake.orders AS o` of the same SELECT."""
    select = table.find_ancestor(exp.Select)
    if table.name not in ATTACHED_TABLES or select is None or not isinstance(table.parent, exp.Join):
        return False
    origin = select.args.get("from_")
    orders = origin.this if isinstance(origin, exp.From) else None
    is_on_orders = isinstance(orders, exp.Table) and (orders.db, orders.name, orders.alias) == ("lake", "orders", "o")
    on = table.parent.args.get("on")
    keys = {condition.sql(DIALECT) for condition in on.flatten()} if isinstance(on, exp.And) else set()
    alias = table.alias_or_name
    return is_on_orders and table.parent.side == "" and {f"{alias}.channel = o.channel", f"{alias}.order_id = o.order_id"} <= keys
