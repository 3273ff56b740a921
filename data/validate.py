"""Staging one file: map, cast, check; rows with a problem are set apart with file, line, column, value and reason."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import duckdb

from data.contract import KIND_COLUMNS, Contract, ContractError, did_you_mean, expression_columns, line_of
from data.expression import may_raise
from data.mapping import (
    FUTURE_TOLERANCE_MS,
    PROMISES,
    MappedColumn,
    check_failed,
    filled_text,
    instant_ms,
    mapped_columns,
    milestone_of_column,
    status_milestone_sql,
    withdrawn_sql,
)
from data.order import MILESTONES
from data.personal import contact_sql
from data.sources import Reject, SourceError, TextRows
from data.sources.rows import record_at
from data.sql_text import identifier, literal
from data.zone import epoch_ms, instant_sql

STAGED: Final = "staged"
KEYS: Final = ("channel", "order_id", "return_id", "complaint_id", "event_id")
LOOKS_PERSONAL: Final = (
    "is a phone number or an e-mail address: map the column with the order's own number, "
    "or say `number_ids: true` where its numbers look like that"
)
_ROUNDED: Final = r"\d(\.\d+)?[Ee]\+\d+"
_NEAR: Final = 0.8
_SHOWN: Final = 8
"""So many names of a header are shown where none of them is known."""


class RefusedError(ValueError):
    """A file is refused whole; the last good snapshot stays. The message says why and what to do."""


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """One refused row: where it stands, which column and value, and why; `raw` is the row as JSON or text."""

    line: int
    column: str
    value: str | None
    reason: str
    raw: str


@dataclass(frozen=True, kw_only=True)
class Staged:
    """What a staged file holds: the rows are in the temporary table `staged`, good ones with a null `problem`."""

    row_count: int
    accepted_count: int
    refusals: tuple[Refusal, ...]
    notices: tuple[str, ...]
    source_columns: tuple[str, ...]


def stage(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    text_rows: TextRows,
    *,
    as_of: datetime | None,
    now: datetime,
    name: str,
) -> Staged:
    """Fill the temporary table `staged` from one file's text rows; nothing has happened later than `now`.

    Columns: the mapped canonical columns (typed), `row_as_of`, `withdrawn`, `status_milestone`, `problem`, `raw`.
    Raises RefusedError when a column is missing, an expression cannot be used, or too many rows are refused.
    """
    notices = _check_header(contract, text_rows, name)
    try:
        rows = staging_sql(contract, text_rows.relation, as_of=as_of, now=now)
        with _each_by_itself(connection, any(may_raise(text) for _, text in _expressions(contract))):
            connection.execute(f"CREATE OR REPLACE TEMP TABLE {STAGED} AS {rows}")
    except duckdb.OutOfMemoryException:
        raise  # not the file's fault
    except duckdb.Error as error:
        raise RefusedError(f"{name}: {_first_line(error)}: correct the file or the contract of {contract.source}") from error
    try:
        rejects = text_rows.rejects()
    except SourceError as error:
        raise RefusedError(str(error)) from error
    total, bad = connection.execute(f"SELECT count(*), count(problem) FROM {STAGED}").fetchone() or (0, 0)
    refusals = _refusals(connection, text_rows.lines, rejects) if bad or rejects else ()
    return Staged(
        row_count=total + len(rejects),
        accepted_count=total - bad,
        refusals=refusals,
        notices=tuple(notices),
        source_columns=text_rows.columns,
    )


@contextmanager
def _each_by_itself(connection: duckdb.DuckDBPyConnection, is_needed: bool) -> Iterator[None]:
    """Let the engine work out every TRY by itself, where something in one may fail."""
    if is_needed:
        connection.execute("SET disabled_optimizers = 'common_subexpressions'")
    try:
        yield
    finally:
        if is_needed:
            connection.execute("RESET disabled_optimizers")


def open_texts(contract: Contract) -> tuple[str, ...]:
    """The mapped text columns that stand in the open and are no key: what a phone number may have strayed into."""
    kept = {*KEYS, *(("source_order_ids",) if contract.number_ids else ())}
    texts = {column.name for column in KIND_COLUMNS[contract.kind] if column.type == "text"}
    return tuple(name for name in contract.columns if name in texts and name not in kept)


def check_limits(contract: Contract, staged: Staged, name: str) -> None:
    """Raise RefusedError when more rows are refused than the contract allows."""
    refused, limit = len(staged.refusals), contract.quarantine
    if refused and not staged.accepted_count:
        raise RefusedError(
            f"{name}: none of {staged.row_count:,} rows can be used; first reason: {_sentence(staged.refusals[0])}"
        )
    if refused > limit.min_rows and refused > limit.max_share * staged.row_count:
        raise RefusedError(
            f"{name}: {refused:,} of {staged.row_count:,} rows refused, over the contract's limit of {limit.max_share:.2%} and "
            f"{limit.min_rows} rows; first reason: {_sentence(staged.refusals[0])}"
        )


def _sentence(refusal: Refusal) -> str:
    return f"line {refusal.line}, column {refusal.column or '-'}: {refusal.value!r} {refusal.reason}"


def _first_line(error: duckdb.Error) -> str:
    return str(error).splitlines()[0]


def _check_header(contract: Contract, text_rows: TextRows, name: str) -> list[str]:
    if contract.rows:
        return []
    known = {column.casefold() for column in text_rows.columns}
    wanted = {
        column: where for where, expression in reversed(_expressions(contract)) for column in expression_columns(expression)
    }
    missing = [column for column in wanted if column.casefold() not in known]
    if missing:
        unquoted = _unquoted(contract, text_rows.columns)
        raise RefusedError(f"{name}: {unquoted or _not_in_header(wanted, missing, text_rows.columns)}")
    used = {column.casefold() for column in (*wanted, *contract.personal.values())}
    extra = [column for column in text_rows.columns if column.casefold() not in used]
    return [f"{name}: columns not used by the contract: {', '.join(extra)}"] if extra else []


def _unquoted(contract: Contract, header: Sequence[str]) -> str:
    """What is said of right-hand sides that are a column's whole name, but read as a function or a sum; empty where there is none."""
    known = {column.casefold(): column for column in header}
    found = [
        f"{where}: {known[text.strip().casefold()]!r} is a column's name with signs in it: {_in_quotes(text)}"
        for where, text in _expressions(contract)
        if text.strip().casefold() in known and expression_columns(text) != (text.strip(),)
    ]
    return "; ".join(found)


