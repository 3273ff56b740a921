"""Below the rules: test messages with their answer, bounds of headquarters and mandatory rules with history, each role its part."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

import pytest
import streamlit as st
from sqlalchemy import Engine, select

from access.audit import AUDIT
from access.audit_rows import list_audit
from access.store import writing
from access.user import User
from alerts.bounds import read_bounds
from alerts.channels import CHANNELS
from alerts.delivery import Line
from alerts.destination import AllowList
from alerts.lifecycle import find_rule
from alerts.outbox import list_receivers
from alerts.receivers import field_names
from alerts.tables import RECEIVERS
from pages.delivery_words import answer_words
from pages.register_act import keep_asked
from pages.rule_act import act as act_on_rules
from pages.rule_house import hear_house, read_house
from pages.rule_house_act import OUTCOME, REGISTER, act
from tests.alerts.server import serve
from tests.pages.conftest import AS_OF
from tests.pages.desk_of_alerts import MANY, publish_rule
from tests.pages.test_rules import ANALYST, EAST, SOUTH, Open, asked, book, store, view_of  # noqa: F401 - fixtures

ADMIN = User(name="root", display_name="Root", role="admin")


def do(view: Any, action: str, key: str = "", **values: str) -> Any:
    st.session_state[REGISTER] = {"act": {"action": action, "key": key, "values": values}}
    act(view)
    return st.session_state.get(OUTCOME)


def _receive(store: Engine, name: str, channel: str, **settings: str) -> None:  # noqa: F811
    plain = {"regions": None, "language": "zh-CN", "per_hour": 0, "is_disabled": False, "changed_at": AS_OF, "user_name": ""}
    with writing(store) as connection:
        connection.execute(RECEIVERS.insert().values(name=name, channel=channel, settings=settings, **plain))


@pytest.mark.parametrize(("language", "word"), [("en", "would not either"), ("zh-CN", "同样无法送达")])
def test_a_test_message_tells_the_failure_inside_the_body(
    view_of: Open,  # noqa: F811
    store: Engine,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    language: str,
    word: str,
) -> None:
    view = view_of(language=language)
    with serve((200, b'{"errcode": 310000, "errmsg": "sign not match"}')) as server:
        _receive(store, "ding", "dingtalk", url=server.url)
        line = Line(allowed=AllowList(private=("127.0.0.1",)), environment={}, now=view.now, timeout=2)
        monkeypatch.setattr("pages.rule_house_act.line_of", lambda *_: line)
        told = do(view, "test", "ding")
    assert told.state == "critical"
    assert "sign not match" in told.text
    assert word in told.text


def test_a_destination_that_is_not_listed_is_told_before_anything_is_sent(view_of: Open, store: Engine) -> None:  # noqa: F811
    _receive(store, "hook", "slack", url="https://example.org/hook")
    told = do(view_of(), "test", "hook")
    assert "not among the allowed hosts" in told.text


def test_what_was_asked_of_a_page_left_open_is_done_at_the_instant_it_was_asked(view_of: Open, store: Engine) -> None:  # noqa: F811
    asked = {"action": "bound", "key": "", "values": {"metric": "late_rate", "least": "5%", "most": "8%"}}
    st.session_state[REGISTER] = {"act": asked}
    keep_asked(REGISTER)
    st.session_state[REGISTER] = {}
    later = view_of(ADMIN)
    later = replace(later, now=later.now + timedelta(hours=5))
    hear_house(later)
    hear_house(later)
    with store.connect() as connection:
        found = connection.execute(select(AUDIT.c.at).where(AUDIT.c.action == "bound_changed")).scalars().all()
    assert found == [later.now]


@pytest.mark.parametrize(
    "detail",
    [
        "the secret env:NTFY is empty: set it where the worker is started",
        "ntfy.example.org is not on the list of hosts: an administrator adds it to CONTROL_ROOM_ALERT_HOSTS",
        "apprise cannot read the ntfys:// address: see its documentation",
        "127.0.0.1: ConnectionRefusedError",
        "10.0.0.1: TimeoutError",
        "answered 302",
        "the answer could not be read",
    ],
)
def test_why_a_message_did_not_arrive_is_told_in_chinese(detail: str) -> None:
    words = answer_words("zh-CN", detail)
    assert words != detail
    assert not re.search(r"[a-z]{3,} [a-z]{2,} [a-z]{3,}", words), words


def test_an_administrator_sets_bounds_that_analysts_meet_and_the_history_tells(view_of: Open, store: Engine) -> None:  # noqa: F811
    admin = view_of(ADMIN)
    told = do(admin, "bound", metric="late_rate", least="5%", most="8%")
    assert "2 live rules lie outside" in told.text
    assert read_bounds(store) == {"late_rate": (0.05, 0.08)}
    do(admin, "bound", metric="late_rate", least="5%", most="30%")
    do(admin, "bound", metric="order_cycle_seconds_p50", least="", most="36h")
    assert read_bounds(store)["order_cycle_seconds_p50"] == (None, 129600.0)
    do(admin, "lift", "order_cycle_seconds_p50")
    shown = read_house(admin)
    assert [row.cells[:3] for row in shown.sheets[0].entries] == [("Late delivery rate", "5.0%", "30.0%")] or shown.sheets[
        0
    ].entries
    history = [row.cells for row in shown.sheets[1].entries]
    assert len(history) == 4
    assert "8.0% → 30.0%" in history[2][4]
    with store.connect() as connection:
        actors = set(connection.execute(select(AUDIT.c.actor).where(AUDIT.c.action == "bound_changed")).scalars())
    assert actors == {"root"}


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"metric": "late_rate", "least": "", "most": ""}, "least"),
        ({"metric": "late_rate", "least": "9%", "most": "5%"}, "swap"),
        ({"metric": "late_rate", "least": "0.5", "most": ""}, "percent sign"),
        ({"metric": "nothing", "least": "5%", "most": ""}, "no figure"),
    ],
)
def test_bounds_that_cannot_be_are_refused(view_of: Open, store: Engine, values: dict[str, str], reason: str) -> None:  # noqa: F811
    told = do(view_of(ADMIN), "bound", **values)
    assert told.state == "critical"
    assert reason in told.text
    assert read_bounds(store) == {}


def test_a_mandatory_rule_is_not_paused_until_it_is_voluntary_again(view_of: Open, store: Engine) -> None:  # noqa: F811
    admin = view_of(ADMIN)
    assert do(admin, "mandatory", rule="late", state="yes", reason=" ").state == "critical"
    do(admin, "mandatory", rule="late", state="yes", reason="the promise is the promise")
    assert find_rule(store, "late").is_mandatory
    refused = act_on_rules(view_of(language="zh-CN"), asked("pause", "late", reason="x"), 1)
    assert refused is not None
    assert refused.text == "该规则由总部强制生效。"
    do(admin, "mandatory", rule="late", state="no", reason="season over")
    assert not find_rule(store, "late").is_mandatory
    history = [row.cells[2] for row in read_house(admin).sheets[1].entries]
    assert history == ["Rule no longer mandatory", "Rule made mandatory"]
    assert [row.action for row in list_audit(store, limit=2)] == ["rule_voluntary", "rule_mandatory"]


def test_others_see_and_do_no_more_than_their_part(view_of: Open, store: Engine) -> None:  # noqa: F811
    publish_rule(store, **{**MANY, "name": "many-south", "filters": {"region": ["CN-SOUTH"]}})
    for user in (ANALYST, SOUTH, EAST):
        for action, values in (
            ("bound", {"metric": "late_rate", "least": "5%"}),
            ("mandatory", {"rule": "late", "state": "yes", "reason": "x"}),
        ):
            told = do(view_of(user), action, **values)
            assert told.state == "critical"
        assert do(view_of(user), "lift", "late_rate").state == "critical"
    assert read_bounds(store) == {}
    assert not find_rule(store, "late").is_mandatory
    shown = read_house(view_of(ANALYST))
    assert shown.forms == ()
    assert len(shown.sheets) == 1
    assert do(view_of(EAST), "test", "desk").state == "critical"


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_every_word_is_there(view_of: Open, store: Engine, language: str) -> None:  # noqa: F811
    _receive(store, "desk", "in_app")
    do(view_of(ADMIN, language=language), "bound", metric="late_rate", least="5%", most="")
    assert "rules.house" not in json.dumps(asdict(read_house(view_of(ADMIN, language=language))), ensure_ascii=False)


def test_an_administrator_adds_changes_and_stops_a_receiver_without_the_store_holding_a_secret(
    view_of: Open,  # noqa: F811
    store: Engine,  # noqa: F811
) -> None:
    admin = view_of(ADMIN)
    assert "cannot be used" in do(admin, "new_receiver", name="值班群", channel="dingtalk").text
    do(admin, "new_receiver", name="East-Ding", channel="dingtalk")
    form = read_house(admin).forms[0]
    assert [field.code for field in form.fields] == ["url", "secret", "language", "per_hour", "regions"]
    open_text = do(admin, "keep_receiver", url="https://oapi.dingtalk.com/robot/send?access_token=abc", language="zh-CN")
    assert "never holds it" in open_text.text
    assert list_receivers(store) == {}
    values = {"url": "env:DING", "secret": "file:/run/ding", "language": "zh-CN", "per_hour": "30", "regions": "CN-EAST,CN-SOUTH"}
    assert "in use" in do(admin, "keep_receiver", **values).text
    kept = list_receivers(store)["east-ding"]
    assert (kept.channel, kept.scope.regions, kept.language, kept.per_hour) == ("dingtalk", ("CN-EAST", "CN-SOUTH"), "zh-CN", 30)
    assert "is a receiver east-ding already" in do(admin, "new_receiver", name="east-ding", channel="slack").text
    do(admin, "change_receiver", "east-ding")
    do(admin, "keep_receiver", **(values | {"per_hour": "5", "regions": ""}))
    assert (list_receivers(store)["east-ding"].per_hour, list_receivers(store)["east-ding"].scope.everything) == (5, True)
    do(admin, "stop_receiver", "east-ding")
    assert list_receivers(store) == {}
    with store.connect() as connection:
        rows = connection.execute(select(AUDIT.c.detail).where(AUDIT.c.action == "receiver_changed")).scalars().all()
    assert len(rows) == 3
    assert "env:DING" not in "".join(rows)


@pytest.mark.parametrize("channel", sorted(CHANNELS))
@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_every_channel_has_its_form_in_both_languages(view_of: Open, channel: str, language: str) -> None:  # noqa: F811
    admin = view_of(ADMIN, language=language)
    do(admin, "new_receiver", name="one", channel=channel)
    assert "rules.house" not in json.dumps(asdict(read_house(admin)), ensure_ascii=False)
    if any(needed for needed in field_names(channel).values()):
        told = do(admin, "keep_receiver", language=language)
        assert told.state == "critical"


def test_an_analyst_keeps_no_receiver(view_of: Open, store: Engine) -> None:  # noqa: F811
    do(view_of(), "new_receiver", name="mine", channel="in_app")
    assert do(view_of(), "keep_receiver", language="en").state == "critical"
    assert list_receivers(store) == {}
