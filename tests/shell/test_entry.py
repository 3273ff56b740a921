"""The role is checked before a page's code is even imported; a session that ended shows no figure."""

from __future__ import annotations

import sys

import pytest
from streamlit.testing.v1 import AppTest

FOREIGN = "tests.shell.page_that_was_imported"


def _open_page_for_admins(role: str) -> None:
    from typing import cast

    from access.user import Role, User
    from pages import Page
    from shell.entry import show
    from shell.visitor import Visitor

    page = Page(module="tests.shell.page_that_was_imported", url_path="x", title="x", roles=("admin",))
    user = User(name="x", display_name="x", role=cast(Role, role), regions=("CN-EAST",))
    show(page, user, Visitor(secret="x"), "en")


@pytest.mark.parametrize("role", ["lead", "manager", "analyst"])
def test_page_for_another_role_is_refused_before_its_code_is_imported(role: str) -> None:
    app = AppTest.from_function(_open_page_for_admins, args=(role,)).run()
    assert [warning.value for warning in app.warning] == ["Your role does not include this page. Choose another one in the menu."]
    assert not app.exception
    assert FOREIGN not in sys.modules


def test_page_for_the_role_is_reached() -> None:
    app = AppTest.from_function(_open_page_for_admins, args=("admin",)).run()
    # Without a house there is no view: an admitted role gets as far as that.
    assert app.exception
    assert not app.warning


def _fail_with(kind: str) -> None:
    from access.session import SessionEnded
    from data.lake import LakeError
    from queries.query import QueryError
    from shell.failure import show_failure

    errors = {
        "session": SessionEnded("secret"),
        "query": QueryError("no metric"),
        "lake": LakeError("gone"),
        "fault": KeyError("secret"),
    }
    show_failure(errors[kind])


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("session", "Your session has ended"),
        ("query", "cannot be shown: no metric"),
        ("lake", "cannot be shown: gone"),
        ("fault", "could not be drawn"),
    ],
)
def test_failure_is_a_sentence_with_a_remedy(kind: str, words: str) -> None:
    app = AppTest.from_function(_fail_with, args=(kind,)).run()
    shown = " ".join(element.value for element in (*app.info, *app.warning, *app.error))
    assert words in shown
    assert "secret" not in shown
    assert not app.exception
