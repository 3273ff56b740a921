"""The list of orders and one order on the server: a page of each asked for and put into words, nothing cached and cached."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from streamlit.logger import set_log_level

from access.order_twin import Twin
from access.reading import Reading
from access.view import View
from benchmarks.figure import BenchmarkError, Figure, Trial
from benchmarks.lakes import lake_home
from benchmarks.timing import Act, seconds_of
from benchmarks.wall_server import BUDGET_CACHED, LEAD, MANAGER, medians, view_of
from pages.order import read_page, read_rest
from pages.orders import read_table
from pages.orders_question import read_question

BUDGET_UNCACHED = 0.4


def measure(trial: Trial) -> list[Figure]:
    """Median seconds of pages of the list and of one late order; in memory are, as usual, recent orders and the first of older ones."""
    set_log_level("error")
    reading = Reading(lake_home(trial))
    reading.keep_up()
    completed = Figure(name="older_orders_read", value=seconds_of(reading.keep_up), unit="seconds")
    manager, lead = view_of(reading, MANAGER), view_of(reading, LEAD)
    everything, lead_everything = (view_of(reading, user, window=["all"]) for user in (MANAGER, LEAD))
    late = _late_order(manager)
    acts: dict[str, Act] = {
        "created": _page(manager),
        "created_next": partial(_second_page, manager),
        "open_latest": _page(manager, population="open", sort="-late_by_seconds"),
        "behind_late_rate": _page(manager, metric="late_rate", part="bad"),
        "lead_created": _page(lead),
        "everything": _page(everything),
        "everything_by_amount": _page(everything, sort="-amount"),
        "everything_by_lateness": _page(everything, sort="-late_by_seconds"),
        "everything_by_channel": _page(everything, sort="channel"),
        "lead_everything_by_amount": _page(lead_everything, sort="-amount"),
        "everything_searched": _page(everything, search=late[1]),
        "order": partial(_order, manager, *late),
        "order_by_number_only": partial(_order, manager, *late[:2]),
        "order_rest": partial(read_rest, manager, _twin(manager, *late)),
    }
    try:
        return [completed, *(figure for name, act in acts.items() for figure in _figures(reading, name, act, trial.rounds))]
    finally:
        reading.close()


def _page(view: View, **asked: str) -> Act:
    return partial(read_table, view, read_question(view, {name: [value] for name, value in asked.items()}))


def _second_page(view: View) -> None:
    table = read_table(view, read_question(view, {}))
    choice = table.pages[-1].choice or {}
    read_table(view, read_question(view, {"after": [choice.get("after", "")]}))


def _twin(view: View, channel: str, order_id: str, created_at: datetime | None = None) -> Twin:
    twin = view.read_order(channel, order_id, created_at)
    if twin is None:
        raise BenchmarkError(f"order {order_id} of the list is not there")
    return twin


def _order(view: View, channel: str, order_id: str, created_at: datetime | None = None) -> None:
    """The first part of an order's page, as a link of the list asks for it, or as someone types it."""
    read_page(view, _twin(view, channel, order_id, created_at), order_id)


def _late_order(view: View) -> tuple[str, str, datetime]:
    """Channel, number and creation of the latest order that is still open."""
    question = read_question(view, {"population": ["open"], "sort": ["-late_by_seconds"]}, limit=1)
    rows = view.list_orders(question.listing).to_dicts()
    if not rows:
        raise BenchmarkError("no order of the lake is open: make a larger one")
    return rows[0]["channel"], rows[0]["order_id"], rows[0]["created_at"]


def _figures(reading: Reading, name: str, act: Act, rounds: int) -> list[Figure]:
    uncached, cached = medians(reading, act, rounds)
    return [
        Figure(name=f"{name}_uncached", value=uncached, unit="seconds", budget=BUDGET_UNCACHED),
        Figure(name=f"{name}_cached", value=cached, unit="seconds", budget=BUDGET_CACHED),
    ]
