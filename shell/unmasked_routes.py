"""Unmasked exports as whoever wants one meets them: asking with a purpose, what became of it, and the one download."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from string import Template
from typing import Final
from urllib.parse import parse_qs, urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from access import approval
from access.approval import MOST_ROWS, ApprovalError
from access.contacts import PURPOSES, originals
from access.flag import limits_of, look_at
from access.session import Session, SessionEnded, read_session
from access.user import PreviewError
from access.view import View
from components.format import full_instant
from data.keys import KeysError
from data.lake import LakeError
from i18n import translate
from pages.links import instant_text
from pages.orders_export import read_export, with_originals
from queries.query import QueryError
from queries.run import RunError
from shell.export_routes import FORMS, file_answer, view_of
from shell.guard import session_secret
from shell.house import house
from shell.routes import FOLDER, SIGN_IN_POLICY, is_own_origin, is_too_large

PATH: Final = "/export/unmasked"
Parameters = dict[str, list[str]]
FAULTS: Final = (QueryError, LakeError, RunError, KeysError)


async def show_unmasked(request: Request) -> Response:
    """The page: the form for the list of the address, and the user's own requests."""
    return await run_in_threadpool(_show, request)


async def ask_unmasked(request: Request) -> Response:
    """Ask for an export: back to the page, which shows the request or the reason why not."""
    form = await _form(request)
    return form if isinstance(form, Response) else await run_in_threadpool(_ask, request, form)


async def fetch_unmasked(request: Request) -> Response:
    """The one download of an approved request, or the page with the reason why not."""
    form = await _form(request)
    return form if isinstance(form, Response) else await run_in_threadpool(_fetch, request, form)


UNMASKED_ROUTES: Final = (
    Route(PATH, show_unmasked, methods=["GET"]),
    Route(PATH, ask_unmasked, methods=["POST"]),
    Route(f"{PATH}/fetch", fetch_unmasked, methods=["POST"]),
)


async def _form(request: Request) -> dict[str, str] | Response:
    if not is_own_origin(request):
        return PlainTextResponse("Ask from the control room itself", status_code=403)
    if is_too_large(request):
        return PlainTextResponse("Too large", status_code=413)
    return {name: value for name, value in (await request.form()).items() if isinstance(value, str)}


def _session(request: Request) -> Session | None:
    return read_session(house().store, session_secret(request), house().clock())


def _show(request: Request) -> Response:
    parameters = {name: request.query_params.getlist(name) for name in request.query_params}
    return _answer(request, parameters)


def _ask(request: Request, form: Mapping[str, str]) -> Response:
    parameters = parse_qs(form.get("query", ""))
    session = _session(request)
    if session is None:
        return RedirectResponse("/auth/sign-in", status_code=303)
    try:
        view = view_of(request, session, parameters)
        rows = read_export(view, parameters).row_count
        pinned = parameters | {"as_of": [instant_text(view.as_of)], "snapshot": [str(view.snapshot)]}
        words = {"purpose": form.get("purpose", ""), "reason": form.get("reason", "")}
        approval.ask(house().store, pinned, row_count=rows, by=view.by(), **words)
    except (*FAULTS, ApprovalError, PreviewError, SessionEnded) as error:
        return _answer(request, parameters, error)
    return RedirectResponse(f"{PATH}?{urlencode({'lang': view.language})}", status_code=303)


def _fetch(request: Request, form: Mapping[str, str]) -> Response:
    session = _session(request)
    if session is None:
        return RedirectResponse("/auth/sign-in", status_code=303)
    number = int(form["id"]) if form.get("id", "").isdecimal() and len(form["id"]) < 10 else 0
    kind = form.get("form") if form.get("form") in FORMS else "csv"
    try:
        return _file(request, session, number, str(kind))
    except (*FAULTS, ApprovalError, PreviewError, SessionEnded) as error:
        return _answer(request, {}, error)


