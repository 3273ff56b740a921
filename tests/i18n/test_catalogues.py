"""The catalogues say the same things in every language."""

from __future__ import annotations

from pathlib import Path

import pytest

from i18n import (
    FALLBACK,
    FOLDER,
    LANGUAGES,
    PLACEHOLDER,
    CatalogueError,
    catalogue,
    closest_language,
    label,
    read_entries,
    translate,
)

OTHERS = [language for language in LANGUAGES if language != FALLBACK]
DOMAINS = sorted(file.name for language in LANGUAGES for file in (FOLDER / language).glob("*.yaml"))


def placeholders(text: str) -> set[str]:
    return set(PLACEHOLDER.findall(text))


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize("domain", sorted(set(DOMAINS)))
def test_every_domain_has_the_same_keys_and_placeholders_as_english(domain: str, language: str) -> None:
    english = {key: placeholders(text) for key, text, _ in read_entries(FOLDER / FALLBACK / domain)}
    other = {key: placeholders(text) for key, text, _ in read_entries(FOLDER / language / domain)}
    assert english == other


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_key_is_there_twice_and_no_text_is_empty(language: str) -> None:
    assert [key for key, text in catalogue(language).items() if not text and key != "format.joiner"] == []


def test_a_placeholder_takes_a_value_as_plain_text() -> None:
    assert translate("en", "format.hour_short", n="{n} <b>") == "{n} <b> h"


def test_a_missing_key_falls_back_to_english_then_to_the_key() -> None:
    assert translate("fr", "format.unknown") == "unknown"
    assert translate("zh-CN", "nowhere.at_all") == "nowhere.at_all"


def test_a_code_without_a_name_is_its_own_name_and_null_is_unknown() -> None:
    assert label("en", "warehouse_id", "WH-NEW") == "WH-NEW"
    assert label("zh-CN", "warehouse_id", None) == "未知"


NEAREST = [("zh-TW", "zh-CN"), ("zh_Hans", "zh-CN"), ("en-GB", "en"), (None, "en")]


@pytest.mark.parametrize(("wanted", "found"), NEAREST)
def test_a_browser_language_leads_to_the_nearest_catalogue(wanted: str | None, found: str) -> None:
    assert closest_language(wanted) == found


def test_a_list_in_a_catalogue_is_refused_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text("a:\n  b: [one, two]\n", encoding="utf-8")
    with pytest.raises(CatalogueError, match=r"wrong\.yaml, line 2: a\.b is a list"):
        list(read_entries(file))
