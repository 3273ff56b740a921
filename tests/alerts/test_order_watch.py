"""Rules about single orders: what they match (against SQL by hand), and that queues are kept whole, once and in scope."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select, update

from access.audit import Actor
from access.audit_rows import list_audit
from access.freshness import FreshnessState, SourceFreshness
from access.store import writing
from alerts.book import live_rules
from alerts.desk import Reader
from alerts.duty import templates
from alerts.lifecycle import publish, save_draft, set_status
from alerts.message import Item, compose_post
from alerts.order_part import impossible_fields
from alerts.order_watch import Sweep, watch_orders
from alerts.parse import parse_rule
from alerts.review import ReviewError, confirm, orders_told, read_queue, read_reviews, withdraw
from alerts.rule import RuleError
from alerts.tables import OUTBOX, REVIEW_CHANGES, REVIEWS, STATES, TRANSITIONS, VERSIONS
from alerts.write import write_rule
from data.lake import Lake
from pages.telling import Telling
from queries.listing import Listing, Moment, build_count
from queries.order_fields import ORDER_FIELDS, OrderTest, Pick, read_pick, write_pick
from queries.order_match import Asked, build_daily, build_matches, day_of
from queries.query import QueryError
from queries.run import run
from queries.scope import Scope
from tests.alerts.bench import BOSS, FEEDS, HOUR, START, Bench
from tests.queries.desk import Desk

REMOTE = ["CN-XZ", "CN-XJ"]
BODY: dict[str, Any] = {
    "name": "dear",
    "kind": "order",
    "title": {"en": "Dear and far", "zh-CN": "贵重偏远"},
    "conditions": [
        {"field": "amount", "op": ">", "value": 5000},
        {"field": "province", "op": "in", "values": REMOTE},
    ],
    "severity": "warning",
    "confirmations": 2,
    "receivers": ["desk"],
}
AT = START + 30 * HOUR
EAST, WEST = Scope.of_regions(["R1"]), Scope.of_regions(["R2"])


def order(name: str, region: str = "R1", **changes: Any) -> dict[str, Any]:
    """An order worth 6,000 to Tibet, created at START."""
    return {"id": name, "region_code": region, "created": START, "amount": 6000.0, "province_code": "CN-XZ"} | changes


ORDERS = [
    order("A"),
    order("B", "R2"),
    order("cheap", amount=5000.0),
    order("near", province_code="CN-SH"),
    order("gone", delivered=START + HOUR),
    order("nowhere", province_code=None),
    order("late", amount=10.0, promised=START + 20 * HOUR, paid=START + 10 * HOUR),
    order("held", amount=10.0, province_code="CN-SH", exception_code="held", shipped=START + 2 * HOUR),
]


def announce(bench: Bench, **changes: Any) -> None:
    """Publish a rule about orders as the control room does."""
    bench.make_live(parse_rule(BODY | changes))


def sweep(bench: Bench, *, state: FreshnessState = "fresh", at: datetime = AT, **changes: Any) -> Sweep:
    """Watch the orders of the bench's snapshot."""
    sources = [SourceFreshness(source="oms", as_of=at, age_seconds=0, state=state, owner="o", feeds=FEEDS)]
    return watch_orders(bench.store, bench.source, sources, now=at, **changes)


def waiting(bench: Bench, scope: Scope = Scope.ALL, name: str = "ana") -> list[str]:
    """The numbers of the orders in the queue, as someone with this scope reads it."""
    return sorted(review.key[1] for review in read_queue(bench.store, Reader(name=name, scope=scope)))


def moment_of(desk: Desk, at: datetime = AT) -> Moment:
    """The bench's lake at an instant."""
    return Moment(scope=Scope.ALL, version=desk.version, as_of=at, zone=desk.zone, targets=desk.targets, newest=None)


