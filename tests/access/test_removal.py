"""What is taken away comes back within thirty days exactly as it was, and is gone for good afterwards; every step on record."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from access.acting import By
from access.audit import LOCAL
from access.audit_rows import list_audit
from access.command import add_users_arguments, users
from access.people import close_account, list_people, remove_account, restore_account
from access.removal import KEPT_FOR, deleted_views, purge, remove_user, restore_user
from access.saved_command import add_views_arguments, views
from access.saved_view import delete_view, list_saved_views, restore_view, save_view
from access.session import read_session, start_session
from access.sign_in import sign_in
from access.user import User, UserError, add_user, find_user, list_users
from config import Settings
from tests.access.conftest import NOW, PASSWORD

ROOT = By(user=User(name="root", display_name="Root", role="admin"), at=NOW)
LI = User(name="li", display_name="Li", role="lead", regions=("CN-EAST",))


def _names(store: Engine) -> list[str]:
    return [user.name for user in list_users(store)]


def _save(store: Engine) -> int:
    return save_view(store, name="late", page="orders", parameters={"window": ["7d"]}, roles=(), by=By(user=LI, at=NOW))


def test_removed_account_is_nobody_and_comes_back_closed_as_it_was(store: Engine) -> None:
    before = find_user(store, "li")
    secret = start_session(store, "li", NOW)
    close_account(store, "li", ROOT)
    remove_account(store, "li", ROOT)
    assert find_user(store, "li") is None
    assert _names(store) == ["ming"]
    assert read_session(store, secret, NOW) is None
    assert sign_in(store, "li", PASSWORD, address="192.0.2.1", now=NOW).reason == "wrong"
    gone = list_people(store, NOW)[-1]
    assert (gone.user.name, gone.ends_at) == ("li", NOW + KEPT_FOR)
    with pytest.raises(UserError, match="exists"):
        add_user(store, LI, password_hash="x", now=NOW, by=LOCAL)
    restore_account(store, "li", ROOT)
    back = find_user(store, "li")
    assert back is not None
    assert before is not None
    assert (back.display_name, back.role, back.regions, back.is_disabled) == (before.display_name, "lead", before.regions, True)
    assert [row.action for row in list_audit(store)][:4] == ["user_restored", "sign_in_failed", "user_removed", "user_disabled"]


def test_only_closed_accounts_that_are_no_demo_are_removed_by_administrators(store: Engine) -> None:
    with pytest.raises(UserError, match="close the account first"):
        remove_account(store, "li", ROOT)
    with pytest.raises(UserError, match="administrator"):
        remove_account(store, "li", By(user=LI, at=NOW))
    demo = User(name="east", display_name="", role="lead", regions=("CN-EAST",), is_demo=True, is_disabled=True)
    add_user(store, demo, password_hash="x", now=NOW, by=LOCAL)
    with pytest.raises(UserError, match="demo"):
        remove_account(store, "east", ROOT)
    with pytest.raises(UserError, match="does not exist"):
        remove_account(store, "nobody", ROOT)


def test_after_thirty_days_account_and_views_are_gone_for_good(store: Engine) -> None:
    deleted, kept = _save(store), By(user=LI, at=NOW)
    delete_view(store, deleted, by=kept)
    close_account(store, "li", ROOT)
    remove_user(store, "li", now=NOW + timedelta(days=1), by=LOCAL)
    assert purge(store, NOW + KEPT_FOR - timedelta(seconds=1)) == 0
    assert purge(store, NOW + KEPT_FOR) == 1
    assert purge(store, NOW + KEPT_FOR + timedelta(days=1)) == 1
    with pytest.raises(UserError, match="gone for good"):
        restore_user(store, "li", now=NOW, by=LOCAL)
    assert [(row.object_kind, row.object_id) for row in list_audit(store)][:2] == [("user", "li"), ("saved_view", str(deleted))]
    add_user(store, LI, password_hash="x", now=NOW, by=LOCAL)


def test_deleted_views_are_listed_in_the_menu_until_they_are_back_or_gone(store: Engine) -> None:
    first, second = _save(store), save_view(store, name="early", page="map", parameters={}, roles=(), by=By(user=LI, at=NOW))
    delete_view(store, first, by=By(user=LI, at=NOW))
    delete_view(store, second, by=By(user=LI, at=NOW + timedelta(hours=1)))
    assert [(view.id, at - KEPT_FOR) for view, at in deleted_views(store, "li")] == [
        (second, NOW + timedelta(hours=1)),
        (first, NOW),
    ]
    assert deleted_views(store, "ming") == []
    restore_view(store, second, by=By(user=LI, at=NOW))
    purge(store, NOW + KEPT_FOR)
    assert deleted_views(store, "li") == []
    assert [view.name for view in list_saved_views(store, LI)] == ["early"]


def test_commands_list_and_bring_back(store: Engine, settings: Settings) -> None:
    number = _save(store)
    delete_view(store, number, by=By(user=LI, at=NOW))
    of_views, of_users = ArgumentParser(), ArgumentParser()
    add_views_arguments(of_views)
    add_users_arguments(of_users)

    def say(parser: ArgumentParser, *words: str) -> str:
        run = views if parser is of_views else users
        return "\n".join(run(settings, parser.parse_args(words), NOW))

    assert "late  /orders  gone for good 2026-04-01" in say(of_views, "deleted", "--user", "li")
    with pytest.raises(UserError):
        say(of_views, "restore", str(number), "--user", "ming")
    say(of_views, "restore", str(number), "--user", "li")
    assert [view.id for view in list_saved_views(store, LI)] == [number]
    say(of_users, "disable", "li")
    assert "restore" in say(of_users, "remove", "li")
    assert "removed, until 2026-04-01" in say(of_users, "list")
    assert "disabled" in say(of_users, "restore", "li")
