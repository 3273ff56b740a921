"""Whom an order is for, on its page: masked, an original for a minute, found by a phone number that no address holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
import streamlit as st
from sqlalchemy import Engine

from access.audit import LOCAL
from access.contacts import SHOWN
from access.reading import Reading
from access.session import confirm_session, read_session, start_session
from access.user import NO_PASSWORD, User, add_user
from access.view import View
from components.twin import Parties
from pages import order_parties, orders
from pages.order_parties import parties_of, reveal_asked
from pages.orders_question import read_question
from tests.access.conftest import password_hash, settings, store
from tests.access.test_contacts import PASSWORD, PHONE, REASON, _view, accounts, filled, reading

__all__ = ["accounts", "filled", "password_hash", "reading", "settings", "store"]

ASKED = {"field": "phone", "purpose": "delivery", "reason": REASON, "password": PASSWORD}


@pytest.fixture
def root(reading: Reading, accounts: Engine) -> Iterator[View]:
    """The administrator's view, in a tab of its own."""
    st.session_state.clear()
    yield _view(reading, accounts, "root", "admin")
    st.session_state.clear()


def _parties(view: View, order_id: str = "E1") -> Parties | None:
    twin = view.read_order("web", order_id)
    return parties_of(view, twin) if twin else None


def _texts(view: View) -> dict[str, str]:
    parties = _parties(view)
    assert parties is not None
    return {party.field: party.text for party in parties.parties}


def _words(view: View) -> dict[str, str]:
    parties = _parties(view)
    assert parties is not None
    return parties.words


def test_everyone_sees_masked_forms_and_only_an_administrator_is_offered_more(reading: Reading, root: View) -> None:
    east = _view(reading, root.store, "east", "lead", "CN-EAST")  # type: ignore[arg-type]
    assert _texts(root) == _texts(east) == {"name": "张*", "phone": "138****5678"}
    assert _words(root)
    assert not _words(east)
    assert _parties(east, "S1") is None


def test_original_is_shown_for_a_minute_in_this_order_only(root: View) -> None:
    reveal_asked(root, "web", "E1", ASKED)
    assert _texts(root) == {"name": "张*", "phone": PHONE}
    other = _parties(root, "S1")
    assert other
    assert {party.text for party in other.parties} == {"张*", "138****5678"}
    reveal_asked(root, "web", "E1", ASKED)
    assert _texts(replace(root, now=root.now + SHOWN)) == {"name": "张*", "phone": "138****5678"}
    assert order_parties.REVEALED not in st.session_state


@pytest.mark.parametrize("change", [{"password": "wrong"}, {"reason": ""}, {"purpose": "x"}, {"field": "shoe size"}])
def test_refusal_is_told_once_and_shows_nothing(root: View, change: dict[str, str]) -> None:
    reveal_asked(root, "web", "E1", ASKED | change)
    first, second = _parties(root), _parties(root)
    assert first
    assert first.problem
    assert second
    assert not second.problem
    assert PHONE not in str(first) + str(second)


def test_searched_phone_number_lists_its_orders_and_stays_out_of_the_address(root: View, monkeypatch: pytest.MonkeyPatch) -> None:
    address: dict[str, list[str]] = {}
    monkeypatch.setattr(st, "query_params", _Address(address))
    st.session_state[orders.TABLE] = {"choice": {"search": "138-1234 5678"}}
    assert orders._take_phone(root)
    assert PHONE not in str(address)
    assert address["window"] == ["all"]
    question = read_question(root, address)
    window = replace(question.listing, window=None)
    assert sorted(row["order_id"] for row in root.list_orders(window).to_dicts()) == ["E1", "S1"]
    assert root.count_orders(window) == 2
    st.session_state[orders.TABLE] = {"choice": {"search": "13900000000"}}
    assert not orders._take_phone(root)


def test_malformed_key_is_named_and_lists_everything(root: View) -> None:
    question = read_question(root, {"phone": ["x' OR 1=1"]})
    assert question.listing.among is None
    assert question.lost == ("phone=x' OR 1=1",)
    unknown = read_question(root, {"phone": ["0" * 64]})
    assert root.count_orders(replace(unknown.listing, window=None)) == 0


class _Address(dict[str, list[str]]):
    """The query parameters of a tab, kept in a plain dictionary."""

    def __init__(self, kept: dict[str, list[str]]) -> None:
        super().__init__()
        self._kept = kept

    def from_dict(self, values: dict[str, list[str]]) -> None:
        self._kept.clear()
        self._kept.update(values)

    def get_all(self, name: str) -> list[str]:
        return self._kept.get(name, [])


def test_page_with_an_original_carries_who_sees_it_and_when(root: View) -> None:
    before = _parties(root)
    assert before is not None
    assert before.watermark == ""
    reveal_asked(root, "web", "E1", ASKED)
    shown = _parties(root)
    assert shown is not None
    assert shown.watermark.startswith("root · 2026-03-01 20:00")


def test_account_of_the_company_is_led_to_sign_in_anew_and_asked_for_no_password(reading: Reading, root: View) -> None:
    assert root.store is not None
    user = User(name="zhou", display_name="Zhou", role="admin")
    add_user(root.store, user, password_hash=NO_PASSWORD, now=root.now, by=LOCAL)
    session = read_session(root.store, start_session(root.store, "zhou", root.now), root.now)
    assert session is not None
    view = replace(root, user=user, actor=session.actor)
    first = _parties(view)
    assert first is not None
    assert first.confirm.startswith("/auth/oidc/start?confirm=1&lang=en&next=%2Forder")
    reveal_asked(view, "web", "E1", ASKED)
    refused = _parties(view)
    assert refused is not None
    assert "sign in again at your company" in refused.problem
    confirm_session(root.store, session.actor, root.now)
    then = _parties(view)
    assert then is not None
    assert (then.confirm, then.is_password_asked) == ("", False)
    reveal_asked(view, "web", "E1", ASKED | {"password": ""})
    assert _texts(view)["phone"] == PHONE
