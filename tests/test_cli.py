"""The command line goes on where one file of the home is faulty, and names it on standard error."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from cli import main
from tests.data.intake import PLAIN, write_csv

ROW = ("0001", "2026-01-01 08:00:00", "1.5", "", "")


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    """`--home` of a home with one order, a faulty contract and faulty targets."""
    contract = tmp_path / "shop.yaml"
    contract.write_text(yaml.safe_dump(PLAIN), encoding="utf-8")
    path = write_csv(tmp_path / "orders_20260201T000000.csv", [ROW])
    home = tmp_path / "home"
    assert main(["--home", str(home), "ingest", "--contract", str(contract), str(path)]) == 0
    (home / "contracts" / "crm.yaml").write_text("source: crm\ncolums: {}\n", encoding="utf-8")
    (home / "targets.yaml").write_text("- {valid_from: soon}", encoding="utf-8")
    return ["--home", str(home)]


NAMED = ("crm.yaml, line 2: unknown key 'colums'", "targets.yaml: valid_from", "it is read again by itself")


@pytest.mark.parametrize(
    "command", [["query", "order_count", "--format", "csv"], ["snapshots"], ["watch", "--once", "--every", "0"]]
)
def test_a_command_answers_beside_faulty_files(words: list[str], command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main([*words, *command]) == 0
    said = capsys.readouterr()
    assert all(text in said.err for text in NAMED)
    assert not any(text in said.out for text in NAMED)
    if command[0] == "query":
        assert said.out == "order_count\n1\n"


def test_doctor_fails_and_says_what_to_mend(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*words, "doctor"]) == 1
    said = capsys.readouterr().err
    assert [text for text in NAMED if text not in said] == []


def test_a_query_under_faulty_targets_knows_no_limit(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main([*words, "query", "over_limit_rate", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == [{"over_limit_rate": None, "over_limit_rate_n": 0}]


def test_a_target_that_no_metric_has_is_named(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    (Path(words[1]) / "targets.yaml").write_text("- {valid_from: 2020-01-01, metrics: {on_time_rat: 0.9}}", encoding="utf-8")
    assert main([*words, "query", "order_count"]) == 0
    assert "there is no metric 'on_time_rat': did you mean on_time_rate" in capsys.readouterr().err


def test_what_a_user_asks_elsewhere_is_answered_with_nothing_and_on_record(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, "users", "add", "li", "--role", "lead", "--region", "CN-EAST"]) == 0
    capsys.readouterr()
    query = ["query", "order_count", "--user", "li", "--format", "csv"]
    assert main([*words, *query, "--where", "province=CN-SH"]) == 0
    assert main([*words, *query, "--where", "province=CN-GD"]) == 0
    assert main([*words, "order", "web", "0001", "--user", "li"]) == 2
    assert capsys.readouterr().out == "order_count\n0\n" * 2
    assert main([*words, "audit", "list", "--result", "denied"]) == 0
    denied = capsys.readouterr().out
    assert denied.count("area_refused") == denied.count("order_not_found") == 1
    assert "CN-GD" in denied
    assert "CN-SH" not in denied


def test_a_replay_that_takes_nothing_in_is_a_failure_and_says_which_file_to_send_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    contract = tmp_path / "shop.yaml"
    newest = PLAIN | {"as_of": {"from": "newest"}, "quarantine": {"min_rows": 1}}
    contract.write_text(yaml.safe_dump(newest), encoding="utf-8")
    home, bad = ["--home", str(tmp_path / "home")], ("0002", "never", "1", "", "")
    kept = write_csv(tmp_path / "kept.csv", [ROW, bad])
    refused = write_csv(tmp_path / "refused.csv", [ROW, bad, bad])
    assert main([*home, "ingest", "--contract", str(contract), str(kept)]) == 0
    assert main([*home, "ingest", "--contract", str(contract), str(refused)]) == 1
    capsys.readouterr()
    assert main([*home, "quarantine", "replay", "--contract", str(contract)]) == 1
    assert "refused.csv was refused whole (2 rows of it are listed): take the file in again instead" in capsys.readouterr().err


def test_a_list_of_the_quarantine_that_is_cut_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    contract, home = tmp_path / "shop.yaml", ["--home", str(tmp_path / "home")]
    contract.write_text(yaml.safe_dump(PLAIN), encoding="utf-8")
    path = write_csv(tmp_path / "a_20260201T000000.csv", [ROW, *([str(n), "never", "1", "", ""] for n in range(3))])
    assert main([*home, "ingest", "--contract", str(contract), str(path)]) == 0
    capsys.readouterr()
    assert main([*home, "quarantine", "list", "--limit", "2"]) == 0
    said = capsys.readouterr()
    assert "2 of 3 rows" in said.err
    assert len(said.out.splitlines()) == 4
    assert main([*home, "quarantine", "list", "--source", "shop"]) == 0
    assert capsys.readouterr().err == ""
    assert main([*home, "quarantine", "list", "--source", "shpo"]) == 2
    assert "did you mean 'shop'?" in capsys.readouterr().err


def test_a_contract_with_a_function_that_is_not_there_is_told_by_its_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    contract = tmp_path / "shop.yaml"
    columns = PLAIN["columns"] | {"amount": "repalce(amount, ',', '')"}
    contract.write_text(yaml.safe_dump(PLAIN | {"columns": columns}), encoding="utf-8")
    assert main(["contract", "check", str(contract)]) == 2
    said = capsys.readouterr().err
    assert f"{contract}, line {_line_with(contract, 'repalce')}: columns.amount: " in said
    assert 'Did you mean "replace"?' in said


def _line_with(path: Path, text: str) -> int:
    return next(number for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1) if text in line)


def test_a_columns_name_that_reads_as_a_function_is_told_with_the_quotes_it_needs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    contract = tmp_path / "shop.yaml"
    contract.write_text(
        yaml.safe_dump(PLAIN | {"columns": PLAIN["columns"] | {"amount": "价(元)"}}, allow_unicode=True), encoding="utf-8"
    )
    assert main(["contract", "check", str(contract)]) == 2
    assert "write it in double quotes within single ones, '\"价(元)\"'" in capsys.readouterr().err


REFUSED = [
    (["--where", "channel=wbe"], "no channel that can be seen is 'wbe': did you mean web?"),
    (["--where", "province=SH"], "no province that can be seen is 'SH': did you mean CN-SH"),
    (["--where", "channel=web,shop"], "no channel that can be seen is 'shop': there are web"),
    (["--user", ""], "there is no user ''"),
    (["--user", "", "--where", "channel=web"], "there is no user ''"),
    (["--snapshot", "0"], "snapshot 0 is not in the lake: kept are 1 to 1"),
    (["--as-of", ""], "'' is no date or instant"),
    (
        ["--as-of", "1999-01-01"],
        "as of 1998-12-31T16:00:00Z there was no order yet: the first one is of the hour from 2026-01-01T16:00+08:00",
    ),
    (["--order-by", "-channel"], "results cannot be ordered by 'channel'"),
]


def test_a_question_that_names_what_is_not_there_is_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    for options, sentence in REFUSED:
        capsys.readouterr()
        assert main([*words, "query", "order_count", *options]) == 2, options
        said = capsys.readouterr()
        assert said.out == ""
        assert sentence in said.err
    assert main([*words, "worklist", "--user", ""]) == 2


def test_a_question_of_known_places_descending_or_of_later_is_answered(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    query = ["query", "order_count", "--format", "csv"]
    several = ["--where", "province=CN-SH,null", "channel=web", "--by", "province", "channel", "--format", "csv"]
    assert main([*words, *query, *several]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "province,channel,order_count"
    assert main([*words, "query", "--by", "province", "order_count", "--format", "csv"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "province,order_count"
    assert main([*words, *query, "--where", "province=CN-SH,null", "--by", "channel", "--order-by", "-order_count"]) == 0
    assert main([*words, *query, "--as-of", "2099-01-01", "--where", "region=CN-EAST", "--where", "order=web/9"]) == 0
    said = capsys.readouterr()
    assert said.out.endswith("channel,order_count\nweb,1\norder_count\n0\n")
    assert "is later than the newest data" in said.err


@pytest.mark.parametrize("limit", ["-1", "0", "x"])
def test_a_list_of_no_rows_is_refused(limit: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["snapshots", "--limit", limit])
    assert left.value.code == 2
    assert f"'{limit}' keeps nothing" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "argument"),
    [
        ("users", "add"),
        ("worklist", "--tab"),
        ("rules", "backtest"),
        ("audit", "verify"),
        ("views", "restore"),
        ("personal", "erase"),
    ],
)
def test_a_command_whose_arguments_are_elsewhere_knows_them(
    command: str, argument: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    assert command in capsys.readouterr().out
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert argument in capsys.readouterr().out
