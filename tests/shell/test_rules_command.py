"""The rule book on the command line: with a named user's rights, and the same answers as the pages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

import cli
from access.audit import LOCAL, Actor
from access.store import open_store
from access.user import User, add_user
from alerts.fault import RuleError
from alerts.lifecycle import Author, keep_trial, list_versions, publish, restore, save_draft, set_status
from alerts.parse import parse_rule
from alerts.tables import VERSIONS
from config import read_settings
from data.ingest import ingest
from data.lake import Lake
from queries.scope import Scope
from tests.data.intake import PLAIN, contract_of, write_csv

AS_OF = datetime(2026, 3, 2, 8, tzinfo=UTC)
RULE = {"name": "many", "metric": "order_count", "op": ">", "warning": 2, "group_by": ["region"], "window": "1h", "every": "1h"}
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with three orders an hour of Shanghai for two days, an analyst and a lead."""
    folder = tmp_path_factory.mktemp("rules")
    settings = read_settings({}, home=folder / "home")
    rows = [
        (f"{hour}-{number}", "jd", "CN-SH", (AS_OF - timedelta(hours=48 - hour, minutes=-number)).isoformat())
        for hour in range(48)
        for number in range(3)
    ]
    path = write_csv(folder / f"orders_{AS_OF:%Y%m%dT%H%M%S}.csv", rows, ("id", "channel", "province", "created"))
    columns = {"order_id": "id", "channel": "channel", "province_code": "province", "created_at": "created"}
    with Lake.open_writer(settings) as lake:
        assert ingest(lake, contract_of(columns=columns), (path,), now=AS_OF).state == "accepted"
    store = open_store(settings)
    for name, role, regions in (("ana", "analyst", ("*",)), ("east", "lead", ("CN-EAST",)), ("south", "lead", ("CN-SOUTH",))):
        add_user(store, User(name=name, display_name=name, role=role, regions=regions), password_hash="x", now=AS_OF, by=LOCAL)  # type: ignore[arg-type]
    store.dispose()
    return settings.home


@pytest.fixture
def run(home: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """One call of `cli.py rules`: exit code, standard output, standard error."""

    def call(*words: str) -> tuple[int, str, str]:
        code = cli.main(["--home", str(home), "rules", *words])
        told = capsys.readouterr()
        return code, told.out, told.err

    return call


def test_a_rule_is_imported_tried_published_shown_and_exported(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump([RULE]), encoding="utf-8")
    *lines, rhythm, count = run("validate", str(file))[1].splitlines()
    assert lines == [f"{file}: many: sound"]
    assert "no source that comes regularly" in rhythm
    assert count == "1 of 1 rules are sound"
    assert run("import", str(file), "--user", "ana")[:2] == (0, "many: draft 1\n")
    code, _, told = run("publish", "many", "--user", "ana", "--reason", "try")
    assert (code, "never tried" in told) == (2, True)
    report = run("backtest", "many", "--days", "7", "--user", "ana")[1]
    assert "alerts 1" in report
    assert "East China" in report
    assert run("publish", "many", "--user", "ana", "--reason", "it works")[1] == "many: version 1 is live\n"
    assert run("list")[1].splitlines()[1].split()[:3] == ["many", "live", "1/1"]
    assert "按大区分别检查" in run("show", "many")[1]
    assert yaml.safe_load(run("export")[1])[0]["name"] == "many"


def test_a_window_shorter_than_the_snapshots_of_its_source_is_refused_at_import_and_at_publishing(
    run: Run, tmp_path: Path, home: Path
) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump([RULE | {"name": "fine"}]), encoding="utf-8")
    assert run("import", str(file), "--user", "ana")[0] == 0
    run("backtest", "fine", "--days", "7", "--user", "ana")
    slow = home / "contracts" / "slow.yaml"
    slow.parent.mkdir(exist_ok=True)
    slow.write_text(
        yaml.safe_dump(PLAIN | {"source": "slow", "cadence": {"warn_after": "2h", "error_after": "4h"}}), encoding="utf-8"
    )
    try:
        refused = f"{file}: rule 1: the window 1h is shorter than the 2h in which slow sends a snapshot"
        code, out, _ = run("validate", str(file))
        assert (code, refused in out, "0 of 1 rules are sound" in out) == (1, True, True)
        for words in (("import", str(file)), ("publish", "fine", "--reason", "try")):
            code, out, told = run(*words, "--user", "ana")
            assert (code, out) == (2, "")
            assert "the window 1h is shorter than the 2h in which slow sends a snapshot" in told
    finally:
        slow.unlink()


