"""Drafting a contract: a plain export comes in without an edit; what only a person can know is asked for by its line."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from data.contract import Contract, ContractError, parse_contract
from data.draft import draft_contract
from data.ingest import find_units, ingest
from data.lake import Lake
from data.sample import guess_delimiter, guess_encoding
from data.sources import SourceError
from tests.data.intake import NOW, home

CHINESE = (
    "订单号,店铺,下单时间,付款时间,发货时间,签收时间,承诺送达时间,省份,城市,订单金额(元),运费,订单状态\n"
    '0001,天猫,2026-02-01 10:00:00,2026-02-01 10:01:00,,,2026-02-05,广东省,深圳,"1,299.50",10,待发货\n'
    "0002,京东,2026-02-01 11:00:00,2026-02-01 11:01:00,2026-02-02 08:00:00,,2026-02-05,上海,上海,80.00,,已发货\n"
)
PORTUGUESE = (
    "Número do Pedido;Loja;Data do Pedido;Data de Envio;Data de Entrega;Previsão de Entrega;UF;Cidade;Valor Total;Frete;Situação\n"
    "P1;Site;25/01/2026 10:00;26/01/2026 09:00;;30/01/2026 00:00;SP;São Paulo;1.250,90;12,00;Enviado\n"
    "P2;Site;26/01/2026 10:00;;;31/01/2026 00:00;RJ;Niterói;99,90;12,00;Aguardando pagamento\n"
)
ENGLISH = (
    "Order Number\tOrder Date\tOrder Time\tShip Date\tDelivery Date\tPromised Delivery\tState\tQty\tTotal\tCarrier\tComment\n"
    "A-1\t01/25/2026\t10:00\t01/26/2026\t\t01/30/2026\tCA\t2\t$1,250.00\tUPS\t=x\n"
    "A-2\t01/26/2026\t11:30\t\t\t01/31/2026\tNY\t1\t$12.00\tN/A\t\n"
)


def take_draft(folder: Path, name: str, content: bytes) -> tuple[Contract, list[dict[str, Any]]]:
    """The drafted contract of a file and the orders it gives, without an edit."""
    path = folder / name
    path.write_bytes(content)
    contract = parse_contract(draft_contract(path))
    with Lake.open_writer(home(folder)) as lake:
        report = ingest(lake, contract, find_units(contract, [path])[0], now=NOW)
        assert (report.state, report.quarantined) == ("accepted", {}), report.reason
        rows = (
            lake.cursor()
            .execute("SELECT * REPLACE (amount::DOUBLE AS amount) FROM lake.orders ORDER BY order_id")
            .pl()
            .to_dicts()
        )
    return contract, rows


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_a_chinese_export_comes_in_without_an_edit(tmp_path: Path, encoding: str) -> None:
    contract, rows = take_draft(tmp_path, "orders_20260201.csv", CHINESE.encode(encoding))
    assert (contract.promise, contract.time_zone, contract.as_of.from_) == ("day", "Asia/Shanghai", "newest")
    assert [(row["order_id"], row["channel"], row["province_code"], row["status"]) for row in rows] == [
        ("0001", "天猫", "CN-GD", "paid"),
        ("0002", "京东", "CN-SH", "shipped"),
    ]
    assert (rows[0]["amount"], rows[0]["currency"], rows[0]["city"]) == (1299.5, "CNY", "深圳")
    assert rows[0]["promised_at"].isoformat() == "2026-02-05T15:59:59.999000+00:00"


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_a_portuguese_export_comes_in_without_an_edit(tmp_path: Path, encoding: str) -> None:
    contract, rows = take_draft(tmp_path, "pedidos.csv", PORTUGUESE.encode(encoding))
    assert (contract.reader.delimiter, contract.instant_formats) == (";", ["%d/%m/%Y %H:%M"])
    assert [(row["order_id"], row["province_code"], row["amount"], row["status"]) for row in rows] == [
        ("P1", "BR-SP", 1250.9, "shipped"),
        ("P2", "BR-RJ", 99.9, "created"),
    ]


def test_an_english_export_with_split_date_and_time_comes_in_without_an_edit(tmp_path: Path) -> None:
    contract, rows = take_draft(tmp_path, "webshop-export.tsv", ENGLISH.encode())
    assert "%m/%d/%Y %H:%M" in contract.instant_formats
    assert [(row["channel"], row["province_code"], row["amount"], row["quantity"]) for row in rows] == [
        ("webshop_export", "US-CA", 1250.0, 2.0),
        ("webshop_export", "US-NY", 12.0, 1.0),
    ]
    assert [row["created_at"].isoformat() for row in rows] == ["2026-01-25T10:00:00+00:00", "2026-01-26T11:30:00+00:00"]
    assert rows[1]["carrier_id"] is None


def test_json_lines_are_drafted_too(tmp_path: Path) -> None:
    lines = [{"orderId": f"J{n}", "shop": "web", "createdAt": "2026-02-01T10:00:00Z", "totalPrice": 5.5} for n in range(3)]
    _, rows = take_draft(tmp_path, "orders.jsonl", "\n".join(json.dumps(line) for line in lines).encode() + b"\n")
    assert [(row["order_id"], row["channel"], row["amount"]) for row in rows] == [
        ("J0", "web", 5.5),
        ("J1", "web", 5.5),
        ("J2", "web", 5.5),
    ]


def test_an_unknown_status_is_asked_for_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text("order_id,created_at,status\n1,2026-02-01 10:00:00,Paid\n2,2026-02-01 10:00:00,Limbo\n", encoding="utf-8")
    draft = draft_contract(path)
    line = next(number for number, text in enumerate(draft.splitlines(), 1) if "FILL_IN" in text)
    with pytest.raises(ContractError, match=rf"line {line}: .*'Limbo'"):
        parse_contract(draft)
    assert parse_contract(draft.replace("FILL_IN", "approved")).status is not None


def test_a_missing_order_number_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text("colour,created_at\nred,2026-02-01 10:00:00\n", encoding="utf-8")
    draft = draft_contract(path)
    assert "# order_id: FILL IN" in draft
    with pytest.raises(ContractError, match="'order_id' is needed"):
        parse_contract(draft)


def test_an_event_log_is_recognised(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(
        "order_id,event,timestamp,system\n1,created,2026-02-01 10:00:00,erp\n1,shipped,2026-02-02 10:00:00,wms\n",
        encoding="utf-8",
    )
    contract = parse_contract(draft_contract(path))
    assert (contract.kind, contract.milestones) == ("events", {"created": "created", "shipped": "shipped"})


def test_a_status_export_takes_its_as_of_from_the_name(tmp_path: Path) -> None:
    path = tmp_path / "status_20260201_0900.csv"
    path.write_text("order_id,status\n1,new\n2,shipped\n", encoding="utf-8")
    contract = parse_contract(draft_contract(path))
    assert (contract.as_of.from_, contract.as_of.format, contract.reader.path) == ("file_name", "%Y%m%d_%H%M", "status_*.csv")


@pytest.mark.parametrize(("header", "expression"), [("amount_cents", "amount_cents::DECIMAL(18,4) / 100"), ("amount", "amount")])
def test_cents_become_units(tmp_path: Path, header: str, expression: str) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(f"order_id,created_at,{header}\n1,2026-02-01 10:00:00,1250\n", encoding="utf-8")
    assert parse_contract(draft_contract(path)).columns["amount"] == expression


def test_column_names_that_are_sql_words_or_have_spaces_are_quoted(tmp_path: Path) -> None:
    content = b'"order",Created At,"Ship to ""City"""\n7,2026-02-01 10:00:00,x\n'
    _, rows = take_draft(tmp_path, "orders.csv", content)
    assert rows[0]["order_id"] == "7"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [("é", "utf-8"), ("订单号,省份", "gb18030"), ("Número;São Paulo;Situação", "cp1252"), ("订单", "utf-16"), ("plain", "utf-8")],
)
def test_the_encoding_is_guessed(text: str, encoding: str) -> None:
    assert guess_encoding(text.encode(encoding)) == encoding


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_the_delimiter_is_guessed(sign: str) -> None:
    assert guess_delimiter(f'id{sign}note\n1{sign}"a,b;c|d"\n2{sign}x\n') == sign


