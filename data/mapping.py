"""From a source's text columns to canonical, typed columns: the SELECT a contract stands for.

Built once per file; every value is text until its cast, a value that cannot be cast is a problem of its row,
and the row with a problem is refused with file, line, column, value and reason (`data.validate`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import sqlglot
from sqlglot import exp

from data.contract import KIND_COLUMNS, Check, Contract, StatusMap, expression_columns
from data.order import MILESTONES
from data.sql_text import identifier, literal
from data.zone import instant_sql, local_ms_sql, utc_ms_sql

FUTURE_TOLERANCE_MS: Final = 10 * 60 * 1000
_DAY_MS: Final = 86_400_000
PROMISES: Final = ("promised_ship_at", "promised_at")
_UNREADABLE: Final = {
    "integer": "is not a whole number",
    "number": "is not a number",
    "money": "is not an amount",
    "instant": "is not an instant",
    "text": "cannot be read",
}


@dataclass(frozen=True, kw_only=True)
class MappedColumn:
    """One canonical column of a contract: how its text arises, how it is cast, and when that failed."""

    name: str
    text: str
    value: str
    failed: str
    reason: str
    shown: str


def mapped_columns(contract: Contract) -> tuple[MappedColumn, ...]:
    """The contract's columns in canonical order."""
    types = {column.name: column.type for column in KIND_COLUMNS[contract.kind]}
    return tuple(_mapped(contract, name, types[name]) for name in types if name in contract.columns)


def _mapped(contract: Contract, name: str, type_: str) -> MappedColumn:
    expression, converts = _tolerant(contract.columns[name])
    raw = identifier(f"text {name}")
    words = sorted({"", *contract.null_words, *contract.withdrawn})
    nulls = ", ".join(literal(word) for word in words)
    text = f"nullif(trim(({expression})::VARCHAR), '')"
    if words != [""]:
        text = f"CASE WHEN {text} NOT IN ({nulls}) THEN {text} END"
    value = _cast(raw, name, type_, contract)
    failed = f"{raw} IS NOT NULL AND {identifier(name)} IS NULL"
    shown = raw
    sources = expression_columns(contract.columns[name])
    if converts and sources:
        filled = " AND ".join(f"nullif(trim(source_row.{identifier(column)}), '') NOT IN ({nulls})" for column in sources)
        failed = f"{identifier(name)} IS NULL AND {filled}"
        shown = " || ' ' || ".join(f"coalesce(source_row.{identifier(column)}, '')" for column in sources)
    return MappedColumn(name=name, text=text, value=value, failed=failed, reason=_UNREADABLE[type_], shown=shown)


def _tolerant(text: str) -> tuple[str, bool]:
    """The expression with casts and parsing that give null instead of an error, and whether null means it failed."""
    parsed = sqlglot.parse_one(text, dialect="duckdb")
    casts = [node for node in parsed.find_all(exp.Cast) if type(node) is exp.Cast and not node.to.is_type("text", "varchar")]
    if not casts and not parsed.find(exp.StrToTime):
        return text, parsed.find(exp.TryCast) is not None
    chooses = parsed.find(exp.Case, exp.If, exp.Coalesce, exp.Nullif) is not None
    tolerant = parsed.transform(_try_cast).sql(dialect="duckdb")
    return re.sub(r"\bSTRPTIME\(", "try_strptime(", tolerant), not chooses


def _try_cast(node: exp.Expr) -> exp.Expr:
    return exp.TryCast(this=node.this, to=node.to) if type(node) is exp.Cast else node


