"""Saved views: a checked address under a name, one's own or shared with a role, deleted and brought back as it was."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, select

from access.acting import By
from access.audit import AUDIT, verify
from access.saved_view import (
    SavedViewError,
    check_parameters,
    delete_view,
    find_saved_view,
    list_saved_views,
    rename_view,
    restore_view,
    save_view,
    set_start_view,
    share_view,
    start_view,
)
from access.user import User

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
LI = User(name="li", display_name="Li", role="lead", regions=("CN-EAST",))
WANG = User(name="wang", display_name="Wang", role="lead", regions=("CN-SOUTH",))
MING = User(name="ming", display_name="Ming", role="manager")


def by(user: User = LI) -> By:
    return By(user=user, at=NOW)


def save(store: Engine, name: str = "Late in Shanghai", user: User = LI, roles: tuple[str, ...] = ()) -> int:
    parameters = {"province": ["CN-SH"], "window": ["7d"]}
    return save_view(store, name=name, page="heatmaps", parameters=parameters, roles=roles, by=by(user))


def names(store: Engine, user: User) -> list[str]:
    return [view.name for view in list_saved_views(store, user)]


def test_a_view_is_an_address_under_a_name(any_store: Engine) -> None:
    view_id = save(any_store, "  Late \n in  Shanghai ")
    view = find_saved_view(any_store, LI, view_id)
    assert view is not None
    assert view.name == "Late in Shanghai"
    assert view.href == f"/heatmaps?province=CN-SH&window=7d&saved={view_id}"


def test_a_private_view_is_nobody_elses_and_a_shared_one_its_roles(any_store: Engine) -> None:
    private, shared = save(any_store, "a"), save(any_store, "b", roles=("manager",))
    assert names(any_store, LI) == ["a", "b"]
    assert names(any_store, MING) == ["b"]
    assert names(any_store, WANG) == []
    assert find_saved_view(any_store, MING, private) is None
    assert find_saved_view(any_store, WANG, shared) is None
    share_view(any_store, shared, ["lead"], by=by())
    assert (names(any_store, MING), names(any_store, WANG)) == ([], ["b"])
    share_view(any_store, shared, [], by=by())
    assert names(any_store, WANG) == []


def test_only_the_owner_changes_a_view(any_store: Engine) -> None:
    private, shared = save(any_store, "a"), save(any_store, "b", roles=("manager",))
    with pytest.raises(SavedViewError, match="belongs to li"):
        rename_view(any_store, shared, "mine", by=by(MING))
    with pytest.raises(SavedViewError, match="no longer there"):
        delete_view(any_store, private, by=by(MING))
    assert names(any_store, LI) == ["a", "b"]


def test_a_deleted_view_comes_back_as_it_was(any_store: Engine) -> None:
    view_id = save(any_store, roles=("manager",))
    before = find_saved_view(any_store, LI, view_id)
    delete_view(any_store, view_id, by=by())
    assert (names(any_store, LI), names(any_store, MING)) == ([], [])
    restore_view(any_store, view_id, by=by())
    assert find_saved_view(any_store, LI, view_id) == before
    with any_store.connect() as connection:
        actions = connection.execute(select(AUDIT.c.action).order_by(AUDIT.c.seq)).scalars().all()
    assert actions == ["view_saved", "view_deleted", "view_restored"]
    assert verify(any_store).broken_seq is None


def test_a_name_is_one_of_its_owners_views(any_store: Engine) -> None:
    first, second = save(any_store, "a"), save(any_store, "b")
    save(any_store, "a", user=WANG)
    with pytest.raises(SavedViewError, match="named a already"):
        rename_view(any_store, second, "a", by=by())
    rename_view(any_store, first, "a", by=by())
    delete_view(any_store, first, by=by())
    rename_view(any_store, second, "a", by=by())
    with pytest.raises(SavedViewError, match="named a already"):
        restore_view(any_store, first, by=by())


@pytest.mark.parametrize(("name", "reason"), [("", "no_name"), (" \u200b\n", "no_name"), ("x" * 61, "long_name")])
def test_a_name_that_cannot_be_kept_is_refused_with_the_reason(any_store: Engine, name: str, reason: str) -> None:
    with pytest.raises(SavedViewError) as caught:
        save(any_store, name)
    assert caught.value.reason == reason
    assert caught.value.sentence("zh-CN") != caught.value.sentence("en")


def test_the_start_view_is_each_users_own_and_says_when_it_no_longer_opens(any_store: Engine) -> None:
    shared = save(any_store, roles=("manager",))
    assert start_view(any_store, MING) is None
    set_start_view(any_store, shared, by=by(MING))
    chosen = start_view(any_store, MING)
    assert chosen is not None
    assert chosen[1] is not None
    assert start_view(any_store, LI) is None
    share_view(any_store, shared, [], by=by())
    assert start_view(any_store, MING) == (shared, None)
    with pytest.raises(SavedViewError):
        set_start_view(any_store, shared, by=by(MING))
    set_start_view(any_store, None, by=by(MING))
    assert start_view(any_store, MING) is None


def test_only_plain_parameters_of_the_view_itself_are_kept() -> None:
    asked = {
        "window": ["7d"],
        "region": ["CN-EAST", "", "x" * 201, "a\x00b"],
        "lang": ["en"],
        "theme": ["dark"],
        "saved": ["3"],
        "<script>": ["1"],
        "city": [str(number) for number in range(200)],
    }
    kept = check_parameters(asked)
    assert set(kept) == {"window", "region", "city"}
    assert kept["region"] == ["CN-EAST"]
    assert sum(map(len, kept.values())) == 100
