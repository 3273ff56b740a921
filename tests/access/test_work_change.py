"""The desk's records: one audited change of one field at a time, nobody's lost, every one can be taken back exactly."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from access.acting import By
from access.audit import AUDIT, LOCAL, verify
from access.user import User, add_user, set_disabled
from access.work_change import (
    LONGEST_NOTE,
    Sighting,
    WorkConflict,
    WorkError,
    add_note,
    assign,
    assignable,
    set_follow_up,
    set_state,
    undo,
)
from access.work_item import Change, WorkItem, can_undo, fold, items_at, read_items, read_rows, to_ms, touched_keys
from tests.stores import new_store

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
PROMISED = NOW - timedelta(hours=3)
LI = User(name="li", display_name="Li", role="lead", regions=("CN-EAST",))
CHEN = User(name="chen", display_name="Chen", role="lead", regions=("CN-EAST",))
WANG = User(name="wang", display_name="Wang", role="lead", regions=("CN-SOUTH",))
MING = User(name="ming", display_name="Ming", role="manager")
EAST = Sighting(channel="jd", order_id="0001", region_code="CN-EAST", trouble="late", promised_at=PROMISED)
OTHER = Sighting(channel="jd", order_id="0002", region_code="CN-EAST", trouble="at_risk", promised_at=NOW + timedelta(hours=1))


def by(user: User = LI, minutes: int = 0, seen: int = 0) -> By:
    return By(user=user, at=NOW + timedelta(minutes=minutes), seen_version=seen)


def item_of(store: Engine, order: Sighting = EAST) -> WorkItem:
    return read_items(store, [order.key])[order.key]


def held(item: WorkItem) -> tuple[Any, ...]:
    """Everything that is true of an item, without how it came to be."""
    notes = tuple((note.actor, note.note) for note in item.notes)
    return (item.assignee, item.state, item.done_trouble, item.done_promised_at, item.follow_up_at, notes)


@pytest.fixture
def desk(any_store: Engine) -> Engine:
    """A store of each kind with two leads of the east, one of the south, and a manager."""
    for user in (LI, CHEN, WANG, MING):
        add_user(any_store, user, password_hash="x", now=NOW, by=LOCAL)
    return any_store


def test_an_order_is_assigned_noted_followed_up_and_done(desk: Engine) -> None:
    assign(desk, EAST, "chen", by=by())
    add_note(desk, EAST, "  Carrier called,\tvan at 18:00  ", by=by(minutes=1))
    set_follow_up(desk, EAST, NOW + timedelta(hours=2), by=by(CHEN, minutes=2))
    set_state(desk, EAST, "done", by=by(CHEN, minutes=3))
    item = item_of(desk)
    assert (item.assignee, item.state, item.done_trouble, item.done_promised_at) == ("chen", "done", "late", PROMISED)
    assert [(note.actor, note.note, note.at) for note in item.notes] == [
        ("li", "Carrier called, van at 18:00", NOW + timedelta(minutes=1))
    ]
    assert (item.version, item.changed_by) == (4, "chen")
    assert item.follow_up_at == NOW + timedelta(hours=2)
    assert not item.is_due(NOW + timedelta(days=1))


def test_everything_done_is_in_the_audit_and_the_chain_holds(desk: Engine) -> None:
    assign(desk, EAST, "chen", by=by())
    change = add_note(desk, EAST, "ring the customer 13800000000", by=by())
    undo(desk, EAST, change.id, by=by())
    with desk.connect() as connection:
        rows = connection.execute(select(AUDIT).order_by(AUDIT.c.seq)).mappings().all()
    mine = [row for row in rows if row["object_kind"] == "work_item"]
    assert [(row["actor"], row["action"], row["object_id"]) for row in mine] == [
        ("li", "work_assigned", "jd/0001"),
        ("li", "work_noted", "jd/0001"),
        ("li", "work_undone", "jd/0001"),
    ]
    assert "13800000000" not in "".join(row["detail"] for row in mine)
    assert verify(desk).broken_seq is None


def test_an_order_goes_only_to_people_whose_regions_cover_it(desk: Engine) -> None:
    assert [user.name for user in assignable(desk, "CN-EAST")] == ["chen", "li", "ming"]
    assert [user.name for user in assignable(desk, None)] == ["ming"]
    with pytest.raises(WorkError, match="Wang cannot see orders of this region"):
        assign(desk, EAST, "wang", by=by())
    set_disabled(desk, "chen", is_disabled=True, now=NOW, by=LOCAL)
    with pytest.raises(WorkError, match="chen has no open account"):
        assign(desk, EAST, "chen", by=by())
    assert read_items(desk, [EAST.key]) == {}


def test_what_someone_else_changed_meanwhile_is_not_overwritten(desk: Engine) -> None:
    assign(desk, EAST, "chen", by=by(LI))
    with pytest.raises(WorkConflict, match="li changed this"):
        assign(desk, EAST, "ming", by=by(CHEN, seen=0))
    assert item_of(desk).assignee == "chen"
    set_state(desk, EAST, "waiting", by=by(CHEN, seen=0))
    assign(desk, EAST, "ming", by=by(CHEN, seen=1))
    assert (item_of(desk).assignee, item_of(desk).state) == ("ming", "waiting")


def test_the_same_again_changes_nothing(desk: Engine) -> None:
    assert assign(desk, EAST, "chen", by=by()) is not None
    assert assign(desk, EAST, "chen", by=by(CHEN)) is None
    assert item_of(desk).version == 1


def test_two_at_once_lose_nothing(desk: Engine) -> None:
    def write(number: int) -> None:
        add_note(desk, EAST, f"note {number}", by=by(LI if number % 2 else CHEN))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(12)))
    item = item_of(desk)
    assert sorted(note.note for note in item.notes) == sorted(f"note {number}" for number in range(12))
    assert [change.version for change in item.changes] == list(range(1, 13))


@pytest.mark.parametrize(
    ("text", "reason"), [("", "empty"), (" \n\t", "empty"), ("\x00\x1b", "empty"), ("x" * (LONGEST_NOTE + 1), "long")]
)
def test_a_note_that_cannot_be_kept_is_refused_with_the_reason(desk: Engine, text: str, reason: str) -> None:
    with pytest.raises(WorkError) as caught:
        add_note(desk, EAST, text, by=by())
    assert caught.value.reason == reason
    assert caught.value.sentence("zh-CN") != caught.value.sentence("en")


@pytest.mark.parametrize(("hours", "reason"), [(0, "past"), (-1, "past"), (24 * 31, "far")])
def test_a_follow_up_is_later_than_now_and_within_a_month(desk: Engine, hours: int, reason: str) -> None:
    with pytest.raises(WorkError) as caught:
        set_follow_up(desk, EAST, NOW + timedelta(hours=hours), by=by())
    assert caught.value.reason == reason


def test_a_note_is_withdrawn_by_its_writer_alone(desk: Engine) -> None:
    change = add_note(desk, EAST, "mine", by=by(LI))
    with pytest.raises(WorkError, match="Only li can withdraw"):
        undo(desk, EAST, change.id, by=by(CHEN))
    back = undo(desk, EAST, change.id, by=by(LI))
    assert item_of(desk).notes == ()
    undo(desk, EAST, back.id, by=by(LI))
    assert [note.note for note in item_of(desk).notes] == ["mine"]


def test_a_change_of_another_order_is_not_taken_back_through_this_one(desk: Engine) -> None:
    change = add_note(desk, OTHER, "there", by=by())
    with pytest.raises(WorkError) as caught:
        undo(desk, EAST, change.id, by=by())
    assert caught.value.reason == "no_change"


def test_an_older_change_is_taken_back_only_after_the_newer_one(desk: Engine) -> None:
    first, second = assign(desk, EAST, "chen", by=by()), assign(desk, EAST, "li", by=by(seen=1))
    assert first is not None
    assert second is not None
    with pytest.raises(WorkError) as caught:
        undo(desk, EAST, first.id, by=by())
    assert caught.value.reason == "too_late"
    undo(desk, EAST, second.id, by=by())
    undo(desk, EAST, first.id, by=by())
    assert item_of(desk).assignee is None


@pytest.mark.parametrize(
    ("trouble_then", "trouble_now", "promise_moves", "is_back"),
    [
        ("late", "late", False, False),
        ("at_risk", "at_risk", False, False),
        ("at_risk", "late", False, True),
        ("late", "late", True, True),
        ("late", "at_risk", True, True),
    ],
)
def test_a_done_order_comes_back_when_it_is_in_trouble_anew(
    trouble_then: Any, trouble_now: Any, promise_moves: bool, is_back: bool
) -> None:
    done = {"state": "done", "trouble": trouble_then, "promised_at": to_ms(PROMISED)}
    change = Change(
        id=1, channel="jd", order_id="1", version=1, at=NOW, actor="li", field="state", value_before=None, value_after=done
    )
    item = fold([change])["jd", "1"]
    promise = PROMISED + timedelta(hours=5) if promise_moves else PROMISED
    assert item.is_back(trouble_now, promise) is is_back


def test_records_are_seen_as_they_stood_at_an_instant(desk: Engine) -> None:
    assign(desk, EAST, "chen", by=by())
    assign(desk, EAST, "li", by=by(minutes=10, seen=1))
    then = items_at(desk, [EAST.key], NOW + timedelta(minutes=5))
    assert then[EAST.key].assignee == "chen"
    assert touched_keys(desk, since=NOW + timedelta(minutes=11)) == []


Step = tuple[str, int, int]
STEPS = st.lists(
    st.tuples(st.sampled_from(["assign", "state", "follow", "note", "undo"]), st.integers(0, 3), st.integers(0, 1)), max_size=14
)


def _act(store: Engine, step: Step, minute: int, seen: int) -> None:
    what, number, who = step
    order, acting = (EAST, OTHER)[number % 2], by((LI, CHEN)[who], minute, seen)
    item = read_items(store, [order.key]).get(order.key)
    try:
        if what == "assign":
            assign(store, order, (None, "li", "chen", "ming")[number], by=acting)
        elif what == "state":
            set_state(store, order, ("open", "in_progress", "waiting", "done")[number], by=acting)
        elif what == "follow":
            set_follow_up(store, order, (None, *(NOW + timedelta(days=day) for day in (1, 2, 3)))[number], by=acting)
        elif what == "note":
            add_note(store, order, f"note {number}", by=acting)
        elif item is not None and item.changes:
            undo(store, order, item.changes[-1 - number % len(item.changes)].id, by=acting)
    except WorkError:
        assert read_items(store, [order.key]).get(order.key) == item


@settings(max_examples=10, deadline=None)
@given(steps=STEPS)
def test_laws_of_the_records_hold_for_any_sequence(tmp_path_factory: pytest.TempPathFactory, steps: list[Step]) -> None:
    """Folding the changes gives the table; every undo restores exactly; a refusal changes nothing; the audit verifies."""
    store = new_store(tmp_path_factory.mktemp("desk"))
    for user in (LI, CHEN, MING):
        add_user(store, user, password_hash="x", now=NOW, by=LOCAL)
    for minute, step in enumerate(steps):
        _act(store, step, minute, 10_000)
    for order in (EAST, OTHER):
        item = read_items(store, [order.key]).get(order.key)
        row = read_rows(store).get(order.key)
        assert (item is None) == (row is None or row["version"] == 0)
        if item is None or row is None:
            continue
        names = ("assignee", "state", "done_trouble", "done_promised_at", "follow_up_at", "version", "changed_at", "changed_by")
        assert {name: row[name] for name in names} == {name: getattr(item, name) for name in names}
        last = item.changes[-1]
        if can_undo(item.changes, last) and last.undoes is None:
            before = fold(item.changes[:-1]).get(order.key, WorkItem(channel=order.channel, order_id=order.order_id))
            undo(store, order, last.id, by=by({"li": LI, "chen": CHEN}[last.actor], 60))
            assert held(item_of(store, order)) == held(before)
    assert verify(store).broken_seq is None
    store.dispose()
