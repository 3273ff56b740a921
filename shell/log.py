"""The log: one JSON object a line, with the request it belongs to, and never a secret or personal data in it.

What is secret is left out twice: the home's own secrets by what they are, and everything that looks like one.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
import sys
import time
from collections.abc import Iterable
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Final, TextIO
from urllib.parse import unquote, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from config import Settings
from data.keys import FILE

REQUEST_ID: Final[ContextVar[str]] = ContextVar("request_id", default="")
HEADER: Final = "X-Request-Id"
LEFT_OUT: Final = "[left out]"
SHORTEST_SECRET: Final = 6
LONGEST: Final = 20_000
OURS: Final = "control_room"
LOG: Final = logging.getLogger(f"{OURS}.access")
QUIET: Final = ("/static/", "/_stcore/", "/media/", "/component/", "/geo/")
"""Not found here is nothing to tell: Streamlit's front end looks for its doors below every page's path."""
READINESS: Final = "/readyz"
"""Asked again and again while this process starts."""


SECRET_SHAPES: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(?P<kept>\b(?:proxy-)?authorization\b['\"]?\s*[:=]\s*['\"]?(?:basic|bearer)?\s*)[^\s'\",;]+",
        r"(?P<kept>\bbearer\s+)[\w.~+/=-]{8,}",
        r"(?P<kept>(?:__Host-)?control_room_(?:session|sign_on)['\"]?\s*[:=]\s*['\"]?)[^\s'\",;]+",
        r"(?P<kept>\b(?:set-)?cookie['\"]?\s*[:=]\s*['\"]?)[^\r\n'\"]+",
        r"(?P<kept>\b\w*(?:password|passwd|pwd|secret|token|api_?key|code_verifier|_xsrf)['\"]?\s*[:=]\s*['\"]?)[^\s'\",;&}]+",
        r"(?P<kept>[?&](?:code|state|nonce|phone|search)=)[^\s&'\"]+",
        r"(?P<kept>/journey/)[^\s'\"?]+",
        r"(?P<kept>[a-z][a-z0-9+.-]*://[^\s:/@]*:)[^\s@/]+(?=@)",
        r"(?P<kept>)\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}",
        r"(?P<kept>)\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*",
        r"(?P<kept>)(?<![A-Za-z0-9_.-])(?:\+?86[ -]?)?1[3-9]\d[ -]?\d{4}[ -]?\d{4}(?![A-Za-z0-9_-])",
        r"(?P<kept>)[\w.+-]+@[\w-]+(?:\.[\w-]+)+",
    )
)


def without_secrets(text: str, known: Iterable[str] = ()) -> str:
    """The text with the known secrets, and all that looks like one or like a person's data, left out."""
    for secret in known:
        text = text.replace(secret, LEFT_OUT)
    for shape in SECRET_SHAPES:
        text = shape.sub(lambda match: match["kept"] + LEFT_OUT, text)
    return text


def secrets_of(settings: Settings, *more: str) -> tuple[str, ...]:
    """The home's own secrets as they are written, the longest first: keys, the sign-on's secret, passwords in addresses."""
    found = {settings.keys, settings.sign_on_secret, *more}
    for address in (settings.store_url, settings.catalogue):
        found |= {urlsplit(address).password or "", unquote(urlsplit(address).password or "")}
    for text in (settings.keys, _read(settings)):
        found |= set(re.findall(r'"(?:signing|search|key)":\s*"([^"]+)"', text))
    return tuple(sorted((secret for secret in found if len(secret) >= SHORTEST_SECRET), key=len, reverse=True))


class JsonLines(logging.Formatter):
    """A record as one line of JSON: `at`, `level`, `logger`, `text`, and `request` and `trace` where there are."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        """`known` are secrets by what they are."""
        super().__init__()
        self.known = tuple(known)

    def format(self, record: logging.LogRecord) -> str:
        """The line; what cannot be put together says so and never raises."""
        try:
            text = record.getMessage()
        except (TypeError, ValueError):
            text = str(record.msg)
        told: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "text": self._clean(text),
        }
        if request := REQUEST_ID.get():
            told["request"] = request
        told |= {name: record.__dict__[name] for name in ("method", "path", "status", "ms") if name in record.__dict__}
        if record.exc_info and record.exc_info[0] is not None:
            told["trace"] = self._clean(self.formatException(record.exc_info))
        return json.dumps(told, ensure_ascii=False)

    def _clean(self, text: str) -> str:
        return without_secrets(text[:LONGEST], self.known)


def start_log(known: Iterable[str], *, stream: TextIO | None = None) -> None:
    """Let every logger of this process write JSON lines to standard error; again after imports that bring their own."""
    root = logging.getLogger()
    out = logging.StreamHandler(stream or sys.stderr)
    out.setFormatter(JsonLines(known))
    root.handlers[:] = [out]
    for logger in [one for one in logging.root.manager.loggerDict.values() if isinstance(one, logging.Logger)]:
        logger.handlers.clear()
        logger.propagate = True
    logging.getLogger(OURS).setLevel(logging.INFO)


class RequestLog:
    """Gives every request an id (a proxy's own, where it is one), says it in the answer, and logs refusals and failures."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap the next application."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on under its id."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get(HEADER, "")
        request = given if re.fullmatch(r"[A-Za-z0-9-]{8,64}", given) else secrets.token_hex(8)
        marker, began = REQUEST_ID.set(request), time.monotonic()

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[HEADER] = request
                _log_answer(scope, int(message["status"]), began)
            await send(message)

        try:
            await self.app(scope, receive, send_with_id)
        finally:
            REQUEST_ID.reset(marker)


def _log_answer(scope: Scope, status: int, began: float) -> None:
    """The path without its query, which may hold what somebody searched for."""
    is_starting = status == 503 and scope["path"] == READINESS
    if status < 400 or is_starting or (status == 404 and any(part in scope["path"] for part in QUIET)):
        return
    path = without_secrets(scope["path"][:200])
    more = {"method": scope["method"], "path": path, "status": status, "ms": round(1_000 * (time.monotonic() - began))}
    LOG.log(logging.ERROR if status >= 500 else logging.INFO, "answered %d", status, extra=more)


def _read(settings: Settings) -> str:
    try:
        return (settings.home / FILE).read_text(encoding="utf-8")
    except OSError:
        return ""
