"""What makes figures of times: spreads, turns, ratios, the file."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "sidebyside.py"


@pytest.fixture(scope="module")
def sidebyside() -> ModuleType:
    spec = importlib.util.spec_from_file_location("sidebyside", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["sidebyside"] = module  # dataclasses look their module up
    environment = dict(os.environ)
    cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    spec.loader.exec_module(module)  # takes one core and one thread, which other tests need not
    os.environ.clear()
    os.environ.update(environment)
    if cores is not None:
        os.sched_setaffinity(0, cores)
    return module


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [([3.0], (3, 3, 3)), ([1, 2, 3, 4, 5], (2, 3, 4)), ([9, 1], (3, 5, 7))],
)
def test_a_spread_is_median_and_quartiles(
    sidebyside: ModuleType, numbers: list[float], expected: tuple[float, float, float]
) -> None:
    spread = sidebyside.Spread.of(numbers)
    assert (spread.low, spread.middle, spread.high) == expected


def test_contenders_take_turns(sidebyside: ModuleType) -> None:
    calls: list[tuple[str, int]] = []

    def contender(name: str, cost: float) -> object:
        def run(count: int) -> None:
            calls.append((name, count))
            time.sleep(cost * count)

        return run

    contenders = {"a": contender("a", 0.0), "b": contender("b", 2 * sidebyside.TURN)}
    seconds = sidebyside.alternate(contenders, rounds=2)
    assert [name for name, _ in calls[4:]] == ["a", "b", "a", "b"]
    counts = dict(calls[4:])
    assert counts["b"] == 1, "one run of it is longer than a turn"
    assert min(seconds["b"]) >= 2 * sidebyside.TURN
    assert [len(each) for each in seconds.values()] == [2, 2]


def test_ratios_are_those_to_the_first_of_the_same_round(sidebyside: ModuleType) -> None:
    found = sidebyside.ratios({"ours": [1.0, 2.0, 4.0], "theirs": [3.0, 4.0, 16.0]})
    assert list(found) == ["ours", "theirs"]
    assert found["ours"] is None
    assert found["theirs"].middle == 3  # of 3, 2 and 4


def test_a_comparison_has_a_row_a_contender(
    sidebyside: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    figure = sidebyside.Figure("", "")
    runs = {"ours": lambda count: None, "theirs": lambda count: None}
    figure.compare("case", runs, {"theirs": 2.0}, rounds=3)
    assert [(row.contender, row.wanted) for row in figure.rows] == [("ours", None), ("theirs", 2)]
    assert [row.ratio is None for row in figure.rows] == [True, False]
    assert capsys.readouterr().out.count("case") == 2


def test_figures_stand_side_by_side_in_the_file(sidebyside: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    for name in ("one", "two", "one"):
        figure = sidebyside.Figure(name, "text")
        figure.facts.append(sidebyside.Fact("what", 2.5, "ms"))
        sidebyside.save(name, figure, path)
    figures = json.loads(path.read_text())["figures"]
    assert list(figures) == ["one", "two"]
    assert figures["two"]["facts"] == [{"what": "what", "value": 2.5, "unit": "ms", "wanted": ""}]
    assert figures["two"]["measured on"]["cores"] == os.cpu_count()
