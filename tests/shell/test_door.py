"""The door in front of Streamlit: no session, no answer; every answer carries the headers; bundles are packed."""

from __future__ import annotations

import gzip
import json
import re
from datetime import UTC, datetime
from html import escape
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import quote

import pytest
import streamlit
from sqlalchemy import Engine
from starlette.responses import PlainTextResponse
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from access.audit import LOCAL
from access.store import open_store
from access.user import set_disabled
from config import read_settings
from shell.guard import local_path, lost_page
from shell.packed_static import PackedStatic
from tests.serving import Served, serve, serve_from_scratch

STATIC = Path(streamlit.__file__).parent / "static" / "static"
BUNDLE = next(file for file in sorted((STATIC / "js").glob("index.*.js")) if file.stat().st_size > 100_000)


def test_first_request_of_a_fresh_process_to_a_page_leads_to_sign_in(tmp_path: Path) -> None:
    with serve_from_scratch(tmp_path) as fresh:
        answer = fresh.ask("GET", "/wall?region=CN-EAST")
        assert fresh.sign_in("east")
    assert answer.status == 303
    assert answer.headers["location"] == "/auth/sign-in?next=%2Fwall%3Fregion%3DCN-EAST"


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/wall",
        "/wall/",
        "/orders",
        "/pages/wall.py",
        "/index.html",
        "/static/js/x.js",
        "/component/x/y",
        "/_stcore/host-config",
    ],
)
def test_nothing_is_served_without_a_session(served: Served, path: str) -> None:
    assert served.ask("GET", path).status == 303


@pytest.mark.parametrize("path", ["/media/0000", "/media/" + "0" * 56 + ".csv"])
def test_download_without_a_session_is_refused(served: Served, path: str) -> None:
    assert served.ask("GET", path).status == 401


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_nothing_is_taken_without_a_session(served: Served, method: str) -> None:
    assert served.ask(method, "/orders").status == 401


@pytest.mark.parametrize("path", ["/auth/sign-in", "/auth/sign-in.css", "/healthz", "/_stcore/health"])
def test_open_paths_answer_without_a_session(served: Served, path: str) -> None:
    assert served.ask("GET", path).status == 200


def test_readiness_is_told_without_a_session_and_tells_nothing_else(served: Served) -> None:
    answer = served.ask("GET", "/readyz")
    told = json.loads(answer.body)
    assert told["status"] in ("starting", "ready", "settled")
    assert answer.status == (503 if told["status"] == "starting" else 200)
    assert set(told) == {"status"}


def _open_websocket(served: Served, cookie: str) -> None:
    headers = {"Cookie": cookie} if cookie else {}
    with connect(f"ws://localhost:{served.port}/_stcore/stream", additional_headers=headers, origin=Origin(served.url)):
        pass


