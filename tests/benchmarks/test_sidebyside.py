"""What makes figures of times: spreads, turns, ratios, the file."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
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


def test_contenders_take_turns(sidebyside: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, calls = [0.0], []
    monkeypatch.setattr(sidebyside.time, "perf_counter", lambda: clock[0])

    def contender(name: str, cost: float) -> object:
        def run(count: int) -> None:
            calls.append((name, count))
            clock[0] += cost * count

        return run

    contenders = {"a": contender("a", 0.005), "b": contender("b", 0.5)}
    seconds = sidebyside.alternate(contenders, rounds=2)
    assert seconds["a"] == pytest.approx([0.005, 0.005])
    assert seconds["b"] == pytest.approx([0.5, 0.5])
    assert calls[4:] == [("a", 4), ("b", 1)] * 2  # as often as fills a turn of 0.02 s


def test_ratios_are_those_to_the_first(
    sidebyside: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    times = {"ours": [1.0, 2.0, 4.0], "theirs": [3.0, 4.0, 16.0]}
    monkeypatch.setattr(sidebyside, "alternate", lambda *_: times)
    figure = sidebyside.Figure("", "")
    figure.compare("case", dict.fromkeys(times), {"theirs": 2.0})
    first, second = figure.rows
    assert first.ratio is None
    assert (second.ratio.middle, second.wanted) == (3, 2)
    assert "x    3.00" in capsys.readouterr().out


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
