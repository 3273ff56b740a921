"""The command line: parse → one call → print. `python cli.py --help` lists what there is.

Standard output carries only the result, notices go to standard error. Exit 0: done, 2: bad request, 1: failure.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Final, TextIO

from config import Settings, SettingsError, read_settings


class UsageError(ValueError):
    """The request cannot be understood; the message names the word, the reason and the remedy."""


def main(words: Sequence[str] | None = None) -> int:
    """Run one command; the exit code."""
    from data.active import with_business_zone

    asked = _with_several(_with_descending(sys.argv[1:] if words is None else words))
    arguments = _parser(asked).parse_args(asked)
    try:
        settings = with_business_zone(read_settings(home=arguments.home))
        return int(arguments.run(settings, arguments) or 0)
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        code = _exit_code(error)
        if code is None:
            raise
        print(f"{error}", file=sys.stderr)
        return code


def _with_descending(words: Sequence[str]) -> list[str]:
    """The words with `--order-by -COLUMN` as one: the parser would take the second for an option of its own."""
    found: list[str] = []
    for word in words:
        if found and found[-1] == "--order-by" and word.startswith("-") and not word.startswith("--"):
            found[-1] = f"--order-by={word}"
        else:
            found.append(word)
    return found


def _with_several(words: Sequence[str]) -> list[str]:
    """The words with `--by DIM DIM` and `--where DIM=VALUE DIM=VALUE` as one option each: the parser would take the second for a metric."""
    if not {"--by", "--where"} & set(words):
        return list(words)
    from queries.dimensions import DIMENSIONS

    found: list[str] = []
    option = ""
    for word in words:
        is_more = (option == "--by" and word in DIMENSIONS) or (
            option == "--where" and word.partition("=")[0] in DIMENSIONS and "=" in word
        )
        if is_more and found[-1] != option:
            found.append(option)
        option = word if word in ("--by", "--where") else option if is_more or (found and found[-1] == option) else ""
        found.append(word)
    return found


def _exit_code(error: Exception) -> int | None:
    """2 for a request that cannot be met as asked, 1 for a failure of the machine, None for a fault of ours."""
    from access.audit import AuditError
    from access.user import UserError
    from alerts.rule import RuleError
    from data.contract import ContractError
    from data.keys import KeysError
    from data.lake import LakeError
    from data.sources import SourceError
    from data.targets import TargetsError
    from data.validate import RefusedError
    from queries.query import QueryError
    from queries.run import RunError
    from shell.supervise import StartError

    bad_requests = UsageError | SettingsError | QueryError | ContractError | RefusedError | SourceError | TargetsError | UserError
    if isinstance(error, bad_requests | AuditError | KeysError | RuleError):
        return 2
    return 1 if isinstance(error, LakeError | RunError | StartError | OSError) else None


def _now() -> datetime:
    return datetime.now(UTC)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _run(settings: Settings, arguments: argparse.Namespace) -> int:
    from shell.supervise import supervise

    return supervise(settings, environment=os.environ, say=lambda text: print(text, flush=True))


def _worker(settings: Settings, arguments: argparse.Namespace) -> None:
    from access.store import open_store
    from data.retention import kept_days
    from data.worker import run_worker
    from shell.log import secrets_of, start_log
    from shell.upkeep import Upkeep
    from shell.watch_duty import on_duty

    # The interface comes first on a small machine: whoever looks should not wait for what is taken in.
    os.nice(5)
    kept_days(settings)
    start_log(secrets_of(settings))
    say = logging.getLogger("control_room.worker").info
    stopping = _until_stopped()
    with on_duty(settings, now=_now, say=say, environment=os.environ):
        run_worker(
            settings,
            now=_now,
            is_stopping=lambda: bool(stopping),
            pause=_pausing(stopping),
            say=say,
            upkeep=Upkeep(settings, open_store(settings), say),
        )


def _until_stopped() -> list[int]:
    """A list that is filled when the process is asked to stop."""
    stopping: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        stopping.append(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    return stopping


def _pausing(stopping: list[int]) -> Callable[[float], None]:
    def pause(seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not stopping and time.monotonic() < deadline:
            time.sleep(0.1)

    return pause


def _ingest(settings: Settings, arguments: argparse.Namespace) -> int:
    from data.contract import read_contract
    from data.ingest import find_units, ingest_all
    from data.lake import Lake
    from data.watch import remember_contract

    contract = read_contract(arguments.contract)
    units = find_units(contract, arguments.paths)
    _tell_faults(settings)
    if (settings.home / "demo.json").exists() and not contract.source.startswith("demo_"):
        _say(f"{settings.home} holds the demo country: these orders will stand beside its own; --home names another")
    with Lake.open_writer(settings) as lake:
        reports = ingest_all(lake, contract, units, now=_now, progress=_progress(sys.stderr))
    if any(report.state == "accepted" for report in reports):
        remember_contract(settings, arguments.contract, contract)
    for report in reports:
        print("\n".join(_report_lines(report)))
    return 1 if any(report.state == "refused" for report in reports) else 0


def _progress(stream: TextIO) -> Callable[..., None]:
    """A progress bar on a terminal, a line a tenth elsewhere."""

    def show(report: object, done: int, total: int) -> None:
        bar = "█" * (20 * done // total)
        text = f"{bar:<20} {done}/{total} files"
        if stream.isatty():
            print(f"\r{text}", end="\n" if done == total else "", file=stream, flush=True)
        elif total > 1 and (done == total or done % max(1, total // 10) == 0):
            print(text, file=stream, flush=True)

    return show


def _report_lines(report: object) -> list[str]:
    from data.ingest import Report

    assert isinstance(report, Report)
    lines = [f"{report.name}: {report.state}" + (f" ({report.reason})" if report.reason else "")]
    if report.state != "duplicate":
        lines.append(f"  rows in       {report.row_count:,}")
        lines.append(f"  accepted      {report.accepted_count:,}")
        lines.append(f"  changed       {report.changed_count:,}")
        lines.append(f"  quarantined   {sum(report.quarantined.values()):,}")
        lines += [f"    {count:>9,}  {reason}" for reason, count in report.quarantined.items()]
        lines.append(f"  duration      {report.duration_seconds:.1f} s")
    lines.append(f"  snapshot      {report.snapshot_id}" + (f", as of {_iso(report.as_of)}" if report.as_of else ""))
    if report.late:
        lines.append("  late          newer snapshots of this source are in already; their values stay")
    lines += [f"  notice        {notice}" for notice in report.notices]
    return lines


def _tell_faults(settings: Settings) -> list[str]:
    """Name on standard error what of the home's contracts and targets cannot be used; the same lines."""
    from data.active import active_contracts, targets_in_force
    from queries.check import unknown_targets

    targets, fault = targets_in_force(settings)
    faults = [*active_contracts(settings, demo=False).faults, *([fault] if fault else [])]
    lines = [*(one.sentence for one in faults), *(f"targets.yaml: {text}" for text in unknown_targets(targets))]
    for line in lines:
        _say(line)
    return lines


