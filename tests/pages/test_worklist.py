"""The work list: derived from the lake inside the scope, joined with the desk's records; what is done to it and by whom."""

from __future__ import annotations

import json
import re
from argparse import Namespace
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from sqlalchemy import Engine, select
from streamlit.testing.v1 import AppTest

from access.audit import AUDIT, LOCAL, Actor, verify
from access.handover import read_handover
from access.reading import Reading
from access.saved_act import SavedAct, perform_saved
from access.saved_view import SavedViewError
from access.user import User, UserError, add_user
from access.view import View, open_view
from access.work_act import Act, Outcome, perform
from access.work_item import read_items
from access.worklist import METRIC_OF, TABS, read_row, read_worklist
from access.worklist_command import worklist
from config import read_settings
from data.ingest import ingest
from data.lake import Lake
from pages.handover import read_sheet
from pages.order_work import read_work
from pages.worklist import read_board, shown_of, tab_of
from pages.worklist_act import read_act
from queries.listing import Listing
from queries.present import present
from queries.query import Filter, Query
from tests.data.intake import contract_of, write_csv
from tests.pages.conftest import AS_OF, PER_HOUR
from tests.stores import new_store

EAST = User(name="east", display_name="Ms Dong", role="lead", regions=("CN-EAST",))
SOUTH = User(name="south", display_name="Mr Nan", role="lead", regions=("CN-SOUTH",))
MANAGER = User(name="boss", display_name="The manager", role="manager")
LATE_IN_SHANGHAI = 10 * PER_HOUR
"""Promised after 20 h and delivered after 30 h: the orders of ten hours are late now."""

Open = Callable[..., View]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Engine]:
    """A store with two leads of different regions and a manager."""
    opened = new_store(tmp_path)
    for user in (EAST, SOUTH, MANAGER):
        add_user(opened, user, password_hash="x", now=AS_OF, by=LOCAL)
    yield opened
    opened.dispose()


@pytest.fixture
def view_of(reading: Reading, store: Engine) -> Open:
    """A user's view with the store, some minutes after the snapshot."""

    def open_(user: User = EAST, *, minutes: int = 5, language: str = "en", **parameters: list[str]) -> View:
        now = AS_OF + timedelta(minutes=minutes)
        return open_view(reading, user, parameters, now=now, language=language, stays_valid=lambda: None, store=store)

    return open_


def do(view: View, verb: Any, key: tuple[str, str], value: str = "", seen: int = 99) -> Outcome:
    return perform(view, Act(verb=verb, key=key, value=value, seen_version=seen))


def shown(view: View, tab: Any = "all", most: int = 500) -> list[tuple[str, str]]:
    return [row.key for row in read_worklist(view, tab, shown=most).rows]


def figure(view: View, metric: str) -> int:
    return int(view.run(Query(metrics=(metric,), where=view.filters))[metric][0])


def test_the_list_is_the_late_and_at_risk_orders_of_the_area(view_of: Open) -> None:
    view = view_of()
    counts = read_worklist(view, "all", shown=60).counts
    assert counts["late"] == figure(view, "overdue_count") == LATE_IN_SHANGHAI
    assert counts["at_risk"] == figure(view, "at_risk_count") > 0
    keys = shown(view)
    assert len(keys) == len(set(keys)) == counts["all"] == counts["late"] + counts["at_risk"]
    assert {read_row(view, key).row["region"] for key in keys[:5]} == {"CN-EAST"}  # type: ignore[union-attr]


def test_what_costs_most_comes_first_and_a_due_follow_up_before_it(view_of: Open) -> None:
    keys = shown(view_of(), "late")
    lateness = [row.row["late_by_seconds"] for row in read_worklist(view_of(), "late", shown=60).rows]
    assert lateness == sorted(lateness, reverse=True)
    last = keys[-1]
    do(view_of(), "follow_up", last, "2026-03-02T16:30")
    assert shown(view_of(minutes=29), "all")[0] != last
    assert shown(view_of(minutes=31), "all")[0] == last
    assert shown(view_of(minutes=31), "due") == [last]


