"""What was known of an order when: each sighting as it came, and what it added to or corrected in what was known before.

Seen-time is the instant a snapshot stands for, event-time the instant something happened. The law is that of the merge:
the newest sighting wins, a null never erases, a measured instant beats an inferred one, a withdrawn word erases.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from data.order import MILESTONE_BIT, ORDER_COLUMNS, ORDER_KEY

Row = Mapping[str, Any]
Kind = Literal["learned", "corrected", "withdrawn"]

FACTS: Final = tuple(column.name for column in ORDER_COLUMNS if column.name not in ORDER_KEY)
EARLIEST: Final = "exception_at"


@dataclass(frozen=True, kw_only=True)
class Source:
    """Who brought a snapshot, and what decides among sightings of the same instant."""

    name: str
    priority: int
    file_sha256: str


@dataclass(frozen=True, kw_only=True)
class Learned:
    """One change of what was known: the fact, before and after, seen at which instant and from whom."""

    seen_at: datetime
    source: str
    fact: str
    before: Any
    after: Any
    is_inferred: bool = False

    @property
    def kind(self) -> Kind:
        """Whether the fact was new, changed or taken back."""
        return "learned" if self.before is None else "withdrawn" if self.after is None else "corrected"


@dataclass(frozen=True, kw_only=True)
class _Held:
    value: Any = None
    is_inferred: bool = False


def history(sightings: Iterable[Row], sources: Mapping[int, Source]) -> list[Learned]:
    """Every change of what was known of the order, oldest first."""
    held: dict[str, _Held] = {}
    found: list[Learned] = []
    for row in sorted(sightings, key=lambda row: _version(row, sources)):
        source = sources[row["snapshot_id"]]
        for fact in FACTS:
            before = held.get(fact, _Held())
            after = _after(fact, before, row)
            held[fact] = after
            if after.value != before.value:
                found.append(
                    Learned(
                        seen_at=row["as_of"],
                        source=source.name,
                        fact=fact,
                        before=before.value,
                        after=after.value,
                        is_inferred=after.is_inferred,
                    )
                )
    return found


def known_at(changes: Iterable[Learned], instant: datetime) -> dict[str, Any]:
    """What was known at an instant: the facts that sightings up to it had brought."""
    known = {change.fact: change.after for change in changes if change.seen_at <= instant}
    return {fact: value for fact, value in known.items() if value is not None}


def _version(row: Row, sources: Mapping[int, Source]) -> tuple[datetime, str, int]:
    source = sources[row["snapshot_id"]]
    return row["as_of"], f"{source.priority:03d}/{source.file_sha256}", row["row_number"]


def _after(fact: str, before: _Held, row: Row) -> _Held:
    if fact in (row["withdrawn"] or ()):
        return _Held()
    value = row[fact]
    if value is None:
        return before
    bit = MILESTONE_BIT.get(fact.removesuffix("_at"), 0) if fact.endswith("_at") else 0
    is_inferred = bool((row["inferred_milestones"] or 0) & bit)
    if before.value is None:
        return _Held(value=value, is_inferred=is_inferred)
    if fact == EARLIEST:
        return _Held(value=min(before.value, value))
    if not is_inferred:
        return _Held(value=value)
    if before.is_inferred:
        return _Held(value=min(before.value, value), is_inferred=True)
    return before
