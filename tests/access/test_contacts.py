"""Contacts through the View: masked within scope, searched without being shown, revealed only on the record."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import Engine, text

from access.audit import LOCAL, Actor
from access.audit_rows import list_audit
from access.contacts import RevealError, confirmation, masked, reveal, search_by_phone
from access.reading import Reading
from access.session import CONFIRMED_FOR, confirm_session, read_session, start_session
from access.store import writing
from access.user import NO_PASSWORD, Role, User, add_user
from access.view import View, open_view
from config import Settings, read_settings
from data.lake import Lake
from tests.data.intake import contract_of, take_in, write_csv

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PASSWORD = "a long enough password"
PHONE = "13812345678"
REASON = "asked by the courier"
CONTRACT = contract_of(
    columns={"order_id": "id", "channel": "'web'", "created_at": "created", "region_code": "region"},
    personal={"name": "receiver", "phone": "mobile"},
)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home to be copied for each test."""
    folder = tmp_path_factory.mktemp("contacts")
    rows = [(name, "2026-03-01T08:00:00Z", region, "张三", PHONE) for name, region in (("E1", "CN-EAST"), ("S1", "CN-SOUTH"))]
    path = write_csv(folder / "orders_20260301T090000.csv", rows, ("id", "created", "region", "receiver", "mobile"))
    with Lake.open_writer(read_settings({}, home=folder, demo=False)) as lake:
        assert take_in(lake, CONTRACT, path).state == "accepted"
    return folder


@pytest.fixture
def reading(settings: Settings, filled: Path) -> Iterator[Reading]:
    """Two orders of one person, one in East, one in South."""
    shutil.copytree(filled, settings.home, dirs_exist_ok=True)
    opened = Reading(settings)
    yield opened
    opened.close()


@pytest.fixture
def accounts(store: Engine, password_hash: str) -> Engine:
    """The store with an administrator `root` and a lead `east`, both with PASSWORD."""
    for name, role, regions in (("root", "admin", ()), ("east", "lead", ("CN-EAST",))):
        user = User(name=name, display_name=name, role=cast(Role, role), regions=cast(tuple[str, ...], regions))
        add_user(store, user, password_hash=password_hash, now=NOW, by=LOCAL)
    return store


def _view(reading: Reading, store: Engine, name: str, role: str, *regions: str) -> View:
    user = User(name=name, display_name=name, role=cast(Role, role), regions=regions)
    actor = Actor(name=name, address="192.0.2.1", session="0" * 64)
    return open_view(reading, user, {}, now=NOW, language="en", stays_valid=lambda: None, store=store, actor=actor)


def test_masked_forms_are_seen_inside_the_scope_only(reading: Reading, accounts: Engine) -> None:
    east = _view(reading, accounts, "east", "lead", "CN-EAST")
    assert masked(east, "web", "E1") == {"name": "张*", "phone": "138****5678"}
    assert masked(east, "web", "S1") == masked(east, "web", "nowhere") == {}


def test_phone_finds_orders_inside_the_scope_only(reading: Reading, accounts: Engine) -> None:
    root, east = _view(reading, accounts, "root", "admin"), _view(reading, accounts, "east", "lead", "CN-EAST")
    assert sorted(search_by_phone(root, "+86 138 1234 5678")) == [("web", "E1"), ("web", "S1")]
    assert search_by_phone(east, PHONE) == [("web", "E1")]
    assert search_by_phone(root, "138") == search_by_phone(root, "") == search_by_phone(root, "13812345679") == []


def _reveal(view: View, *, order: str = "E1", purpose: str = "delivery", words: str = REASON, password: str = PASSWORD) -> str:
    shown = reveal(view, "web", order, "phone", purpose=purpose, text=words, password=password, now=NOW)
    assert shown.until == NOW + timedelta(seconds=60)
    return shown.value


