"""What nobody may trust at present: columns whose every source is silent beyond its contract's limit."""

from __future__ import annotations

from access.view import View
from components.format import age
from i18n import translate


def stale_columns(view: View) -> frozenset[str]:
    """Columns as `kind.column` (`orders.delivered_at`) that only stale sources deliver."""
    alive = frozenset(column for source in view.sources if source.state != "stale" for column in source.feeds)
    silent = frozenset(column for source in view.sources if source.state == "stale" for column in source.feeds)
    return silent - alive


def stale_sources(view: View) -> str:
    """The silent sources, how long and whom to ask, in a line each."""
    lines = [
        translate(
            view.language,
            "faults.stale_tip" if source.fault else "wall.stale_tip",
            source=source.source,
            reason=source.fault,
            age=age(view.language, source.age_seconds),
            owner=source.owner or "–",
        )
        for source in view.sources
        if source.state == "stale"
    ]
    return "\n".join(lines)