def by_hand(lake: Lake, condition: str, at: datetime = AT) -> list[str]:
    """The open orders that meet a condition, by plain SQL over the lake's own table."""
    sql = (
        "SELECT order_id FROM (SELECT *, CAST($at AS TIMESTAMPTZ) AS now FROM lake.orders) WHERE created_at <= now "
        "AND (delivered_at IS NULL OR delivered_at > now) AND (cancelled_at IS NULL OR cancelled_at > now) "
        f"AND ({condition}) ORDER BY 1"
    )
    return [name for (name,) in lake.cursor().execute(sql, {"at": at}).fetchall()]


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("all;amount>5000;province=CN-XZ,CN-XJ", "amount > 5000 AND province_code IN ('CN-XZ', 'CN-XJ')"),
        ("any;amount<=5000;province!=CN-XZ", "amount <= 5000 OR province_code IS NULL OR province_code <> 'CN-XZ'"),
        ("all;late_by>7200", "promised_at < now AND epoch(now) - epoch(promised_at) > 7200"),
        ("all;late_by>36000", "promised_at < now AND epoch(now) - epoch(promised_at) > 36000"),
        ("all;undispatched_for>86400", "shipped_at IS NULL AND epoch(now) - epoch(created_at) > 86400"),
        ("all;waiting_for>=72000", "epoch(now) - epoch(greatest(created_at, paid_at, shipped_at)) >= 72000"),
        ("all;waiting_for<86400", "epoch(now) - epoch(greatest(created_at, paid_at, shipped_at)) < 86400"),
        ("all;has_exception=yes", "exception_code IS NOT NULL"),
        ("all;exception=held", "exception_code = 'held'"),
        ("all;due_in<3600", "promised_at >= now AND epoch(promised_at) - epoch(now) < 3600"),
        ("all;stage=approved", "order_id = 'late'"),
        ("all;region=R2;age>0", "region_code = 'R2'"),
    ],
)
def test_pick_lists_what_sql_by_hand_does(bench: Bench, text: str, condition: str) -> None:
    bench = bench.filled(ORDERS)
    pick, expected = read_pick(text), by_hand(bench.desk.lake, condition)
    rows = run(bench.desk.lake, build_matches([Asked(pick=pick, scope=Scope.ALL)], moment_of(bench.desk))).to_dicts()
    assert sorted(row["order_id"] for row in rows) == expected
    counted = run(bench.desk.lake, build_count(Listing(population="open", matching=pick), moment_of(bench.desk)))
    assert counted["order_count"][0] == len(expected)


def test_every_field_can_be_asked_and_comes_back_from_an_address(bench: Bench) -> None:
    bench = bench.filled(ORDERS)
    tests = [
        OrderTest(field=name, op=op, value=1.5) if field.kind != "code" else OrderTest(field=name, op=op, values=("a,b;c=d", "é"))
        for name, field in ORDER_FIELDS.items()
        for op in field.ops
    ]
    for start in range(0, len(tests), 8):
        pick = Pick(tests=tuple(tests[start : start + 8]), join="any")
        assert read_pick(write_pick(pick)) == pick
        run(bench.desk.lake, build_matches([Asked(pick=pick, scope=EAST)], moment_of(bench.desk)))


@pytest.mark.parametrize(
    "text", ["", "all", "some;amount>1", "all;amount>x", "all;colour=red", "all;amount=5", "all;" + "age>1;" * 9]
)
def test_address_that_is_no_pick_is_refused(text: str) -> None:
    with pytest.raises(QueryError):
        read_pick(text)


def test_days_before_are_counted_as_sql_by_hand_does(bench: Bench) -> None:
    bench = bench.filled([*ORDERS, order("C", created=START + 26 * HOUR), order("D", delivered=START + 25 * HOUR)])
    statement = build_daily(Asked(pick=parse_rule(BODY).order.pick, scope=Scope.ALL), moment_of(bench.desk), days=3)  # type: ignore[union-attr]
    rows = {day_of(row["bucket"]): (row["matched"], row["fresh"]) for row in run(bench.desk.lake, statement).to_dicts()}
    condition = f"amount > 5000 AND province_code IN ({', '.join(repr(code) for code in REMOTE)})"
    first = by_hand(bench.desk.lake, condition, datetime(2026, 3, 10, 23, 59, 59, 999000, tzinfo=UTC))
    second = by_hand(bench.desk.lake, condition, AT)
    assert rows == {START.date(): (len(first), len(first)), AT.date(): (len(second), len(set(second) - set(first)))}