def test_a_lead_makes_no_rule_for_others_and_an_unknown_one_is_named(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump([RULE | {"name": "mine"}]), encoding="utf-8")
    run("import", str(file), "--user", "east")
    code, _, told = run("publish", "many", "--user", "east", "--reason", "x")
    assert code == 2
    assert "mine" not in run("export")[1]
    assert run("show", "nowhere")[0] == 2
    assert run("import", str(file), "--user", "nobody")[0] == 2
    assert told


def test_a_lead_tries_and_brings_back_nothing_of_what_is_not_theirs(run: Run, tmp_path: Path, home: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump([RULE | {"name": "wide"}]), encoding="utf-8")
    run("import", str(file), "--user", "ana")
    for user in ("east", "south"):
        code, out, told = run("backtest", "wide", "--days", "7", "--user", user)
        assert (code, out) == (2, "")
        assert "wide" in told
    store = open_store(read_settings({}, home=home))
    for name, regions in (("east", ("CN-EAST",)), ("south", ("CN-SOUTH",))):
        author = Author(name=name, role="lead", scope=Scope.of_regions(regions), actor=Actor(name=name))
        rule = parse_rule(RULE | {"name": "wide", "warning": 99})
        for act in (
            lambda author=author: restore(store, "wide", 1, author, sources=(), now=AS_OF),
            lambda author=author: keep_trial(store, "wide", 1, {}, author, days=7, now=AS_OF),
            lambda author=author: publish(store, "wide", 1, author, sources=(), reason="x", now=AS_OF),
            lambda author=author: set_status(store, "wide", "retired", author, reason="x", now=AS_OF),
            lambda author=author, rule=rule: save_draft(store, rule, author, sources=(), now=AS_OF),
        ):
            with pytest.raises(RuleError):
                act()
    assert len(list_versions(store, "wide")) == 1
    store.dispose()
    assert "East China" in run("backtest", str(file), "--days", "7", "--user", "ana")[1]
    assert "East China" not in run("backtest", str(file), "--days", "7", "--user", "south")[1]


def test_a_test_message_is_sent_and_the_receiver_listed(run: Run) -> None:
    assert run("receivers")[1].splitlines()[0].split()[:3] == ["name", "channel", "area"]
    code, _, told = run("send-test", "nobody", "--user", "ana")
    assert (code, "no receiver 'nobody'" in told) == (2, True)
    assert run("send-test", "nobody", "--user", "east")[0] == 2


@pytest.mark.parametrize("action", ["validate", "test", "import"])
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "cannot be read (No such file or directory)"),
        ("name: [a", "line 1: not valid YAML"),
        ("- {name: a, name: b}", "line 1: not valid YAML: 'name' stands twice"),
        ("- {name: a, expires_on: 2026-13-40}", "line 1: not valid YAML: '2026-13-40' is no day (month must be in 1..12)"),
        ("[" * 600, "nested too deeply"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_with_its_line(
    run: Run, tmp_path: Path, action: str, text: str | None, reason: str
) -> None:
    file = tmp_path / "rules.yaml"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    code, out, told = run(action, str(file), *(("--user", "ana") if action == "import" else ()))
    assert (code, out) == (2, "")
    assert told.startswith(str(file))
    assert reason in told
    assert "Traceback" not in told


def test_an_import_keeps_all_rules_of_its_files_or_none(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    for second, reason in (
        ({"name": "first"}, "first is the name of rule 1"),
        ({"name": "b", "metric": "order_cont"}, "order_count"),
    ):
        file.write_text(yaml.safe_dump([RULE | {"name": "first"}, RULE | second]), encoding="utf-8")
        code, out, told = run("import", str(file), "--user", "ana")
        assert (code, out) == (2, "")
        assert "rule 2" in told
        assert reason in told
    run("import", _one(tmp_path, RULE | {"name": "hers"}), "--user", "ana")
    file.write_text(yaml.safe_dump([RULE | {"name": "first"}, RULE | {"name": "hers"}]), encoding="utf-8")
    assert run("import", str(file), "--user", "east")[:2] == (2, "")
    assert "first" not in run("list")[1]


def _one(folder: Path, rule: dict[str, object]) -> str:
    file = folder / "one.yaml"
    file.write_text(yaml.safe_dump([rule]), encoding="utf-8")
    return str(file)


def test_an_export_names_what_it_leaves_out_and_can_be_read_back(run: Run, tmp_path: Path, home: Path) -> None:
    run("import", _one(tmp_path, RULE | {"name": "torn"}), "--user", "ana")
    store = open_store(read_settings({}, home=home))
    with store.begin() as connection:
        torn = {"body": {"name": "torn"}, "author": "ana", "created_at": AS_OF, "reason": ""}
        connection.execute(VERSIONS.insert().values(rule="torn", version=2, **torn))
    store.dispose()
    code, out, _ = run("export")
    assert code == 0
    assert "# torn is left out: its version 2 no longer parses" in out
    assert "torn" not in [rule["name"] for rule in yaml.safe_load(out)]
