"""What stands before every request: security headers and the session. Pure ASGI, no Streamlit."""

from __future__ import annotations

import base64
import hashlib
import logging
import re
from collections.abc import Callable
from typing import Final
from urllib.parse import quote, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketDisconnected

from access.session import digest
from access.sign_in import LOOPBACK
from pages import PAGES
from shell.socket import SentMedia, WatchedSocket

LOG: Final = logging.getLogger(__name__)

OPEN_PATHS: Final = (
    "/auth/sign-in",
    "/auth/sign-in.css",
    "/auth/oidc/start",
    "/auth/oidc/callback",
    "/healthz",
    "/readyz",
    "/_stcore/health",
)
"""Answered without a session; none of them tells anything about orders."""

OPEN_PREFIX: Final = "/journey/"
"""Customers' pages: each is opened by a signed link that expires, and shows one order, masked."""

CLOSED_PATHS: Final = (
    "/_stcore/metrics",
    "/_stcore/agent",
    "/_stcore/upload_file",
    "/auth/login",
    "/auth/logout",
    "/oauth2callback",
)
"""Streamlit's own doors that stay shut for everyone: no page takes a file, and sign-in is ours."""

NO_PAGES: Final = ("/_stcore/", "/static/", "/media/", "/component/", "/favicon", "/auth/", "/geo/")
"""Paths nobody wants to come back to after signing in."""

PAGE_NAMES: Final = frozenset(page.url_path for page in PAGES)

SESSION_COOKIE: Final = "control_room_session"
HOST_COOKIE: Final = f"__Host-{SESSION_COOKIE}"

SECURITY_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""On every answer, beside the policy. `same-origin` and not `no-referrer`: browsers send `Origin: null` with the latter."""


def content_security_policy(index_html: str) -> str:
    """The policy Streamlit really runs under; its page's own inline scripts are allowed by their hashes only.

    `blob:` is how components.v2 loads a component's JavaScript, `wasm-unsafe-eval` how tables unpack Arrow;
    styles are set inline by the front end.
    """
    inline = re.findall(r"<script>(.*?)</script>", index_html, flags=re.DOTALL)
    hashes = [f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in inline]
    return "; ".join(
        (
            "default-src 'none'",
            " ".join(("script-src 'self' blob: 'wasm-unsafe-eval'", *hashes)),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "media-src 'self'",
            "worker-src 'self' blob:",
            "manifest-src 'self'",
            "form-action 'self'",
            "object-src 'none'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


class SecurityHeaders:
    """Adds the security headers to every answer, and Strict-Transport-Security under TLS."""

    def __init__(self, app: ASGIApp, *, policy: str) -> None:
        """Wrap the next application; `policy` is the Content-Security-Policy where an answer brings none itself."""
        self.app = app
        self.headers = SECURITY_HEADERS | {"Content-Security-Policy": policy}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; put the headers on what comes back."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
                if headers.get("content-type", "").startswith("text/html"):
                    headers["Cache-Control"] = "no-store"  # after signing out, the back button asks again
                if scope.get("scheme") == "https":
                    headers.setdefault("Strict-Transport-Security", "max-age=31536000")
            await send(message)

        await self.app(scope, receive, send_with_headers if scope["type"] == "http" else send)


class LocalNamesOnly:
    """Where demo accounts exist, refuses a foreign Host header and every other machine.

    No web page can reach them by renaming itself, and a server told to listen everywhere does not offer them either.
    """

    def __init__(self, app: ASGIApp, *, is_restricted: Callable[[], bool]) -> None:
        """Wrap the next application; `is_restricted` says whether the demo is offered."""
        self.app = app
        self.is_restricted = is_restricted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or answer 421."""
        if scope["type"] in ("http", "websocket") and self.is_restricted():
            name = urlsplit(f"//{Headers(scope=scope).get('host', '')}").hostname
            client = (scope.get("client") or ("",))[0]
            if name not in LOOPBACK or client not in LOOPBACK:
                await _refuse(scope, receive, send, PlainTextResponse("The demo answers to localhost only.", status_code=421))
                return
        await self.app(scope, receive, send)


