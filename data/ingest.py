"""Intake: files of one source → staged, checked, merged and committed with their ledger row in one transaction."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatch
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import duckdb
import polars as pl

from data.bounds import heal_bounds
from data.contract import Contract, Reader
from data.digest import hashing, is_large
from data.keys import KeysError, read_keys
from data.lake import QUARANTINE_COLUMNS, Lake, LakeError
from data.merge import merge, touched_keys
from data.personal import SEALED_SUFFIX, hide_contacts, keep_contacts, seal_row, set_apart, unseal_file, without_contacts
from data.relation import Relations, accepted_relations, unresolved_places
from data.repeats import repeated_orders
from data.replaced import is_read_before, left_behind, mark_replaced, narrow_channels, replaced_snapshots, settle_refused
from data.selected import open_selected
from data.sources import DATABASES, SourceError, TextRows, fetch_table, open_rows
from data.sources.apart import try_apart
from data.tie import tied_snapshots
from data.validate import STAGED, Refusal, RefusedError, Staged, check_limits, milestone_instants, open_texts, stage
from data.zone import epoch_ms, from_epoch_ms, instant_sql

REFUSED_AT_ONCE: Final = 20_000
_TYPES: Final[dict[str, pl.DataType]] = {"BIGINT": pl.Int64(), "VARCHAR": pl.String(), "TIMESTAMPTZ": pl.Datetime("us", "UTC")}
REFUSED_SCHEMA: Final = {name: _TYPES[type_] for name, type_ in QUARANTINE_COLUMNS.items()}


@dataclass(frozen=True, kw_only=True)
class Report:
    """What became of one file (or set of files joined by one contract).

    `state` is accepted, duplicate or refused; `quarantined` counts refused rows by reason.
    """

    source: str
    name: str
    state: str
    reason: str = ""
    snapshot_id: int | None = None
    as_of: datetime | None = None
    row_count: int = 0
    accepted_count: int = 0
    changed_count: int = 0
    quarantined: dict[str, int] = field(default_factory=dict)
    notices: tuple[str, ...] = ()
    late: bool = False
    duration_seconds: float = 0.0


def find_units(contract: Contract, paths: Sequence[Path]) -> list[tuple[Path, ...]]:
    """The files to take in, one tuple a snapshot: folders are searched for the contract's patterns, in name order.

    Raises RefusedError when nothing matches or a file of a joined contract is missing.
    """
    for path in paths:
        if not path.exists():
            raise RefusedError(f"{path} does not exist: give a file or a folder")
    if contract.files:
        return [tuple(_find_one(name, reader, paths) for name, reader in contract.files.items())]
    if contract.reader.format in DATABASES:
        return [()]
    units: list[tuple[Path, ...]] = [
        (file,) for path in paths for file in (_search(path, contract.reader.path) if path.is_dir() else [path])
    ]
    if not units:
        folders = ", ".join(str(path) for path in paths) or "no path given"
        raise RefusedError(
            f"no file matches {contract.reader.path!r} of {contract.source} in {folders}: check the path or the pattern"
        )
    return units


def _search(folder: Path, pattern: str) -> list[Path]:
    found = {file for name in (pattern or "*", f"{pattern or '*'}{SEALED_SUFFIX}") for file in folder.rglob(name)}
    return sorted(file for file in found if file.is_file())


def _find_one(name: str, reader: Reader, paths: Sequence[Path]) -> Path:
    found = [
        f
        for path in paths
        for f in (_search(path, reader.path) if path.is_dir() else [path] if fnmatch(path.name, reader.path) else [])
    ]
    if len(found) != 1:
        what = "is missing" if not found else f"matches {len(found)} files"
        raise RefusedError(f"file {name!r} ({reader.path}) {what}: give the folder that holds the set once")
    return found[0]


def ingest(lake: Lake, contract: Contract, unit: tuple[Path, ...], *, now: datetime) -> Report:
    """Take in one unit of files; nothing of it is kept unless all of it is committed.

    A file that cannot be used is recorded as refused and reported so. Raises LakeError when the lake itself fails.
    """
    with lake.lock():
        return _ingest_locked(lake, contract, unit, now)


def _ingest_locked(lake: Lake, contract: Contract, unit: tuple[Path, ...], now: datetime) -> Report:
    started = time.perf_counter()
    name = without_contacts(", ".join(path.name.removesuffix(SEALED_SUFFIX) for path in unit)) or contract.reader.table
    try:
        heal_bounds(lake)
        connection = lake.writer()
        with staging_folder(lake) as folder:
            try:
                unit = _opened(lake, unit, folder)
                as_of = _as_of_before(contract, unit, now)
                unit = _fetched(contract, folder) or unit
            except (RefusedError, SourceError) as error:
                return _refuse(_Intake(lake, connection, contract, unit, name, lambda: "", now, started), None, str(error), None)
            # Only of a file that may be known its hash must be there before it is read.
            is_first = is_large(unit) and not _is_named(connection, contract.source, name)
            with hashing(unit) as digest:
                intake = _Intake(lake, connection, contract, unit, name, digest, now, started)
                same = None if is_first else _duplicate(intake, as_of)
                return same or _take_in(intake, as_of, folder, is_first=is_first)
    except duckdb.Error as error:
        lake.reopen()
        raise LakeError(
            f"{name}: the lake could not take it in ({str(error).splitlines()[0]}): nothing of it was kept"
        ) from error


@dataclass(frozen=True)
class _Intake:
    """What every step of one intake needs to know."""

    lake: Lake
    connection: duckdb.DuckDBPyConnection
    contract: Contract
    unit: tuple[Path, ...]
    name: str
    digest: Callable[[], str]
    now: datetime
    started: float

    @property
    def sha256(self) -> str:
        """The hash of the files' content, waited for."""
        return self.digest()

    @property
    def seconds(self) -> float:
        """Seconds since the intake began."""
        return time.perf_counter() - self.started


