"""Each channel against a server that answers like the real one: yes, no inside a 200, lies, hangs, redirects, limits."""

from __future__ import annotations

import base64
import email
import email.policy
import hashlib
import hmac
import json
import re
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from alerts.channels import CHANNELS, deliver
from alerts.delivery import Line, Post
from alerts.destination import AllowList
from alerts.long_tail import SERVICES
from tests.alerts.server import serve

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
POST = Post(
    id="alert-1-2",
    title="[Critical] Late orders",
    lines=("East China: 18.0% (> 15.0%), since 03-10 11:00", "<img src=x onerror=alert(1)> *bold* [x](http://x)"),
    payload={"type": "alerts", "rule": "late", "alerts": [{"value": 0.18}]},
)
LINE = Line(allowed=AllowList(private=("127.0.0.1",)), environment={"HOOK_SECRET": "shh"}, now=NOW, timeout=2)

YES: dict[str, tuple[int, bytes]] = {
    "dingtalk": (200, b'{"errcode":0,"errmsg":"ok"}'),
    "wecom": (200, b'{"errcode":0,"errmsg":"ok"}'),
    "feishu": (200, b'{"StatusCode":0,"StatusMessage":"success","code":0,"data":{},"msg":"success"}'),
    "lark": (200, b'{"code":0,"data":{},"msg":"success"}'),
    "slack": (200, b"ok"),
    "teams": (202, b""),
    "webhook": (204, b""),
    "apprise": (200, b'{"id":"x","event":"message"}'),
}
NO: list[tuple[str, int, bytes, str]] = [
    ("dingtalk", 200, b'{"errcode":310000,"errmsg":"sign not match"}', "never"),
    ("dingtalk", 200, b'{"errcode":130101,"errmsg":"send too fast"}', "later"),
    ("wecom", 200, b'{"errcode":93000,"errmsg":"invalid webhook url"}', "never"),
    ("wecom", 200, b'{"errcode":45009,"errmsg":"api freq out of limit"}', "later"),
    ("feishu", 200, b'{"code":19021,"msg":"sign match fail or timestamp is not within one hour"}', "never"),
    ("feishu", 200, b'{"code":9499,"msg":"too many request"}', "later"),
    ("lark", 200, b'{"code":19001,"msg":"param invalid: incoming webhook access token invalid"}', "never"),
    ("slack", 403, b"invalid_token", "never"),
    ("slack", 200, b"<html>proxy login</html>", "later"),
    ("teams", 200, b"Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429", "later"),
    ("teams", 404, b"", "never"),
    ("webhook", 410, b"", "never"),
    ("apprise", 403, b'{"code":40301,"http":403,"error":"forbidden"}', "never"),
    ("apprise", 200, b'{"code":903,"msg":"no such user"}', "later"),
    ("apprise", 200, b'{"ok":false}', "later"),
]


MAIL = {"host": "127.0.0.1", "sender": "room@example.com", "to": ["li@example.com"]}
LIES = [b"", b"ok", b"[]", b'{"errmsg":"ok"}', b'{"errcode":"0","code":"0"}', b"\xff\xfe", b'{"errcode":false,"code":false}']


def _settings(channel: str, url: str) -> dict[str, Any]:
    if channel == "apprise":
        return {"url": url.replace("http://", "ntfy://")}
    return {"url": url} | ({"secret": "env:HOOK_SECRET"} if "secret" in {f.rstrip("?") for f in CHANNELS[channel].fields} else {})


def test_every_channel_has_its_cases() -> None:
    assert set(CHANNELS) == {*YES, "in_app", "email"}


@pytest.mark.parametrize("channel", YES)
def test_accepted_message_is_sent(channel: str) -> None:
    with serve(YES[channel]) as server:
        assert deliver(channel, POST, _settings(channel, server.url), LINE).outcome == "sent"
        assert len(server.asked) == 1


