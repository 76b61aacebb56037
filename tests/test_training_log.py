"""Logs of runs, read back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import seqarith as sa
from seqarith.training.run_id import contradiction, identity


def test_a_log(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    path.write_text(
        '{"step": 50, "loss": 0.5, "accuracy": 0, "note": "x"}\n'
        '{"step": 100, "loss": 0.25, "accuracy": 1, "min_margin": 0.1}\n'
    )
    log = sa.RunLog.read(path)
    assert (log.name, log.steps.tolist()) == ("run", [50, 100])
    assert set(log.values) == {"loss", "accuracy", "min_margin"}
    assert log.values["loss"].tolist() == [0.5, 0.25]
    np.testing.assert_array_equal(log.values["min_margin"], [np.nan, 0.1])


def test_which_run_a_log_is_of(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    path.write_text('{"step": 50, "loss": 1, "task": "add", "bits": 8, "seed": 3}\n')
    log = sa.RunLog.read(path)
    assert log.run == {"task": "add", "bits": 8, "seed": 3}
    assert set(log.values) == {"loss"}
    assert contradiction(log.run, {"task": "add", "seed": 3, "hidden": 9}) == ""
    assert contradiction(log.run, {"task": "sub", "seed": 3}) == "task add, not sub"
    path.write_text('{"step": 50, "loss": 1}\n')
    assert contradiction(sa.RunLog.read(path).run, {"task": "sub"}) == ""


def test_lines_of_two_runs_are_no_log(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    path.write_text('{"step": 1, "loss": 1, "seed": 0}\n{"step": 2, "loss": 1, "seed": 1}\n')
    with pytest.raises(
        sa.errors.LogError, match="line 2: it belongs to a different run than line 1"
    ):
        sa.RunLog.read(path)


def test_a_family_of_tasks_is_told_apart_by_its_parameters() -> None:
    five = identity({"task": "scale", "parameters": {"factor": 5}, "seed": 0, "noise": 0.3})
    assert five == {"task": "scale factor=5", "seed": 0}


def test_a_log_of_the_tutorial(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text('{"iteration": 0, "error": 3.5}\n{"iteration": 1000, "error": 3}\n')
    assert sa.RunLog.read(path).steps.tolist() == [0, 1000]


def test_a_log_whose_last_line_was_cut(tmp_path: Path) -> None:
    path = tmp_path / "cut.jsonl"
    path.write_text('{"step": 50, "loss": 0.5}\n{"step": 10')
    assert sa.RunLog.read(path).steps.tolist() == [50]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"hello", "line 1: expected an object with a step"),
        (b'{"step": 1}\n{"loss": 2}\n{"step": 3}\n', "line 2: expected an object"),
        (b"[1]\n[2]\n", "line 1: expected an object"),
        (b'{"step": "x"}\n', "line 1: expected an object"),
        (b"\xff\xfe\n", "not text in UTF-8"),
        (b"PK\3\4rest of a model", "a model or a checkpoint; expected a log, as 'train --log'"),
    ],
)
def test_what_is_no_log(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "l.jsonl"
    path.write_bytes(content)
    with pytest.raises(sa.errors.LogError, match=message):
        sa.RunLog.read(path)


def test_a_missing_log(tmp_path: Path) -> None:
    with pytest.raises(sa.errors.LogError, match="No such file"):
        sa.RunLog.read(tmp_path / "none.jsonl")
