"""Preferences: each user's own, the last value wins, nothing is kept that is no small choice."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from access.preference import LONGEST, PreferenceError, read_preference, write_preference
from access.user import User

LI = User(name="li", display_name="Li", role="lead", regions=("CN-EAST",))
WANG = User(name="wang", display_name="Wang", role="lead", regions=("CN-SOUTH",))


def test_the_last_value_is_kept_for_its_user_alone(any_store: Engine) -> None:
    write_preference(any_store, LI, "orders.columns", "city")
    write_preference(any_store, LI, "orders.columns", "城市, stage")
    assert read_preference(any_store, LI, "orders.columns") == "城市, stage"
    assert read_preference(any_store, LI, "orders.sort") is None
    assert read_preference(any_store, WANG, "orders.columns") is None


def test_none_forgets(any_store: Engine) -> None:
    write_preference(any_store, LI, "start", "view")
    write_preference(any_store, LI, "start", None)
    assert read_preference(any_store, LI, "start") is None


@pytest.mark.parametrize(("name", "value"), [("", "x"), ("Ünder", "x"), ("a" * 65, "x"), ("a", "x" * (LONGEST + 1))])
def test_what_is_no_small_choice_is_refused(any_store: Engine, name: str, value: str) -> None:
    with pytest.raises(PreferenceError):
        write_preference(any_store, LI, name, value)
