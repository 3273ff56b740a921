"""The long tail of services through apprise: it words the message for the service, our own door carries it.

apprise asks the web by itself, of whatever host and with whatever certificate its address says. Here every service named
below asks through `_Web` in the place of `requests`: listed hosts, public addresses, https, no redirect, bounded time, as
all channels do. Services that reach out in another way (sockets, mail, message brokers) are not named, and refused.
"""

from __future__ import annotations

import importlib
import json
import logging
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final

import requests

from alerts.delivery import Delivery, Line, Post, by_status, cut
from alerts.destination import Answer, DeliveryError, DestinationError, ask

SERVICES: Final = {
    "bark": ("bark", "NotifyBark"),
    "barks": ("bark", "NotifyBark"),
    "discord": ("discord", "NotifyDiscord"),
    "gchat": ("google_chat", "NotifyGoogleChat"),
    "gotify": ("gotify", "NotifyGotify"),
    "gotifys": ("gotify", "NotifyGotify"),
    "ntfy": ("ntfy", "NotifyNtfy"),
    "ntfys": ("ntfy", "NotifyNtfy"),
    "pagerduty": ("pagerduty", "NotifyPagerDuty"),
    "pover": ("pushover", "NotifyPushover"),
    "pushplus": ("pushplus", "NotifyPushplus"),
    "schan": ("serverchan", "NotifyServerChan"),
    "signl4": ("signl4", "NotifySIGNL4"),
    "tgram": ("telegram", "NotifyTelegram"),
    "zulip": ("zulip", "NotifyZulip"),
}
"""Schemes of apprise's addresses, with its module and class: all of them ask by `requests` alone."""

MOST_ASKED: Final = 10
"""So many requests one message may take."""
FOREIGN: Final = (LookupError, TypeError, ValueError, AttributeError, OSError, RuntimeError)
"""What code that is not ours may end with; none of it may end the sending of other messages."""
WELL: Final = (0, 200)
"""What a `code` inside an answer is when all is well."""


@dataclass
class _Journey:
    """One delivery on its way: what was answered, and why it may not, or could not, be carried."""

    line: Line
    answers: list[Answer] = field(default_factory=list)
    refused: DestinationError | None = None
    failed: DeliveryError | None = None


_ON_ITS_WAY: ContextVar[_Journey] = ContextVar("on_its_way")


class _Web:
    """What a service of apprise takes for `requests`."""

    RequestException = requests.RequestException
    codes = requests.codes
    exceptions = requests.exceptions

    @staticmethod
    def request(method: str, url: str, **given: object) -> requests.Response:
        """Ask as `requests.request` does; what the address says of certificates, time and redirects counts for nothing."""
        parts = ("params", "data", "json", "headers", "auth", "files", "cookies")
        own: dict[str, Any] = {name: given[name] for name in parts if name in given}
        asked = requests.Request(method, url, **own).prepare()
        answer = _carry(asked)
        response = requests.Response()
        response.status_code, response._content = answer.status, answer.body
        response.url = str(asked.url)
        if answer.retry_after:
            response.headers["Retry-After"] = answer.retry_after
        return response

    @classmethod
    def post(cls, url: str, **given: object) -> requests.Response:
        """A POST."""
        return cls.request("POST", url, **given)

    @classmethod
    def get(cls, url: str, **given: object) -> requests.Response:
        """A GET."""
        return cls.request("GET", url, **given)


def _carry(asked: requests.PreparedRequest) -> Answer:
    journey = _ON_ITS_WAY.get()
    line, given = journey.line, asked.body or b""
    body = given.encode() if isinstance(given, str) else given
    if not isinstance(body, bytes):
        raise requests.ConnectionError("a body in pieces is not carried")
    if len(journey.answers) >= MOST_ASKED:
        raise requests.ConnectionError("too many requests for one message")
    try:
        answer = ask(
            str(asked.method),
            str(asked.url),
            body,
            {str(name): str(value) for name, value in asked.headers.items() if name != "Content-Length"},
            allowed=line.allowed,
            timeout=line.timeout,
            find=line.find,
        )
    except DestinationError as error:
        journey.refused = error
        raise requests.ConnectionError("refused") from None
    except DeliveryError as error:
        journey.failed = error
        raise requests.ConnectionError("failed") from None
    journey.answers.append(answer)
    return answer


