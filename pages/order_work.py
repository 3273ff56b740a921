"""The order on the work list: who has it, taking it on from its own page, and what came of that."""

from __future__ import annotations

from access.order_twin import Twin
from access.view import View
from access.work_item import Key, items_at
from access.worklist import is_looking_back, trouble_of
from components.twin import Work
from components.worklist import Said
from i18n import translate
from pages.links import link
from pages.worklist_job import Names


def read_work(view: View, twin: Twin, said: Said | None) -> Work | None:
    """Where the order stands on the work list; None where nothing is kept, or it neither is nor can be on it."""
    if view.store is None:
        return None
    key = (twin.key.channel, twin.key.order_id)
    item = items_at(view.store, [key], view.as_of if is_looking_back(view) else None).get(key)
    can_act = not is_looking_back(view) and not view.is_preview
    can_take = can_act and (item is None or (item.assignee is None and item.state != "done"))
    is_offered = can_take and bool(twin.order["stage"]) and trouble_of(view, key) is not None
    text = "" if item is None else _standing(view, item.assignee, item.state)
    if not (is_offered or text or said):
        return None
    ask: dict[str, str | int] = {"channel": key[0], "order_id": key[1], "version": item.version if item else 0}
    return Work(
        text=text,
        href=_place(view, key),
        take=translate(view.language, "twin.work.take") if is_offered else "",
        tip=translate(view.language, "twin.work.tip"),
        ask=ask | {"verb": "assign", "value": view.user.name},
        said=said.text if said else "",
        is_refusal=said.is_refusal if said else False,
        undo_word=translate(view.language, "worklist.word.undo"),
        undo=ask | {"verb": "undo", "value": said.undo} if said and said.undo else None,
    )


def _standing(view: View, assignee: str | None, state: str) -> str:
    """Who has it or that it is done; empty where nobody has it."""
    if state == "done":
        return translate(view.language, "twin.work.done")
    if assignee is None:
        return ""
    if assignee == view.user.name:
        return translate(view.language, "twin.work.mine")
    return translate(view.language, "twin.work.with", who=Names(view).of(assignee))


def _place(view: View, key: Key) -> str:
    others: dict[str, None] = {filter_.dimension: None for filter_ in view.address.filters}
    return link(view, "/worklist", **{**others, "item": "/".join(key)})