def _in_quotes(name: str) -> str:
    """How a column's name with signs in it is written in YAML."""
    return f"write it in double quotes within single ones, '\"{name.strip()}\"'"


def _not_in_header(wanted: Mapping[str, str], missing: Sequence[str], header: Sequence[str]) -> str:
    """What is said of the columns that are missing; where none is there, the header itself may stand further down."""
    if len(missing) == len(wanted) > 1:
        return (
            f"none of the columns that the contract needs is in the header, which holds {_some(header)}: "
            "correct `columns`, or where a title stands above the header, set `skip_rows` under `reader`"
        )
    return "; ".join(
        f"column {column!r}, which {wanted[column]} needs, is not in the header{did_you_mean(column, header)}"
        for column in missing
    )


def _some(header: Sequence[str]) -> str:
    return ", ".join(repr(name) for name in header[:_SHOWN]) + (" …" if len(header) > _SHOWN else "")


def _expressions(contract: Contract) -> list[tuple[str, str]]:
    found = [(f"columns.{name}", text) for name, text in contract.columns.items()]
    if contract.status:
        found.append(("status.expression", contract.status.expression))
    if contract.as_of.from_ == "column":
        found.append(("as_of.column", contract.as_of.column))
    return found


def staging_sql(contract: Contract, relation: str, *, as_of: datetime | None, now: datetime | None) -> str:
    """The SELECT that maps, casts and checks every row of `relation`; readable, one column a line."""
    columns = mapped_columns(contract)
    texts = [f"{column.text} AS {identifier('text ' + column.name)}" for column in columns]
    texts += [f"{column.fault} AS {identifier('fault ' + column.name)}" for column in columns if column.fault]
    if contract.status:
        texts.append(f'{filled_text(contract, contract.status.expression)} AS "text status"')
    if contract.as_of.from_ == "column":
        texts.append(f'{filled_text(contract, contract.as_of.column)} AS "text as_of"')
    texts.append(f"{withdrawn_sql(contract)} AS withdrawn")
    casts = [f"{column.value} AS {identifier(column.name)}" for column in columns]
    casts.append(f"{_row_as_of(contract, as_of)} AS row_as_of")
    casts.append(f"{_status_milestone(contract)} AS status_milestone")
    problem = _problem_sql(contract, columns, now)
    typed = ",\n    ".join(identifier(column.name) for column in columns)
    newline = ",\n    "
    return f"""
SELECT
    {typed},
    row_as_of, withdrawn, status_milestone, problem,
    CASE WHEN problem IS NOT NULL THEN to_json(source_row)::VARCHAR END AS raw
FROM (SELECT *, {problem} AS problem
FROM (SELECT *,
    {newline.join(casts)}
FROM (SELECT source_row,
    {newline.join(texts)}
FROM {relation} AS source_row)))"""


