"""The routes of sign-in, sign-out and health: small HTML of our own, no Streamlit."""

from __future__ import annotations

from html import escape
from math import ceil
from pathlib import Path
from string import Template
from typing import Final
from urllib.parse import urlencode, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from access.flag import limits_of, look_at
from access.session import ABSOLUTE_LIMIT, end_session
from access.sign_in import DEMO_USERS, DemoUser, SignIn, offers_demo, sign_in
from access.user import set_language
from i18n import LANGUAGES, closest_language, translate
from shell.guard import cookie_name, local_path, session_secret
from shell.house import house
from shell.start import start_path

FOLDER: Final = Path(__file__).resolve().parent
LANGUAGE_NAMES: Final = {"en": "English", "zh-CN": "简体中文"}
SIGN_IN_POLICY: Final = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
MOST_BYTES: Final = 16_384


async def show_sign_in(request: Request) -> Response:
    """The sign-in page; `next` is where it leads afterwards."""
    return sign_in_page(request, language=asked_language(request), next_path=local_path(request.query_params.get("next")))


async def submit_sign_in(request: Request) -> Response:
    """Check name and password: 303 with the session's cookie, or the page again with the reason."""
    if not is_own_origin(request):
        return sign_in_page(request, language=asked_language(request), notice="foreign", status=403)
    if is_too_large(request):
        return PlainTextResponse("Too large", status_code=413)
    form = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
    attempt = await run_in_threadpool(_try_sign_in, request, form)
    if not attempt.reason:
        return signed_in(request, attempt.secret, await run_in_threadpool(_way_in, form))
    next_path = local_path(form.get("next"))
    language = form["lang"] if form.get("lang") in LANGUAGES else asked_language(request)
    status = 429 if attempt.reason == "wait" else 401
    return sign_in_page(
        request, language=language, next_path=next_path, notice=attempt.reason, wait=attempt.wait_seconds, status=status
    )


async def sign_out(request: Request) -> Response:
    """End the session on the server and take the cookie away; only from a page of our own."""
    if not is_own_origin(request):
        return PlainTextResponse("Sign out from the control room itself", status_code=403)
    if secret := session_secret(request):
        await run_in_threadpool(end_session, house().store, secret, house().clock())
    response = RedirectResponse("/auth/sign-in", status_code=303, headers={"Clear-Site-Data": '"storage"'})
    forget_cookie(request, response)
    return response


async def show_style(_request: Request) -> Response:
    """The sign-in page's style."""
    return Response(FOLDER.joinpath("sign_in.css").read_text(encoding="utf-8"), media_type="text/css")


async def show_health(_request: Request) -> Response:
    """That this process answers; says nothing else."""
    return JSONResponse({"status": "ok"})


async def show_readiness(_request: Request) -> Response:
    """Whether pages open as fast as they will: 503 while this process still starts; `settled` once the long questions are answered."""
    state = house().ahead.state
    return JSONResponse({"status": state}, status_code=503 if state == "starting" else 200)


def start_route(url_path: str) -> Route:
    """The start page's own path, which leads to `/`: Streamlit knows its default page by that address only."""

    async def to_start(request: Request) -> Response:
        return RedirectResponse("/" + (f"?{request.url.query}" if request.url.query else ""), status_code=307)

    return Route(f"/{url_path}", to_start, methods=["GET"])


ROUTES: Final = (
    Route("/auth/sign-in", show_sign_in, methods=["GET"]),
    Route("/auth/sign-in", submit_sign_in, methods=["POST"]),
    Route("/auth/sign-in.css", show_style, methods=["GET"]),
    Route("/auth/sign-out", sign_out, methods=["POST"]),
    Route("/healthz", show_health, methods=["GET"]),
    Route("/readyz", show_readiness, methods=["GET"]),
)


def _try_sign_in(request: Request, form: dict[str, str]) -> SignIn:
    name = form.get("name", "")
    address = request.client.host if request.client else "unknown"
    attempt = sign_in(house().store, name, form.get("password", ""), address=address, now=house().clock())
    look_at(house().store, name.strip().lower()[:64], limits_of(house().settings), house().clock())
    if attempt.secret and form.get("lang") in LANGUAGES:
        set_language(house().store, name.strip().lower(), form["lang"])
    return attempt


def _way_in(form: dict[str, str]) -> str:
    """The page asked for, or with none the one the user starts with."""
    asked = local_path(form.get("next"))
    return start_path(form.get("name", "").strip().lower()[:64]) if asked == "/" else asked


def signed_in(request: Request, secret: str, next_path: str) -> Response:
    """The way in with the session's cookie."""
    response = RedirectResponse(next_path, status_code=303, headers={"Cache-Control": "no-store"})
    give_cookie(request, response, secret)
    return response


