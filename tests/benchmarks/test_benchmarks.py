"""Every benchmark that is cheap runs on a tiny lake; the result has the declared shape and compares with an earlier one."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from benchmarks import bulk, flow_server, heat_server, lakes, merge, orders_server, rules, semantic, wall_server
from benchmarks.__main__ import BENCHMARKS, main, run_all
from benchmarks.compare import compare, last_file
from benchmarks.figure import BenchmarkError, Figure, Trial
from benchmarks.semantic import BY_HAND, QUESTIONS, asks, check_same
from benchmarks.timing import alternate
from data.lake import Lake

Measure = Callable[[Trial], list[Figure]]


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Trial:
    """Two thousand orders of ten days, each thing timed once."""
    return Trial(orders=2_000, days=10, out=tmp_path_factory.mktemp("lakes"), rounds=1)


def test_a_figure_meets_its_budget_up_to_the_budget_itself() -> None:
    figure = Figure(name="merge", value=5.0, unit="seconds", budget=5.0)
    assert [figure.met, replace(figure, value=5.01).met, replace(figure, budget=None).met] == [True, False, None]
    assert figure.as_json() == {"name": "merge", "value": 5.0, "unit": "seconds", "budget": 5.0, "met": True}


def test_acts_take_turns_and_the_first_round_does_not_count() -> None:
    called: list[str] = []
    medians = alternate((lambda: called.append("a"), lambda: called.append("b")), rounds=2)
    assert "".join(called) == "ab" + "ab" + "ba"
    assert len(medians) == 2


def test_standard_output_is_one_json_object_of_the_declared_shape(trial: Trial, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--orders", "2000", "--days", "10", "--rounds", "1", "--lakes", str(trial.out), "--only", "merge"]
    code = main(words)
    result = json.loads(capsys.readouterr().out)
    assert {"form", "commit", "orders", "days", "machine", "benchmarks", "met"} <= set(result)
    assert {"cores", "memory_bytes", "python", "load"} <= set(result["machine"])
    told = result["benchmarks"][0]
    assert set(told) == {"name", "figures", "met", "duration_seconds"}
    assert {"name", "value", "unit", "budget", "met"} == set(told["figures"][0])
    assert code == (0 if result["met"] else 1)


@pytest.mark.parametrize(
    "measure",
    [
        bulk.measure,
        merge.measure,
        semantic.measure,
        pytest.param(wall_server.measure, marks=pytest.mark.soak),
        pytest.param(rules.measure, marks=pytest.mark.soak),
        pytest.param(heat_server.measure, marks=pytest.mark.soak),
        pytest.param(flow_server.measure, marks=pytest.mark.soak),
        pytest.param(orders_server.measure, marks=pytest.mark.soak),
    ],
)
def test_each_benchmark_gives_positive_figures_and_a_budget(
    trial: Trial, measure: Measure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "RULES", 25)
    figures = measure(trial)
    assert all(figure.value > 0 for figure in figures)
    assert any(figure.budget is not None for figure in figures)
    assert len({figure.name for figure in figures}) == len(figures)


def test_every_question_is_the_same_by_hand_and_every_file_is_asked(trial: Trial) -> None:
    settings = lakes.lake_home(trial)
    lake = Lake.open_reader(settings)
    for question in QUESTIONS:
        layer, hand = asks(question, lake, settings, lakes.END)
        check_same(question, layer(), hand())
    lake.close()
    assert {file.stem for file in BY_HAND.glob("*.sql")} == {question.name for question in QUESTIONS}


def test_another_answer_by_hand_is_refused() -> None:
    layer = pl.DataFrame({"region": ["CN-EAST"], "order_count": [3]})
    with pytest.raises(BenchmarkError, match="by hand is another answer"):
        check_same(QUESTIONS[0], layer, layer.with_columns(order_count=4))


def test_a_lake_is_made_once_and_a_borrowed_one_leaves_it_alone(trial: Trial) -> None:
    settings = lakes.lake_home(trial)
    made = (settings.lake_folder / "catalogue.sqlite").stat().st_mtime_ns
    merge.measure(trial)
    assert lakes.lake_home(trial) == settings
    assert (settings.lake_folder / "catalogue.sqlite").stat().st_mtime_ns == made
    assert Lake.open_reader(settings).head().snapshot_id == 3
    assert not (trial.out / "merge").exists()


def test_a_failing_benchmark_is_told_and_the_others_go_on(trial: Trial) -> None:
    kept: list[int] = []
    result = run_all(trial, ("figure", "merge"), keep=lambda told: kept.append(len(told["benchmarks"])))
    assert result["benchmarks"][0]["error"].startswith("AttributeError: module 'benchmarks.figure' has no attribute 'measure'")
    assert [bool(told["figures"]) for told in result["benchmarks"]] == [False, True]
    assert (result["met"], kept) == (False, [1, 2])


def test_a_run_compares_with_the_last_of_its_size_and_keeps_what_it_did_not_run(trial: Trial, tmp_path: Path) -> None:
    figures = [Figure(name="recent_seconds", value=1e-9, unit="seconds").as_json()]
    benchmarks = [{"name": name, "figures": figures, "met": True} for name in ("merge", "page")]
    last = last_file(trial)
    last.write_text(json.dumps({"commit": "abc", "benchmarks": benchmarks}), encoding="utf-8")
    words = ["--orders", "2000", "--days", "10", "--rounds", "1", "--lakes", str(trial.out), "--only", "merge"]
    main([*words, "--out", str(tmp_path / "result.json")])
    result = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))
    assert result["compared"]["commit"] == "abc"
    assert result["compared"]["figures"]["merge.recent_seconds"]["ratio"] > 1
    kept = {told["name"]: told["figures"] for told in json.loads(last.read_text(encoding="utf-8"))["benchmarks"]}
    assert kept["page"] == figures != kept["merge"]


def test_comparing_tells_each_figures_ratio_and_what_was_not_the_same() -> None:
    def result(value: float, orders: int) -> dict[str, Any]:
        figures = [Figure(name="seconds", value=value, unit="seconds").as_json()]
        return {"orders": orders, "days": 90, "machine": {"cores": 2}, "benchmarks": [{"name": "merge", "figures": figures}]}

    told = compare(result(3.0, 1_000), result(2.0, 2_000))
    assert told["figures"] == {"merge.seconds": {"value": 3.0, "earlier": 2.0, "ratio": 1.5}}
    assert told["same"] == {"orders": False, "days": True, "cores": True}


def test_orders_of_all_days_are_in_one_file_under_one_header(trial: Trial) -> None:
    lines = Path(lakes.orders_file(trial)).read_text(encoding="utf-8").splitlines()
    assert sum(line.startswith("channel,order_id,") for line in lines) == 1
    assert len(lines) - 1 == pytest.approx(2_000, rel=0.2)


def test_every_benchmark_is_a_module_with_a_measure() -> None:
    root = Path(bulk.__file__).parent
    assert all("def measure(trial: Trial)" in (root / f"{name}.py").read_text(encoding="utf-8") for name in BENCHMARKS)
