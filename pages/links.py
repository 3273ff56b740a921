"""Links inside the app: every page opens with the window, instant, snapshot, language, theme and filters of this one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import urlencode, urlsplit

from access.address import DEFAULT_WINDOW, UNKNOWN
from access.view import View
from queries.query import Filter

Change = str | Sequence[str | None] | None


def link(view: View, path: str, **changes: Change) -> str:
    """The address of `path` (`/drill`) in this view, with changes by parameter name.

    A text or several values replace what is there (None among several values is the unknown value), None removes it.
    `link(view, "/orders", metric="late_rate", city=("Wuhan", None))`.
    """
    kept = _kept(view) | {name: _texts(change) for name, change in changes.items()}
    pairs = [(name, text) for name, texts in kept.items() for text in texts]
    return f"{path}?{urlencode(pairs)}" if pairs else path


def filter_changes(filters: Sequence[Filter]) -> dict[str, Change]:
    """Filters as changes for `link`, which replace the view's own of the same dimensions."""
    return {filter_.dimension: filter_.values for filter_ in filters}


def instant_text(instant: datetime) -> str:
    """An instant as addresses have it: UTC, to the millisecond where there is one."""
    utc = instant.astimezone(UTC).replace(tzinfo=None)
    return utc.isoformat(timespec="milliseconds" if utc.microsecond else "seconds") + "Z"


def outside_link(text: str) -> str:
    """The text where the whole of it is an address of the web (http, https) without a user's name in it; else empty."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return ""
    is_plain = text.isprintable() and not set(text) & set(" \\")
    return text if is_plain and parts.scheme in ("http", "https") and parts.hostname and "@" not in parts.netloc else ""


def _kept(view: View) -> dict[str, list[str]]:
    address = view.address
    kept = {"window": [] if address.window == DEFAULT_WINDOW else [address.window]}
    kept["as_of"] = [instant_text(address.as_of)] if address.as_of else []
    kept["snapshot"] = [str(address.snapshot)] if address.snapshot else []
    kept |= {"lang": [address.language] if address.language else [], "theme": [address.theme] if address.theme else []}
    return kept | {filter_.dimension: _texts(filter_.values) for filter_ in address.filters}


def _texts(change: Change) -> list[str]:
    if change is None:
        return []
    if isinstance(change, str):
        return [change] if change else []
    return [UNKNOWN if value is None else str(value) for value in change]