@pytest.mark.parametrize(("channel", "status", "body", "outcome"), NO)
def test_refusal_is_read_from_the_body(channel: str, status: int, body: bytes, outcome: str) -> None:
    with serve((status, body)) as server:
        assert deliver(channel, POST, _settings(channel, server.url), LINE).outcome == outcome


@pytest.mark.parametrize("channel", ["dingtalk", "wecom", "feishu", "lark"])
@pytest.mark.parametrize(
    "body", [b"", b"ok", b"[]", b'{"errmsg":"ok"}', b'{"errcode":"0","code":"0"}', b"\xff\xfe", b'{"errcode":false,"code":false}']
)
def test_answer_that_lies_or_cannot_be_read_is_no_success(channel: str, body: bytes) -> None:
    with serve((200, body)) as server:
        assert deliver(channel, POST, _settings(channel, server.url), LINE).outcome != "sent"


@pytest.mark.parametrize("channel", YES)
def test_redirect_is_never_followed(channel: str) -> None:
    with serve(YES[channel]) as target, serve((302, b"", {"Location": target.url})) as server:
        assert deliver(channel, POST, _settings(channel, server.url), LINE).outcome == "never"
        assert target.asked == []


@pytest.mark.parametrize("channel", YES)
def test_server_error_and_limit_are_tried_again_when_the_server_says(channel: str) -> None:
    with serve((429, b"", {"Retry-After": "120"}), (503, b"")) as server:
        limited = deliver(channel, POST, _settings(channel, server.url), LINE)
        assert (limited.outcome, limited.wait_seconds) == ("later", 120)
        assert deliver(channel, POST, _settings(channel, server.url), LINE).outcome == "later"


def test_server_that_hangs_is_left_in_time() -> None:
    with serve(YES["slack"], delay=5) as server:
        started = time.monotonic()
        line = Line(allowed=LINE.allowed, environment={}, now=NOW, timeout=0.3)
        assert deliver("slack", POST, {"url": server.url}, line).outcome == "later"
        assert time.monotonic() - started < 4


def test_nobody_at_the_port_is_tried_again() -> None:
    with serve(YES["slack"]) as server:
        url = server.url
    assert deliver("slack", POST, {"url": url}, LINE).outcome == "later"


def test_dingtalk_signs_timestamp_and_secret() -> None:
    with serve(YES["dingtalk"]) as server:
        deliver("dingtalk", POST, {"url": server.url + "?access_token=t", "secret": "SECabc"}, LINE)
        given = {name: values[0] for name, values in parse_qs(urlsplit(server.asked[0][0]).query).items()}
    wanted = hmac.new(b"SECabc", f"{given['timestamp']}\nSECabc".encode(), hashlib.sha256).digest()
    assert given == {
        "access_token": "t",
        "timestamp": str(int(NOW.timestamp() * 1000)),
        "sign": base64.b64encode(wanted).decode(),
    }


def test_feishu_signs_with_timestamp_and_secret_as_key() -> None:
    with serve(YES["feishu"]) as server:
        deliver("feishu", POST, {"url": server.url, "secret": "abc"}, LINE)
        body = json.loads(server.asked[0][2])
    wanted = hmac.new(f"{int(NOW.timestamp())}\nabc".encode(), b"", hashlib.sha256).digest()
    assert (body["timestamp"], body["sign"]) == (str(int(NOW.timestamp())), base64.b64encode(wanted).decode())


@pytest.mark.parametrize(("secret", "key"), [("whsec_c2VjcmV0", b"secret"), ("env:HOOK_SECRET", b"shh")])
def test_webhook_is_signed_as_standard_webhooks_say(secret: str, key: bytes) -> None:
    with serve(YES["webhook"]) as server:
        deliver("webhook", POST, {"url": server.url, "secret": secret}, LINE)
        _, headers, body = server.asked[0]
    signed = f"alert-1-2.{int(NOW.timestamp())}.".encode() + body
    wanted = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert (headers["webhook-id"], headers["webhook-timestamp"], headers["webhook-signature"]) == (
        "alert-1-2",
        str(int(NOW.timestamp())),
        wanted,
    )
    assert json.loads(body) == POST.payload


