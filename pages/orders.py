"""Which orders are these? The list behind a figure, or of the orders created or open, page by page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final, get_args
from urllib.parse import urlencode

import streamlit as st

from access.contacts import orders_of, phone_key
from access.view import View
from components.format import count
from components.order_table import OrderTable, Step, draw_order_table
from i18n import translate
from pages.address import take_choice
from pages.frame import draw_frame, watch
from pages.links import instant_text, link
from pages.order_marks import marks_of, with_mark
from pages.orders_question import COLUMNS_PREFERENCE, Question, read_question
from pages.orders_table import column_choices, heads_of, pages_of, rows_of, span_of, title_of
from pages.panel import figure_link
from queries.listing import Listing, Part, Population

TABLE: Final = "orders.table"
WORDS: Final = ("search", "find", "columns", "apply", "copy", "copied", "tabs", "tabs_tip", "tick", "tick_all", "pages")
MOST_EXPORTED: Final = 100_000


def render(view: View) -> None:
    """Draw the list that the address asks for, and watch for the next snapshot."""
    with st.container(key="orders", gap=None):
        question = read_question(view, _parameters())
        table = read_table(view, question)
        draw_frame(view, "pages.orders", country=None, states=(), applied=question.listing.where)
        draw_order_table(table, key=TABLE, on_choice=partial(_choose, view))
        watch(view)


def prepare(view: View, parameters: Mapping[str, Sequence[str]]) -> None:
    """Ask everything that `render` will ask for this view, so that it finds the answers ready."""
    read_table(view, read_question(view, parameters))


def read_table(view: View, question: Question) -> OrderTable:
    """One page of the list as the component draws it."""
    listing, language = question.listing, view.language
    page = view.list_orders(listing).to_dicts()
    marks = marks_of(view, page)
    total = view.count_orders(listing)
    is_last = len(page) < listing.limit and listing.before is None
    return OrderTable(
        language=language,
        title=title_of(view, listing),
        scope=span_of(view, listing),
        count=translate(language, f"listing.count.{listing.anchor.rows}", n=count(language, total)),
        words={name: translate(language, f"listing.{name}") for name in WORDS},
        heads=heads_of(view, listing),
        rows=tuple(with_mark(view, row, marks) for row in rows_of(view, listing, page)),
        choices=_choices(view, listing),
        pages=pages_of(view, listing, page, is_last=is_last),
        columns=column_choices(view, listing),
        search=listing.search,
        exports=_exports(view, total),
        unmasked=_unmasked(view, total),
        empty=translate(language, "listing.nothing_found" if listing.search else "listing.empty"),
        way=(translate(language, "listing.way"), _wider(view, listing)),
        definition=_definition(view, listing),
        notes=tuple(translate(language, "wall.problem", part=part) for part in question.lost),
    )


def _choices(view: View, listing: Listing) -> tuple[tuple[Step, ...], ...]:
    """All or the bad rows; without a metric also which orders."""
    reset = {"after": "", "before": ""}
    parts = tuple(
        Step(
            name=translate(view.language, f"listing.part.{part}"),
            choice={"part": "" if part == "all" else part} | reset,
            is_on=part == listing.part,
        )
        for part in get_args(Part)
    )
    if listing.metric is not None or listing.matching is not None:
        return (parts,)
    populations = tuple(
        Step(
            name=translate(view.language, f"listing.population.{name}"),
            choice={"population": "" if name == "created" else name} | reset,
            is_on=name == listing.population,
        )
        for name in get_args(Population)
    )
    return (populations, parts)


def _exports(view: View, total: int) -> tuple[tuple[str, str], ...]:
    """Downloads of the whole list as it is filtered now, and as it was known when it was drawn: what is seen, whatever comes."""
    if not total:
        return ()
    seen = {"as_of": [instant_text(view.as_of)], "snapshot": [str(view.snapshot)]}
    parameters = _parameters() | {"lang": [view.language]} | seen
    query = urlencode([(name, value) for name, values in parameters.items() for value in values])
    return tuple((form.upper(), f"/export/orders.{form}?{query}") for form in ("csv", "xlsx"))


def _unmasked(view: View, total: int) -> tuple[str, str] | None:
    """Where the same list is asked for with the personal data in it."""
    if not total or view.store is None or view.is_preview:
        return None
    query = urlencode([(name, value) for name, values in (_parameters() | {"lang": [view.language]}).items() for value in values])
    return translate(view.language, "approval.way"), f"/export/unmasked?{query}"


def _definition(view: View, listing: Listing) -> tuple[str, str] | None:
    """What the figure behind the list means, and its value."""
    if listing.metric is None:
        return None
    return translate(view.language, "contract.title"), figure_link(view, listing.metric, listing.where)


def _wider(view: View, listing: Listing) -> str:
    """The way on where nothing is found: the same without search and filters, over everything."""
    changes: dict[str, str | None] = {filter_.dimension: None for filter_ in listing.where}
    return link(view, "/orders", **(changes | {"window": "all", "search": None, "phone": None, "match": None}))


def _parameters() -> dict[str, Sequence[str]]:
    return {name: st.query_params.get_all(name) for name in st.query_params}


def _choose(view: View) -> None:
    """A change of the address, or other columns, which the user's account keeps."""
    chosen = (st.session_state.get(TABLE) or {}).get("columns")
    if isinstance(chosen, str):
        view.keep_preference(COLUMNS_PREFERENCE, chosen[:2_000] or None)
    if not _take_phone(view):
        take_choice(TABLE)


def _take_phone(view: View) -> bool:
    """Whether a phone number was searched for that some order in sight has; then the address gets its key, never the number."""
    choice = (st.session_state.get(TABLE) or {}).get("choice")
    text = choice.get("search") if isinstance(choice, Mapping) else None
    key = phone_key(view, text) if isinstance(text, str) else None
    if key is None or not orders_of(view, key):
        return False
    before = {name: values for name, values in _parameters().items() if name not in ("search", "after", "before")}
    st.query_params.from_dict(before | {"phone": [key], "window": ["all"]})
    return True
