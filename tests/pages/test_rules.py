"""The rules page: who sees which rules, the form and back, trying, publishing, rolling back, and what is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, fields, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import streamlit as st
from sqlalchemy import Engine, select
from streamlit.testing.v1 import AppTest

from access.audit import AUDIT, LOCAL, Actor
from access.audit_rows import list_audit
from access.reading import Reading
from access.store import open_store, writing
from access.user import User, add_user
from access.view import View, open_view
from alerts.book import live_rules
from alerts.bounds import set_bound
from alerts.conditions import COMPARISONS
from alerts.deeds import Episode, do
from alerts.duty import templates
from alerts.lifecycle import find_rule, list_versions
from alerts.parse import parse_rule
from alerts.rule import RuleError
from alerts.tables import TRANSITIONS
from alerts.write import write_rule
from config import read_settings
from data.lake import LakeError
from i18n import translate
from pages import rule_draft, rule_form
from pages.panel import Subject, read_panel
from pages.rule_act import act
from pages.rule_change import read_changes
from pages.rule_draft import Draft, begin
from pages.rule_form import read_sections
from pages.rule_form_act import DRAFT
from pages.rule_refusal import REASONS, explain
from pages.rule_sight import my_entries
from pages.rule_values import body_of, values_of
from pages.rules import read_board, read_editor
from queries.query import Filter
from queries.scope import Scope
from tests.pages.conftest import AS_OF
from tests.pages.desk_of_alerts import LATE, publish_rule

ANALYST = User(name="ana", display_name="Ms Fen", role="analyst", regions=("*",))
SECOND = User(name="bo", display_name="Mr Bo", role="analyst", regions=("*",))
SOUTH = User(name="sana", display_name="Mr Nan", role="analyst", regions=("CN-SOUTH",))
ADMIN = User(name="root", display_name="Root", role="admin", regions=("*",))
EAST = User(name="east", display_name="Ms Dong", role="lead", regions=("CN-EAST",))
Open = Callable[..., View]


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with four people and one rule of the control room."""
    home = tmp_path_factory.mktemp("rules")
    store = open_store(read_settings({}, home=home))
    for user in (ANALYST, SECOND, SOUTH, EAST):
        add_user(store, user, password_hash="x", now=AS_OF, by=LOCAL)
    publish_rule(store, **LATE, runbook="https://wiki.example/late")
    publish_rule(store, **{**LATE, "name": "late-south", "filters": {"region": ["CN-SOUTH"]}, "runbook": "javascript:alert(1)"})
    store.dispose()
    return home / "store.sqlite"


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


def asked(action: str, key: str = "", value: str = "", reason: str = "", **values: str) -> dict[str, Any]:
    return {"action": action, "key": key, "value": value, "reason": reason, "values": values}


def draft() -> Draft:
    found = st.session_state[DRAFT]
    assert isinstance(found, Draft)
    return found


@pytest.mark.parametrize("rule", [rule for rule in templates() if rule.order is None], ids=lambda rule: rule.name)
def test_a_rule_goes_through_the_form_and_comes_back_the_same(rule: Any) -> None:
    body = body_of(values_of(rule), "en", rule)
    assert write_rule(parse_rule(body)) == write_rule(rule)


def test_the_form_has_an_input_for_every_field_of_every_comparison(view_of: Open) -> None:
    view = view_of()
    for name, kind in COMPARISONS.items():
        values = values_of(parse_rule({"name": "r", "metric": "late_rate", "op": ">", "warning": 0.1, "compare": name}))
        codes = {field.code for section in read_sections(view, values, is_personal=False) for field in section.fields}
        assert {f"c0.{name}.{field.name}" for field in fields(kind)} <= codes


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_every_word_of_the_form_is_there_in_both_languages(view_of: Open, language: str) -> None:
    view = view_of(language=language)
    told = json.dumps(asdict(read_editor(view, begin(view, {}, "new"), [])), ensure_ascii=False)
    assert "rules.field" not in told


