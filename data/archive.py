"""Where files go after intake: the archive as they came, the refused with their reason; never with personal data in the open."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from config import Settings
from data.contract import Contract, Reader
from data.ingest import Report
from data.keys import read_keys
from data.lake import Lake
from data.personal import mask_sql, seal_file
from data.sources import open_rows
from data.sql_text import identifier, literal


def put_away(lake: Lake, contract: Contract, unit: tuple[Path, ...], settings: Settings, report: Report) -> None:
    """Move the files of one intake to where they are kept.

    With personal columns, an accepted file is kept as a masked copy (a plain CSV that the contract's columns still read), a
    refused one whole but encrypted (`<name>.sealed`); the file itself is removed.
    """
    refused = report.state == "refused"
    folder = (settings.refused if refused else settings.archive) / contract.source
    folder.mkdir(parents=True, exist_ok=True)
    readers = list(contract.files.values()) or [contract.reader]
    for path, reader in zip(unit, readers, strict=False):
        target = folder / path.name
        if not contract.personal:
            path.replace(target)
        elif refused:
            seal_file(read_keys(settings), path, target.with_name(target.name + ".sealed"))
            path.unlink()
        else:
            _copy_masked(lake, contract, reader, path, target)
            path.unlink()
        if refused:
            target.with_name(target.name + ".reason.txt").write_text(report.reason + "\n", encoding="utf-8")


def _copy_masked(lake: Lake, contract: Contract, reader: Reader, path: Path, target: Path) -> None:
    connection = lake.writer()
    folder = Path(tempfile.mkdtemp(prefix="archive-", dir=lake.folder))
    try:
        rows = open_rows(connection, path, reader, folder)
        masks = [
            f"{mask_sql(field, identifier(column))} AS {identifier(column)}"
            for field, column in contract.personal.items()
            if column in rows.columns
        ]
        replaced = f"* REPLACE ({', '.join(masks)})" if masks else "*"
        beside = folder / "masked.csv"
        connection.execute(f"COPY (SELECT {replaced} FROM {rows.relation}) TO {literal(str(beside))} (FORMAT csv, HEADER)")
        shutil.move(beside, target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
