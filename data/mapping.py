"""From a source's text columns to canonical, typed columns: the SELECT a contract stands for.

Built once per file; every value is text until its cast, a value that cannot be cast is a problem of its row,
and the row with a problem is refused with file, line, column, value and reason (`data.validate`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from data.contract import KIND_COLUMNS, Check, Contract, StatusMap, expression_columns
from data.expression import safe_expression
from data.instant import NOTHING_YET, instant_ms_sql
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
_SEPARATED: Final = (r"\d[,.' ]\d{3}(\D|$)", "write it without thousands separators, or replace(…) them in the contract")
_REMEDIES: Final = {
    "integer": _SEPARATED,
    "number": _SEPARATED,
    "money": _SEPARATED,
    "instant": (r"\d", "give its form in instant_formats of the contract"),
}
_NOTHING: Final = "is not an instant of an order: where it means «nothing yet», write nullif(column, '"
_WRITTEN: Final = "')"
_EXACT_DOUBLE: Final = 2**53


@dataclass(frozen=True, kw_only=True)
class MappedColumn:
    """One canonical column of a contract, in SQL: its text, whether computing it failed, its typed value, and its refusal.

    `failed` is true where the row holds something that cannot be read; `reason` and `shown` are what the refusal says.
    """

    name: str
    text: str
    fault: str
    value: str
    failed: str
    reason: str
    shown: str


def mapped_columns(contract: Contract) -> tuple[MappedColumn, ...]:
    """The contract's columns in canonical order."""
    types = {column.name: column.type for column in KIND_COLUMNS[contract.kind]}
    return tuple(_mapped(contract, name, types[name]) for name in types if name in contract.columns)


def _mapped(contract: Contract, name: str, type_: str) -> MappedColumn:
    expression = contract.columns[name]
    words = _nothing_words(contract)
    safe = safe_expression(expression, words)
    raw, fault = identifier(f"text {name}"), identifier(f"fault {name}")
    failed = f"{raw} IS NOT NULL AND {identifier(name)} IS NULL" if type_ != "text" else "false"
    shown = raw
    if safe.fault:
        failed = f"({fault} OR ({failed}))"
        columns = expression_columns(expression)
        shown = " || ' ' || ".join(f"coalesce(source_row.{identifier(column)}, '')" for column in columns) or raw
    return MappedColumn(
        name=name,
        text=_filled(safe.value, words),
        fault=safe.fault,
        value=_cast(raw, name, type_, contract),
        failed=failed,
        reason=_reason(type_, shown),
        shown=shown,
    )


def filled_text(contract: Contract, expression: str) -> str:
    """SQL for an expression's trimmed text; null for the contract's null and withdrawn words."""
    words = _nothing_words(contract)
    return _filled(safe_expression(expression, words).value, words)


def _nothing_words(contract: Contract) -> tuple[str, ...]:
    return tuple(sorted({"", *contract.null_words, *contract.withdrawn}))


def _filled(expression: str, words: tuple[str, ...]) -> str:
    text = _trimmed(expression)
    if words == ("",):
        return text
    return f"CASE WHEN {text} NOT IN ({', '.join(literal(word) for word in words)}) THEN {text} END"


def _reason(type_: str, shown: str) -> str:
    """SQL for why a value of a type cannot be read, with the remedy for the usual cause."""
    reason = _UNREADABLE[type_]
    if type_ not in _REMEDIES:
        return literal(reason)
    pattern, advice = _REMEDIES[type_]
    advised = literal(f"{reason}: {advice}")
    nothing = f"WHEN regexp_full_match({shown}, {literal(NOTHING_YET)}) THEN {_nothing_yet(shown)} " if type_ == "instant" else ""
    return f"CASE {nothing}WHEN regexp_matches({shown}, {literal(pattern)}) THEN {advised} ELSE {literal(reason)} END"


def _nothing_yet(shown: str) -> str:
    """SQL for why a zero, or a date long before any order, is refused."""
    return f"{literal(_NOTHING)} || ({shown}) || {literal(_WRITTEN)}"


def _trimmed(expression: str) -> str:
    """The text without blanks around it, null when nothing is left; trims only where there is something to trim."""
    if re.fullmatch(r'"[^"]+"|[A-Za-z_]\w*', expression) and expression.upper() not in ("NULL", "TRUE", "FALSE"):
        blank = f"prefix({expression}, ' ') OR suffix({expression}, ' ')"
        return f"CASE WHEN {expression} = '' THEN NULL WHEN {blank} THEN nullif(trim({expression}), '') ELSE {expression} END"
    return f"nullif(trim(({expression})::VARCHAR), '')"


def _cast(raw: str, name: str, type_: str, contract: Contract) -> str:
    number = f"TRY_CAST({raw} AS DOUBLE)"
    if type_ == "text":
        return raw
    if type_ == "integer":
        return (
            f"CASE WHEN regexp_full_match({raw}, '[+-]?[0-9]+') THEN TRY_CAST({raw} AS BIGINT) "
            f"WHEN abs({number}) <= {_EXACT_DOUBLE} AND {number} = trunc({number}) THEN {number}::BIGINT END"
        )
    if type_ == "number":
        return f"CASE WHEN isfinite({number}) THEN {number} END"
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
    serials = contract.reader.format == "xlsx" and not contract.instant_formats
    return instant_ms_sql(raw, contract.instant_formats, contract.zone, serials=serials)


def withdrawn_sql(contract: Contract) -> str:
    """SQL for the list of canonical columns whose value is a word the contract calls withdrawn (null when none)."""
    if not contract.withdrawn:
        return "NULL::VARCHAR[]"
    words = ", ".join(literal(word) for word in contract.withdrawn)
    parts = []
    for name, expression in contract.columns.items():
        said = [f"trim(({safe_expression(expression, ()).value})::VARCHAR) IN ({words})"]
        said += [f"trim({identifier(column)}) IN ({words})" for column in expression_columns(expression)]
        parts.append(f"CASE WHEN {' OR '.join(said)} THEN {literal(name)} END")
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
