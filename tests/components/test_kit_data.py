"""What a component is sent: what `dataclasses.asdict` gives, and nothing that is no data."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime

import pytest

from components.board import Bar, Bars, Board
from components.kit import as_data

BAR = Bar(name="一", share=0.5, tone="good", figure="1", end="2", end_tone="neutral", tip="")
BARS = Bars(kind="returns", title="t", scope="s", empty="e", rows=(BAR, BAR))


def test_data_is_what_the_dataclass_holds() -> None:
    board = Board(language="en", returns=BARS, words={"close": "x"})
    assert json.dumps(as_data(board)) == json.dumps(asdict(board))


def test_what_is_no_data_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match="datetime"):
        as_data({"at": datetime(2026, 1, 1, tzinfo=UTC)})
