"""Between the rules in the browser and the book: what was asked is done once, and what came of it is told in a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import streamlit as st

from access.user import PreviewError
from access.view import View
from alerts.rule import RuleError
from components.worklist import Said
from i18n import translate
from pages.one_go import in_one_go
from pages.rule_draft import begin, begin_order
from pages.rule_form_act import DRAFT, FORM, close_form, draft_now, take_values
from pages.rule_kept_act import act_on_rule
from pages.rule_refusal import explain
from pages.rule_sight import mine
from queries.query import QueryError

ASKED: Final = "rules.asked"
TOLD: Final = "rules.told"
TOLD_FOR: Final = timedelta(seconds=30)
LONGEST: Final = 2_000
MOST_VALUES: Final = 2_000


def keep_act(component: str) -> None:
    """Keep what the component's trigger `act` carries for the run that follows."""
    asked = (st.session_state.get(component) or {}).get("act")
    if isinstance(asked, Mapping):
        texts = {name: str(asked.get(name) or "")[:LONGEST] for name in ("action", "key", "value", "reason")}
        values = asked.get("values")
        plain = (
            {str(k)[:200]: str(v)[:LONGEST] for k, v in list(values.items())[:MOST_VALUES]} if isinstance(values, Mapping) else {}
        )
        st.session_state[ASKED] = texts | {"values": plain}


@in_one_go
def hear(view: View) -> Said | None:
    """Do what was asked in this run; the sentence to say, which stays for a while."""
    asked = st.session_state.pop(ASKED, None)
    if asked is not None:
        number = st.session_state.get(f"{TOLD}.number", 0) + 1
        st.session_state[f"{TOLD}.number"] = number
        said = act(view, asked, number)
        st.session_state[TOLD] = (said, view.now)
        return said
    told = st.session_state.get(TOLD)
    return told[0] if told and told[0] and view.now - told[1] < TOLD_FOR else None


def act(view: View, asked: Mapping[str, Any], number: int) -> Said | None:
    """One act; what became of it, None where the page itself shows it."""
    try:
        text = _do(view, asked)
    except (RuleError, QueryError) as error:
        return Said(text=explain(error, view.language), is_refusal=True, number=number)
    except PreviewError:
        return Said(text=translate(view.language, "alert_page.cannot.preview"), is_refusal=True, number=number)
    return Said(text=text, number=number) if text else None


def _do(view: View, asked: Mapping[str, Any]) -> str:
    action, name, value, reason = (str(asked.get(key) or "") for key in ("action", "key", "value", "reason"))
    if action == "close":
        close_form()
        return ""
    if action == "new":
        st.session_state[DRAFT] = begin(view, {}, stamp=f"new {view.now.timestamp()}")
        return ""
    if action == "new_order":
        st.session_state[DRAFT] = begin_order(view, stamp=f"new {view.now.timestamp()}")
        return ""
    if action in FORM:
        draft = draft_now()
        if draft is None:
            raise RuleError(translate(view.language, "rules.error.no_draft"))
        take_values(view, draft, dict(asked.get("values") or {}))
        return FORM[action](view, draft, value, reason)
    return act_on_rule(view, action, mine(view, name), value, reason)