def test_a_link_opens_the_form_filled_in_and_its_limits_lie_beyond_the_usual(view_of: Open) -> None:
    panel = read_panel(view_of(), Subject(metric="late_rate", where=(Filter("region", ("CN-EAST",)),)))
    href = panel.actions[-1].href
    assert href.startswith("/rules?")
    assert "draft=new" in href
    assert "metric=late_rate" in href
    values = begin(view_of(region=["CN-EAST"]), {"metric": ("late_rate",)}, "new").values
    assert (values["c0.metric"], values["group_by"], values["filter.0"], values["filter_values.0"]) == (
        "late_rate",
        "region",
        "region",
        "CN-EAST",
    )


def test_limits_that_could_not_be_looked_up_are_proposed_when_the_page_is_drawn_again(
    view_of: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = view_of()
    act(view, asked("new"), 1)
    edit = asked("edit", **{**draft().values, "c0.metric": "order_count"})
    with monkeypatch.context() as lake_gone:
        lake_gone.setattr(View, "run", Mock(side_effect=LakeError("the lake cannot be read")))
        with pytest.raises(LakeError):
            act(view, edit, 2)
    assert draft().values["c0.warning"] == "", "the rate's limits say nothing about a count"
    assert not read_editor(view, draft(), []).error
    assert float(draft().values["c0.warning"]) > 1


def test_an_analyst_creates_tries_and_publishes_a_warning_rule(view_of: Open, store: Engine) -> None:
    view = view_of()
    act(view, asked("new"), 1)
    limits = {"c0.metric": "order_count", "c0.warning": "5", "c0.critical": "", "title_en": "Many orders", "min_samples": "0"}
    act(view, asked("edit", **draft().values | limits), 2)
    act(view, asked("edit", **draft().values | limits), 2)
    untried = act(view, asked("publish", reason="because", **draft().values), 3)
    assert untried is not None
    assert untried.is_refusal
    act(view, asked("try", value="7", **draft().values), 4)
    assert read_editor(view, draft(), []).trial is not None
    done = act(view, asked("publish", reason="because", **draft().values), 5)
    assert done is not None
    assert not done.is_refusal, done
    assert "many-orders" in {live.rule.name for live in live_rules(store)}
    with store.connect() as connection:
        actions = set(connection.execute(select(AUDIT.c.action).where(AUDIT.c.object_id == "many-orders")).scalars())
    assert actions == {"rule_drafted", "rule_tried", "rule_published"}


def _changed(view: View, critical: str) -> None:
    act(view, asked("change", "late"), 1)
    act(view, asked("edit", **draft().values | {"c0.critical": critical}), 2)
    act(view, asked("try", value="7", **draft().values), 3)


def test_a_critical_rule_needs_a_second_person_and_can_be_rolled_back(view_of: Open, store: Engine) -> None:
    view, other = view_of(), view_of(SECOND)
    _changed(view, "50")
    waiting = act(view, asked("publish", reason="stricter", **draft().values), 4)
    assert waiting is not None
    assert "waits for another" in waiting.text
    assert find_rule(store, "late").live_version == 1
    again = act(view, asked("publish_version", "late", "2", "me again"), 5)
    assert again is not None
    assert find_rule(store, "late").live_version == 1
    act(other, asked("publish_version", "late", "2", "agreed"), 6)
    assert find_rule(store, "late").live_version == 2
    detail = read_board(view, {"rule": ["late"]}, None, None).chosen
    assert detail is not None
    assert detail.versions[0].changes == (("Critical", "", "50.0%"),)
    act(view, asked("restore", "late", "1", "too strict"), 7)
    assert find_rule(store, "late").live_version == 3
    newest, oldest = list_versions(store, "late")[0], list_versions(store, "late")[-1]
    assert (newest.origin, newest.rule) == (1, oldest.rule)


def test_a_runbook_is_a_link_where_it_is_an_address_of_the_web_and_text_otherwise(view_of: Open) -> None:
    for name, text, href in (
        ("late", "https://wiki.example/late", "https://wiki.example/late"),
        ("late-south", "javascript:alert(1)", ""),
    ):
        detail = read_board(view_of(), {"rule": [name]}, None, None).chosen
        assert detail is not None
        assert [(fact.text, fact.href) for fact in detail.facts if fact.name == "What to do"] == [(text, href)]


def test_an_administrator_approves_what_an_analyst_proposed_and_nothing_else(view_of: Open, store: Engine) -> None:
    view, admin = view_of(), view_of(ADMIN)
    _changed(view, "50")
    before = act(admin, asked("publish_version", "late", "2", "on my own"), 4)
    assert before is not None
    assert before.is_refusal
    act(view, asked("publish", reason="stricter", **draft().values), 5)
    assert read_board(view, {"rule": ["late"]}, None, None).rows[0].marks == ("version 2 waits", "waits for a second person")
    drafts = read_board(admin, {"tab": ["draft"]}, None, None)
    assert [row.key for row in drafts.rows] == ["late"]
    assert {tab.code: tab.count for tab in drafts.tabs}["draft"] == "1"
    mine, theirs = (read_board(one, {"rule": ["late"]}, None, None).chosen for one in (view, admin))
    assert mine is not None
    assert theirs is not None
    assert [button.action for button in mine.versions[0].buttons] == ["change"]
    assert [button.action for button in theirs.versions[0].buttons] == ["publish_version"]
    assert theirs.buttons == tuple(button for button in theirs.buttons if button.action == "copy")
    done = act(admin, asked("publish_version", "late", "2", "agreed"), 6)
    assert not read_board(admin, {"tab": ["draft"]}, None, None).rows
    assert done is not None
    assert not done.is_refusal, done
    assert find_rule(store, "late").live_version == 2
    for action in ("pause", "restore"):
        refused = act(admin, asked(action, "late", "1", "alone"), 7)
        assert refused is not None
        assert refused.is_refusal


def test_what_changed_is_told_in_units_and_names(view_of: Open) -> None:
    before = {"name": "r", "metric": "late_rate", "op": ">", "warning": 0.069, "group_by": ["region"], "window": "1d"}
    after = before | {"warning": 0.12, "op": ">=", "window": "1h", "every": "1h", "filters": {"region": ["CN-EAST"]}}
    after |= {"thresholds": {"CN-EAST": {"warning": 0.2}}, "no_data": "keep"}
    told = {part: (old, new) for part, old, new in read_changes(view_of(language="zh-CN"), parse_rule(before), parse_rule(after))}
    assert told["警告"] == ("6.9%", "12.0%")
    assert told["单独限值 · 华东 · 警告"] == ("", "20.0%")
    assert told["告警条件"][1] == "不低于"
    assert told["筛选 · 大区"] == ("", "华东")
    assert told["统计窗口"] == ("24 小时", "1 小时")
    assert not any(re.search("[a-z]{4}|CN-", text) for texts in told.values() for text in texts), told


def test_limits_that_contradict_are_told_in_their_unit_and_leave_the_picture(view_of: Open) -> None:
    view = view_of(language="zh-CN")
    draft = begin(view, {"metric": ["late_rate"]}, "new")
    for critical in ("1", "abc"):
        draft.values |= {"c0.warning": "7.8", "c0.critical": critical}
        editor = read_editor(view, draft, [])
        assert editor.plot is not None
        assert editor.plot.rows
        assert (editor.plot.warning, editor.buttons) == (None, ())
        assert editor.error == ("警告限值 7.8% 比严重限值 1% 更严，请对调。" if critical == "1" else editor.error) != ""


def test_pausing_resuming_and_retiring_need_a_reason_kept_in_the_history(view_of: Open, store: Engine) -> None:
    view = view_of()
    for action, status in (("pause", "paused"), ("resume", "live"), ("retire", "retired")):
        act(view, asked(action, "late", reason=f"{action} it"), 1)
        assert find_rule(store, "late").status == status
    detail = read_board(view, {"rule": ["late"]}, None, None).chosen
    assert detail is not None
    assert "pause it" in json.dumps([fact.text for fact in detail.events])
    done = [(row.action, row.detail["reason"]) for row in list_audit(store, limit=3)]
    assert done == [("rule_retired", "retire it"), ("rule_resumed", "resume it"), ("rule_paused", "pause it")]
    assert detail.versions[0].marks == ("Retired",)


def _judge(store: Engine, days: int, verdicts: str) -> None:
    """Alerts of the rule "late" that fired an hour apart, so many days ago, each judged: `u` useful, `f` false."""
    plain = {"version": 1, "labels": {}, "before": "pending", "after": "firing", "level": "warning", "message": "firing"}
    plain |= {"is_flapping": False, "is_restated": False, "snapshot": 1, "recorded_at": AS_OF}
    for place, letter in enumerate(verdicts):
        at, group = AS_OF - timedelta(days=days, hours=place), json.dumps([f"R{days}.{place}"])
        with writing(store) as connection:
            connection.execute(TRANSITIONS.insert().values(rule="late", group_key=group, at=at, episode_at=at, **plain))
        episode = Episode(rule="late", group_key=group, episode_at=at)
        value = "useful" if letter == "u" else "false_alarm"
        do(store, episode, "verdict", Actor(name="ana"), Scope.ALL, now=at, value=value)


def _told(view: View, tab: str = "") -> tuple[list[str], list[tuple[str, ...]]]:
    board = read_board(view, {"tab": [tab]}, None, None)
    useful: list[tuple[str, ...]] = [(row.useful, row.useful_under, row.useful_tone) for row in board.rows if row.key == "late"]
    return [f"{one.name} {one.count}" for one in board.tabs[4:]], useful


def test_a_rule_that_helps_less_than_before_is_flagged_and_one_that_hardly_helps_listed_to_be_retired(
    view_of: Open, store: Engine
) -> None:
    _judge(store, 40, "uuuuf")
    _judge(store, 1, "uuff")
    assert _told(view_of()) == ([], [("50% useful of 4", "", "neutral")])
    _judge(store, 2, "f")
    assert _told(view_of()) == ([], [("40% useful of 5", "80% before", "warning")])
    _judge(store, 3, "ffffff")
    assert _told(view_of(), "useless") == (["Hardly useful 1"], [("hardly useful", "retire?", "warning")])
    act(view_of(), asked("retire", "late", reason="it only cries wolf"), 1)
    assert _told(view_of(), "useless") == (["Hardly useful 0"], [])


def test_a_value_once_chosen_stays_in_a_list_cut_to_the_most_frequent(view_of: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rule_form, "MOST", 2)
    everything = {one.code for one in rule_form.value_options(view_of(), {}, "lane", "")}
    assert len(everything) == 2
    for lane in ("WH-BJS>CN-BJ", "WH-CAN>CN-GD", "WH-SHA>CN-JS", "WH-SHA>CN-SH"):
        options = rule_form.value_options(view_of(), {}, "lane", lane)
        assert {one.code for one in options} == everything | {lane}
        assert rule_form.values_hint(view_of(), options) == "Listed are the 2 with most orders in the last month."


def test_a_lead_makes_a_rule_only_for_herself_that_is_live_at_once(view_of: Open, store: Engine) -> None:
    view = view_of(EAST)
    act(view, asked("new"), 1)
    act(view, asked("edit", **draft().values | {"c0.metric": "order_count"}), 2)
    act(view, asked("edit", **draft().values | {"c0.warning": "5", "c0.critical": "9", "title_en": "Mine"}), 3)
    done = act(view, asked("publish", **draft().values), 4)
    assert done is not None
    assert not done.is_refusal, done
    live = next(live for live in live_rules(store) if live.rule.name == "mine")
    assert (live.is_personal, live.scope.regions) == (True, ("CN-EAST",))
    assert "mine" not in {entry.name for entry in my_entries(view_of())}


def test_rules_about_other_regions_do_not_exist_for_a_lead(view_of: Open) -> None:
    view = view_of(EAST)
    assert [entry.name for entry in my_entries(view)] == ["late"]
    board = read_board(view, {"rule": ["late-south"]}, None, None)
    assert board.chosen is None
    assert "late-south" not in json.dumps(asdict(board))
    said = act(view, asked("pause", "late-south", reason="x"), 1)
    assert said is not None
    assert said.is_refusal


def test_a_regional_analyst_and_a_lead_do_not_change_the_rules_of_all(view_of: Open, store: Engine) -> None:
    for user in (SOUTH, EAST):
        said = act(view_of(user), asked("pause", "late", reason="x"), 1)
        assert said is not None
        assert said.is_refusal
    assert find_rule(store, "late").status == "live"


def test_bounds_of_headquarters_are_kept_in_the_readers_language(view_of: Open, store: Engine) -> None:
    set_bound(store, "late_rate", (0.05, 0.2), LOCAL, now=AS_OF)
    view = view_of(language="zh-CN")
    _changed(view, "50")
    said = act(view, asked("publish", reason="因为", **draft().values), 4)
    assert said is not None
    assert said.is_refusal
    assert "总部" in said.text


def test_an_impossible_rule_is_told_beside_the_form_which_stays(view_of: Open) -> None:
    view = view_of(language="zh-CN")
    act(view, asked("new"), 1)
    act(view, asked("edit", **draft().values | {"c0.warning": "30", "c0.critical": "20"}), 2)
    editor = read_editor(view, draft(), [])
    assert "对调" in editor.error
    assert editor.sections
    assert explain(RuleError("something never seen"), "zh-CN") == "something never seen"
    for _, key in REASONS:
        assert translate("zh-CN", f"rules.refused.{key}") != f"rules.refused.{key}"


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"c0.warning": "120", "c0.critical": ""}, "A share lies between 0 and 100 %."),
        ({"c0.warning": "20", "c0.critical": "10"}, "The warning 20% lies beyond the critical 10%: swap them."),
        ({"c0.warning": "", "c0.critical": ""}, "There is no limit yet: give a warning, a critical one or both."),
    ],
)
def test_a_mistake_in_the_english_form_is_told_in_the_words_of_the_form(view_of: Open, values: dict[str, str], told: str) -> None:
    view = view_of()
    act(view, asked("new"), 1)
    act(view, asked("edit", **draft().values | values), 2)
    assert read_editor(view, draft(), []).error == told


