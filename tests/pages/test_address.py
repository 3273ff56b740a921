"""A choice becomes plain query parameters; whatever is not a known choice is left out."""

from __future__ import annotations

from typing import Any

import pytest

from pages.address import address_changes, follow_changes

CHOICES: list[tuple[dict[str, Any], dict[str, list[str]]]] = [
    ({"window": "7d"}, {"window": ["7d"]}),
    ({"region": "CN-EAST,CN-SOUTH"}, {"region": ["CN-EAST", "CN-SOUTH"]}),
    ({"region": ""}, {"region": []}),
    ({"as_of": ""}, {"as_of": []}),
    ({"language": "zh-CN"}, {"lang": ["zh-CN"]}),
    ({"language": "xx"}, {}),
    ({"snapshot": "3", "user": "admin", "scope": "*"}, {}),
    ({"window": ["7d"], "channel": 5}, {"window": [], "channel": []}),
]


@pytest.mark.parametrize(("choice", "changes"), CHOICES)
def test_a_choice_sets_only_what_the_address_knows(choice: dict[str, Any], changes: dict[str, list[str]]) -> None:
    assert address_changes(choice) == changes


def test_clearing_removes_every_filter() -> None:
    assert set(address_changes({"clear": "yes"})) == {"region", "channel", "business_type", "window", "as_of", "snapshot"}


@pytest.mark.parametrize("href", [None, 5, "https://elsewhere.example?region=CN-EAST", "javascript:alert(1)", "?user=admin"])
def test_a_link_elsewhere_changes_nothing(href: object) -> None:
    assert follow_changes(href) == {}


def test_a_link_here_sets_its_filters() -> None:
    assert follow_changes("?region=CN-EAST&window=7d") == {"region": ["CN-EAST"], "window": ["7d"]}
