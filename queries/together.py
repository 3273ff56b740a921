"""Questions asked together: orders of the lake that several of them read by the same conditions are read once for all.

Each statement keeps its text but for the table it reads there, its scope included: the answers are those it gets alone.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from sqlglot import exp, parse_one

from queries.base import table_at
from queries.build import Statement
from queries.fragment import DIALECT, parse, select

LONGEST: Final = timedelta(days=8)
"""Orders of a longer window are not held for several questions at once."""

_FROM: Final = re.compile(r"o\.\w+_at >=? ")
_UNTIL: Final = re.compile(r"o\.\w+_at <=? ")

Key = frozenset[tuple[str, tuple[object, ...]]]


@dataclass(frozen=True, kw_only=True)
class Take:
    """Orders to be read once: the rows of the temporary table `name`."""

    name: str
    statement: Statement


@dataclass(frozen=True, kw_only=True)
class Together:
    """What to take first, and the statements that read it, by their place, as they read it from there."""

    takes: tuple[Take, ...]
    readers: dict[int, Statement]


@dataclass(frozen=True)
class _Scan:
    """A SELECT of `lake.orders` alone: its conditions, each with the parameters it names, and the order's columns it needs."""

    conditions: tuple[tuple[str, tuple[str, ...]], ...]
    columns: frozenset[str]


def read_together(statements: Sequence[Statement]) -> Together | None:
    """How to answer these statements together; None where no two of them read the same orders of the lake."""
    found = [[(scan, _key(scan, statement)) for scan in _scans(statement.sql)] for statement in statements]
    counted = Counter(key for scans in found for _, key in scans if key)
    names = {key: f"taken_{index}" for index, key in enumerate(key for key, times in counted.items() if times > 1)}
    if not names:
        return None
    return Together(
        takes=tuple(_take(key, name, statements, found) for key, name in names.items()),
        readers={
            place: _reader(statements[place], tuple(names.get(key, "") for _, key in scans))
            for place, scans in enumerate(found)
            if any(key in names for _, key in scans)
        },
    )


def _key(scan: _Scan, statement: Statement) -> Key:
    """What decides which rows a scan reads; nothing where they are not to be held."""
    values = {text: tuple(statement.parameters[name] for name in names) for text, names in scan.conditions}
    since = [min(instants) for text, given in values.items() if _FROM.match(text) and (instants := _instants(given))]
    until = [instant for text, given in values.items() if _UNTIL.match(text) for instant in _instants(given)]
    last = max(until or _instants(statement.parameters.values()), default=None)
    if statement.kept_version is not None or not since or last is None or last - max(since) > LONGEST:
        return frozenset()
    return frozenset(values.items()) | {("version", (statement.parameters["version"],))}


def _instants(values: object) -> list[datetime]:
    return [value for value in values if isinstance(value, datetime)]  # type: ignore[attr-defined]


def _take(key: Key, name: str, statements: Sequence[Statement], found: list[list[tuple[_Scan, Key]]]) -> Take:
    alike = [(statement, scan) for statement, scans in zip(statements, found, strict=True) for scan, own in scans if own == key]
    first, scan = alike[0]
    columns = sorted(frozenset[str]().union(*(own.columns for _, own in alike)))
    rows = select(*(f"o.{column}" for column in columns)).from_(table_at("orders", "o"), copy=False)
    rows = rows.where(*(parse(text) for text, _ in scan.conditions), copy=False)
    named = {"version", *(parameter for _, names in scan.conditions for parameter in names)}
    parameters = {parameter: first.parameters[parameter] for parameter in sorted(named)}
    return Take(name=name, statement=Statement(sql=rows.sql(DIALECT, pretty=True), parameters=parameters, columns=tuple(columns)))


@lru_cache(maxsize=512)
def _scans(sql: str) -> tuple[_Scan, ...]:
    return tuple(_scan(node) for node in _selects(parse_one(sql, dialect=DIALECT)))


def _selects(tree: exp.Expr) -> list[exp.Select]:
    """The SELECTs that read the lake's orders and nothing else, always in the same order."""
    found = []
    for node in tree.find_all(exp.Select):
        origin = node.args.get("from_")
        table = origin.this if isinstance(origin, exp.From) else None
        is_orders = isinstance(table, exp.Table) and (table.db, table.name, table.alias) == ("lake", "orders", "o")
        if is_orders and not node.args.get("joins") and node.args.get("where") and not node.find(exp.Subquery):
            found.append(node)
    return found


def _scan(node: exp.Select) -> _Scan:
    where = node.args["where"].this
    conditions = list(where.flatten()) if isinstance(where, exp.And) else [where]
    return _Scan(
        conditions=tuple((one.sql(DIALECT), _parameters(one)) for one in conditions),
        columns=frozenset(column.name for column in node.find_all(exp.Column)),
    )


def _parameters(node: exp.Expr) -> tuple[str, ...]:
    return tuple(str(found.name) for found in node.find_all(exp.Placeholder, exp.Parameter))


def _reader(statement: Statement, names: tuple[str, ...]) -> Statement:
    sql, parameters = _reading(statement.sql, names)
    return replace(statement, sql=sql, parameters={name: statement.parameters[name] for name in parameters})


@lru_cache(maxsize=512)
def _reading(sql: str, names: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """The statement's text with each scan reading the table named for it, and the parameters that it names then."""
    tree = parse_one(sql, dialect=DIALECT)
    for node, name in zip(_selects(tree), names, strict=True):
        if name:
            alias = exp.TableAlias(this=exp.to_identifier("o"))
            node.args["from_"].set("this", exp.Table(this=exp.to_identifier(name), db=exp.to_identifier("temp"), alias=alias))
    return tree.sql(DIALECT, pretty=True), tuple(sorted(set(_parameters(tree))))
