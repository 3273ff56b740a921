"""Between the list in the browser and the desk's records: what was asked, and what came of it, in a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, get_args

import streamlit as st

from access.view import View
from access.work_act import Act, Outcome, Verb, perform
from access.work_change import WorkConflict, WorkError, note_denied
from access.work_item import Change, Key
from access.worklist import read_row
from components.worklist import Said
from i18n import translate
from pages.one_go import in_one_go
from pages.review_act import REVIEW_VERBS, do_review
from pages.worklist_job import Names, change_text

ASKED: Final = "worklist.asked"
TOLD: Final = "worklist.told"
TOLD_FOR: Final = timedelta(seconds=30)
"""So long a sentence stays, and with it the way to take the change back at once; the history keeps it."""
LONGEST: Final = 4_000


def keep_act(component: str) -> None:
    """Keep what the component's trigger `act` carries for the run that follows: it knows the present instant."""
    state = st.session_state.get(component) or {}
    if isinstance(asked := state.get("act"), Mapping):
        st.session_state[ASKED] = dict(asked)


@in_one_go
def hear(view: View, component: str) -> tuple[Said | None, Key | None]:
    """Do what was asked in this run; the sentence to say, and the order it is about (else the address's `item`)."""
    is_asked, key = ASKED in st.session_state, asked_key(st.query_params.get("item"))
    if key and not is_asked:
        return _open(view, key, st.session_state.get(f"{TOLD}.number", 0))
    return _hear(view)


@in_one_go
def hear_of(view: View, key: Key) -> Said | None:
    """Do what was asked of this one order in this run; the sentence to say, for a while also in the runs that follow."""
    said, about = _hear(view)
    return said if about in (key, None) else None


def _hear(view: View) -> tuple[Said | None, Key | None]:
    asked = st.session_state.pop(ASKED, None)
    if asked is not None:
        number = st.session_state.get(f"{TOLD}.number", 0) + 1
        st.session_state[f"{TOLD}.number"] = number
        said, key = _do(view, asked, number)
        st.session_state[TOLD] = (said, key, view.now)
        return said, key
    told: tuple[Said | None, Key | None, datetime] = st.session_state.get(TOLD, (None, None, view.now))
    return (told[0] if view.now - told[2] < TOLD_FOR else None), told[1]


def asked_key(text: str | None) -> Key | None:
    """The order an address or a message names as `channel/order_id`; None where it names none."""
    channel, mark, order_id = (text or "")[:LONGEST].partition("/")
    return (channel, order_id) if mark and channel and order_id else None


def read_act(asked: Mapping[str, object]) -> Act | None:
    """The act in a message of the browser; None where it is none."""
    texts = {name: value[:LONGEST] for name, value in asked.items() if isinstance(value, str)}
    verb: Verb | None = next((verb for verb in get_args(Verb) if verb == texts.get("verb")), None)
    version = asked.get("version")
    if verb is None or not texts.get("channel") or not texts.get("order_id"):
        return None
    seen = version if isinstance(version, int) and not isinstance(version, bool) else 0
    key = (texts["channel"], texts["order_id"])
    return Act(verb=verb, key=key, value=texts.get("value", ""), seen_version=seen)


def _do(view: View, asked: Mapping[str, object], number: int) -> tuple[Said, Key | None]:
    verb = next((verb for verb in REVIEW_VERBS if verb == asked.get("verb")), None)
    key_asked = asked_key(f"{asked.get('channel')}/{asked.get('order_id')}")
    if verb is not None and key_asked is not None:
        said = do_review(view, verb, key_asked, str(asked.get("value"))[:LONGEST], number)
        return said, key_asked if said.key else None
    act = read_act(asked)
    if act is None:
        text = WorkError("not_understood").sentence(view.language)
        return Said(text=text, is_refusal=True, number=number), None
    outcome = perform(view, act)
    key = "/".join(act.key)
    if outcome.error is not None:
        shown = None if outcome.error.reason == "not_found" else act.key
        return Said(text=_refusal(view, outcome.error), is_refusal=True, key=key, number=number), shown
    return Said(text=_sentence(view, outcome), key=key, undo=_undo(outcome.change), number=number), act.key


def _open(view: View, key: Key, number: int) -> tuple[Said | None, Key | None]:
    """The order that the address names: in the panel, or a sentence that it is not in the user's area."""
    if read_row(view, key) is not None:
        return None, key
    mark = f"{ASKED}.denied.{'/'.join(key)}"
    if view.store is not None and not view.is_preview and mark not in st.session_state:
        st.session_state[mark] = True
        note_denied(view.store, key, by=view.by())
    text = WorkError("not_found", order=key[1][:40]).sentence(view.language)
    return Said(text=text, is_refusal=True, number=number), None


def _refusal(view: View, error: WorkError) -> str:
    if isinstance(error, WorkConflict):
        names = Names(view)
        what = change_text(view, error.change, names)
        who = names.of(error.change.actor)
        return translate(view.language, "worklist.error.conflict_what", who=who, what=what)
    return error.sentence(view.language)


def _sentence(view: View, outcome: Outcome) -> str:
    if outcome.change is None:
        return translate(view.language, "worklist.said.same", order=outcome.act.key[1])
    what = change_text(view, outcome.change, Names(view))
    return translate(view.language, "worklist.said.done", order=outcome.act.key[1], what=what)


def _undo(change: Change | None) -> str:
    return "" if change is None else str(change.id)
