"""One reader of the lake per process: what the newest snapshot is, what its ledger says, and the shared cache."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from config import Settings
from data.lake import Lake
from data.zone import from_epoch_ms

POLL_SECONDS: Final = 0.5
"""Sessions that ask for the newest version within this time share one catalogue read."""


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """What is known from one version of the lake, up to an instant: newest snapshot, its instant, each source's as-of."""

    snapshot: int
    as_of: datetime | None
    sources: tuple[tuple[str, datetime], ...]


class Reading:
    """The process's door to the lake for reading; opens it when it first exists, safe for many threads."""

    def __init__(self, settings: Settings, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Nothing is opened yet; `clock` counts seconds for the poll."""
        self.settings = settings
        self._clock = clock
        self._lock = threading.Lock()
        self._lake: Lake | None = None
        self._polled: tuple[float, int] | None = None
        self._ledger = lru_cache(maxsize=256)(self._read_ledger)

    def lake(self) -> Lake:
        """The open lake; raises LakeError while there is none."""
        with self._lock:
            if self._lake is None:
                self._lake = Lake.open_reader(self.settings)
            return self._lake

    def version(self) -> int:
        """The catalogue's newest version: one cheap read, shared for `POLL_SECONDS`."""
        lake = self.lake()
        with self._lock:
            if self._polled is None or self._clock() - self._polled[0] >= POLL_SECONDS:
                self._polled = (self._clock(), lake.newest_version())
            return self._polled[1]

    def ledger(self, until: datetime | None = None) -> Ledger:
        """The ledger as the newest version has it, of snapshots whose own as-of is not after `until`."""
        return self._ledger(self.version(), until)

    def close(self) -> None:
        """Release the lake."""
        with self._lock:
            if self._lake is not None:
                self._lake.close()
                self._lake = None

    def _read_ledger(self, _version: int, until: datetime | None) -> Ledger:
        bound = until or datetime(9999, 12, 31, tzinfo=UTC)
        rows = (
            self.lake()
            .cursor()
            .execute(
                "SELECT source, max(snapshot_id), epoch_ms(max(as_of)) FROM lake.snapshots "
                "WHERE state IN ('accepted', 'unchanged') AND as_of <= ? GROUP BY source ORDER BY source",
                [bound],
            )
            .fetchall()
        )
        sources = tuple((str(source), from_epoch_ms(as_of)) for source, _, as_of in rows)
        return Ledger(
            snapshot=max((int(snapshot) for _, snapshot, _ in rows), default=0),
            as_of=max((as_of for _, as_of in sources), default=None),
            sources=sources,
        )
