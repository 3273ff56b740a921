"""The menu of saved views in the top bar: what it lists and says. The top bar draws it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class RoleChoice:
    """A role a view can be shared with."""

    code: str
    name: str


@dataclass(frozen=True, kw_only=True)
class SavedEntry:
    """One saved view: where it leads, whose it is or with whom it is shared, and what the user may do with it."""

    id: str
    name: str
    href: str
    note: str
    roles: tuple[str, ...]
    is_own: bool
    is_here: bool
    is_start: bool


@dataclass(frozen=True, kw_only=True)
class DeletedEntry:
    """A deleted view that can be brought back; `note` says until when."""

    id: str
    name: str
    note: str


@dataclass(frozen=True, kw_only=True)
class SavedSaid:
    """What came of the last act; `restore` is the id of the view that can be brought back."""

    text: str
    is_refusal: bool = False
    restore: str = ""


@dataclass(frozen=True, kw_only=True)
class SavedMenu:
    """The whole menu; `changed` is the id of the own view that is open but no longer as saved, empty for none."""

    words: dict[str, str]
    entries: tuple[SavedEntry, ...]
    roles: tuple[RoleChoice, ...]
    longest_name: int
    changed: str = ""
    said: SavedSaid | None = None
    deleted: tuple[DeletedEntry, ...] = ()
