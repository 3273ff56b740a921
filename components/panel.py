"""The panel beside a page: one figure, what it means and is made of, how it moved, who contributes, and the orders behind it."""

from __future__ import annotations

from dataclasses import dataclass

from components.board import State


@dataclass(frozen=True, kw_only=True)
class Fact:
    """A line of a definition: its name and its text; of two or more lines where it lists things."""

    name: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Contract:
    """What a figure means: facts in words, and the SQL that gave it."""

    title: str
    facts: tuple[Fact, ...]
    sql_name: str
    sql: str


@dataclass(frozen=True, kw_only=True)
class Line:
    """A series over time, None for gaps; `before` is the same a week earlier. `first` and `last` label the axis' ends.

    `href` is where its title leads. Lines with the same `ceiling` are drawn to one scale from zero; without one a line fills its own height.
    """

    title: str
    values: tuple[float | None, ...]
    before: tuple[float | None, ...] = ()
    target: float | None = None
    ceiling: float | None = None
    top: str = ""
    bottom: str = ""
    first: str = ""
    last: str = ""
    spoken: str = ""
    tips: tuple[str, ...] = ()
    href: str = ""
    before_name: str = ""
    target_name: str = ""


@dataclass(frozen=True, kw_only=True)
class Part:
    """One contributor: its figure, a bar of its share (0–1), a note, where it leads, and to the form of an alert on it."""

    name: str
    value: str
    share: float
    note: str = ""
    tip: str = ""
    href: str = ""
    tone: State = "neutral"
    state_word: str = ""
    alert: str = ""


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Contributors, the largest first; `empty` is said when there are none, `alert_word` names what their flags do."""

    title: str
    scope: str = ""
    empty: str = ""
    rows: tuple[Part, ...] = ()
    heads: tuple[str, ...] = ()
    alert_word: str = ""


@dataclass(frozen=True, kw_only=True)
class OrderRows:
    """The first orders behind a figure: heads, rows of texts, each row's link."""

    title: str
    heads: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    hrefs: tuple[str, ...] = ()
    empty: str = ""


@dataclass(frozen=True, kw_only=True)
class Action:
    """A way on from the panel."""

    name: str
    href: str
    is_main: bool = False


@dataclass(frozen=True, kw_only=True)
class Compared:
    """The second cell beside the first: its name and figure, the difference, and how sure that is."""

    title: str
    value: str
    note: str
    difference: str
    sure: str


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One figure, opened. `note` says what the value stands on, `lines` what it is compared with.

    With `compare` there is a switch of that name: the next cell chosen stands beside this one.
    """

    language: str
    title: str
    subtitle: str
    close: str
    value: str
    state: State = "neutral"
    state_word: str = ""
    note: str = ""
    lines: tuple[str, ...] = ()
    compared: Compared | None = None
    trend: Line | None = None
    parts: Parts | None = None
    orders: OrderRows | None = None
    actions: tuple[Action, ...] = ()
    contract: Contract | None = None
    compare: str = ""
    compare_tip: str = ""
