"""What leaves the control room: files of a list, inside the session's own scope only; customers' pages, by signed link only."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Literal

import openpyxl
import pytest
from playwright.sync_api import Browser, expect
from starlette.requests import Request

from access.acting import By
from access.approval import decide
from access.audit_rows import list_audit
from access.journey import Journey, make_token, read_token
from access.session import read_session, set_preview
from access.store import open_store
from access.user import User
from config import read_settings
from data.demo.world import found_world
from data.ingest import ingest
from data.keys import read_keys
from data.lake import Lake, LakeError
from shell import journey
from tests.data.intake import contract_of, write_csv
from tests.serving import Served, serve

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
MARKUP = 'G00000<i>"'
ROWS = [
    ("=1+1", "jd", "CN-SH", "@SUM(A1)", (NOW - timedelta(hours=3)).isoformat(), "1234.5"),
    ("S0000123456", "jd", "CN-JS", "Suzhou", (NOW - timedelta(hours=2)).isoformat(), "-7"),
    (MARKUP, "tmall", "CN-GD", "Shenzhen", (NOW - timedelta(hours=1)).isoformat(), "80"),
]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """An interface over three orders, two of them in East China."""
    folder = tmp_path_factory.mktemp("out")
    settings = read_settings({}, home=folder / "home")
    columns = {"order_id": "id", "channel": "channel", "province_code": "province", "city": "city"}
    columns |= {"created_at": "created", "amount": "amount"}
    path = write_csv(folder / f"orders_{NOW:%Y%m%dT%H%M%S}.csv", ROWS, ("id", "channel", "province", "city", "created", "amount"))
    found_world(settings, NOW)
    with Lake.open_writer(settings) as lake:
        report = ingest(lake, contract_of(columns=columns), (path,), now=NOW)
        assert report.state == "accepted", report
    with serve(settings.home) as running:
        yield running


def _csv(house: Served, cookie: str, query: str = "") -> list[list[str]]:
    answer = house.ask("GET", f"/export/orders.csv?lang=en{query}", Cookie=cookie)
    assert answer.status == 200, answer.body
    return list(csv.reader(io.StringIO(answer.body.decode("utf-8-sig"))))


def test_a_download_without_a_session_is_refused(house: Served) -> None:
    assert house.ask("GET", "/export/orders.csv").status == 303
    assert house.ask("GET", "/export/orders.xlsx", Cookie="control_room_session=guessed").status == 303


def test_the_same_address_gives_each_session_its_own_scope(house: Served) -> None:
    numbers = {name: {row[1] for row in _csv(house, house.sign_in(name)) if len(row) > 2} for name in ("manager", "east")}
    assert numbers["manager"] - numbers["east"] == {MARKUP}
    assert "S0000123456" in numbers["east"]


def test_a_file_says_what_it_is_and_runs_nothing(house: Served) -> None:
    rows = _csv(house, house.sign_in("east"))
    cells = [cell for row in rows for cell in row]
    assert "'=1+1" in cells
    assert "'@SUM(A1)" in cells
    assert {"1234.5", "-7.0"} <= set(cells), "numbers stay numbers, negative ones too"
    stamp = dict(row for row in rows if len(row) == 2)
    assert stamp["Scope"] == "East China"
    assert stamp["As of"] == "2026-03-02 16:00:00.000 Asia/Shanghai"
    assert stamp["Window"] == "last 24 h (2026-03-01 16:00:00.001 .. 2026-03-02 16:00:00.001 Asia/Shanghai)"
    assert stamp["Exported at"].endswith(" Asia/Shanghai")
    assert "(east)" in stamp["Exported by"]
    assert stamp["Rows"] == "2 of 2"
    store = open_store(read_settings({}, home=house.home))
    exported = list_audit(store, limit=1)[0]
    assert (exported.action, exported.actor, exported.detail["rows"]) == ("orders_exported", "east", 2)
    store.dispose()


def test_a_workbook_keeps_text_as_text_and_numbers_as_numbers(house: Served) -> None:
    answer = house.ask("GET", "/export/orders.xlsx?lang=en&search=%3D1", Cookie=house.sign_in("manager"))
    book = openpyxl.load_workbook(io.BytesIO(answer.body))
    assert book.sheetnames == ["Orders", "About"]
    heads, row = (list(line) for line in book["Orders"].iter_rows(values_only=True))
    assert row[heads.index("Order")] == "'=1+1"
    assert row[heads.index("Amount")] == 1234.5
    assert all(cell.data_type != "f" for line in book["Orders"].iter_rows() for cell in line)


def test_an_ended_session_downloads_nothing_more(house: Served) -> None:
    cookie = house.sign_in("manager")
    assert house.ask("GET", "/export/orders.csv", Cookie=cookie).status == 200
    house.ask("POST", "/auth/sign-out", Cookie=cookie)
    assert house.ask("GET", "/export/orders.csv", Cookie=cookie).status == 303


def _link(home: Path, *, order_id: str, expires_at: datetime, channel: str = "jd") -> str:
    key = read_keys(read_settings({}, home=home)).signing
    return "/journey/" + make_token(Journey(channel=channel, order_id=order_id, expires_at=expires_at), key)


def test_a_signed_link_shows_a_masked_journey_without_a_session(house: Served) -> None:
    answer = house.ask("GET", _link(house.home, order_id="S0000123456", expires_at=datetime(2100, 1, 1, tzinfo=UTC)) + "?lang=en")
    text = answer.body.decode()
    assert answer.status == 200
    assert "3456" in text
    assert "S0000123456" not in text
    assert "Suzhou" not in text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "script" not in text
    assert answer.headers["set-cookie"] is None
    link = _link(house.home, channel="tmall", order_id=MARKUP, expires_at=datetime(2100, 1, 1, tzinfo=UTC))
    hostile = house.ask("GET", link)
    assert b"&lt;i&gt;&quot;" in hostile.body
    assert b"<i>" not in hostile.body


@pytest.mark.browser
@pytest.mark.parametrize(("theme", "darkest"), [("dark", True), ("light", False)])
@pytest.mark.parametrize(("language", "title"), [("en-GB", "Your order"), ("zh-CN", "您的订单")])
def test_an_expired_link_says_what_it_was_in_the_customers_language_and_theme(
    browser: Browser, house: Served, language: str, title: str, theme: Literal["dark", "light"], darkest: bool
) -> None:
    page = browser.new_page(locale=language, color_scheme=theme, viewport={"width": 390, "height": 844})
    page.goto(house.url + _link(house.home, order_id="S0000123456", expires_at=NOW - timedelta(days=365)))
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    expect(page.locator("main p")).to_have_count(1)
    told = "['backgroundColor', 'color'].map((name) => getComputedStyle(document.body)[name].match(/[0-9]+/g).map(Number))"
    colours = page.evaluate(told)
    ground, text = (sum(colour) for colour in colours)
    assert (ground < text) == darkest
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.close()


@pytest.mark.parametrize("fault", ["expired", "altered", "unknown order", "nonsense"])
def test_any_other_link_shows_nothing(house: Served, fault: str) -> None:
    later, earlier = datetime(2100, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
    links = {
        "expired": _link(house.home, order_id="S0000123456", expires_at=earlier),
        "altered": _link(house.home, order_id="S0000123456", expires_at=later).replace("/journey/W", "/journey/X"),
        "unknown order": _link(house.home, order_id="S999", expires_at=later),
        "nonsense": "/journey/no.token",
    }
    answer = house.ask("GET", links[fault] + "?lang=en")
    assert answer.status == 404
    assert b"3456" not in answer.body


def test_where_orders_cannot_be_looked_up_a_good_link_is_not_called_invalid(
    house: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise LakeError("the lake is busy")

    settings, reading = read_settings({}, home=house.home), SimpleNamespace(ledger=fail)
    monkeypatch.setattr(journey, "house", lambda: SimpleNamespace(settings=settings, clock=lambda: NOW, reading=reading))
    token = _link(house.home, order_id="S0000123456", expires_at=NOW + timedelta(days=1)).removeprefix("/journey/")
    request = Request({"type": "http", "path_params": {"token": token}, "query_string": b"lang=en", "headers": []})
    with ThreadPoolExecutor(1) as thread:  # A browser's loop may be at work in this one.
        answer = thread.submit(lambda: asyncio.run(journey.show_journey(request))).result()
    assert answer.status_code == 503
    assert b"the link stays good" in answer.body


def test_a_token_is_read_only_with_its_key_and_in_time() -> None:
    made = Journey(channel="jd", order_id="订单 1", expires_at=NOW + timedelta(days=1))
    token = make_token(made, b"k" * 32)
    assert read_token(token, b"k" * 32, NOW) == made
    assert read_token(token, b"x" * 32, NOW) is None
    assert read_token(token, b"k" * 32, NOW + timedelta(days=1)) is None
    assert all(read_token(token[:cut], b"k" * 32, NOW) is None for cut in range(len(token)))


def test_unmasked_export_is_asked_for_approved_by_another_and_downloaded_once(house: Served) -> None:
    manager, admin = house.sign_in("manager"), house.sign_in("admin")
    page = house.ask("GET", "/export/unmasked?lang=en&window=all&search=S", Cookie=manager).body.decode()
    assert "Ask for approval" in page
    form = {"query": "window=all&search=S", "purpose": "delivery", "reason": "the courier asks <b>"}
    assert house.ask("POST", "/export/unmasked?lang=en", form=form, Cookie=manager).status == 303
    mine = house.ask("GET", "/export/unmasked?lang=en", Cookie=manager).body.decode()
    assert "the courier asks &lt;b&gt;" in mine
    assert "Waits for an administrator" in mine
    wanted = {"id": "1", "form": "csv"}
    assert house.ask("POST", "/export/unmasked/fetch?lang=en", form=wanted, Cookie=manager).status == 403
    store = open_store(read_settings({}, home=house.home))
    root = User(name="admin", display_name="", role="admin")
    decide(store, 1, is_approved=True, by=By(user=root, at=datetime.now(UTC)))
    assert house.ask("POST", "/export/unmasked/fetch?lang=en", form=wanted, Cookie=admin).status == 403
    looking = read_session(store, admin.partition("=")[2], datetime.now(UTC))
    assert looking is not None
    set_preview(store, looking.actor, "manager", datetime.now(UTC))
    store.dispose()
    for path, sent in (("/export/unmasked", form), ("/export/unmasked/fetch", wanted)):
        answer = house.ask("POST", f"{path}?lang=en", form=sent, Cookie=admin)
        assert (answer.status, b"preview" in answer.body) == (403, True), "through the asker's eyes an administrator only looks"
    got = house.ask("POST", "/export/unmasked/fetch?lang=en", form=wanted, Cookie=manager)
    assert got.status == 200
    assert "S0000123456" in got.body.decode("utf-8-sig")
    assert "Approved by,admin" in got.body.decode("utf-8-sig")
    again = house.ask("POST", "/export/unmasked/fetch?lang=en", form=wanted, Cookie=manager)
    assert (again.status, b"downloaded already" in again.body) == (403, True)
    long = form | {"reason": "x" * 20_000}
    assert house.ask("POST", "/export/unmasked", form=long, Cookie=manager).status == 413
    for path, sent in (("/export/unmasked", form), ("/export/unmasked/fetch", wanted)):
        foreign = house.ask("POST", path, form=sent, Cookie=manager, Origin="https://elsewhere.example")
        assert (foreign.status, foreign.body) == (403, b"Ask from the control room itself")
