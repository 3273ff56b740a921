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
from pages.targets_form import ValueRefused

Do = Callable[[View, str, str, Mapping[str, Any]], Outcome | None]
"""Does an action about a key with a form's values; None where the page itself shows what came of it."""

Refusals = Mapping[type[Exception], Callable[[Exception, str], str]]
"""The sentence for each kind of refusal, in a language."""


def act_on_register(view: View, register: str, outcome: str, do: Do, refusals: Refusals) -> None:
    """Do what a register's trigger `act` carries, for whoever may act on the present; keep what came of it as `outcome`."""
    asked = (st.session_state.get(register) or {}).get("act")
    if not isinstance(asked, Mapping):
        return
    language = view.language
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
