"""Alerts as plain texts: the list with its tabs and time line, one alert opened, and the strip on top of every page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from components.kit import mount
from components.panel import Action, OrderRows, Parts
from components.topbar import Option
from components.worklist import Choice, Said, Tab

Tone = Literal["critical", "warning", "stale", "neutral", "good"]


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """A stretch of one state on a time line: from and to as shares of it (0–1), its tone, and what it says."""

    start: float
    end: float
    tone: Tone
    tip: str = ""


@dataclass(frozen=True, kw_only=True)
class AlertRow:
    """One alert. `key` names it for acts, `spark` is its figure at the last instants, `limit` the threshold that counts."""

    key: str
    tone: Tone
    state: str
    title: str
    place: str
    value: str
    limit: str
    since: str
    lasted: str
    holder: str
    has_holder: bool
    marks: tuple[str, ...] = ()
    spark: tuple[float | None, ...] = ()
    stretches: tuple[Stretch, ...] = ()
    href: str = ""


@dataclass(frozen=True, kw_only=True)
class Band:
    """Values of a figure with where it warns and where it is critical; `down` says that low values are the bad ones.

    Limits are one value per instant (they move when the figure is compared with its past). `stretches` are episodes.
    """

    title: str
    values: tuple[float | None, ...]
    warning: tuple[float | None, ...] = ()
    critical: tuple[float | None, ...] = ()
    down: bool = False
    tips: tuple[str, ...] = ()
    stretches: tuple[Stretch, ...] = ()
    first: str = ""
    last: str = ""
    top: str = ""
    bottom: str = ""
    legend: str = ""
    spoken: str = ""
    empty: str = ""


@dataclass(frozen=True, kw_only=True)
class Fact:
    """A line of an explanation: its name and its text; `href` is an address outside that the text leads to, http or https."""

    name: str
    text: str
    href: str = ""


@dataclass(frozen=True, kw_only=True)
class Deed:
    """What somebody did; `undo` is its number where it can be taken back."""

    who: str
    when: str
    text: str
    undo: str = ""


@dataclass(frozen=True, kw_only=True)
class Why:
    """One alert, opened."""

    row: AlertRow
    headline: str
    facts: tuple[Fact, ...]
    sentence_title: str
    sentence: str
    rule_href: str
    rule_link: str
    people: tuple[Option, ...]
    assignee: str
    is_acknowledged: bool
    verdicts: tuple[Option, ...]
    silences: tuple[Option, ...]
    reaches: tuple[Option, ...]
    silence: str = ""
    silence_id: str = ""
    band: Band | None = None
    actions: tuple[Action, ...] = ()
    parts: Parts | None = None
    orders: OrderRows | None = None
    past: Parts | None = None
    deeds: tuple[Deed, ...] = ()


@dataclass(frozen=True, kw_only=True)
class AlertBoard:
    """The whole page."""

    language: str
    title: str
    scope: str
    tabs: tuple[Tab, ...]
    choices: tuple[Choice, ...]
    columns: tuple[str, ...]
    axis: tuple[str, ...]
    rows: tuple[AlertRow, ...]
    words: dict[str, str]
    figures: tuple[Fact, ...] = ()
    chosen: Why | None = None
    said: Said | None = None
    can_act: bool = True
    cannot: str = ""
    empty: str = ""
    banner: str = ""


@dataclass(frozen=True, kw_only=True)
class Strip:
    """The strip on every page: how many alerts there are, and the most urgent of them.

    `news` are the keys of the alerts that fire, so that the browser knows which are new.
    """

    language: str
    title: str
    href: str
    critical: str
    warning: str
    other: str
    rows: tuple[AlertRow, ...]
    words: dict[str, str]
    news: tuple[str, ...] = field(default=())
    calm: str = ""
    banner: str = ""


def draw_alerts(board: AlertBoard, *, key: str, on_choice: Callable[[], None]) -> dict[str, Any]:
    """Draw the page; triggers `choice` and `open` (a change of the address) and `act` (something to do)."""
    return mount("alerts", board, key=key, triggers=("choice", "open", "act"), on_trigger=on_choice)


def draw_strip(strip: Strip, *, key: str) -> None:
    """Draw the strip."""
    mount("strip", strip, key=key)