def test_webhook_without_a_secret_is_refused() -> None:
    assert deliver("webhook", POST, {"url": "http://127.0.0.1:9/x"}, LINE).outcome == "never"


def test_secret_that_is_not_there_is_named_and_nothing_goes_out() -> None:
    delivery = deliver("slack", POST, {"url": "env:NOT_SET"}, LINE)
    assert (delivery.outcome, "env:NOT_SET" in delivery.detail) == ("never", True)


@pytest.mark.parametrize(("channel", "shown"), [("dingtalk", "\\<img src"), ("wecom", "＜img src"), ("slack", "&lt;img src")])
def test_text_from_data_formats_nothing(channel: str, shown: str) -> None:
    with serve(YES[channel]) as server:
        deliver(channel, POST, _settings(channel, server.url), LINE)
        content = json.loads(server.asked[0][2])
    text = content.get("text") or content["markdown"].get("text") or content["markdown"]["content"]
    assert shown in text
    assert text.count("<img") == text.count("\\<img")


HOSTILE = (
    "<at user_id=\"all\">x</at> <@all> <!channel> <font color='warning'>",
    "[pay here](javascript:alert(1)) ![x](https://elsewhere.example/p.png) ~~x~~ <https://elsewhere.example|safe>",
    "Hangzhou\n[Critical] forged line\r\n# heading\u2028next\x85more\x0bmore\x1b[31m",
    "\u202egnp.exe {{7*7}} ${7*7} {0.__class__} %s %n &lt;b&gt;",
)


def _texts(content: Any) -> list[str]:
    """Every text of what was sent."""
    if isinstance(content, dict):
        return [text for value in content.values() for text in _texts(value)]
    if isinstance(content, list):
        return [text for value in content for text in _texts(value)]
    return [content] if isinstance(content, str) else []


@pytest.mark.parametrize("channel", ["dingtalk", "wecom", "feishu", "lark", "slack", "teams"])
def test_names_from_data_mention_nobody_link_nowhere_and_begin_no_line(channel: str) -> None:
    message = Post(id="alert-1-3", title=f"Late {HOSTILE[0]}", lines=HOSTILE, payload={})
    with serve(YES[channel]) as server:
        assert deliver(channel, message, _settings(channel, server.url), LINE).outcome == "sent"
        content = json.loads(server.asked[0][2])
    content.get("markdown", {}).pop("title", "")  # DingTalk's list of chats shows it, as plain text
    texts = _texts(content)
    body = "\n".join(texts)
    assert not re.search(r"(?<!\\)<(at|@|!|font|/at|https)", body)
    assert channel in ("feishu", "lark", "slack") or not re.search(r"(?<!\\)\]\(", body), "the only links are the room's own"
    assert [line for line in body.split("\n") if re.match(r"(\[Critical\] forged|# |next|more)", line.lstrip("- "))] == []
    assert not set(body) & set("\r\x1b\x0b\x85\u2028\u202e")
    assert "{{7\\*7}}" in body or "{{7*7}}" in body, "templates print as they are"


@pytest.mark.parametrize("channel", YES)
def test_half_a_sign_in_a_name_stops_no_message(channel: str) -> None:
    half = "half \ud83d"
    with serve(YES[channel]) as server:
        message = Post(id="alert-1-6", title=half, lines=(half,), payload={"labels": {"city": half}})
        assert deliver(channel, message, _settings(channel, server.url), LINE).outcome == "sent"


