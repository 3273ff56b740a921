"""The ASGI application: sign-in, sign-out and health beside Streamlit, with the session, headers and packing before it.

`uvicorn app:app` serves it; `python cli.py run` starts it together with the worker.
"""

from __future__ import annotations

import gc
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Final

import streamlit
from starlette.middleware import Middleware

from access.session import read_session, signed_in_users
from access.sign_in import first_administrator, offers_demo, settle_demo_users
from config import ROOT, read_settings
from data.active import with_business_zone
from pages import PAGES
from shell.account import ACCOUNT_ROUTES
from shell.export_routes import EXPORT_ROUTES
from shell.failure import show_failure
from shell.first_theme import FirstTheme, with_first_theme
from shell.geo_routes import GEO_ROUTES
from shell.guard import LocalNamesOnly, SecurityHeaders, SessionGuard, content_security_policy
from shell.house import House, house, open_house
from shell.journey import JOURNEY_ROUTE
from shell.log import RequestLog, start_log
from shell.packed_static import PackedStatic
from shell.routes import ROUTES, start_route
from shell.sign_on_routes import SIGN_ON_ROUTES
from shell.unmasked_routes import UNMASKED_ROUTES

STREAMLIT_FILES: Final = Path(streamlit.__file__).resolve().parent / "static"
INDEX: Final = with_first_theme((STREAMLIT_FILES / "index.html").read_text(encoding="utf-8"))
WARMED: Final = (
    "duckdb",
    "polars",
    "pandas",
    "pyarrow",
    "sqlglot.dialects.duckdb",
    "streamlit.runtime.scriptrunner.script_runner",
    "pages",
)
"""Imported before the first session asks: they take seconds the first time."""

LAST_ANSWER_SECONDS: Final = 10.0
"""So long the end waits for a query that is under way: the engine must not be torn down beneath it."""


def utc_now() -> datetime:
    """The wall clock, handed to everything below as an argument."""
    return datetime.now(UTC)


def is_signed_in(secret: str | None) -> bool:
    """Whether the cookie's session is valid now."""
    return read_session(house().store, secret, utc_now()) is not None


def work_ahead(opened: House) -> None:
    """Import what takes seconds the first time, then keep the answers of open pages ready."""
    # Pages asked outside a session make Streamlit remark so for each of its calls.
    logging.getLogger("streamlit.runtime.scriptrunner_utils.script_run_context").setLevel(logging.ERROR)
    for name in WARMED:
        import_module(name)
    # What is imported stays: a collection that walked it all again would hold a page up for a tenth of a second.
    gc.collect()
    gc.freeze()
    start_log(opened.secrets())
    opened.ahead.run(
        opened.reading, opened.clock, signed_in=partial(signed_in_users, opened.store), is_busy=opened.turnstile.is_busy
    )


@asynccontextmanager
async def lifespan(_app: streamlit.App) -> AsyncIterator[None]:
    """Open the house before the first request, close it after the last."""
    opened = open_house(with_business_zone(read_settings()), clock=utc_now)
    start_log(opened.secrets())
    settle_demo_users(opened.store, opened.settings, utc_now())
    if password := first_administrator(opened.store, utc_now()):
        print(f"First sign-in (shown once): administrator {password}", flush=True)
    ahead = Thread(target=work_ahead, args=(opened,), daemon=True)
    ahead.start()
    try:
        yield
    finally:
        opened.ahead.stopping.set()
        ahead.join(LAST_ANSWER_SECONDS)
        opened.close()


app = streamlit.App(
    ROOT / "shell" / "main.py",
    routes=[
        *ROUTES,
        *SIGN_ON_ROUTES,
        *ACCOUNT_ROUTES,
        *EXPORT_ROUTES,
        *UNMASKED_ROUTES,
        *GEO_ROUTES,
        JOURNEY_ROUTE,
        start_route(PAGES[0].url_path),
    ],
    middleware=[
        Middleware(RequestLog),
        Middleware(SecurityHeaders, policy=content_security_policy(INDEX)),
        Middleware(LocalNamesOnly, is_restricted=lambda: offers_demo(house().settings)),
        Middleware(SessionGuard, is_signed_in=is_signed_in),
        Middleware(FirstTheme, page=INDEX),
        Middleware(PackedStatic, folder=STREAMLIT_FILES / "static"),
    ],
    lifespan=lifespan,
    on_script_error=show_failure,
)
