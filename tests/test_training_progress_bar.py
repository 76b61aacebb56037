"""What `train(progress=True)` shows, in a terminal, in a file and in a notebook."""

from __future__ import annotations

import io
import sys
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import seqarith as sa

SETTINGS: dict[str, Any] = {"bits": 4, "max_steps": 150, "goal": "steps"}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_nothing_is_shown_unless_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    sa.train(**SETTINGS)
    assert capsys.readouterr() == ("", "")


def test_a_file_gets_a_line_for_each_report(capsys: pytest.CaptureFixture[str]) -> None:
    sa.train(progress=True, **SETTINGS)
    out, err = capsys.readouterr()
    assert out == ""
    lines = err.splitlines()
    assert lines
    assert all(line.startswith("train add: step ") for line in lines)
    assert "step 150 of at most 150" in lines[-1]


def test_a_terminal_gets_one_line_that_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("COLUMNS", "40")
    sa.train(progress=True, **SETTINGS)
    text = terminal.getvalue()
    assert text.count("\n") == 1
    assert text.endswith("\n")
    assert {len(part) for part in text.strip().split("\r")} == {39}


@pytest.fixture
def bars(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Stand in for a notebook with tqdm; return the bars that were made."""
    made: list[Any] = []

    class Bar:
        def __init__(self, total: int, desc: str) -> None:
            self.total, self.desc, self.n, self.texts, self.closed = total, desc, 0, [], False
            made.append(self)

        def __enter__(self) -> Bar:
            return self

        def __exit__(self, *error: object) -> None:
            self.closed = True

        def set_postfix_str(self, text: str, refresh: bool) -> None:
            self.texts.append(text)

        def update(self, steps: int) -> None:
            self.n += steps

        def refresh(self) -> None:
            self.drawn = (self.n, self.total)

    module: Any = ModuleType("tqdm.auto")
    module.tqdm = Bar
    monkeypatch.setitem(sys.modules, "ipykernel", ModuleType("ipykernel"))
    monkeypatch.setitem(sys.modules, "tqdm", ModuleType("tqdm"))
    monkeypatch.setitem(sys.modules, "tqdm.auto", module)
    return made


def test_a_notebook_gets_the_bar_of_tqdm(bars: list[Any]) -> None:
    sa.train(progress=True, **SETTINGS)
    (bar,) = bars
    assert (bar.total, bar.desc, bar.n, bar.closed) == (150, "train add", 150, True)
    assert "step 150" in bar.texts[-1]


def test_a_bar_is_full_when_the_goal_is_reached_early(bars: list[Any]) -> None:
    run = sa.train(bits=8, seed=0, progress=True)
    (bar,) = bars
    assert run.steps < 10_000
    assert bar.drawn == (bar.n, bar.n)
    assert 0 < bar.n <= run.steps


def test_a_notebook_without_tqdm_gets_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "ipykernel", ModuleType("ipykernel"))
    monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    sa.train(progress=True, **SETTINGS)
    assert capsys.readouterr().err.startswith("\rtrain add: step ")


def test_progress_changes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    quiet, loud = sa.train(**SETTINGS), sa.train(progress=True, **SETTINGS)
    np.testing.assert_array_equal(quiet.model.parameters.flat, loud.model.parameters.flat)
