"""What happened to this one order, and why? Its digital twin: content, behaviour, surroundings, and what was known when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Final
from zoneinfo import ZoneInfo

import streamlit as st

from access.order_twin import Twin
from access.view import View
from components.board import Notice, State
from components.twin import TwinPage, draw_twin
from i18n import label, translate
from pages.frame import draw_frame, watch
from pages.links import filter_changes, instant_text, link
from pages.order_around import read_around
from pages.order_axis import axis_of, state_of
from pages.order_facts import attached_of, events_of, groups_of
from pages.order_parties import parties_of, reveal_asked
from pages.order_scrubber import scrubber_of
from pages.order_sentence import evidence_of, sentence_of
from pages.order_work import read_work
from pages.wording import state_name
from pages.worklist_act import hear_of, keep_act
from queries.listing import Listing
from queries.query import QueryError
from queries.request import parse_instant

PAGE: Final = "order.page"
REST: Final = "order.rest"
JOURNEY: Final = "order.journey"
DENIED: Final = "order.denied"
WORDS: Final = ("page", "search", "find", "print", "journey", "journey_tip", "facts")
LONGEST: Final = 128


def render(view: View) -> None:
    """Draw the order that the address names, then what follows in place, and watch for the next snapshot."""
    with st.container(key="order", gap=None):
        parameters = {name: st.query_params.get_all(name) for name in ("channel", "order_id", "created")}
        channel, order_id, _ = names = _names(parameters)
        twin = _read(view, *names)
        draw_frame(view, "pages.order", country=None, states=(), applied=view.address.filters, names=("channel",))
        page = read_page(view, twin, order_id, journey=_journey(channel, order_id))
        if twin is not None:
            page = replace(page, work=read_work(view, twin, hear_of(view, (channel, order_id))))
        draw_twin(page, key=PAGE, on_choice=partial(_choose, view, channel, order_id))
        if twin is None:
            _note_denied(view, channel, order_id)
        else:
            draw_twin(read_rest(view, twin), key=REST, on_choice=partial(_reveal, view, channel, order_id))
        watch(view)


def prepare(view: View, parameters: Mapping[str, Sequence[str]]) -> None:
    """Ask everything that `render` will ask for this view, so that it finds the answers ready."""
    if twin := _read(view, *_names(parameters)):
        read_work(view, twin, None)
        read_rest(view, twin)


def _names(parameters: Mapping[str, Sequence[str]]) -> tuple[str, str, datetime | None]:
    """Channel, number and creation as the address has them; what is malformed counts as not there."""
    channel, order_id, created = (_text((parameters.get(name) or ("",))[-1]) for name in ("channel", "order_id", "created"))
    try:
        return channel, order_id, parse_instant(created, ZoneInfo("UTC")) if created else None
    except QueryError:
        return channel, order_id, None


def _read(view: View, channel: str, order_id: str, created_at: datetime | None) -> Twin | None:
    return view.read_order(channel, order_id, created_at) if channel and order_id else None


def read_rest(view: View, twin: Twin) -> TwinPage:
    """Whom the order is for, what was known when, and what went on around it."""
    return TwinPage(
        language=view.language,
        words={},
        parties=parties_of(view, twin),
        scrubber=scrubber_of(view, twin),
        around=read_around(view, twin),
        is_rest=True,
    )


def read_page(view: View, twin: Twin | None, order_id: str, *, journey: str = "") -> TwinPage:
    """What the page shows first of an order; where there is none in the user's area only why, and a way on."""
    words = {name: translate(view.language, f"twin.{name}") for name in WORDS}
    if twin is not None:
        return _page(view, twin, words, journey)
    notice = _notice(view, "not_found", number=order_id) if order_id else _notice(view, "none_named")
    return TwinPage(language=view.language, words=words, notice=notice)


