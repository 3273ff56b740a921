"""The targets page: who sees and sets what, the effect told before saving, versions, and a file that somebody else changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import DatabaseError
from streamlit.testing.v1 import AppTest

from access.audit import AUDIT, LOCAL
from access.reading import Reading
from access.targets_book import list_targets_versions
from access.targets_draft import Figure
from access.user import User, add_user
from access.view import View, open_view
from data.targets import TargetsError, read_targets
from pages.targets import _register
from pages.targets_act import OUTCOME, REGISTER, act
from pages.targets_form import ValueRefused, asked_figure, code_of, read_value
from queries.metrics import METRICS
from tests.pages.conftest import AS_OF, PROVINCES, _rows
from tests.stores import new_store

ANALYST = User(name="ana", display_name="Ms Fen", role="analyst", regions=("*",))
SOUTH = User(name="sana", display_name="Mr Nan", role="analyst", regions=("CN-SOUTH",))
ADMIN = User(name="root", display_name="Root", role="admin")
ON_TIME = "target/on_time_rate//"
SHIPPED_STAGE = "limit/shipped//"
REGION = {"CN-SH": "CN-EAST", "CN-JS": "CN-EAST", "CN-GD": "CN-SOUTH", "CN-BJ": "CN-NORTH"}
TARGETS = """# Ours, by hand.
- valid_from: 2000-01-01
  metrics:
    on_time_rate: {target: 0.4, by: {region: {CN-SOUTH: 0.9, CN-EAST: 0.3}}}  # agreed in March
    order_count: 1
  stage_limits:
    shipped: 12h
  minimum_count: 5
"""
Open = Callable[..., View]


@pytest.fixture
def home(reading: Reading, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The small country's home with a targets file of its own for one test, and a tab that remembers nothing."""
    monkeypatch.setattr(st, "session_state", {})
    monkeypatch.setattr(st, "query_params", {})
    file = reading.settings.home / "targets.yaml"
    file.write_text(TARGETS, encoding="utf-8")
    yield reading.settings.home
    file.unlink()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Engine]:
    """A store with three people."""
    opened = new_store(tmp_path)
    for user in (ANALYST, SOUTH, ADMIN):
        add_user(opened, user, password_hash="x", now=AS_OF, by=LOCAL)
    yield opened
    opened.dispose()


@pytest.fixture
def view_of(reading: Reading, home: Path, store: Engine) -> Open:
    """A user's view of the small country under the home's targets."""

    def open_(user: User = ANALYST, *, language: str = "en", **parameters: list[str]) -> View:
        now = AS_OF + timedelta(minutes=5)
        return open_view(reading, user, parameters, now=now, language=language, stays_valid=lambda: None, store=store)

    return open_


def do(view: View, action: str, key: str = "", **values: str) -> Any:
    st.session_state[REGISTER] = {"act": {"action": action, "key": key, "values": values}}
    act(view)
    return st.session_state.get(OUTCOME)


def put(view: View, what: str, value: str, where: str = "/", day: str = "2026-03-02") -> Any:
    mark = _register(view).forms[-2 if st.session_state.get("targets.draft") else 0].key
    return do(view, "set", mark, what=what, where=where, value=value, valid_from=day)


def draft_cells(view: View) -> list[tuple[str, ...]]:
    sheet = _register(view).sheets[0]
    assert sheet.is_first
    return [entry.cells for entry in sheet.entries]


def _on_time_by_region() -> dict[str, float]:
    """Counted from the rows themselves: promised in the last day, delivered in time."""
    promised: dict[str, int] = {}
    kept: dict[str, int] = {}
    for row in _rows():
        due, done = row[-2], row[-1]
        if (AS_OF - timedelta(days=1)).isoformat() < due <= AS_OF.isoformat():
            region = REGION[row[2]]
            promised[region] = promised.get(region, 0) + 1
            kept[region] = kept.get(region, 0) + bool(done and done <= due)
    return {region: kept[region] / n for region, n in promised.items()}


