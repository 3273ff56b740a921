"""A link keeps the view; what a link writes, the address reads back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from access.address import FILTER_DIMENSIONS, Address, read_address
from access.view import View
from pages.links import filter_changes, link, outside_link
from queries.query import Filter
from queries.request import UNKNOWN_WORDS, closed_codes

OpenView = Callable[..., View]
ZONE = ZoneInfo("Asia/Shanghai")
PLAIN = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=20).filter(
    lambda text: text.isprintable() and text.lower() not in UNKNOWN_WORDS
)


@st.composite
def filters(draw: st.DrawFn) -> tuple[Filter, ...]:
    """A few filters of any dimensions, hostile texts and unknown among their values."""
    chosen = draw(st.lists(st.sampled_from(FILTER_DIMENSIONS), unique=True, max_size=4))
    found = []
    for dimension in sorted(chosen, key=FILTER_DIMENSIONS.index):
        value = st.sampled_from(closed_codes(dimension)) if closed_codes(dimension) else PLAIN
        found.append(Filter(dimension, tuple(draw(st.lists(st.none() | value, min_size=1, max_size=4, unique=True)))))
    return tuple(found)


ADDRESSES = st.builds(
    Address,
    window=st.sampled_from(["24h", "7d", "today", "all", "2026-01-01..2026-01-31"]),
    filters=filters(),
    as_of=st.none() | st.integers(0, 10**12).map(lambda ms: datetime(1990, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)),
    snapshot=st.none() | st.integers(1, 10**9),
    language=st.sampled_from(["", "en", "zh-CN"]),
    theme=st.sampled_from(["", "dark", "light"]),
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(address=ADDRESSES)
def test_a_link_says_everything_the_address_said(view_of: OpenView, address: Address) -> None:
    parts = urlsplit(link(replace(view_of(), address=address), "/drill"))
    assert (parts.path, parts.netloc) == ("/drill", "")
    assert read_address(parse_qs(parts.query), ZONE) == address


def test_changes_replace_add_and_remove(view_of: OpenView) -> None:
    view = view_of(region=["CN-EAST"], channel=["jd"], window=["7d"], lang=["zh-CN"])
    href = link(view, "/orders", metric="late_rate", channel=("tmall", None), region=None)
    assert parse_qs(urlsplit(href).query) == {
        "window": ["7d"], "lang": ["zh-CN"], "metric": ["late_rate"], "channel": ["tmall", "null"],
    }  # fmt: skip


def test_filters_become_changes(view_of: OpenView) -> None:
    href = link(view_of(), "/drill", **filter_changes((Filter("city", ("Wuhan", None)),)))
    assert parse_qs(urlsplit(href).query) == {"city": ["Wuhan", "null"]}


@pytest.mark.parametrize("path", ["/", "/wall", ""])
def test_a_plain_view_makes_a_plain_link(view_of: OpenView, path: str) -> None:
    assert link(view_of(), path) == path


@pytest.mark.parametrize("text", ["https://wiki.example/late?x=1#two", "http://10.0.0.8:8090/手册", "HTTPS://Wiki.example"])
def test_an_address_of_the_web_is_a_way_outside(text: str) -> None:
    assert outside_link(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "wiki, page 3",
        "/orders",
        "//wiki.example",
        "javascript:alert(1)",
        "JavaScript://wiki.example/%0aalert(1)",
        "data:text/html,<script>alert(1)</script>",
        "file:///etc/passwd",
        "ftp://wiki.example",
        "https://",
        "https:wiki.example",
        "http://[::1",
        "https://wiki.example/late and then call",
        " https://wiki.example",
        "https://wiki.example@evil.example/",
        "https://wiki.example\\@evil.example/",
        "https://wiki.example/\u202eetal",
        "java\nscript:alert(1)",
    ],
)
def test_any_other_text_is_no_way_outside(text: str) -> None:
    assert outside_link(text) == ""
