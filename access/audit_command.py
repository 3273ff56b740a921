"""`python cli.py audit …`: verify the chain, list rows, export them signed; returns the lines to print and the exit code."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine

from access.audit import LOCAL, note, verify
from access.audit_rows import AuditFilter, AuditRow, check_export, export_audit, hash_at, list_audit
from access.store import open_store
from config import Settings
from data.keys import read_keys
from queries.request import parse_instant


def add_audit_arguments(parser: ArgumentParser) -> None:
    """Give the parser of `audit` its actions and their options."""
    actions = parser.add_subparsers(dest="action", required=True)
    check = actions.add_parser("verify", help="walk the chain; names the first broken row and ends with 1")
    check.add_argument("--against", type=Path, metavar="EXPORT", help="also hold the chain against an earlier signed export")
    listing = actions.add_parser("list", help="the newest rows, newest first")
    for name, text in (("actor", "who"), ("did", "what, such as signed_in"), ("result", "done, wrong, wait, denied …")):
        listing.add_argument(f"--{name}", action="append", default=[], help=f"{text}; may be repeated")
    listing.add_argument("--since", metavar="INSTANT")
    listing.add_argument("--until", metavar="INSTANT")
    listing.add_argument("--limit", type=int, default=100)
    listing.add_argument("--format", choices=("table", "json"), default="table")
    actions.add_parser("export", help="every row as JSON lines, signed").add_argument("file", type=Path)


def audit(settings: Settings, arguments: Namespace, now: datetime) -> tuple[list[str], int]:
    """Do one action on the audit; the lines for standard output, and 1 when the chain is broken. Raises AuditError."""
    store = open_store(settings)
    try:
        if arguments.action == "verify":
            return _verify(settings, store, arguments.against)
        if arguments.action == "list":
            return _list(settings, store, arguments), 0
        count = export_audit(store, arguments.file, keys=read_keys(settings), at=now)
        note(store, at=now, actor=LOCAL, action="audit_exported", object_kind="audit", detail={"rows": count})
        return [f"{arguments.file}: {count:,} rows, signed"], 0
    finally:
        store.dispose()


def _verify(settings: Settings, store: Engine, against: Path | None) -> tuple[list[str], int]:
    verdict = verify(store)
    if verdict.broken_seq is not None:
        return [f"broken at row {verdict.broken_seq}: {verdict.reason}; {verdict.sound_count:,} rows before it are sound"], 1
    lines = [f"{verdict.sound_count:,} rows are sound; the last is {verdict.head_hash[:16]}"]
    if against is None:
        return lines, 0
    count, head = check_export(against, keys=read_keys(settings))
    if count and hash_at(store, count) != head:
        return [f"row {count} is not what {against} says: the chain was written anew after that export"], 1
    return [*lines, f"{against}: its {count:,} rows stand as exported"], 0


def _list(settings: Settings, store: Engine, arguments: Namespace) -> list[str]:
    wanted = AuditFilter(
        actors=tuple(arguments.actor),
        actions=tuple(arguments.did),
        results=tuple(arguments.result),
        since=parse_instant(arguments.since, settings.zone) if arguments.since else None,
        until=parse_instant(arguments.until, settings.zone) if arguments.until else None,
    )
    rows = list_audit(store, wanted, limit=arguments.limit)
    return [_as_json(row) if arguments.format == "json" else _line(row) for row in rows]


def _as_json(row: AuditRow) -> str:
    return json.dumps(vars(row) | {"at": row.at.isoformat(timespec="milliseconds")}, ensure_ascii=False)


def _line(row: AuditRow) -> str:
    about = f"{row.object_kind} {row.object_id}".strip()
    more = json.dumps(row.detail, ensure_ascii=False) if row.detail else ""
    parts = (f"{row.seq:>7}", f"{row.at:%Y-%m-%dT%H:%M:%SZ}", f"{row.actor or '-':<16}", f"{row.action:<18}", f"{row.result:<8}")
    # A line stays a line whatever a name holds.
    return json.dumps("  ".join((*parts, about, row.address, row.purpose, more)).rstrip(), ensure_ascii=False)[1:-1].replace(
        '\\"', '"'
    )
