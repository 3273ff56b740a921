"""The data map: no text column of lake or store is left without a word about personal data, and the document is the generated one."""

from __future__ import annotations

import re
from importlib import import_module

import pytest

from access.data_map import PERSONAL, PLAIN, map_lines, text_columns
from config import ROOT
from data.personal import SEALED_SCHEMA

TABLE = [line for line in (ROOT / "docs" / "data_map.md").read_text(encoding="utf-8").splitlines() if line.startswith("|")]


@pytest.fixture(autouse=True)
def _every_table() -> None:
    for module in ("access.audit", "access.saved_view", "alerts.tables"):
        import_module(module)


def _plain() -> set[str]:
    return {f"{table}.{name}" for table, names in PLAIN.items() for name in names.split()}


def test_every_text_column_is_called_personal_or_not() -> None:
    known = _plain() | set(PERSONAL)
    assert [name for name in text_columns() if name not in known] == []
    assert sorted(known - set(text_columns())) == []
    assert _plain() & set(PERSONAL) == set()


def test_what_intake_sets_apart_is_personal() -> None:
    assert {"masked", "sealed", "search"} == {name for name in SEALED_SCHEMA if f"order_contacts.{name}" in PERSONAL}


def test_document_is_the_generated_table() -> None:
    assert map_lines() == TABLE


def test_no_plain_column_has_the_name_of_a_person() -> None:
    telling = re.compile(r"(phone|mobile|email|address|display_name|user_name|actor|author|owner|assignee|_by)$")
    assert [name for name in sorted(_plain()) if telling.search(name)] == []
