"""Between a register in the browser and the books: what was asked is done once, and what came of it is left for the page to show."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from access.user import PreviewError
from access.view import View
from access.worklist import is_looking_back
from components.register import Outcome
from i18n import translate
from pages.one_go import in_one_go
from pages.targets_form import ValueRefused

Do = Callable[[View, str, str, Mapping[str, Any]], Outcome | None]
"""Does an action about a key with a form's values; None where the page itself shows what came of it."""

Refusals = Mapping[type[Exception], Callable[[Exception, str], str]]
"""The sentence for each kind of refusal, in a language."""


def keep_asked(register: str) -> None:
    """Keep what a register's trigger `act` carries for the run that follows: its view knows the present instant."""
    asked = (st.session_state.get(register) or {}).get("act")
    if isinstance(asked, Mapping):
        st.session_state[f"{register}.asked"] = dict(asked)


def is_asked(register: str) -> bool:
    """Whether something kept waits to be done in this run."""
    return f"{register}.asked" in st.session_state


def asked_of(register: str) -> Mapping[str, Any] | None:
    """What was kept of a register, which is then taken, or what its trigger `act` carries; None for nothing."""
    kept = st.session_state.pop(f"{register}.asked", None)
    asked = kept or (st.session_state.get(register) or {}).get("act")
    return asked if isinstance(asked, Mapping) else None


def act_at_once(view: View, register: str, act: Callable[[View], None]) -> None:
    """Do what was kept of a register with this run's view, then begin the page anew: whoever looks may be another now."""
    if _is_acted(view, register, act):
        st.rerun()


@in_one_go
def _is_acted(view: View, register: str, act: Callable[[View], None]) -> bool:
    is_due = is_asked(register)
    if is_due:
        act(view)
    return is_due


@in_one_go
def act_on_register(view: View, register: str, outcome: str, do: Do, refusals: Refusals) -> None:
    """Do what was kept of a register, or what its trigger `act` carries, for whoever may act on the present.

    What came of it is kept as `outcome`.
    """
    asked, language = asked_of(register), view.language
    if asked is None:
        return
    try:
        view.by()
        if is_looking_back(view):
            raise ValueRefused(translate(language, "alert_page.cannot.past"))
        found = do(view, str(asked.get("action")), str(asked.get("key")), dict(asked.get("values") or {}))
    except PreviewError:
        found = _refused(translate(language, "access.preview_only"))
    except ValueRefused as error:
        found = _refused(str(error))
    except tuple(refusals) as error:
        found = _refused(next(words for kind, words in refusals.items() if isinstance(error, kind))(error, language))
    st.session_state[outcome] = found


def done(text: str) -> Outcome | None:
    """What was done in a sentence; None without one."""
    return Outcome(text=text) if text else None


def _refused(text: str) -> Outcome:
    return Outcome(text=text, state="critical")
