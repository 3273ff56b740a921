"""The log: one line of JSON per record whatever is in it, with the request's id, and no secret of the home in it."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jwt
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Message, Scope

from access.audit import LOCAL
from access.journey import Journey, make_token
from access.password import hash_password
from access.sign_in import sign_in
from access.store import open_store
from access.user import User, add_user
from config import Settings, read_settings
from data.keys import as_text, read_keys
from shell.log import LEFT_OUT, REQUEST_ID, JsonLines, RequestLog, secrets_of, start_log, without_secrets
from tests.access.conftest import NOW, PASSWORD

PHONE = "13812345678"


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    """A home whose settings hold secrets."""
    url = "postgresql+psycopg://room:p%40ss-word-of-pg@db/room"
    return read_settings({}, home=tmp_path, store_url="", catalogue=url, sign_on_secret="a-secret-of-the-client-7f3a")


@pytest.fixture
def log(home: Settings) -> Iterator[io.StringIO]:
    """What is logged, as `start_log` lets it be written; everything as it was afterwards."""
    root, stream = logging.getLogger(), io.StringIO()
    read_keys(home)
    loggers = [one for one in logging.root.manager.loggerDict.values() if isinstance(one, logging.Logger)]
    before = [(one, list(one.handlers), one.propagate, one.level) for one in (root, *loggers)]
    start_log(secrets_of(home), stream=stream)
    yield stream
    for one, handlers, propagate, level in before:
        one.handlers[:], one.propagate = handlers, propagate
        one.setLevel(level)


def _lines(log: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


def test_real_secrets_that_pass_through_are_left_out(home: Settings, log: io.StringIO) -> None:
    keys = read_keys(home)
    store = open_store(home)
    password_hash = hash_password(PASSWORD)
    add_user(store, User(name="li", display_name="", role="manager"), password_hash=password_hash, now=NOW, by=LOCAL)
    cookie = sign_in(store, "li", PASSWORD, address="192.0.2.1", now=NOW).secret
    token = make_token(Journey(channel="jd", order_id="S1", expires_at=datetime(2100, 1, 1, tzinfo=UTC)), keys.signing)
    signed = jwt.encode({"sub": "u-17"}, keys.signing, algorithm="HS256")
    written = [line.split('"')[-2] for line in as_text(keys).splitlines() if "signing" in line or "search" in line]
    logger = logging.getLogger("somebody.else")
    logger.error("asked with headers %s", {"cookie": f"control_room_session={cookie}", "authorization": f"Bearer {signed}"})
    logger.error("form name=li&password=%s&next=/", PASSWORD.replace(" ", "+"))
    logger.error("row %r of %s", {"password_hash": password_hash}, home.catalogue)
    logger.error("keys %s and %s for %s", *written, home.sign_on_secret)
    logger.error("GET /journey/%s and /auth/oidc/callback?code=%s&state=%s", token, "the-code", "the-state")
    logger.error("row of %s <%s>, %s", PHONE, "zhang.san@example.com", "电话+86 138 1234 5678已接通")
    try:
        raise ValueError(f"{home.sign_on_secret} in {written[0]}")
    except ValueError:
        logger.exception("failed for phone %s", PHONE)
    text = log.getvalue()
    told = (
        cookie,
        signed,
        password_hash,
        *written,
        home.sign_on_secret,
        token,
        "the-code",
        "the-state",
        PHONE,
        "zhang.san",
        "1234 5678",
    )
    assert [secret for secret in (*told, "p%40ss-word-of-pg", PASSWORD.replace(" ", "+")) if secret in text] == []
    assert text.count(LEFT_OUT) >= 14
    assert [line["level"] for line in _lines(log)] == ["error"] * 7
    assert "Traceback" in _lines(log)[-1]["trace"]
    store.dispose()


@pytest.mark.parametrize("value", ["two\nlines", '\r\n{"level": "forged"}', "\u2028sep", "\x1b[31mred", '"quoted"', "中文"])
def test_value_with_anything_in_it_stays_one_record(log: io.StringIO, value: str) -> None:
    logging.getLogger("control_room.interface").warning("page %s", value)
    assert len(log.getvalue().rstrip("\n").split("\n")) == 1
    assert json.loads(log.getvalue())["text"] == f"page {value}"


def test_record_that_cannot_be_put_together_is_still_logged() -> None:
    record = logging.LogRecord("x", logging.WARNING, __file__, 1, "%d of %d", ("one",), None)
    assert json.loads(JsonLines().format(record))["text"] == "%d of %d"


@pytest.mark.parametrize(
    "text",
    [
        "snapshot 1234567, 20260301T090000",
        "order jd/20260301123456789",
        "17,500 rows in 3.2 s",
        "secretary of state",
        "at 2026-03-01T09:00:00Z",
    ],
)
def test_plain_words_and_numbers_stay(text: str) -> None:
    assert without_secrets(text) == text


def _ask(status: int, path: str = "/orders", **headers: str) -> tuple[Message, str]:
    """One request through the middleware: how the answer starts, and the id that the application saw."""
    seen, sent = [], list[Message]()

    async def application(scope: Scope, receive: Any, send: Any) -> None:
        seen.append(REQUEST_ID.get())
        await PlainTextResponse("x", status_code=status)(scope, receive, send)

    async def send(message: Message) -> None:
        sent.append(message)

    raw = [(name.replace("_", "-").lower().encode(), value.encode()) for name, value in headers.items()]
    scope: Scope = {"type": "http", "method": "GET", "path": path, "query_string": b"search=" + PHONE.encode(), "headers": raw}
    asked = RequestLog(application)(scope, None, send)  # type: ignore[arg-type]
    with ThreadPoolExecutor(1) as thread:  # a browser of other tests may have a loop running in this one
        thread.submit(asyncio.run, asked).result()
    return sent[0], seen[0]


def test_request_has_an_id_that_the_answer_and_the_log_carry(log: io.StringIO) -> None:
    start, seen = _ask(403)
    assert dict(start["headers"])[b"x-request-id"].decode() == seen
    line = _lines(log)[0]
    assert (line["request"], line["status"], line["path"], line["method"]) == (seen, 403, "/orders", "GET")
    assert PHONE not in log.getvalue()
    assert _ask(403)[1] != seen
    assert REQUEST_ID.get() == ""


def test_a_proxys_id_is_taken_when_it_is_one(log: io.StringIO) -> None:
    assert _ask(200, X_Request_Id="abcdef-0123456789")[1] == "abcdef-0123456789"
    for forged in ("short", "x" * 65, 'a"b{}c,d:e-f', "new line 1234567"):
        assert _ask(200, X_Request_Id=forged)[1] != forged
    assert log.getvalue() == ""


def test_secrets_of_a_home_are_known_and_short_words_are_none(home: Settings) -> None:
    keys = json.loads(as_text(read_keys(home)))
    known = secrets_of(home, "", "abc")
    assert {keys["signing"], keys["search"], keys["contacts"][0]["key"], "p@ss-word-of-pg", home.sign_on_secret} <= set(known)
    assert "abc" not in known
    assert JsonLines(known).known == known
