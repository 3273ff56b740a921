"""A message on its way out of this machine: what it says, the line it takes, and the verdict of an answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final, Literal

from alerts.destination import TIMEOUT_SECONDS, AllowList, Answer, Resolve, post, resolve
from alerts.secret import reveal

Outcome = Literal["sent", "later", "never"]

MOST_WAIT: Final = 3600.0
MOST_TEXT: Final = 3500
"""WeCom takes 4096 bytes of markdown; what is longer is cut and says so."""


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """What became of one message: sent, to be tried again (`wait_seconds` when the server says so), or never."""

    outcome: Outcome
    detail: str = ""
    wait_seconds: float | None = None


@dataclass(frozen=True, kw_only=True)
class Post:
    """A message as it goes out: its id (the same at every try), title, plain lines, and what a machine reads."""

    id: str
    title: str
    lines: tuple[str, ...]
    payload: Mapping[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """Title and lines."""
        return cut("\n".join((self.title, *self.lines)))


@dataclass(frozen=True, kw_only=True)
class Line:
    """How messages leave this machine: allowed hosts, where secrets are found, the wall clock, how long to wait."""

    allowed: AllowList
    environment: Mapping[str, str]
    now: datetime
    timeout: float = TIMEOUT_SECONDS
    find: Resolve = resolve

    def secret(self, settings: Mapping[str, Any], name: str) -> str:
        """The secret (or plain value) a setting names; empty when it is not set."""
        return reveal(str(settings.get(name) or ""), self.environment)

    def post_json(self, url: str, content: object, headers: Mapping[str, str] | None = None) -> Answer:
        """POST a JSON body."""
        body = json.dumps(content, ensure_ascii=False).encode("utf-8", "replace")
        given = {"Content-Type": "application/json; charset=utf-8"} | dict(headers or {})
        return post(url, body, given, allowed=self.allowed, timeout=self.timeout, find=self.find)


def by_status(answer: Answer, now: datetime) -> Delivery:
    """The verdict of the status alone: 2xx sent; 408, 425, 429 and 5xx later; everything else, redirects too, never."""
    if 200 <= answer.status < 300:
        return Delivery(outcome="sent")
    if answer.status in (408, 425, 429) or answer.status >= 500:
        return Delivery(outcome="later", detail=f"answered {answer.status}", wait_seconds=_seconds(answer.retry_after, now))
    return Delivery(outcome="never", detail=f"answered {answer.status}")


def cut(text: str, most: int = MOST_TEXT) -> str:
    """At most so many bytes of a text; what is longer says so."""
    raw = text.encode()
    return text if len(raw) <= most else raw[: most - 4].decode(errors="ignore") + " …"


def _seconds(text: str, now: datetime) -> float | None:
    """How long the server asks to be left alone: seconds, or until an instant as HTTP writes it; an hour at most."""
    if text.isdecimal():
        return min(float(text), MOST_WAIT)
    try:
        until = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    return min(max(0.0, (until - now).total_seconds()), MOST_WAIT) if until.tzinfo else None
