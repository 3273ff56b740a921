"""The map page: figures that equal plain questions, a place's own camera, lanes, lists; and nothing of other regions."""

from __future__ import annotations

import json
from typing import Any

import pytest

from access import geography
from access.reading import Reading
from access.user import User
from access.view import open_view
from components.deck import LAYERS, MOST_MARKS, PICKABLE, describe_deck
from components.geo_map import Frame, GeoMap, Mark, Player, map_payload
from config import read_settings
from data.outline import box_of
from i18n import translate
from pages.map import WORDS, read_note, read_page
from pages.map_question import read_question
from queries.query import Query
from tests.pages.conftest import AS_OF, PROVINCES, OpenView

EVERYTHING = {"layers": ["areas,late,lanes,warehouses,complaints,incidents"], "span": ["24h"]}


def page_of(view_of: OpenView, *who: str, **parameters: Any) -> GeoMap:
    """The page as this user gets it for these parameters of the address."""
    return read_page(view_of(*who, **parameters), parameters)


def test_areas_tell_what_a_plain_question_answers(view_of: OpenView) -> None:
    page = page_of(view_of)
    view = view_of()
    rows = view.run(Query(metrics=("late_rate",), by=("province",), window=view.window)).to_dicts()
    told = {row["province"]: f"{row['late_rate'] * 100:.1f}%" for row in rows}
    assert set(told) == set(PROVINCES)
    assert all(told[code] in page.areas[code].tip for code in told)
    assert {code for code, area in page.areas.items() if area.kind == "value"} == set(PROVINCES)
    assert page.areas["CN-XJ"].kind == "gap"


def test_list_says_the_same_the_worst_first_and_leads_on(view_of: OpenView) -> None:
    ranking = page_of(view_of).ranking
    assert ranking is not None
    assert next(row.name for row in ranking.rows) == "Shanghai"
    assert ranking.rows[0].figure in page_of(view_of).areas["CN-SH"].tip
    assert "province=CN-SH" in ranking.rows[0].href
    assert ranking.rows[0].drill.startswith("/drill?")
    assert ranking.rows[0].orders.startswith("/orders?")


def test_camera_is_the_chosen_place_and_its_key_names_it(view_of: OpenView) -> None:
    whole, east, shanghai = (page_of(view_of, **chosen) for chosen in ({}, {"region": ["CN-EAST"]}, {"province": ["CN-SH"]}))
    assert whole.camera
    assert east.camera
    assert shanghai.camera
    assert whole.camera.box == box_of("CN")
    assert shanghai.camera.box == box_of("CN", ["CN-SH"])
    assert east.camera.box == box_of("CN", geography.provinces_of("CN", ["CN-EAST"]))
    assert len({whole.camera.key, east.camera.key, shanghai.camera.key}) == 3
    assert [crumb.name for crumb in shanghai.crumbs] == ["China", "East China", "Shanghai"]
    own = page_of(view_of, "lead", "CN-EAST", province=["CN-SH"])
    assert [crumb.name for crumb in own.crumbs] == ["East China", "Shanghai"]


def test_choosing_a_place_keeps_its_neighbours_in_sight_and_mutes_them(view_of: OpenView) -> None:
    page = page_of(view_of, province=["CN-SH"])
    assert page.areas["CN-SH"].is_chosen
    assert not page.areas["CN-SH"].is_muted
    assert page.areas["CN-GD"].is_muted
    assert page.areas["CN-GD"].kind == "value"


def test_a_lead_gets_no_figure_of_another_region(view_of: OpenView) -> None:
    page = page_of(view_of, "lead", "CN-EAST", **EVERYTHING)
    own = set(geography.provinces_of("CN", ["CN-EAST"]))
    assert set(page.areas) == own
    assert page.camera
    assert page.camera.box == box_of("CN", own)
    assert page.player
    assert {code for frame in page.player.frames for code in frame.cells} <= own
    assert {mark.code.partition(">")[2] for mark in page.marks["lanes"]} <= own
    text = json.dumps(map_payload(page), ensure_ascii=False)
    foreign = {"CN-GD", "CN-BJ", "WH-CAN", "WH-BJS", "Guangdong", "Beijing"}
    assert [word for word in foreign if word in text] == []
    assert all(word in json.dumps(map_payload(page_of(view_of, **EVERYTHING))) for word in ("CN-GD", "Guangdong"))


