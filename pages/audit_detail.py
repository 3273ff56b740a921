"""What an audit row says beyond who, what and when, in the reader's words: names for its parts, local instants, no brackets."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from access.audit_rows import AuditRow
from access.view import View
from access.work_change import OBJECT_KIND
from components.format import dated_instant
from i18n import translate
from queries.dimensions import DIMENSIONS

ROLES: Final = ("role", "roles")
NOTHING: Final[tuple[object, ...]] = (None, "", [], {})


def tell_detail(view: View, row: AuditRow) -> str:
    """The row's details as one line; what says nothing is left out."""
    told = _work(view, row.detail) if row.object_kind == OBJECT_KIND else row.detail
    parts = [(name, value) for name, value in told.items() if value not in NOTHING]
    return "; ".join(f"{_part(view.language, name)}: {_plain(view, name, value)}" for name, value in parts)


def named(language: str, group: str, code: str) -> str:
    """The code's name in its group of the audit's words, or the code itself where it has none."""
    key = f"audit.{group}.{code}"
    word = translate(language, key) if code else ""
    return code if word == key else word


def _part(language: str, name: str) -> str:
    word = named(language, "field", name)
    return translate(language, f"dimensions.{name}.name") if word == name and name in DIMENSIONS else word


def _work(view: View, detail: Mapping[str, Any]) -> dict[str, object]:
    """What of an order's work was changed, from what to what, in words."""
    field = str(detail.get("field", ""))

    def shown(value: object) -> str:
        if isinstance(value, Mapping):
            return translate(view.language, f"worklist.state.{value['state']}")
        if field == "follow_up" and isinstance(value, int):
            return dated_instant(datetime.fromtimestamp(value / 1000, view.zone), view.zone)
        return "–" if value is None else str(value)

    changed = {field: [shown(detail["before"]), shown(detail["after"])]} if "after" in detail else {}
    return changed | {name: value for name, value in detail.items() if name not in ("field", "before", "after")}


def _plain(view: View, name: str, value: object) -> str:
    if isinstance(value, Mapping):
        known = [(part, one) for part, one in value.items() if one not in NOTHING]
        return ", ".join(f"{_part(view.language, str(part))} {_listed(view, str(part), one)}" for part, one in known)
    if isinstance(value, list) and len(value) == 2 and all(isinstance(part, str | list) for part in value):
        return " → ".join(_listed(view, name, part) for part in value)
    return _listed(view, name, value)


def _listed(view: View, name: str, value: object) -> str:
    if isinstance(value, list):
        return ", ".join(_listed(view, name, part) for part in value)
    text = str(value)
    if name in ROLES:
        key = f"access.role_{text}"
        return text if (word := translate(view.language, key)) == key else word
    return _instant(view, text)


def _instant(view: View, text: str) -> str:
    """An instant as it is stored in the reader's zone; anything else as it is."""
    if len(text) < len("2026-01-01T00:00:00") or text[10:11] != "T":
        return text
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return text
    return dated_instant(at, view.zone) if at.tzinfo else text
