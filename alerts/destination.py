"""Where messages may go: listed hosts only, https, a public address, resolved once; what is refused says why.

A redirect is an answer like any other here, and never followed.
"""

from __future__ import annotations

import http.client
import ipaddress
import re
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

VENDOR_HOSTS: Final = (
    "oapi.dingtalk.com",
    "qyapi.weixin.qq.com",
    "open.feishu.cn",
    "open.larksuite.com",
    "hooks.slack.com",
    "*.webhook.office.com",
    "*.logic.azure.com",
    "*.api.powerplatform.com",
)
"""Hosts of the channels we know; everything else is listed by an administrator."""

TIMEOUT_SECONDS: Final = 10.0
MOST_WAITS: Final = 2
"""So many timeouts a whole delivery may take, however the server spreads its answer."""
MOST_ANSWER: Final = 64 * 1024


Ip = ipaddress.IPv4Address | ipaddress.IPv6Address
TRANSLATED: Final = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("::ffff:0:0:0/96"))
"""IPv6 addresses that a network translates to the IPv4 address at their end (NAT64, SIIT)."""

NOT_PUBLIC: Final[tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]] = (
    *map(ipaddress.IPv6Network, ("64:ff9b:1::/48", "3fff::/20", "5f00::/16")),
    *map(ipaddress.IPv4Network, ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32")),
)
"""Networks for local use that not every Python knows as such; the last is how a cloud's machines ask their host."""


class DestinationError(ValueError):
    """A destination that may not be used, or cannot be for good; the message carries no secret."""


class DeliveryError(RuntimeError):
    """A delivery that failed for now: no connection, no answer in time, an answer that cannot be read."""


@dataclass(frozen=True, kw_only=True)
class AllowList:
    """Hosts that may be written to (`*.` in front for all below it), and those of them that may be private or plain http."""

    hosts: tuple[str, ...] = VENDOR_HOSTS
    private: tuple[str, ...] = ()

    def admits(self, host: str) -> bool:
        """Whether messages may go to a host."""
        return any(_matches(host, entry) for entry in (*self.hosts, *self.private))


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a server said."""

    status: int
    body: bytes
    retry_after: str = ""


Resolve = Callable[[str, int], str]
"""The address of a host, asked for once per delivery."""


def allow_list(hosts: str, private: str) -> AllowList:
    """The list of the settings: comma-separated hosts beside the known channels' own."""
    return AllowList(hosts=(*VENDOR_HOSTS, *_words(hosts)), private=_words(private))


def check_url(url: str, allowed: AllowList) -> SplitResult:
    """The parts of a destination that may be used; raises DestinationError."""
    if not url.isprintable() or " " in url or "\\" in url:
        raise DestinationError("the address holds signs that no address has: write it plainly")
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        raise DestinationError("the address cannot be read: write https://host/path") from None
    if parts.username is not None or "@" in parts.netloc:
        raise DestinationError("the address holds a user name: leave out everything before @")
    if not host or parts.scheme not in ("https", "http"):
        raise DestinationError("the address is no https address: write https://host/path")
    if not allowed.admits(host):
        raise DestinationError(f"{host} is not on the list of hosts: an administrator adds it to CONTROL_ROOM_ALERT_HOSTS")
    is_private = any(_matches(host, entry) for entry in allowed.private)
    if parts.scheme == "http" and not is_private:
        raise DestinationError(f"{host} is asked over http: use https")
    if port == 0:
        raise DestinationError("port 0 is no port")
    return parts


def resolve(host: str, port: int) -> str:
    """The first address of a host; raises DeliveryError when there is none."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise DeliveryError(f"{host} has no address ({error})") from None
    return str(found[0][4][0])


def check_address(host: str, address: str, allowed: AllowList) -> None:
    """Raise DestinationError for an address that is not public, unless an administrator listed its host as private."""
    found = ipaddress.ip_address(address.split("%")[0])
    if any(_matches(host, entry) for entry in allowed.private):
        return
    if not all(_is_public(one) for one in (found, *_carried(found))):
        raise DestinationError(f"{host} leads to {found}, which is not public: an administrator lists it as private")


def _is_public(address: Ip) -> bool:
    is_known = any(address in network for network in NOT_PUBLIC if network.version == address.version)
    is_site = isinstance(address, ipaddress.IPv6Address) and address.is_site_local
    return address.is_global and not (address.is_multicast or is_known or is_site)


def _carried(address: Ip) -> tuple[Ip, ...]:
    """The IPv4 addresses that an IPv6 address leads to by translation or in a tunnel: each must be public too."""
    if isinstance(address, ipaddress.IPv4Address):
        return ()
    found = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if any(address in network for network in TRANSLATED) or int(address) >> 32 == 0:
        found.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return tuple(one for one in found if one is not None)


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    allowed: AllowList,
    timeout: float = TIMEOUT_SECONDS,
    find: Resolve = resolve,
) -> Answer:
    """One POST, as `ask` does it."""
    return ask("POST", url, body, headers, allowed=allowed, timeout=timeout, find=find)


def ask(
    method: str,
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    allowed: AllowList,
    timeout: float = TIMEOUT_SECONDS,
    find: Resolve = resolve,
) -> Answer:
    """One request to the address that the host has now, no second look-up, no redirect, an answer of bounded size and time.

    Raises DestinationError where it may not go there, DeliveryError where it did not come through.
    """
    parts = check_url(url, allowed)
    host = (parts.hostname or "").rstrip(".")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    address = find(host, port)
    check_address(host, address, allowed)
    connection = _connection(parts.scheme, host, port, address, timeout)
    # A server that sends a byte now and then never meets the timeout of a single read.
    deadline = threading.Timer(MOST_WAITS * timeout, connection.cut)
    deadline.daemon = True
    deadline.start()
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request(method, path, body=body, headers=dict(headers))
        answer = connection.getresponse()
        return Answer(status=answer.status, body=answer.read(MOST_ANSWER), retry_after=answer.getheader("Retry-After") or "")
    except (OSError, http.client.HTTPException) as error:
        raise DeliveryError(f"{host}: {type(error).__name__}") from None
    finally:
        deadline.cancel()
        connection.close()


class _Pinned(http.client.HTTPConnection):
    """A connection to one address whatever the host's name says later; the name still goes into TLS and the Host header."""

    def __init__(self, host: str, port: int, address: str, timeout: float, tls: ssl.SSLContext | None) -> None:
        super().__init__(host, port, timeout=timeout)
        self._address, self._tls = address, tls
        self._plain: socket.socket | None = None
        self.default_port = 443 if tls else 80

    def connect(self) -> None:
        self._plain = socket.create_connection((self._address, self.port), self.timeout)
        self.sock = self._tls.wrap_socket(self._plain, server_hostname=self.host) if self._tls else self._plain

    def cut(self) -> None:
        """End the conversation from another thread: whoever reads finds its end."""
        for found in (self.sock, self._plain):
            if found is not None:
                with suppress(OSError):
                    socket.socket.shutdown(found, socket.SHUT_RDWR)


def _connection(scheme: str, host: str, port: int, address: str, timeout: float) -> _Pinned:
    return _Pinned(host, port, address, timeout, ssl.create_default_context() if scheme == "https" else None)


def _matches(host: str, entry: str) -> bool:
    folded, wanted = host.lower(), entry.lower()
    return folded.endswith(wanted[1:]) if wanted.startswith("*.") else folded == wanted


def _words(text: str) -> tuple[str, ...]:
    return tuple(word for word in re.split(r"[,\s]+", text) if word)
