"""Targets: checked on load, dated, and by group."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from config import read_settings
from data.order import STAGES
from data.targets import DEFAULT_FILE, TargetsError, read_targets, read_targets_file


def _write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_the_shipped_file_limits_every_stage() -> None:
    edition = read_targets_file(DEFAULT_FILE).at(datetime(2026, 3, 1, tzinfo=UTC))
    assert all(edition.limit_of(stage) for stage in STAGES)
    assert edition.calendar.cut_off == time(16)


def test_the_home_s_own_file_replaces_the_shipped_one(tmp_path: Path) -> None:
    _write(tmp_path / "targets.yaml", "- {valid_from: 2020-01-01, metrics: {on_time_rate: 0.5}}")
    edition = read_targets(read_settings({}, home=tmp_path)).at(datetime(2026, 3, 1, tzinfo=UTC))
    assert edition.target_of("on_time_rate") == 0.5


def test_the_edition_in_force_is_the_latest_on_the_zone_s_day(tmp_path: Path) -> None:
    text = "- {valid_from: 2026-03-02, minimum_count: 2}\n- {valid_from: 2020-01-01, minimum_count: 1}"
    targets = read_targets_file(_write(tmp_path / "t.yaml", text))
    evening = datetime(2026, 3, 1, 20, tzinfo=UTC)
    assert targets.at(evening).minimum_count == 1
    assert targets.at(evening, ZoneInfo("Asia/Shanghai")).minimum_count == 2
    assert targets.at(datetime(2019, 1, 1, tzinfo=UTC)).valid_from == date(2020, 1, 1)


def test_durations_have_units_and_business_types_their_own_limits(tmp_path: Path) -> None:
    text = "- {valid_from: 2020-01-01, stage_limits: {paid: 90m, picked: 2d}, stage_limits_by_business_type: {b2b: {paid: 4h}}}"
    edition = read_targets_file(_write(tmp_path / "t.yaml", text)).editions[0]
    assert (edition.limit_of("paid"), edition.limit_of("picked"), edition.limit_of("paid", "b2b")) == (5400, 172800, 14400)
    assert edition.limit_of("picked", "b2b") == 172800
    assert edition.limit_of("shipped") is None


REFUSED = [
    ("- {valid_from: 2020-01-01, stage_limits: {payed: 1h}}", "unknown stage 'payed'"),
    ("- {valid_from: 2020-01-01, stage_limits_by_business_type: {b2b: {payed: 1h}}}", "unknown stage 'payed'"),
    ("- {valid_from: 2020-01-01, stage_limit: {paid: 1h}}", "stage_limit"),
    ("- {valid_from: 2020-01-01, metrics: {on_time_rate: high}}", "on_time_rate"),
    ("- {valid_from: 2020-01-01, stage_limits: {paid: -1}}", "greater than or equal to 0"),
    ("- {minimum_count: 1}", "valid_from"),
    ("{}", "must be a list of editions"),
    ("- [", "line 1: not valid YAML"),
    ("- {valid_from: 2026-02-30}", "day is out of range"),
]


@pytest.mark.parametrize(("text", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_a_wrong_file_is_refused_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(TargetsError, match=message):
        read_targets_file(_write(tmp_path / "t.yaml", text))