def give_cookie(request: Request, response: Response, secret: str) -> None:
    """Put the session's cookie into the answer."""
    response.set_cookie(
        cookie_name(request),
        secret,
        max_age=int(ABSOLUTE_LIMIT.total_seconds()),
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="lax",
    )


def forget_cookie(request: Request, response: Response) -> None:
    """Take the session's cookie away with the answer."""
    response.delete_cookie(cookie_name(request), path="/", secure=request.url.scheme == "https", httponly=True, samesite="lax")


def is_own_origin(request: Request) -> bool:
    """Whether a page of this very site sent the request."""
    origin = request.headers.get("origin") or request.headers.get("referer") or ""
    return bool(origin) and urlsplit(origin).netloc == request.headers.get("host")


def is_too_large(request: Request) -> bool:
    """Whether the body is longer than any form of ours, or may be: a body in chunks is as long as it likes, whatever is said of it."""
    said = request.headers.get("content-length")
    return "transfer-encoding" in request.headers or said is None or int(said) > MOST_BYTES


def sign_in_page(
    request: Request, *, language: str, next_path: str = "/", notice: str = "", wait: int = 0, status: int = 200
) -> Response:
    """The page of sign-in, with a notice (a key under `access`) above the form."""
    words = {
        "product": "product",
        "tagline": "tagline",
        "title": "title",
        "name_label": "name",
        "password_label": "password",
        "sign_in_label": "sign_in",
        "languages_label": "languages",
    }
    texts = {place: escape(translate(language, f"access.{key}")) for place, key in words.items()}
    text = escape(translate(language, f"access.{notice}", minutes=ceil(wait / 60))) if notice else ""
    html = Template(FOLDER.joinpath("sign_in.html").read_text(encoding="utf-8")).substitute(
        texts,
        language=language,
        name="",
        next=escape(next_path),
        notice=f'<p class="notice" role="alert">{text}</p>' if text else "",
        sign_on=_sign_on(language, next_path),
        demo=_demo(language, next_path) if offers_demo(house().settings) else "",
        languages=_languages(language, next_path),
    )
    headers = {"Cache-Control": "no-store", "Content-Security-Policy": SIGN_IN_POLICY}
    return HTMLResponse(html, status_code=status, headers=headers)


def asked_language(request: Request) -> str:
    """The language the address asks for, else the browser's."""
    asked = request.query_params.get("lang")
    if asked in LANGUAGES:
        return asked
    return browser_language(request)


def browser_language(request: Request) -> str:
    """The language nearest to what the browser prefers, the home's own where it says nothing."""
    browser = request.headers.get("accept-language", "").split(",")[0].split(";")[0].strip()
    return closest_language(browser or house().settings.language)


def _sign_on(language: str, next_path: str) -> str:
    """The way to the company's provider: a link, since a form may not lead to another site."""
    sign_on = house().sign_on
    if sign_on is None:
        return ""
    query = urlencode({"lang": language} | ({"next": next_path} if next_path != "/" else {}))
    title = sign_on.provider.button or translate(language, "access.sign_on.button")
    return f'<p class="sign-on"><a href="/auth/oidc/start?{escape(query)}">{escape(title)}</a></p>'


def _demo(language: str, next_path: str) -> str:
    forms = "".join(_demo_form(demo, language, next_path) for demo in DEMO_USERS)
    title, note = (escape(translate(language, f"access.demo_{part}")) for part in ("title", "note"))
    return f'<section class="demo"><h2>{title}</h2><p>{note}</p>{forms}</section>'


def _demo_form(demo: DemoUser, language: str, next_path: str) -> str:
    values = {"next": next_path, "lang": language, "name": demo.user.name, "password": demo.password}
    fields = "".join(f'<input type="hidden" name="{name}" value="{escape(value)}">' for name, value in values.items())
    title = escape(translate(language, f"access.demo_{demo.user.name}"))
    button = f'<button type="submit" data-demo="{demo.user.name}">{title}<span>{demo.user.name} · {demo.password}</span></button>'
    return f'<form method="post" action="/auth/sign-in">{fields}{button}</form>'


def _languages(current: str, next_path: str) -> str:
    links = []
    for language in LANGUAGES:
        query = urlencode({"lang": language} | ({"next": next_path} if next_path != "/" else {}))
        mark = ' aria-current="true"' if language == current else ""
        links.append(f'<a href="/auth/sign-in?{escape(query)}" lang="{language}"{mark}>{escape(LANGUAGE_NAMES[language])}</a>')
    return "".join(links)
