"""Personal rules follow their owners: a changed region, a shut account, and nothing told of what they may no longer see."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select

from access.audit import LOCAL, Actor
from access.present_scope import present_scope
from access.user import User, add_user, set_access, set_disabled
from alerts.delivery import Line
from alerts.desk import Reader, read_alerts
from alerts.destination import AllowList
from alerts.lifecycle import Author, list_rules, publish, save_draft, set_status
from alerts.outbox import USER
from alerts.owners import follow_owners
from alerts.parse import parse_rule
from alerts.send import Sender, send_due
from alerts.tables import EVENTS, OUTBOX, TRANSITIONS
from pages.telling import Telling
from queries.scope import Scope
from tests.alerts.bench import HOUR, START, Bench, hourly

EAST, SOUTH = "CN-EAST", "CN-SOUTH"
SERIES = {EAST: [3, 3, 3, 3], SOUTH: [1, 1, 3, 3]}


def own_rule(bench: Bench, name: str = "mine", **changes: Any) -> Author:
    """A live personal rule of li, the lead of East China: more than two orders an hour."""
    add_user(
        bench.store, User(name="li", display_name="Li", role="lead", regions=(EAST,)), password_hash="x", now=START, by=LOCAL
    )
    author = Author(name="li", role="lead", scope=Scope.of_regions((EAST,)), actor=Actor(name="li"))
    plain = {"name": name, "metric": "order_count", "op": ">", "warning": 2, "window": "1h", "every": "1h"} | changes
    number = save_draft(bench.store, parse_rule(plain), author, sources=(), now=START, is_personal=True)
    publish(bench.store, name, number, author, sources=(), reason="", now=START)
    return author


def move(bench: Bench, *regions: str, hour: float) -> None:
    """Give li other regions."""
    set_access(bench.store, "li", role="lead", regions=regions, now=START + hour * HOUR, by=LOCAL)


def send(bench: Bench, hour: float) -> int:
    """One pass of the sending loop."""
    sender = Sender(
        store=bench.store,
        line=lambda now: Line(allowed=AllowList(), environment={}, now=now, timeout=2),
        words=Telling(zone=bench.desk.zone),
        zone=bench.desk.zone,
        holder="one",
        chance=lambda: 0.0,
        sight=partial(present_scope, bench.store),
    )
    return send_due(sender, START + hour * HOUR + timedelta(minutes=10))


def follow(bench: Bench, *, now: datetime) -> int:
    """How many rules followed their owners."""
    return follow_owners(bench.store, partial(present_scope, bench.store), now=now)


def outbox(bench: Bench) -> list[tuple[str, str, str]]:
    """(message, status, reason) of every row to li, in order."""
    with bench.store.connect() as connection:
        rows = connection.execute(select(OUTBOX).where(OUTBOX.c.receiver == f"{USER}li").order_by(OUTBOX.c.id))
        return [(row.message, row.status, row.reason) for row in rows]


def regions_told_since(bench: Bench, hour: float) -> set[tuple[str, ...]]:
    """The regions of every transition since an hour."""
    with bench.store.connect() as connection:
        rows = connection.execute(select(TRANSITIONS.c.regions).where(TRANSITIONS.c.at > START + hour * HOUR))
        return {tuple(regions or ()) for (regions,) in rows}


@pytest.mark.parametrize("group_by", [[], ["region"]], ids=["whole", "by region"])
def test_after_a_move_only_the_new_region_is_watched_and_told(bench: Bench, group_by: list[str]) -> None:
    own_rule(bench, group_by=group_by)
    bench = bench.filled(hourly(SERIES))
    bench.evaluate(1)
    assert follow(bench, now=START + HOUR) == 0
    assert send(bench, 1) == 1
    move(bench, SOUTH, hour=1.5)
    assert follow(bench, now=START + 1.6 * HOUR) == 1
    assert follow(bench, now=START + 1.7 * HOUR) == 0
    bench.evaluate(3)
    assert regions_told_since(bench, 1) == {(SOUTH,)}
    send(bench, 3)
    assert [row[:2] for row in outbox(bench)] == [("firing", "sent"), ("rule_changed", "withheld"), ("firing", "sent")]
    (entry,) = list_rules(bench.store)
    assert entry.scope.regions == (SOUTH,)


def test_what_waits_to_be_told_of_the_old_region_is_withheld(bench: Bench) -> None:
    own_rule(bench)
    bench = bench.filled(hourly(SERIES))
    bench.evaluate(1)
    readers = [Reader(name=name, scope=scope) for name, scope in (("li", Scope.of_regions((EAST,))), ("ana", Scope.ALL))]
    assert [len(read_alerts(bench.store, reader, START + HOUR)) for reader in readers] == [1, 0], "it is its owner's alone"
    move(bench, SOUTH, hour=1)
    assert send(bench, 1) == 0
    assert outbox(bench) == [("firing", "withheld", "outside the receiver's regions")]


def test_shut_account_is_told_nothing_and_its_rule_is_paused_until_its_owner_resumes_it(bench: Bench) -> None:
    author = own_rule(bench)
    bench = bench.filled(hourly(SERIES))
    bench.evaluate(1)
    set_disabled(bench.store, "li", is_disabled=True, now=START + HOUR, by=LOCAL)
    assert send(bench, 1) == 0
    assert {status for _, status, _ in outbox(bench)} == {"withheld"}
    assert follow(bench, now=START + 1.5 * HOUR) == 1
    assert bench.evaluate(3).rules == 0
    set_disabled(bench.store, "li", is_disabled=False, now=START + 2 * HOUR, by=LOCAL)
    assert follow(bench, now=START + 2 * HOUR) == 0
    set_status(bench.store, "mine", "live", author, reason="back", now=START + 2 * HOUR)
    assert bench.evaluate(3).rules == 1
    with bench.store.connect() as connection:
        events = connection.execute(select(EVENTS.c.actor, EVENTS.c.action).order_by(EVENTS.c.id)).all()
    assert [tuple(row) for row in events][-2:] == [("system", "paused"), ("li", "resumed")]


def test_owner_who_is_gone_or_a_rule_that_is_broken_stops_nobody_elses(bench: Bench) -> None:
    own_rule(bench)
    bench.publish()
    ghost = Author(name="ghost", role="lead", scope=Scope.of_regions((EAST,)), actor=Actor(name="ghost"))
    rule = parse_rule({"name": "lost", "metric": "order_count", "op": ">", "warning": 2, "window": "1h", "every": "1h"})
    draft = save_draft(bench.store, rule, ghost, sources=(), now=START, is_personal=True)
    publish(bench.store, "lost", draft, ghost, sources=(), reason="", now=START)
    assert follow(bench, now=START) == 1
    bench = bench.filled(hourly(SERIES))
    assert bench.evaluate(1).rules == 2
