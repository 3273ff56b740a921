"""A desk for query tests: a real lake filled with a few orders written out by hand, and questions asked of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import yaml

from data.lake import Lake, Newest, lake_tables
from data.merge import impossible_sql, open_until_sql, settled_sql, status_sql
from data.order import FORWARD_MILESTONES, MILESTONE_BIT, MILESTONES
from data.recent import Horizon
from data.targets import Targets, read_targets_file
from queries.build import Statement, build
from queries.dimensions import DIMENSIONS
from queries.query import Query
from queries.request import Words, parse_request
from queries.run import run
from queries.scope import Scope

Row = dict[str, Any]

AS_OF = datetime(2026, 3, 20, tzinfo=UTC)
ALL_FORWARD = sum(MILESTONE_BIT[name] for name in FORWARD_MILESTONES)
INSTANT_NAMES = {name: f"{name}_at" for name in (*MILESTONES, "promised", "promised_ship", "requested", "received", "closed")}
COLUMN_NAMES = INSTANT_NAMES | {entry.name: entry.column for entry in DIMENSIONS.values() if entry.column}
TARGETS = {"valid_from": date(2000, 1, 1), "stage_limits": {}}


def instant(text: object) -> datetime:
    """`05 08:30` is 8:30 UTC on 5 March 2026; anything else is ISO 8601, naive in UTC."""
    if isinstance(text, datetime):
        return text if text.tzinfo else text.replace(tzinfo=UTC)
    if match := re.fullmatch(r"(\d\d)(?: (\S+))?", str(text)):
        text = f"2026-03-{match[1]}T{match[2] or '00:00'}"
    found = datetime.fromisoformat(str(text))
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def order_row(given: Mapping[str, Any]) -> Row:
    """One order from dimension and milestone names; `inferred` and `mapped` list milestones (mapped: all)."""
    row: Row = {"channel": "web", "order_id": str(given["id"]), "region_code": "R1"}
    for name, value in given.items():
        column = COLUMN_NAMES.get(name, name)
        if name not in ("id", "inferred", "mapped"):
            row[column] = instant(value) if column.endswith("_at") and value is not None else value
    trouble = row.get("exception_code") is not None or row.get("failed_attempt_count") is not None
    if trouble:
        row.setdefault("exception_at", row["created_at"])
    row["inferred_milestones"] = sum(MILESTONE_BIT[name] for name in given.get("inferred", ()))
    row["mapped_milestones"] = sum(MILESTONE_BIT[name] for name in given.get("mapped", FORWARD_MILESTONES))
    return row


def attached_row(given: Mapping[str, Any], key: str) -> Row:
    """One return or complaint; `order` names the order of the channel `web`."""
    row: Row = {"channel": "web", "order_id": str(given["order"]), key: str(given["id"])}
    for name, value in given.items():
        column = INSTANT_NAMES.get(name, name)
        if name not in ("id", "order"):
            row[column] = instant(value) if column.endswith("_at") else value
    return row


def targets_of(path: Path, edition: Mapping[str, Any]) -> Targets:
    """Targets with a few keys of one edition given, no limits otherwise."""
    path.write_text(yaml.safe_dump([TARGETS | dict(edition)]), encoding="utf-8")
    return read_targets_file(path)


def _frame(table: str, rows: Sequence[Row]) -> pl.DataFrame:
    kinds: dict[str, Any] = {"VARCHAR": pl.String, "BIGINT": pl.Int64, "INTEGER": pl.Int64, "DOUBLE": pl.Float64}
    kinds |= {"DECIMAL(18,4)": pl.Float64, "TIMESTAMPTZ": pl.Datetime("us", "UTC")}
    schema = {name: kinds[type_] for name, type_ in lake_tables()[table].items()}
    return pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema=schema)


@dataclass(frozen=True)
class Desk:
    """A lake that tests fill anew, and how to ask it."""

    lake: Lake
    folder: Path
    version: int = 0
    as_of: datetime = AS_OF
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    targets: Targets = field(default_factory=lambda: Targets(()))
    scope: Scope = Scope.ALL
    newest: datetime | None = None
    horizon: Horizon | None = None

    def filled(
        self,
        orders: Iterable[Mapping[str, Any]],
        returns: Iterable[Mapping[str, Any]] = (),
        complaints: Iterable[Mapping[str, Any]] = (),
    ) -> Desk:
        """The same desk over these rows only."""
        cursor = self.lake.cursor()
        derived = {
            "impossible_milestones": impossible_sql(),
            "status": status_sql(),
            "open_until_at": open_until_sql(),
            "settled_at": settled_sql(),
        }
        tables = {
            "orders": [order_row(given) for given in orders],
            "order_returns": [attached_row(given, "return_id") for given in returns],
            "order_complaints": [attached_row(given, "complaint_id") for given in complaints],
        }
        cursor.execute("BEGIN")
        for table, rows in tables.items():
            cursor.execute(f"DELETE FROM lake.{table}")
            cursor.register("given_rows", _frame(table, rows).to_arrow())
            chosen = ", ".join(f"{derived.get(name, name)} AS {name}" for name in lake_tables()[table])
            cursor.execute(f"INSERT INTO lake.{table} SELECT {chosen} FROM given_rows")
            cursor.unregister("given_rows")
        cursor.execute("COMMIT")
        return self.filled_as(self.lake.newest_version())

    def filled_as(self, version: int) -> Desk:
        """The same desk over the rows of a version of its lake."""
        return replace(self, version=version, targets=targets_of(self.folder / "targets.yaml", {}))

    def with_targets(self, edition: Mapping[str, Any]) -> Desk:
        """The same desk under other targets."""
        return replace(self, targets=targets_of(self.folder / "targets.yaml", edition))

    def statement(self, query: Query, **changes: Any) -> Statement:
        """The statement for a query; `scope`, `as_of` … may be replaced."""
        desk = replace(self, **changes)
        return build(
            query,
            scope=desk.scope,
            snapshot=1,
            version=desk.version,
            as_of=desk.as_of,
            zone=desk.zone,
            targets=desk.targets,
            newest=None if desk.newest is None else Newest(at=desk.newest),
            horizon=desk.horizon,
        )

    def ask(self, query: Query, **changes: Any) -> list[Row]:
        """The rows of the answer."""
        return run(self.lake, self.statement(query, **changes)).to_dicts()

    def words(self, *metrics: str, **words: Any) -> list[Row]:
        """The rows of the answer to words of the command line."""
        lists = ("by", "where", "compare")
        given: dict[str, Any] = {
            name: (value,) if name in lists and isinstance(value, str) else value for name, value in words.items()
        }
        return self.ask(parse_request(Words(metrics=metrics, **given), as_of=self.as_of, zone=self.zone).query)