def test_orders_enter_once_and_leave_by_themselves(bench: Bench) -> None:
    bench.receiver()
    announce(bench)
    bench = bench.filled(ORDERS)
    assert (sweep(bench).entered, sweep(bench).entered) == (2, 0)
    assert waiting(bench) == ["A", "B"]
    bench = bench.filled([order("A", delivered=START + 29 * HOUR), *ORDERS[1:]])
    assert sweep(bench).left == 1
    assert waiting(bench) == ["B"]
    (left,) = read_reviews(bench.store, Reader(name="ana", scope=Scope.ALL), [("web", "A")])[("web", "A")]
    assert (left.state, left.reason, [step.action for step in left.steps]) == ("left", "no_match", ["entered", "left"])


def test_an_order_is_told_of_once_per_rule_even_when_it_comes_back(bench: Bench) -> None:
    bench.receiver()
    announce(bench)
    bench = bench.filled(ORDERS)
    sweep(bench)
    for orders in ([order("A", amount=1.0), *ORDERS[1:]], ORDERS):
        bench = bench.filled(orders)
        sweep(bench)
    assert bench.outbox() == [("matched", "desk", "waiting")] * 2
    (back,) = read_reviews(bench.store, Reader(name="ana", scope=Scope.ALL), [("web", "A")])[("web", "A")]
    assert (back.state, back.episode) == ("waiting", 2)


def test_receiver_of_one_region_hears_of_its_own_orders_only(bench: Bench) -> None:
    bench.receiver("east", regions=["R1"])
    announce(bench, receivers=["east"])
    bench = bench.filled(ORDERS)
    sweep(bench)
    with bench.store.connect() as connection:
        rows = connection.execute(select(OUTBOX.c.group_key, OUTBOX.c.transition_id)).all()
        assert [row.group_key for row in rows] == ['["R1"]']
        assert orders_told(connection, [rows[0].transition_id]) == {rows[0].transition_id: [("web", "A")]}


@pytest.mark.parametrize(("language", "expected"), [("en", "2 more orders match A, B"), ("zh-CN", "新增 2 单符合规则 A, B")])
def test_message_names_the_orders(bench: Bench, language: str, expected: str) -> None:
    rule = parse_rule(BODY)
    item = Item(
        message="matched",
        labels={"region": None},
        level="warning",
        value=2.0,
        episode_at=None,
        at=AT,
        orders=(("web", "A"), ("web", "B")),
    )
    post = compose_post(rule, [item], "1", language, Telling(zone=bench.desk.zone))
    assert expected in post.lines[0]
    assert post.payload["alerts"][0]["orders"] == [{"channel": "web", "order_id": "A"}, {"channel": "web", "order_id": "B"}]


def test_two_different_people_confirm_and_may_take_it_back(bench: Bench) -> None:
    announce(bench, receivers=[])
    bench = bench.filled(ORDERS)
    sweep(bench)
    key, ana, bo = ("web", "A"), Actor(name="ana"), Actor(name="bo")
    assert confirm(bench.store, "dear", key, ana, Scope.ALL, now=AT).state == "waiting"
    with pytest.raises(ReviewError, match="twice"):
        confirm(bench.store, "dear", key, ana, Scope.ALL, now=AT)
    with pytest.raises(ReviewError, match="not_yours"):
        withdraw(bench.store, "dear", key, bo, Scope.ALL, now=AT)
    done = confirm(bench.store, "dear", key, bo, EAST, now=AT)
    assert (done.state, done.confirmed_by) == ("confirmed", ("ana", "bo"))
    back = withdraw(bench.store, "dear", key, ana, Scope.ALL, now=AT)
    assert (back.state, back.confirmed_by) == ("waiting", ("bo",))
    audited = [(row.action, row.actor, row.object_id) for row in list_audit(bench.store, limit=3)]
    assert audited == [("review_withdrawn", "ana", "web/A"), *(("review_confirmed", name, "web/A") for name in ("bo", "ana"))]