def test_two_leads_see_and_touch_their_own_regions_only(view_of: Open, store: Engine) -> None:
    east, south = view_of(EAST), view_of(SOUTH)
    key = shown(east)[0]
    assert set(shown(south)).isdisjoint(shown(east))
    for verb, value in (("assign", "south"), ("state", "done"), ("note", "mine now"), ("follow_up", ""), ("undo", "1")):
        outcome = do(south, verb, key, value)
        assert outcome.error is not None
        assert outcome.error.reason == "not_found"
    assert read_items(store, [key]) == {}
    with store.connect() as connection:
        denied = connection.execute(select(AUDIT).where(AUDIT.c.action == "work_denied")).mappings().all()
    assert {(row["actor"], row["object_id"], row["result"]) for row in denied} == {("south", "/".join(key), "denied")}
    assert len(denied) == 5
    assert verify(store).broken_seq is None


def test_an_unknown_order_is_answered_like_one_elsewhere(view_of: Open) -> None:
    elsewhere, nowhere = do(view_of(SOUTH), "note", shown(view_of(EAST))[0], "x"), do(view_of(SOUTH), "note", ("jd", "none"), "x")
    assert elsewhere.error is not None
    assert nowhere.error is not None
    assert elsewhere.error.sentence("en").split()[2:] == nowhere.error.sentence("en").split()[2:]


def test_an_order_is_given_only_to_those_who_may_see_it(view_of: Open) -> None:
    key = shown(view_of())[0]
    refused = do(view_of(), "assign", key, "south")
    assert refused.error is not None
    assert refused.error.reason == "outside"
    assert do(view_of(), "assign", key, "boss").error is None
    assert shown(view_of(MANAGER), "mine") == [key]
    people = read_board(view_of(), "all", 60, None, None).people["CN-EAST"]
    assert [person.code for person in people] == ["boss", "east"]


def test_done_leaves_the_list_and_taking_it_back_brings_it_back(view_of: Open) -> None:
    before = shown(view_of())
    done = do(view_of(), "state", before[0], "done")
    assert shown(view_of()) == before[1:]
    assert shown(view_of(), "done") == [before[0]]
    assert read_worklist(view_of(), "all", shown=60).counts["all"] == len(before) - 1
    assert done.change is not None
    do(view_of(), "undo", before[0], str(done.change.id))
    assert shown(view_of()) == before
    assert shown(view_of(), "done") == []


def test_counts_of_mine_and_unassigned_add_up(view_of: Open) -> None:
    first, second, *rest = shown(view_of())
    do(view_of(), "assign", first, "east")
    do(view_of(), "assign", second, "boss")
    counts = read_worklist(view_of(), "all", shown=60).counts
    assert (counts["mine"], counts["unassigned"]) == (1, len(rest))
    assert shown(view_of(), "unassigned") == rest


def test_a_place_narrows_the_list_and_keeps_the_choice_of_others(view_of: Open) -> None:
    found = read_worklist(view_of(MANAGER, province=["CN-SH"]), "late", shown=60)
    assert {row.row["province"] for row in found.rows} == {"CN-SH"}
    assert found.counts["late"] == LATE_IN_SHANGHAI
    choices = read_board(view_of(EAST, province=["CN-SH"]), "all", 60, None, None).choices
    assert [choice.code for choice in choices] == ["province", "warehouse"]