@pytest.mark.parametrize("cookie", ["", "control_room_session=guess"])
def test_websocket_without_a_session_is_refused(served: Served, cookie: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        _open_websocket(served, cookie)
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize(
    ("path", "lost"), [("/nosuchpage", "nosuchpage"), ("/Orders/", "Orders"), ("/orders", ""), ("/x.js", "")]
)
def test_a_page_that_is_not_there_leads_to_the_start(path: str, lost: str) -> None:
    assert lost_page(path) == lost


def test_session_opens_pages_and_websocket(served: Served) -> None:
    cookie = served.sign_in("manager")
    assert served.ask("GET", "/", Cookie=cookie).status == 200
    _open_websocket(served, cookie)


def test_cookie_cannot_be_read_by_scripts_or_sent_from_other_sites(served: Served) -> None:
    answer = served.ask("POST", "/auth/sign-in", form={"name": "manager", "password": "demo-manager"})
    flags = answer.headers["set-cookie"].lower()
    assert "httponly" in flags
    assert "samesite=lax" in flags
    assert "path=/" in flags
    assert "domain" not in flags


def test_cookie_is_secure_and_host_bound_behind_tls(served: Served) -> None:
    form = {"name": "manager", "password": "demo-manager"}
    answer = served.ask("POST", "/auth/sign-in", form=form, X_Forwarded_Proto="https", Origin=f"https://localhost:{served.port}")
    flags = answer.headers["set-cookie"]
    assert flags.startswith("__Host-control_room_session=")
    assert "secure" in flags.lower()
    assert answer.headers["strict-transport-security"]


def test_cookie_replayed_after_sign_out_is_refused(served: Served) -> None:
    cookie = served.sign_in("manager")
    assert served.ask("POST", "/auth/sign-out", Cookie=cookie).status == 303
    assert served.ask("GET", "/", Cookie=cookie).status == 303
    with pytest.raises(InvalidStatus):
        _open_websocket(served, cookie)


def test_sign_out_from_another_site_changes_nothing(served: Served) -> None:
    cookie = served.sign_in("manager")
    for origin in ("https://elsewhere.example", "null", ""):
        assert served.ask("POST", "/auth/sign-out", Cookie=cookie, Origin=origin).status == 403
    assert served.ask("GET", "/", Cookie=cookie).status == 200


def test_sign_in_from_another_site_is_refused(served: Served) -> None:
    form = {"name": "manager", "password": "demo-manager"}
    answer = served.ask("POST", "/auth/sign-in", form=form, Origin="https://elsewhere.example")
    assert answer.status == 403
    assert answer.headers["set-cookie"] is None
    assert served.ask("POST", "/auth/sign-in", form=form | {"next": "/" * 20_000}).status == 413


@pytest.mark.parametrize("length", [{}, {"Content-Length": "5"}])
def test_a_form_in_chunks_is_refused_unread_whatever_length_it_names(served: Served, length: dict[str, str]) -> None:
    headers = {"Origin": served.url, "Content-Type": "application/x-www-form-urlencoded", "Transfer-Encoding": "chunked"}
    connection = HTTPConnection("localhost", served.port, timeout=20)
    form = b"name=manager&password=demo-manager&next=" + b"/" * 20_000
    body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(form), form)
    connection.request("POST", "/auth/sign-in", body=body, headers=headers | length)
    assert connection.getresponse().status == 413
    connection.close()


def _store(served: Served) -> Engine:
    return open_store(read_settings({}, home=served.home))


def test_disabled_account_is_out_at_once(served: Served) -> None:
    cookie = served.sign_in("analyst")
    store = _store(served)
    set_disabled(store, "analyst", is_disabled=True, now=datetime.now(UTC), by=LOCAL)
    assert served.ask("GET", "/", Cookie=cookie).status == 303
    set_disabled(store, "analyst", is_disabled=False, now=datetime.now(UTC), by=LOCAL)
    assert served.ask("GET", "/", Cookie=cookie).status == 303


def test_sixth_wrong_password_is_told_to_wait(served: Served) -> None:
    form = {"name": "admin", "password": "wrong", "lang": "en"}
    answers = [served.ask("POST", "/auth/sign-in", form=form) for _ in range(6)]
    assert [answer.status for answer in answers] == [401] * 5 + [429]
    assert b"Try again in" in answers[-1].body


@pytest.mark.parametrize(
    ("target", "expected"),
    [("/wall?region=CN-EAST", "/wall?region=CN-EAST"), ("//evil.example", "/"), ("https://evil.example", "/")],
)
def test_sign_in_leads_to_pages_of_this_site_only(served: Served, target: str, expected: str) -> None:
    form = {"name": "manager", "password": "demo-manager", "next": target}
    assert served.ask("POST", "/auth/sign-in", form=form).headers["location"] == expected


@pytest.mark.parametrize(
    "target", [None, "", "wall", "//x", "/\\x", "/\\/x", "http:x", "javascript:alert(1)", "/a\nb", "/auth/sign-in", "/x\\y"]
)
def test_anything_but_a_local_path_becomes_the_start(target: str | None) -> None:
    assert local_path(target) == "/"


def test_every_answer_carries_the_security_headers(served: Served) -> None:
    cookie = served.sign_in("manager")
    open_paths = [(path, "") for path in ("/", "/auth/sign-in", "/healthz")]
    for path, sent in (*open_paths, ("/", cookie), (f"/static/js/{BUNDLE.name}", cookie)):
        answer = served.ask("GET", path, Cookie=sent)
        policy = answer.headers["content-security-policy"]
        assert "object-src 'none'" in policy or "default-src 'none'" in policy
        assert "base-uri 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe-inline" not in policy.split("style-src")[0]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"