def _fetched(contract: Contract, folder: Path) -> tuple[Path, ...]:
    """The copy of a database's table in `folder`, in sorted order so that its hash stands for its content; empty for files."""
    if contract.reader.format not in DATABASES:
        return ()
    return (fetch_table(contract.reader, folder, os.environ),)


def _opened(lake: Lake, unit: tuple[Path, ...], folder: Path) -> tuple[Path, ...]:
    """The files with those the archive keeps sealed opened in `folder`. Raises RefusedError for one that does not open."""
    found = []
    for path in unit:
        if path.suffix == SEALED_SUFFIX:
            target = folder / path.stem
            try:
                unseal_file(read_keys(lake.settings), path, target)
            except KeysError as error:
                raise RefusedError(str(error)) from error
            path = target
        found.append(path)
    return tuple(found)


def _take_in(intake: _Intake, known_as_of: datetime | None, folder: Path, *, is_first: bool) -> Report:
    """Read, check and commit; a file looked at for the first time is told to be known, where it is, only once it is read."""
    staged, as_of = None, known_as_of
    try:
        _try_apart(intake)
        text_rows = _open(intake, folder)
        if intake.contract.personal:
            text_rows = _without_personal(intake, text_rows)
        staged = stage(intake.connection, intake.contract, text_rows, as_of=as_of, now=intake.now, name=intake.name)
        hide_contacts(intake.connection, STAGED, open_texts(intake.contract))
        check_limits(intake.contract, staged, intake.name)
        as_of = as_of or _newest(intake, staged)
        _check_growth(intake, staged)
    except (RefusedError, SourceError) as error:
        same = _duplicate(intake, known_as_of) if is_first else None
        return same or _refuse(intake, staged, str(error), as_of)
    return (_duplicate(intake, known_as_of) if is_first else None) or _commit(intake, staged, as_of)


def _try_apart(intake: _Intake) -> None:
    """Let the files that come from elsewhere be read once where they can harm nothing. Raises SourceError."""
    contract = intake.contract
    if contract.reader.format in DATABASES:
        return
    for path, reader in zip(intake.unit, list(contract.files.values()) or [contract.reader], strict=False):
        try_apart(path, reader)


def _without_personal(intake: _Intake, rows: TextRows) -> TextRows:
    """The rows with what is personal masked; raises RefusedError, as staging would, for a file that cannot be read."""
    try:
        return set_apart(intake.connection, intake.contract, rows, read_keys(intake.lake.settings))
    except duckdb.OutOfMemoryException:
        raise  # not the file's fault
    except duckdb.Error as error:
        wanted = [column for column in intake.contract.personal.values() if column not in rows.columns]
        what = f"personal column {wanted[0]!r} is not in the header" if wanted else "a line cannot be read"
        raise RefusedError(f"{intake.name}: {what}: correct the file or the contract of {intake.contract.source}") from error


