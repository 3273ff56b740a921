"""A contract or targets file that cannot be used: the wall goes on, names it, and trusts nothing of its source."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from access.view import View
from pages.wall import read_board
from pages.wall_map import main_country
from tests.data.intake import PLAIN

OpenView = Callable[..., View]


@pytest.fixture
def write(view_of: OpenView) -> Iterator[Callable[[str, object], None]]:
    """Writes a file of the home, which is gone after the test."""
    home, written = view_of().reading.settings.home, list[Path]()

    def to(name: str, content: object) -> None:
        path = home / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content if isinstance(content, str) else yaml.safe_dump(content), encoding="utf-8")
        written.append(path)

    yield to
    for path in written:
        path.unlink()


def state_of(view: View) -> Any:
    (source,) = view.freshness()
    return source.state


def test_a_source_whose_contract_is_faulty_is_grey_and_named_on_the_wall(view_of: OpenView, write: Callable[..., None]) -> None:
    assert state_of(view_of()) == "once"
    write(
        "contracts/shop.yaml",
        "source: shop\nowner: desk@example.com\nas_of: {from: newest}\ncolumns:\n  delivered_at: d\n  amuont: a\n",
    )
    view = view_of()
    board = read_board(view, main_country(view))
    assert state_of(view) == "stale"
    assert board.notice is not None
    assert (board.notice.state, board.notice.text) == ("critical", "Not taken in, the contract is faulty: SHOP.")
    assert "did you mean 'amount'" in board.notice.tip
    assert str(view.reading.settings.home) not in board.notice.tip
    on_time = next(tile for tile in board.tiles if tile.name == "On-time delivery")
    assert on_time.state == "stale"
    assert "its contract is faulty, owner desk@example.com" in on_time.tip


def test_once_mended_it_is_as_before(view_of: OpenView, write: Callable[..., None]) -> None:
    write("contracts/shop.yaml", PLAIN)
    view = view_of()
    assert (state_of(view), view.faults) == ("once", ())


@pytest.mark.parametrize(("language", "words"), [("en", "Targets and limits are not in force"), ("zh-CN", "目标与时限暂不生效")])
def test_with_faulty_targets_nothing_is_judged_by_what_nobody_set(
    view_of: OpenView, write: Callable[..., None], language: str, words: str
) -> None:
    write("targets.yaml", "- {valid_from: 2020-01-01, metrics: {on_time_rate: high}}")
    view = view_of(language=language)
    board = read_board(view, main_country(view))
    assert board.notice is not None
    assert words in board.notice.text
    assert {tile.state for tile in board.tiles} <= {"neutral", "unknown", "warning", "critical"}
    assert not any("95" in tile.note for tile in board.tiles)
    assert board.heat is not None
    assert board.heat.cells == () or {cell.kind for row in board.heat.cells for cell in row} <= {"none", "few"}