def _row_as_of(contract: Contract, as_of: datetime | None) -> str:
    if contract.as_of.from_ == "column":
        return instant_sql(instant_ms('"text as_of"', contract))
    return "NULL::TIMESTAMPTZ" if as_of is None else instant_sql(str(epoch_ms(as_of)))


def _status_milestone(contract: Contract) -> str:
    if contract.kind == "events":
        return _event_milestone(contract)
    if not contract.status:
        return "NULL::VARCHAR"
    return status_milestone_sql(contract.status, identifier("text channel"))


def _event_milestone(contract: Contract) -> str:
    if "milestone" not in contract.columns:
        return "NULL::VARCHAR"
    text = identifier("text milestone")
    if not contract.milestones:
        return f"CASE WHEN lower({text}) IN ({', '.join(literal(name) for name in MILESTONES)}) THEN lower({text}) END"
    cases = " ".join(f"WHEN lower({text}) = {literal(word.lower())} THEN {literal(m)}" for word, m in contract.milestones.items())
    return f"CASE {cases} END"


def _problem_sql(contract: Contract, columns: tuple[MappedColumn, ...], now: datetime | None) -> str:
    latest, ahead = _latest(contract, now)
    types = {column.name: column.type for column in KIND_COLUMNS[contract.kind]}
    branches = []
    for column in columns:
        name = column.name
        if name in contract.required:
            missing = f"{identifier('text ' + name)} IS NULL AND NOT ({column.failed})"
            branches.append(_branch(missing, name, column.shown, literal("is missing")))
        if name not in contract.tolerate and column.failed != "false":
            branches.append(_branch(column.failed, name, column.shown, column.reason))
        if types[name] == "text":
            holds_nul = f"contains({identifier(name)}, chr(0))"
            branches.append(_branch(holds_nul, name, column.shown, literal("holds a NUL sign, which no text has: remove it")))
        if name in KEYS and not contract.number_ids:
            branches.append(_branch(contact_sql(identifier(name)), name, column.shown, literal(LOOKS_PERSONAL)))
        if name in ("order_id", "return_id", "complaint_id"):
            rounded = f"regexp_full_match({identifier(name)}, {literal(_ROUNDED)})"
            branches.append(_branch(rounded, name, column.shown, literal("was rounded by a spreadsheet: export it as text")))
        if name in contract.checks:
            for condition, reason in check_failed(name, contract.checks[name], type_=types[name]):
                branches.append(_branch(condition, name, column.shown, literal(reason)))
        if types[name] == "instant" and name not in PROMISES:
            future = f"epoch_ms({identifier(name)}) > {latest} + {FUTURE_TOLERANCE_MS}"
            branches.append(_branch(future, name, column.shown, literal(ahead)))
    branches += _word_problems(contract)
    return f"CASE {' '.join(branches)} END"


def _latest(contract: Contract, now: datetime | None) -> tuple[str, str]:
    """SQL for the instant (ms) that no milestone may lie after, and what is said of one that does.

    Where the file's newest instant is to be its as-of, a mistyped year would carry the whole snapshot into the future.
    """
    if contract.as_of.from_ == "newest" and now is not None:
        return str(epoch_ms(now)), "lies in the future"
    return "epoch_ms(row_as_of)", "lies in the future of the snapshot"


def _word_problems(contract: Contract) -> list[str]:
    found = []
    if contract.status:
        words = sorted({word for channel in contract.status.map.values() for word in channel})
        unmapped = '"text status" IS NOT NULL AND status_milestone IS NULL'
        found.append(_branch(unmapped, "status", '"text status"', _unmapped("text status", "status map", words)))
    if contract.kind == "events" and "milestone" in contract.columns:
        words = sorted(contract.milestones or MILESTONES)
        unmapped = '"text milestone" IS NOT NULL AND status_milestone IS NULL'
        found.append(_branch(unmapped, "milestone", '"text milestone"', _unmapped("text milestone", "milestones", words)))
    if contract.as_of.from_ == "column":
        found.append(_branch("row_as_of IS NULL", "as_of", '"text as_of"', literal("is not an instant")))
    return found


