"""Contracts: every fault is told with its line, its reason and what was probably meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from data.contract import ContractError, load_contracts, parse_contract, read_contract
from data.order import MILESTONE_BIT

GOOD = """\
source: shop
kind: orders
owner: shop@example.com
reader: {format: csv, path: "*.csv"}
time_zone: Asia/Shanghai
as_of: {from: newest}
cadence: {warn_after: 5m, error_after: 2h}
columns:
  order_id: id
  channel: "'web'"
  created_at: created
  amount: cents::DECIMAL(18,2) / 100
status:
  expression: state
  completed: delivered
  map:
    "*": {new: created, done: completed}
mandatory: [created_at]
checks:
  amount: {min: 0}
"""


def changed(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new)


def test_a_good_contract_is_read() -> None:
    contract = parse_contract(GOOD)
    assert contract.required == ("channel", "order_id", "created_at")
    assert contract.cadence != "once"
    assert (contract.cadence.warn_after, contract.cadence.error_after) == (300.0, 7200.0)
    assert contract.mapped_milestones == MILESTONE_BIT["created"] | MILESTONE_BIT["delivered"]


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("owner: shop", "ownr: shop", 3, "unknown key 'ownr': did you mean 'owner'?"),
        ("path:", "pth:", 4, "unknown key 'pth': did you mean 'path'?"),
        ("format: csv", "format: cvs", 4, "or 'mysql': did you mean 'csv'?"),
        ("from: newest", "from: newst", 6, "did you mean 'newest'?"),
        ("Asia/Shanghai", "Asia/Shanghia", 5, "did you mean 'Asia/Shanghai'?"),
        ("from: newest", "from: file_name", 6, "as_of from file_name needs 'pattern'"),
        ("from: newest", "from: file_name, pattern: abc, format: '%Y'", 6, "needs one group"),
        ("from: newest", "from: constant, value: soon", 6, "is no instant"),
        ("from: newest", "from: newest, zone: Mars/Base", 6, "Mars/Base"),
        ("error_after: 2h", "error_after: 2m", 7, "swap them"),
        ("warn_after: 5m", "warn_after: 5 minutes", 7, "for example 30s, 5m"),
        ("created_at: created", "created_att: created", 11, "'created_att' is no canonical column of orders: did you mean 'created_at'?"),
        ("created_at: created", "created_at: 'created +'", 11, "is no SQL expression"),
        ("created_at: created", "created_at: SELECT 1", 11, "no plain SQL expression"),
        ("created_at: created", "created_at: (SELECT max(x) FROM y)", 11, "no plain SQL expression"),
        ("created_at: created", "created_at: Created At", 11, "in double quotes"),
        ("order_id: id", "order_id: no", 9, "'order_id': YAML reads this as False, not as a column's name: put it in quotes"),
        ("  order_id: id\n", "", 8, "'order_id' is needed"),
        ("completed: delivered", "completed: done", 15, "'shipped' or 'delivered'"),
        ("new: created", "new: craeted", 17, "did you mean 'created'?"),
        ("mandatory: [created_at]", "mandatory: [created]", 18, "did you mean 'created_at'?"),
        ("mandatory: [created_at]", "mandatory: [paid_at]", 8, "is not mapped"),
        ("{min: 0}", "{min: 0, pattern: '['}", 20, "no regular expression"),
        ("{min: 0}", "{mim: 0}", 20, "unknown key 'mim': did you mean 'min'?"),
        ("kind: orders", "kind: ordres", 2, "'orders'"),
        ("source: shop", "source: My Shop", 1, "'My Shop' is no short name: write a letter a-z"),
        ("format: csv", "format: jsonl, skip_rows: 2", 4, "skip_rows is for csv and xlsx"),
        ("mandatory:", "instant_formats: ['%d/%Q/%Y']\nmandatory:", 18, "unknown mark at '%Q/%Y'"),
        ("mandatory:", "instant_formats: [epoch]\nmandatory:", 18, "neither a pattern"),
        ("mandatory:", "files: {a: {path: a.csv}}\nmandatory:", 18, "files need rows"),
        ("mandatory:", "rows: DROP TABLE x\nmandatory:", 18, "not one SELECT"),
        ("format: csv", "format: postgres", 4, "needs 'connection'"),
        ("format: csv", "encoding: utf-88", 4, "does not exist"),
        ("format: csv", "delimiter: ',,'", 4, "not one character"),
        ('"*": {new: created', '"*": {yes: created', 17, "put it in quotes"),
        ("mandatory:", "null_words: [null]\nmandatory:", 18, "put it in quotes"),
        ("cadence: {warn_after: 5m, error_after: 2h}", "cadence: often", 7, "'once'"),
        ("mandatory:", "quarantine: {max_share: 2}\nmandatory:", 18, "less than or equal to 1"),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_its_line_and_the_remedy(old: str, new: str, line: int, words: str) -> None:
    with pytest.raises(ContractError) as fault:
        parse_contract(changed(old, new), name="shop.yaml")
    assert f"shop.yaml, line {line}: " in str(fault.value)
    assert words in str(fault.value)


def test_a_faulty_key_does_not_hide_the_faults_of_the_columns() -> None:
    with pytest.raises(ContractError) as fault:
        parse_contract(changed("owner: shop", "ownr: shop").replace("created_at: created", "created_att: created"))
    assert ["'ownr'" in str(fault.value), "'created_att'" in str(fault.value)] == [True, True]


def test_a_milestone_of_words_between_dated_ones_is_named() -> None:
    text = changed("new: created", "new: created, packing: packed, sent: shipped").replace(
        "  amount:", "  shipped_at: sent\n  amount:", 1
    )
    assert parse_contract(text).undated_between == ("packed",)
    assert parse_contract(GOOD).undated_between == ()


def test_rows_above_the_header_are_no_part_of_an_older_contracts_fingerprint() -> None:
    assert "skip_rows" not in parse_contract(GOOD).model_dump_json()
    titled = parse_contract(changed("format: csv", "format: csv, skip_rows: 2"))
    assert (titled.reader.skip_rows, titled.sha256 == parse_contract(GOOD).sha256) == (2, False)


def test_several_faults_are_told_at_once() -> None:
    text = changed("created_at: created", "created_att: created").replace("amount: cents", "amuont: cents")
    with pytest.raises(ContractError) as fault:
        parse_contract(text)
    assert "created_att" in str(fault.value)
    assert "amuont" in str(fault.value)


@pytest.mark.parametrize("text", ["", "just words", "- a\n- b", "a: [1", "source: &a\nx: *b"])
def test_what_is_no_contract_is_refused(text: str) -> None:
    with pytest.raises(ContractError):
        parse_contract(text)


def test_two_contracts_of_one_source_are_refused(tmp_path: Path) -> None:
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(GOOD, encoding="utf-8")
    with pytest.raises(ContractError, match=r"b\.yaml: source 'shop' has another contract"):
        load_contracts(tmp_path)


def test_a_missing_contract_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="cannot be read"):
        read_contract(tmp_path / "none.yaml")


def test_the_version_changes_with_any_word_but_not_with_comments() -> None:
    first = parse_contract(GOOD).sha256
    assert parse_contract("# a comment\n" + GOOD).sha256 == first
    assert parse_contract(changed("min: 0", "min: 1")).sha256 != first


def test_numbers_may_be_status_words_and_null_words() -> None:
    contract = parse_contract(changed("new: created", "10: created") + "null_words: ['', 0]\n")
    assert contract.status is not None
    assert contract.status.map["*"]["10"] == "created"
    assert contract.null_words == ["", "0"]
