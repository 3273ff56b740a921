"""Whom the demo's orders are for: made-up names, numbers that no network gives out, streets that do not exist."""

from __future__ import annotations

from typing import Final

import polars as pl

COLUMNS: Final = ("receiver", "mobile", "street")
"""Columns of the order system's file; empty in files of whole days, as after the time for which such data is kept."""

SURNAMES: Final = tuple("王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗")
GIVEN: Final = (
    "伟",
    "芳",
    "娜",
    "敏",
    "静",
    "磊",
    "洋",
    "艳",
    "勇",
    "杰",
    "娟",
    "涛",
    "明",
    "超",
    "秀英",
    "建华",
    "晓梅",
    "志强",
)
STREETS: Final = ("示范路", "样板街", "演示大道", "模拟巷")


def contacts(province: pl.Expr) -> dict[str, pl.Expr]:
    """Name, phone and address of each row, always the same for an order; `province` is its name."""
    return {
        "receiver": _one_of(SURNAMES, 1) + _one_of(GIVEN, 2),
        "mobile": pl.lit("125") + (_number(3) % 100_000_000).cast(pl.String).str.zfill(8),
        "street": province + pl.col("city").fill_null("") + _one_of(STREETS, 4) + (_number(5) % 998 + 1).cast(pl.String) + "号",
    }


def nobody() -> dict[str, pl.Expr]:
    """The same columns, empty."""
    return {name: pl.lit("") for name in COLUMNS}


def _number(seed: int) -> pl.Expr:
    return pl.col("order_id").hash(seed)


def _one_of(words: tuple[str, ...], seed: int) -> pl.Expr:
    return pl.lit(pl.Series(words)).gather(_number(seed) % len(words))
