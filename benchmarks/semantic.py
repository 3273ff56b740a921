"""The semantic layer against SQL written by hand for the same answer (`by_hand/`), over the same lake, taking turns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import polars as pl
from polars.testing import assert_frame_equal

from benchmarks.figure import BenchmarkError, Figure, Trial
from benchmarks.lakes import END, lake_home
from benchmarks.timing import alternate
from config import Settings
from data.lake import Lake
from data.targets import read_targets_file
from queries.build import build
from queries.query import Grain, Query, Window
from queries.run import run
from queries.scope import Scope

BY_HAND: Final = Path(__file__).resolve().parent / "by_hand"
BUDGET_RATIO: Final = 1.1
LEAST_ROUNDS: Final = 9
DAY: Final = timedelta(hours=24)
WEEK: Final = timedelta(days=7)
QUARTER: Final = timedelta(days=90)


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked of both; the SQL by hand is `by_hand/<name>.sql`, for the newest snapshot at its own instant."""

    name: str
    metrics: tuple[str, ...]
    by: tuple[str, ...] = ()
    length: timedelta = DAY
    grain: Grain | None = None


QUESTIONS: Final = (
    Question(name="order_count_by_province", metrics=("order_count",), by=("province",)),
    Question(name="order_count_by_hour", metrics=("order_count",), grain="hour"),
    Question(name="on_time_rate_by_region", metrics=("on_time_rate",), by=("region",)),
    Question(name="backlog_count_by_region", metrics=("backlog_count",), by=("region",)),
    Question(name="over_limit_rate_by_region_and_stage", metrics=("over_limit_rate",), by=("region", "stage")),
    Question(name="dwell_by_stage", metrics=("dwell_seconds_p50", "dwell_seconds_p90"), by=("stage",), length=WEEK),
    Question(
        name="order_cycle_by_carrier",
        metrics=("order_cycle_seconds_p50", "order_cycle_seconds_p90"),
        by=("carrier",),
        length=WEEK,
    ),
    Question(
        name="three_clocks_by_warehouse",
        metrics=("order_count", "backlog_count", "delivered_count"),
        by=("warehouse",),
        length=DAY,
    ),
    Question(name="delivered_on_time_rate_by_province", metrics=("delivered_on_time_rate",), by=("province",), length=QUARTER),
)

Ask = Callable[[], pl.DataFrame]


def measure(trial: Trial) -> list[Figure]:
    """The ratio for each question and for all of them together (which has the budget), and what they take by hand."""
    settings = lake_home(trial)
    lake = Lake.open_reader(settings)
    figures, layer_total, hand_total = [], 0.0, 0.0
    try:
        for question in QUESTIONS:
            layer, hand = asks(question, lake, settings, END)
            check_same(question, layer(), hand())
            layer_seconds, hand_seconds = alternate((layer, hand), max(LEAST_ROUNDS, trial.rounds))
            layer_total, hand_total = layer_total + layer_seconds, hand_total + hand_seconds
            figures.append(Figure(name=f"{question.name}_by_hand", value=hand_seconds, unit="seconds"))
            figures.append(Figure(name=f"{question.name}_ratio", value=layer_seconds / hand_seconds, unit="ratio"))
    finally:
        lake.close()
    return [Figure(name="ratio", value=layer_total / hand_total, unit="ratio", budget=BUDGET_RATIO), *figures]


def asks(question: Question, lake: Lake, settings: Settings, now: datetime) -> tuple[Ask, Ask]:
    """The question through `build` and `run`, and by hand; both give a frame."""
    window = Window.last(question.length, now)
    query = Query(metrics=question.metrics, by=question.by, grain=question.grain, window=window)
    targets = read_targets_file(BY_HAND / "targets.yaml")
    head = lake.head().snapshot_id
    version = lake.version_of(head)
    sql = (BY_HAND / f"{question.name}.sql").read_text(encoding="utf-8")
    known = {"start": window.start, "end": window.end, "now": now}
    values = {name: value for name, value in known.items() if f"${name}" in sql}

    def layer() -> pl.DataFrame:
        return run(
            lake,
            build(
                query,
                scope=Scope.ALL,
                snapshot=head,
                version=version,
                as_of=now,
                zone=settings.zone,
                targets=targets,
                newest=lake.newest_milestone(version),
            ),
        )

    def hand() -> pl.DataFrame:
        return lake.cursor().execute(sql, values).pl().with_columns(pl.col(pl.Datetime).dt.convert_time_zone("UTC"))

    return layer, hand


def check_same(question: Question, layer: pl.DataFrame, hand: pl.DataFrame) -> None:
    """Raise BenchmarkError where the two answers differ: unequal things are not compared."""
    try:
        assert_frame_equal(layer, hand, check_row_order=False, check_column_order=False, check_dtypes=False, abs_tol=1e-9)
    except AssertionError as error:
        raise BenchmarkError(f"{question.name}: by hand is another answer: {error}") from None
    if layer.is_empty():
        raise BenchmarkError(f"{question.name}: no rows to compare")
