"""The work list as plain texts: tabs, places to choose, rows with their record, and what can be done; drawn as one component."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from components.kit import mount
from components.topbar import Option

Tone = Literal["critical", "warning", "good", "neutral"]


@dataclass(frozen=True, kw_only=True)
class Tab:
    """One way to see the list, with how many orders it has."""

    code: str
    name: str
    count: str
    is_on: bool = False
    is_urgent: bool = False


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A place to narrow the list by: its key in the address, its name, what means everything, and the options with counts."""

    code: str
    name: str
    everything: str
    options: tuple[Option, ...]


@dataclass(frozen=True, kw_only=True)
class Line:
    """A note, or one change of the record in words; `undo` is the change's number where it can be taken back."""

    who: str
    when: str
    text: str
    undo: str = ""


@dataclass(frozen=True, kw_only=True)
class ReviewLine:
    """One rule's review of an order: how far it is, and whether this user may confirm it or take that back."""

    rule: str
    title: str
    advice: str
    tone: Tone
    state: str
    about: str
    is_open: bool
    can_confirm: bool
    can_withdraw: bool


@dataclass(frozen=True, kw_only=True)
class Job:
    """One order to work on. `key` is `channel/order_id`; `people` names the group in `WorkBoard.people` it can be given to.

    `is_calm` says that its tone is a review's: nothing about it is late."""

    key: str
    channel: str
    order_id: str
    title: str
    href: str
    tone: Tone
    trouble: str
    lateness: str
    promise: str
    place: str
    origin: str
    stage: str
    waited: str
    content: str
    marks: tuple[str, ...]
    assignee: str
    assignee_name: str
    state: str
    state_name: str
    follow_up: str
    is_due: bool
    remark: str
    people: str
    version: int
    notes: tuple[Line, ...] = ()
    history: tuple[Line, ...] = ()
    reviews: tuple[ReviewLine, ...] = ()
    is_calm: bool = False


@dataclass(frozen=True, kw_only=True)
class Said:
    """What came of the last act: a sentence, whether it was refused, and the change's number where it can be taken back."""

    text: str
    is_refusal: bool = False
    key: str = ""
    undo: str = ""
    number: int = 0


@dataclass(frozen=True, kw_only=True)
class WorkBoard:
    """The whole list; `chosen` is the order in the panel, `more` is what asks for further rows, empty where there are none."""

    language: str
    title: str
    scope: str
    tabs: tuple[Tab, ...]
    choices: tuple[Choice, ...]
    jobs: tuple[Job, ...]
    people: dict[str, tuple[Option, ...]]
    states: tuple[Option, ...]
    follow_ups: tuple[Option, ...]
    words: dict[str, str]
    handover: str
    definition: tuple[str, str] | None
    longest_note: int
    can_act: bool = True
    chosen: Job | None = None
    said: Said | None = None
    empty: str = ""
    more: str = ""
    cannot: str = ""
    columns: tuple[str, ...] = field(default=())


def draw_worklist(board: WorkBoard, *, key: str, on_choice: Callable[[], None]) -> dict[str, Any]:
    """Draw the list; triggers `choice` (a change of the address) and `act` (something to do), None where silent."""
    return mount("worklist", board, key=key, triggers=("choice", "act"), on_trigger=on_choice)
