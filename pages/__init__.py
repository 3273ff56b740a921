"""One file = one question a user asks = one `render(view)`. PAGES is the menu, in its order; the first is the home page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

EVERYONE: Final = ("manager", "lead", "analyst", "admin")


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page of the menu: the module whose `render(view)` draws it, its path, its title's key, the roles it is for."""

    module: str
    url_path: str
    title: str
    roles: tuple[str, ...] = EVERYONE


PAGES: Final = (
    Page(module="pages.wall", url_path="wall", title="wall.title"),
    Page(module="pages.map", url_path="map", title="map.title"),
    Page(module="pages.heatmaps", url_path="heatmaps", title="heatmaps.title"),
    Page(module="pages.flow", url_path="flow", title="flow.title"),
    Page(module="pages.drill", url_path="drill", title="drill.title"),
    Page(module="pages.orders", url_path="orders", title="listing.page"),
    Page(module="pages.order", url_path="order", title="twin.page"),
    Page(module="pages.alerts", url_path="alerts", title="alert_page.title"),
    Page(module="pages.rules", url_path="rules", title="rules.title"),
    Page(module="pages.targets", url_path="targets", title="targets.title", roles=("analyst", "admin")),
    Page(module="pages.worklist", url_path="worklist", title="worklist.title"),
    Page(module="pages.handover", url_path="handover", title="handover.title"),
    Page(module="pages.users", url_path="users", title="users.title", roles=("admin",)),
    Page(module="pages.audit", url_path="audit", title="audit.title", roles=("admin",)),
)
"""To add a page, add its module and a line here."""
