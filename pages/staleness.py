"""What nobody may trust at present: columns whose every source is silent beyond its contract's limit."""

from __future__ import annotations

from collections.abc import Sequence

from access.view import View
from components.format import age
from i18n import translate
from queries.metrics import METRICS
from queries.needs import needed_columns


def stale_columns(view: View) -> frozenset[str]:
    """Columns as `kind.column` (`orders.delivered_at`) that only stale sources deliver."""
    alive = frozenset(column for source in view.sources if source.state != "stale" for column in source.feeds)
    silent = frozenset(column for source in view.sources if source.state == "stale" for column in source.feeds)
    return silent - alive


def stale_needs(view: View, metric: str, stages: Sequence[object] = ()) -> frozenset[str]:
    """The stale columns that the figure cannot do without; of passages through named stages only these stages' own milestones."""
    named = [f"orders.{stage}_at" for stage in stages if stage]
    needed = frozenset(named) if named and METRICS[metric].anchor.rows == "passages" else needed_columns(metric)
    return needed & stale_columns(view)


def stale_sources(view: View, needs: frozenset[str] | None = None) -> str:
    """The silent sources, of given `needs` those that feed them, how long and whom to ask, in a line each."""
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
        if source.state == "stale" and (needs is None or needs.intersection(source.feeds))
    ]
    return "\n".join(lines)
