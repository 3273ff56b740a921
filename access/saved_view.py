"""Saved views: a name for a page's address, private or shared with roles, and the one a user starts with.

A view holds plain query parameters, never figures: whoever opens it sees it inside their own scope, and the page checks the
parameters as it checks any address.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from sqlalchemy import JSON, Column, Connection, Engine, Integer, Row, String, Table, select

from access import audit
from access.acting import By
from access.preference import read_preference, write_preference
from access.store import METADATA, Instant, inserted_id, writing
from access.user import ROLES, User
from i18n import translate

LONGEST_NAME: Final = 60
LONGEST_VALUE: Final = 200
MOST_VALUES: Final = 100
MOST_OF_ONE_USER: Final = 100
NEVER_SAVED: Final = ("lang", "theme", "wall", "saved")
"""The reader's own, not the view's."""

SAVED: Final = "saved"
"""In an address: the id of the saved view it was opened by."""

START: Final = "start_view"
"""The preference that holds the id of the view a user starts with."""

SAVED_VIEWS: Final = Table(
    "saved_views",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("owner", String(64), nullable=False, index=True),
    Column("name", String(64), nullable=False),
    Column("page", String(64), nullable=False),
    Column("parameters", JSON, nullable=False),
    Column("roles", JSON, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("deleted_at", Instant),
)

Parameters = dict[str, list[str]]


class SavedViewError(ValueError):
    """A view cannot be kept as asked; `reason` is a key below `saved.error` whose sentence says why and what to do instead."""

    def __init__(self, reason: str, **values: object) -> None:
        """The message in English; `sentence` gives it in another language."""
        super().__init__(translate("en", f"saved.error.{reason}", **values))
        self.reason = reason
        self.values = values

    def sentence(self, language: str) -> str:
        """The message in the language."""
        return translate(language, f"saved.error.{self.reason}", **self.values)


@dataclass(frozen=True, kw_only=True)
class SavedView:
    """A named address: the page's path and its query parameters; `roles` empty is private."""

    id: int
    owner: str
    name: str
    page: str
    parameters: Parameters
    roles: tuple[str, ...] = ()
    is_deleted: bool = False

    @property
    def href(self) -> str:
        """The address that opens it, from the site's root."""
        return f"/{self.page}?" + urlencode({**self.parameters, SAVED: [str(self.id)]}, doseq=True)


def is_open_to(view: SavedView, user: User) -> bool:
    """Whether the user may open the view: their own, or shared with their role."""
    return not view.is_deleted and (view.owner == user.name or user.role in view.roles)


def list_saved_views(store: Engine, user: User) -> list[SavedView]:
    """The views the user may open: their own first, then by name."""
    with store.connect() as connection:
        rows = connection.execute(select(SAVED_VIEWS).where(SAVED_VIEWS.c.deleted_at.is_(None)))
        found = [view for view in map(view_of_row, rows) if is_open_to(view, user)]
    return sorted(found, key=lambda view: (view.owner != user.name, view.name.casefold(), view.id))


def name_of_view(store: Engine, view_id: int) -> str:
    """The view's name, also of a deleted one; empty where there never was one."""
    with store.connect() as connection:
        found = _find(connection, view_id)
    return found.name if found is not None else ""


def find_saved_view(store: Engine, user: User, view_id: int) -> SavedView | None:
    """The view if the user may open it; None for one there is not (any more), or that is not theirs to see."""
    with store.connect() as connection:
        found = _find(connection, view_id)
    return found if found is not None and is_open_to(found, user) else None


def save_view(
    store: Engine, *, name: str, page: str, parameters: Mapping[str, Sequence[str]], roles: Iterable[str], by: By
) -> int:
    """Keep the address under a name; the new view's id. Raises SavedViewError."""
    values = {"name": _name(name), "page": page, "parameters": check_parameters(parameters), "roles": _roles(roles)}
    with writing(store) as connection:
        mine = _names(connection, by.user)
        if len(mine) >= MOST_OF_ONE_USER:
            raise SavedViewError("many", most=MOST_OF_ONE_USER)
        _refuse_taken(mine, values["name"])
        result = connection.execute(SAVED_VIEWS.insert().values(owner=by.user.name, created_at=by.at, **values))
        view_id = inserted_id(result)
        _record(connection, "view_saved", view_id, by, values)
    return view_id


def rename_view(store: Engine, view_id: int, name: str, *, by: By) -> None:
    """Give an own view another name. Raises SavedViewError."""
    wanted = _name(name)
    with writing(store) as connection:
        view = _own(connection, view_id, by)
        _refuse_taken(_names(connection, by.user) - {view.name}, wanted)
        _change(connection, view_id, by, "view_renamed", {"name": wanted}, before=view.name)


def share_view(store: Engine, view_id: int, roles: Iterable[str], *, by: By) -> None:
    """Share an own view with exactly these roles; none makes it private again. Raises SavedViewError."""
    wanted = _roles(roles)
    with writing(store) as connection:
        view = _own(connection, view_id, by)
        _change(connection, view_id, by, "view_shared", {"roles": wanted}, before=list(view.roles))


