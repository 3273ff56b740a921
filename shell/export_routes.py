"""Downloads of a list of orders: the address's own filters, asked again within the session's scope at the moment of asking.

A download is no stored file: another session's address gives that session's own orders, or none.
"""

from __future__ import annotations

from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from access.session import Session, SessionEnded, read_session
from access.view import View, open_view
from data.lake import LakeError
from i18n import LANGUAGES, translate
from pages.orders_export import Export, csv_bytes, read_export, xlsx_bytes
from queries.query import QueryError
from queries.run import RunError
from shell.guard import session_secret
from shell.house import house

FORMS: Final = {
    "csv": (csv_bytes, "text/csv; charset=utf-8"),
    "xlsx": (xlsx_bytes, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
}
POLICY: Final = "default-src 'none'; frame-ancestors 'none'"


async def export_orders(request: Request) -> Response:
    """The list of the address as a file; 401 without a session, 400 for a list that cannot be asked for."""
    return await run_in_threadpool(_export, request)


def _export(request: Request) -> Response:
    session = read_session(house().store, session_secret(request), house().clock())
    if session is None:
        return PlainTextResponse("Sign in first", status_code=401)
    form = request.url.path.rpartition(".")[2]
    parameters = {name: request.query_params.getlist(name) for name in request.query_params}
    try:
        view = view_of(request, session, parameters)
        export = read_export(view, parameters)
        answer = file_answer(export, form)
    except SessionEnded:
        return PlainTextResponse("Sign in first", status_code=401)
    except (QueryError, LakeError, RunError) as error:
        return PlainTextResponse(str(error), status_code=400)
    view.note_export("orders", export.file_name, {"rows": export.row_count})
    return answer


def file_answer(export: Export, form: str) -> Response:
    """The export as a download, in one of `FORMS`."""
    write, media_type = FORMS[form]
    headers = {"Content-Disposition": f'attachment; filename="{export.file_name}.{form}"', "Cache-Control": "no-store"}
    return Response(write(export), media_type=media_type, headers=headers | {"Content-Security-Policy": POLICY})


def view_of(request: Request, session: Session, parameters: dict[str, list[str]]) -> View:
    """The session's view of what the parameters ask for. Raises LakeError."""
    secret = session_secret(request)

    def stays_valid() -> None:
        if read_session(house().store, secret, house().clock()) is None:
            raise SessionEnded(translate(LANGUAGES[0], "access.ended"))

    asked = request.query_params.get("lang")
    return open_view(
        house().reading,
        session.user,
        parameters,
        now=house().clock(),
        language=asked if asked in LANGUAGES else session.user.language or LANGUAGES[0],
        stays_valid=stays_valid,
        store=house().store,
        actor=session.actor,
    )


EXPORT_ROUTES: Final = (
    Route("/export/orders.csv", export_orders, methods=["GET"]),
    Route("/export/orders.xlsx", export_orders, methods=["GET"]),
)
