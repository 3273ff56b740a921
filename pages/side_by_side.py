"""Parts of a page read beside each other, so that every core has work while the lake is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from access.view import View

AT_A_TIME: Final = 3
"""So many parts are read at a time: while one waits for its answer another asks."""


def read_side_by_side(view: View, parts: Mapping[str, Callable[[], Any]]) -> dict[str, Any]:
    """What the parts give, by name: one after the other as long as their answers are kept, from there on side by side.

    Putting kept answers into words is work for one core, which threads would only hand to and fro.
    """
    found: dict[str, Any] = {}
    names, asked = list(parts), view.reading.cache.state().misses
    while names and view.reading.cache.state().misses == asked:
        found[names[0]] = parts[names[0]]()
        names = names[1:]
    if not names:
        return found
    with ThreadPoolExecutor(AT_A_TIME) as threads:
        running = {name: threads.submit(parts[name]) for name in names}
    return found | {name: future.result() for name, future in running.items()}
