"""Rules as plain texts: the list, one rule with its versions, and the form with everything that helps to fill it in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from components.alerts import Fact, Stretch, Tone
from components.kit import mount
from components.topbar import Option
from components.worklist import Said, Tab

FieldKind = Literal["text", "long", "number", "choice", "many", "date", "hidden"]


@dataclass(frozen=True, kw_only=True)
class RuleRow:
    """One rule of the list."""

    key: str
    title: str
    about: str
    status: str
    tone: Tone
    health: str
    health_tone: Tone
    health_tip: str
    firing: str
    useful: str
    useful_tip: str
    owner: str
    changed: str
    marks: tuple[str, ...] = ()
    useful_tone: Tone = "neutral"
    useful_under: str = ""


@dataclass(frozen=True, kw_only=True)
class Note:
    """One thing to know about a rule: how grave, and what."""

    tone: Tone
    text: str


@dataclass(frozen=True, kw_only=True)
class Button:
    """Something to do; with `reason` a text is asked for first, with `question` a confirmation."""

    action: str
    name: str
    value: str = ""
    reason: str = ""
    question: str = ""
    is_main: bool = False


@dataclass(frozen=True, kw_only=True)
class VersionRow:
    """One version: who, when, why, and what differs from the one before."""

    number: str
    about: str
    reason: str
    marks: tuple[str, ...]
    changes: tuple[tuple[str, str, str], ...]
    buttons: tuple[Button, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Point:
    """One threshold of the frontier: its place (0–1, from the left and from below), what it says, and the value to take."""

    x: float
    y: float
    name: str
    tip: str
    value: str
    is_own: bool = False


@dataclass(frozen=True, kw_only=True)
class Lane:
    """One group on a time line."""

    name: str
    figure: str
    stretches: tuple[Stretch, ...]


@dataclass(frozen=True, kw_only=True)
class TrialView:
    """What a rule would have done: its figures, a time line per group, and the thresholds to choose from."""

    title: str
    note: str
    facts: tuple[Fact, ...]
    lanes: tuple[Lane, ...]
    lanes_title: str
    axis: tuple[str, ...]
    more: str = ""
    frontier_title: str = ""
    frontier_note: str = ""
    points: tuple[Point, ...] = ()
    x_name: str = ""
    y_name: str = ""
    x_ends: tuple[str, ...] = ()
    empty: str = ""


@dataclass(frozen=True, kw_only=True)
class StripRow:
    """One group's figure: usual span, middle and present as shares of the axis (0–1), None where there is none."""

    name: str
    least: float
    most: float
    low: float
    high: float
    middle: float
    now: float | None
    text: str
    tone: Tone
    tip: str


@dataclass(frozen=True, kw_only=True)
class StripPlot:
    """Where each group's figure usually lies, where it is now, and where the limits would be."""

    title: str
    legend: str
    rows: tuple[StripRow, ...]
    warning: float | None = None
    critical: float | None = None
    ends: tuple[str, ...] = ()
    more: str = ""
    empty: str = ""


@dataclass(frozen=True, kw_only=True)
class Field:
    """One input of the form; `suffix` is its unit, `wide` takes the whole line."""

    code: str
    name: str
    kind: FieldKind = "text"
    value: str = ""
    options: tuple[Option, ...] = ()
    suffix: str = ""
    hint: str = ""
    place: str = ""
    is_wide: bool = False


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of the form; `buttons` change its shape (add or remove a line)."""

    code: str
    title: str
    fields: tuple[Field, ...]
    buttons: tuple[Button, ...] = ()
    hint: str = ""
    is_open: bool = True


@dataclass(frozen=True, kw_only=True)
class LimitRow:
    """One group of the table of own limits."""

    code: str
    name: str
    now: str
    usual: str
    warning: str
    critical: str


@dataclass(frozen=True, kw_only=True)
class LimitTable:
    """Limits of single groups, for the first condition."""

    title: str
    hint: str
    heads: tuple[str, ...]
    suffix: str
    rows: tuple[LimitRow, ...]


@dataclass(frozen=True, kw_only=True)
class Editor:
    """The form: `stamp` tells one draft from the next, so that what was typed is not carried over.

    `preview` is what the rule would mean now, and where that is listed.
    """

    stamp: str
    title: str
    sections: tuple[Section, ...]
    sentences: tuple[Fact, ...]
    sentence_title: str
    notes: tuple[Note, ...]
    notes_title: str
    buttons: tuple[Button, ...]
    tries: tuple[Button, ...]
    try_title: str
    limits: LimitTable | None = None
    error: str = ""
    plot: StripPlot | None = None
    trial: TrialView | None = None
    changes: tuple[tuple[str, str, str], ...] = ()
    changes_title: str = ""
    preview: tuple[str, str] = ("", "")


@dataclass(frozen=True, kw_only=True)
class Detail:
    """One rule, opened."""

    key: str
    title: str
    status: str
    tone: Tone
    facts: tuple[Fact, ...]
    sentence_title: str
    sentences: tuple[Fact, ...]
    notes_title: str
    notes: tuple[Note, ...]
    buttons: tuple[Button, ...]
    versions_title: str
    versions: tuple[VersionRow, ...]
    events_title: str
    events: tuple[Fact, ...]
    trial: TrialView | None = None
    preview: tuple[str, str] = ("", "")


@dataclass(frozen=True, kw_only=True)
class RulesBoard:
    """The whole page: the list with one rule opened, or the form."""

    language: str
    title: str
    scope: str
    tabs: tuple[Tab, ...]
    columns: tuple[str, ...]
    rows: tuple[RuleRow, ...]
    words: dict[str, str]
    new: tuple[Button, ...]
    chosen: Detail | None = None
    editor: Editor | None = None
    said: Said | None = None
    cannot: str = ""
    empty: str = ""


def draw_rules(board: RulesBoard, *, key: str, on_choice: Callable[[], None]) -> dict[str, Any]:
    """Draw the page; triggers `choice` (a change of the address) and `act` (something to do, with the form's values)."""
    return mount("rules", board, key=key, triggers=("choice", "act"), on_trigger=on_choice)
