"""A table or view in PostgreSQL or MySQL, fetched once, read-only, into a sorted file: the same rows are the same content.

The connection string stands in the environment variable that the contract names; it is neither written nor shown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import duckdb

from data.contract import Reader, did_you_mean
from data.lake import load_extension
from data.sources.csv import check_names, plain_relation
from data.sources.rows import SourceError, TextRows
from data.sql_text import identifier, literal

DATABASES: Final = ("postgres", "mysql")
_EXTENSIONS: Final = {"postgres": "postgres_scanner", "mysql": "mysql_scanner"}
_SYSTEM_SCHEMAS: Final = ("information_schema", "pg_catalog", "mysql", "performance_schema", "sys")


def fetch_table(reader: Reader, staging: Path, environment: Mapping[str, str]) -> Path:
    """A sorted copy of the table in `staging`, every value as text, instants in UTC.

    Raises SourceError when the variable is not set, the server can't be reached or the table is not there.
    """
    secret = environment.get(reader.connection, "")
    if not secret:
        fault = f"the environment variable {reader.connection!r} is not set: put the connection string there"
        raise SourceError(f"{reader.table}: {fault}")
    connection = duckdb.connect(":memory:")
    try:
        connection.execute("SET TimeZone = 'UTC'; SET autoinstall_known_extensions = false")
        connection.execute(f"SET temp_directory = {literal(str(staging))}")
        load_extension(connection, _EXTENSIONS[reader.format])
        connection.execute(f"ATTACH {literal(secret)} AS remote (TYPE {reader.format}, READ_ONLY)")
        return _copy(connection, reader, staging)
    except duckdb.Error as error:
        raise SourceError(f"{reader.table}: {_without_secret(str(error), secret, reader.connection)}") from None
    finally:
        connection.close()


def open_fetched(connection: duckdb.DuckDBPyConnection, path: Path, reader: Reader, staging: Path) -> TextRows:
    """The rows of a copy that `fetch_table` made."""
    with path.open(encoding="utf-8") as file:
        names = tuple(file.readline().rstrip("\n").split("\x1f"))
    return TextRows(relation=plain_relation(path, names, skip=1), columns=names)


def _copy(connection: duckdb.DuckDBPyConnection, reader: Reader, staging: Path) -> Path:
    table = _find_table(connection, reader.table)
    names = [row[0] for row in connection.execute(f"DESCRIBE {table}").fetchall()]
    check_names(names, reader.table)
    texts = ", ".join(f"{identifier(name)}::VARCHAR AS {identifier(name)}" for name in names)
    rows, target = staging / "fetched-rows.csv", staging / "fetched.csv"
    sorted_rows = f"SELECT {texts} FROM {table} ORDER BY ALL"
    options = "FORMAT csv, HEADER false, FORCE_QUOTE *, NULLSTR ''"
    connection.execute(f"COPY ({sorted_rows}) TO {literal(str(rows))} ({options})")
    with target.open("wb") as whole, rows.open("rb") as part:
        whole.write(("\x1f".join(names) + "\n").encode())
        while chunk := part.read(1 << 20):
            whole.write(chunk)
    rows.unlink()
    return target


def _find_table(connection: duckdb.DuckDBPyConnection, wanted: str) -> str:
    rows = connection.execute(
        "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = 'remote' "
        "UNION SELECT schema_name, view_name FROM duckdb_views() WHERE database_name = 'remote'"
    ).fetchall()
    known = {f"{schema}.{table}": (schema, table) for schema, table in rows if schema not in _SYSTEM_SCHEMAS}
    found = [place for name, place in known.items() if wanted == name or ("." not in wanted and place[1] == wanted)]
    if len(found) == 1:
        return ".".join(identifier(part) for part in ("remote", *found[0]))
    if found:
        places = ", ".join(f"{schema}.{table}" for schema, table in found)
        raise SourceError(f"{wanted}: stands in several schemas ({places}): write schema.table")
    raise SourceError(f"there is no table {wanted!r}{did_you_mean(wanted, [*known, *(table for _, table in known.values())])}")


def _without_secret(message: str, secret: str, variable: str) -> str:
    """The message with the connection string and every password in it replaced."""
    clean = message.replace(secret, f"${variable}")
    clean = re.sub(r"(?i)(password|passwd|pwd)\s*=\s*('[^']*'|\S+)", r"\1=…", clean)
    clean = re.sub(r"://[^@\s/]*@", "://…@", clean)
    for word in re.findall(r"(?i)(?:password|passwd|pwd)\s*=\s*'?([^'\s]+)", secret) + re.findall(r"://[^:@/]*:([^@]+)@", secret):
        clean = clean.replace(word, "…")
    return f"{' '.join(clean.split())[:300]}: check the server and the connection string in {variable}"
