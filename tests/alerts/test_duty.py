"""The worker's turns: a snapshot is evaluated once, and what is published after it acts without waiting for the next one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from access.present_scope import present_scope
from access.reading import Reading
from access.store import open_store
from alerts.delivery import Line
from alerts.desk import Reader
from alerts.destination import AllowList
from alerts.duty import Duty
from alerts.lifecycle import list_rules, publish, save_draft, set_status
from alerts.parse import parse_rule
from alerts.review import read_queue
from alerts.send import Sender
from data.lake import Lake
from pages.telling import Telling
from queries.scope import Scope
from tests.alerts.bench import BOSS
from tests.data.intake import NOW, contract_of, home, take_in, write_csv

EVERYBODY = Reader(name="li", scope=Scope.ALL)
DEAR = {"name": "dear", "kind": "order", "conditions": [{"field": "amount", "op": ">", "value": 100}], "confirmations": 1}


@pytest.fixture
def duty(tmp_path: Path) -> Iterator[Duty]:
    """The duty of a home with three open orders, two of them worth more than 100."""
    settings = home(tmp_path)
    created = (NOW - timedelta(hours=5)).isoformat()
    rows = [(f"o{amount}", created, str(amount), "", "") for amount in (50, 500, 5000)]
    path = write_csv(tmp_path / f"orders_{NOW:%Y%m%dT%H%M%S}.csv", rows)
    with Lake.open_writer(settings) as lake:
        assert take_in(lake, contract_of(), path).state == "accepted"
    store = open_store(settings)
    sender = Sender(
        store=store,
        line=lambda now: Line(allowed=AllowList(), environment={}, now=now),
        words=Telling(zone=settings.zone),
        zone=settings.zone,
        holder="one",
        chance=lambda: 0.0,
        sight=partial(present_scope, store),
    )
    said = list[str]()
    opened = Duty(settings=settings, store=store, reading=Reading(settings), clock=lambda: NOW, say=said.append, sender=sender)
    yield opened
    opened.close()
    assert said == []


def _publish(duty: Duty, body: dict[str, object]) -> None:
    rule = parse_rule(body)
    publish(
        duty.store, rule.name, save_draft(duty.store, rule, BOSS, sources=(), now=NOW), BOSS, sources=(), reason="test", now=NOW
    )


def test_rule_on_orders_fills_its_queue_with_the_turn_after_it_was_published(duty: Duty) -> None:
    assert duty.turn() is not None
    assert duty.turn() is None
    _publish(duty, DEAR)
    assert duty.turn() is not None
    assert [review.key[1] for review in read_queue(duty.store, EVERYBODY)] == ["o500", "o5000"]
    assert duty.turn() is None
    set_status(duty.store, "dear", "paused", BOSS, reason="test", now=NOW + timedelta(seconds=1))
    assert read_queue(duty.store, EVERYBODY) == []


def test_personal_rule_of_nobody_is_paused_with_the_next_turn(duty: Duty) -> None:
    ghost = replace(BOSS, name="ghost", role="lead")
    number = save_draft(duty.store, parse_rule(DEAR | {"receivers": []}), ghost, sources=(), now=NOW, is_personal=True)
    publish(duty.store, "dear", number, ghost, sources=(), reason="test", now=NOW)
    duty.turn()
    assert [entry.status for entry in list_rules(duty.store)] == ["paused"]


def test_rule_on_figures_is_evaluated_with_the_turn_after_it_was_published(duty: Duty) -> None:
    duty.turn()
    _publish(duty, {"name": "many", "metric": "backlog_count", "op": ">", "warning": 2, "every": "1h"})
    done = duty.turn()
    assert done is not None
    assert (done.rules, done.instants, done.transitions) == (1, 1, 1)
