"""The customer's page of one order: opened by a signed link that expires, without a session; masked, read-only, no script."""

from __future__ import annotations

from html import escape
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from access.journey import Journey, read_token
from access.order_twin import Row
from data.active import targets_in_force
from data.keys import KeysError, read_keys
from data.lake import LakeError
from i18n import LANGUAGES, closest_language, label, translate
from queries.listing import Moment
from queries.run import RunError
from queries.scope import Scope
from queries.twin import OrderKey, build_order
from shell.guard import OPEN_PREFIX
from shell.house import house

POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
SHOWN: Final = (
    "created",
    "paid",
    "shipped",
    "out_for_delivery",
    "delivered",
    "cancelled",
    "return_requested",
    "returned",
    "refunded",
)
"""What concerns a customer; what happens inside the warehouse does not."""

KEPT_DIGITS: Final = 4
STYLE: Final = (
    ":root{color-scheme:light dark;--ground:#f3f5f8;--paper:#fff;--line:#d5dce5;--text:#131d2a;--soft:#4a5a6d}"
    "@media(prefers-color-scheme:dark){:root{--ground:#0b0f14;--paper:#121821;--line:#1e2835;--text:#e6edf5;--soft:#c6d2e0}}"
    "body{font:16px/1.5 Inter,-apple-system,'Segoe UI','Noto Sans CJK SC','PingFang SC','Microsoft YaHei',sans-serif;margin:0;"
    "background:var(--ground);color:var(--text)}main{max-width:32rem;margin:3rem auto;background:var(--paper);"
    "border:1px solid var(--line);border-radius:10px;padding:1.5rem 2rem}h1{font-size:1.25rem;margin-top:0}h2{font-size:1rem}"
    "ol{padding:0;list-style:none}p:last-child{margin-bottom:0}p{color:var(--soft)}"
    "li{display:flex;justify-content:space-between;gap:1rem;border-bottom:1px solid var(--line);padding:.5rem 0}"
    "time{font-variant-numeric:tabular-nums;white-space:nowrap}@media(max-width:36rem){main{margin:1rem;padding:1rem 1.25rem}}"
)


async def show_journey(request: Request) -> Response:
    """The order's journey, or (404) that the link is not valid, or (503) that orders cannot be looked up at present."""
    return await run_in_threadpool(_show, request)


def _show(request: Request) -> Response:
    asked = request.query_params.get("lang")
    language = asked if asked in LANGUAGES else closest_language(request.headers.get("accept-language", "").split(",")[0])
    try:
        key = read_keys(house().settings).signing
        journey = read_token(request.path_params["token"], key, house().clock())
        order = _order(journey) if journey else None
    except (KeysError, LakeError, RunError):
        return _html(language, _word(language, "busy"), status=503)
    if journey is None or order is None:
        return _html(language, _word(language, "gone"), status=404)
    return _html(language, _body(language, journey, order))


def _word(language: str, key: str) -> str:
    """The page without an order: what it is, and why there is none."""
    return f"<h1>{escape(translate(language, 'journey.page'))}</h1><p>{escape(translate(language, f'journey.{key}'))}</p>"


def _order(journey: Journey) -> Row | None:
    """The order as it is now. The signature is the permission: whoever made the link had the order in sight."""
    opened = house()
    ledger = opened.reading.ledger()
    if ledger.as_of is None:
        return None
    moment = Moment(
        scope=Scope.ALL,
        version=ledger.version,
        as_of=ledger.as_of,
        zone=opened.settings.zone,
        targets=targets_in_force(opened.settings)[0],
        newest=opened.reading.lake().newest_milestone(ledger.version),
    )
    statement = build_order(OrderKey(channel=journey.channel, order_id=journey.order_id), moment)
    rows = opened.reading.answer(statement).to_dicts()
    return rows[0] if rows else None


def masked(number: str) -> str:
    """A number of which only the last digits can be read."""
    kept = KEPT_DIGITS if len(number) > 2 * KEPT_DIGITS else 1
    return "•" * min(8, max(3, len(number) - kept)) + number[-kept:]


def _body(language: str, journey: Journey, order: Row) -> str:
    steps = "".join(
        f"<li><span>{escape(label(language, 'status', name))}</span><time>{escape(_at(order[f'{name}_at']))}</time></li>"
        for name in SHOWN
        if order[f"{name}_at"] is not None
    )
    promised = translate(language, "journey.promised", at=_at(order["promised_at"])) if order["promised_at"] else ""
    until = translate(language, "journey.until", at=_at(journey.expires_at))
    none = translate(language, "journey.none")
    return (
        f"<h1>{escape(translate(language, 'journey.order', number=masked(journey.order_id)))}</h1>"
        f"<p>{escape(promised)}</p><h2>{escape(translate(language, 'journey.steps'))}</h2>"
        f"<ol>{steps or f'<li>{escape(none)}</li>'}</ol><p>{escape(until)}</p>"
    )


def _at(instant: Any) -> str:  # noqa: ANN401 - an instant of a row
    return f"{instant.astimezone(house().settings.zone):%Y-%m-%d %H:%M}"


def _html(language: str, body: str, *, status: int = 200) -> HTMLResponse:
    title = escape(translate(language, "journey.page"))
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><meta name="robots" content="noindex">'
    head = f"<head>{head}<title>{title}</title><style>{STYLE}</style></head>"
    page = f'<!doctype html><html lang="{language}">{head}<body><main>{body}</main></body></html>'
    headers = {"Cache-Control": "no-store", "Content-Security-Policy": POLICY, "Referrer-Policy": "no-referrer"}
    return HTMLResponse(page, status_code=status, headers=headers)


JOURNEY_ROUTE: Final = Route(OPEN_PREFIX + "{token}", show_journey, methods=["GET"])
