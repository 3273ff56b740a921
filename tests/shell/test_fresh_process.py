"""A process that has just started, asked for a page by its deep link before anything else: every page of the menu.

Streamlit runs a file of a `pages/` folder beside its main script without that script until something calls
`st.navigation`; a door that holds only after the first visit is no door.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus

from access.audit import LOCAL
from access.audit_rows import list_audit
from access.session import start_session
from access.store import open_store
from access.user import ROLES, Role, User, add_user
from config import read_settings
from i18n import translate
from pages import PAGES, Page
from tests.protocol import tab
from tests.serving import serve, serve_from_scratch


def refused_roles(page: Page) -> list[Role]:
    """The roles that the page is not for; one of them is tried, another one for each page."""
    return [role for role in ROLES if role not in page.roles]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.url_path)
def test_first_request_of_a_process_leads_to_sign_in_and_its_first_run_refuses_who_may_not_see_the_page(
    tmp_path: Path, page: Page
) -> None:
    store = open_store(read_settings({}, home=tmp_path))
    roles = refused_roles(page)
    if roles:
        role = roles[PAGES.index(page) % len(roles)]
        user = User(name="li", display_name="li", role=role, regions=("CN-EAST",))
        add_user(store, user, password_hash="x", now=datetime.now(UTC), by=LOCAL)
    start = serve_from_scratch if page is PAGES[0] else serve
    with start(tmp_path) as fresh:
        answer = fresh.ask("GET", f"/{page.url_path}?region=CN-EAST")
        assert (answer.status, answer.body) == (303, b"")
        assert answer.headers["location"] == f"/auth/sign-in?next=%2F{page.url_path}%3Fregion%3DCN-EAST"
        with pytest.raises(InvalidStatus), tab(fresh, ""):
            pass
        if roles:
            cookie = f"control_room_session={start_session(store, 'li', datetime.now(UTC))}"
            with tab(fresh, cookie) as opened:
                assert translate("en", "access.no_page") in opened.open(page.url_path)
            denied = list_audit(store, limit=1)[0]
            assert (denied.actor, denied.action, denied.object_id) == ("li", "page_refused", page.url_path)
    store.dispose()
