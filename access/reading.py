"""One reader of the lake per process: what the newest snapshot is, what its ledger says, and the shared cache."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

import duckdb
import polars as pl

from access.order_history import Source
from config import Settings
from data.active import targets_in_force
from data.lake import Lake, LakeError
from data.recent import Horizon, Recent
from data.targets import Targets
from data.zone import from_epoch_ms
from queries.build import Statement
from queries.cache import Cache
from queries.cells import kept_cells
from queries.dwells import kept_dwells
from queries.flow_cells import kept_flow_cells
from queries.leading import kept_rankings
from queries.normal import kept_normals
from queries.open_cells import kept_open_cells
from queries.order_cells import kept_order_cells
from queries.risk import kept_comparables
from queries.run import Forgotten, MovedOn, run, run_together
from queries.together import Together

POLL_SECONDS: Final = 0.5
"""Sessions that ask for the newest version within this time share one catalogue read."""

BEHIND_SECONDS: Final = 30.0
"""When the recent orders have not been brought up to date for so long, views stop waiting for them.

Longer than it takes on a busy day: a hundred pages that all asked the lake instead would keep it from ever catching up.
"""

FOREVER: Final = datetime(9999, 12, 31, tzinfo=UTC)


class EmptyLake(LakeError):
    """There is nothing to look at (yet, or as early as asked): a state with its own sentence, not a fault."""


class UnreadableLake(EmptyLake):
    """What there is cannot be opened: most likely not yet, but the reason is worth telling."""


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """What one version of the lake holds: its newest snapshot (0: none), the newest data instant, each source's as-of."""

    snapshot: int
    version: int
    as_of: datetime | None
    sources: tuple[tuple[str, datetime], ...]