def _iso(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _watch(settings: Settings, arguments: argparse.Namespace) -> None:
    from data.active import active_contracts
    from data.contract import read_contract
    from data.lake import Lake
    from data.watch import Inbox, look, remember_contract, tell_faults

    for path in arguments.contract or []:
        remember_contract(settings, path, read_contract(path))
    folder = (arguments.folder or settings.inbox).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    active = active_contracts(settings, demo=False)
    if not active.contracts and not active.faults:
        raise UsageError(f"no contract in {settings.home / 'contracts'}: give one with --contract FILE or put it there")
    stopping, inbox = _until_stopped(), Inbox(folder, told=set(active.faults))
    _tell_faults(settings)
    _say(f"watching {folder} for {', '.join(sorted(active.contracts)) or 'a sound contract'}; Ctrl-C ends it")
    with Lake.open_writer(settings) as lake:
        while not stopping:
            active = active_contracts(settings, demo=False)
            tell_faults(inbox, active, _say)
            look(lake, inbox, active, settings, now=_now, say=lambda text: print(text, flush=True))
            if arguments.once and not inbox.waiting():
                break
            _pausing(stopping)(arguments.every)


def _contract_draft(settings: Settings, arguments: argparse.Namespace) -> None:
    from data.draft import draft_contract

    print(draft_contract(arguments.file), end="")


def _contract_check(settings: Settings, arguments: argparse.Namespace) -> None:
    import duckdb

    from data.contract import read_contract
    from data.validate import check_contract_sql

    contract = read_contract(arguments.file)
    if not contract.files:
        check_contract_sql(duckdb.connect(), contract, arguments.file)
    print(f"{arguments.file}: sound; source {contract.source}, kind {contract.kind}, {len(contract.columns)} columns")
    for name in contract.undated_between:
        _say(
            f"{name} is told by a status word only, between milestones that columns date: the time in the stages before and "
            "after it stays empty; map the word to the milestone before, where that time should be measured across it"
        )


def _snapshots(settings: Settings, arguments: argparse.Namespace) -> None:
    from data.lake import Lake
    from queries.present import present

    columns = "snapshot_id, source, state, as_of, committed_at, row_count, accepted_count, changed_count, quarantined_count, late, files, reason"
    lake = Lake.open_reader(settings)
    _tell_faults(settings)
    query = f"SELECT {columns} FROM lake.snapshots ORDER BY snapshot_id DESC LIMIT ?"
    print(present(lake.cursor().execute(query, [arguments.limit]).pl(), arguments.format), end="")


def _query(settings: Settings, arguments: argparse.Namespace) -> None:
    from access.query_command import query
    from queries.present import present

    answer = query(settings, arguments, now=_now(), say=_say)
    for line in answer.notes:
        _say(line)
    _tell_faults(settings)
    print(present(answer.rows, arguments.format), end="")


def _order(settings: Settings, arguments: argparse.Namespace) -> int:
    import json

    from access.order_json import order_as_json
    from access.outside import note_unseen_order
    from access.query_command import user_scope

    told = order_as_json(
        settings,
        channel=arguments.channel,
        order_id=arguments.order_id,
        scope=user_scope(settings, arguments.user),
        as_of=arguments.as_of,
        snapshot=arguments.snapshot,
    )
    if told is None:
        note_unseen_order(settings, arguments.user, arguments.channel, arguments.order_id, now=_now())
        _say(f"there is no order {arguments.order_id} of {arguments.channel} that {arguments.user} can see at this instant")
        return 2
    print(json.dumps(told, ensure_ascii=False, indent=2))
    return 0


def _metrics(settings: Settings, arguments: argparse.Namespace) -> None:
    from queries.glossary import metrics_frame
    from queries.present import present

    print(present(metrics_frame(), arguments.format), end="")


def _dimensions(settings: Settings, arguments: argparse.Namespace) -> None:
    from queries.glossary import dimensions_frame
    from queries.present import present

    print(present(dimensions_frame(), arguments.format), end="")


def _quarantine_list(settings: Settings, arguments: argparse.Namespace) -> None:
    from data.contract import did_you_mean
    from data.lake import Lake
    from data.replay import count_quarantine, known_sources, list_quarantine
    from queries.present import present

    cursor = Lake.open_reader(settings).cursor()
    known = known_sources(cursor)
    if arguments.source is not None and arguments.source not in known:
        raise UsageError(
            f"nothing ever came from the source {arguments.source!r}{did_you_mean(arguments.source, known) if known else ''}"
        )
    count = count_quarantine(cursor, source=arguments.source)
    if count > arguments.limit:
        _say(f"{arguments.limit:,} of {count:,} rows, the newest snapshots first: --limit shows more")
    rows = list_quarantine(cursor, source=arguments.source, limit=arguments.limit)
    print(present(rows, arguments.format), end="")


def _quarantine_replay(settings: Settings, arguments: argparse.Namespace) -> int:
    from data.contract import read_contract
    from data.lake import Lake
    from data.replay import left_out, replay
    from data.watch import remember_contract

    contract = read_contract(arguments.contract)
    with Lake.open_writer(settings) as lake:
        replays = replay(lake, contract, now=_now())
        for line in left_out(lake, contract.source):
            _say(line)
    remember_contract(settings, arguments.contract, contract)
    if not replays:
        _say(f"nothing of {contract.source} that could be replayed is in the quarantine")
    for one in replays:
        print(f"snapshot {one.snapshot_id}: {one.tried:,} rows tried again, {one.report.accepted_count:,} accepted")
        print("\n".join(_report_lines(one.report)))
    return 1 if any(one.report.state == "refused" for one in replays) else 0


def _doctor(settings: Settings, arguments: argparse.Namespace) -> int:
    from data.lake import Lake
    from data.maintain import check_counts, count_files

    lake = Lake.open_reader(settings)
    head, faults = lake.head(), check_counts(lake)
    print(
        f"home {settings.home}: snapshot {head.snapshot_id}, as of {_iso(head.as_of) if head.as_of else '-'}, {count_files(lake)} data files"
    )
    print("\n".join(faults) or "count(*), scan and ledger agree")
    return 1 if [*faults, *_tell_faults(settings)] else 0


def _demo(settings: Settings, arguments: argparse.Namespace) -> None:
    from data.demo.bulk import write_bulk

    options = {"orders": arguments.orders, "days": arguments.days, "seed": settings.demo_seed, "form": arguments.format}
    files = list(write_bulk(arguments.folder, end=_now().replace(microsecond=0), **options))
    _say(
        f"{len(files)} files written; take them in with: python cli.py ingest --contract data/contracts/demo_bulk.yaml {arguments.folder}"
    )


def _users(settings: Settings, arguments: argparse.Namespace) -> None:
    from access.command import users

    print("\n".join(users(settings, arguments, _now())))


def _worklist(settings: Settings, arguments: argparse.Namespace) -> None:
    from access.worklist_command import worklist
    from queries.present import present

    print(present(worklist(settings, arguments, _now()), arguments.format), end="")


def _audit(settings: Settings, arguments: argparse.Namespace) -> int:
    from access.audit_command import audit

    lines, code = audit(settings, arguments, _now())
    print("\n".join(lines))
    return code


def _views(settings: Settings, arguments: argparse.Namespace) -> None:
    from access.saved_command import views

    print("\n".join(views(settings, arguments, _now())))


def _personal(settings: Settings, arguments: argparse.Namespace) -> int:
    import alerts.tables  # noqa: F401 - its tables are part of the data map
    from access.personal_command import personal

    lines, code = personal(settings, arguments, _now())
    print("\n".join(lines))
    return code


def _rules(settings: Settings, arguments: argparse.Namespace) -> int:
    from shell.rules_command import rules

    lines, code = rules(settings, arguments, _now())
    print("\n".join(lines))
    return code


FORMATS: Final = ("table", "json", "csv")


def _count(text: str) -> int:
    """A number of rows to show."""
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} keeps nothing: give a whole number from 1")
    return int(text)


