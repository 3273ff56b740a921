"""Whom an order is for: masked for everyone who sees the order; an original for a minute, with purpose and password, on record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Any, Final
from urllib.parse import urlencode

import streamlit as st

from access.contacts import PURPOSES, RevealError, confirmation, masked, may_reveal, reveal
from access.order_twin import Twin
from access.user import PreviewError
from access.view import View
from components.format import full_instant
from components.twin import Parties, Party
from i18n import translate

FIELDS: Final = ("name", "phone", "address")
WORDS: Final = ("reveal", "purpose", "reason", "password", "show", "confirm", "confirmed")
REVEALED: Final = "order.revealed"
PROBLEM: Final = "order.reveal_problem"


@dataclass(frozen=True, kw_only=True)
class Shown:
    """An original on this tab's page, until when."""

    order: tuple[str, str]
    field: str
    value: str
    until: datetime


def parties_of(view: View, twin: Twin) -> Parties | None:
    """The order's parties as the user may see them now; None where no source reports any."""
    channel, order_id = twin.order["channel"], twin.order["order_id"]
    known = masked(view, channel, order_id, created_at=twin.order["created_at"])
    if not known:
        return None
    language, shown = view.language, _shown(view, channel, order_id)
    problem = st.session_state.pop(PROBLEM, None)
    wanted = confirmation(view) if may_reveal(view) else "password"
    return Parties(
        title=translate(language, "twin.parties.title"),
        scope=translate(language, "twin.parties.scope"),
        parties=tuple(
            Party(
                field=field,
                name=translate(language, f"twin.parties.{field}"),
                text=shown.value if shown and shown.field == field else known[field],
                shown_seconds=ceil((shown.until - view.now).total_seconds()) if shown and shown.field == field else 0,
                masked=known[field],
            )
            for field in FIELDS
            if field in known
        ),
        words={name: translate(language, f"twin.parties.{name}") for name in WORDS} if may_reveal(view) else {},
        purposes=tuple((code, translate(language, f"access.purpose.{code}")) for code in PURPOSES),
        problem=translate(language, f"access.reveal.{problem}") if problem else "",
        watermark=watermark(view) if shown else "",
        confirm=_way_to_confirm(view) if wanted == "sign_on" else "",
        is_password_asked=wanted == "password",
    )


def _way_to_confirm(view: View) -> str:
    """To the company's sign-in, and back to this very page."""
    here = "/order?" + urlencode({name: st.query_params.get_all(name) for name in st.query_params}, doseq=True)
    return f"/auth/oidc/start?{urlencode({'confirm': '1', 'lang': view.language, 'next': here})}"


def watermark(view: View) -> str:
    """Who sees this, and when: what a photograph or a print of the page is known by."""
    return f"{view.by_name} · {full_instant(view.now, view.zone)}"


def reveal_asked(view: View, channel: str, order_id: str, asked: Mapping[str, Any]) -> None:
    """Show the original asked for, or leave the reason why not for the page to tell."""
    field, purpose, text, password = (str(asked.get(name, "")) for name in ("field", "purpose", "reason", "password"))
    try:
        found = reveal(view, channel, order_id, field, purpose=purpose, text=text, password=password, now=view.now)
    except RevealError as error:
        st.session_state[PROBLEM] = error.reason
    except PreviewError:
        st.session_state[PROBLEM] = "role"
    else:
        order = (channel, order_id)
        st.session_state[REVEALED] = Shown(order=order, field=field, value=found.value, until=found.until)


def _shown(view: View, channel: str, order_id: str) -> Shown | None:
    shown = st.session_state.get(REVEALED)
    if isinstance(shown, Shown) and shown.order == (channel, order_id) and view.now < shown.until and may_reveal(view):
        return shown
    st.session_state.pop(REVEALED, None)
    return None
