"""Alert rules, their book, the outbox."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
APPEND_ONLY = ("alert_rule_versions", "alert_rule_events", "alert_transitions", "alert_deeds")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "alert_rules",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("live_version", sa.Integer),
        sa.Column("is_personal", sa.Boolean, nullable=False),
        sa.Column("is_mandatory", sa.Boolean, nullable=False),
        sa.Column("regions", sa.JSON),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "alert_rule_versions",
        sa.Column("rule", sa.String(64), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("body", sa.JSON, nullable=False),
        sa.Column("author", sa.String(64), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("origin", sa.Integer),
        sa.Column("reason", sa.Text, nullable=False),
    )
    op.create_table(
        "alert_trials",
        sa.Column("id", ID, primary_key=True),
        sa.Column("rule", sa.String(64), nullable=False, index=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("actor", sa.String(64), nullable=False),
        sa.Column("days", sa.Integer, nullable=False),
        sa.Column("report", sa.JSON, nullable=False),
    )
    op.create_table(
        "alert_rule_events",
        sa.Column("id", ID, primary_key=True),
        sa.Column("rule", sa.String(64), nullable=False, index=True),
        sa.Column("version", sa.Integer),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("actor", sa.String(64), nullable=False),
        sa.Column("action", sa.String(24), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
    )
    op.create_table(
        "alert_rule_states",
        sa.Column("rule", sa.String(64), primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("at", sa.BigInteger),
        sa.Column("snapshot", sa.BigInteger, nullable=False),
        sa.Column("errors", sa.Integer, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("frozen_by", sa.String(256), nullable=False),
    )
    op.create_table(
        "alert_instances",
        sa.Column("rule", sa.String(64), primary_key=True),
        sa.Column("group_key", sa.String(256), primary_key=True),
        sa.Column("labels", sa.JSON, nullable=False),
        sa.Column("regions", sa.JSON),
        sa.Column("state", sa.String(16), nullable=False, index=True),
        sa.Column("level", sa.String(16)),
        sa.Column("since", sa.BigInteger),
        sa.Column("episode_at", sa.BigInteger),
        sa.Column("value", sa.Float),
        sa.Column("frozen", sa.JSON, nullable=False),
    )
    op.create_table(
        "alert_transitions",
        sa.Column("id", ID, primary_key=True),
        sa.Column("rule", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("group_key", sa.String(256), nullable=False),
        sa.Column("labels", sa.JSON, nullable=False),
        sa.Column("regions", sa.JSON),
        sa.Column("at", sa.BigInteger, nullable=False, index=True),
        sa.Column("before", sa.String(16), nullable=False),
        sa.Column("before_level", sa.String(16)),
        sa.Column("after", sa.String(16), nullable=False),
        sa.Column("level", sa.String(16)),
        sa.Column("episode_at", sa.BigInteger),
        sa.Column("message", sa.String(16)),
        sa.Column("reason", sa.String(16)),
        sa.Column("value", sa.Float),
        sa.Column("n", sa.BigInteger),
        sa.Column("is_flapping", sa.Boolean, nullable=False),
        sa.Column("is_restated", sa.Boolean, nullable=False),
        sa.Column("snapshot", sa.BigInteger, nullable=False),
        sa.Column("recorded_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "alert_evaluations",
        sa.Column("rule", sa.String(64), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("at", sa.BigInteger, primary_key=True),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("snapshot", sa.BigInteger, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("recorded_at", sa.BigInteger, nullable=False),
        sa.Column("state", sa.JSON),
    )
    op.create_table(
        "alert_receivers",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("settings", sa.JSON, nullable=False),
        sa.Column("regions", sa.JSON),
        sa.Column("user_name", sa.String(64), nullable=False),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("per_hour", sa.Integer, nullable=False),
        sa.Column("is_disabled", sa.Boolean, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "alert_outbox",
        sa.Column("id", ID, primary_key=True),
        sa.Column("transition_id", sa.BigInteger, nullable=False, index=True),
        sa.Column("rule", sa.String(64), nullable=False),
        sa.Column("group_key", sa.String(256), nullable=False),
        sa.Column("receiver", sa.String(64), nullable=False),
        sa.Column("repeat_number", sa.Integer, nullable=False),
        sa.Column("message", sa.String(16), nullable=False),
        sa.Column("status", sa.String(16), nullable=False, index=True),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due_at", sa.BigInteger, nullable=False),
        sa.Column("lease", sa.String(64), nullable=False),
        sa.Column("leased_until", sa.BigInteger),
        sa.Column("done_at", sa.BigInteger),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("transition_id", "receiver", "repeat_number"),
    )
    op.create_table(
        "alert_silences",
        sa.Column("id", ID, primary_key=True),
        sa.Column("matchers", sa.JSON, nullable=False),
        sa.Column("starts_at", sa.BigInteger, nullable=False),
        sa.Column("ends_at", sa.BigInteger, nullable=False),
        sa.Column("actor", sa.String(64), nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("ended_by", sa.String(64), nullable=False),
    )
    op.create_table(
        "alert_deeds",
        sa.Column("id", ID, primary_key=True),
        sa.Column("rule", sa.String(64), nullable=False, index=True),
        sa.Column("group_key", sa.String(256), nullable=False),
        sa.Column("episode_at", sa.BigInteger, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("actor", sa.String(64), nullable=False),
        sa.Column("deed", sa.String(16), nullable=False),
        sa.Column("value", sa.String(64), nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("undoes", sa.BigInteger),
    )
    op.create_table(
        "alert_bounds",
        sa.Column("metric", sa.String(64), primary_key=True),
        sa.Column("least", sa.Float),
        sa.Column("most", sa.Float),
        sa.Column("actor", sa.String(64), nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
    )
    for table in APPEND_ONLY:
        _forbid_changes(table)


def _forbid_changes(table: str) -> None:
    """Let the database itself refuse to change or remove rows."""
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
        return
    op.execute(
        f"CREATE OR REPLACE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{table} is append-only'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_append_only()"
    )


def downgrade() -> None:
    """Remove the tables."""
    for table in (
        "alert_bounds",
        "alert_deeds",
        "alert_silences",
        "alert_outbox",
        "alert_receivers",
        "alert_evaluations",
        "alert_transitions",
        "alert_instances",
        "alert_rule_states",
        "alert_rule_events",
        "alert_trials",
        "alert_rule_versions",
        "alert_rules",
    ):
        op.drop_table(table)