def test_the_effect_is_told_before_saving_and_agrees_with_a_count_by_hand(view_of: Open, home: Path) -> None:
    rates = _on_time_by_region()
    targets = {"CN-SOUTH": 0.9, "CN-EAST": 0.3}
    before = sum(rate < targets.get(region, 0.4) for region, rate in rates.items())
    view = view_of()
    put(view, ON_TIME, "99%", where="region/CN-EAST")
    after = sum(rate < (targets | {"CN-EAST": 0.99}).get(region, 0.4) for region, rate in rates.items())
    assert after == before + 1
    cells = draft_cells(view)
    assert cells[0][2] == "30.0% → 99.0%"
    assert cells[0][3] == f"Now {rates['CN-EAST'] * 100:.1f}%: met → missed"
    assert (home / "targets.yaml").read_text(encoding="utf-8") == TARGETS


def test_a_stricter_limit_tells_the_share_beyond_it(view_of: Open) -> None:
    view = view_of()
    put(view, SHIPPED_STAGE, "3h")
    closed, waiting = 24 * 12, 3 * 12  # twelve orders an hour, shipped three hours after they were paid; three hours' still wait
    assert draft_cells(view)[0][2:] == ("12 h → 3 h", f"Over the limit now: 0.0% → 0.0% of {closed + waiting} orders")
    put(view, SHIPPED_STAGE, "170min")
    share = closed / (closed + waiting)
    assert draft_cells(view)[0][3] == f"Over the limit now: 0.0% → {share:.1%} of {closed + waiting} orders"


def test_saving_needs_a_reason_keeps_comments_and_is_on_record(view_of: Open, home: Path, store: Engine) -> None:
    view = view_of()
    put(view, ON_TIME, "97%", where="region/CN-EAST", day="2000-01-01")
    assert "Say why" in do(view, "save", reason=" ").text
    assert "Version 2 is saved" in do(view, "save", reason="peak season, ask 138 1234 5678").text
    saved = (home / "targets.yaml").read_text(encoding="utf-8")
    assert saved == TARGETS.replace("CN-EAST: 0.3", "CN-EAST: 0.97")
    assert [(one.actor, one.reason) for one in list_targets_versions(store)] == [
        ("ana", "peak season, ask 138****5678"),
        ("", ""),
    ]
    with store.connect() as connection:
        row = connection.execute(select(AUDIT).where(AUDIT.c.action == "targets_changed")).mappings().one()
    assert (row["actor"], json.loads(row["detail"])["version"]) == ("ana", 2)
    assert "CN-EAST" not in _register(view).sheets[0].title
    put(view, ON_TIME, "98%", where="region/CN-EAST", day="2031-01-01")
    assert "from 2031-01-01 on" in do(view, "save", reason="next year").text


def test_a_new_day_makes_a_new_edition_and_the_old_one_stays(view_of: Open, home: Path) -> None:
    view = view_of()
    put(view, ON_TIME, "50%", day="2026-04-01")
    do(view, "save", reason="from April")
    targets = read_targets(view.reading.settings)
    assert [edition.target_of("on_time_rate") for edition in targets.editions] == [0.4, 0.5]
    assert "# agreed in March" in (home / "targets.yaml").read_text(encoding="utf-8")


def test_an_earlier_version_comes_back_after_its_effect_was_seen(view_of: Open, home: Path, store: Engine) -> None:
    view = view_of()
    put(view, ON_TIME, "97%", day="2000-01-01")
    do(view, "save", reason="one")
    do(view, "restore", "1")
    assert [cells[2] for cells in draft_cells(view)] == ["97.0% → 40.0%"]
    do(view, "save", reason="too strict")
    assert (home / "targets.yaml").read_text(encoding="utf-8") == TARGETS
    newest = list_targets_versions(store)[0]
    assert (newest.origin, newest.reason) == (1, "too strict")
    put(view, ON_TIME, "98%", day="2031-01-01")
    do(view, "save", reason="next year")
    do(view, "restore", "3")
    assert "from 2031-01-01 on is taken back" in _register(view).sheets[0].note


