"""The alerts page: what is in the book inside the reader's scope, why, and what people do about it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import pytest
from sqlalchemy import Engine, func, select
from streamlit.testing.v1 import AppTest

from access.audit import AUDIT, LOCAL, Actor
from access.reading import Reading
from access.store import open_store
from access.user import User, add_user
from access.view import View, open_view
from alerts.tables import INSTANCES
from config import read_settings
from pages.alert_act import act
from pages.alert_rows import alert_key
from pages.alert_strip import read_strip
from pages.alerts import read_board, read_mine
from pages.orders_table import span_of
from queries.listing import Listing
from tests.pages.conftest import AS_OF
from tests.pages.desk_of_alerts import LATE, MANY, evaluate, publish_rule

EAST = User(name="east", display_name="Ms Dong", role="lead", regions=("CN-EAST",))
ANALYST = User(name="ana", display_name="Ms Fen", role="analyst", regions=("*",))
SOUTH_ANALYST = User(name="sana", display_name="Mr Nan", role="analyst", regions=("CN-SOUTH",))
PLAIN = {"tab": "", "item": "", "rule": "", "holder": ""}
Open = Callable[..., View]


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory, reading: Reading) -> Path:
    """A store in which every region has an alert of many orders, and the East one of late ones."""
    home = tmp_path_factory.mktemp("book")
    store = open_store(read_settings({}, home=home))
    for user in (EAST, ANALYST, SOUTH_ANALYST):
        add_user(store, user, password_hash="x", now=AS_OF, by=LOCAL)
    publish_rule(store, **MANY)
    publish_rule(store, **LATE, runbook="https://wiki.example/late")
    evaluate(store, reading, first=3)
    store.dispose()
    return home / "store.sqlite"


@pytest.fixture
def store(book: Path, tmp_path: Path) -> Iterator[Engine]:
    """A copy of the book for one test."""
    (tmp_path / "store.sqlite").write_bytes(book.read_bytes())
    opened = open_store(read_settings({}, home=tmp_path))
    yield opened
    opened.dispose()


@pytest.fixture
def view_of(reading: Reading, store: Engine) -> Open:
    """A user's view with the book, some minutes later."""

    def open_(user: User = ANALYST, *, minutes: int = 5, language: str = "en", **parameters: list[str]) -> View:
        now = AS_OF + timedelta(minutes=minutes)
        return open_view(reading, user, parameters, now=now, language=language, stays_valid=lambda: None, store=store)

    return open_


def asked(verb: str, key: str, value: str = "", note: str = "") -> dict[str, str]:
    return {"verb": verb, "key": key, "value": value, "note": note}


def one(view: View, rule: str = "many", region: str = "CN-EAST") -> str:
    return next(alert_key(alert) for alert in read_mine(view) if alert.rule.name == rule and alert.labels["region"] == region)


def test_counts_agree_with_the_book(view_of: Open, store: Engine) -> None:
    with store.connect() as connection:
        found = connection.execute(select(INSTANCES.c.state, func.count()).group_by(INSTANCES.c.state))
        states = {state: number for state, number in found}
    tabs = {tab.code: tab.count for tab in read_board(view_of(), PLAIN, None).tabs}
    assert states["firing"] == 4
    assert tabs == {"firing": "4", "pending": "0", "recovering": "0", "no_data": "0", "silenced": "0", "resolved": "0"}


def test_a_lead_sees_own_region_only_also_from_the_rules_of_others(view_of: Open) -> None:
    view = view_of(EAST)
    board, strip = read_board(view, PLAIN, None), read_strip(view)
    assert {alert.labels["region"] for alert in read_mine(view)} == {"CN-EAST"}
    assert next(tab.count for tab in board.tabs) == "2"
    assert len(strip.rows) == 2
    told = json.dumps([asdict(board), asdict(strip)], ensure_ascii=False)
    assert "East China" in told
    for elsewhere in ("CN-SOUTH", "CN-NORTH", "South China", "North China"):
        assert elsewhere not in told


def test_an_alert_elsewhere_does_not_exist_for_a_lead(view_of: Open) -> None:
    key = one(view_of(), region="CN-SOUTH")
    said = act(view_of(EAST), asked("acknowledge", key), 1)
    opened = read_board(view_of(EAST), {**PLAIN, "item": key}, None)
    nowhere = read_board(view_of(EAST), {**PLAIN, "item": "x/[]/1"}, None)
    assert said.is_refusal
    assert opened.chosen is None
    assert opened.said == nowhere.said


def test_the_orders_behind_an_alert_are_exactly_its_n(view_of: Open) -> None:
    view = view_of()
    board = read_board(view, {**PLAIN, "item": one(view, "late")}, None)
    assert board.chosen is not None
    parameters = parse_qs(urlparse(board.chosen.actions[0].href).query)
    there = view_of(**parameters)
    listing = Listing(metric="late_rate", where=there.filters, window=there.window)
    alert = next(alert for alert in read_mine(view) if alert.rule.name == "late")
    assert parameters["region"] == ["CN-EAST"]
    assert there.count_orders(listing) == alert.n
    assert span_of(there, listing) == "2026-03-01 16:00 – 2026-03-02 16:00"


