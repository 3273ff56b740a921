"""A register: rows with what can be done about each, forms beside them, and the outcome of what was just done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from components.kit import mount

FieldKind = Literal["text", "choice", "tree", "date"]


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One value to choose, and whether it is chosen."""

    code: str
    name: str
    is_on: bool = False


@dataclass(frozen=True, kw_only=True)
class Branch:
    """Choices under one heading: a country's regions."""

    name: str
    choices: tuple[Choice, ...]


@dataclass(frozen=True, kw_only=True)
class Field:
    """One input of a form: `choices` for a choice (with `branches` below headings), `branches` for a tree of boxes to tick."""

    code: str
    name: str
    kind: FieldKind = "text"
    value: str = ""
    choices: tuple[Choice, ...] = ()
    branches: tuple[Branch, ...] = ()
    hint: str = ""
    is_needed: bool = False


@dataclass(frozen=True, kw_only=True)
class Form:
    """A form: `action` comes back with its values; `key` tells one form from the next in its place, a quiet one does not ask to be sent."""

    action: str
    key: str
    title: str
    submit: str
    fields: tuple[Field, ...]
    note: str = ""
    is_inline: bool = False
    is_quiet: bool = False


@dataclass(frozen=True, kw_only=True)
class Act:
    """Something to do about a row; `question` is asked before it is done."""

    action: str
    name: str
    question: str = ""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One row: a cell per column, the first one its heading; `mark` is a state with a word, never colour alone.

    The mark stands behind the heading, or in place of the cell that `mark_cell` counts.
    """

    key: str
    cells: tuple[str, ...]
    mark: str = ""
    mark_cell: int = 0
    state: Literal["neutral", "warning", "critical"] = "neutral"
    acts: tuple[Act, ...] = ()
    tip: str = ""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of the last action; `secret` is shown once, to be copied. With a form's key in `form` it stands there."""

    text: str
    state: Literal["good", "critical"] = "good"
    secret: str = ""
    form: str = ""


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """One more table below the register's own, with its own columns."""

    title: str
    note: str
    columns: tuple[str, ...]
    entries: tuple[Entry, ...]
    empty: str = ""
    acts_name: str = ""
    is_first: bool = False


@dataclass(frozen=True, kw_only=True)
class Register:
    """Everything the register shows; `sheets` stand below its table, those that are first above it."""

    language: str
    title: str
    note: str
    columns: tuple[str, ...]
    entries: tuple[Entry, ...]
    empty: str
    forms: tuple[Form, ...] = ()
    outcome: Outcome | None = None
    acts_name: str = ""
    sheets: tuple[Sheet, ...] = ()


def draw_register(register: Register, *, key: str, on_act: Callable[[], None]) -> None:
    """Draw it; the trigger `act` carries `action`, `key` and `values` and calls `on_act` before the next run."""
    mount("register", register, key=key, triggers=("act",), on_trigger=on_act)
