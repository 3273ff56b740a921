"""Who may see what, and who was here? The accounts, for the administrator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final, cast

import streamlit as st

from access.acting import By
from access.people import (
    Person,
    change_access,
    close_account,
    invite,
    list_people,
    preview_as,
    remove_account,
    renew_password,
    reopen_account,
    restore_account,
    sign_out_everywhere,
    unlock_account,
)
from access.user import ROLES, PreviewError, Role, User, UserError, find_user
from access.view import View
from components.format import dated_instant
from components.register import Act, Branch, Choice, Entry, Field, Form, Outcome, Register, draw_register
from i18n import translate
from pages.frame import draw_frame
from pages.register_act import act_at_once, asked_of, keep_asked
from pages.users_exports import draw_exports, hear_exports
from pages.users_flags import draw_flags, hear_flags
from pages.users_refusal import explain
from pages.users_why import ACTION, explain_asked, why_form
from pages.wording import names_of
from queries.regions import regions_by_country

REGISTER: Final = "users.register"
CHANGED: Final = "users.changed"
OUTCOME: Final = "users.outcome"


def render(view: View) -> None:
    """Draw every account with what can be done about it, and the form to invite or change one."""
    with st.container(key="users", gap=None):
        act_at_once(view, REGISTER, act)
        hear_flags(view)
        hear_exports(view)
        draw_frame(view, "pages.users", country=None, states=())
        draw_flags(view)
        draw_exports(view)
        draw_register(_register(view), key=REGISTER, on_act=partial(keep_asked, REGISTER))


def prepare(view: View, parameters: Mapping[str, Sequence[str]]) -> None:
    """Ask everything that `render` will ask for this view: its rows ask the lake nothing."""


def act(view: View) -> None:
    """Do what the register asked for, and leave what became of it for the page to show."""
    asked = asked_of(REGISTER)
    if asked is None:
        return
    try:
        st.session_state[OUTCOME] = _do(view, str(asked.get("action")), str(asked.get("key")), dict(asked.get("values") or {}))
    except UserError as error:
        st.session_state[OUTCOME] = Outcome(text=explain(error, view.language), state="critical")
    except PreviewError:
        st.session_state[OUTCOME] = Outcome(text=translate(view.language, "access.preview_only"), state="critical")


def _do(view: View, action: str, name: str, values: Mapping[str, Any]) -> Outcome | None:
    store, by = view.store, view.by()
    if store is None:
        return None
    if action == ACTION:
        return explain_asked(view, values)
    if action == "change":
        st.session_state[CHANGED] = name
        return None
    if action in ("invite", "save"):
        return _save(view, by, action, name, values)
    plain = {
        "close": close_account,
        "reopen": reopen_account,
        "sign_out": sign_out_everywhere,
        "preview": preview_as,
        "unlock": unlock_account,
        "remove": remove_account,
        "restore": restore_account,
    }
    if action == "password":
        return _told(view, "password_renewed", name, secret=renew_password(store, name, by))
    if action in plain:
        plain[action](store, name, by)
        return None if action == "preview" else _told(view, f"did_{action}", name)
    return None


def _save(view: View, by: By, action: str, name: str, values: Mapping[str, Any]) -> Outcome | None:
    if view.store is None:
        return None
    role = cast(Role, str(values.get("role", "")))
    regions = tuple(sorted({code for code in str(values.get("regions", "")).split(",") if code}))
    regions = regions or (("*",) if role == "analyst" else ())
    if action == "save":
        change_access(view.store, User(name=name, display_name=name, role=role, regions=regions), by)
        st.session_state.pop(CHANGED, None)
        return _told(view, "did_save", name)
    new = str(values.get("name", "")).strip().lower()
    invited = User(name=new, display_name=str(values.get("display_name", "")), role=role, regions=regions)
    secret = invite(view.store, invited, by)
    return _told(view, "invited", new, secret=secret)


def _told(view: View, key: str, name: str, secret: str = "") -> Outcome:
    return Outcome(text=translate(view.language, f"users.{key}", name=name), secret=secret)


def _register(view: View) -> Register:
    language = view.language
    people = list_people(view.store, view.now) if view.store else []
    columns = ("name", "display_name", "role", "regions", "seen", "sessions")
    return Register(
        language=language,
        title=translate(language, "users.title"),
        note=translate(language, "users.count", n=len(people)),
        columns=tuple(_head(view, name) for name in columns),
        entries=tuple(_entry(view, person) for person in people),
        empty=translate(language, "users.nobody"),
        forms=(_form(view, len(people)), why_form(view, tuple(person.user.name for person in people))),
        outcome=st.session_state.pop(OUTCOME, None),
        acts_name=translate(language, "users.column.acts"),
    )


def _head(view: View, name: str) -> str:
    text = translate(view.language, f"users.column.{name}")
    return f"{text} ({view.zone.key})" if name == "seen" else text


def _entry(view: View, person: Person) -> Entry:
    language, user = view.language, person.user
    everything = translate(language, "users.everything")
    regions = (
        everything if "*" in user.regions or user.role in ("manager", "admin") else names_of(language, "region", user.regions)
    )
    seen = dated_instant(person.seen_at, view.zone) if person.seen_at else translate(language, "users.never")
    is_out, is_demo = user.is_disabled, user.is_demo
    if person.ends_at is not None:
        seen = translate(language, "users.until", at=dated_instant(person.ends_at, view.zone))
    word = "removed" if person.ends_at else "locked" if user.is_locked else "closed" if is_out else "demo" if is_demo else ""
    word = word or ("" if person.has_password else "company")
    return Entry(
        key=user.name,
        cells=(
            user.name,
            user.display_name,
            translate(language, f"access.role_{user.role}"),
            regions,
            seen,
            str(person.session_count),
        ),
        mark=translate(language, f"users.{word}") if word else "",
        state="critical" if user.is_locked else "warning" if is_out else "neutral",
        acts=tuple(_acts(view, person)),
    )


def _acts(view: View, person: Person) -> list[Act]:
    user, is_me = person.user, person.user.name == view.user.name
    if person.ends_at is not None:
        return [Act(action="restore", name=translate(view.language, "users.act.restore"))]
    wanted = ["change", *(["password"] if person.has_password and not user.is_demo else [])]
    wanted += ["sign_out"] if person.session_count else []
    wanted += ["unlock"] if user.is_locked else []
    if not is_me:
        wanted += ["reopen", *([] if user.is_demo else ["remove"])] if user.is_disabled else ["preview", "close"]
    asked = ("password", "sign_out", "close", "remove")
    return [
        Act(
            action=name,
            name=translate(view.language, f"users.act.{name}"),
            question=translate(view.language, f"users.ask.{name}", name=user.name) if name in asked else "",
        )
        for name in wanted
    ]


def _form(view: View, count: int) -> Form:
    language = view.language
    name = st.session_state.get(CHANGED)
    changed = find_user(view.store, name) if view.store and name else None
    who = (
        Field(
            code="name",
            name=translate(language, "users.column.name"),
            hint=translate(language, "users.name_hint"),
            is_needed=True,
        ),
        Field(code="display_name", name=translate(language, "users.column.display_name")),
    )
    return Form(
        action="save" if changed else "invite",
        key=changed.name if changed else f"new-{count}",
        title=translate(language, "users.change_one", name=changed.name) if changed else translate(language, "users.invite"),
        submit=translate(language, "users.save" if changed else "users.invite_submit"),
        fields=(*(() if changed else who), _role_field(view, changed), _region_field(view, changed)),
        note=translate(language, "users.change_note" if changed else "users.invite_note"),
    )


def _role_field(view: View, changed: User | None) -> Field:
    chosen = changed.role if changed else "lead"
    roles = tuple(Choice(code=role, name=translate(view.language, f"access.role_{role}"), is_on=role == chosen) for role in ROLES)
    return Field(code="role", name=translate(view.language, "users.column.role"), kind="choice", choices=roles)


def _region_field(view: View, changed: User | None) -> Field:
    chosen = changed.regions if changed else ()
    branches = tuple(
        Branch(
            name=names_of(view.language, "country", (country,)),
            choices=tuple(
                Choice(code=code, name=names_of(view.language, "region", (code,)), is_on=code in chosen) for code in codes
            ),
        )
        for country, codes in regions_by_country().items()
    )
    hint = translate(view.language, "users.region_hint")
    return Field(code="regions", name=translate(view.language, "users.column.regions"), kind="tree", branches=branches, hint=hint)
