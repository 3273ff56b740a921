"""A choice becomes plain query parameters; whatever is not a known choice is left out."""

from __future__ import annotations

from typing import Any

import pytest

from pages.address import address_changes, follow_changes
from queries.dimensions import DIMENSIONS

CHOICES: list[tuple[dict[str, Any], dict[str, list[str]]]] = [
    ({"window": "7d"}, {"window": ["7d"]}),
    ({"region": "CN-EAST,CN-SOUTH"}, {"region": ["CN-EAST", "CN-SOUTH"]}),
    ({"region": ""}, {"region": []}),
    ({"as_of": ""}, {"as_of": []}),
    ({"language": "zh-CN"}, {"lang": ["zh-CN"]}),
    ({"language": "xx"}, {}),
    ({"snapshot": "3", "user": "admin", "scope": "*"}, {"snapshot": ["3"]}),
    ({"window": ["7d"], "channel": 5}, {"window": [], "channel": []}),
]


@pytest.mark.parametrize(("choice", "changes"), CHOICES)
def test_a_choice_sets_only_what_the_address_knows(choice: dict[str, Any], changes: dict[str, list[str]]) -> None:
    assert address_changes(choice) == changes


def test_clearing_removes_every_filter() -> None:
    assert set(address_changes({"clear": "yes"})) == {*DIMENSIONS, "window", "as_of", "snapshot"}


@pytest.mark.parametrize("href", [None, 5, "https://elsewhere.example?region=CN-EAST", "javascript:alert(1)"])
def test_a_link_elsewhere_changes_nothing(href: object) -> None:
    assert follow_changes(href) == {}


def test_a_link_here_sets_what_it_names_and_removes_the_rest() -> None:
    changes = follow_changes("?region=CN-EAST&region=null&window=7d&user=admin")
    assert {name: values for name, values in changes.items() if values} == {"region": ["CN-EAST", "null"], "window": ["7d"]}
    assert {"city", "as_of", "cell", "snapshot"} <= set(changes)
    assert not {"user", "lang", "theme"} & set(changes)
