"""Test messages: marked, through the real channels, the answer told with failures inside the body, on record, and not too often."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from access.audit import AUDIT, Actor
from alerts.channels import CHANNELS
from alerts.delivery import Line
from alerts.destination import AllowList
from alerts.receiver_trial import PAUSE, read_standings, try_receiver
from alerts.rule import RuleError
from i18n import LANGUAGES, translate
from tests.alerts.bench import START, Bench
from tests.alerts.server import serve

LI = Actor(name="li")


def _line(minutes: float = 0) -> Line:
    now = START + timedelta(minutes=minutes)
    return Line(allowed=AllowList(private=("127.0.0.1",)), environment={"HOOK": "secret-hook"}, now=now, timeout=2)


@pytest.mark.parametrize(
    ("channel", "answer", "outcome", "detail"),
    [
        ("dingtalk", (200, b'{"errcode": 0}'), "sent", ""),
        ("dingtalk", (200, b'{"errcode": 310000, "errmsg": "keywords not in content"}'), "never", "keywords not in content"),
        ("feishu", (200, b'{"code": 11232, "msg": "too many"}'), "later", "too many"),
        ("wecom", (200, b"<html>"), "later", "could not be read"),
        ("slack", (302, b""), "never", "answered 302"),
        ("teams", (200, b"Webhook message delivery failed"), "later", "failure"),
    ],
)
def test_the_answer_is_told_as_the_receiver_gave_it(bench: Bench, channel: str, answer: Any, outcome: str, detail: str) -> None:
    with serve(answer) as server:
        bench.receiver("hook", channel=channel, url=server.url)
        found = try_receiver(bench.store, "hook", LI, "analyst", _line())
    assert found.outcome == outcome
    assert detail in found.detail
    body = json.dumps(json.loads(server.asked[0][2]), ensure_ascii=False)
    assert translate("en", "alerts.test_title") in body
    assert "li" in body
    with bench.store.connect() as connection:
        row = connection.execute(select(AUDIT).where(AUDIT.c.action == "receiver_tested")).mappings().one()
    told = json.loads(row["detail"])
    assert (row["actor"], row["object_id"], told["outcome"]) == ("li", "hook", outcome)
    assert server.url not in row["detail"]


def test_only_analysts_and_administrators_test_and_not_twice_at_once(bench: Bench) -> None:
    bench.receiver("desk")
    for role in ("manager", "lead"):
        with pytest.raises(RuleError, match="analysts"):
            try_receiver(bench.store, "desk", LI, role, _line())
    with pytest.raises(RuleError, match="no receiver 'nobody'"):
        try_receiver(bench.store, "nobody", LI, "admin", _line())
    assert try_receiver(bench.store, "desk", LI, "admin", _line()).outcome == "sent"
    with pytest.raises(RuleError, match="a moment ago"):
        try_receiver(bench.store, "desk", LI, "admin", _line(0.4))
    assert try_receiver(bench.store, "desk", LI, "admin", _line(1 + PAUSE / timedelta(minutes=1))).outcome == "sent"


def test_standings_tell_every_receiver_in_use(bench: Bench) -> None:
    bench.receiver("desk")
    bench.receiver("east", regions=["R1"])
    assert [(one.receiver.name, one.sent_at, one.given_up) for one in read_standings(bench.store, START)] == [
        ("desk", None, 0),
        ("east", None, 0),
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_channel_has_its_name(language: str) -> None:
    for channel in CHANNELS:
        assert translate(language, f"rules.house.channel.{channel}") != f"rules.house.channel.{channel}"
