"""Snapshots as the source systems of the demo country write them: which files are due when, and their rows.

A snapshot holds every row of its source that changed in (since, as_of], as known at as_of: nothing later stands in it.
History and live are one plan over the same world, so live goes on where the last file ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import ceil
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from data.demo.incidents import incidents_between, is_silent
from data.demo.shape import SOURCES, add_wrong_rows, changed_between, encode, shape
from data.demo.simulate import LONGEST_LIFE, as_known, simulate_day
from data.demo.world import GRID, World, floor_to

FINE: Final = timedelta(hours=1)
LOOK_BACK: Final = timedelta(hours=12)
CONTACTS_KEPT: Final = timedelta(hours=6)
"""Files of longer times come from an archive without personal data."""
CACHED_ROWS: Final = 1_200_000
DAY: Final = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Emission:
    """One file that is due: the rows of `source` that changed in (since, as_of]."""

    as_of: datetime
    source: str
    since: datetime

    @property
    def file_name(self) -> str:
        """Source and as-of (UTC), for example `oms_20260105T013000Z.csv`."""
        return f"{self.source}_{self.as_of:%Y%m%dT%H%M%S}Z{SOURCES[self.source].suffix}"


def plan_emissions(
    world: World,
    last: Mapping[str, datetime],
    until: datetime,
    *,
    fine: timedelta = FINE,
    whole: timedelta = DAY,
    pace: float = 1.0,
) -> list[Emission]:
    """Every file due after each source's last as-of (none: since the world began) up to `until`, oldest first.

    Old time comes as one file per `whole` (business days); the `fine` time before `until` comes at each source's own
    period, times `pace` where demo time runs faster. A silent source writes nothing until it speaks again, then all at once.
    Of one instant the orders come first, then what belongs to them.
    """
    emissions: list[Emission] = []
    for name in SOURCES:
        since = last.get(name, world.midnight(world.start_day))
        for instant in _instants(world, name, since, until, (whole, fine, pace)):
            as_of = _last_spoken(world, name, instant)
            if as_of > since:
                emissions.append(Emission(as_of=as_of, source=name, since=since))
                since = as_of
    return sorted(emissions, key=lambda emission: (emission.as_of, list(SOURCES).index(emission.source)))


class DemoCountry:
    """A world with the rows that still change kept at hand; cheap to ask forward in time, possible in any order."""

    def __init__(self, world: World) -> None:
        """Nothing is simulated before the first question."""
        self.world = world
        self._days: dict[date, pl.DataFrame] = {}
        self._rows: pl.DataFrame | None = None
        self._since = world.midnight(world.start_day)
        self._through = world.start_day

    def changed(self, source: str, since: datetime, as_of: datetime) -> pl.DataFrame:
        """Simulated rows of a source that changed in (since, as_of], knowing nothing later than as_of."""
        rows = self._rows_between(since, as_of)
        found = rows.filter(changed_between(SOURCES[source], _at(since), _at(as_of)))
        return as_known(found, _at(as_of))

    def rows(self, emission: Emission) -> pl.DataFrame:
        """The rows of a file, all text, wrong rows included; the same for the same world and emission.

        Where nothing changed the newest row of the last hours comes again, so that the file still says how fresh it is.
        """
        source = SOURCES[emission.source]
        known = self.changed(emission.source, emission.since, emission.as_of)
        if known.is_empty():
            known = self._newest(emission)
        random = np.random.default_rng([self.world.seed, list(SOURCES).index(source.name), int(emission.as_of.timestamp())])
        has_contacts = emission.as_of - emission.since <= CONTACTS_KEPT
        return add_wrong_rows(source, shape(source, known, self.world.zone, has_contacts=has_contacts), random)

    def write(self, emission: Emission, folder: Path) -> Path | None:
        """Write one file (complete at once: under another name first) and return its path; None when there is no row."""
        rows = self.rows(emission)
        if rows.is_empty():
            return None
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / emission.file_name
        part = path.with_name(f".{path.name}.part")
        part.write_bytes(encode(SOURCES[emission.source], rows))
        return part.replace(path)

    def write_all(self, emissions: Iterable[Emission], folder: Path) -> Iterator[Path]:
        """Write each file that has rows, in the order given, one at a time as asked for."""
        for emission in emissions:
            if path := self.write(emission, folder):
                yield path

    def _newest(self, emission: Emission) -> pl.DataFrame:
        """The row that changed last before a quiet time; none when the quiet was longer than LOOK_BACK."""
        changes = SOURCES[emission.source].changes
        lately = self.changed(emission.source, emission.since - LOOK_BACK, emission.as_of)
        return lately.sort(pl.max_horizontal(*changes), "channel", "order_id").tail(1)

    def _rows_between(self, since: datetime, as_of: datetime) -> pl.DataFrame:
        """Simulated rows among which are all that change in (since, as_of]."""
        through, keep = self.world.day_of(as_of), since - LOOK_BACK
        if self._rows is None or since < self._since:
            first = max(self.world.start_day, self.world.day_of(keep - LONGEST_LIFE))
            self._rows = self._simulated(first, through, keep)
            self._since, self._through = keep, through
        elif through > self._through:
            kept = self._rows.filter(pl.col("last_change_at") > _at(keep))
            self._rows = pl.concat([kept, self._simulated(self._through + DAY, through, keep)])
            self._since, self._through = keep, through
        return self._rows

    def _simulated(self, first: date, through: date, since: datetime) -> pl.DataFrame:
        days = [first + timedelta(days=ahead) for ahead in range((through - first).days + 1)]
        return pl.concat([self._day(day).filter(pl.col("last_change_at") > _at(since)) for day in days])

    def _day(self, day: date) -> pl.DataFrame:
        if day not in self._days:
            rows = simulate_day(self.world, day)
            while self._days and sum(map(len, self._days.values())) + len(rows) > CACHED_ROWS:
                self._days.pop(next(iter(self._days)))
            self._days[day] = rows
        return self._days[day]


def _instants(
    world: World, source: str, since: datetime, until: datetime, grain: tuple[timedelta, timedelta, float]
) -> Iterator[datetime]:
    """As-of instants in (since, until]: midnights, where the fine part begins, then the source's own grid."""
    whole, fine, pace = grain
    begin = max(floor_to(until - fine, GRID), since)
    day = world.day_of(since) + whole
    while (midnight := world.midnight(day)) < begin:
        yield midnight
        day += whole
    if begin > since:
        yield begin
    period = SOURCES[source].period * max(1, ceil(pace))
    instant = floor_to(begin, period) + period
    while instant <= until:
        yield instant
        instant += period


def _last_spoken(world: World, source: str, instant: datetime) -> datetime:
    """The instant itself, or where a silence covers it the source's last regular instant before the silence."""
    while is_silent(world, source, instant):
        silences = incidents_between(world, instant, instant + timedelta(milliseconds=1))
        start = min(i.starts_at for i in silences if i.kind == "silent_source" and source.startswith(i.place))
        instant = floor_to(start - timedelta(seconds=1), SOURCES[source].period)
    return instant


def _at(instant: datetime) -> pl.Expr:
    return pl.lit(instant).cast(pl.Datetime("ms", "UTC"))
