"""The theme before Streamlit starts: dark where the browser keeps none yet, or the one that the address names.

Streamlit follows the operating system until something is kept: a page would be light first, then dark, and open twice.
"""

from __future__ import annotations

from typing import Final

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from pages import PAGES

SCRIPT: Final = (
    "try{const key=`stActiveTheme-${location.pathname}-v2`,kept=localStorage.getItem(key),"
    'asked=new URLSearchParams(location.search).get("theme"),'
    'wanted={light:"Light",dark:"Dark"}[asked]??(kept===null||kept===\'"System"\'?"Dark":null);'
    "if(wanted)localStorage.setItem(key,JSON.stringify(wanted))}catch{}"
)
"""The same choice, under the same key, as `followTheme` of components/assets/theme.js."""


def with_first_theme(index_html: str) -> str:
    """Streamlit's page with the script before all others. Raises ValueError where the page has no head."""
    before, head, after = index_html.partition("<head>")
    if not head:
        raise ValueError("Streamlit's index.html has no <head>: the theme cannot be set before it starts")
    return f"{before}{head}<script>{SCRIPT}</script>{after}"


class FirstTheme:
    """Answers a GET of one of our pages with Streamlit's page and the script in it."""

    def __init__(self, app: ASGIApp, *, page: str) -> None:
        """Wrap the next application; `page` is what `with_first_theme` made."""
        self.app = app
        self.page = page
        # The start page's own path leads to `/`.
        self.paths = {"/", *(f"/{page.url_path}" for page in PAGES[1:])}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer our pages, pass everything else on."""
        is_page = scope["type"] == "http" and scope["method"] == "GET" and scope["path"] in self.paths
        answer = Response(self.page, headers={"Cache-Control": "no-cache"}, media_type="text/html") if is_page else self.app
        await answer(scope, receive, send)