def test_frames_add_up_to_the_window(view_of: OpenView) -> None:
    page = page_of(view_of, **EVERYTHING)
    assert page.player is not None
    assert len(page.player.frames) in (24, 25)
    assert page.player.left == len(page.player.frames) - 1
    last = page.player.frames[-1]
    later = page_of(view_of, **EVERYTHING, at=[page.player.frames[0].at], beside=[last.at])
    assert later.player
    assert (later.player.left, later.player.right) == (0, len(page.player.frames) - 1)
    assert later.ranking
    assert page.player.frames[0].name in later.ranking.scope
    assert last.name in later.ranking.scope


@pytest.mark.parametrize("metric", ["on_time_rate", "dwell_seconds_p90", "order_cycle_seconds_p50", "complaint_rate"])
def test_any_rate_or_duration_can_be_shown(view_of: OpenView, metric: str) -> None:
    page = page_of(view_of, metric=[metric])
    assert page.title == translate("en", f"metrics.{metric}.name")
    assert page.ranking is not None
    assert page.layers[0].range


def test_what_has_no_place_is_listed_and_not_dropped(view_of: OpenView) -> None:
    page = page_of(view_of, **EVERYTHING)
    assert page.missing is not None
    assert [text for text, _ in page.missing.rows if "without usable coordinates" in text]
    assert page.marks["warehouses"]
    assert page.marks["lanes"]
    assert not page.marks["late"]


def test_warehouses_without_coordinates_are_counted_and_named(reading: Reading) -> None:
    elsewhere = Reading(read_settings({}, home=reading.settings.home, memory_limit="512MB", threads=1, demo=False))
    boss = User(name="boss", display_name="boss", role="manager")
    view = open_view(elsewhere, boss, {}, now=AS_OF, language="en", stays_valid=lambda: None)
    page = read_page(view, {})
    waiting = view.run(Query(metrics=("undispatched_count",)))["undispatched_count"][0]
    elsewhere.close()
    assert page.missing is not None
    assert page.marks["warehouses"] == page.marks["lanes"] == ()
    assert any(f"3 warehouses without coordinates, {waiting} orders waiting" in text for text, _ in page.missing.rows)


def test_a_selection_that_vanished_is_said_and_the_page_stays(view_of: OpenView) -> None:
    page = page_of(view_of, warehouse=["WH-GONE"])
    assert "WH-GONE" in page.note
    assert page.camera is not None
    assert page.ranking is not None
    assert page.ranking.rows == ()
    assert page.ranking.empty


def test_without_orders_the_page_says_why(view_of: OpenView) -> None:
    page = page_of(view_of, window=["2020-01-01..2020-01-02"])
    assert page.notice is not None
    assert page.notice.href.startswith("/map")


def test_words_from_the_address_never_break_the_page(view_of: OpenView) -> None:
    bad = {"layers": ["zzz"], "metric": ["no"], "rank": ["x"], "lanes": ["9"], "span": ["1y"], "at": ["now"], "beside": ["?"]}
    question = read_question(view_of(), bad)
    assert (question.layers, question.metric, question.rank, question.lanes, question.span, question.at) == (
        (), "late_rate", "province", 60, "", ""
    )  # fmt: skip
    assert page_of(view_of, **bad).areas == {}


def test_every_layer_is_described_once_and_carries_no_data() -> None:
    described: dict[str, Any] = json.loads(describe_deck(hexagon=0.5, column=1000, height=100_000))
    assert [layer["id"] for layer in described["layers"]] == list(LAYERS)
    assert all(layer["data"] == [] for layer in described["layers"])
    assert {layer["id"] for layer in described["layers"] if layer["pickable"]} == set(PICKABLE)
    assert "http" not in json.dumps(described)


def test_more_marks_than_a_layer_may_hold_are_refused() -> None:
    mark = Mark(at=(1.0, 2.0), ink="text")
    with pytest.raises(ValueError, match="5001 marks"):
        map_payload(GeoMap(language="en", words={}, marks={"late": (mark,) * (MOST_MARKS + 1)}))


