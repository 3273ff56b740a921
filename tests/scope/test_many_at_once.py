"""Several people at once over one cache: everybody's answers and exports are those they get alone."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from access.reading import Reading
from access.view import View
from config import Settings
from pages.orders_export import csv_bytes, read_export
from queries.query import Query
from tests.queries.test_laws import EXAMPLES
from tests.scope.conftest import EAST, MARK
from tests.scope.test_every_figure import WINDOW, view_of

IS_SOAK = EXAMPLES > 50
PEOPLE: tuple[tuple[str, tuple[str, ...]], ...] = (("admin", ()), ("lead", (EAST,)), ("lead", ("CN-SOUTH",)))
PEOPLE += (("lead", (EAST, "CN-SOUTH")), ("analyst", ("*",)), ("lead", ())) if IS_SOAK else ()
QUERIES = tuple(
    Query(metrics=metrics, by=by, window=WINDOW)
    for metrics in (
        ("order_count", "late_rate"),
        ("return_count",),
        *((("backlog_count",), ("complaint_count",)) if IS_SOAK else ()),
    )
    for by in ((), ("city",))
)
ROUNDS = 6


def _figures(query: Query) -> Callable[[View], object]:
    return lambda view: sorted(map(str, view.run(query).to_dicts()))


def _export(view: View) -> object:
    return csv_bytes(read_export(view, {"window": ["all"]}))


ASKED = (*map(_figures, QUERIES), _export)


def test_answers_and_exports_of_many_threads_are_those_of_one(country: Settings, reading: Reading) -> None:
    alone: dict[tuple[int, int], object] = {}
    for person, (role, regions) in enumerate(PEOPLE):
        apart = Reading(country)
        view = view_of(apart, role, *regions, window=["all"])
        alone |= {(person, number): ask(view) for number, ask in enumerate(ASKED)}
        apart.close()
    assert len({str(alone[person, len(QUERIES)]) for person in range(len(PEOPLE))}) >= 3, "they do differ"
    tasks = [key for key in alone for _ in range(ROUNDS)]
    random.Random(7).shuffle(tasks)

    def ask(key: tuple[int, int]) -> tuple[tuple[int, int], object]:
        role, regions = PEOPLE[key[0]]
        return key, ASKED[key[1]](view_of(reading, role, *regions, window=["all"]))

    with ThreadPoolExecutor(8) as pool:
        for key, found in pool.map(ask, tasks):
            assert found == alone[key], (PEOPLE[key[0]], key[1])
            assert PEOPLE[key[0]] != ("lead", (EAST,)) or MARK not in str(found).lower()