def test_each_date_is_joined_with_the_clock_time_of_its_name(tmp_path: Path) -> None:
    text = "订单号;下单日期;下单时间;发货日期;发货时间\n1;29.01.2026;01:30:00;30.01.2026;08:00:00\n2;29.01.2026;09:00:00;;\n"
    contract, rows = take_draft(tmp_path, "shop.csv", text.encode("gbk"))
    assert (contract.columns["created_at"], contract.columns["shipped_at"]) == (
        "下单日期 || ' ' || 下单时间",
        "发货日期 || ' ' || 发货时间",
    )
    assert [(str(row["created_at"])[:16], row["shipped_at"] is None) for row in rows] == [
        ("2026-01-28 17:30", False),
        ("2026-01-29 01:00", True),
    ]


def test_a_column_named_state_that_holds_statuses_is_the_status(tmp_path: Path) -> None:
    text = "order no,state,ship province,ordered\n1,Open,Guangdong,2026-01-01\n2,Done,Shanghai,2026-01-01\n"
    _, rows = take_draft(tmp_path, "b2b.csv", text.encode())
    assert [(row["status"], row["province_code"]) for row in rows] == [("created", "CN-GD"), ("delivered", "CN-SH")]


def test_a_faulty_line_at_the_top_does_not_hide_the_delimiter() -> None:
    rows = [f"{number};1.234,50;2026" for number in range(12)]
    assert guess_delimiter("\n".join(["order no;total;year", "0;1,5", *rows, "13;cut"])) == ";"