def test_why_shows_the_figure_against_its_limits_and_the_rule_in_words(view_of: Open) -> None:
    view = view_of(language="zh-CN")
    why = read_board(view, {**PLAIN, "item": one(view, "late")}, None).chosen
    assert why is not None
    assert why.band is not None
    assert set(why.band.warning) == {0.1}
    assert [value for value in why.band.values if value is not None][-1] == pytest.approx(read_mine(view)[-1].value or 0, abs=1)
    assert "迟到率" in why.sentence
    assert why.orders is not None
    assert why.orders.rows
    assert [fact.text for fact in why.facts if fact.href] == ["https://wiki.example/late"]


def test_what_is_done_is_recorded_told_and_can_be_taken_back(view_of: Open, store: Engine) -> None:
    view = view_of(EAST)
    key = one(view)
    taken = act(view, asked("acknowledge", key, note="called 138 1234-5678\u202e at the warehouse"), 1)
    given = act(view, asked("assign", key, "east"), 2)
    judged = act(view, asked("verdict", key, "useful"), 3)
    alert = next(alert for alert in read_mine(view) if alert_key(alert) == key)
    assert [taken.is_refusal, given.is_refusal, judged.is_refusal] == [False] * 3
    assert alert.holder == "east"
    assert [record.deed for record in alert.deeds] == ["acknowledge", "assign", "verdict"]
    assert alert.deeds[0].note == "called 138****5678 at the warehouse"
    act(view, asked("undo", key, given.undo), 4)
    assert [record.deed for record in read_mine(view)[0].deeds] == ["acknowledge", "verdict"]
    with store.connect() as connection:
        actions = list(
            connection.execute(select(AUDIT.c.action).where(AUDIT.c.object_kind == "alert").order_by(AUDIT.c.seq)).scalars()
        )
        kept = connection.execute(select(AUDIT.c.detail)).scalars().all()
    assert actions == ["alert_acknowledged", "alert_assigned", "alert_judged", "alert_undone"]
    assert [text for text in kept if "5678" in text] == [text for text in kept if "138****5678" in text] != []


def test_an_alert_is_given_only_to_who_may_see_it(view_of: Open) -> None:
    view = view_of()
    assert act(view, asked("assign", one(view, region="CN-SOUTH"), "east"), 1).is_refusal
    assert not act(view, asked("assign", one(view, region="CN-EAST"), "east"), 2).is_refusal


def test_only_an_analyst_silences_and_only_inside_the_own_area(view_of: Open) -> None:
    view, lead, regional = view_of(), view_of(EAST), view_of(SOUTH_ANALYST)
    key = one(view)
    assert act(lead, asked("silence", key, "alert/1h"), 1).is_refusal
    assert act(regional, asked("silence", one(regional, region="CN-SOUTH"), "rule/1h"), 2).is_refusal
    done = act(view, asked("silence", key, "alert/1h", "works, ask +86 13812345678"), 3)
    counts = {tab.code: tab.count for tab in read_board(view, PLAIN, None).tabs}
    assert (counts["firing"], counts["silenced"]) == ("3", "1")
    assert [alert.silence.note for alert in read_mine(view) if alert.silence] == ["works, ask 138****5678"]
    assert act(lead, asked("unsilence", key, done.undo.removeprefix("silence:")), 4).is_refusal
    assert not act(view, asked("undo", key, done.undo), 5).is_refusal
    assert {tab.code: tab.count for tab in read_board(view, PLAIN, None).tabs}["silenced"] == "0"


def test_a_preview_and_an_earlier_instant_only_look(view_of: Open) -> None:
    view = view_of()
    key = one(view)
    preview = replace(view, actor=Actor(name="boss"))
    past = view_of(as_of=["2026-03-02T07:30:00Z"], snapshot=["1"])
    assert act(preview, asked("acknowledge", key), 1).is_refusal
    assert act(past, asked("acknowledge", key), 2).is_refusal
    assert not read_board(past, PLAIN, None).can_act


def test_the_book_is_read_as_it_stood_at_an_earlier_instant(view_of: Open) -> None:
    earlier = view_of(as_of=["2026-03-02T05:00:00Z"], snapshot=["1"])
    assert read_mine(earlier) == []
    assert len(read_mine(view_of(as_of=["2026-03-02T08:00:00Z"], snapshot=["1"]))) == 4


def test_the_page_draws_in_both_languages(view_of: Open) -> None:
    for language in ("en", "zh-CN"):
        app = AppTest.from_function(_draw, kwargs={"view": view_of(language=language)}, default_timeout=30)
        app.run()
        assert not app.exception


def _draw(view: object) -> None:
    from pages.alerts import render

    render(view)  # type: ignore[arg-type]
