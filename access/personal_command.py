"""`python cli.py personal …`: erase, prove, expire, rotate keys, open a sealed file; each on record without any personal value."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

from access.audit import LOCAL, note
from access.data_map import map_lines
from access.store import open_store
from config import Settings
from data.erase import (
    drop_old_contacts,
    erase_contacts,
    erase_wanted,
    find_bytes,
    find_sealed,
    orders_of_phone,
    rotate_contacts,
)
from data.keys import read_keys
from data.lake import Lake
from data.personal import unseal_file
from data.wanted import Wanted, wanted_of, wanted_phone, wanted_text


def add_personal_arguments(parser: ArgumentParser) -> None:
    """Give the parser of `personal` its actions and their options."""
    actions = parser.add_subparsers(dest="action", required=True)
    erase = actions.add_parser("erase", help="remove a person's data for good: by phone, by another text, or by order")
    erase.add_argument("--phone", default="")
    erase.add_argument("--text", default="", help="an e-mail address or a name: removed from refused rows and kept files")
    erase.add_argument("--order", action="append", default=[], metavar="CHANNEL/ORDER_ID", help="may be repeated")
    actions.add_parser(
        "prove", help="search every file of the home for a text, encrypted ones too; ends with 1 where it stands"
    ).add_argument("text")
    actions.add_parser("expire", help="remove what is older than so many days").add_argument("days", type=int)
    actions.add_parser("map", help="where personal data is, generated from the schemas (docs/data_map.md)")
    actions.add_parser("rotate", help="encrypt every original anew under a fresh key, forget the old ones")
    unseal = actions.add_parser("open", help="decrypt a file of the archive or of the refused")
    unseal.add_argument("file", type=Path)
    unseal.add_argument("target", type=Path)


def personal(settings: Settings, arguments: Namespace, now: datetime) -> tuple[list[str], int]:
    """Do one action; the lines for standard output and the exit code. Raises KeysError, LakeError."""
    if arguments.action == "map":
        return map_lines(), 0
    if arguments.action == "prove":
        found = [str(file) for file in find_bytes(settings.home, [arguments.text])]
        found += _sealed(settings, wanted_of(arguments.text))
        return ([f"{file}: holds the text" for file in found] or [f"no file of {settings.home} holds the text"]), int(bool(found))
    if arguments.action == "open":
        unseal_file(read_keys(settings), arguments.file, arguments.target)
        _on_record(settings, now, "sealed_file_opened", {"file": arguments.file.name})
        return [f"{arguments.target}: decrypted; remove it when done"], 0
    with Lake.open_writer(settings) as lake:
        return _change(settings, lake, arguments, now), 0


def _sealed(settings: Settings, wanted: Wanted) -> list[str]:
    """Where it stands in what is kept encrypted; nowhere in a home without a lake."""
    if not settings.catalogue and not (settings.lake_folder / "catalogue.sqlite").exists():
        return []
    with closing(Lake.open_reader(settings)) as lake:
        return find_sealed(lake, read_keys(settings), wanted)


def _change(settings: Settings, lake: Lake, arguments: Namespace, now: datetime) -> list[str]:
    if arguments.action == "rotate":
        count = rotate_contacts(lake)
        _on_record(settings, now, "keys_rotated", {"values": count})
        return [f"{count:,} values are encrypted under a fresh key; the old keys are forgotten"]
    if arguments.action == "expire":
        count = drop_old_contacts(lake, now - timedelta(days=arguments.days))
        _on_record(settings, now, "contacts_expired", {"values": count, "days": arguments.days})
        return [f"{count:,} values older than {arguments.days} days removed"]
    orders = [(channel, order_id) for channel, _, order_id in (text.partition("/") for text in arguments.order)]
    orders += orders_of_phone(lake, read_keys(settings), arguments.phone) if arguments.phone else []
    wanted = [make(text) for make, text in ((wanted_phone, arguments.phone), (wanted_text, arguments.text)) if text]
    count = erase_contacts(lake, orders)
    found = [erase_wanted(lake, read_keys(settings), one) for one in wanted]
    rows, files = sum(one.row_count for one in found), sum(one.file_count for one in found)
    removed = [name for one in found for name in one.removed]
    named = [f"{channel}/{order_id}" for channel, order_id in orders]
    detail = {"values": count, "orders": named, "rows": rows, "files": files, "removed": removed}
    _on_record(settings, now, "contacts_erased", detail)
    lines = [f"{count:,} values of {len(orders):,} orders removed; snapshots before now can no longer be seen"]
    lines += [f"{rows:,} refused rows removed, {files:,} kept files written anew without it"] if wanted else []
    return [*lines, *(f"{name}: held it and was removed whole" for name in removed)]


def _on_record(settings: Settings, now: datetime, action: str, detail: Mapping[str, object]) -> None:
    store = open_store(settings)
    note(store, at=now, actor=LOCAL, action=action, object_kind="personal", detail=detail)
    store.dispose()