def update_view(store: Engine, view_id: int, *, page: str, parameters: Mapping[str, Sequence[str]], by: By) -> None:
    """Let an own view keep another address. Raises SavedViewError."""
    values = {"page": page, "parameters": check_parameters(parameters)}
    with writing(store) as connection:
        view = _own(connection, view_id, by)
        _change(connection, view_id, by, "view_updated", values, before={"page": view.page, "parameters": view.parameters})


def delete_view(store: Engine, view_id: int, *, by: By) -> None:
    """Take an own view away; `restore_view` brings it back as it was. Raises SavedViewError."""
    with writing(store) as connection:
        view = _own(connection, view_id, by)
        _change(connection, view_id, by, "view_deleted", {"deleted_at": by.at}, before=view.name)


def restore_view(store: Engine, view_id: int, *, by: By) -> None:
    """Bring a deleted own view back exactly as it was. Raises SavedViewError when its name has been taken since."""
    with writing(store) as connection:
        view = _own(connection, view_id, by, deleted=True)
        _refuse_taken(_names(connection, by.user), view.name)
        _change(connection, view_id, by, "view_restored", {"deleted_at": None}, before=view.name)


def start_view(store: Engine, user: User) -> tuple[int, SavedView | None] | None:
    """The id of the view the user starts with, and the view if it still opens for them; None when none was chosen."""
    text = read_preference(store, user, START)
    if text is None or not text.isdigit():
        return None
    return int(text), find_saved_view(store, user, int(text))


def set_start_view(store: Engine, view_id: int | None, *, by: By) -> None:
    """Start with this view from now on, or (None) with the wall. Raises SavedViewError for one the user may not open."""
    if view_id is not None and find_saved_view(store, by.user, view_id) is None:
        raise SavedViewError("gone")
    write_preference(store, by.user, START, None if view_id is None else str(view_id))


def check_parameters(parameters: Mapping[str, Sequence[str]]) -> Parameters:
    """The parameters worth keeping, as plain checked text; what could not be part of a page's address is left out."""
    kept: Parameters = {}
    for name, values in parameters.items():
        if name in NEVER_SAVED or not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", name):
            continue
        usable = [value for value in values if value and len(value) <= LONGEST_VALUE and value.isprintable()]
        if usable:
            kept[name] = usable[: MOST_VALUES - sum(map(len, kept.values()))]
    return {name: values for name, values in sorted(kept.items()) if values}


def _name(name: str) -> str:
    plain = re.sub(r"\s+", " ", "".join(c for c in name if c.isprintable())).strip()
    if not plain:
        raise SavedViewError("no_name")
    if len(plain) > LONGEST_NAME:
        raise SavedViewError("long_name", n=len(plain), most=LONGEST_NAME)
    return plain


def _roles(roles: Iterable[str]) -> list[str]:
    asked = set(roles)
    if unknown := sorted(asked - set(ROLES)):
        raise SavedViewError("role", role=unknown[0][:40])
    return [role for role in ROLES if role in asked]


def _names(connection: Connection, user: User) -> set[str]:
    query = select(SAVED_VIEWS.c.name).where(SAVED_VIEWS.c.owner == user.name, SAVED_VIEWS.c.deleted_at.is_(None))
    return set(connection.execute(query).scalars())


def _refuse_taken(names: set[str], wanted: object) -> None:
    if wanted in names:
        raise SavedViewError("taken", name=wanted)


def _find(connection: Connection, view_id: int) -> SavedView | None:
    row = connection.execute(select(SAVED_VIEWS).where(SAVED_VIEWS.c.id == view_id)).one_or_none()
    return None if row is None else view_of_row(row)


def _own(connection: Connection, view_id: int, by: By, *, deleted: bool = False) -> SavedView:
    view = _find(connection, view_id)
    if view is None or view.is_deleted != deleted or (view.owner != by.user.name and not is_open_to(view, by.user)):
        raise SavedViewError("gone")
    if view.owner != by.user.name:
        raise SavedViewError("not_yours", owner=view.owner)
    return view


def _change(connection: Connection, view_id: int, by: By, action: str, values: dict[str, Any], *, before: object) -> None:
    connection.execute(SAVED_VIEWS.update().where(SAVED_VIEWS.c.id == view_id).values(**values))
    shown = {name: value for name, value in values.items() if name != "deleted_at"}
    _record(connection, action, view_id, by, {"before": before} | shown)


def _record(connection: Connection, action: str, view_id: int, by: By, detail: Mapping[str, object]) -> None:
    audit.record(
        connection,
        at=by.at,
        actor=by.audited,
        action=action,
        object_kind="saved_view",
        object_id=str(view_id),
        detail=detail,
    )


def view_of_row(row: Row[Any]) -> SavedView:
    """The view in a row of `SAVED_VIEWS`."""
    return SavedView(
        id=row.id,
        owner=row.owner,
        name=row.name,
        page=row.page,
        parameters={name: list(values) for name, values in row.parameters.items()},
        roles=tuple(row.roles),
        is_deleted=row.deleted_at is not None,
    )