def _cast(raw: str, name: str, type_: str, contract: Contract) -> str:
    if type_ == "text":
        return raw
    if type_ == "integer":
        return (
            f"CASE WHEN TRY_CAST({raw} AS DOUBLE) = trunc(TRY_CAST({raw} AS DOUBLE)) THEN TRY_CAST({raw} AS DOUBLE)::BIGINT END"
        )
    if type_ == "number":
        return f"CASE WHEN isfinite(TRY_CAST({raw} AS DOUBLE)) THEN TRY_CAST({raw} AS DOUBLE) END"
    if type_ == "money":
        return f"TRY_CAST({raw} AS DECIMAL(18,4))"
    milliseconds = instant_ms(raw, contract)
    if contract.promise == "day" and name in PROMISES:
        local = local_ms_sql(instant_sql(milliseconds), contract.zone)
        day_end = f"make_timestamp(((({local}) // {_DAY_MS}) + 1) * {_DAY_MS}000 - 1000)"
        milliseconds = utc_ms_sql(day_end, contract.zone)
    return instant_sql(milliseconds)


def instant_ms(raw: str, contract: Contract) -> str:
    """UTC milliseconds of a text: an offset in the text counts, a naive instant takes the contract's zone."""
    if contract.instant_formats:
        formats = "[" + ", ".join(literal(text) for text in contract.instant_formats) + "]"
        if any("%z" in text for text in contract.instant_formats):
            return f"epoch_ms(try_strptime({raw}, {formats})::TIMESTAMPTZ)"
        return utc_ms_sql(f"try_strptime({raw}, {formats})", contract.zone)
    naive = utc_ms_sql(f"TRY_CAST({raw} AS TIMESTAMP)", contract.zone)
    zoned = (
        f"suffix({raw}, 'Z') OR suffix({raw}, 'UTC') OR (length({raw}) > 16 AND "
        f"({raw}[-6] IN ('+', '-') OR {raw}[-5] IN ('+', '-') OR {raw}[-3] IN ('+', '-')))"
    )
    has_offset = f"NOT (strlen({raw}) = 19 AND {raw}[17] = ':') AND ({zoned})"
    return f"CASE WHEN {has_offset} THEN epoch_ms(TRY_CAST({raw} AS TIMESTAMPTZ)) ELSE {naive} END"


def withdrawn_sql(contract: Contract) -> str:
    """SQL for the list of canonical columns whose value is a word the contract calls withdrawn (null when none)."""
    if not contract.withdrawn:
        return "NULL::VARCHAR[]"
    words = ", ".join(literal(word) for word in contract.withdrawn)
    parts = [
        f"CASE WHEN trim(({_tolerant(expression)[0]})::VARCHAR) IN ({words}) THEN {literal(name)} END"
        for name, expression in contract.columns.items()
    ]
    return f"nullif(list_filter([{', '.join(parts)}], lambda name: name IS NOT NULL), [])"


def status_milestone_sql(status: StatusMap, channel: str) -> str:
    """SQL for the milestone a status word stands for; `channel` is the canonical channel's expression."""
    word = identifier("text status")
    branches = []
    for name, words in status.map.items():
        for text, milestone in words.items():
            condition = f"lower({word}) = {literal(text.lower())}"
            if name != "*":
                condition += f" AND {channel} = {literal(name)}"
            branches.append((name == "*", f"WHEN {condition} THEN {literal(status.milestone(milestone))}"))
    branches.sort(key=lambda branch: branch[0])
    return f"CASE {' '.join(text for _, text in branches)} END"


def check_failed(column: str, check: Check, *, type_: str) -> list[tuple[str, str]]:
    """(condition, reason) pairs of a contract's check."""
    name = identifier(column)
    faults = []
    if check.min is not None:
        faults.append((f"{name} < {check.min!r}", f"is below {check.min:g}"))
    if check.max is not None:
        faults.append((f"{name} > {check.max!r}", f"is above {check.max:g}"))
    if check.pattern:
        text = name if type_ == "text" else identifier(f"text {column}")
        faults.append((f"NOT regexp_full_match({text}, {literal(check.pattern)})", f"does not match {check.pattern}"))
    return faults


def milestone_of_column(name: str) -> str | None:
    """The milestone whose instant a canonical column holds; None for promises, exceptions and all others."""
    milestone = name.removesuffix("_at")
    return milestone if name.endswith("_at") and milestone in MILESTONES else None
