"""The tables of the alert book in the operational store. Versions, events, transitions and deeds are append-only."""

from __future__ import annotations

from typing import Final

from sqlalchemy import JSON, BigInteger, Boolean, Column, Float, Index, Integer, String, Table, Text, UniqueConstraint

from access.store import METADATA, Instant

Id = BigInteger().with_variant(Integer, "sqlite")

RULES: Final = Table(
    "alert_rules",
    METADATA,
    Column("name", String(64), primary_key=True),
    Column("status", String(16), nullable=False),
    Column("live_version", Integer),
    Column("is_personal", Boolean, nullable=False),
    Column("is_mandatory", Boolean, nullable=False),
    Column("regions", JSON),
    Column("owner", String(64), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
)
"""`regions` is the scope every figure of the rule is asked in: null for everything, else a list of codes."""

VERSIONS: Final = Table(
    "alert_rule_versions",
    METADATA,
    Column("rule", String(64), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("body", JSON, nullable=False),
    Column("author", String(64), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("origin", Integer),
    Column("reason", Text, nullable=False),
)

TRIALS: Final = Table(
    "alert_trials",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("rule", String(64), nullable=False, index=True),
    Column("version", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    Column("actor", String(64), nullable=False),
    Column("days", Integer, nullable=False),
    Column("report", JSON, nullable=False),
)

EVENTS: Final = Table(
    "alert_rule_events",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("rule", String(64), nullable=False, index=True),
    Column("version", Integer),
    Column("at", Instant, nullable=False),
    Column("actor", String(64), nullable=False),
    Column("action", String(24), nullable=False),
    Column("reason", Text, nullable=False),
)

STATES: Final = Table(
    "alert_rule_states",
    METADATA,
    Column("rule", String(64), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("at", Instant),
    Column("snapshot", BigInteger, nullable=False),
    Column("errors", Integer, nullable=False),
    Column("error", Text, nullable=False),
    Column("frozen_by", String(256), nullable=False),
)

INSTANCES: Final = Table(
    "alert_instances",
    METADATA,
    Column("rule", String(64), primary_key=True),
    Column("group_key", String(256), primary_key=True),
    Column("labels", JSON, nullable=False),
    Column("regions", JSON),
    Column("state", String(16), nullable=False, index=True),
    Column("level", String(16)),
    Column("since", Instant),
    Column("episode_at", Instant),
    Column("value", Float),
    Column("frozen", JSON, nullable=False),
)

TRANSITIONS: Final = Table(
    "alert_transitions",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("rule", String(64), nullable=False),
    Column("version", Integer, nullable=False),
    Column("group_key", String(256), nullable=False),
    Column("labels", JSON, nullable=False),
    Column("regions", JSON),
    Column("at", Instant, nullable=False, index=True),
    Column("before", String(16), nullable=False),
    Column("before_level", String(16)),
    Column("after", String(16), nullable=False),
    Column("level", String(16)),
    Column("episode_at", Instant),
    Column("message", String(16)),
    Column("reason", String(16)),
    Column("value", Float),
    Column("n", BigInteger),
    Column("is_flapping", Boolean, nullable=False),
    Column("is_restated", Boolean, nullable=False),
    Column("snapshot", BigInteger, nullable=False),
    Column("recorded_at", Instant, nullable=False),
)

EVALUATIONS: Final = Table(
    "alert_evaluations",
    METADATA,
    Column("rule", String(64), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("at", Instant, primary_key=True),
    Column("outcome", String(16), nullable=False),
    Column("snapshot", BigInteger, nullable=False),
    Column("detail", Text, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("state", JSON(none_as_null=True)),
)
"""`outcome`: evaluated, error, frozen, skipped. `state` is kept for the last instants, from which a restatement starts."""

RECEIVERS: Final = Table(
    "alert_receivers",
    METADATA,
    Column("name", String(64), primary_key=True),
    Column("channel", String(16), nullable=False),
    Column("settings", JSON, nullable=False),
    Column("regions", JSON),
    Column("user_name", String(64), nullable=False),
    Column("language", String(16), nullable=False),
    Column("per_hour", Integer, nullable=False),
    Column("is_disabled", Boolean, nullable=False),
    Column("changed_at", Instant, nullable=False),
)
"""`settings` name secrets (`env:NAME`, `file:PATH`), never hold them. `regions` null: receives everything."""

OUTBOX: Final = Table(
    "alert_outbox",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("transition_id", BigInteger, nullable=False, index=True),
    Column("rule", String(64), nullable=False),
    Column("group_key", String(256), nullable=False),
    Column("receiver", String(64), nullable=False),
    Column("repeat_number", Integer, nullable=False),
    Column("message", String(16), nullable=False),
    Column("status", String(16), nullable=False, index=True),
    Column("reason", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("lease", String(64), nullable=False),
    Column("leased_until", Instant),
    Column("done_at", Instant),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("transition_id", "receiver", "repeat_number"),
)
"""`status`: waiting, sent, dead, withheld (silenced, muted, digested, out of scope: `reason` says which)."""

SILENCES: Final = Table(
    "alert_silences",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("matchers", JSON, nullable=False),
    Column("starts_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("actor", String(64), nullable=False),
    Column("note", Text, nullable=False),
    Column("ended_at", Instant),
    Column("ended_by", String(64), nullable=False),
)

DEEDS: Final = Table(
    "alert_deeds",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("rule", String(64), nullable=False, index=True),
    Column("group_key", String(256), nullable=False),
    Column("episode_at", Instant, nullable=False),
    Column("at", Instant, nullable=False),
    Column("actor", String(64), nullable=False),
    Column("deed", String(16), nullable=False),
    Column("value", String(64), nullable=False),
    Column("note", Text, nullable=False),
    Column("undoes", BigInteger),
)
"""What people did about an episode: acknowledge, assign, verdict, and undo of one of them."""

BOUNDS: Final = Table(
    "alert_bounds",
    METADATA,
    Column("metric", String(64), primary_key=True),
    Column("least", Float),
    Column("most", Float),
    Column("actor", String(64), nullable=False),
    Column("changed_at", Instant, nullable=False),
)

REVIEWS: Final = Table(
    "review_entries",
    METADATA,
    Column("rule", String(64), primary_key=True),
    Column("channel", String(64), primary_key=True),
    Column("order_id", String(256), primary_key=True),
    Column("region_code", String(16)),
    Column("owner", String(64), nullable=False),
    Column("needed", Integer, nullable=False),
    Column("state", String(16), nullable=False, index=True),
    Column("reason", String(16), nullable=False),
    Column("entered_at", Instant, nullable=False),
    Column("left_at", Instant),
    Column("episode", Integer, nullable=False),
    Column("told_by", BigInteger, index=True),
    Column("version", Integer, nullable=False),
    Column("snapshot", BigInteger, nullable=False),
)
"""Orders that a rule about single orders matches, or matched. `state`: waiting, confirmed, left. `needed` 0: in no queue.

`owner` is the one person a personal rule is for, else empty; `told_by` the transition that told of it, once for ever.
"""

REVIEW_CHANGES: Final = Table(
    "review_changes",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("rule", String(64), nullable=False),
    Column("channel", String(64), nullable=False),
    Column("order_id", String(256), nullable=False),
    Column("episode", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    Column("actor", String(64), nullable=False),
    Column("action", String(16), nullable=False),
    Column("snapshot", BigInteger, nullable=False),
    Index("ix_review_changes_order", "channel", "order_id", "rule"),
)
"""`action`: entered, left, confirmed, withdrawn. `at` is the data's instant for the first two, the clock's for people."""

ALL_TABLES: Final = (
    RULES, VERSIONS, TRIALS, EVENTS, STATES, INSTANCES, TRANSITIONS, EVALUATIONS, RECEIVERS, OUTBOX, SILENCES, DEEDS, BOUNDS,
    REVIEWS, REVIEW_CHANGES,
)  # fmt: skip
