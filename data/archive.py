"""Where files go after intake: the archive, the refused with their reason; encrypted, for nobody knows what stands in which column."""

from __future__ import annotations

import os
from pathlib import Path

from config import Settings
from data.contract import Contract, Reader
from data.ingest import Report, staging_folder
from data.keys import read_keys
from data.lake import Lake
from data.personal import SEALED_SUFFIX, mask_sql, seal_file, without_contacts
from data.sources import open_rows
from data.sql_text import identifier, literal


def put_away(lake: Lake, contract: Contract, unit: tuple[Path, ...], settings: Settings, report: Report) -> None:
    """Move the files of one intake to where they are kept, as `<name>.sealed`; the file itself is removed.

    Of a file with personal columns a masked copy is kept (a CSV that the contract's columns still read); a refused one is
    kept whole.
    """
    keys = read_keys(settings)
    refused = report.state == "refused"
    folder = (settings.refused if refused else settings.archive) / contract.source
    folder.mkdir(parents=True, exist_ok=True)
    readers = list(contract.files.values()) or [contract.reader]
    for path, reader in zip(unit, readers, strict=False):
        name = without_contacts(path.name)
        target = folder / f"{name}{SEALED_SUFFIX}"
        if contract.personal and not refused:
            with lake.lock(), staging_folder(lake) as beside:
                seal_file(keys, _copy_masked(lake, contract, reader, path, beside), target)
        else:
            seal_file(keys, path, target)
        path.unlink()
        if refused:
            target.with_name(f"{name}.reason.txt").write_text(report.reason + "\n", encoding="utf-8")


def seal_what_lies_open(settings: Settings) -> int:
    """Seal the kept files of a home from before kept files were sealed; how many."""
    keys, count = read_keys(settings), 0
    for folder in (settings.archive, settings.refused):
        for path in sorted(folder.rglob("*")):
            is_ours = path.name.endswith((SEALED_SUFFIX, ".reason.txt")) or path.name.startswith(".")
            if path.is_file() and not path.is_symlink() and not is_ours:
                seal_file(keys, path, path.with_name(f"{without_contacts(path.name)}{SEALED_SUFFIX}"))
                path.unlink()
                count += 1
    return count


def _copy_masked(lake: Lake, contract: Contract, reader: Reader, path: Path, folder: Path) -> Path:
    connection, copy = lake.writer(), folder / "masked.csv"
    rows = open_rows(connection, path, reader, folder)
    masks = [
        f"{mask_sql(field, identifier(column))} AS {identifier(column)}"
        for field, column in contract.personal.items()
        if column in rows.columns
    ]
    replaced = f"* REPLACE ({', '.join(masks)})" if masks else "*"
    connection.execute(f"COPY (SELECT {replaced} FROM {rows.relation}) TO {literal(str(copy))} (FORMAT csv, HEADER)")
    os.utime(copy, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    return copy
