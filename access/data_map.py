"""Where personal data is: every text column of the lake and the operational store, called personal or not; printed as a table.

A test walks the schemas and fails for a column that stands in neither list.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from sqlalchemy import JSON, String, Text, TypeDecorator

import access.sign_on
import access.targets_book
import access.work_item  # noqa: F401 - their tables are part of METADATA
from access.store import METADATA
from data.lake import lake_tables

Whose = Literal["customer", "staff", "both"]


@dataclass(frozen=True, kw_only=True)
class Personal:
    """What a personal column holds, of whom, what protects it, who reads it, and until when it is kept."""

    what: str
    whose: Whose
    protection: str
    readers: str
    kept: str


CONTACT: Final = {
    "readers": "masked: who sees the order; original: an administrator, by reveal or approved export",
    "kept": "`CONTROL_ROOM_KEEP_CONTACTS`; erasure by `cli.py personal erase`",
}
ACTOR: Final = Personal(
    what="the account that acted",
    whose="staff",
    protection="scope of what it belongs to",
    readers="who sees the record",
    kept="as long as the record",
)
WRITTEN: Final = Personal(
    what="words people wrote",
    whose="both",
    protection="scope of the order or rule",
    readers="who sees the record",
    kept="as long as the record; people are told to write no names",
)
AUDITED: Final = Personal(
    what="who did what, from where",
    whose="staff",
    protection="append-only, hash-chained",
    readers="administrators",
    kept="for good",
)
OWN: Final = Personal(
    what="an account's own choices",
    whose="staff",
    protection="its own sessions only",
    readers="the account",
    kept="until the account is removed, and 30 days",
)
ACCOUNT: Final = Personal(
    what="the account and its person's name",
    whose="staff",
    protection="administrators change it, on record",
    readers="administrators; names beside what they did",
    kept="until removed, and 30 days",
)
SIGNING: Final = Personal(
    what="sessions and where they come from",
    whose="staff",
    protection="ids as SHA-256 only",
    readers="the control room",
    kept="7 days",
)

PERSONAL: Final[dict[str, Personal]] = {
    "order_contacts.masked": Personal(
        what="masked name, phone, address", whose="customer", protection="masked at intake", **CONTACT
    ),
    "order_contacts.sealed": Personal(
        what="original name, phone, address", whose="customer", protection="AES-256-GCM", **CONTACT
    ),
    "order_contacts.search": Personal(what="phone as a keyed hash", whose="customer", protection="HMAC-SHA-256", **CONTACT),
    "quarantine.value": Personal(
        what="an unreadable value, phone numbers, e-mail addresses and personal columns masked",
        whose="customer",
        protection="masked at intake",
        readers="administrators",
        kept="for good, masked",
    ),
    "quarantine.raw": Personal(
        what="the unreadable row, personal columns masked",
        whose="customer",
        protection="AES-256-GCM",
        readers="nobody; a replay opens it",
        kept="for good; erasure by `cli.py personal erase`",
    ),
    **{
        f"{table}.actor": ACTOR
        for table in ("alert_bounds", "alert_deeds", "alert_rule_events", "alert_silences", "alert_trials")
    },
    "order_events.actor": ACTOR,
    "target_versions.actor": ACTOR,
    "target_versions.reason": WRITTEN,
    "order_event_rows.actor": ACTOR,
    "work_changes.actor": ACTOR,
    "work_items.assignee": ACTOR,
    "work_items.changed_by": ACTOR,
    "alert_rule_versions.author": ACTOR,
    "alert_rules.owner": ACTOR,
    "alert_silences.ended_by": ACTOR,
    "alert_deeds.value": ACTOR,
    "alert_receivers.user_name": ACTOR,
    "alert_receivers.settings": Personal(
        what="where alerts go, such as an e-mail address",
        whose="staff",
        protection="secrets by reference only",
        readers="analysts, administrators",
        kept="as long as the receiver",
    ),
    "alert_outbox.receiver": ACTOR,
    "alert_rule_states.frozen_by": ACTOR,
    "alert_deeds.note": WRITTEN,
    "alert_silences.note": WRITTEN,
    "review_changes.actor": ACTOR,
    "review_entries.owner": ACTOR,
    "work_changes.note": WRITTEN,
    "work_changes.value_before": ACTOR,
    "work_changes.value_after": ACTOR,
    **{f"audit.{name}": AUDITED for name in ("actor", "address", "session", "object_id", "detail")},
    **{f"users.{name}": ACCOUNT for name in ("name", "display_name", "password_hash")},
    **{f"identities.{name}": ACCOUNT for name in ("subject", "user_name")},
    **{f"flags.{name}": AUDITED for name in ("user_name", "detail", "dismissed_by")},
    **{f"export_requests.{name}": AUDITED for name in ("asked_by", "reason", "parameters", "decided_by")},
    **{f"sessions.{name}": SIGNING for name in ("id_sha256", "user_name", "address", "preview_of")},
    "sign_in_attempts.bucket": SIGNING,
    "preferences.user_name": OWN,
    "preferences.value": OWN,
    **{f"saved_views.{name}": OWN for name in ("owner", "name", "parameters")},
}

ORDER_TEXTS: Final = (
    "order_id channel business_type source_order_ids country_code region_code province_code city warehouse_id "
    "warehouse_region_code wave_id carrier_id category currency customer_tier priority exception_code"
)

PLAIN: Final[dict[str, str]] = {
    "alert_bounds": "metric",
    "alert_deeds": "rule group_key deed",
    "alert_evaluations": "rule outcome detail state",
    "alert_instances": "rule group_key labels regions state level frozen",
    "alert_outbox": "rule group_key message status reason lease",
    "alert_receivers": "name channel regions language",
    "alert_rule_events": "rule action reason",
    "alert_rule_states": "rule error",
    "alert_rule_versions": "rule body reason",
    "alert_rules": "name status regions",
    "alert_silences": "matchers",
    "alert_transitions": "rule group_key labels regions before before_level after level message reason",
    "alert_trials": "rule report",
    "audit": "action object_kind purpose result previous_hash hash",
    "audit_head": "hash",
    "export_requests": "purpose",
    "flags": "kind",
    "identities": "issuer",
    "preferences": "name",
    "review_changes": "rule channel order_id action",
    "review_entries": "rule channel order_id region_code state reason",
    "saved_views": "page roles",
    "sign_ons": "id_sha256 next_path confirms",
    "target_versions": "text sha256",
    "users": "role regions language",
    "work_changes": "channel order_id region_code field",
    "work_items": "channel order_id region_code state done_trouble",
    "order_contacts": "channel order_id field key_id",
    "snapshots": "source kind state reason files file_sha256 contract_sha256 schema_sha256",
    "quarantine": "source file column_name reason contract_sha256",
    "channel_milestones": "channel",
    "orders": f"{ORDER_TEXTS} status",
    "order_rows": f"{ORDER_TEXTS} withdrawn",
    "order_returns": "order_id channel return_id kind",
    "order_return_rows": "order_id channel return_id kind withdrawn",
    "order_complaints": "order_id channel complaint_id kind",
    "order_complaint_rows": "order_id channel complaint_id kind withdrawn",
    "order_events": "order_id channel event_id milestone system step place",
    "order_event_rows": "order_id channel event_id milestone system step place withdrawn",
}
"""Text columns that hold no personal data, by table."""


def text_columns() -> list[str]:
    """Every `table.column` of lake and store that can hold text, in the order of the schemas."""
    lake = [f"{table}.{name}" for table, columns in lake_tables().items() for name, kind in columns.items() if "VARCHAR" in kind]
    store = [
        f"{table.name}.{column.name}"
        for table in METADATA.sorted_tables
        for column in table.columns
        if isinstance(column.type, String | Text | JSON) and not isinstance(column.type, TypeDecorator)
    ]
    return [*lake, *store]


def map_lines() -> list[str]:
    """The data map as a Markdown table, one line per personal column there is in the schemas."""
    heads = ("column", "what", "whose", "protected by", "read by", "kept")
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for name in text_columns():
        if name in PERSONAL:
            one = PERSONAL[name]
            lines.append(f"| `{name}` | {one.what} | {one.whose} | {one.protection} | {one.readers} | {one.kept} |")
    return lines
