"""What a reader gives: a relation of text columns, and the lines it could not split into columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass


class SourceError(ValueError):
    """A file or table cannot be read as its contract says; the message names it, the reason and the remedy."""


@dataclass(frozen=True, kw_only=True)
class Reject:
    """A record that the reader could not split: its physical line, raw text and the reason."""

    record: int
    line: int
    raw: str
    reason: str


def no_rejects() -> list[Reject]:
    """For readers whose records are always whole."""
    return []


def same_record(records: Sequence[int]) -> list[int]:
    """Record numbers as they are, where a source has no lines."""
    return list(records)


def record_at(position: int, skipped: Sequence[int]) -> int:
    """The record number in the file of the row at `position`, given the ascending numbers of the records that were set apart."""
    record = position
    for reject in skipped:
        if reject <= record:
            record += 1
    return record


@dataclass(frozen=True, kw_only=True)
class TextRows:
    """A relation (SQL) whose `columns` are all VARCHAR, in the order of the source.

    `rejects` is called after the relation was read; `lines` gives the physical lines of records (1 = first).
    """

    relation: str
    columns: tuple[str, ...]
    rejects: Callable[[], list[Reject]] = no_rejects
    lines: Callable[[Sequence[int]], list[int]] = same_record
