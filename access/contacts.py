"""Whom an order is for: masked for everyone who sees the order, searched without being shown, revealed one by one on the record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from access.audit import record
from access.flag import limits_of, look_at
from access.session import is_confirmed
from access.sign_in import confirm_password
from access.store import writing
from access.user import has_password
from access.view import View
from data.keys import read_keys
from data.personal import plain_phone, search_hash, unseal, without_contacts
from queries.contacts import (
    MOST_AT_ONCE,
    ContactSight,
    masked_contacts,
    orders_by_phone,
    sealed_contacts,
    sealed_of_orders,
)

PURPOSES: Final = ("delivery", "complaint", "return", "fraud", "own_request")
"""Why a value may be revealed; each has a name under `access.purpose`, and wants a text beside it."""

REVEAL_ROLES: Final = ("admin",)
SHOWN: Final = timedelta(seconds=60)
SHORTEST_TEXT: Final = 5
SHORTEST_PHONE: Final = 7


Confirmation = Literal["password", "sign_on", "done"]
"""The password, a sign-in at the company's provider, or nothing more: that sign-in was minutes ago."""


class RevealError(PermissionError):
    """Nothing is revealed; `reason` is a key under `access.reveal`, `wait_seconds` says how long the door is shut."""

    def __init__(self, reason: str, wait_seconds: int = 0) -> None:
        """The reason alone is the message: it carries no data."""
        super().__init__(reason)
        self.reason, self.wait_seconds = reason, wait_seconds


@dataclass(frozen=True, kw_only=True)
class Revealed:
    """One original, to be shown until `until` and then no more."""

    value: str
    until: datetime


def masked(view: View, channel: str, order_id: str, *, created_at: datetime | None = None) -> dict[str, str]:
    """The masked name, phone and address of an order in the view's scope, by field; empty where there is nothing.

    `created_at` finds it sooner.
    """
    rows = view.ask(masked_contacts(_sight(view), channel, order_id, created_at))
    return dict(zip(rows["field"].to_list(), rows["masked"].to_list(), strict=True))


def search_by_phone(view: View, phone: str) -> list[tuple[str, str]]:
    """The orders (channel, order_id) in the view's scope that carry a whole phone number, however it is written."""
    return orders_of(view, key) if (key := phone_key(view, phone)) else []


def phone_key(view: View, phone: str) -> str | None:
    """What stands for a whole phone number in an address or a record, under the home's key; None for what is none."""
    is_number = set(phone) <= set("0123456789 +-()") and len(plain_phone(phone)) >= SHORTEST_PHONE
    return search_hash(read_keys(view.reading.settings), phone) if is_number else None


def orders_of(view: View, key: str) -> list[tuple[str, str]]:
    """The orders (channel, order_id) in the view's scope whose phone number has this key."""
    rows = view.ask(orders_by_phone(_sight(view), key))
    return list(zip(rows["channel"].to_list(), rows["order_id"].to_list(), strict=True))


def may_reveal(view: View) -> bool:
    """Whether the view's user may ask for an original at all."""
    return view.user.role in REVEAL_ROLES and view.store is not None


def confirmation(view: View) -> Confirmation:
    """What a reveal by the view's user wants besides the purpose."""
    if view.store is None or has_password(view.store, view.user.name):
        return "password"
    return "done" if view.actor and is_confirmed(view.store, view.actor.session, view.now) else "sign_on"


def reveal(
    view: View, channel: str, order_id: str, field: str, *, purpose: str, text: str, password: str, now: datetime
) -> Revealed:
    """One original value: by role, for a purpose, with the password again; on record before it is returned.

    An account of the company's provider has no password here: a sign-in there within the last minutes counts instead.

    Raises RevealError when it may not be, PreviewError in a preview, SessionEnded; every refusal is on record too.
    """
    by = view.by()
    if not may_reveal(view) or view.store is None:
        raise _refused(view, channel, order_id, field, "role", now)
    needs_password = has_password(view.store, view.user.name)
    if not needs_password and not is_confirmed(view.store, by.audited.session, now):
        raise _refused(view, channel, order_id, field, "confirm", now)
    if purpose not in PURPOSES or len(text.strip()) < SHORTEST_TEXT:
        raise RevealError("purpose")
    if needs_password:
        confirmed = confirm_password(view.store, view.user, password, address=by.audited.address, now=now)
        if confirmed.reason:
            raise RevealError(confirmed.reason, confirmed.wait_seconds)
    rows = view.reading.answer(sealed_contacts(_sight(view), channel, order_id)).to_dicts()
    row = next((row for row in rows if row["field"] == field), None)
    if row is None:
        raise _refused(view, channel, order_id, field, "nothing", now)
    value = unseal(
        read_keys(view.reading.settings), row["key_id"], row["sealed"], channel=channel, order_id=order_id, field=field
    )
    with writing(view.store) as connection:
        record(
            connection,
            at=now,
            actor=by.audited,
            action="contact_revealed",
            object_kind="order",
            object_id=f"{channel}/{order_id}",
            detail={"fields": [field], "text": without_contacts(text.strip()[:500])},
            purpose=purpose,
        )
    look_at(view.store, by.audited.name, limits_of(view.reading.settings), now)
    return Revealed(value=value, until=now + SHOWN)


def originals(view: View, orders: Sequence[tuple[str, str]]) -> dict[tuple[str, str], dict[str, str]]:
    """The originals of orders in the view's scope, by (channel, order_id) and field: for an export that was approved.

    Whoever calls has put it on record first (`access.approval.take`). Raises KeysError where a key is gone.
    """
    keys, found = read_keys(view.reading.settings), dict[tuple[str, str], dict[str, str]]()
    for start in range(0, len(orders), MOST_AT_ONCE):
        part = orders[start : start + MOST_AT_ONCE]
        for row in view.reading.answer(sealed_of_orders(_sight(view), part)).to_dicts():
            place = {name: str(row[name]) for name in ("channel", "order_id", "field")}
            value = unseal(keys, row["key_id"], row["sealed"], **place)
            found.setdefault((place["channel"], place["order_id"]), {})[place["field"]] = value
    return found


def _refused(view: View, channel: str, order_id: str, field: str, reason: str, now: datetime) -> RevealError:
    if view.store is not None:
        with writing(view.store) as connection:
            record(
                connection,
                at=now,
                actor=view.by().audited,
                action="reveal_refused",
                object_kind="order",
                object_id=f"{channel}/{order_id}",
                detail={"fields": [field]},
                result="denied",
            )
    return RevealError(reason)


def _sight(view: View) -> ContactSight:
    return ContactSight(scope=view.scope, version=view.version, as_of=view.as_of)
