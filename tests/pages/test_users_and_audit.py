"""The pages of the administrator: rows with what can be done, the outcome told, filters taken, the chain walked."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from streamlit.testing.v1 import AppTest

from access.acting import By
from access.approval import ask, list_requests
from access.audit import LOCAL, note
from access.audit_rows import list_audit
from access.flag import Limits, list_flags, look_at
from access.reading import Reading
from access.store import open_store
from access.user import Role, User, add_user, find_user
from config import read_settings
from tests.pages.conftest import AS_OF
from tests.stores import new_store


def _run(page: str, home: str, lake: str, acts: list[dict[str, object]]) -> None:
    """Draw the page once for each act, each taken before the page is drawn as its callback is."""
    from importlib import import_module
    from pathlib import Path

    import streamlit as st

    from access.audit import Actor
    from access.reading import Reading
    from access.store import open_store
    from access.user import User
    from access.view import open_view
    from config import read_settings
    from tests.pages.conftest import AS_OF

    module = import_module(f"pages.{page}")
    reading = Reading(read_settings({}, home=Path(lake), memory_limit="512MB", threads=1))
    store = open_store(read_settings({}, home=Path(home)))
    user = User(name="root", display_name="Root", role="admin")
    actor = Actor(name="root", session="0" * 64)
    view = open_view(reading, user, {}, now=AS_OF, language="en", stays_valid=lambda: None, store=store, actor=actor)
    for act in acts:
        st.session_state[module.REGISTER] = {"act": act}
        getattr(module, {"users_flags": "act_on_flags", "users_exports": "act_on_exports"}.get(page, "act"))(view)
        del st.session_state[module.REGISTER]
    names = {"users_flags": ("flags_register", "draw_flags"), "users_exports": ("exports_register", "draw_exports")}
    read, draw = names.get(page, ("_register", "render"))
    st.session_state["register"] = getattr(module, read)(view)
    getattr(module, draw)(view)
    reading.close()
    store.dispose()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A store with `root` and `li`."""
    store = new_store(tmp_path)
    for user in (User(name="root", display_name="Root", role="admin"), User(name="li", display_name="Li", role="manager")):
        add_user(store, user, password_hash="x", now=AS_OF, by=LOCAL)
    store.dispose()
    return tmp_path


def _register(page: str, home: Path, reading: Reading, *acts: dict[str, Any]) -> Any:
    app = AppTest.from_function(_run, args=(page, str(home), str(reading.settings.home), list(acts)), default_timeout=60).run()
    assert not app.exception, app.exception
    return app.session_state["register"]


def test_every_account_is_listed_with_what_can_be_done(home: Path, reading: Reading) -> None:
    shown = _register("users", home, reading)
    assert [entry.key for entry in shown.entries] == ["li", "root"]
    assert [act.action for act in shown.entries[0].acts] == ["change", "password", "preview", "close"]
    assert [act.action for act in shown.entries[1].acts] == ["change", "password"]


def test_invited_lead_is_there_and_the_password_told_once(home: Path, reading: Reading) -> None:
    values = {"name": " Wang ", "display_name": "王", "role": "lead", "regions": "CN-EAST,CN-SOUTH"}
    shown = _register("users", home, reading, {"action": "invite", "key": "new", "values": values})
    assert len(shown.outcome.secret) >= 20
    found = find_user(open_store(read_settings({}, home=home)), "wang")
    assert found is not None
    assert (found.display_name, found.role, found.regions) == ("王", "lead", ("CN-EAST", "CN-SOUTH"))


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        ({"action": "invite", "key": "new", "values": {"name": "wang", "role": "lead"}}, "without regions"),
        ({"action": "invite", "key": "new", "values": {"name": "li", "role": "manager"}}, "li exists already"),
        ({"action": "invite", "key": "new", "values": {"name": "<img src=x>", "role": "manager"}}, "The user name"),
        ({"action": "close", "key": "root", "values": {}}, "own account"),
        ({"action": "save", "key": "root", "values": {"role": "manager"}}, "last administrator"),
    ],
)
def test_what_cannot_be_done_is_told_and_not_done(home: Path, reading: Reading, act: dict[str, Any], reason: str) -> None:
    before = len(list_audit(open_store(read_settings({}, home=home))))
    outcome = _register("users", home, reading, act).outcome
    assert outcome.state == "critical"
    assert reason in outcome.text
    assert len(list_audit(open_store(read_settings({}, home=home)))) == before


