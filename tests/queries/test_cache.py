"""The cache: one computation per key, bounded in bytes, never across scopes or snapshots."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import polars as pl
import pytest

from queries.cache import ENTRY_BYTES, Cache, key_of
from queries.query import Query
from queries.scope import Scope
from tests.queries.desk import AS_OF, Desk

FRAME = pl.DataFrame({"x": [1]})
MEGABYTE = 1024 * 1024


def test_many_askers_share_one_computation() -> None:
    cache, begun, release = Cache(MEGABYTE), threading.Event(), threading.Event()
    computed: list[int] = []

    def compute() -> pl.DataFrame:
        begun.set()
        release.wait(10)
        computed.append(1)
        return FRAME

    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(cache.get, ("key",), compute) for _ in range(8)]
        begun.wait(10)
        release.set()
        assert all(answer.result(10) is FRAME for answer in answers)
    assert computed == [1]


def test_a_failure_reaches_its_askers_and_is_not_kept() -> None:
    cache = Cache(MEGABYTE)

    def fail() -> pl.DataFrame:
        raise RuntimeError("engine")

    with pytest.raises(RuntimeError, match="engine"):
        cache.get(("key",), fail)
    assert cache.get(("key",), lambda: FRAME) is FRAME


def test_the_least_recently_used_goes_first_and_the_bytes_stay_bounded() -> None:
    cache = Cache(2 * (ENTRY_BYTES + 100))
    for name in ("a", "b", "a", "c"):
        cache.get((name,), lambda: FRAME)
    state = cache.state()
    assert (state.entries, state.hits, state.misses) == (2, 1, 3)
    assert state.bytes <= 2 * (ENTRY_BYTES + 100)
    cache.get(("a",), lambda: FRAME)
    assert cache.state().hits == 2


def test_a_frame_larger_than_the_cache_is_answered_and_not_kept() -> None:
    cache = Cache(10)
    assert cache.get(("key",), lambda: FRAME) is FRAME
    assert cache.state().entries == 0


def test_scope_snapshot_as_of_and_parameters_are_part_of_the_key(desk: Desk) -> None:
    query = Query(metrics=("order_count",))
    statement = desk.filled([]).statement(query)
    narrow = desk.filled([]).statement(query, scope=Scope.of_regions(["R1"]))
    other = desk.filled([]).statement(query, scope=Scope.of_regions(["R2"]))
    keys = {
        key_of(statement, scope=Scope.ALL, snapshot=1, as_of=AS_OF),
        key_of(statement, scope=Scope.ALL, snapshot=2, as_of=AS_OF),
        key_of(statement, scope=Scope.ALL, snapshot=1, as_of=AS_OF.replace(day=1)),
        key_of(narrow, scope=Scope.of_regions(["R1"]), snapshot=1, as_of=AS_OF),
        key_of(other, scope=Scope.of_regions(["R2"]), snapshot=1, as_of=AS_OF),
        key_of(statement, scope=Scope.NONE, snapshot=1, as_of=AS_OF),
    }
    assert len(keys) == 6


def test_whoever_asks_first_each_gets_their_own(desk: Desk) -> None:
    made = [{"id": region, "region": region, "created": "10 10:00"} for region in ("R1", "R2", "R3")]
    filled, cache, query = desk.filled(made), Cache(MEGABYTE), Query(metrics=("order_count",), by=("region",))
    scopes = [Scope.ALL, Scope.of_regions(["R1"]), Scope.of_regions(["R2"]), Scope.of_regions(["R1"]), Scope.ALL, Scope.NONE]

    def asked(scope: Scope) -> list[str]:
        statement = filled.statement(query, scope=scope)
        key = key_of(statement, scope=scope, snapshot=1, as_of=AS_OF)
        frame = cache.get(key, lambda: pl.DataFrame(filled.ask(query, scope=scope), schema=["region", "order_count"]))
        return frame["region"].to_list()

    assert [asked(scope) for scope in scopes] == [["R1", "R2", "R3"], ["R1"], ["R2"], ["R1"], ["R1", "R2", "R3"], []]


def _height(*frames_and_more: object) -> list[int]:
    return [frame.height for frame in frames_and_more if isinstance(frame, pl.DataFrame)]


def test_what_is_worked_out_is_kept_with_the_frames_it_was_made_of() -> None:
    cache = Cache(MEGABYTE)
    first, second = pl.DataFrame({"x": [1, 2]}), pl.DataFrame({"x": [1, 2]})
    found = cache.work_out(_height, (first, second), "by", 3)
    assert found == [2, 2]
    assert cache.work_out(_height, (first, second), "by", 3) is found
    assert cache.work_out(_height, (first, second), "by", 4) is not found
    assert cache.work_out(_height, (second, first), "by", 3) is not found


def test_a_frame_in_a_dropped_ones_place_is_not_taken_for_it() -> None:
    cache = Cache(MEGABYTE)
    for size in range(1, 60):
        frame = pl.DataFrame({"x": list(range(size))})
        assert cache.work_out(_height, (frame,)) == [size]
        del frame


def test_what_is_worked_out_counts_in_the_bytes() -> None:
    cache = Cache(3 * ENTRY_BYTES)
    frames = [pl.DataFrame({"x": [number]}) for number in range(9)]
    for frame in frames:
        cache.work_out(_height, (frame,))
        cache.work_out(_height, (frame,))
    state = cache.state()
    assert (state.entries, state.hits, state.misses) == (2, 0, 0)
    assert state.bytes <= 3 * ENTRY_BYTES


def test_what_is_shared_is_made_once_however_many_ask_at_the_same_time() -> None:
    cache, begun, release = Cache(MEGABYTE), threading.Event(), threading.Event()
    made: list[int] = []

    def make() -> list[str]:
        begun.set()
        release.wait(10)
        made.append(1)
        return ["board"]

    with ThreadPoolExecutor(8) as pool:
        shared = [pool.submit(cache.share, ("key",), make) for _ in range(8)]
        begun.wait(10)
        release.set()
        boards = [each.result(10) for each in shared]
    assert made == [1]
    assert all(board is boards[0] for board in boards)
    assert cache.share(("other",), lambda: ["another"]) == ["another"]
    assert cache.share(("nothing",), lambda: None) is None
    assert cache.share(("nothing",), lambda: "made anew") is None


def test_what_ends_ones_making_is_not_the_next_ones_fault() -> None:
    cache, begun, release = Cache(MEGABYTE), threading.Event(), threading.Event()

    def fail() -> str:
        begun.set()
        release.wait(10)
        raise PermissionError("its session has ended")

    with ThreadPoolExecutor(2) as pool:
        failing = pool.submit(cache.share, ("key",), fail)
        begun.wait(10)
        waiting = pool.submit(cache.share, ("key",), lambda: "made alone")
        release.set()
        with pytest.raises(PermissionError):
            failing.result(10)
        assert waiting.result(10) == "made alone"
    assert cache.share(("key",), lambda: "made anew") == "made anew"
    assert cache.share(("key",), lambda: "never") == "made anew"
