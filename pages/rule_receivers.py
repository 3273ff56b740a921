"""The forms by which an administrator keeps receivers: first the channel, then what that channel needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import streamlit as st

from access.view import View
from alerts.channels import CHANNELS
from alerts.long_tail import SERVICES
from alerts.outbox import Receiver, list_receivers
from alerts.receivers import SECURITY, Wanted, field_names, keep_receiver, stop_receiver
from alerts.rule import RuleError
from alerts.values import read_name
from components.register import Branch, Choice, Field, Form
from i18n import LANGUAGES, translate
from pages.wording import names_of
from queries.regions import regions_by_country

OPENED: Final = "rules.house.receiver"
ACTIONS: Final = ("new_receiver", "change_receiver", "keep_receiver", "stop_receiver", "leave_receiver")


def act_on_receiver(view: View, action: str, key: str, values: Mapping[str, Any]) -> str:
    """Do it; the sentence to say, empty where the page itself shows it. Raises RuleError."""
    actor, language, store = view.by().audited, view.language, view.store
    if store is None:
        return ""
    if action == "new_receiver":
        name, channel = read_name(str(values.get("name", "")).strip().lower(), is_test=False), str(values.get("channel", ""))
        if name in list_receivers(store):
            raise RuleError(f"There is already a receiver {name!r}: change it in the list")
        st.session_state[OPENED] = Receiver(name=name, channel=channel, settings={}, scope=view.scope, language=language)
    elif action == "change_receiver" and key in list_receivers(store):
        st.session_state[OPENED] = list_receivers(store)[key]
    elif action == "keep_receiver" and (opened := _opened()) is not None:
        keep_receiver(store, _wanted(opened, values), actor, now=view.now)
        st.session_state.pop(OPENED, None)
        return translate(language, "rules.house.did.kept", name=opened.name)
    elif action == "stop_receiver":
        stop_receiver(store, key, actor, now=view.now)
        return translate(language, "rules.house.did.stopped", name=key)
    elif action == "leave_receiver":
        st.session_state.pop(OPENED, None)
    return ""


def _opened() -> Receiver | None:
    found = st.session_state.get(OPENED)
    return found if isinstance(found, Receiver) and found.channel in CHANNELS else None


def _wanted(opened: Receiver, values: Mapping[str, Any]) -> Wanted:
    hourly = str(values.get("per_hour") or "0").strip()
    if not hourly.isdecimal():
        raise RuleError(f"per_hour {hourly[:20]!r} is not possible: give a whole number from 0 to 1000")
    return Wanted(
        name=opened.name,
        channel=opened.channel,
        settings={name: str(values.get(name) or "") for name in field_names(opened.channel)},
        regions=tuple(code for code in str(values.get("regions") or "").split(",") if code),
        language=str(values.get("language") or "en"),
        per_hour=int(hourly),
    )


def receiver_forms(view: View) -> tuple[Form, ...]:
    """The form of the receiver that is opened with the way out, or the one that begins a new receiver."""
    language, opened = view.language, _opened()
    if opened is not None:
        leave = Form(
            action="leave_receiver",
            key="leave-receiver",
            title=translate(language, "rules.house.form.leave_title"),
            submit=translate(language, "rules.house.form.leave"),
            fields=(),
            is_quiet=True,
        )
        return _own_form(view, opened), leave
    channels = tuple(Choice(code=code, name=translate(language, f"rules.house.channel.{code}")) for code in CHANNELS)
    name = Field(
        code="name",
        name=translate(language, "rules.house.form.name"),
        hint=translate(language, "rules.house.form.name_hint"),
        is_needed=True,
    )
    begin = Form(
        action="new_receiver",
        key=f"receiver-{len(list_receivers(view.store)) if view.store else 0}",
        title=translate(language, "rules.house.form.receiver"),
        submit=translate(language, "rules.house.form.next"),
        fields=(
            name,
            Field(code="channel", name=translate(language, "rules.house.column.channel"), kind="choice", choices=channels),
        ),
    )
    return (begin,)


def _own_form(view: View, opened: Receiver) -> Form:
    language = view.language
    channel = translate(language, f"rules.house.channel.{opened.channel}")
    languages = tuple(
        Choice(code=code, name=translate(language, f"rules.house.language.{code}"), is_on=code == opened.language)
        for code in LANGUAGES
    )
    return Form(
        action="keep_receiver",
        key=f"receiver-{opened.name}-{opened.channel}",
        title=translate(language, "rules.house.form.receiver_of", name=opened.name, channel=channel),
        submit=translate(language, "rules.house.form.keep"),
        note=translate(language, "rules.house.form.receiver_note"),
        fields=(
            *(_setting(language, opened, name, is_needed=is_needed) for name, is_needed in field_names(opened.channel).items()),
            Field(code="language", name=translate(language, "rules.house.column.language"), kind="choice", choices=languages),
            Field(
                code="per_hour",
                name=translate(language, "rules.house.setting.per_hour"),
                value=str(opened.per_hour),
                hint=translate(language, "rules.house.form.per_hour_hint"),
            ),
            _regions(language, opened),
        ),
    )


def _setting(language: str, opened: Receiver, name: str, *, is_needed: bool) -> Field:
    value = opened.settings.get(name)
    text = ", ".join(value) if isinstance(value, list) else str(value or "")
    title = translate(language, f"rules.house.setting.{name}")
    if name == "security":
        chosen = text or SECURITY[0]
        choices = tuple(
            Choice(code=code, name=translate(language, f"rules.house.security.{code}"), is_on=code == chosen) for code in SECURITY
        )
        return Field(code=name, name=title, kind="choice", choices=choices)
    is_secret = name in CHANNELS[opened.channel].secrets
    hint = translate(language, "rules.house.form.secret_hint") if is_secret else ""
    if opened.channel == "apprise":
        schemes = translate(language, "marks.joiner").join(f"{name}://" for name in SERVICES)
        hint = translate(language, "rules.house.form.apprise_hint", services=schemes)
    return Field(code=name, name=title, value=text, hint=hint, is_needed=is_needed)


def _regions(language: str, opened: Receiver) -> Field:
    branches = tuple(
        Branch(
            name=names_of(language, "country", (country,)),
            choices=tuple(
                Choice(code=code, name=names_of(language, "region", (code,)), is_on=code in opened.scope.regions)
                for code in codes
            ),
        )
        for country, codes in regions_by_country().items()
    )
    hint = translate(language, "rules.house.form.regions_hint")
    return Field(code="regions", name=translate(language, "rules.house.column.area"), kind="tree", branches=branches, hint=hint)