def test_audit_is_filtered_and_its_chain_walked(home: Path, reading: Reading) -> None:
    everything = _register("audit", home, reading)
    assert [entry.cells[3] for entry in everything.entries] == ["user li", "user root"]
    values = {"action": "user_added", "object_id": "root", "actor": "", "result": "", "since": "", "until": ""}
    filtered = _register("audit", home, reading, {"action": "filter", "key": "filter", "values": values})
    assert [entry.cells[3] for entry in filtered.entries] == ["user root"]
    walked = _register("audit", home, reading, {"action": "verify", "key": "verify", "values": {}})
    assert "All 2 rows are sound" in walked.outcome.text


def test_changes_of_an_orders_work_are_told_in_words(home: Path, reading: Reading) -> None:
    store = open_store(read_settings({}, home=home))
    states = [{"state": name, "trouble": trouble, "promised_at": None} for name, trouble in (("open", None), ("done", "late"))]
    details: dict[str, dict[str, object]] = {
        "work_state_set": {"field": "state", "version": 2, "before": states[0], "after": states[1]},
        "work_follow_up_set": {"field": "follow_up", "version": 1, "before": None, "after": int(AS_OF.timestamp() * 1000)},
        "work_noted": {"field": "note", "version": 3, "length": 32},
        "work_undone": {"field": "assignee", "version": 4, "before": "li", "after": None, "undoes": 3},
    }
    for action, detail in details.items():
        note(store, at=AS_OF, actor="li", action=action, object_kind="work_item", object_id="web/1", detail=detail)
    store.dispose()
    told = {entry.cells[2]: (entry.cells[3], entry.cells[7]) for entry in _register("audit", home, reading).entries}
    assert told["State of work set"] == ("work on order web/1", "state: Open → Done; version: 2")
    assert told["Follow-up set"][1] == "follow-up: – → 2026-03-02 16:00:00; version: 1"
    assert told["Note written"][1] == "characters of the note: 32; version: 3"
    assert told["Change of work taken back"][1] == "assignee: li → –; takes back change: 3; version: 4"


def test_details_are_told_without_brackets_in_local_time_and_without_what_says_nothing(home: Path, reading: Reading) -> None:
    store = new_store(home)
    details: dict[str, dict[str, object]] = {
        "alert_silenced": {"ends_at": "2026-11-28T00:29:49+00:00", "matchers": {"carrier": "SF", "rule": "slow"}},
        "alert_acknowledged": {"episode": "2026-11-27T08:30:00+00:00", "note": "called", "value": ""},
        "view_saved": {"parameters": {"sort": ["worst"], "region": ["CN-EAST", "CN-SOUTH"]}, "role": "lead"},
        "user_changed": {"role": ["lead", "manager"], "regions": [["CN-EAST", "CN-SOUTH"], ["*"]]},
    }
    for action, detail in details.items():
        note(store, at=AS_OF, actor="li", action=action, object_kind="alert", object_id="x", detail=detail)
    store.dispose()
    told = [entry.cells[-1] for entry in _register("audit", home, reading).entries[:4]]
    assert told == [
        "regions: CN-EAST, CN-SOUTH → *; role: Regional lead → Manager",
        "parameters: Region CN-EAST, CN-SOUTH, sort worst; role: Regional lead",
        "alert since: 2026-11-27 16:30:00; note: called",
        "until: 2026-11-28 08:29:49; matchers: Carrier SF, rule slow",
    ]


def test_nonsense_dates_filter_nothing(home: Path, reading: Reading) -> None:
    values = {"since": "yesterday'--", "until": "2026-99-99"}
    assert len(_register("audit", home, reading, {"action": "filter", "key": "filter", "values": values}).entries) == 2


