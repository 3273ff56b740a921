"""The targets file and its versions: the file is the truth, every save keeps the text before and after it, a hand's edit too."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Column, Connection, Engine, Integer, String, Table, Text, select

from access.acting import By
from access.audit import AUDIT_HEAD, record
from access.store import METADATA, Instant, writing
from config import Settings
from data.personal import plain_note
from data.targets import DEFAULT_FILE, Targets, TargetsError, file_in_force, own_file, parse_targets

VERSIONS: Final = Table(
    "target_versions",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("actor", String(64), nullable=False),
    Column("reason", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("origin", Integer),
)
"""`actor` is empty for a text that was found in the file and that nobody saved here; `origin` is the version restored."""

LONGEST_REASON: Final = 2_000


class TargetsConflict(RuntimeError):
    """The file is not the one that was looked at."""


@dataclass(frozen=True, kw_only=True)
class TargetsFile:
    """The text in force, the mark that tells it from any other, and whether it is the home's own or the shipped one."""

    text: str
    mark: str
    is_own: bool


@dataclass(frozen=True, kw_only=True)
class TargetsVersion:
    """One text that was in force: its number, since when it is known, who saved it (empty: a hand) and why; whose copy it is."""

    number: int
    at: datetime
    actor: str
    reason: str
    text: str
    mark: str
    origin: int | None = None

    @property
    def targets(self) -> Targets | None:
        """What it says; None where it cannot be used."""
        try:
            return parse_targets(self.text, Path(DEFAULT_FILE.name))
        except TargetsError:
            return None


def read_targets_text(settings: Settings) -> TargetsFile:
    """The targets file as it stands, sound or not. Raises TargetsError where it is no readable text."""
    path = file_in_force(settings)
    try:
        text = path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TargetsError(f"{path.name} cannot be read ({type(error).__name__}): make it a readable UTF-8 text") from error
    return TargetsFile(text=text, mark=_mark(text), is_own=path == own_file(settings))


def check_text(text: str) -> Targets:
    """What a text would say as the targets file, by the loader of every command. Raises TargetsError."""
    return parse_targets(text, Path(DEFAULT_FILE.name))


def list_targets_versions(store: Engine) -> list[TargetsVersion]:
    """Every version kept, the newest first."""
    with store.connect() as connection:
        rows = connection.execute(select(VERSIONS).order_by(VERSIONS.c.id.desc())).mappings()
        return [_version(dict(row)) for row in rows]


def save_targets(
    store: Engine, settings: Settings, text: str, by: By, *, seen: str, reason: str, origin: int | None = None
) -> int:
    """Make a text the home's targets file; its version's number.

    `seen` is the mark of the text that was looked at: where the file has another one, TargetsConflict is raised and nothing
    changes. Raises TargetsError for a text that the loader refuses. The file is replaced whole within the transaction: where
    the record fails the file is as it was; after a power cut between the two it is taken for a hand's edit at the next save.
    """
    check_text(text)
    before: TargetsFile | None = None
    try:
        with writing(store) as connection:
            connection.execute(select(AUDIT_HEAD.c.seq).with_for_update())  # one at a time, on PostgreSQL too
            found = read_targets_text(settings)
            if found.mark != seen:
                raise TargetsConflict("the targets file has changed since it was opened")
            if _newest_mark(connection) != found.mark:
                _keep(connection, at=by.at, actor="", reason="", text=found.text, origin=None)
            why = plain_note(reason)[:LONGEST_REASON]
            number = _keep(connection, at=by.at, actor=by.user.name, reason=why, text=text, origin=origin)
            detail = {"version": number, "reason": why, "restored": origin}
            record(connection, at=by.at, actor=by.audited, action="targets_changed", object_kind="targets", detail=detail)
            before = found
            _write(own_file(settings), text)
    except BaseException:
        if before is not None:
            _put_back(own_file(settings), before)
        raise
    return number


def _put_back(path: Path, before: TargetsFile) -> None:
    if before.is_own:
        _write(path, before.text)
    else:
        path.unlink(missing_ok=True)


def _keep(connection: Connection, **values: object) -> int:
    done = connection.execute(VERSIONS.insert().values(**values, sha256=_mark(str(values["text"]))))
    assert done.inserted_primary_key is not None
    return int(done.inserted_primary_key[0])


def _newest_mark(connection: Connection) -> str | None:
    return connection.execute(select(VERSIONS.c.sha256).order_by(VERSIONS.c.id.desc()).limit(1)).scalar_one_or_none()


def _write(path: Path, text: str) -> None:
    """Replace the file whole: a reader finds the old text or the new one, after a power cut too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    with part.open("w", encoding="utf-8", newline="") as opened:
        opened.write(text)
        opened.flush()
        os.fsync(opened.fileno())
    if path.exists():
        part.chmod(path.stat().st_mode & 0o777)
    part.replace(path)


def _mark(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _version(row: dict[str, Any]) -> TargetsVersion:
    return TargetsVersion(
        number=row["id"],
        at=row["at"],
        actor=row["actor"],
        reason=row["reason"],
        text=row["text"],
        mark=row["sha256"],
        origin=row["origin"],
    )
