"""Planted incidents: what goes wrong in the demo country, where, at which stage, from when until when.

Each kind comes back for good at its own period; the one with number 0 surrounds the world's founding, so that the wall
opens on an incident unfolding. `write_labels` writes the answer key that detectors are measured against.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Literal

import yaml

from data.demo.world import World

Kind = Literal["storm", "carrier_decay", "finance_review", "silent_source", "city_returns"]

BIG_AMOUNT: Final = 5000


@dataclass(frozen=True, kw_only=True)
class Incident:
    """One planted incident, half-open in time: [starts_at, ends_at)."""

    kind: Kind
    number: int
    starts_at: datetime
    ends_at: datetime
    stage: str
    dimension: str
    place: str
    category: str | None = None

    @property
    def label(self) -> str:
        """A stable name, for example `storm-0`."""
        return f"{self.kind}-{self.number}"


@dataclass(frozen=True, kw_only=True)
class Recurrence:
    """How one kind of incident comes back: offset of number 0 from the anchor, period, duration, and where, in turn."""

    kind: Kind
    stage: str
    dimension: str
    offset: timedelta
    period: timedelta
    duration: timedelta
    places: tuple[tuple[str, str | None], ...]


RECURRENCES: Final = (
    Recurrence(
        kind="storm",
        stage="accepted",
        dimension="warehouse_id",
        offset=-timedelta(hours=16, minutes=20),
        period=timedelta(days=5),
        duration=timedelta(hours=23),
        places=(("WH-SHA", None), ("WH-XMN", None), ("WH-CAN", None), ("WH-HGH", None), ("WH-TAO", None)),
    ),
    Recurrence(
        kind="carrier_decay",
        stage="out_for_delivery",
        dimension="carrier_id",
        offset=-timedelta(days=2, hours=14),
        period=timedelta(days=10),
        duration=timedelta(days=3),
        places=(("SHANXIN", None), ("BEITU", None), ("HAITING", None)),
    ),
    Recurrence(
        kind="finance_review",
        stage="approved",
        dimension="amount",
        offset=-timedelta(days=3, hours=4),
        period=timedelta(days=16),
        duration=timedelta(days=5),
        places=((f"> {BIG_AMOUNT}", None),),
    ),
    Recurrence(
        kind="silent_source",
        stage="",
        dimension="source",
        offset=-timedelta(hours=3, minutes=10),
        period=timedelta(days=4),
        duration=timedelta(hours=4, minutes=30),
        places=(("crm", None), ("tms", None)),
    ),
    Recurrence(
        kind="city_returns",
        stage="return_requested",
        dimension="city",
        offset=-timedelta(days=4),
        period=timedelta(days=12),
        duration=timedelta(days=6),
        places=(("成都市", "small_appliance"), ("武汉市", "shoes"), ("广州市", "beauty")),
    ),
)


def incidents_between(world: World, start: datetime, end: datetime) -> tuple[Incident, ...]:
    """Every incident that touches [start, end), kind by kind, oldest first."""
    return tuple(incident for recurrence in RECURRENCES for incident in _occurrences(world, recurrence, start, end))


def write_labels(path: Path, world: World, end: datetime) -> Path:
    """Write the incidents from the world's start until `end` as YAML: label, kind, stage, dimension, place, from, until."""
    rows = [
        {
            "label": incident.label,
            "kind": incident.kind,
            "stage": incident.stage or None,
            "dimension": incident.dimension,
            "place": incident.place,
            "category": incident.category,
            "from": _iso(incident.starts_at),
            "until": _iso(incident.ends_at),
        }
        for incident in incidents_between(world, world.midnight(world.start_day), end)
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(rows, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return path


def is_silent(world: World, source: str, instant: datetime) -> bool:
    """Whether a source writes nothing at this instant; `crm` silences both files of the customer desk."""
    silent = incidents_between(world, instant, instant + timedelta(milliseconds=1))
    return any(incident.kind == "silent_source" and source.startswith(incident.place) for incident in silent)


def _occurrences(world: World, recurrence: Recurrence, start: datetime, end: datetime) -> Iterator[Incident]:
    origin = world.anchor + recurrence.offset
    number = (start - recurrence.duration - origin) // recurrence.period
    while (begin := origin + number * recurrence.period) < end:
        if begin + recurrence.duration > start:
            place, category = recurrence.places[number % len(recurrence.places)]
            yield Incident(
                kind=recurrence.kind,
                number=number,
                starts_at=begin,
                ends_at=begin + recurrence.duration,
                stage=recurrence.stage,
                dimension=recurrence.dimension,
                place=place,
                category=category,
            )
        number += 1


def _iso(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
