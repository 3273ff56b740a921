"""Why does somebody (not) see this? For the administrator: an account, and a page, region, province, field or order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from access.disclosure import FIELD_TIERS
from access.user import User, find_user
from access.verdict import Verdict, explain_field, explain_order, explain_page, explain_province, explain_region
from access.view import View
from components.register import Choice, Field, Form, Outcome
from i18n import translate
from pages import PAGES
from queries.regions import is_province, is_region

ACTION: Final = "why"
LONGEST: Final = 200


def why_form(view: View, names: tuple[str, ...]) -> Form:
    """The question: who, and what."""
    language = view.language
    return Form(
        action=ACTION,
        key=ACTION,
        title=translate(language, "users.why.title"),
        submit=translate(language, "users.why.submit"),
        fields=(
            Field(
                code="name",
                name=translate(language, "users.column.name"),
                kind="choice",
                choices=tuple(Choice(code=name, name=name) for name in names),
            ),
            Field(
                code="what",
                name=translate(language, "users.why.what"),
                hint=translate(language, "users.why.hint"),
                is_needed=True,
            ),
        ),
        note=translate(language, "users.why.note"),
    )


def explain_asked(view: View, values: Mapping[str, Any]) -> Outcome:
    """The verdict with the rule that gave it; what cannot be asked says how to ask."""
    name, what = (str(values.get(code, "")).strip()[:LONGEST] for code in ("name", "what"))
    user = find_user(view.store, name.lower()) if view.store else None
    if user is None:
        return Outcome(text=translate(view.language, "users.why.unknown_user", name=name), state="critical", form=ACTION)
    verdict = _verdict(view, user, what)
    if verdict is None:
        return Outcome(text=translate(view.language, "users.why.unknown_thing", what=what), state="critical", form=ACTION)
    answer = translate(view.language, "users.why.yes" if verdict.is_allowed else "users.why.no", name=user.name, what=what)
    return Outcome(
        text=f"{answer} {verdict.text(view.language)}", state="good" if verdict.is_allowed else "critical", form=ACTION
    )


def _verdict(view: View, user: User, what: str) -> Verdict | None:
    page = next((page for page in PAGES if what == f"/{page.url_path}"), None)
    if page is not None:
        return explain_page(user, page.roles)
    if is_region(what):
        return explain_region(user, what)
    if is_province(what):
        return explain_province(user, what)
    if what in FIELD_TIERS:
        return explain_field(user, what)
    channel, slash, order_id = what.partition("/")
    if not (slash and channel and order_id):
        return None
    twin = view.read_order(channel, order_id)
    return explain_order(user, twin.order["region_code"] if twin else None, is_found=twin is not None)
