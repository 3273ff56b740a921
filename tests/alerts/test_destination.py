"""Where messages may go: listed hosts, public addresses, one look-up, no redirect."""

from __future__ import annotations

import pytest

from alerts.destination import AllowList, DestinationError, allow_list, check_address, check_url, post

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


@pytest.mark.parametrize("address", ["::ffff:10.0.0.1", "fe80::1%eth0", "224.0.0.1", "100.64.0.1", "192.168.1.1", "fd00::1"])
def test_other_private_addresses_are_refused(address: str) -> None:
    with pytest.raises(DestinationError, match="not public"):
        check_address("hooks.example.com", address, OPEN)


def test_administrator_may_list_a_private_host() -> None:
    allowed = allow_list("hooks.example.com", "relay.local, 10.0.0.9")
    check_url("http://relay.local:8080/x", allowed)
    check_address("relay.local", "10.0.0.9", allowed)
    assert allowed.admits("oapi.dingtalk.com")
    assert not allowed.admits("example.com")