def test_nobody_sees_or_confirms_another_regions_orders(bench: Bench) -> None:
    announce(bench, receivers=[])
    bench = bench.filled(ORDERS)
    sweep(bench)
    assert (waiting(bench, EAST), waiting(bench, WEST), waiting(bench, Scope.NONE)) == (["A"], ["B"], [])
    assert read_reviews(bench.store, Reader(name="li", scope=EAST), [("web", "B")]) == {}
    with pytest.raises(ReviewError, match="no_entry"):
        confirm(bench.store, "dear", ("web", "B"), Actor(name="li"), EAST, now=AT)


def test_personal_rule_is_its_owners_alone_and_inside_their_scope(bench: Bench) -> None:
    lead = replace(BOSS, name="li", role="lead", scope=EAST)
    rule = parse_rule(BODY | {"receivers": []})
    publish(
        bench.store,
        "dear",
        save_draft(bench.store, rule, lead, sources=(), now=START, is_personal=True),
        lead,
        sources=(),
        reason="",
        now=START,
    )
    bench = bench.filled(ORDERS)
    sweep(bench)
    assert (waiting(bench, EAST, "li"), waiting(bench, Scope.ALL, "ana")) == (["A"], [])
    assert bench.outbox() == [("matched", "user:li", "waiting")]


class Killed(Exception):
    """The process ends here."""


@pytest.mark.parametrize("place", ["asked", "written", "put out", "committed"])
def test_stopped_anywhere_nothing_is_lost_or_doubled(bench: Bench, place: str) -> None:
    bench.receiver()
    announce(bench)
    bench = bench.filled(ORDERS)

    def stop(step: str) -> None:
        if step == place:
            raise Killed

    with pytest.raises(Killed):
        sweep(bench, checkpoint=stop)
    sweep(bench)
    with bench.store.connect() as connection:
        assert len(connection.execute(select(REVIEWS)).all()) == len(connection.execute(select(REVIEW_CHANGES)).all()) == 2
        assert len(connection.execute(select(TRANSITIONS)).all()) == 2
    assert bench.outbox() == [("matched", "desk", "waiting")] * 2


def test_all_rules_share_one_query_and_a_broken_one_leaves_the_others_running(bench: Bench) -> None:
    for name in ("one", "two", "three", "broken"):
        announce(bench, name=name, receivers=[])
    with writing(bench.store) as connection:
        connection.exec_driver_sql("DROP TRIGGER alert_rule_versions_no_update")
        connection.execute(update(VERSIONS).where(VERSIONS.c.rule == "broken").values(body={"kind": "order", "name": "broken"}))
    bench = bench.filled(ORDERS)
    done = sweep(bench)
    assert (done.rules, done.queries, done.entered) == (3, 1, 6)
    assert len([live for live in live_rules(bench.store) if live.error]) == 1


def test_rule_that_cannot_be_run_is_its_own_error(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ORDER_FIELDS, "quantity", replace(ORDER_FIELDS["quantity"], expression="error('no')"))
    announce(bench, receivers=[])
    announce(bench, name="bad", receivers=[], match="any", conditions=[{"field": "quantity", "op": ">", "value": 1}])
    done = sweep(bench.filled(ORDERS))
    assert (done.entered, len(done.notes), done.queries) == (2, 1, 3)
    assert waiting(bench) == ["A", "B"]


