"""Every metric against rows computed by hand: tests/cases/metrics/*.yaml."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml

from queries.metrics import METRICS
from queries.scope import Scope
from tests.queries.desk import AS_OF, Desk, Row, instant

FOLDER = Path(__file__).resolve().parent.parent / "cases" / "metrics"
CASES = [(file.stem, case) for file in sorted(FOLDER.glob("*.yaml")) for case in yaml.safe_load(file.read_text(encoding="utf-8"))]


def _asked(desk: Desk, case: dict[str, Any]) -> list[Row]:
    filled = desk.filled(case.get("orders", ()), case.get("returns", ()), case.get("complaints", ()))
    scope = Scope.of_regions(case["scope"]) if "scope" in case else Scope.ALL
    filled = filled.with_targets(case.get("targets", {}))
    filled = replace(filled, as_of=instant(case.get("as_of", AS_OF)), zone=ZoneInfo(case.get("zone", "UTC")), scope=scope)
    words = dict(case["query"])
    return filled.words(*words.pop("metrics"), **words)


def _expected(row: Row, zone: ZoneInfo) -> Row:
    return {
        name: instant(value).astimezone(ZoneInfo("UTC"))
        if name == "bucket_at"
        else pytest.approx(value, rel=1e-12)
        if isinstance(value, float)
        else value
        for name, value in row.items()
    }


@pytest.mark.parametrize(("file", "case"), CASES, ids=[f"{file}: {case['case']}" for file, case in CASES])
def test_the_answer_is_the_one_computed_by_hand(desk: Desk, file: str, case: dict[str, Any]) -> None:
    rows = _asked(desk, case)
    columns = case.get("columns")
    shown = [{name: row[name] for name in columns} for row in rows] if columns else rows
    assert shown == [_expected(row, ZoneInfo(case.get("zone", "UTC"))) for row in case["rows"]]


@pytest.mark.parametrize("metric", METRICS)
def test_every_metric_has_a_case_in_a_file_of_its_own_group(metric: str) -> None:
    assert any(metric in case["query"]["metrics"] for _, case in CASES), f"write a case for {metric} in {FOLDER}"
