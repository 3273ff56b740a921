"""The two routes of the company's sign-on: to the provider and back; there only where a provider is set."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from access.flag import limits_of, look_at
from access.open_id import SignOnError
from access.provider import CALLBACK
from access.session import Session, read_session
from access.sign_on import UNDER_WAY, SignedOn, SignOn
from shell.guard import local_path, session_secret
from shell.house import house
from shell.routes import asked_language, sign_in_page, signed_in
from shell.start import start_path

LOG: Final = logging.getLogger("control_room.sign_on")
COOKIE: Final = "control_room_sign_on"
HOST_COOKIE: Final = f"__Host-{COOKIE}"
"""Under TLS no other host of the domain can put one here."""

ANSWER: Final = ("state", "code", "iss")
LONGEST: Final = 4_096


async def start_sign_on(request: Request) -> Response:
    """Send the browser to the provider, with a cookie that only it can come back with."""
    sign_on = house().sign_on
    if sign_on is None:
        return PlainTextResponse("Not found", status_code=404)
    language, next_path = asked_language(request), local_path(request.query_params.get("next"))
    confirms = await run_in_threadpool(_session, request) if "confirm" in request.query_params else None
    asked: dict[str, Any] = {"next_path": next_path, "language": language, "now": house().clock(), "confirms": confirms}
    try:
        secret, address = await run_in_threadpool(partial(sign_on.start, **asked))
    except SignOnError as error:
        return _refused(request, error, status=503)
    response = RedirectResponse(address, status_code=303, headers={"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})
    response.set_cookie(
        _cookie(request),
        secret,
        max_age=int(UNDER_WAY.total_seconds()),
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="lax",
    )
    return response


async def finish_sign_on(request: Request) -> Response:
    """Take the provider's answer: 303 with the session's cookie, or the sign-in page with the reason."""
    sign_on = house().sign_on
    if sign_on is None:
        return PlainTextResponse("Not found", status_code=404)
    try:
        done = await run_in_threadpool(_finish, sign_on, request)
        way = done.next_path if done.next_path != "/" else await run_in_threadpool(start_path, done.name)
        response = signed_in(request, done.secret, way) if done.secret else RedirectResponse(way, status_code=303)
    except SignOnError as error:
        response = _refused(request, error, status=403)
    response.delete_cookie(_cookie(request), path="/", secure=request.url.scheme == "https", httponly=True, samesite="lax")
    return response


def _cookie(request: Request) -> str:
    return HOST_COOKIE if request.url.scheme == "https" else COOKIE


def _finish(sign_on: SignOn, request: Request) -> SignedOn:
    answer = {name: request.query_params[name][:LONGEST] for name in ANSWER if name in request.query_params}
    address = request.client.host if request.client else "unknown"
    mine, session = request.cookies.get(_cookie(request)), _session(request)
    done = sign_on.finish(mine, answer, address=address, now=house().clock(), session=session)
    look_at(house().store, done.name, limits_of(house().settings), house().clock())
    return done


def _session(request: Request) -> Session | None:
    return read_session(house().store, session_secret(request), house().clock())


def _refused(request: Request, error: SignOnError, *, status: int) -> Response:
    LOG.warning("sign-on refused: %s", error)
    return sign_in_page(request, language=asked_language(request), notice=f"sign_on.{error.reason}", status=status)


SIGN_ON_ROUTES: Final = (
    Route("/auth/oidc/start", start_sign_on, methods=["GET"]),
    Route(CALLBACK, finish_sign_on, methods=["GET"]),
)