def test_doors_that_no_page_uses_are_closed_for_everyone(served: Served) -> None:
    cookie = served.sign_in("manager")
    doors = ("/_stcore/metrics", "/_stcore/agent/openapi.json", "/auth/login", "/auth/logout", "/oauth2callback")
    for method, path in (
        *(("GET", path) for path in doors),
        ("PUT", "/_stcore/upload_file/a/b"),
        ("DELETE", "/_stcore/upload_file/a/b"),
    ):
        assert served.ask(method, path).status == 404
        assert served.ask(method, path, Cookie=cookie).body == b"Not found"


def test_bundles_come_packed_and_whole(served: Served) -> None:
    cookie = served.sign_in("manager")
    packed = served.ask("GET", f"/static/js/{BUNDLE.name}", Cookie=cookie, Accept_Encoding="gzip")
    assert packed.headers["content-encoding"] == "gzip"
    assert "immutable" in packed.headers["cache-control"]
    assert gzip.decompress(packed.body) == BUNDLE.read_bytes()
    assert len(packed.body) < BUNDLE.stat().st_size / 2


@pytest.mark.parametrize(
    "path", ["/static/../../__init__.py", "/static/../../static/manifest.json", "/static/../manifest.json", "/static/js"]
)
def test_packing_stays_inside_its_folder(path: str) -> None:
    assert PackedStatic(PlainTextResponse("passed on"), folder=STATIC).file_of(path) is None


def test_foreign_host_name_is_refused_where_demo_accounts_exist(served: Served) -> None:
    assert served.ask("GET", "/auth/sign-in", Host="rebound.example").status == 421


@pytest.mark.parametrize(("wanted", "words"), [("zh-CN,zh;q=0.9", "登录"), ("en-GB", "Sign in"), ("fr", "Sign in")])
def test_sign_in_page_speaks_the_browsers_language(served: Served, wanted: str, words: str) -> None:
    page = served.ask("GET", "/auth/sign-in", Accept_Language=wanted).body.decode()
    assert words in page
    assert "demo-manager" in page


def test_next_is_written_as_text(served: Served) -> None:
    page = served.ask(
        "GET", '/auth/sign-in?next=/"><script>alert(1)</script>'.replace('"', "%22").replace("<", "%3C").replace(">", "%3E")
    )
    assert b"<script" not in page.body


HOSTILE = (
    '/"><svg/onload=alert(1)>',
    "/'><img src=x onerror=alert(1)>",
    "/</title></textarea><script>alert(1)</script>",
    "/&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;",
    '/"onfocus=alert(1) autofocus="',
    "/<a href=javascript:alert(1)>",
    "/$language ${next} $$ {{7*7}}",
    "/＜script＞alert(1)＜/script＞",
)


@pytest.mark.parametrize("target", HOSTILE)
def test_hostile_text_stands_in_the_sign_in_page_as_text_only(served: Served, target: str) -> None:
    page = served.ask("GET", f"/auth/sign-in?lang=en&next={quote(target)}").body.decode()
    assert f'name="next" value="{escape(target)}"' in page
    assert not re.search(r"<(script|svg|img|a href=javascript)|\"\s*on\w+=", page)


@pytest.mark.parametrize(
    "target",
    ["///evil.example", "/\t/evil.example", "/%09//evil.example\r\nSet-Cookie: x=1", "https:/evil.example", "\\/evil.example", "/\x00/x", "/x\x7f",
     " //evil.example", "?next=//evil.example", "#//evil.example", "data:text/html,x", "/\u2028x", "/auth/oidc/start?next=/"],
)  # fmt: skip
def test_more_that_is_no_local_path_becomes_the_start(target: str) -> None:
    assert local_path(target) == "/"


def test_no_demo_accounts_where_the_demo_is_off(tmp_path: Path) -> None:
    with serve(tmp_path, CONTROL_ROOM_DEMO="false") as plain:
        assert not re.search(rb"demo-(manager|east|analyst|admin)", plain.ask("GET", "/auth/sign-in").body)
        answer = plain.ask("POST", "/auth/sign-in", form={"name": "manager", "password": "demo-manager"})
    assert answer.status == 401


def test_start_page_is_found_under_its_own_name_too(served: Served) -> None:
    answer = served.ask("GET", "/wall?region=CN-EAST", Cookie=served.sign_in("manager"))
    assert (answer.status, answer.headers["location"]) == (307, "/?region=CN-EAST")


def test_pages_are_not_kept_by_the_browser(served: Served) -> None:
    assert served.ask("GET", "/", Cookie=served.sign_in("manager")).headers["cache-control"] == "no-store"
