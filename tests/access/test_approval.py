"""Unmasked exports: only with a purpose, somebody else's approval, inside the scope, within their life, once, on record."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from access.acting import By
from access.approval import LIFE, MOST_OPEN, MOST_ROWS, ApprovalError, ask, decide, list_requests, take, waiting_requests
from access.audit_rows import list_audit
from access.contacts import originals
from access.reading import Reading
from access.user import User
from pages.orders_export import csv_bytes, read_export, with_originals
from tests.access.conftest import password_hash, settings, store
from tests.access.test_contacts import NOW, PHONE, REASON, _view, accounts, filled, reading

__all__ = ["accounts", "filled", "password_hash", "reading", "settings", "store"]

EAST = User(name="east", display_name="East", role="lead", regions=("CN-EAST",))
ROOT, SECOND = (User(name=name, display_name=name, role="admin") for name in ("root", "second"))


def _by(user: User, later: timedelta = timedelta()) -> By:
    return By(user=user, at=NOW + later)


def _ask(store: Engine, user: User = EAST, *, rows: int = 3, purpose: str = "delivery", reason: str = REASON) -> int:
    return ask(store, {"region": ["CN-EAST"]}, row_count=rows, purpose=purpose, reason=reason, by=_by(user))


def _refusal(act: Callable[[], object]) -> str:
    with pytest.raises(ApprovalError) as refused:
        act()
    return refused.value.reason


def test_approved_request_is_fetched_once_and_every_step_is_on_record(store: Engine) -> None:
    number = _ask(store)
    assert [one.id for one in waiting_requests(store, NOW)] == [number]
    decide(store, number, is_approved=True, by=_by(ROOT))
    taken = take(store, number, _by(EAST))
    assert (taken.parameters, taken.purpose, taken.decided_by) == ({"region": ["CN-EAST"]}, "delivery", "root")
    assert _refusal(lambda: take(store, number, _by(EAST))) == "fetched"
    rows = [(row.actor, row.action, row.purpose, row.result) for row in list_audit(store) if row.object_kind == "export"]
    assert rows == [
        ("east", "export_fetched", "", "denied"),
        ("east", "export_fetched", "delivery", "done"),
        ("root", "export_decided", "", "done"),
        ("east", "export_asked", "delivery", "done"),
    ]


def test_nobody_approves_what_they_asked_for_themselves(store: Engine) -> None:
    number = _ask(store, ROOT)
    assert _refusal(lambda: decide(store, number, is_approved=True, by=_by(ROOT))) == "own"
    assert list_audit(store)[0].result == "denied"
    decide(store, number, is_approved=True, by=_by(SECOND))
    assert take(store, number, _by(ROOT)).decided_by == "second"


@pytest.mark.parametrize("role", ["manager", "lead", "analyst"])
def test_only_administrators_decide(store: Engine, role: str) -> None:
    number = _ask(store)
    other = User(name="ming", display_name="", role=role)  # type: ignore[arg-type]
    assert _refusal(lambda: decide(store, number, is_approved=True, by=_by(other))) == "role"
    assert _refusal(lambda: take(store, number, _by(EAST))) == "waiting"


def test_refused_or_decided_requests_stay_as_they_are(store: Engine) -> None:
    number = _ask(store)
    decide(store, number, is_approved=False, by=_by(ROOT))
    assert _refusal(lambda: decide(store, number, is_approved=True, by=_by(SECOND))) == "decided"
    assert _refusal(lambda: take(store, number, _by(EAST))) == "refused"


def test_requests_lapse_undecided_and_unfetched(store: Engine) -> None:
    first, second = _ask(store), _ask(store)
    assert _refusal(lambda: decide(store, first, is_approved=True, by=_by(ROOT, LIFE))) == "decided"
    decide(store, second, is_approved=True, by=_by(ROOT, timedelta(hours=23)))
    assert _refusal(lambda: take(store, second, _by(EAST, timedelta(hours=47)))) == "lapsed"
    assert [one.state(NOW + 2 * LIFE) for one in list_requests(store)] == ["lapsed", "lapsed"]


def test_another_session_fetches_nothing(store: Engine) -> None:
    number = _ask(store)
    decide(store, number, is_approved=True, by=_by(ROOT))
    for other in (ROOT, User(name="li", display_name="", role="lead", regions=("CN-EAST",))):
        assert _refusal(lambda other=other: take(store, number, _by(other))) == "not_yours"  # type: ignore[misc]
    assert _refusal(lambda: take(store, 999, _by(EAST))) == "not_yours"


@pytest.mark.parametrize(
    ("bent", "reason"),
    [
        ({"purpose": "curiosity"}, "purpose"),
        ({"reason": "  x  "}, "purpose"),
        ({"rows": 0}, "rows"),
        ({"rows": MOST_ROWS + 1}, "rows"),
    ],
)
def test_what_cannot_be_asked_is_refused(store: Engine, bent: dict[str, object], reason: str) -> None:
    assert _refusal(lambda: _ask(store, **bent)) == reason  # type: ignore[arg-type]
    assert list_requests(store) == []


def test_open_requests_of_one_account_are_limited(store: Engine) -> None:
    for _ in range(MOST_OPEN):
        _ask(store)
    assert _refusal(lambda: _ask(store)) == "many"
    assert _ask(store, ROOT)


def test_originals_stay_inside_the_scope_and_the_file_says_who_approved(reading: Reading, accounts: Engine) -> None:
    east = _view(reading, accounts, "east", "lead", "CN-EAST")
    parameters = {"window": ["all"]}
    export = read_export(east, parameters)
    assert originals(east, [("web", "E1"), ("web", "S1")]) == {("web", "E1"): {"name": "张三", "phone": PHONE}}
    told = with_originals(east, export, originals(east, [("web", "E1")]), approved_by="root", purpose="delivery")
    text = csv_bytes(told).decode("utf-8-sig")
    assert text.count(PHONE) == 1
    assert "Approved by,root" in text
    assert "(east)" in text
    assert PHONE not in csv_bytes(export).decode("utf-8-sig")
    many = _view(reading, accounts, "root", "admin")
    assert set(originals(many, [("web", "E1")] * 250 + [("web", "S1")])) == {("web", "E1"), ("web", "S1")}