def _unmapped(column: str, where: str, words: list[str]) -> str:
    """SQL for why a word has no meaning, with the nearest word that has one."""
    reason = literal(f"is not in the contract's {where}")
    if not words:
        return reason
    similarity = f"jaro_winkler_similarity(lower({identifier(column)}), lower(word))"
    known = ", ".join(literal(word) for word in words)
    scored = f"list_transform([{known}], lambda word: {{'similarity': {similarity}, 'word': word}})"
    near = f"list_reverse_sort({scored})[1]"
    hint = f"{literal(': did you mean ')} || to_json({near}.word) || '?'"
    elsewhere = literal(": it is mapped for other channels, not for this row's")
    hints = f"WHEN {near}.similarity = 1 THEN {elsewhere} WHEN {near}.similarity >= {_NEAR} THEN {hint}"
    return f"{reason} || CASE {hints} ELSE '' END"


def _branch(condition: str, column: str, shown: str, reason: str) -> str:
    """One refusal; `shown` and `reason` are SQL."""
    return f"WHEN {condition} THEN {{'column': {literal(column)}, 'value': {shown}, 'reason': {reason}}}"


def _refusals(
    connection: duckdb.DuckDBPyConnection, lines_of: Callable[[list[int]], list[int]], rejects: list[Reject]
) -> tuple[Refusal, ...]:
    rows = connection.execute(
        f"SELECT rowid + 1, problem.column, problem.value, problem.reason, raw FROM {STAGED} WHERE problem IS NOT NULL ORDER BY rowid"
    ).fetchall()
    skipped = sorted(reject.record for reject in rejects)
    lines = lines_of([record_at(position, skipped) for position, *_ in rows])
    found = [
        Refusal(line=line, column=column, value=value, reason=reason, raw=raw or "")
        for line, (_, column, value, reason, raw) in zip(lines, rows, strict=True)
    ]
    found += [Refusal(line=r.line, column="", value=None, reason=r.reason, raw=r.raw) for r in rejects]
    return tuple(sorted(found, key=lambda refusal: refusal.line))


def check_contract_sql(connection: duckdb.DuckDBPyConnection, contract: Contract, path: Path) -> None:
    """Raise ContractError, with the line in the file `path`, when an expression of the contract is no valid SQL, whatever its data hold."""
    names = {column for _, text in _expressions(contract) for column in expression_columns(text)}
    columns = ", ".join(f"NULL::VARCHAR AS {identifier(name)}" for name in sorted(names)) or "NULL AS nothing"
    try:
        connection.execute(f"EXPLAIN {staging_sql(contract, f'(SELECT {columns})', as_of=None, now=None)}")
    except duckdb.Error as error:
        faults = _faulty(connection, contract, columns) or [("", _said(error))]
        told = [f"{path}, line {line_of(path, where)}: {f'{where}: ' if where else ''}{said}" for where, said in faults]
        raise ContractError("\n".join(told)) from error


def _faulty(connection: duckdb.DuckDBPyConnection, contract: Contract, columns: str) -> list[tuple[str, str]]:
    """The keys of the contract whose expressions are no valid SQL by themselves, each with what is said of it."""
    faulty = []
    for where, expression in _expressions(contract):
        try:
            connection.execute(f"EXPLAIN SELECT {filled_text(contract, expression)} FROM (SELECT {columns})")
        except duckdb.Error as error:
            is_name = isinstance(error, duckdb.CatalogException) and re.fullmatch(r"[^'\"(]+\([^'\"()]*\)", expression.strip())
            hint = f" Where this is a column's name, {_in_quotes(expression)}" if is_name else ""
            faulty.append((where, _said(error) + hint))
    return faulty


def _said(error: duckdb.Error) -> str:
    """What the engine says, with its hint, without the statement it shows below."""
    return " ".join(line for line in str(error).split("LINE ")[0].splitlines() if line.strip())


def milestone_instants(contract: Contract) -> list[str]:
    """The mapped columns that hold milestone or event instants: what «newest» as-of is taken over."""
    types = {column.name: column.type for column in KIND_COLUMNS[contract.kind]}
    names = [name for name in contract.columns if types[name] == "instant" and name not in PROMISES]
    return [name for name in names if contract.kind != "orders" or milestone_of_column(name)] or names