def _open(intake: _Intake, folder: Path) -> TextRows:
    contract, path = intake.contract, intake.unit[0]
    if not contract.files and contract.reader.manifest:
        _check_manifest(path, intake.sha256)
    if contract.rows:
        return open_selected(intake.connection, contract, intake.unit, folder, intake.name)
    return open_rows(intake.connection, path, contract.reader, folder)


def _check_manifest(path: Path, sha256: str) -> None:
    manifest = path.with_name(path.name + ".sha256")
    if not manifest.exists():
        raise RefusedError(f"{path.name}: its manifest {manifest.name} is missing: send it with the file")
    if manifest.read_text(encoding="utf-8").split()[:1] != [sha256]:
        raise RefusedError(f"{path.name}: differs from its manifest {manifest.name}: send the file again")


def _commit(intake: _Intake, staged: Staged, as_of: datetime) -> Report:
    connection, contract = intake.connection, intake.contract
    relations = accepted_relations(connection, contract, instant_sql(str(epoch_ms(as_of))))
    tied = tied_snapshots(connection, contract, *relations[0], as_of=as_of, sha256=intake.sha256)
    notices = [*staged.notices, *filter(None, [unresolved_places(connection, contract), tied])]
    replaced: tuple[int, ...] = ()
    if is_known := is_read_before(connection, contract.source, intake.sha256):
        replaced = replaced_snapshots(connection, contract, name=intake.name, sha256=intake.sha256, as_of=as_of)
    if replaced:
        notices.append(f"replaces what snapshot {', '.join(map(str, replaced))} read in this file under an earlier contract")
    with _snapshot(intake.lake, intake) as snapshot_id:
        changed = _merge_all(intake, relations, snapshot_id, replaced)
        keys = 0 if replaced else touched_keys(connection)  # what is taken back is touched too
        notices += filter(None, [repeated_orders(connection, contract, accepted=staged.accepted_count, keys=keys)])
        late = _is_late(connection, contract.source, as_of)
        if is_known:
            settle_refused(connection, contract.source, intake.sha256, snapshot_id)
        if contract.personal:
            keep_contacts(connection, snapshot_id=snapshot_id, as_of=as_of)
        _keep_refused(intake, staged.refusals, snapshot_id, as_of)
        report = Report(
            source=contract.source,
            name=intake.name,
            state="accepted",
            reason="the file holds no rows" if not staged.row_count else "",
            snapshot_id=snapshot_id,
            as_of=as_of,
            row_count=staged.row_count,
            accepted_count=staged.accepted_count,
            changed_count=changed,
            quarantined=_by_reason(staged.refusals),
            notices=tuple(notices),
            late=late,
            duration_seconds=intake.seconds,
        )
        _write_ledger(intake, report, staged)
    return report


def _merge_all(intake: _Intake, relations: Relations, snapshot_id: int, replaced: tuple[int, ...]) -> int:
    """Merge every entity that the file tells of, and what the replaced readings of it told; the number of changed keys of the first."""
    connection, contract = intake.connection, intake.contract
    if replaced:
        mark_replaced(connection, replaced, snapshot_id)
        narrow_channels(connection, contract, relations[0][1], replaced)
        relations = (*relations, *left_behind(connection, [entity for entity, _ in relations], replaced))
    counts = [
        merge(
            connection,
            entity,
            relation,
            snapshot_id=snapshot_id,
            priority=contract.priority,
            sha256=intake.sha256,
            mapped=contract.mapped_milestones,
            replaced=replaced,
        )
        for entity, relation in relations
    ]
    return counts[0]


def _refuse(intake: _Intake, staged: Staged | None, reason: str, as_of: datetime | None) -> Report:
    refusals = staged.refusals if staged else ()
    with _snapshot(intake.lake, intake) as snapshot_id:
        if refusals:
            settle_refused(intake.connection, intake.contract.source, intake.sha256, snapshot_id)
        _keep_refused(intake, refusals, snapshot_id, as_of)
        report = Report(
            source=intake.contract.source,
            name=intake.name,
            state="refused",
            reason=without_contacts(reason),
            snapshot_id=snapshot_id,
            as_of=as_of,
            row_count=staged.row_count if staged else 0,
            quarantined=_by_reason(refusals),
            duration_seconds=intake.seconds,
        )
        _write_ledger(intake, report, staged)
    return report