class SessionGuard:
    """Refuses every path and the websocket without a valid session, before Streamlit sees the request."""

    def __init__(self, app: ASGIApp, *, is_signed_in: Callable[[str | None], bool]) -> None:
        """Wrap the next application; `is_signed_in` asks the store about a cookie's value (in a worker thread)."""
        self.app = app
        self.is_signed_in = is_signed_in
        self.sent = SentMedia()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on with a session; else 303 to the sign-in page (401 for other methods than GET), 403 for a websocket."""
        if scope["type"] not in ("http", "websocket") or _is_open(scope):
            await self.app(scope, receive, send)
            return
        if scope["path"].startswith(CLOSED_PATHS):
            await _refuse(scope, receive, send, PlainTextResponse("Not found", status_code=404))
            return
        secret = session_secret(HTTPConnection(scope))
        is_foreign = scope["type"] == "websocket" and not _is_own_page(Headers(scope=scope))
        if is_foreign or not await run_in_threadpool(self.is_signed_in, secret):
            await _refuse(scope, receive, send, _to_sign_in(scope))
        elif scope["type"] == "websocket":
            await self._watch(scope, receive, send, secret or "")
        elif scope["path"].startswith("/media/") and not self.sent.may_fetch(digest(secret or ""), scope["path"]):
            await _refuse(scope, receive, send, PlainTextResponse("This file belongs to another session", status_code=401))
        elif scope["type"] == "http" and scope["method"] in ("GET", "HEAD") and (name := lost_page(scope["path"])):
            # The start page says so in the reader's language; Streamlit's own box speaks English only.
            await _refuse(scope, receive, send, RedirectResponse(f"/?page={name}", status_code=303))
        else:
            await self.app(scope, receive, send)

    async def _watch(self, scope: Scope, receive: Receive, send: Send, secret: str) -> None:
        """Run a websocket under its session: closed when that ends, its downloads fetched by it alone."""
        session = digest(secret)
        socket = WatchedSocket(
            receive,
            send,
            is_open=lambda: run_in_threadpool(self.is_signed_in, secret),
            note=lambda payload: self.sent.note(session, payload),
        )
        try:
            await self.app(scope, socket.receive, socket.send)
        except WebSocketDisconnected:
            LOG.debug("a tab went away while it was written to")
        finally:
            socket.stop()


def _is_open(scope: Scope) -> bool:
    """Whether the path is answered without a session."""
    path = scope["path"]
    is_journey = path.startswith(OPEN_PREFIX) and "/" not in path.removeprefix(OPEN_PREFIX)
    return scope["type"] == "http" and (path in OPEN_PATHS or is_journey)


def _is_own_page(headers: Headers) -> bool:
    """Whether a page of this very site opens the websocket: Streamlit itself takes any port of the host, and no origin at all."""
    return urlsplit(headers.get("origin", "")).netloc == headers.get("host")


def session_secret(connection: HTTPConnection) -> str | None:
    """The cookie's secret: of the `__Host-` cookie under TLS, of the plain one else."""
    return connection.cookies.get(cookie_name(connection))


def cookie_name(connection: HTTPConnection) -> str:
    """The session cookie's name on this connection: with the `__Host-` prefix under TLS."""
    return HOST_COOKIE if connection.url.scheme in ("https", "wss") else SESSION_COOKIE


def local_path(target: str | None) -> str:
    """The target when it is a path of this site, else `/`: never another host, never a scheme."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")) or not target.isprintable():
        return "/"
    parts = urlsplit(target)
    return "/" if parts.scheme or parts.netloc or "\\" in target or parts.path in OPEN_PATHS else target


def lost_page(path: str) -> str:
    """The name in a path that is no page's; empty where it names one, or something else than a page."""
    found = re.fullmatch(r"/([A-Za-z][\w-]{0,63})/?", path, flags=re.ASCII)
    return "" if found is None or found[1] in PAGE_NAMES else found[1]


def _to_sign_in(scope: Scope) -> Response:
    if scope["type"] == "http" and (scope["method"] not in ("GET", "HEAD") or scope["path"].startswith("/media/")):
        return PlainTextResponse("Sign in first", status_code=401)
    query = scope["query_string"].decode("latin-1")
    target = local_path(scope["path"] + (f"?{query}" if query else ""))
    next_query = "" if target == "/" or target.startswith(NO_PAGES) else f"?next={quote(target, safe='')}"
    return RedirectResponse(f"/auth/sign-in{next_query}", status_code=303, headers={"Cache-Control": "no-store"})


async def _refuse(scope: Scope, receive: Receive, send: Send, response: Response) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008, "reason": "sign in first"})
        return
    await response(scope, receive, send)
