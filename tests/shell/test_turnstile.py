"""The turnstile: so many at a time, first come first served, slow ones hold up nobody, and a failing page leaves its place."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial

import pytest

from shell.turnstile import Turnstile


def _hold(turnstile: Turnstile, name: str, told: list[str], leave: threading.Event) -> threading.Thread:
    def draw() -> None:
        with turnstile.passing():
            told.append(name)
            leave.wait(10)

    thread = threading.Thread(target=draw)
    thread.start()
    return thread


def _until(condition: Callable[[], bool], *, seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def _came(turnstile: Turnstile, count: int) -> bool:
    return len(turnstile._line) + len(turnstile._inside) == count


def test_so_many_at_a_time_and_the_others_in_the_order_they_came() -> None:
    turnstile, told = Turnstile(2, slow_seconds=60), list[str]()
    leaves = [threading.Event() for _ in range(4)]
    threads = []
    for number, leave in enumerate(leaves):
        threads.append(_hold(turnstile, str(number), told, leave))
        _until(partial(_came, turnstile, number + 1))
    _until(lambda: len(told) == 2)
    time.sleep(0.05)
    assert told == ["0", "1"]
    leaves[1].set()
    _until(lambda: len(told) == 3)
    leaves[0].set()
    _until(lambda: len(told) == 4)
    assert told == ["0", "1", "2", "3"]
    assert turnstile.is_busy()
    for leave in leaves:
        leave.set()
    for thread in threads:
        thread.join(5)


def test_a_slow_page_gives_its_place_to_the_next() -> None:
    turnstile, told = Turnstile(1, slow_seconds=0.05), list[str]()
    leave = threading.Event()
    slow = _hold(turnstile, "slow", told, leave)
    _until(lambda: told == ["slow"])
    with turnstile.passing():
        told.append("next")
    assert told == ["slow", "next"]
    assert slow.is_alive()
    leave.set()
    slow.join(5)


def test_a_page_that_fails_leaves_its_place() -> None:
    turnstile = Turnstile(1, slow_seconds=60)
    for _ in range(3):
        with pytest.raises(ValueError, match="fails"), turnstile.passing():
            raise ValueError("fails")
    with turnstile.passing():
        assert turnstile.is_busy()


def test_it_is_quiet_a_while_after_the_last_page(monkeypatch: pytest.MonkeyPatch) -> None:
    turnstile = Turnstile()
    assert not turnstile.is_busy()
    with turnstile.passing():
        pass
    assert turnstile.is_busy()
    monkeypatch.setattr("shell.turnstile.QUIET_SECONDS", 0.0)
    assert not turnstile.is_busy()
