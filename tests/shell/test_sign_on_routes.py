"""The company's sign-on as a browser meets it: the button, the way out with a cookie, the way back with a session."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.open_id_provider import SECRET, OpenIdProvider, callback_path, new_key, open_id_provider, settings_text
from tests.serving import Served, serve


@pytest.fixture(scope="module")
def idp() -> Iterator[OpenIdProvider]:
    """A provider at which a manager is about to sign in."""
    with open_id_provider(new_key()) as provider:
        provider.claims = {"sub": "u-1", "preferred_username": "zhao", "name": "Zhao", "groups": ["acme-managers"]}
        yield provider


@pytest.fixture(scope="module")
def company(idp: OpenIdProvider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The interface with that provider."""
    home = tmp_path_factory.mktemp("home")
    file = home / "sign_on.toml"
    file.write_text(settings_text(idp, "http://localhost:8600/auth/oidc/callback"), encoding="utf-8")
    with serve(home, CONTROL_ROOM_SIGN_ON=str(file), CONTROL_ROOM_SIGN_ON_SECRET=SECRET) as running:
        yield running


def _start(company: Served, path: str = "/auth/oidc/start?next=%2Forders") -> tuple[str, str]:
    answer = company.ask("GET", path)
    assert answer.status == 303, answer.body
    return str(answer.headers["set-cookie"]), str(answer.headers["location"])


def test_browser_comes_back_with_a_session_to_the_page_it_asked_for(company: Served, idp: OpenIdProvider) -> None:
    cookie, address = _start(company)
    assert {"httponly", "samesite=lax", "path=/"} <= {flag.strip().lower() for flag in cookie.split(";")}
    assert parse_qs(urlsplit(address).query)["redirect_uri"] == ["http://localhost:8600/auth/oidc/callback"]
    answer = company.ask("GET", callback_path(idp.sign_in(address)), Cookie=cookie.split(";")[0])
    assert (answer.status, answer.headers["location"]) == (303, "/orders")
    session = next(text for text in answer.headers.get_all("set-cookie") or [] if text.startswith("control_room_session="))
    assert company.ask("GET", "/", Cookie=session.split(";")[0]).status == 200


def test_browser_confirms_its_session_and_comes_back_to_the_page_without_another_one(
    company: Served, idp: OpenIdProvider
) -> None:
    cookie, address = _start(company)
    answer = company.ask("GET", callback_path(idp.sign_in(address)), Cookie=cookie.split(";")[0])
    session = next(text for text in answer.headers.get_all("set-cookie") or [] if text.startswith("control_room_session="))
    mine = session.split(";")[0]
    begun = company.ask("GET", "/auth/oidc/start?confirm=1&next=%2Forder%3Forder_id%3D1", Cookie=mine)
    address = str(begun.headers["location"])
    asked = parse_qs(urlsplit(address).query)
    assert (asked["prompt"], asked["max_age"]) == (["login"], ["0"])
    way = str(begun.headers["set-cookie"]).split(";")[0]
    done = company.ask("GET", callback_path(idp.sign_in(address)), Cookie=f"{way}; {mine}")
    assert (done.status, done.headers["location"]) == (303, "/order?order_id=1")
    assert not [text for text in done.headers.get_all("set-cookie") or [] if text.startswith("control_room_session=")]
    assert company.ask("GET", "/", Cookie=mine).status == 200


def test_cookie_of_the_way_is_host_bound_behind_tls(company: Served) -> None:
    answer = company.ask("GET", "/auth/oidc/start", X_Forwarded_Proto="https")
    flags = str(answer.headers["set-cookie"])
    assert flags.startswith("__Host-control_room_sign_on=")
    assert "secure" in flags.lower()


def test_unknown_role_is_refused_with_a_page_that_says_so(company: Served, idp: OpenIdProvider) -> None:
    idp.claims = {"sub": "u-2", "preferred_username": "sun", "groups": ["nobody"]}
    cookie, address = _start(company)
    answer = company.ask("GET", callback_path(idp.sign_in(address)), Cookie=cookie.split(";")[0], Accept_Language="zh-CN")
    assert answer.status == 403
    assert "没有角色" in answer.body.decode()
    assert not [text for text in answer.headers.get_all("set-cookie") or [] if text.startswith("control_room_session=")]


def test_answer_without_the_cookie_is_refused(company: Served, idp: OpenIdProvider) -> None:
    _, address = _start(company)
    assert company.ask("GET", callback_path(idp.sign_in(address))).status == 403


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example"])
def test_way_back_never_leaves_the_site(company: Served, idp: OpenIdProvider, target: str) -> None:
    idp.claims = {"sub": "u-1", "preferred_username": "zhao", "groups": ["acme-managers"]}
    cookie, address = _start(company, f"/auth/oidc/start?next={target}")
    answer = company.ask("GET", callback_path(idp.sign_in(address)), Cookie=cookie.split(";")[0])
    assert answer.headers["location"] == "/"


def test_button_is_there_where_a_provider_is_and_its_name_is_text(company: Served) -> None:
    page = company.ask("GET", "/auth/sign-in").body.decode()
    assert 'href="/auth/oidc/start?lang=en"' in page
    assert "Acme &lt;b&gt;account&lt;/b&gt;" in page


def test_without_a_provider_there_is_neither_button_nor_route(served: Served) -> None:
    assert "/auth/oidc" not in served.ask("GET", "/auth/sign-in").body.decode()
    for path in ("/auth/oidc/start", "/auth/oidc/callback?code=x&state=y"):
        assert served.ask("GET", path).status == 404