SAMPLES = {
    "bark": "bark://push.example.com/key", "barks": "barks://push.example.com/key", "discord": f"discord://{'1' * 18}/{'a' * 64}",
    "gchat": "gchat://space/key/token", "gotify": "gotify://push.example.com/token12345",
    "gotifys": "gotifys://push.example.com/token12345", "ntfy": "ntfy://push.example.com/late",
    "ntfys": "ntfys://tk_abc@push.example.com/late?verify=no&redirect=yes&rto=900&attach=http://10.0.0.1/x",
    "pagerduty": f"pagerduty://{'a' * 32}@{'b' * 20}", "pover": f"pover://{'u' * 30}@{'t' * 30}",
    "pushplus": f"pushplus://{'a' * 32}", "schan": "schan://SCT1abc", "signl4": "signl4://secret1",
    "tgram": "tgram://123456789:abcdefg_hijklmnop/12315544", "zulip": f"zulip://room@example/{'a' * 32}/late",
}  # fmt: skip


@pytest.mark.parametrize("scheme", SERVICES)
def test_every_service_of_the_long_tail_asks_through_our_door_alone(scheme: str) -> None:
    """With no host allowed and no look-up possible each is refused, and its address is told to nobody."""

    def nowhere(host: str, port: int) -> str:
        raise AssertionError(f"{host} was looked up")

    line = Line(allowed=AllowList(hosts=()), environment={"ADDRESS": SAMPLES[scheme]}, now=NOW, find=nowhere)
    delivery = deliver("apprise", POST, {"url": "env:ADDRESS"}, line)
    assert delivery.outcome == "never"
    assert re.search(r"is not on the list of hosts|is asked over http", delivery.detail), delivery
    assert SAMPLES[scheme].partition("://")[2] not in delivery.detail


def test_the_long_tail_reaches_no_private_address() -> None:
    line = Line(allowed=AllowList(hosts=("push.example.com",)), environment={}, now=NOW, find=lambda host, port: "10.0.0.1")
    delivery = deliver("apprise", POST, {"url": SAMPLES["ntfys"]}, line)
    assert (delivery.outcome, "10.0.0.1, which is not public" in delivery.detail) == ("never", True)


@pytest.mark.parametrize(
    "address", ["json://h.example.com", "mailto://a:b@x.example", "syslog://", "https://h.example.com/x", "ntfys://", "tgram://x"]
)
def test_an_address_that_the_long_tail_cannot_take_is_refused_without_being_told(address: str) -> None:
    delivery = deliver("apprise", POST, {"url": address}, LINE)
    assert delivery.outcome == "never"
    assert "example" not in delivery.detail


def test_the_long_tail_mentions_nobody_and_splits_nothing_off() -> None:
    message = Post(id="alert-1-5", title="Late @everyone", lines=HOSTILE, payload={})
    with serve(YES["apprise"]) as server:
        assert deliver("apprise", message, _settings("apprise", server.url), LINE).outcome == "sent"
        assert len(server.asked) == 1
        texts = "\n".join(_texts(json.loads(server.asked[0][2])))
    assert "＠everyone" in texts
    assert not re.search(r"[@<\x1b\u202e]|\]\(", texts)


class _Mail(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        server: Any = self.server
        self.wfile.write(b"220 test\r\n")
        while line := self.rfile.readline():
            word = line[:4].upper()
            if word == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                while (part := self.rfile.readline()) != b".\r\n":
                    server.mail.append(part)
                self.wfile.write(b"250 kept\r\n")
            elif word == b"RCPT":
                self.wfile.write(server.rcpt + b"\r\n")
            elif word == b"QUIT":
                self.wfile.write(server.bye + b"\r\n")
                return
            else:
                self.wfile.write(b"250 ok\r\n")


@pytest.fixture
def mail_server() -> Iterator[Any]:
    """An SMTP server that takes what it is given, unless told otherwise."""
    server: Any = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Mail)
    server.mail, server.rcpt, server.bye = [], b"250 ok", b"221 bye"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(("rcpt", "outcome"), [(b"250 ok", "sent"), (b"450 busy", "later"), (b"550 no such user", "never")])
