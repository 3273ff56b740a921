"""Rules and alerts in a real browser: an analyst works in Chinese without reading anything, a lead sees the own area only."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from access.freshness import SourceFreshness
from access.reading import Reading
from access.store import open_store
from alerts.evaluate import evaluate_rules
from alerts.lifecycle import publish, save_draft
from alerts.parse import parse_rule
from alerts.sampling import Source
from config import read_settings
from data.targets import read_targets
from tests.browser.conftest import AS_OF
from tests.pages.desk_of_alerts import ROOM
from tests.serving import Served, serve

pytestmark = pytest.mark.browser
BUSY = {"name": "busy", "metric": "order_count", "op": ">", "warning": 1, "group_by": ["region"], "window": "24h", "every": "1h"}
HOSTILE = 'Busy regions <img src=x onerror="window.hit=1"><script>window.hit=1</script> [x](javascript:1) @all =1+1'
BUSY |= {"title": {"en": HOSTILE, "zh-CN": "繁忙大区"}, "runbook": "https://wiki.example/<b>"}


@pytest.fixture(scope="module")
def room(filled_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The interface over the filled home with a book of its own, in which every region has an alert."""
    home = tmp_path_factory.mktemp("room") / "home"
    home.mkdir()
    for part in filled_home.iterdir():
        if not part.name.startswith("store.sqlite"):
            (home / part.name).symlink_to(part)
    settings = read_settings({}, home=home, memory_limit="512MB", threads=1)
    store, reading = open_store(settings), Reading(settings)
    publish(
        store,
        "busy",
        save_draft(store, parse_rule(BUSY), ROOM, sources=(), now=AS_OF),
        ROOM,
        sources=(),
        reason="test",
        now=AS_OF,
    )
    ledger, lake = reading.ledger(), reading.lake()
    known = Source(
        lake=lake, snapshot=ledger.snapshot, version=ledger.version, zone=settings.zone, targets=read_targets(settings)
    )
    sources = [SourceFreshness(source="orders", as_of=AS_OF, age_seconds=0, state="once", owner="")]
    evaluate_rules(store, known, sources, now=AS_OF)
    reading.close()
    store.dispose()
    with serve(home) as running:
        yield running


def open_context(browser: Browser, locale: str) -> BrowserContext:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale=locale, color_scheme="dark")
    context.set_default_timeout(60_000)
    expect.set_options(timeout=60_000)
    return context


def test_an_analyst_creates_tries_publishes_and_rolls_back_a_rule_in_chinese(browser: Browser, room: Served) -> None:
    page = open_context(browser, "zh-CN").new_page()
    page.goto(f"{room.url}/rules?lang=zh-CN")
    page.locator("[data-demo=analyst]").click()
    page.get_by_role("button", name="新建规则").click()
    page.get_by_label("指标", exact=True).select_option("order_count")
    expect(page.locator(".sentence").first).to_contain_text("订单量")
    page.get_by_label("名称（中文）").fill("订单激增")
    page.get_by_label("名称（英文）").fill("Order surge")
    page.locator("[name='c0.critical']").fill("")
    page.locator("[name='c0.warning']").fill("5")
    page.locator("[name='c0.warning']").press("Tab")
    expect(page.locator(".sentence").first).to_contain_text("高于 5 报警告")
    page.get_by_role("button", name="7 天", exact=True).click()
    expect(page.get_by_role("heading", name="近 7 天的试算结果")).to_be_visible()
    _publish(page, "旺季提醒")
    expect(page.locator(".said")).to_contain_text("第 1 版已生效")
    page.get_by_role("button", name="修改", exact=True).click()
    page.locator("[name='c0.warning']").fill("7")
    page.locator("[name='c0.warning']").press("Tab")
    expect(page.locator(".sentence").first).to_contain_text("高于 7 报警告")
    page.get_by_role("button", name="7 天", exact=True).click()
    _publish(page, "减少告警")
    expect(page.locator(".said")).to_contain_text("第 2 版已生效")
    page.locator(".version summary").filter(has_text="第 1 版").first.click()
    page.locator(".version[open] .ask summary").click()
    page.locator(".version[open] .ask input").fill("还是原来的好")
    page.locator(".version[open] .ask button").click()
    expect(page.locator(".said")).to_contain_text("第 3 版已生效")
    expect(page.locator(".sentence").first).to_contain_text("高于 5 报警告")
    page.context.close()


def _publish(page: object, reason: str) -> None:
    button = page.locator("[data-act=publish]")  # type: ignore[attr-defined]
    button.click()
    page.locator(".ask[open] input").fill(reason)  # type: ignore[attr-defined]
    page.locator(".ask[open] button").click()  # type: ignore[attr-defined]


def test_a_lead_sees_and_handles_only_the_alerts_of_the_own_region(browser: Browser, room: Served) -> None:
    page = open_context(browser, "en-GB").new_page()
    page.goto(f"{room.url}/alerts")
    page.locator("[data-demo=east]").click()
    table = page.get_by_role("table", name="Alerts").last
    expect(page.get_by_role("button", name="Firing 1")).to_be_visible()
    expect(table).to_contain_text("East China")
    expect(page.locator(".strip")).to_contain_text("East China")
    expect(table).to_contain_text(HOSTILE)
    assert page.evaluate("window.hit") is None, "a name is text, never HTML"
    for elsewhere in ("South China", "North China"):
        expect(page.locator("body")).not_to_contain_text(elsewhere)
    runbook = page.get_by_role("link", name="https://wiki.example/<b>")
    expect(runbook).to_have_attribute("rel", "noopener noreferrer")
    expect(runbook).to_have_attribute("target", "_blank")
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.locator(".said")).to_contain_text("acknowledged")
    page.locator(".said").get_by_role("button", name="Undo").click()
    expect(page.locator(".said")).to_contain_text("taken back")
    assert "plotly" not in "".join(
        request for request in page.evaluate("performance.getEntriesByType('resource').map((one) => one.name)")
    )
    page.context.close()


def test_on_a_tablet_alerts_keep_their_titles_and_nothing_leaves_its_card(browser: Browser, room: Served) -> None:
    page = open_context(browser, "zh-CN").new_page()
    page.set_viewport_size({"width": 1024, "height": 768})
    page.goto(f"{room.url}/alerts")
    page.locator("[data-demo=analyst]").click()
    chips = page.locator(".strip .urgent li")
    expect(chips.first.locator(".title")).to_be_visible()
    expect(chips.first.locator(".title")).to_have_text("繁忙大区")
    line = page.locator(".strip .urgent").bounding_box()
    assert line
    for box in filter(None, (chip.bounding_box() for chip in chips.all())):
        is_in_line, is_out_of_sight = box["y"] < line["y"] + 4, box["y"] >= line["y"] + line["height"]
        assert is_out_of_sight or (is_in_line and box["x"] + box["width"] <= line["x"] + line["width"] + 1)
    panel = page.locator("aside.panel-card").bounding_box()
    assert panel
    for part in page.locator(".silence-form :is(select, input, button)").all():
        place = part.bounding_box()
        assert place
        assert place["x"] + place["width"] <= panel["x"] + panel["width"]
