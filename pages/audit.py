"""Who did what, and when? The audit, for the administrator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Final

import streamlit as st

from access.audit import verify
from access.audit_rows import AuditFilter, AuditRow, audit_values, list_audit
from access.view import View
from components.format import dated_instant
from components.register import Choice, Entry, Field, Form, Outcome, Register, draw_register
from i18n import translate
from pages.audit_detail import named, tell_detail
from pages.frame import draw_frame
from queries.query import QueryError
from queries.request import parse_instant

REGISTER: Final = "audit.register"
CHOSEN: Final = "audit.chosen"
OUTCOME: Final = "audit.outcome"
LISTS: Final = ("actor", "action", "result")
MOST: Final = 300
TROUBLE: Final = ("denied", "wrong", "wait", "broken")


def render(view: View) -> None:
    """Draw the newest rows that pass the filters, and the form of the filters."""
    with st.container(key="audit", gap=None):
        draw_frame(view, "pages.audit", country=None, states=())
        draw_register(_register(view), key=REGISTER, on_act=partial(act, view))


def prepare(view: View, parameters: Mapping[str, Sequence[str]]) -> None:
    """Ask everything that `render` will ask for this view: its rows ask the lake nothing."""


def act(view: View) -> None:
    """Take the chosen filters, or walk the chain."""
    asked = (st.session_state.get(REGISTER) or {}).get("act")
    if not isinstance(asked, Mapping):
        return
    view.stays_valid()
    if asked.get("action") == "filter":
        values = dict(asked.get("values") or {})
        st.session_state[CHOSEN] = {name: str(values.get(name, ""))[:200] for name in (*LISTS, "object_id", "since", "until")}
    elif asked.get("action") == "verify":
        st.session_state[OUTCOME] = _walked(view)


def _walked(view: View) -> Outcome | None:
    if view.store is None:
        return None
    verdict = verify(view.store)
    if verdict.broken_seq is None:
        return Outcome(text=translate(view.language, "audit.sound", n=f"{verdict.sound_count:,}", hash=verdict.head_hash[:16]))
    return Outcome(text=translate(view.language, "audit.broken", n=f"{verdict.broken_seq:,}"), state="critical")


def _register(view: View) -> Register:
    language = view.language
    rows = list_audit(view.store, _wanted(view), limit=MOST) if view.store else []
    columns = ("actor", "action", "object", "result", "address", "purpose", "detail")
    words = tuple(translate(language, f"audit.column.{name}") for name in columns)
    return Register(
        language=language,
        title=translate(language, "audit.title"),
        note=translate(language, "audit.count", n=len(rows), most=MOST),
        columns=(f"{translate(language, 'audit.column.at')} ({view.zone.key})", *words),
        entries=tuple(_entry(view, row) for row in rows),
        empty=translate(language, "audit.nothing"),
        forms=(_filters(view), _check(view)),
        outcome=st.session_state.pop(OUTCOME, None),
    )


def _chosen() -> dict[str, str]:
    return dict(st.session_state.get(CHOSEN) or {})


def _wanted(view: View) -> AuditFilter:
    chosen = _chosen()
    actors, actions, results = ((chosen[name],) if chosen.get(name) else () for name in LISTS)
    return AuditFilter(
        actors=actors,
        actions=actions,
        results=results,
        object_id=chosen.get("object_id", ""),
        since=_instant(view, chosen.get("since", "")),
        until=_instant(view, chosen.get("until", "")),
    )


def _instant(view: View, text: str) -> datetime | None:
    try:
        return parse_instant(text, view.zone) if text else None
    except QueryError:
        return None


def _entry(view: View, row: AuditRow) -> Entry:
    language = view.language
    cells = (
        dated_instant(row.at, view.zone),
        row.actor or "–",
        translate(language, f"audit.action.{row.action}"),
        " ".join(part for part in (named(language, "kind", row.object_kind), row.object_id) if part),
        _result(language, row.result),
        row.address,
        translate(language, f"access.purpose.{row.purpose}") if row.purpose else "",
        tell_detail(view, row),
    )
    is_trouble = row.result in TROUBLE
    return Entry(
        key=str(row.seq),
        cells=cells,
        mark=cells[4] if is_trouble else "",
        mark_cell=4,
        state="warning" if is_trouble else "neutral",
        tip=f"#{row.seq}",
    )


def _word(language: str, column: str, value: str) -> str:
    if column == "action":
        return translate(language, f"audit.action.{value}")
    return _result(language, value) if column == "result" else value


def _result(language: str, result: str) -> str:
    return named(language, "result", result)


def _filters(view: View) -> Form:
    language, chosen = view.language, _chosen()
    anything = translate(language, "audit.anything")

    def listed(name: str) -> Field:
        values = [value for value in (audit_values(view.store, name) if view.store else []) if value]
        choices = tuple(
            Choice(code=value, name=_word(language, name, value), is_on=value == chosen.get(name)) for value in values
        )
        title = translate(language, f"audit.column.{name}")
        return Field(code=name, name=title, kind="choice", choices=(Choice(code="", name=anything), *choices))

    fields = [listed(name) for name in LISTS]
    fields.append(Field(code="object_id", name=translate(language, "audit.column.object"), value=chosen.get("object_id", "")))
    fields += [
        Field(code=name, name=translate(language, f"audit.{name}"), kind="date", value=chosen.get(name, ""))
        for name in ("since", "until")
    ]
    return Form(
        action="filter", key="filter", title="", submit=translate(language, "audit.filter"), fields=tuple(fields), is_inline=True
    )


def _check(view: View) -> Form:
    return Form(
        action="verify",
        key="verify",
        title="",
        submit=translate(view.language, "audit.verify"),
        fields=(),
        is_inline=True,
        is_quiet=True,
    )
