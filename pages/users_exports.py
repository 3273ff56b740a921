"""Who wants personal data in a file, and why? For an administrator who is not the one who asked."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

import streamlit as st

from access.address import UNKNOWN
from access.approval import ApprovalError, Request, decide, waiting_requests
from access.user import PreviewError
from access.view import View
from components.format import dated_instant
from components.register import Act, Entry, Outcome, Register, draw_register
from i18n import translate
from pages.register_act import act_at_once, asked_of, keep_asked
from pages.wording import names_of
from queries.dimensions import DIMENSIONS
from queries.metrics import METRICS

REGISTER: Final = "users.exports"
OUTCOME: Final = "users.exports_outcome"
COLUMNS: Final = ("user", "at", "rows", "why", "list", "until")
VERBS: Final = ("approve", "refuse")
PARTS: Final = ("window", "as_of", "snapshot", "search", "columns", "population", "part", "order", "phone")


def draw_exports(view: View) -> None:
    """Draw what waits for a decision, and what became of the last one; nothing where there is neither."""
    register = exports_register(view)
    if register.entries or register.outcome:
        draw_register(register, key=REGISTER, on_act=partial(keep_asked, REGISTER))


def hear_exports(view: View) -> None:
    """Do what was asked of it, before anything of the page is read."""
    act_at_once(view, REGISTER, act_on_exports)


def act_on_exports(view: View) -> None:
    """Decide as the register asks."""
    asked = asked_of(REGISTER) or {}
    verb, number = (str(asked.get(name, "")) for name in ("action", "key"))
    if verb not in VERBS or not number.isdecimal() or view.store is None:
        return
    try:
        decide(view.store, int(number[:9]), is_approved=verb == "approve", by=view.by())
        st.session_state[OUTCOME] = Outcome(text=translate(view.language, f"approval.did_{verb}"))
    except ApprovalError as error:
        text = translate(view.language, f"approval.error.{error.reason}")
        st.session_state[OUTCOME] = Outcome(text=text, state="critical")
    except PreviewError:
        st.session_state[OUTCOME] = Outcome(text=translate(view.language, "access.preview_only"), state="critical")


def exports_register(view: View) -> Register:
    """The requests that wait, newest first."""
    language = view.language
    waiting = waiting_requests(view.store, view.now) if view.store else []
    return Register(
        language=language,
        title=translate(language, "approval.waiting"),
        note=translate(language, "approval.count", n=len(waiting)),
        columns=tuple(_head(view, name) for name in COLUMNS),
        entries=tuple(_entry(view, request) for request in waiting),
        empty=translate(language, "approval.nothing"),
        outcome=st.session_state.pop(OUTCOME, None),
        acts_name=translate(language, "users.column.acts"),
    )


def _head(view: View, name: str) -> str:
    text = translate(view.language, f"approval.column.{name}")
    return f"{text} ({view.zone.key})" if name in ("at", "until") else text


def _asked(view: View, name: str, values: Sequence[str]) -> str:
    """One part of the list that is asked for, in words where there are any."""
    language, text = view.language, ", ".join(values)
    if name in DIMENSIONS:
        named = names_of(language, name, [None if value == UNKNOWN else value for value in values], most=5)
        return f"{translate(language, f'dimensions.{name}.name')}: {named}"
    if name == "metric" and text in METRICS:
        return f"{translate(language, 'approval.part.metric')}: {translate(language, f'metrics.{text}.name')}"
    return f"{translate(language, f'approval.part.{name}') if name in PARTS else name}: {text}"


def _entry(view: View, request: Request) -> Entry:
    language, is_own = view.language, request.asked_by == view.by_name
    wanted = "; ".join(_asked(view, name, values) for name, values in request.parameters.items())
    acts = tuple(
        Act(
            action=verb,
            name=translate(language, f"approval.{verb}"),
            question=translate(language, f"approval.sure_{verb}", name=request.asked_by, n=f"{request.row_count:,}"),
        )
        for verb in VERBS
    )
    return Entry(
        key=str(request.id),
        cells=(
            request.asked_by,
            dated_instant(request.asked_at, view.zone),
            f"{request.row_count:,}",
            f"{translate(language, f'access.purpose.{request.purpose}')}: {request.reason}",
            wanted,
            dated_instant(request.ends_at, view.zone),
        ),
        mark=translate(language, "approval.own") if is_own else "",
        state="warning",
        acts=() if is_own else acts,
    )
