"""One order as its page shows it: the sentence, the facts, one time axis, what was known when, what went on around it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from components.board import Notice, State
from components.kit import mount


@dataclass(frozen=True, kw_only=True)
class Fact:
    """A name and what it is; `mark` says where it was inferred, `href` leads to orders like it."""

    name: str
    text: str
    tip: str = ""
    mark: str = ""


@dataclass(frozen=True, kw_only=True)
class FactGroup:
    """Facts under one heading."""

    title: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True, kw_only=True)
class Span:
    """A stage on the time axis: `left` and `width` in shares of it, the usual range likewise, its figures in words."""

    name: str
    left: float
    width: float
    usual_left: float | None
    usual_width: float | None
    dwell: str
    usual: str
    limit: str
    state: State
    state_word: str
    tip: str
    href: str = ""
    is_waiting: bool = False
    mark: str = ""


@dataclass(frozen=True, kw_only=True)
class Tick:
    """A labelled place on the time axis; `kind` is `hour`, `promise` or `now`."""

    left: float
    text: str
    kind: str = "hour"


@dataclass(frozen=True, kw_only=True)
class Axis:
    """The order's life on one axis."""

    title: str
    scope: str
    heads: tuple[str, ...]
    spans: tuple[Span, ...]
    ticks: tuple[Tick, ...]
    dots: tuple[Tick, ...]
    legend: str
    empty: str


@dataclass(frozen=True, kw_only=True)
class Table:
    """A small table of words; without rows `empty` says why."""

    title: str
    scope: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    empty: str


@dataclass(frozen=True, kw_only=True)
class Known:
    """One change of what was known: `step` numbers the sighting it came with."""

    step: int
    fact: str
    before: str
    after: str
    kind: str
    kind_word: str
    seen: str
    source: str
    delay: str
    is_withdrawn: bool = False


@dataclass(frozen=True, kw_only=True)
class Scrubber:
    """What was known at each sighting: `steps` are their instants in words, `changes` all changes, oldest first."""

    title: str
    scope: str
    slider: str
    known: str
    since: str
    none_since: str
    heads: tuple[str, ...]
    steps: tuple[str, ...]
    changes: tuple[Known, ...]
    empty: str


@dataclass(frozen=True, kw_only=True)
class Series:
    """A figure over the hours around: a line of bars (0–1 of the largest), its value at the marked hour in words."""

    name: str
    text: str
    bars: tuple[float | None, ...]
    marked: int
    tip: str


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What went on around the order."""

    title: str
    scope: str
    series: tuple[Series, ...]
    facts: tuple[Fact, ...]


@dataclass(frozen=True, kw_only=True)
class Party:
    """One thing known of whom the order is for; `shown_seconds` says how long an original is still shown in `masked`'s place."""

    field: str
    name: str
    text: str
    masked: str
    shown_seconds: int = 0


@dataclass(frozen=True, kw_only=True)
class Parties:
    """Whom the order is for; without `words` nobody is offered to reveal anything.

    `watermark` lies over the whole page, on paper too, for as long as an original is shown. `confirm` leads to the company's
    sign-in, which has to come first; without `is_password_asked` it has come.
    """

    title: str
    scope: str
    parties: tuple[Party, ...]
    words: dict[str, str]
    purposes: tuple[tuple[str, str], ...] = ()
    problem: str = ""
    watermark: str = ""
    confirm: str = ""
    is_password_asked: bool = True


@dataclass(frozen=True, kw_only=True)
class Work:
    """The order on the work list: `text` says who has it and leads there, `take` is the word for taking it on.

    `ask` and `undo` are what the browser sends to take it on and to take that back; `said` is what came of the last of them.
    """

    text: str
    href: str
    take: str
    tip: str
    ask: dict[str, str | int]
    said: str = ""
    is_refusal: bool = False
    undo_word: str = ""
    undo: dict[str, str | int] | None = None


@dataclass(frozen=True, kw_only=True)
class TwinPage:
    """The whole page; without an order only the search and the notice, which says why and leads on.

    `is_rest` has only what follows in place, below the first part.
    """

    language: str
    words: dict[str, str]
    notice: Notice | None = None
    title: str = ""
    status: str = ""
    state: State = "neutral"
    state_word: str = ""
    sentence: str = ""
    evidence: str = ""
    compared: tuple[str, str] | None = None
    back: tuple[str, str] | None = None
    journey: tuple[str, str] | None = None
    work: Work | None = None
    groups: tuple[FactGroup, ...] = ()
    axis: Axis | None = None
    events: Table | None = None
    attached: tuple[Table, ...] = ()
    scrubber: Scrubber | None = None
    around: Surroundings | None = None
    parties: Parties | None = None
    is_rest: bool = False


def draw_twin(page: TwinPage, *, key: str, on_choice: Callable[[], None]) -> dict[str, Any]:
    """Draw the order's page; the trigger `choice` asks for another order (`find`), a customer's link (`journey`) or an original (`reveal`).

    The trigger `act` asks for a change of the order's work.
    """
    return mount("twin", page, key=key, triggers=("choice", "act"), on_trigger=on_choice)