def test_mail_goes_out_or_says_why_not(mail_server: Any, rcpt: bytes, outcome: str) -> None:
    mail_server.rcpt = rcpt
    settings = {
        "host": "127.0.0.1",
        "port": mail_server.server_address[1],
        "security": "none",
        "sender": "room@example.com",
        "to": ["li@example.com"],
    }
    assert deliver("email", POST, settings, LINE).outcome == outcome
    assert (b"Subject: [Critical] Late orders\r\n" in mail_server.mail) == (outcome == "sent")


def test_mail_from_hostile_names_keeps_its_lines_and_headers(mail_server: Any) -> None:
    settings = MAIL | {"port": mail_server.server_address[1], "security": "none"}
    title = "Late\r\nBcc: all@elsewhere.example\n\n<html>"
    assert deliver("email", Post(id="alert-1-4", title=title, lines=HOSTILE, payload={}), settings, LINE).outcome == "sent"
    mail = email.message_from_bytes(b"".join(mail_server.mail), policy=email.policy.default)
    assert (mail["Bcc"], mail["Subject"]) == (None, "Late Bcc: all@elsewhere.example <html>")
    assert mail.get_content_type() == "text/plain"
    assert len(str(mail.get_content()).strip().splitlines()) == len(HOSTILE)


def test_mail_server_without_tls_is_not_trusted_when_tls_is_wanted(mail_server: Any) -> None:
    settings = {
        "host": "127.0.0.1",
        "port": mail_server.server_address[1],
        "sender": "room@example.com",
        "to": ["li@example.com"],
    }
    assert deliver("email", POST, settings, LINE).outcome == "later"
    assert mail_server.mail == []


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("Tue, 10 Mar 2026 12:02:00 GMT", 120),
        ("Tue, 10 Mar 2026 11:00:00 GMT", 0),
        ("86400", 3600),
        ("soon", None),
        ("Tue, 10 Mar 2026", None),
        ("-5", None),
    ],
)
def test_limit_may_name_an_instant_and_is_bounded(said: str, seconds: float | None) -> None:
    with serve((429, b"", {"Retry-After": said})) as server:
        assert deliver("slack", POST, {"url": server.url}, LINE).wait_seconds == seconds


class _Drip(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        server: Any = self.server
        for sign in server.said:
            try:
                self.wfile.write(bytes([sign]))
            except OSError:
                return
            time.sleep(0.05)


@contextmanager
def _dripping(said: bytes) -> Iterator[int]:
    """The port of a server that says this a sign at a time."""
    server: Any = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Drip)
    server.said, server.daemon_threads = said, True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("said", [b"HTTP/1.1 200 " + b"o" * 400, b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n" + b"o" * 400])
def test_server_that_answers_a_sign_at_a_time_is_left_in_time(said: bytes) -> None:
    line = Line(allowed=LINE.allowed, environment={}, now=NOW, timeout=0.3)
    with _dripping(said) as port:
        started = time.monotonic()
        assert deliver("slack", POST, {"url": f"http://127.0.0.1:{port}/x"}, line).outcome == "later"
        assert time.monotonic() - started < 3


@pytest.mark.parametrize(("security", "said"), [("none", b"220-" + b"o" * 400), ("starttls", b"220 hi\r\n250-" + b"o" * 400)])
def test_mail_server_that_speaks_a_sign_at_a_time_is_left_in_time(security: str, said: bytes) -> None:
    line = Line(allowed=LINE.allowed, environment={}, now=NOW, timeout=0.3)
    with _dripping(said) as port:
        started = time.monotonic()
        delivery = deliver("email", POST, MAIL | {"port": port, "security": security}, line)
        assert (delivery.outcome, time.monotonic() - started < 3) == ("later", True)


def test_mail_that_was_taken_is_sent_however_rudely_the_server_says_goodbye(mail_server: Any) -> None:
    mail_server.bye = b"421 too busy"
    settings = MAIL | {"port": mail_server.server_address[1], "security": "none"}
    assert deliver("email", POST, settings, LINE).outcome == "sent"