def test_a_file_changed_by_hand_is_respected_and_told(view_of: Open, home: Path, store: Engine) -> None:
    view = view_of()
    put(view, ON_TIME, "97%", where="region/CN-EAST", day="2000-01-01")
    by_hand = TARGETS.replace("shipped: 12h", "shipped: 10h")
    (home / "targets.yaml").write_text(by_hand, encoding="utf-8")
    assert "changed by somebody else" in do(view, "save", reason="x").text
    assert (home / "targets.yaml").read_text(encoding="utf-8") == by_hand
    assert list_targets_versions(store) == []
    do(view, "save", reason="looked again")
    assert (home / "targets.yaml").read_text(encoding="utf-8") == by_hand.replace("CN-EAST: 0.3", "CN-EAST: 0.97")
    assert list_targets_versions(store)[1].text == by_hand


def test_what_was_on_the_screen_counts_not_what_came_since(view_of: Open, home: Path) -> None:
    view = view_of()
    key = _register(view).forms[0].key
    (home / "targets.yaml").write_text(TARGETS + "# later\n", encoding="utf-8")
    told = do(view, "set", key, what=ON_TIME, where="/", value="97%", valid_from="2026-03-02")
    assert "changed by somebody else" in told.text


@pytest.mark.parametrize("failing", ["commit", "write"])
def test_a_save_that_fails_leaves_everything_as_it_was(
    view_of: Open, home: Path, store: Engine, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    view = view_of()
    put(view, ON_TIME, "97%", day="2000-01-01")
    if failing == "write":
        monkeypatch.setattr("access.targets_book.os.fsync", _refuse)
    else:
        with store.begin() as connection:
            connection.execute(text("CREATE TRIGGER no_audit BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'full'); END"))
    with pytest.raises((OSError, DatabaseError)):
        do(view, "save", reason="x")
    assert (home / "targets.yaml").read_text(encoding="utf-8") == TARGETS
    assert list_targets_versions(store) == []


def _refuse(_descriptor: int) -> None:
    raise OSError("no space")


def test_a_regional_analyst_sees_and_sets_the_own_region_only(view_of: Open, home: Path) -> None:
    view = view_of(SOUTH)
    register = _register(view)
    shown = json.dumps(asdict(register), ensure_ascii=False)
    assert code_of(Figure(kind="target", name="on_time_rate", dimension="region", code="CN-SOUTH")) in shown
    assert "CN-EAST" not in shown
    assert "East China" not in shown
    for what, where in ((ON_TIME, "/"), (ON_TIME, "region/CN-EAST"), (SHIPPED_STAGE, "business_type/b2b")):
        assert "every region" in put(view, what, "12h" if what == SHIPPED_STAGE else "50%", where=where).text
    put(view, ON_TIME, "50%", where="region/CN-SOUTH")
    assert draft_cells(view)[0][2] == "90.0% → 50.0%"
    assert "is saved" in do(view, "save", reason="ours").text
    assert "every region" in do(view, "restore", "1").text
    assert "CN-EAST: 0.3" in (home / "targets.yaml").read_text(encoding="utf-8")


def test_managers_and_leads_set_nothing_even_when_they_ask(view_of: Open, home: Path) -> None:
    lead = User(name="east", display_name="East", role="lead", regions=("CN-EAST",))
    told = do(view_of(lead), "set", "", what=ON_TIME, where="region/CN-EAST", value="97%", valid_from="2026-03-02")
    assert told.state == "critical"
    assert (home / "targets.yaml").read_text(encoding="utf-8") == TARGETS


def test_a_faulty_file_is_told_and_an_earlier_version_can_come_back(view_of: Open, home: Path, store: Engine) -> None:
    view = view_of(ADMIN)
    put(view, ON_TIME, "97%", day="2000-01-01")
    do(view, "save", reason="one")
    st.session_state.pop(OUTCOME)
    (home / "targets.yaml").write_text("- {valid_from: 2000-01-01, stage_limits: {payed: 1h}}", encoding="utf-8")
    with pytest.raises(TargetsError):
        read_targets(view.reading.settings)
    register = _register(view)
    assert register.outcome is not None
    assert "unknown stage 'payed': use one of" in register.outcome.text
    do(view, "restore", "2")
    do(view, "save", reason="mended")
    assert read_targets(view.reading.settings).editions[0].target_of("on_time_rate") == 0.97
    assert "payed" in list_targets_versions(store)[1].text


REFUSED = [
    ("on_time_rate", "0.97", "percent sign"),
    ("on_time_rate", "120%", "from 0% to 100%"),
    ("on_time_rate", "high", "no number"),
    ("backlog_count", "5%", "without a percent sign"),
    ("order_cycle_seconds_p50", "36", "with its unit"),
    ("order_cycle_seconds_p50", "3 years", "with its unit"),
    ("order_cycle_seconds_p50", "0h", "above 0"),
    ("order_cycle_seconds_p50", "9000d", "up to a year"),
]


@pytest.mark.parametrize(("metric", "written", "reason"), REFUSED)
def test_a_value_that_cannot_be_is_refused_with_the_remedy_in_both_languages(metric: str, written: str, reason: str) -> None:
    figure = Figure(kind="target", name=metric)
    with pytest.raises(ValueRefused, match=reason):
        read_value("en", figure, written)
    with pytest.raises(ValueRefused, match=r"[一-鿿]"):
        read_value("zh-CN", figure, written)


@pytest.mark.parametrize(
    ("metric", "written", "value"),
    [
        ("on_time_rate", "97 %", 0.97),
        ("on_time_rate", "97", 0.97),
        ("on_time_rate", "0.5%", 0.005),
        ("backlog_count", "18,000", 18000),
        ("order_cycle_seconds_p50", "1h 30min", "90m"),
        ("order_cycle_seconds_p50", "1小时30分", "90m"),
        ("order_cycle_seconds_p50", "2d", "48h"),
    ],
)
def test_a_value_is_read_as_people_write_it(metric: str, written: str, value: float | str) -> None:
    assert read_value("en", Figure(kind="target", name=metric), written) == value


def test_a_figure_is_set_only_for_what_it_is_known_by(view_of: Open) -> None:
    view = view_of()
    with pytest.raises(ValueRefused, match="business type"):
        asked_figure(view, {"what": SHIPPED_STAGE, "where": "region/CN-EAST"})
    with pytest.raises(ValueRefused):
        asked_figure(view, {"what": "target/nothing//", "where": "/"})
    with pytest.raises(ValueRefused, match="no orders lately"):
        asked_figure(view, {"what": ON_TIME, "where": "channel/nowhere"})


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_every_word_of_the_page_is_there(view_of: Open, language: str) -> None:
    view = view_of(language=language)
    put(view, ON_TIME, "97%")
    put(view, SHIPPED_STAGE, "3h")
    told = json.dumps(asdict(_register(view)), ensure_ascii=False)
    for key in ("targets.", "metrics.group", "dimensions.region"):
        assert f'"{key}' not in told


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_the_page_draws_in_both_languages(reading: Reading, language: str) -> None:
    app = AppTest.from_function(_draw, args=(str(reading.settings.home), language), default_timeout=60).run()
    assert not app.exception


def _draw(home: str, language: str) -> None:
    from pathlib import Path

    from access.reading import Reading
    from access.user import User
    from access.view import open_view
    from config import read_settings
    from pages.targets import prepare, render
    from tests.pages.conftest import AS_OF

    reading = Reading(read_settings({}, home=Path(home), memory_limit="512MB", threads=1))
    user = User(name="ana", display_name="Ms Fen", role="analyst", regions=("*",))
    view = open_view(reading, user, {}, now=AS_OF, language=language, stays_valid=lambda: None)
    prepare(view, {})
    render(view)
    reading.close()


def test_the_country_is_the_one_the_count_by_hand_is_of() -> None:
    assert set(PROVINCES) == set(REGION)
    assert METRICS["on_time_rate"].better == "higher"