def _page(view: View, twin: Twin, words: dict[str, str], journey: str) -> TwinPage:
    language, order = view.language, twin.order
    state: State = state_of(view, order["late_by_seconds"])
    return TwinPage(
        language=language,
        words=words,
        title=translate(language, "twin.title", number=order["order_id"], channel=label(language, "channel", order["channel"])),
        status=_status(language, twin),
        state=state,
        state_word=state_name(language, state) if state in ("critical", "warning") else "",
        sentence=sentence_of(view, twin),
        evidence=evidence_of(view, twin),
        compared=_compared(view, twin),
        back=(translate(language, "twin.back"), link(view, "/orders", channel=None)),
        journey=(translate(language, "twin.journey_made"), journey) if journey else None,
        groups=groups_of(view, twin),
        axis=axis_of(view, twin),
        events=events_of(view, twin),
        attached=attached_of(view, twin),
    )


def _status(language: str, twin: Twin) -> str:
    status = label(language, "status", twin.order["status"])
    if not twin.order["stage"]:
        return status
    return translate(language, "twin.status", status=status, stage=label(language, "stage", twin.order["stage"]))


def _compared(view: View, twin: Twin) -> tuple[str, str] | None:
    """The comparable orders of the stage that cost most (else of the last one known), as a list."""
    known = [passage for passage in twin.passages if passage.usual is not None]
    passage = twin.worst or (known[-1] if known else None)
    if passage is None or passage.usual is None:
        return None
    text = translate(view.language, "twin.compared", n=f"{passage.usual.n:,}")
    return text, compared_link(view, twin, passage.stage, passage.usual.level)


def compared_link(view: View, twin: Twin, stage: str, level: str) -> str:
    """The list of exactly the passages an order is compared with in a stage."""
    window = twin.compared_window
    span = f"{instant_text(window.start)}..{instant_text(window.end)}" if window and window.start else None
    filters = filter_changes(twin.compared[level])
    others: dict[str, None] = {filter_.dimension: None for filter_ in view.address.filters}
    changes = {**others, **filters, "metric": "dwell_seconds_p50", "stage": stage, "window": span}
    return link(view, "/orders", **changes)


def _notice(view: View, key: str, **values: str) -> Notice:
    title, text, way = (translate(view.language, f"twin.{key}.{part}", **values) for part in ("title", "text", "way"))
    return Notice(state="neutral", title=title, text=text, way=way, href=link(view, "/orders", channel=None))


def _text(value: str | None) -> str:
    text = (value or "").strip()
    return text if len(text) <= LONGEST and text.isprintable() else ""


def _journey(channel: str, order_id: str) -> str:
    """The customer's link made for this order in this tab; none for another order."""
    made = st.session_state.get(JOURNEY)
    return str(made[1]) if made and made[0] == (channel, order_id) else ""


def _note_denied(view: View, channel: str, order_id: str) -> None:
    """On the record once for this tab and order, however often it is drawn."""
    if order_id and st.session_state.get(DENIED) != (channel, order_id):
        st.session_state[DENIED] = (channel, order_id)
        view.note_denied("order", f"{channel}/{order_id}")


def _choose(view: View, channel: str, order_id: str) -> None:
    """Go to another order, make a link for the customer of this one, or keep what is asked of its work for the run that follows."""
    keep_act(PAGE)
    choice = (st.session_state.get(PAGE) or {}).get("choice") or {}
    if choice.get("journey") and channel and order_id:
        st.session_state[JOURNEY] = ((channel, order_id), view.at_present().make_journey(channel, order_id))
    if isinstance(choice.get("find"), str):
        found = find_order(view, choice["find"][:64])
        before = {name: st.query_params.get_all(name) for name in st.query_params if name != "created"}
        st.query_params.from_dict(before | {"channel": [found[0]], "order_id": [found[1]]})


def _reveal(view: View, channel: str, order_id: str) -> None:
    """Show an original for a minute, where it may be."""
    asked = ((st.session_state.get(REST) or {}).get("choice") or {}).get("reveal")
    if isinstance(asked, Mapping):
        reveal_asked(view.at_present(), channel, order_id, asked)


def find_order(view: View, search: str) -> tuple[str, str]:
    """The order meant by the beginning of a number; where none is found the text itself, under no known channel."""
    everything = Listing(search=search, columns=("order_id",), limit=1, order_by="order_id")
    rows = view.list_orders(everything).to_dicts()
    return (rows[0]["channel"], rows[0]["order_id"]) if rows else ("?", search)
