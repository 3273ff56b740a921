"""One reader of the lake per process: what the newest snapshot is, what its ledger says, and the shared cache."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

import duckdb

from access.order_history import Source
from config import Settings
from data.lake import Lake, LakeError
from data.zone import from_epoch_ms
from queries.cache import Cache

POLL_SECONDS: Final = 0.5
"""Sessions that ask for the newest version within this time share one catalogue read."""

FOREVER: Final = datetime(9999, 12, 31, tzinfo=UTC)


class EmptyLake(LakeError):
    """There is nothing to look at (yet, or as early as asked): a state with its own sentence, not a fault."""


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """What one version of the lake holds: its newest snapshot (0: none), the newest data instant, each source's as-of."""

    snapshot: int
    version: int
    as_of: datetime | None
    sources: tuple[tuple[str, datetime], ...]


class Reading:
    """The process's door to the lake for reading; opens it when it first exists, safe for many threads."""

    def __init__(self, settings: Settings, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Nothing is opened yet; `clock` counts seconds for the poll."""
        self.settings = settings
        self.cache = Cache(settings.cache_bytes)
        self._clock = clock
        self._lock = threading.Lock()
        self._lake: Lake | None = None
        self._polled: tuple[float, int] | None = None
        self._ledger_at = lru_cache(maxsize=256)(self._read_ledger)

    def lake(self) -> Lake:
        """The open lake; raises EmptyLake while there is none or the worker is still laying it out."""
        with self._lock:
            if self._lake is None:
                try:
                    self._lake = Lake.open_reader(self.settings)
                except duckdb.Error as error:
                    raise EmptyLake(f"the lake in {self.settings.home} cannot be read yet") from error
                except LakeError as error:
                    raise EmptyLake(str(error)) from error
            return self._lake

    def ledger(self, *, until: datetime | None = None, snapshot: int | None = None) -> Ledger:
        """The ledger as the newest version has it, as `snapshot` had it, or as it was known at `until`.

        Known at an instant is the newest snapshot whose own as-of is not later. Raises LakeError for a snapshot that
        is not kept.
        """
        newest = self._newest_version()
        if snapshot is None and until is not None:
            snapshot = self._ledger_at(newest, until).snapshot or None
            if snapshot is None:
                return self._ledger_at(newest, until)
        return self._ledger_at(newest if snapshot is None else self.lake().version_of(snapshot), until)

    def snapshot_sources(self, version: int, snapshots: Iterable[int]) -> dict[int, Source]:
        """Who brought each of these snapshots, as the ledger of a version has it."""
        rows = (
            self.lake()
            .cursor()
            .execute(
                "SELECT snapshot_id, source, priority, file_sha256 FROM lake.snapshots AT (VERSION => $version) "
                "WHERE list_contains($snapshots, snapshot_id)",
                {"version": version, "snapshots": sorted(set(snapshots))},
            )
            .fetchall()
        )
        return {int(number): Source(name=name, priority=priority, file_sha256=sha256) for number, name, priority, sha256 in rows}

    def close(self) -> None:
        """Release the lake."""
        with self._lock:
            if self._lake is not None:
                self._lake.close()
                self._lake = None

    def _newest_version(self) -> int:
        lake = self.lake()
        with self._lock:
            if self._polled is None or self._clock() - self._polled[0] >= POLL_SECONDS:
                self._polled = (self._clock(), lake.newest_version())
            return self._polled[1]

    def _read_ledger(self, version: int, until: datetime | None) -> Ledger:
        rows = (
            self.lake()
            .cursor()
            .execute(
                "SELECT source, max(snapshot_id), epoch_ms(max(as_of)) FROM lake.snapshots AT (VERSION => $version) "
                "WHERE state = 'accepted' AND as_of <= $until GROUP BY source ORDER BY source",
                {"version": version, "until": until or FOREVER},
            )
            .fetchall()
        )
        sources = tuple((str(source), from_epoch_ms(as_of)) for source, _, as_of in rows)
        return Ledger(
            snapshot=max((int(snapshot) for _, snapshot, _ in rows), default=0),
            version=version,
            as_of=max((as_of for _, as_of in sources), default=None),
            sources=sources,
        )
