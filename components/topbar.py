"""The bar on top of every page: title, what is shown, how fresh it is, and the few controls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from components.kit import mount
from components.saved_views import SavedMenu


@dataclass(frozen=True, kw_only=True)
class Option:
    """A value that can be chosen."""

    code: str
    name: str
    is_on: bool = False


@dataclass(frozen=True, kw_only=True)
class FilterGroup:
    """A global filter: its key in the address, its name and what is in scope."""

    code: str
    name: str
    options: tuple[Option, ...]


@dataclass(frozen=True, kw_only=True)
class AsOf:
    """The as-of chooser: `value` is a local instant as `datetime-local` has it, empty when live."""

    name: str
    live: str
    value: str = ""
    min: str = ""
    max: str = ""


@dataclass(frozen=True, kw_only=True)
class Filters:
    """The filter menu; `active` counts what differs from the plain page, empty for none."""

    window_name: str
    windows: tuple[Option, ...]
    as_of: AsOf
    groups: tuple[FilterGroup, ...]
    active: str = ""


@dataclass(frozen=True, kw_only=True)
class Live:
    """Whether the page is live, in the past, or has no source that delivers; with the data's instant."""

    state: Literal["live", "past", "stale"]
    text: str
    tip: str


@dataclass(frozen=True, kw_only=True)
class Source:
    """One source's age and state."""

    name: str
    age: str
    state: Literal["fresh", "late", "stale", "once"]
    tip: str


@dataclass(frozen=True, kw_only=True)
class Tally:
    """How many of the page's figures are in a state."""

    state: Literal["critical", "warning"]
    number: int
    word: str
    tip: str


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A calendar mark: a shift, a cut-off, a holiday or a promotion day."""

    text: str
    tip: str


@dataclass(frozen=True, kw_only=True)
class PageLink:
    """A page of the menu."""

    name: str
    href: str
    is_here: bool


@dataclass(frozen=True, kw_only=True)
class Chip:
    """An active filter beside the global ones: its key in the address, what it says, and what removing it is called."""

    code: str
    text: str
    remove: str


@dataclass(frozen=True, kw_only=True)
class UserBadge:
    """Who is signed in."""

    name: str
    initial: str
    role: str


@dataclass(frozen=True, kw_only=True)
class Topbar:
    """Everything the bar shows; `words` are the controls' texts, `theme` is set when the address asks for one."""

    language: str
    title: str
    scope: str
    live: Live
    filters: Filters
    user: UserBadge
    other_language: Option
    words: dict[str, str]
    sources: tuple[Source, ...] = ()
    counts: tuple[Tally, ...] = ()
    marks: tuple[Mark, ...] = ()
    problems: tuple[str, ...] = ()
    chips: tuple[Chip, ...] = ()
    pages: tuple[PageLink, ...] = ()
    paths: tuple[str, ...] = field(default=("/",))
    theme: str = ""
    can_go_full: bool = False
    saved: SavedMenu | None = None


def draw_topbar(bar: Topbar, *, key: str, on_choice: Callable[[], None]) -> dict[str, Any]:
    """Draw the bar; triggers `choice` (a change of the address) and `saved` (an act on saved views), None where silent."""
    return mount("topbar", bar, key=key, triggers=("choice", "saved"), on_trigger=on_choice)
