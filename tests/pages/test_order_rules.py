"""Rules about single orders on the pages: the form and back, trying, publishing, the review queue, colours, and scope."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from sqlalchemy import Engine, select

from access.audit import AUDIT, LOCAL
from access.freshness import SourceFreshness
from access.reading import Reading
from access.store import open_store
from access.user import User, add_user
from access.view import View, open_view
from alerts.duty import templates
from alerts.lifecycle import find_rule, publish, save_draft
from alerts.lint import today_in
from alerts.order_lint import lint_order
from alerts.order_live import live_order_rules
from alerts.order_trial import Day, OrderTrial, trial_from_json, trial_to_json
from alerts.order_watch import watch_orders
from alerts.parse import parse_rule
from alerts.rule import Rule, RuleError
from alerts.sampling import Source
from components.worklist import WorkBoard
from config import read_settings
from data.targets import read_targets
from i18n import LANGUAGES, translate
from pages.alert_rows import reader_of
from pages.order_rule_form import order_sections
from pages.order_rule_trial import read_preview, try_order_rule
from pages.order_rule_values import order_body, order_values
from pages.orders import read_table
from pages.orders_question import read_question
from pages.review_act import do_review
from pages.rule_act import act
from pages.rule_draft import rule_of
from pages.rule_form_act import DRAFT
from pages.rule_sight import my_entries
from pages.rules import read_board, read_editor
from pages.worklist import read_board as read_work
from queries.order_fields import ORDER_FIELDS, read_pick
from queries.scope import Scope
from tests.pages.conftest import AS_OF, PER_HOUR
from tests.pages.desk_of_alerts import ROOM, publish_rule

ANALYST = User(name="ana", display_name="Ms Fen", role="analyst", regions=("*",))
SECOND = User(name="bo", display_name="Mr Bo", role="analyst", regions=("*",))
EAST = User(name="east", display_name="Ms Dong", role="lead", regions=("CN-EAST",))
SOUTH = User(name="south", display_name="Mr Nan", role="lead", regions=("CN-SOUTH",))
OLD = {
    "name": "old",
    "kind": "order",
    "title": {"en": "Older than nine hours", "zh-CN": "下单超过九小时"},
    "conditions": [{"field": "age", "op": ">", "value": "9h"}],
    "severity": "warning",
    "confirmations": 2,
}
OPEN_OVER_NINE_HOURS = {"CN-EAST": 21 * PER_HOUR + PER_HOUR, "CN-SOUTH": PER_HOUR, "CN-NORTH": PER_HOUR}
"""Shanghai delivers after 30 h (ages 9.5 to 29.5 h are open), all others after 10 h (9.5 h only)."""
LATE_OVER_TWO_HOURS = 8 * PER_HOUR
"""Of Shanghai, those of 22.5 to 29.5 h, promised after 20 h."""
Open = Callable[..., View]


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with four people and one rule about orders."""
    home = tmp_path_factory.mktemp("order_rules")
    store = open_store(read_settings({}, home=home))
    for user in (ANALYST, SECOND, EAST, SOUTH):
        add_user(store, user, password_hash="x", now=AS_OF, by=LOCAL)
    _announce(store, OLD)
    store.dispose()
    return home / "store.sqlite"


def _announce(store: Engine, body: dict[str, Any]) -> None:
    rule = parse_rule(body)
    publish(store, rule.name, save_draft(store, rule, ROOM, sources=(), now=AS_OF), ROOM, sources=(), reason="test", now=AS_OF)


