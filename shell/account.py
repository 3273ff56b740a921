"""The signed-in user's own account: a new password, and the end of every session; small HTML of our own."""

from __future__ import annotations

from html import escape
from math import ceil
from string import Template
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from access.password import SHORTEST
from access.session import Session, read_session
from access.sign_in import SignIn, change_password
from access.user import end_user_sessions
from i18n import LANGUAGES, translate
from shell.guard import session_secret
from shell.house import house
from shell.routes import FOLDER, SIGN_IN_POLICY, browser_language, forget_cookie, give_cookie, is_own_origin, is_too_large

WORDS: Final = {
    "title": "account_title",
    "heading": "account",
    "old_label": "old_password",
    "new_label": "new_password",
    "change_label": "change_password",
    "sessions_title": "sessions",
    "sessions_note": "sessions_note",
    "everywhere_label": "sign_out_everywhere",
    "back_label": "back",
}


async def show_account(request: Request) -> Response:
    """The account's page."""
    session = await run_in_threadpool(_session, request)
    if session is None:
        return RedirectResponse("/auth/sign-in", status_code=303)
    return _page(request, session)


async def submit_password(request: Request) -> Response:
    """Change the password: the page with the reason why not, or with a new session and all others ended."""
    if not is_own_origin(request):
        return PlainTextResponse("Change the password from the control room itself", status_code=403)
    if is_too_large(request):
        return PlainTextResponse("Too large", status_code=413)
    form = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
    session = await run_in_threadpool(_session, request)
    if session is None:
        return RedirectResponse("/auth/sign-in", status_code=303)
    changed = await run_in_threadpool(_change, session, form)
    if changed.reason:
        return _page(request, session, notice=changed, status=429 if changed.reason == "wait" else 422)
    response = _page(request, session, notice=SignIn(reason="changed"))
    give_cookie(request, response, changed.secret)
    return response


async def sign_out_everywhere(request: Request) -> Response:
    """End every session of the user, this one included; only from a page of our own."""
    if not is_own_origin(request):
        return PlainTextResponse("Sign out from the control room itself", status_code=403)
    await run_in_threadpool(_end_all, request)
    response = RedirectResponse("/auth/sign-in", status_code=303, headers={"Clear-Site-Data": '"storage"'})
    forget_cookie(request, response)
    return response


ACCOUNT_ROUTES: Final = (
    Route("/auth/account", show_account, methods=["GET"]),
    Route("/auth/account", submit_password, methods=["POST"]),
    Route("/auth/sign-out-everywhere", sign_out_everywhere, methods=["POST"]),
)


def _session(request: Request) -> Session | None:
    return read_session(house().store, session_secret(request), house().clock())


def _change(session: Session, form: dict[str, str]) -> SignIn:
    return change_password(house().store, session, form.get("old", ""), form.get("new", ""), now=house().clock())


def _end_all(request: Request) -> None:
    session = _session(request)
    if session is not None:
        end_user_sessions(house().store, session.actor.name, house().clock(), by=session.actor)


def _page(request: Request, session: Session, *, notice: SignIn | None = None, status: int = 200) -> Response:
    own = session.user.language
    language = own if own in LANGUAGES else browser_language(request)
    texts = {place: escape(translate(language, f"access.{key}")) for place, key in WORDS.items()}
    shown = ""
    if notice is not None:
        key = f"access.password_{notice.reason}" if notice.reason not in ("wait", "wrong") else f"access.{notice.reason}_again"
        text = translate(language, key, minutes=ceil(notice.wait_seconds / 60), characters=SHORTEST)
        shown = f'<p class="notice {"good" if notice.reason == "changed" else ""}" role="alert">{escape(text)}</p>'
    html = Template(FOLDER.joinpath("account.html").read_text(encoding="utf-8")).substitute(
        texts,
        language=language,
        name=escape(session.user.name),
        who=escape(f"{session.user.display_name} · {session.user.name}"),
        rule=escape(translate(language, "access.password_rule", characters=SHORTEST)),
        notice=shown,
    )
    headers = {"Cache-Control": "no-store", "Content-Security-Policy": SIGN_IN_POLICY}
    return HTMLResponse(html, status_code=status, headers=headers)
