"""The inbox: files put there are taken in once they are whole, then moved to the archive or to the refused."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatch
from pathlib import Path

from config import Settings
from data.active import ActiveContracts, Fault, file_of_source
from data.archive import put_away
from data.contract import Contract
from data.ingest import Report, ingest
from data.lake import Lake

Look = dict[Path, tuple[int, int]]


@dataclass
class Inbox:
    """What the last look at a folder saw: a file is whole when its size and time stayed the same over two looks."""

    folder: Path
    last: Look = field(default_factory=dict)
    unknown: set[Path] = field(default_factory=set)
    told: set[Fault] = field(default_factory=set)

    def waiting(self) -> int:
        """Files of the last look that are still there and have a chance to be taken in."""
        return sum(path.exists() and path not in self.unknown for path in self.last)

    def whole_files(self) -> list[Path]:
        """The files that did not change since the last look, in name order; hidden and .part files never count."""
        found: Look = {}
        for path in sorted(self.folder.rglob("*")) if self.folder.exists() else []:
            if path.is_file() and not path.is_symlink() and not path.name.startswith(".") and path.suffix != ".part":
                state = path.stat()
                found[path] = (state.st_size, state.st_mtime_ns)
        whole = [path for path, state in found.items() if self.last.get(path) == state]
        self.last = found
        return whole


def remember_contract(settings: Settings, contract_file: Path, contract: Contract) -> None:
    """Keep a copy of a contract in the home, so that its cadence and owner are known to every page.

    It takes the place of the home's file for the same source, whatever that is called; a file of the home stays as it is.
    """
    folder = settings.home / "contracts"
    folder.mkdir(parents=True, exist_ok=True)
    if contract_file.resolve().parent != folder.resolve():
        shutil.copyfile(contract_file, file_of_source(settings, contract.source) or folder / f"{contract.source}.yaml")


def find_ready(contracts: Mapping[str, Contract], files: list[Path]) -> list[tuple[Contract, tuple[Path, ...]]]:
    """The units that can be taken in from these files: single files by pattern, joined sets once they are complete."""
    ready: list[tuple[Contract, tuple[Path, ...]]] = []
    for contract in contracts.values():
        if not contract.files:
            ready += [(contract, (path,)) for path in files if contract.reader.path and fnmatch(path.name, contract.reader.path)]
            continue
        sets = [[path for path in files if fnmatch(path.name, reader.path)] for reader in contract.files.values()]
        if all(len(found) == 1 for found in sets):
            ready.append((contract, tuple(found[0] for found in sets)))
    return sorted(ready, key=lambda unit: unit[1][0].name.removeprefix(unit[0].source))


def tell_faults(inbox: Inbox, active: ActiveContracts, say: Callable[[str], None]) -> None:
    """Name the contracts that cannot be used, each once while it stays as it is."""
    for fault in active.faults:
        if fault not in inbox.told:
            say(fault.sentence)
    inbox.told = set(active.faults)


def look(
    lake: Lake,
    inbox: Inbox,
    active: ActiveContracts,
    settings: Settings,
    *,
    now: Callable[[], datetime],
    say: Callable[[str], None],
) -> list[Report]:
    """One look at the inbox: take in what is whole, move it away, tell of each; files without a contract are told once."""
    files = inbox.whole_files()
    ready = find_ready(active.contracts, files)
    reports = [take(lake, contract, unit, settings, now=now()) for contract, unit in ready]
    for report in reports:
        say(describe(report))
    used = {path for _, unit in ready for path in unit}
    for path in files:
        if path not in used and path not in inbox.unknown:
            inbox.unknown.add(path)
            which = "no sound contract" if active.faults else "no contract"
            say(f"{path.name}: {which} has a pattern for it: put one into {settings.home / 'contracts'}; it waits in the inbox")
    return reports


def take(lake: Lake, contract: Contract, unit: tuple[Path, ...], settings: Settings, *, now: datetime) -> Report:
    """Take in one unit and move its files to the archive, or with the reason beside them to the refused."""
    report = ingest(lake, contract, unit, now=now)
    put_away(lake, contract, unit, settings, report)
    return report


def describe(report: Report) -> str:
    """One line for logs and terminals: what became of a file."""
    if report.state == "duplicate":
        return f"{report.name}: nothing new, {report.reason}"
    if report.state == "refused":
        return f"{report.name}: refused whole: {report.reason}"
    quarantined = sum(report.quarantined.values())
    parts = [f"{report.row_count:,} rows", f"{report.accepted_count:,} accepted", f"{report.changed_count:,} changed"]
    if quarantined:
        parts.append(f"{quarantined:,} quarantined")
    if report.late:
        parts.append("late: newer values stay")
    return f"{report.name}: {', '.join(parts)}, {report.duration_seconds:.1f} s, snapshot {report.snapshot_id}"