def _by_reason(refusals: Sequence[Refusal]) -> dict[str, int]:
    counts = Counter(without_contacts(f"{refusal.column} {refusal.reason}".strip()) for refusal in refusals)
    return dict(counts.most_common())


@contextmanager
def _snapshot(lake: Lake, intake: _Intake) -> Iterator[int]:
    """One lake transaction with the next snapshot id in its commit; rolled back when the body fails."""
    connection = intake.connection
    connection.execute("BEGIN")
    try:
        row = connection.execute("SELECT coalesce(max(snapshot_id), 0) + 1 FROM lake.snapshots").fetchone()
        snapshot_id = int(row[0]) if row else 1
        yield snapshot_id
        connection.execute(
            "CALL lake.set_commit_message(?, ?, extra_info => ?)",
            [intake.contract.source, intake.name[:200], f'{{"snapshot_id": {snapshot_id}}}'],
        )
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _write_ledger(intake: _Intake, report: Report, staged: Staged | None) -> None:
    contract = intake.contract
    schema = hashlib.sha256("\x1f".join(staged.source_columns if staged else ()).encode()).hexdigest()
    values = {
        "snapshot_id": report.snapshot_id,
        "source": report.source,
        "kind": contract.kind,
        "state": report.state,
        "reason": report.reason,
        "files": report.name,
        "file_sha256": intake.sha256,
        "contract_sha256": contract.sha256,
        "schema_sha256": schema,
        "priority": contract.priority,
        "as_of": report.as_of,
        "committed_at": intake.now,
        "row_count": report.row_count,
        "accepted_count": report.accepted_count,
        "changed_count": report.changed_count,
        "quarantined_count": sum(report.quarantined.values()),
        "late": report.late,
        "duration_seconds": report.duration_seconds,
    }
    marks = ", ".join("?" for _ in values)
    intake.connection.execute(f"INSERT INTO lake.snapshots ({', '.join(values)}) VALUES ({marks})", list(values.values()))


def _keep_refused(intake: _Intake, refusals: Sequence[Refusal], snapshot_id: int, as_of: datetime | None) -> None:
    if not refusals:
        return
    keys, contract = read_keys(intake.lake.settings), intake.contract
    version = contract.sha256
    for start in range(0, len(refusals), REFUSED_AT_ONCE):
        rows = [
            (
                snapshot_id,
                contract.source,
                intake.name,
                refusal.line,
                refusal.column,
                None if refusal.value is None else _shown(refusal.value),
                _shown(refusal.reason),
                "" if contract.personal and not refusal.column else seal_row(keys, refusal.raw, contract.source),
                version,
                as_of,
                None,
            )
            for refusal in refusals[start : start + REFUSED_AT_ONCE]
        ]
        intake.connection.register("refused", pl.DataFrame(rows, schema=REFUSED_SCHEMA, orient="row").to_arrow())
        intake.connection.execute("INSERT INTO lake.quarantine BY NAME FROM refused")
        intake.connection.unregister("refused")


def _shown(text: str) -> str:
    """What stands in the open: without phone numbers and addresses, and without NUL, at which the catalogue's SQL would end."""
    return without_contacts(text.replace("\0", "�"))


def _duplicate(intake: _Intake, as_of: datetime | None) -> Report | None:
    """The report of a file that is in already, under this contract and as-of; None of a new one."""
    contract = intake.contract
    row = intake.connection.execute(
        "SELECT max(snapshot_id) FROM lake.snapshots WHERE state = 'accepted' AND source = ? AND file_sha256 = ? "
        "AND contract_sha256 = ? AND (?::TIMESTAMPTZ IS NULL OR as_of = ?::TIMESTAMPTZ)",
        [contract.source, intake.sha256, contract.sha256, as_of, as_of],
    ).fetchone()
    if not row or row[0] is None:
        return None
    same = f"the same file and contract are snapshot {row[0]}"
    return Report(source=contract.source, name=intake.name, state="duplicate", reason=same, snapshot_id=row[0], as_of=as_of)


