"""Where messages may go: listed hosts, public addresses, one look-up, no redirect."""

from __future__ import annotations

import pytest

from alerts.destination import (
    MOST_ANSWER,
    AllowList,
    DeliveryError,
    DestinationError,
    allow_list,
    check_address,
    check_url,
    post,
)
from tests.alerts.server import serve

OPEN = AllowList(
    hosts=("*.example.com", "127.0.0.1", "169.254.169.254", "10.0.0.8", "0.0.0.0", "2130706433", "0x7f000001", "::1")
)


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://169.254.169.254/latest/meta-data",
        "https://10.0.0.8/x",
        "https://0.0.0.0/x",
        "https://2130706433/x",
        "https://0x7f000001/x",
    ],
)
def test_private_address_in_any_form_is_refused_even_when_its_host_is_listed(url: str) -> None:
    with pytest.raises(DestinationError, match="not public"):
        post(url, b"{}", {}, allowed=OPEN)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://hooks.example.com@127.0.0.1/x", "user name"),
        ("https://user:secret@hooks.example.com/x", "user name"),
        ("https://evil.test/x", "not on the list"),
        ("https://example.com.evil.test/x", "not on the list"),
        ("http://hooks.example.com/x", "over http"),
        ("ftp://hooks.example.com/x", "no https"),
        ("file:///etc/passwd", "no https"),
        ("https://hooks.example.com:99999/x", "cannot be read"),
        ("https://hooks.example.com/a b", "signs that no address has"),
        ("https://hooks.example.com\\@127.0.0.1/", "signs that no address has"),
        ("https://hooks.example.com:0/x", "port 0"),
        ("", "no https"),
    ],
)
def test_address_that_is_none_is_refused(url: str, reason: str) -> None:
    with pytest.raises(DestinationError, match=reason):
        check_url(url, OPEN)


def test_name_that_turns_private_is_refused_at_its_one_look_up() -> None:
    answers = iter(["8.8.8.8", "127.0.0.1"])
    check_address("hooks.example.com", next(answers), OPEN)
    with pytest.raises(DestinationError, match="not public"):
        post("https://hooks.example.com/x", b"", {}, allowed=OPEN, find=lambda host, port: next(answers))


@pytest.mark.parametrize(
    "address",
    [
        "::ffff:10.0.0.1",
        "fe80::1%eth0",
        "224.0.0.1",
        "100.64.0.1",
        "192.168.1.1",
        "fd00::1",
        "::",
        "::127.0.0.1",
        "::ffff:0:127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a00:8",
        "64:ff9b:1::7f00:1",
        "2002:7f00:1::",
        "2002:a00:8::1",
        "2001:0:7f00:1::",
        "fec0::1",
        "ff02::1",
        "100::1",
        "2001:db8::1",
        "127.255.255.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.88.99.1",
        "168.63.129.16",
        "3fff::1",
        "5f00::1",
        "192.0.2.1",
        "198.18.0.1",
        "203.0.113.7",
        "240.0.0.1",
        "255.255.255.255",
        "169.254.170.2",
        "fd00:ec2::254",
    ],
)
def test_other_private_addresses_are_refused(address: str) -> None:
    with pytest.raises(DestinationError, match="not public"):
        check_address("hooks.example.com", address, OPEN)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111", "64:ff9b::808:808", "2002:808:808::1", "::ffff:8.8.8.8"])
def test_public_addresses_pass_in_every_form(address: str) -> None:
    try:
        check_address("hooks.example.com", address, OPEN)
    except DestinationError:
        # Older Pythons call every mapped address private: refused, not let through.
        assert address == "::ffff:8.8.8.8"


@pytest.mark.parametrize(
    "host",
    [
        "127.1",
        "127.0.1",
        "0177.0.0.1",
        "017700000001",
        "0x7f.1",
        "0x7F000001",
        "0",
        "127.0.0.1.",
        "LOCALHOST",
        "[::ffff:7f00:1]",
        "①②⑦.⓪.⓪.①",
    ],
)
def test_loopback_in_any_spelling_is_refused_or_not_found(host: str) -> None:
    allowed = AllowList(hosts=(host.strip("[].").lower(), host))
    with pytest.raises((DestinationError, DeliveryError)):
        post(f"https://{host}/x", b"{}", {}, allowed=allowed, timeout=0.2)


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.com#@127.0.0.1/",
        "https://127.0.0.1#hooks.example.com",
        "https://127.0.0.1?hooks.example.com",
        "https://hooks.example.com%2f@evil.test/",
        "https://hooks.example.com%00.evil.test/",
        "https://hooks.example.com\tevil.test/",
        "https://hooks.example.com\n127.0.0.1/",
        "https://hooks。example。com.evil.test/",
        "https:///hooks.example.com/",
        "https:hooks.example.com",
        "//hooks.example.com/x",
        "gopher://hooks.example.com/x",
        "dict://127.0.0.1:6379/info",
        "javascript:alert(1)",
        "https://[::1",
        "https://hooks.example.com:0/x",
        "https://hooks.example.com:443:80/x",
    ],
)
def test_address_that_reads_as_another_is_refused(url: str) -> None:
    with pytest.raises(DestinationError):
        post(url, b"{}", {}, allowed=AllowList(hosts=("hooks.example.com",)), find=lambda host, port: "127.0.0.1")


def test_administrator_may_list_a_private_host() -> None:
    allowed = allow_list("hooks.example.com", "relay.local, 10.0.0.9")
    check_url("http://relay.local:8080/x", allowed)
    check_address("relay.local", "10.0.0.9", allowed)
    assert allowed.admits("oapi.dingtalk.com")
    assert not allowed.admits("example.com")


def test_host_is_asked_at_the_address_it_had_and_its_answer_is_bounded() -> None:
    allowed = AllowList(private=("relay.invalid",))
    with serve((200, b"o" * 2 * MOST_ANSWER)) as server:
        url = f"http://relay.invalid:{server.port}/x"
        answer = post(url, b"{}", {}, allowed=allowed, find=lambda host, port: "127.0.0.1")
    assert len(answer.body) == MOST_ANSWER
    assert server.asked[0][1]["host"] == f"relay.invalid:{server.port}"
