"""A contract's SQL expression made safe for one row: what fails gives null, and it is known that it failed.

A cast or a parse that fails must refuse its row with a reason, never the file. So casts and `strptime` become their
trying twins, and beside the value stands a second expression in which a failed cast gives a stand-in: where the value
is null and the stand-in is not, something the row did have could not be read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import sqlglot
from sqlglot import exp

from data.sql_text import identifier, literal

_HARMLESS: Final = (
    exp.Column,
    exp.Identifier,
    exp.Literal,
    exp.Null,
    exp.Boolean,
    exp.Paren,
    exp.Case,
    exp.If,
    exp.Coalesce,
    exp.Nullif,
    exp.Lower,
    exp.Upper,
    exp.Trim,
    exp.DPipe,
    exp.Concat,
    exp.ConcatWs,
    exp.Replace,
    exp.Left,
    exp.Right,
    exp.Is,
    exp.Not,
    exp.And,
    exp.Or,
    exp.EQ,
    exp.NEQ,
    exp.In,
)
"""What never fails on text."""

_NEVER_RAISING: Final = (
    *_HARMLESS,
    exp.Cast,
    exp.TryCast,
    exp.StrToTime,
    exp.Substring,
    exp.SplitPart,
    exp.RegexpReplace,
    exp.RegexpExtract,
    exp.Length,
    exp.Greatest,
    exp.Least,
)
"""What does not fail, once every cast and parse is its trying twin."""

_STAND_INS: Final = {"date": "DATE '2000-01-01'", "time": "TIME '00:00:00'", "interval": "INTERVAL 1 DAY", "boolean": "true"}
_PARSED: Final = "try_strptime"


@dataclass(frozen=True, kw_only=True)
class SafeExpression:
    """`value` gives null where anything failed; `fault` (empty when nothing can fail) is true where a filled value could not be read."""

    value: str
    fault: str


def safe_expression(text: str, words: tuple[str, ...]) -> SafeExpression:
    """The safe twin of one expression; `words` are the texts that mean «nothing here» and are no failure."""
    parsed = sqlglot.parse_one(text, dialect="duckdb")
    if isinstance(parsed, exp.Column):
        return SafeExpression(value=identifier(parsed.name), fault="")
    if all(isinstance(node, _HARMLESS) for node in parsed.walk()):
        return SafeExpression(value=_render(parsed), fault="")
    value = f"TRY({_render(parsed.transform(_trying))})"
    failed = f"TRY(coalesce(({_render(parsed.transform(_trying))})::VARCHAR, '')) IS NULL"
    if any(_can_fail(node) for node in parsed.walk()):
        stand_in = _render(parsed.transform(lambda node: _standing_in(node, words)))
        failed = f"({failed} OR TRY({stand_in}) IS NOT NULL)"
    return SafeExpression(value=value, fault=f"({value} IS NULL AND {failed})")


def may_raise(text: str) -> bool:
    """Whether an expression calls a function that may refuse a value, as those over JSON do malformed ones.

    The engine works out once what occurs several times in a statement, before any TRY around it: there that must not be.
    """
    return any(
        isinstance(node, exp.Func) and not isinstance(node, _NEVER_RAISING)
        for node in sqlglot.parse_one(text, dialect="duckdb").walk()
    )


def _can_fail(node: exp.Expr) -> bool:
    return isinstance(node, exp.StrToTime) or (type(node) is exp.Cast and not node.to.is_type("text", "varchar"))


def _trying(node: exp.Expr) -> exp.Expr:
    """A cast as its trying twin, and so every cast within it: the engine works a plain one out before any TRY around it."""
    return exp.TryCast(this=node.this.transform(_trying), to=node.to) if type(node) is exp.Cast else node


def _standing_in(node: exp.Expr, words: tuple[str, ...]) -> exp.Expr:
    """A cast or parse that gives a stand-in where it fails on text that is not one of `words`."""
    if not isinstance(node, exp.Cast | exp.StrToTime) or isinstance(node, exp.TryCast):
        return node
    inner = node.this.transform(lambda within: _standing_in(within, words))
    if isinstance(node, exp.Cast) and not _can_fail(node):
        return exp.TryCast(this=inner, to=node.to)
    argument = inner.sql(dialect="duckdb", identify=True)
    kind = node.to.sql(dialect="duckdb").lower() if isinstance(node, exp.Cast) else "timestamp"
    stand_in = next((value for name, value in _STAND_INS.items() if kind == name), "")
    stand_in = stand_in or ("TIMESTAMP '2000-01-01'" if kind.startswith("timestamp") else f"1::{kind}")
    tried = _render(exp.TryCast(this=inner, to=node.to) if isinstance(node, exp.Cast) else _with_argument(node, inner))
    listed = ", ".join(literal(word) for word in ("", *words))
    filled = f"trim(({_render_text(argument)})::VARCHAR) NOT IN ({listed})"
    return exp.Anonymous(this="coalesce", expressions=[_raw(tried), _raw(f"CASE WHEN {filled} THEN {stand_in} END")])


def _with_argument(node: exp.Expr, argument: exp.Expr) -> exp.Expr:
    other = node.copy()
    other.set("this", argument)
    return other


def _raw(sql: str) -> exp.Expr:
    return exp.Var(this=sql)


def _render(node: exp.Expr) -> str:
    return _render_text(node.sql(dialect="duckdb", identify=True))


def _render_text(sql: str) -> str:
    return re.sub(r"\bSTRPTIME\(", f"{_PARSED}(", sql)