def _is_named(connection: duckdb.DuckDBPyConnection, source: str, name: str) -> bool:
    """Whether a file of this name came in already."""
    row = connection.execute(
        "SELECT count(*) FROM lake.snapshots WHERE state = 'accepted' AND source = ? AND files = ?", [source, name]
    ).fetchone()
    return bool(row and row[0])


def _is_late(connection: duckdb.DuckDBPyConnection, source: str, as_of: datetime) -> bool:
    row = connection.execute(
        "SELECT count(*) FROM lake.snapshots WHERE state = 'accepted' AND source = ? AND as_of > ?", [source, as_of]
    ).fetchone()
    return bool(row and row[0])


def _check_growth(intake: _Intake, staged: Staged) -> None:
    factor = intake.contract.max_growth
    if factor is None:
        return
    row = intake.connection.execute(
        "SELECT median(row_count) FROM (SELECT row_count FROM lake.snapshots WHERE state = 'accepted' AND source = ? "
        "ORDER BY snapshot_id DESC LIMIT 10)",
        [intake.contract.source],
    ).fetchone()
    usual = row[0] if row else None
    if usual and staged.row_count > factor * usual and staged.row_count > 1000:
        raise RefusedError(
            f"{intake.name}: {staged.row_count:,} rows, over {factor:g} times the usual {usual:,.0f}: "
            "raise max_growth in the contract if this is meant"
        )


def _as_of_before(contract: Contract, unit: tuple[Path, ...], now: datetime) -> datetime | None:
    """The as-of that is known before the rows are read; None for column and newest."""
    rule = contract.as_of
    zone = ZoneInfo(rule.zone) if rule.zone else contract.zone
    if rule.from_ == "constant":
        return _aware(datetime.fromisoformat(rule.value), zone)
    if rule.from_ == "file_time":
        return from_epoch_ms(max((int(path.stat().st_mtime_ns // 1_000_000) for path in unit), default=epoch_ms(now)))
    if rule.from_ != "file_name":
        return None
    for path in unit:
        if found := re.search(rule.pattern, path.name):
            try:
                return _aware(datetime.strptime(found[1], rule.format), zone)  # noqa: DTZ007 - made aware at once
            except ValueError as error:
                raise RefusedError(
                    f"{path.name}: {found[1]!r} is no instant of the form {rule.format}: correct as_of.format"
                ) from error
    names = ", ".join(path.name for path in unit)
    raise RefusedError(f"{names}: the name does not match as_of.pattern {rule.pattern!r} of {contract.source}")


def _aware(instant: datetime, zone: ZoneInfo) -> datetime:
    return (instant if instant.tzinfo else instant.replace(tzinfo=zone)).astimezone(UTC)


def _newest(intake: _Intake, staged: Staged) -> datetime:
    """The as-of of rows that carry their own, or the newest milestone instant of the file."""
    columns = ["row_as_of"] if intake.contract.as_of.from_ == "column" else milestone_instants(intake.contract)
    newest = ", ".join(f"max(epoch_ms({name}))" for name in columns)
    row = (
        intake.connection.execute(f"SELECT greatest({newest}) FROM {STAGED} WHERE problem IS NULL").fetchone()
        if columns
        else None
    )
    if not row or row[0] is None:
        raise RefusedError(f"{intake.name}: holds no instant to take its as-of from: give as_of: {{from: constant, value: …}}")
    return from_epoch_ms(int(row[0]))


@contextmanager
def staging_folder(lake: Lake) -> Iterator[Path]:
    """A folder for files in the open, for who holds the writer's lock: what a killed writer left of such folders goes first."""
    for left in lake.folder.glob("staging-*"):
        shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix="staging-", dir=lake.folder))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


Progress = Callable[[Report, int, int], None]


def ingest_all(
    lake: Lake, contract: Contract, units: Sequence[tuple[Path, ...]], *, now: Callable[[], datetime], progress: Progress
) -> list[Report]:
    """Take in several units one after the other, telling `progress` after each (report, done, total)."""
    reports = []
    for done, unit in enumerate(units, start=1):
        reports.append(ingest(lake, contract, unit, now=now()))
        progress(reports[-1], done, len(units))
    return reports