def test_rule_too_wide_is_its_own_error(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alerts.order_watch.MOST_MATCHES", 1)
    announce(bench)
    announce(bench, name="narrow", receivers=[], conditions=[{"field": "late_by", "op": ">", "value": "2h"}])
    bench = bench.filled(ORDERS)
    assert sweep(bench).notes == ("rule dear: it matches 2 orders, more than 1: narrow it",)
    with bench.store.connect() as connection:
        assert connection.execute(select(STATES.c.errors).where(STATES.c.rule == "dear")).scalar_one() == 1
    assert waiting(bench) == ["late"]


def test_silent_source_keeps_the_queue_still(bench: Bench) -> None:
    announce(bench, receivers=[], conditions=[{"field": "late_by", "op": ">", "value": "2h"}])
    bench = bench.filled(ORDERS)
    assert sweep(bench, state="stale").entered == 0
    bench = bench.filled(ORDERS)
    assert sweep(bench).entered == 1


def test_rule_matches_nothing_after_its_last_day(bench: Bench) -> None:
    announce(bench, receivers=[], expires_on=f"{AT:%Y-%m-%d}")
    bench = bench.filled(ORDERS)
    assert sweep(bench).entered == 2
    bench = bench.filled(ORDERS)
    assert sweep(bench, at=AT + 24 * HOUR).left == 2


@pytest.mark.parametrize(("status", "reason"), [("paused", "rule_paused"), ("retired", "rule_deleted")])
def test_pausing_or_retiring_empties_the_queue_and_keeps_its_history(bench: Bench, status: Any, reason: str) -> None:
    announce(bench, receivers=[])
    bench = bench.filled(ORDERS)
    sweep(bench)
    set_status(bench.store, "dear", status, BOSS, reason="test", now=AT)
    assert waiting(bench) == []
    with bench.store.connect() as connection:
        assert set(connection.execute(select(REVIEWS.c.reason)).scalars()) == {reason}


@pytest.mark.parametrize("rule", [rule for rule in templates() if rule.order], ids=lambda rule: rule.name)
def test_rule_reads_back_as_it_was_written(rule: Any) -> None:
    assert parse_rule(write_rule(rule)) == rule
    assert impossible_fields(rule.order.pick) == ()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"conditions": []}, "one to 8"),
        ({"conditions": [{"field": "amont", "op": ">", "value": 1}]}, "did you mean amount"),
        ({"conditions": [{"field": "amount", "op": ">"}]}, "no value to compare"),
        ({"conditions": [{"field": "amount", "op": "in", "values": ["1"]}]}, "amount.op is never 'in'"),
        ({"conditions": [{"field": "late_by", "op": ">", "value": "soon"}]}, "no length of time"),
        ({"conditions": [{"field": "late_by", "op": ">", "value": -1}]}, "never below 0"),
        ({"conditions": [{"field": "province", "values": []}]}, "choose 1 to"),
        ({"conditions": [{"field": "stage", "values": ["flying"]}]}, "stage is never 'flying'"),
        ({"confirmations": 3}, "whole number from 0 to 2"),
        ({"severity": "pink"}, "severity is never 'pink'"),
        ({"severity": None, "confirmations": 0, "receivers": []}, "does nothing"),
        ({"window": "1h"}, "has no 'window'"),
        ({"schedule": "campaign"}, "expires_on"),
    ],
)
def test_impossible_rule_is_refused_with_a_remedy(changes: Mapping[str, Any], reason: str) -> None:
    with pytest.raises(RuleError, match=reason):
        parse_rule(BODY | dict(changes))


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("all;amount>5000;amount<5000", ("amount",)),
        ("all;amount>=5;amount<=5", ()),
        ("any;amount>5000;amount<100", ()),
        ("all;province=CN-XZ;province=CN-XJ", ("province",)),
        ("all;province=CN-XZ;province!=CN-XZ", ("province",)),
        ("all;region=CN-EAST;province=CN-XZ", ("province",)),
        ("all;status=delivered", ("status",)),
        ("all;late_by>60;due_in<60", ("due_in",)),
        ("all;age<0", ("age",)),
    ],
)
def test_conditions_that_no_order_meets_are_named(text: str, fields: tuple[str, ...]) -> None:
    assert impossible_fields(read_pick(text)) == fields
