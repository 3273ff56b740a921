"""One cache of answers, and of what is worked out from them, shared by all sessions: bounded in bytes.

An answer is computed once per key however many ask.
"""

from __future__ import annotations

import pickle
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar
from weakref import ref

import polars as pl

from queries.build import Statement
from queries.scope import Scope

Key = tuple[Hashable, ...]
T = TypeVar("T")

ENTRY_BYTES: Final = 2048
"""What an entry costs beside its frame or value: key, text and bookkeeping."""


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
        """An empty cache that holds at most `max_bytes`."""
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._kept: OrderedDict[Key, tuple[Any, int, tuple[ref[pl.DataFrame], ...]]] = OrderedDict()
        self._running: dict[Key, Future[pl.DataFrame]] = {}
        self._making: dict[Key, threading.Event] = {}
        self._bytes = self._hits = self._misses = 0

    def has(self, key: Key) -> bool:
        """Whether the frame of `key` is here, or on its way."""
        with self._lock:
            return key in self._kept or key in self._running

    def get(self, key: Key, compute: Callable[[], pl.DataFrame]) -> pl.DataFrame:
        """The frame of `key`; computed once by the first asker while others wait.

        A failure reaches all of them and is not kept.
        """
        with self._lock:
            if key in self._kept:
                self._hits += 1
                self._kept.move_to_end(key)
                frame: pl.DataFrame = self._kept[key][0]
                return frame
            running = self._running.get(key)
            if running is None:
                self._misses += 1
                own = self._running[key] = Future()
            else:
                self._hits += 1
        return running.result() if running is not None else self._compute(key, compute, own)

    def share(self, key: Key, make: Callable[[], T]) -> T:
        """What `make` gives, kept under `key`, which names all it depends on; made once however many ask at the same time.

        Where another's making fails each makes it alone: what ends one session is not the next one's fault. What it gives
        is shared: do not change it.
        """
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                kept: T = self._kept[key][0]
                return kept
            making = self._making.get(key)
            if making is None:
                own = self._making[key] = threading.Event()
        if making is not None:
            making.wait()
            with self._lock:
                if key in self._kept:
                    made: T = self._kept[key][0]
                    return made
            return make()
        try:
            value = make()
            size = len(pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL))
            with self._lock:
                self._keep(key, value, size)
            return value
        finally:
            with self._lock:
                del self._making[key]
            own.set()

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
            self._keep(key, frame, int(frame.estimated_size()))
        future.set_result(frame)
        return frame

    def work_out(self, work: Callable[..., T], frames: tuple[pl.DataFrame, ...], *rest: Hashable) -> T:
        """What `work(*frames, *rest)` gives, kept while these very frames are; of answers it is as narrow in scope as they are.

        `work` is a function of its arguments alone, at the top of a module. What it gives is shared: do not change it.
        """
        key = (work, tuple(id(frame) for frame in frames), rest)
        with self._lock:
            known = self._kept.get(key)
            # Another frame may have come to lie where a dropped one was.
            if known is not None and all(at() is frame for at, frame in zip(known[2], frames, strict=True)):
                self._kept.move_to_end(key)
                value: T = known[0]
                return value
        value = work(*frames, *rest)
        size = len(pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL))
        with self._lock:
            self._keep(key, value, size, tuple(ref(frame) for frame in frames))
        return value

    def _keep(self, key: Key, value: object, size: int, made_of: tuple[ref[pl.DataFrame], ...] = ()) -> None:
        size += ENTRY_BYTES
        if size > self._max_bytes:
            return
        if key in self._kept:
            self._bytes -= self._kept.pop(key)[1]
        self._kept[key] = (value, size, made_of)
        self._bytes += size
        while self._bytes > self._max_bytes:
            _, (_, dropped, _) = self._kept.popitem(last=False)
            self._bytes -= dropped

    def state(self) -> CacheState:
        """How full it is and how it was used so far."""
        with self._lock:
            return CacheState(entries=len(self._kept), bytes=self._bytes, hits=self._hits, misses=self._misses)
