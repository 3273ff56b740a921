"""The reference in docs/contracts.md: every key, column and shipped template stands in it, and its examples are sound."""

from __future__ import annotations

import re
from typing import Any

import pytest

from config import ROOT
from data.contract import (
    KIND_COLUMNS,
    SHIPPED_CONTRACTS,
    AsOf,
    Cadence,
    Check,
    Contract,
    Quarantine,
    Reader,
    StatusMap,
    parse_contract,
)
from data.instant import SPECIAL_FORMATS
from data.order import MILESTONES

TEXT = (ROOT / "docs" / "contracts.md").read_text(encoding="utf-8")
ROWS = [line.split("|")[1] for line in TEXT.splitlines() if line.startswith("| `")]
DOCUMENTED = {word for cell in ROWS for word in re.findall(r"`([\w.*<>-]+)`", cell)}


@pytest.mark.parametrize("model", [Contract, Reader, AsOf, Cadence, StatusMap, Check, Quarantine])
def test_every_key_is_documented(model: Any) -> None:
    keys = {field.alias or name for name, field in model.model_fields.items()}
    assert keys <= DOCUMENTED


@pytest.mark.parametrize("kind", KIND_COLUMNS)
def test_every_column_is_documented_with_its_type_and_meaning(kind: str) -> None:
    for column in KIND_COLUMNS[kind]:
        assert f"| `{column.name}` | {column.type} | {column.meaning} |" in TEXT


def test_every_milestone_template_and_format_is_named() -> None:
    templates = {path.name for path in SHIPPED_CONTRACTS.glob("*.yaml") if not path.name.startswith("demo_")}
    assert all(name in TEXT for name in (*templates, *MILESTONES, *SPECIAL_FORMATS))


def test_the_smallest_contract_loads() -> None:
    smallest = TEXT.split("## The smallest contract")[1].split("```yaml\n")[1].split("```")[0]
    assert parse_contract(smallest).source == "webshop"


def test_every_example_of_columns_is_sound() -> None:
    smallest = TEXT.split("```yaml\n")[1].split("```")[0]
    example = TEXT.split("## Columns")[1].split("```yaml\n")[1].split("```")[0]
    assert len(parse_contract(smallest.partition("columns:")[0] + example).columns) == 8
