"""The handover sheet as plain texts: a few figures and tables, on the screen and on paper."""

from __future__ import annotations

from dataclasses import dataclass

from components.kit import mount


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One number of the summary; `href` leads to what it means."""

    name: str
    value: str
    href: str = ""


@dataclass(frozen=True, kw_only=True)
class SheetTable:
    """One table with its heading; `empty` is said where it has no rows. Cells may have several lines."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    empty: str


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """The whole sheet; `signatures` are the lines to sign on paper, `back` leads to the work list."""

    language: str
    title: str
    subtitle: str
    facts: tuple[str, ...]
    figures: tuple[Figure, ...]
    tables: tuple[SheetTable, ...]
    signatures: tuple[str, ...]
    back: str
    words: dict[str, str]


def draw_handover(sheet: Sheet, *, key: str) -> None:
    """Draw the sheet; it asks nothing of the server."""
    mount("handover", sheet, key=key)