def test_a_workbook_is_drafted_from_the_sheet_that_holds_rows(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.worksheets[0].append(["Read me first"])
    book.create_sheet("All orders").append(["Order No", "Shop", "Ordered"])
    book["All orders"].append(["000001", "web", "2026-02-01 10:00:00"])
    book.save(tmp_path / "b2b.xlsx")
    contract = parse_contract(draft_contract(tmp_path / "b2b.xlsx"))
    assert (contract.reader.sheet, contract.reader.path, contract.columns["order_id"]) == ("All orders", "b2b.xlsx", '"Order No"')


@pytest.mark.parametrize(
    ("name", "content"), [("gone.csv", None), ("cut.csv.gz", b"x"), ("cut.csv.zip", b"x"), ("cut.xlsx", b"x")]
)
def test_a_file_that_cannot_be_read_is_refused_by_name(tmp_path: Path, name: str, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceError, match=name):
        draft_contract(tmp_path / name)


def test_an_unknown_kind_of_file_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    path = tmp_path / "orders.docx"
    path.write_bytes(b"x")
    with pytest.raises(SourceError, match=r"\.docx is no known kind of file: known are \.csv"):
        draft_contract(path)


LINES = (
    "单据号;店铺;下单日期;下单时刻;出库日期;出库时刻;货号;数量;行金额(分);运费(分);单据状态;收货人;手机号码\n"
    "1;甲;2026.02.01;9:00:00;2026.02.02;8:30:00;X;1;1050;600;已出库;张伟;13800138000\n"
    "2;甲;2026.02.01;10:00:00;;;X;4;400;0;待审核;王芳;13900139000\n"
    "1;甲;2026.02.01;9:00:00;2026.02.02;8:30:00;Y;2;2000;600;已出库;张伟;13800138000\n"
)


def test_several_lines_per_order_become_one_row_with_what_differs_added_up(tmp_path: Path) -> None:
    _, rows = take_draft(tmp_path, "明细_20260202.csv", LINES.encode("gb18030"))
    figures = ("order_id", "amount", "quantity", "line_count", "freight_cost", "status")
    assert [tuple(row[name] for name in figures) for row in rows] == [
        ("1", 30.5, 3.0, 2, 6, "shipped"),
        ("2", 4.0, 4.0, 1, 0, "created"),
    ]
    assert rows[0]["shipped_at"].isoformat() == "2026-02-02T00:30:00+00:00"
    draft = draft_contract(tmp_path / "明细_20260202.csv")
    assert "# personal: {name: 收货人, phone: 手机号码}" in draft
    assert parse_contract(draft.replace("# personal", "personal")).personal == {"name": "收货人", "phone": "手机号码"}


def test_lines_that_tell_an_order_differently_are_not_added_up(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(LINES.replace("2;2000;600;已出库", "2;2000;600;已签收"), encoding="utf-8")
    assert "\nrows:" not in (draft := draft_contract(tmp_path / "log.csv"))
    assert "# rows: SELECT 单据号" in draft


def test_a_single_faulty_amount_decides_nothing_for_the_others(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    rows = [f"{number},2026-01-01,¥{number}.50" for number in range(40)]
    path.write_text(
        "\n".join(["order id,created at,total", *rows, '41,2026-01-01,"12,50"', "42,2026-01-01,tbd", ""]), encoding="utf-8"
    )
    assert parse_contract(draft_contract(path)).columns["amount"] == "regexp_replace(total, '[¥]', '', 'g')"


TAOBAO = (
    "订单编号,总金额,订单状态,收货人姓名,收货地址,联系手机,订单创建时间,订单关闭时间,宝贝总数量,店铺名称\n"
    '"=""3312345678901234567""","￥1,234.50",等待买家付款,张三,浙江省 杭州市 西湖区 文三路1号,\'13812345678,2026/1/5 9:07,null,2,店\n'
    '"=""3312345678901234568""",￥8.00,交易关闭,李四,上海 上海市 浦东新区 世纪大道1号,\'13812345679,2026/1/5 9:08,2026/1/6 10:00,1,店\n'
)


def test_what_spreadsheets_put_around_numbers_is_taken_off(tmp_path: Path) -> None:
    _, rows = take_draft(tmp_path, "ExportOrderList202601071200.csv", TAOBAO.encode("gbk"))
    figures = ("order_id", "amount", "currency", "quantity", "status")
    assert [tuple(row[name] for name in figures) for row in rows] == [
        ("3312345678901234567", 1234.5, "CNY", 2.0, "created"),
        ("3312345678901234568", 8.0, "CNY", 1.0, "cancelled"),
    ]
    draft = draft_contract(tmp_path / "ExportOrderList202601071200.csv")
    assert "# personal: {name: 收货人姓名, phone: 联系手机, address: 收货地址}" in draft
    assert "path: 'ExportOrderList*.csv'" in draft


def test_objects_in_json_are_taken_apart_and_lists_are_pointed_at(tmp_path: Path) -> None:
    orders = [
        {
            "order": {"id": f"J{number}", "store": "web"},
            "placedAt": "2026-02-01T10:00:00+00:00",
            "promise": {"deliver by": f"2026-02-03T1{number}:30:00+00:00"},
            "total": {"value": 5.5, "currency": "BRL"},
            "events": [{"type": "paid"}],
        }
        for number in range(2)
    ]
    contract, rows = take_draft(tmp_path, "shop.json", json.dumps(orders, indent=1).encode())
    assert [(row["order_id"], row["channel"], row["amount"], row["currency"]) for row in rows] == [
        ("J0", "web", 5.5, "BRL"),
        ("J1", "web", 5.5, "BRL"),
    ]
    assert (contract.promise, rows[0]["promised_at"].isoformat()) == ("instant", "2026-02-03T10:30:00+00:00")
    assert "# events holds lists" in draft_contract(tmp_path / "shop.json")


def test_a_title_above_the_header_is_found_in_sheets_and_texts(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (["门店月报"], [], ["单号", "门店", "下单时间", "省份"], ["000001", "静安", "2026-02-01 10:00:00", "上海"]):
        book.worksheets[0].append(row)
    book.save(tmp_path / "b2b.xlsx")
    assert parse_contract(draft_contract(tmp_path / "b2b.xlsx")).reader.skip_rows == 2
    text = "Report, as of 2026\n\norder id\tshop\tcreated at\n" + "".join(f"{number}\tweb\t2026-02-01\n" for number in range(9))
    contract, rows = take_draft(tmp_path, "report.txt", text.encode("utf-16"))
    assert (contract.reader.skip_rows, contract.reader.delimiter, len(rows)) == (2, "\t", 9)


def test_mixed_forms_of_instants_and_an_offset_at_midnight_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    rows = "".join(
        f"{number},2026-02-01T10:00:0{number}-08:00,177000000000{number},2026-02-03T11:22:3{number}+00:00,US,ca\n"
        for number in range(3)
    )
    path.write_text(
        "order-id,purchase-date,shipped-epoch-ms,latest-delivery-date,ship-country,ship-state\n" + rows, encoding="utf-8"
    )
    draft = draft_contract(path)
    contract = parse_contract(draft)
    assert (set(contract.instant_formats), contract.promise) == ({"iso", "epoch_milliseconds"}, "instant")
    assert [contract.columns[name] for name in ("shipped_at", "promised_at")] == ['"shipped-epoch-ms"', '"latest-delivery-date"']
    assert "not recognised" not in draft


def test_a_column_of_single_figures_named_state_is_the_status_and_keys_are_found_by_their_values(tmp_path: Path) -> None:
    path = tmp_path / "facts.csv"
    path.write_text("nr,state,dest,order_ts\nA,1,US-CA,2026-02-01 10:00:00\nB,2,US-NY,2026-02-01 10:00:00\n", encoding="utf-8")
    draft = draft_contract(path)
    assert "# order_id: FILL IN the column that holds it; no column's name told. Different in every row: nr" in draft
    assert ("province_code: dest" in draft, "created_at: order_ts" in draft, "'1': FILL_IN" in draft) == (True, True, True)


def test_a_database_dump_with_zeros_for_nothing_comes_in_without_an_edit(tmp_path: Path) -> None:
    rows = "".join(f"P{n},178821{n}000000.0,{0 if n % 2 else f'178831{n}000000.0'},178861{n}000000,{n}2500\n" for n in range(4))
    header = "order_sn,ctime,sign_time,promise_time,pay_amount\n"
    path = tmp_path / "no.csv"
    path.write_text(header + rows, encoding="utf-8")
    text = draft_contract(path)
    contract = parse_contract(text)
    assert (contract.source, contract.promise, contract.instant_formats) == ("no", "instant", ["epoch_milliseconds"])
    assert contract.columns["delivered_at"] == "nullif(sign_time, '0')"
    assert "if they are cents" in text
    with Lake.open_writer(home(tmp_path)) as lake:
        report = ingest(lake, contract, (path,), now=datetime(2027, 1, 1, tzinfo=UTC))
        assert (report.accepted_count, report.quarantined) == (4, {})
        assert lake.cursor().execute("SELECT count(delivered_at) FROM lake.orders").fetchone() == (2,)


ERP = (
    "销售组织;ERP单号;单据日期;制单时间;审批时间;过账时间;计划交货日;单据状态;送达省份;送达城市;承运单位;物料组;订货数量;含税金额(元)\r\n"
    "1000;SO1;2026/01/05;10:00:00;2026-01-05 12:00;;2026/01/09;草稿;江苏省;苏州;顺丰;家电;3;1,250.00\r\n"
)
RETURNS = (
    "Retourennummer;Bestellnummer;Grund;Angemeldet am;Eingang Lager;Erledigt am;Erstattung (EUR)\n"
    "R-1;0001;Defekt;05.01.2026 10:00;07.01.2026 09:00;;12,50\n"
)


def test_an_erps_words_are_known(tmp_path: Path) -> None:
    contract, (order,) = take_draft(tmp_path, "erp.csv", ERP.encode("gb18030"))
    assert contract.columns["created_at"] == "单据日期 || ' ' || 制单时间"
    assert (order["order_id"], order["province_code"], order["city"], order["carrier_id"]) == ("SO1", "CN-JS", "苏州", "顺丰")
    assert (order["amount"], order["quantity"], order["category"], order["status"]) == (1250.0, 3.0, "家电", "approved")


def test_returns_in_german_are_known_as_such(tmp_path: Path) -> None:
    path = tmp_path / "retouren.csv"
    path.write_text(RETURNS, encoding="utf-8")
    contract = parse_contract(draft_contract(path))
    assert (contract.kind, contract.time_zone) == ("returns", "Europe/Berlin")
    names = ("return_id", "order_id", "kind", "requested_at", "received_at", "closed_at")
    found = ["Retourennummer", "Bestellnummer", "Grund", '"Angemeldet am"', '"Eingang Lager"', '"Erledigt am"']
    assert [contract.columns[name] for name in names] == found
