"""Every path of the running interface, Streamlit's own among them, asked without a session and with a lead's: a scan, not a list.

The paths come from the application's own routes and the menu, so a new one is asked without anyone remembering.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import MagicMock
from urllib.parse import unquote

import pytest
from sqlalchemy import delete, update
from starlette.routing import Mount
from streamlit.web.server.starlette.starlette_app import create_streamlit_routes
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from access.audit import LOCAL
from access.session import start_session
from access.store import SESSIONS, USERS, open_store, writing
from access.user import User, add_user
from config import Settings
from pages import PAGES
from shell.guard import CLOSED_PATHS, OPEN_PATHS, OPEN_PREFIX
from tests.scope.conftest import EAST, MARK
from tests.serving import Answer, Served, serve

FILLED = {"token": "x", "country": "CN", "file_id": "0" * 56 + ".csv", "path": "x/y.js", "session_id": "s", "file_id}": "f"}
METHODS = ("GET", "HEAD", "POST", "PUT", "OPTIONS")
ASIDE = (
    "/journey/../export/orders.csv", "/journey/x/y", "/journey/%2e%2e/export/orders.csv", "/auth/sign-in/../../orders", "/healthz/",
    "/_stcore/health/../metrics", "/_stcore//metrics", "/_STCORE/metrics", "/_stcore/%6detrics", "//orders",
    "//evil.example/", "/\\evil.example/", "/%5cevil.example/", "/%2f%2fevil.example/", "/orders/..;/",
    "/static/../app.py", "/static/..%2f..%2fapp.py", "/app/static/keys.json", "/keys.json", "/store.sqlite", "/var/keys.json",
    "/pages/wall.py", "/shell/main.py", "/.streamlit/config.toml", "/.streamlit/secrets.toml", "/.git/config", "/docs", "/openapi.json",
    "/_stcore/script-health-check", "/_stcore/allowed-message-origins", "/geo/../keys.json", "/geo/..%2f..%2fkeys.json",
)  # fmt: skip


def _paths() -> list[str]:
    """A path of every route of the application, with something in its parameters; every page below its name and aside."""
    import app

    routes = [*app.app._user_routes, *create_streamlit_routes(MagicMock())]
    found = [route.path for route in routes if not isinstance(route, Mount)]  # type: ignore[attr-defined]
    filled = [re.sub(r"\{(\w+)(:\w+)?\}", lambda match: FILLED[match[1]], path) for path in found]
    assert {"/auth/sign-in", "/export/orders.csv", "/_stcore/stream", "/media/" + FILLED["file_id"]} <= set(filled)
    return [*dict.fromkeys((*filled, "/", "/index.html", *(f"/{page.url_path}" for page in PAGES), *ASIDE))]


@pytest.fixture(scope="module")
def served(country: Settings) -> Iterator[Served]:
    """The interface over the country, without demo accounts."""
    with serve(country.home, CONTROL_ROOM_DEMO="false", CONTROL_ROOM_MEMORY_LIMIT="512MB") as running:
        yield running


@pytest.fixture
def cookie(country: Settings) -> str:
    """A session of the lead of East China."""
    store = open_store(country)
    secret = start_session(store, "east", datetime.now(UTC))
    store.dispose()
    return f"control_room_session={secret}"


DEAD: dict[str, Any] = {
    "expired": None,
    "closed": {"is_disabled": True},
    "locked": {"locked_at": datetime(2026, 1, 1, tzinfo=UTC)},
    "removed": {"deleted_at": datetime(2026, 1, 1, tzinfo=UTC)},
}
"""Sessions that are over without anyone having ended them: by what their account became, or by time."""


@pytest.fixture(params=[*DEAD, "forged"])
def dead_cookie(country: Settings, request: pytest.FixtureRequest) -> Iterator[str]:
    """The cookie of a session of one more lead that is over."""
    store, kind, now = open_store(country), str(request.param), datetime.now(UTC)
    name = f"dead-{kind}"
    add_user(store, User(name=name, display_name=name, role="lead", regions=(EAST,)), password_hash="x", now=now, by=LOCAL)
    secret = start_session(store, name, now - timedelta(days=90) if kind == "expired" else now)
    mine = USERS.c.name == name
    with writing(store) as connection:
        if values := DEAD.get(kind):
            connection.execute(update(USERS).where(mine).values(**values))
    yield f"control_room_session={secret[:-1] + ('A' if secret[-1] != 'A' else 'B') if kind == 'forged' else secret}"
    with writing(store) as connection:
        connection.execute(delete(SESSIONS).where(SESSIONS.c.user_name == name))
        connection.execute(delete(USERS).where(mine))
    store.dispose()


def _is_open(path: str) -> bool:
    return path in OPEN_PATHS or (path.startswith(OPEN_PREFIX) and path.count("/") == 2)


def _is_starting(path: str, answer: Answer) -> bool:
    """Whether the answer is that of a server which has not read the recent orders yet."""
    return path == "/readyz" and answer.status == 503


def _readable(answer: Answer) -> str:
    """The body as text; of a workbook, what its parts hold."""
    if answer.body.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(answer.body)) as book:
            return " ".join(book.read(name).decode("utf-8", "replace") for name in book.namelist())
    return answer.body.decode("utf-8", "replace")


def test_without_a_session_every_path_says_nothing_but_sign_in(served: Served) -> None:
    for path in _paths():
        for method in METHODS:
            answer = served.ask(method, path)
            told = (method, path, answer.status, answer.body[:80])
            if unquote(path).startswith(CLOSED_PATHS):
                assert answer.status == 404, told
            elif _is_open(path):
                assert MARK not in _readable(answer), told
                assert answer.status < 500 or _is_starting(path, answer), told
            elif method in ("GET", "HEAD") and not path.startswith("/media/"):
                assert (answer.status, answer.body) == (303, b""), told
                assert str(answer.headers["location"]).startswith("/auth/sign-in"), told
            else:
                assert (answer.status, answer.body) in ((401, b"Sign in first"), (401, b"")), told


def test_with_a_session_that_is_over_every_path_says_nothing_but_sign_in(served: Served, dead_cookie: str) -> None:
    for path in _paths():
        answer = served.ask("GET", path, Cookie=dead_cookie)
        told = (path, answer.status, answer.body[:80])
        if not unquote(path).startswith(CLOSED_PATHS) and not _is_open(path):
            assert (answer.status, answer.body) in ((303, b""), (401, b"Sign in first")), told
        assert MARK not in _readable(answer).lower(), told
    with pytest.raises(InvalidStatus) as refused:
        connect(
            f"ws://localhost:{served.port}/_stcore/stream",
            additional_headers={"Cookie": dead_cookie},
            origin=Origin(served.url),
        )
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize("query", ["lang=en", "region=CN-SOUTH&window=all", "snapshot=1&window=all&as_of=2026-03-02T08:00Z"])
def test_with_a_leads_session_no_path_holds_anything_of_elsewhere(served: Served, cookie: str, query: str) -> None:
    for path in _paths():
        answer = served.ask("GET", f"{path}?{query}", Cookie=cookie)
        told = (path, answer.status, answer.body[:80])
        assert answer.status < 500 or _is_starting(path, answer), told
        assert MARK not in _readable(answer).lower(), told
        assert re.match(r"/(?![/\\])", str(answer.headers.get("location", "/x"))), told
        assert (answer.status == 404) or not path.startswith(CLOSED_PATHS), told
    assert served.ask("GET", "/export/orders.csv?lang=en&window=all", Cookie=cookie).status == 200


def test_no_path_takes_anything_from_another_sites_page(served: Served, cookie: str) -> None:
    for path in _paths():
        for method in METHODS[2:]:
            answer = served.ask(method, path, Cookie=cookie, Origin="https://elsewhere.example")
            assert answer.status in (204, 308, 400, 401, 403, 404, 405), (method, path, answer.status)
            allowed = answer.headers.get("access-control-allow-origin", "")
            assert "elsewhere" not in allowed, (method, path)
            assert allowed != "*" or answer.headers.get("access-control-allow-credentials") != "true", (method, path)
    assert served.ask("GET", "/", Cookie=cookie).status == 200, "the session goes on"


@pytest.mark.parametrize("origin", [None, "null", "https://elsewhere.example", "http://localhost:9", "http://localhost"])
def test_websocket_is_opened_by_a_page_of_this_very_site_only(served: Served, cookie: str, origin: str | None) -> None:
    where = f"ws://localhost:{served.port}/_stcore/stream"
    with pytest.raises(InvalidStatus) as refused:
        connect(where, additional_headers={"Cookie": cookie}, origin=Origin(origin) if origin else None)
    assert refused.value.response.status_code == 403
    with connect(where, additional_headers={"Cookie": cookie}, origin=Origin(served.url)):
        pass
