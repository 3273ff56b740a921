"""What was unusual about an account, and when? For the administrator, until somebody has looked."""

from __future__ import annotations

from functools import partial
from typing import Final

import streamlit as st

from access.flag import Flag, list_flags
from access.people import dismiss_flag
from access.user import PreviewError, UserError
from access.view import View
from components.format import dated_instant
from components.register import Act, Entry, Outcome, Register, draw_register
from i18n import translate
from pages.register_act import act_at_once, asked_of, keep_asked
from pages.users_refusal import explain

REGISTER: Final = "users.flags"
OUTCOME: Final = "users.flags_outcome"


def draw_flags(view: View) -> None:
    """Draw what is open, and what became of the last dismissal; nothing where there is neither."""
    register = flags_register(view)
    if register.entries or register.outcome:
        draw_register(register, key=REGISTER, on_act=partial(keep_asked, REGISTER))


def hear_flags(view: View) -> None:
    """Do what was asked of it, before anything of the page is read."""
    act_at_once(view, REGISTER, act_on_flags)


def act_on_flags(view: View) -> None:
    """Dismiss the flag the register asks for."""
    asked = asked_of(REGISTER) or {}
    number = str(asked.get("key", "")) if asked.get("action") == "dismiss" else ""
    if not number.isdecimal() or view.store is None:
        return
    try:
        dismiss_flag(view.store, int(number[:9]), view.by())
        st.session_state[OUTCOME] = Outcome(text=translate(view.language, "users.flag.dismissed"))
    except UserError as error:
        st.session_state[OUTCOME] = Outcome(text=explain(error, view.language), state="critical")
    except PreviewError:
        st.session_state[OUTCOME] = Outcome(text=translate(view.language, "access.preview_only"), state="critical")


def flags_register(view: View) -> Register:
    """The open flags, newest first."""
    language = view.language
    flags = list_flags(view.store) if view.store else []
    return Register(
        language=language,
        title=translate(language, "users.flag.title"),
        note=translate(language, "users.flag.count", n=len(flags)),
        columns=tuple(_head(view, name) for name in ("user", "at", "what")),
        entries=tuple(_entry(view, flag) for flag in flags),
        empty=translate(language, "users.flag.nothing"),
        outcome=st.session_state.pop(OUTCOME, None),
        acts_name=translate(language, "users.column.acts"),
    )


def _head(view: View, name: str) -> str:
    text = translate(view.language, f"users.flag.column.{name}")
    return f"{text} ({view.zone.key})" if name == "at" else text


def _entry(view: View, flag: Flag) -> Entry:
    language, detail = view.language, flag.detail
    values = {"address": detail.get("address") or "–", "addresses": ", ".join(detail.get("addresses", ())) or "–"}
    values |= {name: f"{int(detail.get(name, 0)):,}" for name in ("count", "rows")}
    return Entry(
        key=str(flag.id),
        cells=(flag.user_name, dated_instant(flag.at, view.zone), translate(language, f"users.flag.kind.{flag.kind}", **values)),
        state="warning",
        acts=(Act(action="dismiss", name=translate(language, "users.flag.dismiss")),),
    )
