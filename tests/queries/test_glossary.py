"""The glossary is complete in both languages and the written document is the registries' own."""

from __future__ import annotations

from pathlib import Path

import pytest

from config import ROOT
from data.order import COMPLAINT_KINDS, EXCEPTION_CODES, RETURN_KINDS, STAGES, STATUSES
from data.targets import DEFAULT_FILE, read_targets_file
from i18n import LANGUAGES, catalogue
from queries.check import unknown_targets
from queries.dimensions import DIMENSIONS, children_of
from queries.glossary import dimensions_frame, document, metrics_frame
from queries.metric import ANCHORS
from queries.metrics import METRICS

PARTS = ("name", "description", "population", "exclusions")
CODES = {
    "status": STATUSES,
    "stage": STAGES,
    "exception_code": EXCEPTION_CODES,
    "return_kind": RETURN_KINDS,
    "complaint_kind": COMPLAINT_KINDS,
    "age_bucket": DIMENSIONS["age_bucket"].codes,
    "hour": DIMENSIONS["hour"].codes,
    "weekday": DIMENSIONS["weekday"].codes,
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_metric_is_named_and_defined(language: str) -> None:
    wanted = {f"metrics.{name}.{part}" for name in METRICS for part in PARTS}
    wanted |= {f"metrics.unit.{metric.unit}" for metric in METRICS.values()} | {f"metrics.anchor.{name}" for name in ANCHORS}
    assert wanted - catalogue(language).keys() == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_dimension_and_code_is_named(language: str) -> None:
    wanted = {f"dimensions.{name}.{part}" for name in DIMENSIONS for part in ("name", "description")}
    wanted |= {f"label.{dimension}.{code}" for dimension, codes in CODES.items() for code in codes}
    assert wanted - catalogue(language).keys() == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_words_are_left_of_a_metric_that_is_gone(language: str) -> None:
    named = {key.split(".")[1] for key in catalogue(language) if key.startswith("metrics.")}
    assert named - {"unit", "anchor", "group"} == set(METRICS)


def test_the_document_is_up_to_date() -> None:
    written = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    assert written == document(), "run `python -m queries.glossary`"


def test_the_command_line_lists_every_metric_and_dimension_once() -> None:
    assert metrics_frame()["metric"].to_list() == list(METRICS)
    assert dimensions_frame()["dimension"].to_list() == list(DIMENSIONS)


def test_drilling_leads_from_country_to_city_and_from_warehouse_to_order() -> None:
    assert [children_of(name) for name in ("country", "region", "province")] == [["region"], ["province"], ["city"]]
    assert [children_of(name) for name in ("warehouse", "wave")] == [["wave"], ["order"]]


def test_no_alias_is_another_dimension_s_name() -> None:
    names = [name for entry in DIMENSIONS.values() for name in (entry.name, *entry.aliases)]
    assert len(names) == len(set(names))


def test_the_shipped_targets_name_metrics_and_dimensions_there_are(tmp_path: Path) -> None:
    assert unknown_targets(read_targets_file(DEFAULT_FILE)) == []
    wrong = tmp_path / "targets.yaml"
    wrong.write_text("- {valid_from: 2020-01-01, metrics: {on_time_rat: {by: {regoin: {R1: 1}}}}}", encoding="utf-8")
    assert [text.split("did you mean ")[1].split()[0].rstrip("?") for text in unknown_targets(read_targets_file(wrong))] == [
        "on_time_rate",
        "region",
    ]
