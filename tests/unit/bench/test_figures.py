"""What a run of the benchmark says about its figures."""

from pathlib import Path

from bench.figures import Figure
from bench.records import read_ratios, regressions, write_ratios
from bench.table import render


def figure(value: float, floor: float | None = 10.0) -> Figure:
    return Figure(name="a step", value=value, unit="ms", floor=floor, floor_name="spawning")


def test_a_figure_over_its_floor_is_compared_with_the_floor_put_back() -> None:
    over = Figure(name="a step", value=5, unit="ms", floor=10, against=15)
    assert over.ratio == 1.5


def test_a_figure_without_a_floor_has_no_ratio_and_is_never_a_regression() -> None:
    assert figure(20, floor=None).ratio is None
    assert regressions([figure(20, floor=None)], {"a step": 0.1}) == []


def test_a_budget_may_be_a_ceiling_a_ratio_or_something_to_reach() -> None:
    assert Figure(name="a", value=4, unit="ms", budget=4).met is True
    assert Figure(name="a", value=4.1, unit="ms", budget=4).met is False
    ratio = Figure(name="a", value=190, unit="ms", floor=100, budget=1.8, budget_is_ratio=True)
    assert ratio.met is False
    assert Figure(name="a", value=97, unit="%", budget=98, at_least=True).met is False
    assert figure(1).met is None


def test_only_a_ratio_more_than_a_quarter_worse_is_a_regression() -> None:
    recorded = {"a step": 2.0}
    assert regressions([figure(25)], recorded) == []
    assert regressions([figure(26)], recorded) == ["a step: 2.60 × floor, recorded 2.00"]
    assert regressions([figure(26)], {"another": 1.0}) == []


def test_recording_some_figures_keeps_the_ratios_of_the_others(tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    write_ratios(path, [Figure(name="another", value=3, unit="ms", floor=2), figure(20)])
    write_ratios(path, [figure(30)])
    assert read_ratios(path) == {"a step": 3.0, "another": 1.5}


def test_the_table_says_what_was_measured_against_what_and_whether_it_kept_its_budget() -> None:
    over = Figure(
        name="a step", value=5.25, unit="ms", floor=10, floor_name="spawning", against=15, budget=4
    )
    assert render([over]).splitlines() == [
        "| what   | measured | floor            | ratio | budget | kept |",
        "|--------|----------|------------------|-------|--------|------|",
        "| a step | 5.25 ms  | 10 ms (spawning) | 1.50  | ≤ 4 ms | no   |",
    ]


def test_a_figure_that_is_not_compared_is_neither_recorded_nor_a_regression(tmp_path: Path) -> None:
    tail = Figure(name="a tail", value=9, unit="ms", floor=1, compared=False)
    write_ratios(tmp_path / "baseline.json", [tail])
    assert read_ratios(tmp_path / "baseline.json") == {}
    assert regressions([tail], {"a tail": 1.0}) == []
