"""``seqarith trace``: a sum as on paper, in any terminal."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import seqarith as sa
from seqarith.cli.long_hand import Style, drawn

Shell = Callable[..., subprocess.CompletedProcess[str]]


def cells(out: str, label: str) -> list[str]:
    """Return the cells of every row of that label."""
    rows = [line for line in out.splitlines() if re.match(rf"{label}  ", line)]
    return [cell for row in rows for cell in row.split()[label.count(" ") + 1 :]]


def test_a_sum_on_paper(shell: Shell, adder_file: Path) -> None:
    found = shell("trace", "37", "58", "--model", str(adder_file))
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout.startswith("37 + 58 = 95\n")
    assert cells(found.stdout, "a") == list(f"{37:07b}")
    assert cells(found.stdout, "b") == list(f"{58:07b}")
    assert cells(found.stdout, "expected") == list(f"{95:07b}")
    assert cells(found.stdout, "network") == list(f"{95:07b}")
    assert cells(found.stdout, "carry") == list("1000000")  # what stands above each column
    assert "\x1b" not in found.stdout
    assert "wrong  " not in found.stdout


def test_columns_stand_under_each_other(wrong_adder: sa.Model) -> None:
    lines = list(drawn(sa.trace(wrong_adder, 7, 7), Style(80, 3, False, True)))
    assert lines[0] == "7 + 7 = 8  (wrong: 14 expected)"
    step, marks = (next(line for line in lines if line.startswith(x)) for x in ("step", "wrong"))
    wrong = sa.trace(wrong_adder, 7, 7).wrong
    for match in re.finditer(r"\d+", step):
        assert (marks.ljust(len(step))[match.end() - 1] == "^") == wrong[int(match[0])]


def test_shades_follow_the_hidden_units(make_adder: Callable[..., sa.Model]) -> None:
    trace = sa.trace(make_adder(), 3, 1)
    lines = list(drawn(trace, Style(80, 3, False, True)))
    step = next(line for line in lines if line.startswith("step"))
    for unit in range(3):
        row = next(line for line in lines if line.startswith(f"unit {unit}")).ljust(len(step))
        for match in re.finditer(r"\d+", step):
            on = trace.hidden[int(match[0]) + 1, unit] > 0.5
            assert row[match.end() - 1] == ("█" if on else " ")


@pytest.mark.parametrize("columns", [1, 20, 40, 80, 200])
def test_as_wide_as_the_terminal(columns: int) -> None:
    trace = sa.trace(sa.Model.shipped("add"), 2**30, 3**20)
    lines = list(drawn(trace, Style(columns, 4, False, True)))
    body = [
        line for line in lines if re.match(r"(step|a|b|carry|expected|network|margin|unit)", line)
    ]
    assert max(map(len, body)) <= max(columns, 16)
    read = [
        digit
        for line in body
        if line.startswith("expected")
        for digit in reversed(line.split()[1:])
    ]
    assert int("".join(reversed(read)), 2) == 2**30 + 3**20
    counts = [len(line.split()) for line in body if line.startswith("step")]
    assert max(counts) - min(counts) <= len(counts), "no block is left with a column or two"


def test_colour_only_in_a_terminal(wrong_adder: sa.Model) -> None:
    trace = sa.trace(wrong_adder, 3, 3)
    plain = "\n".join(drawn(trace, Style(80, 3, False, True)))
    coloured = "\n".join(drawn(trace, Style(80, 3, True, True)))
    assert "\x1b" not in plain
    assert re.sub(r"\x1b\[\d+m", "", coloured) == plain
    assert coloured != plain


def test_a_terminal_without_blocks(shell: Shell, adder_file: Path) -> None:
    found = shell(
        "trace", "37", "58", "--model", str(adder_file), env={"PYTHONIOENCODING": "ascii"}
    )
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout.isascii()
    assert cells(found.stdout, "network") == list(f"{95:07b}")


def test_trace_as_json(shell: Shell, wrong_file: Path) -> None:
    found = shell("trace", "3", "3", "--model", str(wrong_file), "--json")
    assert found.returncode == 3
    read = json.loads(found.stdout)
    assert (read["predicted"], read["expected"], read["correct"]) == ("4", "6", False)
    assert [step["digits"] for step in read["steps"]] == [[1, 1], [1, 1], [0, 0]]
    assert [step["state"] for step in read["steps"]] == ["carry 0", "carry 1", "carry 1"]
    assert [step["wrong"] for step in read["steps"]] == [False, True, False]
    trace = sa.trace(sa.Model.load(wrong_file), 3, 3)
    assert [step["hidden"] for step in read["steps"]] == trace.hidden[1:].tolist()
    assert [step["logits"] for step in read["steps"]] == trace.logits.tolist()
    assert [step["margin"] for step in read["steps"]] == trace.margins.tolist()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("1",), "a + b takes 2 operands, not 1"),
        (("1", "x"), "'x' is not an integer"),
        (("1", "2", "--foo"), "No such option '--foo'"),
        ((), "Missing argument 'OPERANDS...'"),
        (("1", "2", "--units", "-1"), "Invalid value for '--units'"),
    ],
)
def test_mistakes(shell: Shell, adder_file: Path, arguments: tuple[str, ...], message: str) -> None:
    found = shell("trace", "--model", str(adder_file), *arguments)
    assert (found.returncode, found.stdout) == (2, "")
    assert message in found.stderr
    assert len(found.stderr.splitlines()) == 1