@pytest.mark.parametrize(
    ("metric", "usual", "proposed"),
    [
        ("late_rate", 1.0, ("", "")),
        ("late_rate", 0.9, ("90", "")),
        ("on_time_rate", 0.0, ("", "")),
        ("completion_rate_per_hour", 0.0, ("", "")),
        ("completion_rate_per_hour", 100.0, ("100", "75")),
        ("backlog_count", 100.0, ("100", "120")),
    ],
)
def test_no_limit_is_proposed_beyond_which_a_figure_cannot_lie(
    view_of: Open, monkeypatch: pytest.MonkeyPatch, metric: str, usual: float, proposed: tuple[str, str]
) -> None:
    monkeypatch.setattr(rule_draft, "lately", lambda *_: {"CN-EAST": [(usual, usual)] * 20})
    values = begin(view_of(), {"metric": (metric,)}, "new").values
    assert (values["c0.warning"], values["c0.critical"]) == proposed


def test_a_rule_that_was_never_evaluated_is_not_called_calm_and_says_what_it_waits_for(view_of: Open) -> None:
    view = view_of()
    row = read_board(view, {}, None, None).rows[0]
    assert (row.health, row.firing, row.health_tone) == ("not evaluated yet", "", "stale")
    filling = replace(view, filling_share=0.4)
    assert read_board(filling, {}, None, None).rows[0].health == "waits until history is loaded"


