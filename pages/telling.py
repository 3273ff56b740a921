"""How messages word figures and instants: the interface's own formats, handed to the alerts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from components.format import count, dash, duration, percent


@dataclass(frozen=True, kw_only=True)
class Telling:
    """Figures by their unit, instants in the business zone."""

    zone: ZoneInfo

    def figure(self, language: str, unit: str, value: float | None) -> str:
        """A figure in its unit, in the reader's words."""
        if value is None:
            return dash(language)
        if unit == "rate":
            return percent(language, value)
        if unit == "seconds":
            return duration(language, value)
        return count(language, value) if unit in ("count", "per_hour") else f"{value:,.2f}"

    def instant(self, language: str, at: datetime | None) -> str:
        """Month, day, hour and minute."""
        return dash(language) if at is None else at.astimezone(self.zone).strftime("%m-%d %H:%M")