class Reading:
    """The process's door to the lake for reading; opens it when it first exists, safe for many threads.

    While `keep_up` is called again and again, views see the newest version that the recent orders in memory have
    reached; otherwise, or when it falls behind, the lake's own. The recent orders lie in an engine of their own: a fault
    there costs speed, never the lake.
    """

    def __init__(self, settings: Settings, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Nothing is opened yet; `clock` counts seconds for the poll."""
        self.settings = settings
        self.cache = Cache(settings.cache_bytes)
        self.patience = BEHIND_SECONDS
        self.is_preparing = False
        """Whether what open pages will ask of the newest version is being asked ahead of them: they wait for it where they are."""
        self.ready_at = 0.0
        """When something newer was last ready for open pages (monotonic)."""
        self.announces = False
        """Whether somebody prepares each newer version: from the moment on which it is read until `is_preparing` is taken back."""
        self.askers = ThreadPoolExecutor(settings.threads or os.cpu_count() or 1, thread_name_prefix="ask")
        self._clock = clock
        self._lock = threading.Lock()
        self._lake: Lake | None = None
        self._polled: tuple[float, int] | None = None
        self._ledger_at = lru_cache(maxsize=256)(self._read_ledger)
        self._recent: tuple[Lake, Recent] | None = None
        self._kept: Horizon | None = None
        self._kept_up: tuple[float, int] | None = None

    def lake(self) -> Lake:
        """The open lake; raises EmptyLake while there is none or the worker is still laying it out."""
        with self._lock:
            if self._lake is None:
                try:
                    self._lake = Lake.open_reader(self.settings)
                except duckdb.Error as error:
                    raise UnreadableLake(f"the lake in {self.settings.home} cannot be read yet") from error
                except LakeError as error:
                    raise EmptyLake(str(error)) from error
            return self._lake

    def answer(self, statement: Statement) -> pl.DataFrame:
        """The rows of a statement, from the lake or from the recent orders where it is made for them.

        Raises RunError, MovedOn where those are no longer what the statement was made for.
        """
        if statement.kept_version is None:
            return run(self.lake(), statement)
        recent = self._recent
        if recent is None:
            raise MovedOn("the recent orders are not in memory")
        try:
            return run(recent[0], statement)
        except Forgotten:
            self._forget(recent)
            raise

    def answer_together(self, statements: Sequence[Statement], together: Together) -> dict[int, pl.DataFrame]:
        """The rows of those statements, by their place, that read the same orders of the lake; as `answer`, but read once."""
        return run_together(self.lake(), statements, together)

    def _forget(self, recent: tuple[Lake, Recent]) -> None:
        """Give up the recent orders: they are read anew in another engine."""
        if self._recent is recent:
            self._recent = self._kept = self._kept_up = None
            recent[0].close()

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
        version = newest if snapshot is None else self.lake().version_of(snapshot)
        found = self._ledger_at(version, until)
        # A snapshot chosen by number is known, whatever instant of its data is asked for.
        return self._ledger_at(version, None) if snapshot is not None and not found.snapshot else found

    def snapshot_sources(self, version: int, snapshots: Iterable[int]) -> dict[int, Source]:
        """Who brought each of these snapshots, as the ledger of a version has it."""
        sql = (
            "SELECT snapshot_id, source, priority, file_sha256 FROM lake.snapshots AT (VERSION => $version) "
            "WHERE list_contains($snapshots, snapshot_id)"
        )
        values = {"version": version, "snapshots": sorted(set(snapshots))}
        rows = self.lake().read(lambda cursor: cursor.execute(sql, values).fetchall())
        return {int(number): Source(name=name, priority=priority, file_sha256=sha256) for number, name, priority, sha256 in rows}

    def keep_up(self) -> None:
        """Bring the recent orders in memory up to the newest version, then let views see it. One thread calls it.

        Where they are there already the first of the older orders are kept too, if they are not yet. Raises EmptyLake while
        there is nothing, LakeError where the recent orders cannot be read; views then read the lake.
        """
        lake = self.lake()
        version = lake.newest_version()
        newest = self._ledger_at(version, None)
        if newest.as_of is not None:
            recent = self._recent = self._recent or self._open_recent()
            try:
                if self._kept is None or self._kept.version != version:
                    self.is_preparing = self.is_preparing or self.announces
                    self._kept = recent[1].advance(version, newest.as_of)
                else:
                    self._kept = recent[1].complete()
            except duckdb.Error as error:
                self._forget(recent)
                raise LakeError(f"the recent orders cannot be kept in memory ({type(error).__name__})") from error
        self._kept_up = (self._clock(), version)

    def horizon(self, version: int) -> Horizon | None:
        """Which recent orders are in memory for this version; None where none are."""
        kept = self._kept
        return kept if kept is not None and kept.version == version else None

    def has_moved_on(self, version: int) -> bool:
        """Whether the recent orders in memory are those of a later version."""
        kept = self._kept
        return kept is not None and kept.version > version

    def close(self) -> None:
        """Release the lake."""
        self.askers.shutdown()
        with self._lock:
            for lake in (self._lake, self._recent[0] if self._recent else None):
                if lake is not None:
                    lake.close()
            self._lake = self._recent = self._kept = None

    def _open_recent(self) -> tuple[Lake, Recent]:
        lake, zone = Lake.open_reader(self.settings), self.settings.zone

        def targets() -> Targets:
            return targets_in_force(self.settings)[0]

        derived = (kept_comparables(zone, targets), kept_normals(zone, targets))
        counted = (
            *kept_cells(zone, targets),
            *kept_flow_cells(zone, targets),
            kept_dwells(),
            *kept_order_cells(),
            kept_open_cells(),
        )
        return lake, Recent(lake, derived=derived, counted=counted, rankings=kept_rankings(), zone=zone)

    def _newest_version(self) -> int:
        kept_up = self._kept_up
        if kept_up is not None and self._clock() - kept_up[0] < self.patience:
            return kept_up[1]
        lake = self.lake()
        with self._lock:
            if self._polled is None or self._clock() - self._polled[0] >= POLL_SECONDS:
                self._polled = (self._clock(), lake.newest_version())
            return self._polled[1]

    def _read_ledger(self, version: int, until: datetime | None) -> Ledger:
        sql = (
            "SELECT source, max(snapshot_id), epoch_ms(max(as_of)) FROM lake.snapshots AT (VERSION => $version) "
            "WHERE state = 'accepted' AND as_of <= $until GROUP BY source ORDER BY source"
        )
        values = {"version": version, "until": until or FOREVER}
        try:
            rows = self.lake().read(lambda cursor: cursor.execute(sql, values).fetchall())
        except duckdb.CatalogException as error:
            # Seen in the moment between the catalogue's first file and its tables.
            raise EmptyLake(f"the lake in {self.settings.home} is still being laid out") from error
        sources = tuple((str(source), from_epoch_ms(as_of)) for source, _, as_of in rows)
        return Ledger(
            snapshot=max((int(snapshot) for _, snapshot, _ in rows), default=0),
            version=version,
            as_of=max((as_of for _, as_of in sources), default=None),
            sources=sources,
        )
