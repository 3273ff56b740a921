"""Which rules there are for a user, and which of them the user may change."""

from __future__ import annotations

from access.view import View
from alerts.desk import Reader
from alerts.lifecycle import Author, Entry, list_rules, list_versions
from alerts.lint import is_for
from alerts.rule import Rule, RuleError
from pages.alert_rows import reader_of


def author_of(view: View) -> Author:
    """The user as who acts on rules. Raises PreviewError."""
    return Author(name=view.user.name, role=view.user.role, scope=view.scope, actor=view.by().audited)


def my_entries(view: View) -> list[Entry]:
    """Every rule there is for this user: shared ones that touch their regions, and their own."""
    if view.store is None:
        return []
    reader = reader_of(view)
    return [entry for entry in list_rules(view.store) if _is_mine(view, entry, reader)]


def _is_mine(view: View, entry: Entry, reader: Reader) -> bool:
    if entry.is_personal:
        return entry.owner == reader.name
    if not reader.scope.everything and not entry.scope.everything and not set(entry.scope.regions) & set(reader.scope.regions):
        return False
    newest = newest_rule(view, entry)
    return newest is None or is_for(newest, reader.scope, entry.scope)


def newest_rule(view: View, entry: Entry) -> Rule | None:
    """The rule's live version, else its newest; None where it no longer parses."""
    assert view.store is not None
    wanted = entry.live_version or entry.newest_version
    return next((version.rule for version in list_versions(view.store, entry.name) if version.number == wanted), None)


def mine(view: View, name: str) -> Entry:
    """The rule of this name; raises RuleError where there is none for the user."""
    found = next((entry for entry in my_entries(view) if entry.name == name), None)
    if found is None:
        raise RuleError(f"there is no rule {name!r}")
    return found


def can_approve(view: View, entry: Entry) -> bool:
    """Whether the user may be the second person of a critical version: an analyst who may change it, or an administrator."""
    if entry.is_personal:
        return False
    return can_change(view, entry) or (view.user.role == "admin" and view.scope.everything)


def can_change(view: View, entry: Entry) -> bool:
    """Whether the user may change this rule: their own, or as an analyst one inside their regions."""
    if entry.is_personal:
        return entry.owner == view.user.name
    inside = view.scope.everything or (not entry.scope.everything and set(entry.scope.regions) <= set(view.scope.regions))
    return view.user.role == "analyst" and inside