def test_the_list_reads_alike_in_parts_and_as_a_whole(view_of: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there are more orders than are read at once, what is shown, counted and looked up is the same."""
    key = shown(view_of())[3]
    do(view_of(), "assign", key, "east")
    whole = {tab: read_worklist(view_of(), tab, shown=7) for tab in TABS}
    monkeypatch.setattr("access.worklist.WHOLE", 2)
    parts = {tab: read_worklist(view_of(), tab, shown=7) for tab in TABS}
    for tab in TABS:
        assert [row.key for row in parts[tab].rows] == [row.key for row in whole[tab].rows]
        assert parts[tab].counts == whole[tab].counts


def test_looking_back_shows_the_records_of_then_and_changes_nothing(view_of: Open) -> None:
    key = shown(view_of())[0]
    do(view_of(minutes=-30), "assign", key, "east")
    do(view_of(minutes=10), "assign", key, "boss")
    past = view_of(minutes=60, as_of=["2026-03-02T08:00:00Z"])
    row = read_row(past, key)
    assert row is not None
    assert row.item.assignee == "east"
    refused = do(past, "assign", key, "")
    assert refused.error is not None
    assert refused.error.reason == "past_view"
    assert not read_board(past, "all", 60, None, None).can_act


HEADER = ("id", "channel", "province", "warehouse", "created", "paid", "shipped", "promised", "delivered")


def test_a_delivered_order_leaves_by_itself_and_a_new_promise_brings_a_done_one_back(tmp_path: Path, store: Engine) -> None:
    settings = read_settings({}, home=tmp_path / "home", memory_limit="512MB", threads=1)

    def take_in(at: datetime, *rows: tuple[str, str, str]) -> None:
        created = (AS_OF - timedelta(hours=30)).isoformat()
        texts = [
            (number, "jd", "CN-SH", "WH-1", created, created, "", promised, delivered) for number, promised, delivered in rows
        ]
        columns = {"order_id": "id", "channel": "channel", "province_code": "province", "warehouse_id": "warehouse"}
        columns |= {f"{name}_at": name for name in ("created", "paid", "shipped", "promised", "delivered")}
        path = write_csv(tmp_path / f"orders_{at:%Y%m%dT%H%M%S}.csv", texts, HEADER)
        with Lake.open_writer(settings) as lake:
            assert ingest(lake, contract_of(columns=columns), (path,), now=at).state == "accepted"

    def view(minutes: int) -> View:
        reading = Reading(settings)
        now = AS_OF + timedelta(minutes=minutes)
        return open_view(reading, EAST, {}, now=now, language="en", stays_valid=lambda: None, store=store)

    before, later, soon = ((AS_OF + timedelta(hours=hours)).isoformat() for hours in (-2, -1, 0.1))
    take_in(AS_OF, ("1", before, ""), ("2", before, ""), ("3", before, ""))
    do(view(1), "assign", ("jd", "1"), "east")
    do(view(1), "state", ("jd", "2"), "done")
    assert set(shown(view(2))) == {("jd", "1"), ("jd", "3")}
    take_in(AS_OF + timedelta(minutes=10), ("1", before, soon), ("2", later, ""))
    now = view(12)
    assert shown(now, "left") == [("jd", "1")]
    assert set(shown(now)) == {("jd", "2"), ("jd", "3")}
    board = read_board(now, "left", 60, None, None)
    assert "Delivered" in board.jobs[0].lateness
    assert board.jobs[0].remark == "Left the list by itself"
    back = next(job for job in read_board(now, "all", 60, None, None).jobs if job.order_id == "2")
    assert (back.remark, back.state) == ("Was done, late again", "open")


def test_the_handover_tells_what_was_done_noted_and_comes_due(view_of: Open) -> None:
    """As of 16:05 in Shanghai: the evening shift from 16:00 to 24:00, the day shift from 08:00 next."""
    first, second, third, *_ = shown(view_of())
    do(view_of(minutes=-60), "note", third, "of the shift before")
    do(view_of(), "state", first, "done")
    do(view_of(MANAGER), "note", second, "carrier called")
    do(view_of(), "follow_up", second, "2026-03-03T08:30")
    do(view_of(), "follow_up", third, "2026-03-03T18:00")
    found = read_handover(view_of(minutes=20))
    assert (found.shift.name, found.following.name) == ("evening", "day")
    assert [(row.key, change.actor) for row, change in found.done] == [(first, "east")]
    assert [(row.key, note.note) for row, note in found.notes] == [(second, "carrier called")]
    assert [row.key for row in found.due] == [second]
    assert {row.key for row in found.working} == {second, third}
    assert [(person.name, person.done_count, person.change_count) for person in found.people] == [("east", 1, 3), ("boss", 0, 1)]
    assert found.late_count == LATE_IN_SHANGHAI - 1


def test_between_shifts_the_handover_keeps_what_was_done_since(view_of: Open) -> None:
    """At 02:00 in Shanghai the evening shift ended two hours ago; the day shift begins at 08:00."""
    first = shown(view_of())[0]
    do(view_of(minutes=9 * 60), "note", first, "night call")
    found = read_handover(view_of(minutes=10 * 60))
    assert (found.shift.name, [note.note for _, note in found.notes]) == ("evening", ["night call"])


def test_a_handover_tells_nothing_of_other_regions(view_of: Open) -> None:
    do(view_of(), "note", shown(view_of())[0], "a word of the east")
    text = json.dumps(asdict(read_sheet(view_of(SOUTH))), ensure_ascii=False)
    assert "a word of the east" in json.dumps(asdict(read_sheet(view_of())), ensure_ascii=False)
    assert "a word of the east" not in text
    assert "Ms Dong" not in text


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_no_key_is_left_untranslated(view_of: Open, language: str) -> None:
    key = shown(view_of())[0]
    for verb, value in (("assign", "boss"), ("note", "x"), ("state", "waiting"), ("follow_up", "2026-03-03T08:30")):
        do(view_of(), verb, key, value)
    for tab in TABS:
        board = read_board(view_of(language=language), tab, 60, key, None)
        text = json.dumps(asdict(board)) + json.dumps(asdict(read_sheet(view_of(language=language))))
        assert re.findall(r"\b(?:worklist|handover|wall|format|access|label|dimensions)\.[a-z_.]+", text) == []
        assert re.findall(r"\{[a-z_]+\}", text) == []
        meant = next((metric for trouble, metric in METRIC_OF.items() if trouble == tab), None)
        assert meant is None if board.definition is None else f"figure={meant}" in board.definition[1]
    told = [figure.href for figure in read_sheet(view_of(language=language)).figures if figure.href]
    assert [metric in href for metric, href in zip(METRIC_OF.values(), told, strict=True)] == [True, True]


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"verb": "drop", "channel": "jd", "order_id": "1"},
        {"verb": "note", "channel": "", "order_id": "1", "value": "x"},
        {"verb": ["note"], "channel": "jd", "order_id": "1"},
        {"verb": "note", "channel": "jd", "order_id": 7},
    ],
)
def test_a_message_that_is_no_act_is_none(message: dict[str, object]) -> None:
    assert read_act(message) is None


@pytest.mark.parametrize(("asked", "number"), [(None, 60), ("", 60), ("60", 120), ("-1", 60), ("99999", 60), ("9999", 600)])
def test_rows_shown_stay_within_reason(asked: str | None, number: int) -> None:
    assert shown_of(asked) == number
    assert tab_of("nonsense") == "all"


def draw(home: str, module: str, language: str) -> None:
    import datetime as dates
    from importlib import import_module
    from pathlib import Path

    import streamlit as st

    from access.reading import Reading
    from access.store import open_store
    from access.user import User
    from access.view import open_view
    from config import read_settings

    settings = read_settings({}, home=Path(home), threads=1)
    user = User(name="someone", display_name="someone", role="lead", regions=("CN-EAST",))
    parameters = {name: st.query_params.get_all(name) for name in st.query_params}
    now, store = dates.datetime(2026, 3, 2, 8, tzinfo=dates.UTC), open_store(settings)
    view = open_view(Reading(settings), user, parameters, now=now, language=language, stays_valid=lambda: None, store=store)
    import_module(module).render(view)


def parts_of(app: AppTest) -> dict[str, dict[str, Any]]:
    return {
        element.proto.component_name.rpartition("order_control_room_")[2]: json.loads(element.proto.json)
        for element in app.get("bidi_component")
        if element.proto.json
    }


@pytest.mark.parametrize(
    ("module", "language"), [("pages.worklist", "en"), ("pages.worklist", "zh-CN"), ("pages.handover", "zh-CN")]
)
def test_the_page_draws_without_a_fault(reading: Reading, module: str, language: str) -> None:
    home = str(reading.settings.home)
    app = AppTest.from_function(draw, kwargs={"home": home, "module": module, "language": language}, default_timeout=120)
    app.query_params["item"] = "jd/no-such-order"
    app.query_params["saved"] = "77"
    app.query_params["tab"] = "nonsense"
    app.run()
    assert [error.value for error in app.exception] == []
    parts = parts_of(app)
    assert any("no longer shared" in problem or "不再共享" in problem for problem in parts["topbar"]["problems"])
    if module == "pages.worklist":
        assert "no-such-order" in parts["worklist"]["said"]["text"]
        assert parts["worklist"]["said"]["is_refusal"]
        app.query_params["item"] = "no-order"
        app.run()
        assert "tab=nonsense" in str(parts_of(app)["topbar"]["problems"])
        assert "item=no-order" in str(parts_of(app)["topbar"]["problems"])


def test_an_order_in_trouble_is_taken_on_from_its_own_page(view_of: Open) -> None:
    key = shown(view_of())[0]
    twin = view_of().read_order(*key)
    assert twin is not None
    offered = read_work(view_of(), twin, None)
    assert offered is not None
    assert (offered.take, offered.text) == ("Take on", "")
    act = read_act(offered.ask)
    assert act is not None
    assert perform(view_of(), act).error is None
    row = read_row(view_of(), key)
    assert row is not None
    assert row.item.assignee == "east"
    standing = [read_work(view_of(user, language=language), twin, None) for user, language in ((EAST, "en"), (MANAGER, "zh-CN"))]
    assert [(work.take, work.text) for work in standing if work] == [("", "On your work list"), ("", "由Ms Dong处理")]
    assert standing[0] is not None
    assert standing[0].href == f"/worklist?item={key[0]}%2F{key[1]}"


def test_an_order_in_no_trouble_or_looked_back_at_is_not_offered(view_of: Open) -> None:
    view = view_of()
    delivered = view.list_orders(Listing(where=(Filter("status", ("delivered",)),), columns=("order_id",), limit=1)).row(
        0, named=True
    )
    calm = view.read_order(delivered["channel"], delivered["order_id"])
    past = view_of(as_of=[AS_OF.isoformat()])
    late = past.read_order(*shown(view)[0])
    assert calm is not None
    assert late is not None
    assert read_work(view, calm, None) is None
    assert read_work(past, late, None) is None


def test_an_empty_list_under_filters_says_that_they_empty_it(view_of: Open) -> None:
    bare, filtered = (read_board(view, "due", 60, None, None) for view in (view_of(), view_of(carrier=["nobody"])))
    assert (bare.empty, "Clear the filters" in filtered.empty) == ("No follow-up is due.", True)


def test_the_command_line_prints_the_same_list(reading: Reading, store: Engine, tmp_path: Path, view_of: Open) -> None:
    key = shown(view_of())[2]
    do(view_of(), "assign", key, "east")
    do(view_of(), "note", key, "=1+1")
    url = f"sqlite:///{tmp_path / 'store.sqlite'}"
    settings = replace(reading.settings, store_url=url)
    arguments = Namespace(user="east", tab="all", limit=5)
    frame = worklist(settings, arguments, AS_OF + timedelta(minutes=5))
    assert list(zip(frame["channel"], frame["order_id"], strict=True)) == shown(view_of(), "all", 5)
    assert frame.filter(pl.col("order_id") == key[1])["assignee"].to_list() == ["east"]
    assert "'=1+1" in present(frame, "csv")
    with pytest.raises(UserError):
        worklist(settings, Namespace(user="nobody", tab="all", limit=5), AS_OF)


def test_a_preview_sees_the_list_and_changes_nothing(view_of: Open, store: Engine) -> None:
    looking = replace(view_of(), actor=Actor(name="root"))
    key = shown(view_of())[0]
    refused = do(looking, "assign", key, "east")
    assert refused.error is not None
    assert refused.error.reason == "preview"
    with pytest.raises(SavedViewError, match="another user's eyes"):
        perform_saved(looking, SavedAct(verb="save", name="x", page="worklist"))
    board = read_board(looking, "all", 60, None, None)
    assert (board.can_act, len(board.jobs)) == (False, 60)
    assert "preview" in board.cannot
    assert read_items(store, [key]) == {}