def _parser(words: Sequence[str]) -> argparse.ArgumentParser:
    """The parser for these words; a command that they do not name has its help only, for its arguments may be long to import."""
    parser = argparse.ArgumentParser(prog="cli.py", description="Order Control Room · 订单作战室")
    parser.add_argument("--home", type=Path, default=None, help="where everything is kept (default: CONTROL_ROOM_HOME or var/)")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _command(commands, "run", _run, "start the worker and the interface")
    _command(commands, "worker", _worker, "only the worker: takes in the inbox, feeds the demo")
    _add_intake(commands)
    _add_questions(commands)
    demo = _command(commands, "demo", _demo, "write files of the demo country, for trials of any size")
    demo.add_argument("folder", type=Path)
    demo.add_argument("--orders", type=int, default=100_000)
    demo.add_argument("--days", type=int, default=30)
    demo.add_argument("--format", choices=("csv", "parquet"), default="csv")
    for name, (module, adder, run, text) in ELSEWHERE.items():
        command = _command(commands, name, run, text)
        if name == "worklist":
            command.add_argument("--format", choices=FORMATS, default="table")
        if name in words:
            getattr(import_module(module), adder)(command)
    _command(commands, "doctor", _doctor, "check that the lake and its ledger agree")
    return parser


ELSEWHERE: Final[dict[str, tuple[str, str, object, str]]] = {
    "users": (
        "access.command",
        "add_users_arguments",
        _users,
        "accounts: list, add, access, password, disable, enable",
    ),
    "worklist": (
        "access.worklist_command",
        "add_worklist_arguments",
        _worklist,
        "late and at-risk orders of a user's area, with who has them",
    ),
    "rules": (
        "shell.rules_arguments",
        "add_arguments",
        _rules,
        "alert rules: list, show, validate, test, backtest, publish, export, import",
    ),
    "audit": ("access.audit_command", "add_audit_arguments", _audit, "who did what: verify, list, export"),
    "views": (
        "access.saved_command",
        "add_views_arguments",
        _views,
        "saved views somebody took away: deleted, restore",
    ),
    "personal": (
        "access.personal_command",
        "add_personal_arguments",
        _personal,
        "personal data: erase, prove, expire, rotate, open, map",
    ),
}
"""The commands whose arguments are known where the command is, and how those are added."""


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, run: object, text: str
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=text, description=text)
    command.set_defaults(run=run)
    return command