@pytest.mark.parametrize(
    ("who", "what", "words"),
    [
        ("li", "/audit", "li does not see /audit. The page is for Administrator; the role here is Manager."),
        ("li", "CN-EAST", "li sees CN-EAST. The role Manager sees every region"),
        ("east", "CN-SH", "east sees CN-SH. The order goes to East China, one of the account's regions"),
        ("east", "CN-GD", "east does not see CN-GD. The order goes to South China"),
        ("east", "sealed", "east does not see sealed. sealed is not told to the circle region."),
        ("east", "tmall/000CN-SH", "east sees tmall/000CN-SH."),
        ("east", "tmall/000CN-GD", "east does not see tmall/000CN-GD. The order goes to South China"),
        ("east", "tmall/nowhere", "There is no such order"),
        ("east", "everything", "is no page, region, province, field or order"),
        ("nobody", "CN-SH", "There is no account nobody"),
    ],
)
def test_administrator_is_told_why_somebody_sees_something(home: Path, reading: Reading, who: str, what: str, words: str) -> None:
    store = open_store(read_settings({}, home=home))
    east = User(name="east", display_name="East", role="lead", regions=("CN-EAST",))
    add_user(store, east, password_hash="x", now=AS_OF, by=LOCAL)
    store.dispose()
    shown = _register("users", home, reading, {"action": "why", "key": "why", "values": {"name": who, "what": what}})
    assert words in shown.outcome.text


def _flagged(home: Path) -> int:
    store = open_store(read_settings({}, home=home))
    limits = Limits(window=timedelta(days=1), failures=0, exports=1, export_rows=0, reveals=0, lock_on=("export",))
    note(store, at=AS_OF, actor="li", action="orders_exported", detail={"rows": 7})
    assert look_at(store, "li", limits, AS_OF) == ("export",)
    found = list_flags(store)[0].id
    store.dispose()
    return found


def test_locked_account_says_so_and_is_unlocked_on_the_page(home: Path, reading: Reading) -> None:
    _flagged(home)
    locked = _register("users", home, reading).entries[0]
    assert (locked.mark, locked.state) == ("Locked", "critical")
    assert "unlock" in [act.action for act in locked.acts]
    shown = _register("users", home, reading, {"action": "unlock", "key": "li", "values": {}})
    assert (shown.outcome.text, shown.entries[0].mark) == ("li can sign in again.", "")


def test_what_was_unusual_is_shown_until_it_is_dismissed(home: Path, reading: Reading) -> None:
    number = _flagged(home)
    shown = _register("users_flags", home, reading)
    assert shown.entries[0].cells[0] == "li"
    assert shown.entries[0].cells[2] == "1 exports with 7 rows together"
    dismissed = _register("users_flags", home, reading, {"action": "dismiss", "key": str(number), "values": {}})
    assert (dismissed.entries, dismissed.outcome.state) == ((), "good")


def test_unmasked_exports_wait_on_the_page_for_another_administrator(home: Path, reading: Reading) -> None:
    store = open_store(read_settings({}, home=home))
    for name, role in (("li", "manager"), ("root", "admin")):
        by = By(user=User(name=name, display_name=name, role=cast(Role, role)), at=AS_OF)
        ask(store, {"search": ["<b>"]}, row_count=3, purpose="delivery", reason="the courier asks", by=by)
    shown = _register("users_exports", home, reading)
    assert [(entry.cells[0], len(entry.acts)) for entry in shown.entries] == [("root", 0), ("li", 2)]
    own = _register("users_exports", home, reading, {"action": "approve", "key": "2", "values": {}})
    assert (own.outcome.state, len(own.entries)) == ("critical", 2)
    other = _register("users_exports", home, reading, {"action": "approve", "key": "1", "values": {}})
    assert (other.outcome.state, [entry.cells[0] for entry in other.entries]) == ("good", ["root"])
    assert [one.state(AS_OF) for one in list_requests(store, asked_by="li")] == ["approved"]
    store.dispose()