def _file(request: Request, session: Session, number: int, kind: str) -> Response:
    """The file of a request that is put on record as fetched before anything of it leaves."""
    store, mine = house().store, approval.list_requests(house().store, asked_by=session.user.name)
    wanted = next((one for one in mine if one.id == number and one.state(house().clock()) == "approved"), None)
    view = view_of(request, session, wanted.parameters if wanted else {})
    by = view.by()
    if wanted is None:
        approval.take(store, number, by)
        raise ApprovalError("gone")
    masked = read_export(view, wanted.parameters)
    found = originals(view, [(str(row[0]), str(row[1])) for row in masked.rows[:MOST_ROWS]])
    export = with_originals(view, masked, found, approved_by=wanted.decided_by or "", purpose=wanted.purpose)
    answer = file_answer(export, kind)
    approval.take(store, number, by)
    look_at(store, view.by_name, limits_of(house().settings), house().clock())
    return answer


def _answer(request: Request, parameters: Parameters, error: Exception | None = None) -> Response:
    """The page as it is now, with the reason why something was not done."""
    session = _session(request)
    if session is None:
        return RedirectResponse("/auth/sign-in", status_code=303)
    try:
        view = view_of(request, session, parameters)
    except LakeError as fault:
        return PlainTextResponse(str(fault), status_code=400)
    asked = {name: values for name, values in parameters.items() if name != "lang"}
    texts = {name: escape(translate(view.language, f"approval.{name}")) for name in ("title", "about", "back_label")}
    notice = f'<p class="notice" role="alert">{escape(_reason(view.language, error))}</p>' if error else ""
    html = Template(FOLDER.joinpath("unmasked.html").read_text(encoding="utf-8")).substitute(
        texts,
        language=view.language,
        product=escape(translate(view.language, "access.product")),
        notice=notice,
        form=_asking(view, asked) if asked else "",
        requests=_requests(view),
        back=escape(f"?{urlencode(asked, doseq=True)}" if asked else ""),
    )
    headers = {"Cache-Control": "no-store", "Content-Security-Policy": SIGN_IN_POLICY}
    return HTMLResponse(html, status_code=403 if error else 200, headers=headers)


def _reason(language: str, error: Exception) -> str:
    if isinstance(error, ApprovalError):
        return translate(language, f"approval.error.{error.reason}", most=f"{MOST_ROWS:,}")
    return translate(language, "access.preview_only") if isinstance(error, PreviewError) else str(error)


def _asking(view: View, parameters: Parameters) -> str:
    def word(key: str, **values: object) -> str:
        return escape(translate(view.language, key, **values))

    options = "".join(f'<option value="{code}">{word(f"access.purpose.{code}")}</option>' for code in PURPOSES)
    query = escape(urlencode(parameters, doseq=True))
    return (
        f'<form method="post" action="{PATH}?lang={view.language}"><input type="hidden" name="query" value="{query}">'
        f'<label for="purpose">{word("approval.purpose")}</label><select id="purpose" name="purpose">{options}</select>'
        f'<label for="reason">{word("approval.reason")}</label>'
        '<input id="reason" name="reason" required minlength="5" maxlength="500" autocomplete="off">'
        f'<p class="rule">{word("approval.rule", most=f"{MOST_ROWS:,}")}</p>'
        f'<button type="submit" class="primary">{word("approval.ask")}</button></form>'
    )


def _requests(view: View) -> str:
    mine = approval.list_requests(house().store, asked_by=view.user.name)
    if not mine:
        return ""
    title = escape(translate(view.language, "approval.mine"))
    return f'<section class="demo"><h2>{title}</h2><ul class="requests">{"".join(_request(view, one) for one in mine)}</ul></section>'


def _request(view: View, one: approval.Request) -> str:
    language, state = view.language, one.state(view.now)
    values = {"who": one.decided_by or "", "until": full_instant(one.ends_at, view.zone)}
    about = translate(language, "approval.one", n=f"{one.row_count:,}", at=full_instant(one.asked_at, view.zone))
    said = f"{translate(language, f'access.purpose.{one.purpose}')} · {one.reason}"
    buttons = "".join(f'<button type="submit" name="form" value="{form}">{form.upper()}</button>' for form in FORMS)
    fetch = f'<form method="post" action="{PATH}/fetch?lang={language}"><input type="hidden" name="id" value="{one.id}">{buttons}</form>'
    return (
        f"<li><div>{escape(about)}<p>{escape(said)}</p><p>{escape(translate(language, f'approval.state.{state}', **values))}</p></div>"
        f"{fetch if state == 'approved' else ''}</li>"
    )