def test_reveal_is_on_record_with_purpose_and_without_the_value(reading: Reading, accounts: Engine) -> None:
    assert _reveal(_view(reading, accounts, "root", "admin")) == PHONE
    row = list_audit(accounts, limit=1)[0]
    assert (row.actor, row.action, row.object_id, row.purpose) == ("root", "contact_revealed", "web/E1", "delivery")
    assert row.detail == {"fields": ["phone"], "text": REASON}
    assert (row.address, row.session) == ("192.0.2.1", "0" * 64)
    assert PHONE not in str(list_audit(accounts))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"password": "wrong"}, "wrong"),
        ({"purpose": "curiosity"}, "purpose"),
        ({"words": "  "}, "purpose"),
        ({"order": "nowhere"}, "nothing"),
    ],
)
def test_reveal_wants_password_purpose_and_an_order(
    reading: Reading, accounts: Engine, change: dict[str, str], reason: str
) -> None:
    with pytest.raises(RevealError, match=reason):
        _reveal(_view(reading, accounts, "root", "admin"), **change)


@pytest.mark.parametrize("role", ["manager", "lead", "analyst"])
def test_other_roles_reveal_nothing_and_that_is_on_record(reading: Reading, accounts: Engine, role: str) -> None:
    with pytest.raises(RevealError, match="role"):
        _reveal(_view(reading, accounts, "east", role, "CN-EAST"))
    row = list_audit(accounts, limit=1)[0]
    assert (row.action, row.result) == ("reveal_refused", "denied")


def test_without_a_record_there_is_no_value(reading: Reading, accounts: Engine) -> None:
    with writing(accounts) as connection:
        connection.execute(
            text(
                "CREATE TRIGGER full BEFORE INSERT ON audit WHEN NEW.action = 'contact_revealed' BEGIN SELECT RAISE(ABORT, 'full'); END"
            )
        )
    with pytest.raises(Exception, match="full"):
        _reveal(_view(reading, accounts, "root", "admin"))


def test_guessing_the_password_shuts_the_door(reading: Reading, accounts: Engine) -> None:
    view = _view(reading, accounts, "root", "admin")
    for _ in range(5):
        with pytest.raises(RevealError, match="wrong"):
            _reveal(view, password="wrong")
    with pytest.raises(RevealError, match="wait"):
        _reveal(view)


def test_account_of_the_company_reveals_minutes_after_it_signed_in_anew(reading: Reading, accounts: Engine) -> None:
    user = User(name="zhou", display_name="Zhou", role="admin")
    add_user(accounts, user, password_hash=NO_PASSWORD, now=NOW, by=LOCAL)
    secret = start_session(accounts, "zhou", NOW)
    session = read_session(accounts, secret, NOW)
    assert session is not None
    view = open_view(reading, user, {}, now=NOW, language="en", stays_valid=lambda: None, store=accounts, actor=session.actor)
    for password in ("", NO_PASSWORD, PASSWORD):
        with pytest.raises(RevealError, match="confirm"):
            _reveal(view, password=password)
    assert confirmation(view) == "sign_on"
    confirm_session(accounts, session.actor, NOW)
    assert confirmation(view) == "done"
    assert _reveal(view, password="") == PHONE
    assert confirmation(replace(view, now=NOW + CONFIRMED_FOR)) == "sign_on"
    with pytest.raises(RevealError, match="confirm"):
        reveal(view, "web", "E1", "phone", purpose="delivery", text=REASON, password="", now=NOW + CONFIRMED_FOR)


def test_confirmed_session_spares_nobody_a_password_they_have(reading: Reading, accounts: Engine) -> None:
    secret = start_session(accounts, "root", NOW)
    session = read_session(accounts, secret, NOW)
    assert session is not None
    confirm_session(accounts, session.actor, NOW)
    view = replace(_view(reading, accounts, "root", "admin"), actor=session.actor)
    assert confirmation(view) == "password"
    with pytest.raises(RevealError, match="wrong"):
        _reveal(view, password="")
