"""A few pages are drawn at a time, the others wait their turn."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

AT_A_TIME: Final = 2
"""A hundred tabs that see one new snapshot would only take the interpreter from each other, and all of them would be late."""
SLOW_SECONDS: Final = 0.5
"""A page that takes longer waits for the engine: its place is given to the next."""
QUIET_SECONDS: Final = 2.0
"""So long after the last page the next may be about to come."""


class Turnstile:
    """Lets so many pages be drawn at the same time, in the order in which they came; safe for many threads."""

    def __init__(self, at_a_time: int = AT_A_TIME, *, slow_seconds: float = SLOW_SECONDS) -> None:
        """Nobody is inside."""
        self._at_a_time, self._slow_seconds = at_a_time, slow_seconds
        self._lock = threading.Lock()
        self._line: deque[threading.Event] = deque()
        self._inside: dict[threading.Event, float] = {}
        self._left_at = 0.0

    @contextmanager
    def passing(self) -> Iterator[None]:
        """Draw a page inside: waits until there is a place."""
        turn = threading.Event()
        with self._lock:
            self._line.append(turn)
        while (seconds := self._enter(turn)) is not None:
            turn.wait(seconds or None)
            turn.clear()
        try:
            yield
        finally:
            with self._lock:
                del self._inside[turn]
                self._left_at = time.monotonic()
                self._call_next()

    def is_busy(self) -> bool:
        """Whether a page is being drawn, waits for its place, or was drawn a moment ago."""
        with self._lock:
            return bool(self._line or self._inside) or time.monotonic() - self._left_at < QUIET_SECONDS

    def _enter(self, turn: threading.Event) -> float | None:
        """None once inside; else how long to wait before looking again, 0 until called."""
        with self._lock:
            if self._line[0] is not turn:
                return 0
            now = time.monotonic()
            quick = sorted(at for at in self._inside.values() if now - at < self._slow_seconds)
            if len(quick) >= self._at_a_time:
                return max(quick[0] + self._slow_seconds - now, 0.001)
            self._line.popleft()
            self._inside[turn] = now
            self._call_next()
            return None

    def _call_next(self) -> None:
        if self._line:
            self._line[0].set()