def test_only_the_form_asks_to_choose_a_limit_of_the_trial(view_of: Open) -> None:
    view = view_of()
    _changed(view, "")
    in_form = read_editor(view, draft(), []).trial
    act(view, asked("publish", reason="stricter", **draft().values), 4)
    detail = read_board(view, {"rule": ["late"]}, None, None).chosen
    assert in_form is not None
    assert detail is not None
    assert detail.trial is not None
    titles = in_form.frontier_title, detail.trial.frontier_title
    assert titles == ("Which limit? Choose a point", "What other limits would have done")


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_the_page_draws_in_both_languages(reading: Reading, book: Path, language: str) -> None:
    where = {"home": str(reading.settings.home), "book": str(book.parent), "language": language}
    app = AppTest.from_function(_draw, kwargs=where, default_timeout=120)
    app.run()
    assert not app.exception


def _draw(home: str, book: str, language: str) -> None:
    from pathlib import Path

    from access.reading import Reading
    from access.store import open_store
    from access.user import User
    from access.view import open_view
    from config import read_settings
    from pages.rules import render
    from tests.pages.conftest import AS_OF

    reading = Reading(read_settings({}, home=Path(home), threads=1))
    store = open_store(read_settings({}, home=Path(book)))
    user = User(name="ana", display_name="Ms Fen", role="analyst", regions=("*",))
    render(open_view(reading, user, {}, now=AS_OF, language=language, stays_valid=lambda: None, store=store))
