"""Logs of runs, read back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import seqarith as sa


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
        (b"\xff\xfe\n", "no text in UTF-8"),
    ],
)
def test_what_is_no_log(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "l.jsonl"
    path.write_bytes(content)
    with pytest.raises(sa.LogError, match=message):
        sa.RunLog.read(path)


def test_a_missing_log(tmp_path: Path) -> None:
    with pytest.raises(sa.LogError, match="No such file"):
        sa.RunLog.read(tmp_path / "none.jsonl")