def send_by_apprise(message: Post, address: str, line: Line) -> Delivery:
    """Send by the messenger of an address of apprise. Raises DestinationError and DeliveryError; neither holds the address."""
    messenger = _service(address)
    journey = _Journey(line=line)
    token = _ON_ITS_WAY.set(journey)
    try:
        is_well = bool(messenger.notify(body=_plain(cut("\n".join(message.lines))), title=_plain(message.title)))
    except FOREIGN as error:
        raise DestinationError(f"apprise cannot word the message ({type(error).__name__}): check the address") from None
    finally:
        _ON_ITS_WAY.reset(token)
    return _verdict(journey, is_well=is_well)


def _verdict(journey: _Journey, *, is_well: bool) -> Delivery:
    if journey.refused:
        raise journey.refused
    if journey.failed:
        raise journey.failed
    for answer in journey.answers:
        by_code = by_status(answer, journey.line.now)
        if by_code.outcome != "sent":
            return by_code
        if reason := _says_no(answer.body):
            return Delivery(outcome="later", detail=reason)
    if not journey.answers:
        return Delivery(outcome="never", detail="the service sent nothing: complete its address")
    return Delivery(outcome="sent") if is_well else Delivery(outcome="later", detail="the answer was not understood")


def _says_no(body: bytes) -> str:
    """What an answer with a good status says of a failure; empty where it says nothing of one."""
    try:
        content = json.loads(body)
    except ValueError:
        return ""
    if not isinstance(content, dict):
        return ""
    for name in ("ok", "success"):
        if content.get(name) is False:
            return f"{name} is false"
    for name in ("code", "errcode", "errno"):
        found = content.get(name)
        if isinstance(found, int) and not isinstance(found, bool) and found not in WELL:
            return f"{name} {found}"
    return ""


def _service(address: str) -> Any:  # noqa: ANN401 - apprise's own class
    scheme = address.partition("://")[0].lower()
    if scheme not in SERVICES or not address.isprintable():
        raise DestinationError(f"the address begins with none of {', '.join(f'{name}://' for name in SERVICES)}")
    module_name, class_name = SERVICES[scheme]
    try:
        module: Any = importlib.import_module(f"apprise.plugins.{module_name}")
    except ImportError:
        raise DestinationError("apprise is not installed here: install requirements.txt") from None
    # Its log tells addresses, and with them tokens.
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    module.requests = _Web
    kind: Any = getattr(module, class_name)
    try:
        parts = kind.parse_url(address)
        found = kind(**_own(parts))
    except FOREIGN:
        raise DestinationError(f"apprise cannot read the {scheme}:// address: see its documentation") from None
    # Nobody waits here: the sending loop has its own pauses.
    found.throttle = lambda *_, **__: None
    return found


def _own(parts: Any) -> dict[str, Any]:  # noqa: ANN401 - None where apprise cannot read the address
    """What the address says, without pictures from elsewhere and files to fetch; a long message is split, never refused."""
    if not parts:
        raise ValueError
    plain = {name: value for name, value in parts.items() if name not in ("attach", "attachments", "avatar_url", "footer_logo")}
    quiet = {name: False for name in ("include_image", "avatar", "footer", "detect_owner") if name in plain}
    return plain | quiet | {"overflow": "split", "format": "text"}


def _plain(text: str) -> str:
    """Data as text wherever it is read: it mentions nobody, begins no tag, and no word of it hides a link."""
    return text.replace("@", "＠").replace("<", "＜").replace("](", "] (")
