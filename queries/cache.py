"""One cache of answers, shared by all sessions: bounded in bytes, one computation per key however many ask."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import polars as pl

from queries.build import Statement
from queries.scope import Scope

Key = tuple[Hashable, ...]

ENTRY_BYTES: Final = 2048
"""What an entry costs beside its frame: key, text and bookkeeping."""


@dataclass(frozen=True, kw_only=True)
class CacheState:
    """How full the cache is and how it was used."""

    entries: int
    bytes: int
    hits: int
    misses: int


def key_of(statement: Statement, *, scope: Scope, snapshot: int, as_of: datetime) -> Key:
    """What an answer depends on; a new snapshot is a new key, so nothing ever expires by time."""
    parameters = tuple((name, tuple(value) if isinstance(value, list) else value) for name, value in statement.parameters.items())
    return statement.sql, parameters, scope, snapshot, as_of


class Cache:
    """Frames by key, the least recently used dropped first; safe for many threads. Frames are shared: do not change them."""

    def __init__(self, max_bytes: int) -> None:
        """An empty cache that holds at most `max_bytes` of frames."""
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._frames: OrderedDict[Key, tuple[pl.DataFrame, int]] = OrderedDict()
        self._running: dict[Key, Future[pl.DataFrame]] = {}
        self._bytes = self._hits = self._misses = 0

    def get(self, key: Key, compute: Callable[[], pl.DataFrame]) -> pl.DataFrame:
        """The frame of `key`; computed once by the first asker while others wait.

        A failure reaches all of them and is not kept.
        """
        with self._lock:
            if key in self._frames:
                self._hits += 1
                self._frames.move_to_end(key)
                return self._frames[key][0]
            running = self._running.get(key)
            if running is None:
                self._misses += 1
                own = self._running[key] = Future()
            else:
                self._hits += 1
        return running.result() if running is not None else self._compute(key, compute, own)

    def _compute(self, key: Key, compute: Callable[[], pl.DataFrame], future: Future[pl.DataFrame]) -> pl.DataFrame:
        try:
            frame = compute()
        except BaseException as error:
            with self._lock:
                del self._running[key]
            future.set_exception(error)
            raise
        with self._lock:
            del self._running[key]
            self._keep(key, frame)
        future.set_result(frame)
        return frame

    def _keep(self, key: Key, frame: pl.DataFrame) -> None:
        size = int(frame.estimated_size()) + ENTRY_BYTES
        if size > self._max_bytes:
            return
        self._frames[key] = (frame, size)
        self._bytes += size
        while self._bytes > self._max_bytes:
            _, (_, dropped) = self._frames.popitem(last=False)
            self._bytes -= dropped

    def state(self) -> CacheState:
        """How full it is and how it was used so far."""
        with self._lock:
            return CacheState(entries=len(self._frames), bytes=self._bytes, hits=self._hits, misses=self._misses)