@pytest.fixture
def store(book: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """A copy of it for one test, and a tab that remembers nothing."""
    monkeypatch.setattr(st, "session_state", {})
    monkeypatch.setattr(st, "query_params", {})
    (tmp_path / "store.sqlite").write_bytes(book.read_bytes())
    opened = open_store(read_settings({}, home=tmp_path))
    yield opened
    opened.dispose()


@pytest.fixture
def view_of(reading: Reading, store: Engine) -> Open:
    """A user's view with the book."""

    def open_(user: User = ANALYST, *, language: str = "en", **parameters: list[str]) -> View:
        now = AS_OF + timedelta(minutes=5)
        return open_view(reading, user, parameters, now=now, language=language, stays_valid=lambda: None, store=store)

    return open_


def watch(store: Engine, reading: Reading) -> None:
    """Bring the queues up to the country's snapshot."""
    ledger = reading.ledger()
    source = Source(
        lake=reading.lake(),
        snapshot=ledger.snapshot,
        version=ledger.version,
        zone=reading.settings.zone,
        targets=read_targets(reading.settings),
    )
    watch_orders(store, source, [SourceFreshness(source="orders", as_of=AS_OF, age_seconds=0, state="once", owner="")], now=AS_OF)


def ask(view: View, action: str, values: dict[str, str] | None = None, value: str = "", reason: str = "") -> Any:
    """One act on the rules page, with what is in the form."""
    return act(view, {"action": action, "key": "", "value": value, "reason": reason, "values": values or {}}, 1)


def board_of(view: View, tab: Any = "review") -> WorkBoard:
    """The work list's tab as the page shows it."""
    return read_work(view, tab, 600, None, None)


def test_lead_finds_the_own_regions_reviews_and_no_trace_of_another(view_of: Open, store: Engine, reading: Reading) -> None:
    watch(store, reading)
    for user, region in ((EAST, "CN-EAST"), (SOUTH, "CN-SOUTH")):
        board = board_of(view_of(user))
        tab = next(tab for tab in board.tabs if tab.code == "review")
        assert (len(board.jobs), tab.count, {job.people for job in board.jobs}) == (
            OPEN_OVER_NINE_HOURS[region],
            str(OPEN_OVER_NINE_HOURS[region]),
            {region},
        )
    shown = json.dumps(asdict(board_of(view_of(SOUTH))), ensure_ascii=False)
    assert "CN-SH" not in shown
    assert "CN-BJ" not in shown
    assert len(board_of(view_of(ANALYST)).jobs) == sum(OPEN_OVER_NINE_HOURS.values())
    assert len(board_of(view_of(ANALYST, region=["CN-SOUTH"])).jobs) == OPEN_OVER_NINE_HOURS["CN-SOUTH"]


def test_two_people_confirm_on_the_page_and_the_audit_says_who(view_of: Open, store: Engine, reading: Reading) -> None:
    watch(store, reading)
    job = board_of(view_of(SOUTH)).jobs[0]
    key = (job.channel, job.order_id)
    assert job.remark == "0 of 2 confirmed · Older than nine hours"
    assert not do_review(view_of(SOUTH), "confirm", key, "old", 1).is_refusal
    assert do_review(view_of(SOUTH), "confirm", key, "old", 2).text == translate("en", "review.error.twice")
    said = do_review(view_of(ANALYST, language="zh-CN"), "confirm", key, "old", 3)
    assert said.text == translate("zh-CN", "review.said.confirmed", order=key[1], n=2, needed=2)
    after = next(one for one in board_of(view_of(SOUTH)).jobs if one.key == job.key)
    assert [(line.state, line.can_confirm, line.can_withdraw) for line in after.reviews] == [("confirmed", False, True)]
    with store.connect() as connection:
        rows = connection.execute(select(AUDIT.c.actor, AUDIT.c.object_id).where(AUDIT.c.action == "review_confirmed")).all()
    assert [tuple(row) for row in rows] == [("south", "/".join(key)), ("ana", "/".join(key))]


def test_confirming_another_regions_order_finds_nothing(view_of: Open, store: Engine, reading: Reading) -> None:
    watch(store, reading)
    job = board_of(view_of(EAST)).jobs[0]
    said = do_review(view_of(SOUTH), "confirm", (job.channel, job.order_id), "old", 1)
    assert said.is_refusal
    assert said.key == ""


def test_looking_back_shows_and_changes_nothing(view_of: Open, store: Engine, reading: Reading) -> None:
    watch(store, reading)
    job = board_of(view_of(EAST)).jobs[0]
    past = view_of(EAST, as_of=["2026-03-02T08:00:00Z"])
    assert board_of(past).jobs == ()
    assert do_review(past, "confirm", (job.channel, job.order_id), "old", 1).is_refusal


def test_preview_says_as_many_as_the_list_it_leads_to(view_of: Open) -> None:
    rule = parse_rule(OLD | {"conditions": [{"field": "late_by", "op": ">", "value": "2h"}]})
    for user in (ANALYST, EAST):
        text, href = read_preview(view_of(user), rule, None)
        assert text == f"{LATE_OVER_TWO_HOURS} open orders match now"
        parameters = {"match": ["all;late_by>7200"], "window": ["all"], "population": ["open"]}
        assert "match=all%3Blate_by%3E7200" in href
        view = view_of(user, window=["all"])
        assert len(read_table(view, read_question(view, parameters)).rows) == LATE_OVER_TWO_HOURS
    assert read_preview(view_of(SOUTH), rule, None)[0].startswith("0 ")


def test_unreadable_match_is_named_and_the_list_stays(view_of: Open) -> None:
    assert read_question(view_of(), {"match": ["all;colour=red"]}).lost == ("match=all;colour=red",)


def test_trial_counts_open_orders_at_the_end_of_each_day(view_of: Open) -> None:
    trial = try_order_rule(view_of(), parse_rule(OLD), None, 7)
    assert len(trial.days) == 7
    assert trial.now == sum(OPEN_OVER_NINE_HOURS.values())
    assert trial_from_json(trial_to_json(trial)) == trial
    assert try_order_rule(view_of(SOUTH), parse_rule(OLD), None, 7).now == OPEN_OVER_NINE_HOURS["CN-SOUTH"]


def test_rows_of_a_list_show_the_gravest_rule_they_meet(view_of: Open, store: Engine) -> None:
    _announce(store, OLD | {"name": "late", "title": {"en": "Late"}, "severity": "critical", "confirmations": 0,
                            "conditions": [{"field": "late_by", "op": ">", "value": "2h"}]})  # fmt: skip
    view = view_of(EAST, window=["all"])
    rows = read_table(view, read_question(view, {"population": ["open"], "window": ["all"]}, limit=500)).rows
    marks = [row.mark for row in rows]
    assert (marks.count("critical"), marks.count("warning")) == (
        LATE_OVER_TWO_HOURS,
        OPEN_OVER_NINE_HOURS["CN-EAST"] - LATE_OVER_TWO_HOURS,
    )
    worst = next(row for row in rows if row.mark == "critical").cells[0]
    assert (worst.tip, worst.tone) == ("Late\nOlder than nine hours", "critical")


def test_analyst_makes_a_rule_from_the_form_and_publishes_it(view_of: Open, store: Engine) -> None:
    view = view_of()
    ask(view, "new_order")
    form = {"kind": "order", "title_en": "Worth a look", "conditions": "1", "match": "all", "severity": "warning",
            "confirmations": "2", "o0.field": "late_by", "o0.op": ">", "o0.value": "2"}  # fmt: skip
    ask(view, "add", form)
    form |= {"conditions": "2", "o1.field": "province", "o1.op": "in", "o1.values": "CN-SH,CN-JS"}
    refused = ask(view, "publish", form, reason="wanted")
    assert refused.is_refusal
    ask(view, "try", form, value="7")
    editor = read_editor(view, st.session_state[DRAFT], [])
    assert editor.error == ""
    assert editor.trial is not None
    assert editor.preview[0].startswith(str(LATE_OVER_TWO_HOURS))
    assert ask(view, "publish", form, reason="wanted").text == translate("en", "rules.did.published", n=1)
    assert find_rule(store, "worth-a-look").status == "live"
    (mine,) = [one.rule for one in live_order_rules(store, reader_of(view)) if one.rule.name == "worth-a-look"]
    assert mine.order is not None
    assert mine.order.pick == read_pick("all;late_by>7200;province=CN-SH,CN-JS")
    shown = read_board(view, {"rule": ["worth-a-look"]}, None, None).chosen
    assert shown is not None
    assert shown.trial is not None
    assert shown.preview[0].startswith(str(LATE_OVER_TWO_HOURS))


def test_red_needs_a_second_person(view_of: Open, store: Engine) -> None:
    form = order_values(parse_rule(OLD | {"severity": "critical", "title": {"en": "Red"}})) | {"name": ""}
    ask(view_of(), "new_order")
    ask(view_of(), "try", form, value="7")
    assert ask(view_of(), "publish", form, reason="x").text == translate("en", "rules.did.waiting", n=1)
    other = view_of(SECOND)
    said = act(other, {"action": "publish_version", "key": "red", "value": "1", "reason": "checked", "values": {}}, 2)
    assert said is not None
    assert not said.is_refusal
    assert find_rule(store, "red").status == "live"


def test_lead_makes_one_that_only_the_lead_sees(view_of: Open, store: Engine, reading: Reading) -> None:
    ask(view_of(SOUTH), "new_order")
    ask(view_of(SOUTH), "publish", order_values(parse_rule(OLD | {"title": {"en": "Mine"}})) | {"name": ""})
    assert find_rule(store, "mine").scope == Scope.of_regions(["CN-SOUTH"])
    assert "mine" not in [entry.name for entry in my_entries(view_of(EAST))]
    watch(store, reading)
    reviews = {line.rule for job in board_of(view_of(ANALYST)).jobs for line in job.reviews}
    assert reviews == {"old"}
    assert len(board_of(view_of(SOUTH)).jobs) == OPEN_OVER_NINE_HOURS["CN-SOUTH"]


@pytest.mark.parametrize("rule", [rule for rule in templates() if rule.order], ids=lambda rule: rule.name)
@pytest.mark.parametrize("language", LANGUAGES)
def test_form_says_the_rule_it_was_filled_from(view_of: Open, rule: Rule, language: str) -> None:
    assert parse_rule(order_body(order_values(rule), language)) == rule
    sections = order_sections(view_of(language=language), order_values(rule), is_personal=False)
    texts = [field.name for section in sections for field in section.fields if field.kind != "hidden"]
    assert all(text and "order_rule." not in text and "rules." not in text for text in texts)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", sorted(ORDER_FIELDS))
def test_every_field_has_a_form_and_a_sentence(view_of: Open, name: str, language: str) -> None:
    values = {"kind": "order", "conditions": "1", "o0.field": name, "o0.value": "3", "o0.values": "yes", "severity": "warning"}
    editor_texts = json.dumps(
        [asdict(section) for section in order_sections(view_of(language=language), values, is_personal=True)]
    )
    assert "order_rule." not in editor_texts


def test_rule_without_a_name_is_called_after_what_it_looks_for(view_of: Open) -> None:
    ask(view_of(), "new_order")
    rule = rule_of(st.session_state[DRAFT], "en")
    assert dict(rule.title) == {"en": "Late by more than 2 h", "zh-CN": "延误时长超过 2 小时"}


@pytest.mark.parametrize("values", [{"o0.field": "amount", "o0.value": ""}, {"o0.field": "province", "o0.values": " , "}])
def test_unfinished_condition_says_what_is_missing(values: dict[str, str]) -> None:
    for language in LANGUAGES:
        with pytest.raises(RuleError) as refused:
            order_body({"kind": "order", "conditions": "1", "severity": "warning"} | values, language)
        assert "order_rule." not in str(refused.value)


def test_lint_names_what_is_odd() -> None:
    today = today_in(read_settings({}, home=Path("/nowhere")).zone, AS_OF)
    odd = parse_rule(OLD | {"name": "odd", "conditions": [{"field": "status", "values": ["delivered"]}, {"field": "age", "op": ">", "value": 5}],
                            "expires_on": "2026-01-01"})  # fmt: skip
    trial = OrderTrial(days=(Day(on=today),))
    kinds = {finding.kind for finding in lint_order(odd, [], scope=Scope.ALL, today=today, trial=trial)}
    assert kinds == {"impossible", "expired", "unit", "never_matched"}
    same = lint_order(parse_rule(OLD | {"name": "twin"}), [parse_rule(OLD)], scope=Scope.ALL, today=today)
    assert [(finding.kind, finding.other) for finding in same] == [("shadowed", "old")]
    wide = lint_order(parse_rule(OLD), [], scope=Scope.ALL, today=today, trial=OrderTrial(days=(Day(on=today, matched=9_999),)))
    assert [finding.kind for finding in wide] == ["too_wide"]


def test_rules_page_shows_both_kinds(view_of: Open, store: Engine, reading: Reading) -> None:
    publish_rule(store, name="many", metric="order_count", op=">", warning=10, group_by=["region"])
    watch(store, reading)
    rows = {row.key: row for row in read_board(view_of(EAST), {}, None, None).rows}
    assert rows["old"].firing == f"{OPEN_OVER_NINE_HOURS['CN-EAST']} orders match"
    assert rows["old"].about == "Age of the order more than 9 h"
