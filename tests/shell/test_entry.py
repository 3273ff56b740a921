"""The role is checked before a page's code is even imported; a session that ended shows no figure."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from streamlit.testing.v1 import AppTest

from access.audit import LOCAL
from access.audit_rows import list_audit
from access.session import start_session
from access.user import Role, User, add_user
from config import read_settings
from shell.failure import as_text
from shell.house import House, open_house

FOREIGN = "tests.shell.page_that_was_imported"


NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[House]:
    """An open house with an empty home, whose clock stands still."""
    house = open_house(read_settings({}, home=tmp_path, demo=False), clock=lambda: NOW)
    yield house
    house.close()


def _secret_of(opened: House, role: str) -> str:
    user = User(name="li", display_name="li", role=cast(Role, role), regions=("CN-EAST",))
    add_user(opened.store, user, password_hash="x", now=NOW, by=LOCAL)
    return start_session(opened.store, "li", NOW, address="192.0.2.1")


def _open_page_for_admins(secret: str) -> None:
    from pages import Page
    from shell.entry import show
    from shell.visitor import Visitor

    page = Page(module="tests.shell.page_that_was_imported", url_path="x", title="x", roles=("admin",))
    visitor = Visitor(secret=secret)
    show(page, visitor.session(), visitor, "en")


@pytest.mark.parametrize("role", ["lead", "manager", "analyst"])
def test_page_for_another_role_is_refused_before_its_code_is_imported(opened: House, role: str) -> None:
    app = AppTest.from_function(_open_page_for_admins, args=(_secret_of(opened, role),), default_timeout=60).run()
    assert [warning.value for warning in app.warning] == ["Your role does not include this page. Choose another one in the menu."]
    assert not app.exception
    assert FOREIGN not in sys.modules
    denied = list_audit(opened.store, limit=1)[0]
    assert (denied.actor, denied.action, denied.object_id, denied.result) == ("li", "page_refused", "x", "denied")
    assert denied.address == "192.0.2.1"


def test_page_for_the_role_is_reached(opened: House) -> None:
    app = AppTest.from_function(_open_page_for_admins, args=(_secret_of(opened, "admin"),), default_timeout=60).run()
    # Without a snapshot there is no view: an admitted role gets as far as that.
    shown = [json.loads(element.proto.json) for element in app.get("bidi_component") if "board" in element.proto.component_name]
    assert [board["notice"]["title"] for board in shown] == ["There are no orders yet"]
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
    app = AppTest.from_function(_fail_with, args=(kind,), default_timeout=60).run()
    shown = " ".join(element.value for element in (*app.info, *app.warning, *app.error))
    assert words in shown
    assert "secret" not in shown
    assert not app.exception


@pytest.mark.parametrize(
    "text", ["![x](https://elsewhere.example/p.png)", ":red[x] :material/home: $a^2$", "<img src=x>", "`a` **b** | # c"]
)
def test_what_a_box_quotes_is_text(text: str) -> None:
    assert not re.search(r"(?<!\\)[!-/:-@\[-`{-~]", re.sub(r"\\[!-/:-@\[-`{-~]", "", as_text(text)))
    assert re.sub(r"\\(.)", r"\1", as_text(text)) == text


def _draw_overtaken(overtaken: int, drawn: "list[tuple[int, bool]]") -> None:  # noqa: UP037 - run from its source, where no name is imported
    from threading import Event
    from types import SimpleNamespace
    from unittest.mock import patch

    from access.view import Overtaken
    from pages import PAGES
    from shell import entry

    view: Any = SimpleNamespace(drawing=Event())

    def render(view: SimpleNamespace) -> None:
        drawn.append((len(drawn), view.drawing.is_set()))
        if view.drawing.is_set() and len(drawn) <= overtaken:
            raise Overtaken("there is a newer snapshot")

    with patch.object(entry, "import_module", lambda name: SimpleNamespace(render=render)):
        entry._draw(PAGES[0], view)
    assert not view.drawing.is_set()


@pytest.mark.parametrize(("overtaken", "runs"), [(0, 1), (1, 2), (2, 3), (50, 4)])
def test_an_overtaken_page_is_begun_anew_a_few_times_then_brought_to_its_end(overtaken: int, runs: int) -> None:
    drawn = list[tuple[int, bool]]()
    app = AppTest.from_function(_draw_overtaken, args=(overtaken, drawn), default_timeout=60).run()
    assert not app.exception
    assert [number for number, _ in drawn] == list(range(runs))
    assert drawn[-1][1] == (overtaken < 3)
    # The next time it may be begun anew again.
    drawn.clear()
    app.run()
    assert next(is_followed for _, is_followed in drawn)
