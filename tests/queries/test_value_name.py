"""Values are named in the reader's language wherever their name is known, and stay themselves where it is not."""

from __future__ import annotations

import pytest

from queries.value_name import column_value_name, value_name


@pytest.mark.parametrize(
    ("dimension", "code", "english", "chinese"),
    [
        ("city", "320500", "Suzhou", "苏州"),
        ("city", "苏州市", "Suzhou", "苏州"),
        ("city", "苏州", "Suzhou", "苏州"),
        ("city", "5391959", "San Francisco", "旧金山"),
        ("city", "999999", "999999", "999999"),
        ("city", "Santa Maria", "Santa Maria", "Santa Maria"),
        ("city", "  ", "  ", "  "),
        ("province", "CN-SH", "Shanghai", "上海"),
        ("lane", "EAST-01>CN-SH", "EAST-01 → Shanghai", "EAST-01 → 上海"),
        ("city", None, "unknown", "未知"),
        ("team", "blue", "blue", "blue"),
    ],
)
def test_a_value_has_its_name_in_each_language(dimension: str, code: str | None, english: str, chinese: str) -> None:
    assert (value_name("en", dimension, code), value_name("zh-CN", dimension, code)) == (english, chinese)


def test_a_column_of_an_order_names_its_city_too() -> None:
    assert column_value_name("zh-CN", "city", "310000") == "上海"