def _add_intake(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    ingest = _command(commands, "ingest", _ingest, "take in files once, with a report")
    ingest.add_argument("--contract", type=Path, required=True, help="the contract YAML of the source")
    ingest.add_argument(
        "paths", type=Path, nargs="*", metavar="PATH", help="files, or folders searched for the contract's pattern"
    )
    watch = _command(commands, "watch", _watch, "take in an inbox folder for good")
    watch.add_argument("folder", type=Path, nargs="?", help="default: <home>/inbox")
    watch.add_argument("--contract", type=Path, action="append", help="a contract to add to the home's; may be repeated")
    watch.add_argument("--every", type=float, default=2.0, help="seconds between looks")
    watch.add_argument("--once", action="store_true", help="end when nothing waits any more")
    contract = commands.add_parser("contract", help="draft or check a contract").add_subparsers(dest="action", required=True)
    _command(contract, "draft", _contract_draft, "propose a contract from a file's header and sample").add_argument(
        "file", type=Path
    )
    _command(contract, "check", _contract_check, "say whether a contract is sound").add_argument("file", type=Path)
    snapshots = _command(commands, "snapshots", _snapshots, "the ledger, newest first")
    quarantine = commands.add_parser("quarantine", help="refused rows").add_subparsers(dest="action", required=True)
    listing = _command(quarantine, "list", _quarantine_list, "refused rows with file, line, column, value, reason")
    listing.add_argument("--source")
    for command in (snapshots, listing):
        command.add_argument("--limit", type=_count, default=1000)
        command.add_argument("--format", choices=FORMATS, default="table")
    again = _command(quarantine, "replay", _quarantine_replay, "take refused rows in again under a changed contract")
    again.add_argument("--contract", type=Path, required=True)


def _add_questions(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    query = _command(commands, "query", _query, "ask for metrics")
    query.add_argument("metrics", nargs="+", metavar="METRIC")
    query.add_argument("--by", action="append", default=[], metavar="DIM", help="group by dimensions, one or several")
    query.add_argument(
        "--where", action="append", default=[], metavar="DIM=VALUE", help="several values by comma; empty is unknown"
    )
    query.add_argument("--window", default="all", help="24h, 7d, today, all, or A..B (dates, both days included, or instants)")
    query.add_argument("--grain", help="hour, day or week: a series over time")
    query.add_argument("--compare", action="append", default=[], help="previous, last_week, target; may be repeated")
    query.add_argument("--order-by", dest="order_by", help="a column, -COLUMN descending")
    query.add_argument("--limit", type=int)
    query.add_argument("--as-of", dest="as_of", metavar="INSTANT", help="what was true then (default: the newest data instant)")
    query.add_argument("--snapshot", type=int, metavar="N", help="what was known with snapshot N (default: the newest)")
    query.add_argument("--user", metavar="NAME", help="answer inside this user's scope")
    query.add_argument("--show-sql", action="store_true", help="the statement and its parameters, on standard error")
    order = _command(commands, "order", _order, "one order's whole life, as JSON")
    order.add_argument("channel")
    order.add_argument("order_id")
    order.add_argument("--user", metavar="NAME", required=True, help="answer inside this user's scope")
    order.add_argument("--as-of", dest="as_of", metavar="INSTANT", help="what was true, and known, then")
    order.add_argument("--snapshot", type=int, metavar="N", help="what was known with snapshot N")
    metrics = _command(commands, "metrics", _metrics, "every metric, with its definition in both languages")
    dimensions = _command(commands, "dimensions", _dimensions, "every dimension, with its definition in both languages")
    for command in (query, metrics, dimensions):
        command.add_argument("--format", choices=FORMATS, default="table")


if __name__ == "__main__":
    raise SystemExit(main())