def test_every_word_of_the_drawing_is_there_in_both_languages() -> None:
    for language in ("en", "zh-CN"):
        assert [word for word in WORDS if translate(language, f"map.words.{word}") == f"map.words.{word}"] == []


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "No orders in this window in 4 of 7 regions: Central China, Southwest China"),
        ("zh-CN", "窗口内 7 个大区中有 4 个没有订单：华中、西南"),
    ],
)
def test_regions_without_orders_are_named(view_of: OpenView, language: str, said: str) -> None:
    missing = read_page(view_of(language=language), {}).missing
    assert missing is not None
    assert [text for text, _ in missing.rows if text.startswith(said)]
    own = read_page(view_of("lead", "CN-EAST", language=language), {}).missing
    assert own is not None
    assert [text for text, _ in own.rows if said[:8] in text] == []


@pytest.mark.parametrize(("language", "said"), [("en", "No orders in sight"), ("zh-CN", "没有订单")])
def test_a_lead_of_a_region_without_orders_is_told_so(view_of: OpenView, language: str, said: str) -> None:
    notice = read_page(view_of("lead", "CN-NORTHWEST", language=language), {}).notice
    assert notice is not None
    assert said in notice.title
    assert notice.way


@pytest.mark.parametrize(("language", "said"), [("en", "not in this span any more"), ("zh-CN", "已不在该时段内")])
def test_an_instant_that_left_the_span_is_said(view_of: OpenView, language: str, said: str) -> None:
    gone = {"span": ["24h"], "at": ["2020-01-01T00:00:00Z"]}
    page = read_page(view_of(language=language), gone)
    assert said in page.note
    assert page.player is not None
    known = page.player.frames[0].at
    assert read_page(view_of(language=language), gone | {"at": [known]}).note == ""


@pytest.mark.parametrize(("language", "said"), [("en", "one order only"), ("zh-CN", "仅 1 单")])
def test_a_lane_of_one_order_is_hatched_and_says_so(view_of: OpenView, language: str, said: str) -> None:
    """Of three orders an hour of one channel and carrier one or two are left in a window of one hour."""
    asked = {"window": ["2026-03-01T06:00:00Z..2026-03-01T07:00:00Z"], "channel": ["jd"], "rank": ["lane"]}
    page = read_page(view_of(language=language, **asked), asked)
    marks = page.marks["lanes"]
    assert len(marks) == len(PROVINCES)
    assert all(mark.ink == "hatch" and said in mark.tip for mark in marks)
    assert page.ranking is not None
    assert {row.figure for row in page.ranking.rows} == {"n 1"}


@pytest.mark.parametrize("written", ["WH-SHA,91,121\nWH-CAN,23,x\nWH-BJS,40,116,7\n", "WH-SHA,31,500\n", "上海,31,121\n\0,,\n"])
def test_a_faulty_list_of_warehouses_leaves_them_without_a_place_and_the_page_up(view_of: OpenView, written: str) -> None:
    file = view_of().reading.settings.home / "warehouses.csv"
    file.write_bytes(written.encode("gb18030"))
    try:
        page = page_of(view_of)
    finally:
        file.unlink()
    assert page.marks["warehouses"] == ()
    assert page.missing is not None
    assert [text for text, _ in page.missing.rows if "3 warehouses without coordinates" in text]


@pytest.mark.parametrize(("language", "said"), [("en", "only 1 have orders"), ("zh-CN", "只有 1 个小时有")])
def test_a_figure_with_hardly_a_course_by_the_hour_says_so(view_of: OpenView, language: str, said: str) -> None:
    view = view_of(language=language)
    frames = tuple(Frame(at=f"2026-03-01T{hour:02d}:00:00Z", name=str(hour), spoken="", cells={}) for hour in range(24))
    by_hour, by_day = (read_question(view, {"span": [span]}) for span in ("24h", "7d"))
    assert said in read_note(view, by_hour, Player(spans=(), frames=frames[:1]))
    assert read_note(view, by_hour, Player(spans=(), frames=frames)) == ""
    assert read_note(view, by_day, Player(spans=(), frames=frames[:1])) == ""
