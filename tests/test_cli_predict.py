"""Streams of operands: read in blocks, answered in blocks, as if line by line."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import seqarith as sa
from seqarith.cli import operands
from seqarith.cli.batch_output import json_lines, text_lines
from seqarith.cli.operands import operand_blocks, parse_operands, plain_table, whole_lines
from seqarith.cli.output import prediction_json
from seqarith.errors import DigitsError, TaskError
from seqarith.registry import TASKS

ADD = TASKS.build("add", {})


class Trickle(io.BytesIO):
    """A stream that gives a few bytes at a time."""

    def __init__(self, data: bytes, sizes: Sequence[int]) -> None:
        super().__init__(data)
        self._sizes = list(sizes)

    def read1(self, size: int | None = -1, /) -> bytes:
        return super().read1(self._sizes.pop() if self._sizes else 5)


def rows(source: io.BytesIO, task: sa.Task = ADD) -> list[tuple[int, ...]]:
    blocks = operand_blocks(source, task, "f")
    return [tuple(map(int, row)) for block in blocks for row in zip(*block, strict=True)]


INTEGERS = st.integers() | st.integers(-(2**70), 2**70)
FORMS = st.sampled_from([str, str, hex, bin, "{:+}".format, "{:_}".format, "{:>9}".format])
SEPARATORS = st.sampled_from([" ", ",", ";", "\t", ", ", " ; ", "  ", "\u00a0"])
ENDS = st.sampled_from(["\n", "\n", "\r\n", "\r", "\n\n", " \n"])
LINES = st.lists(st.tuples(INTEGERS, FORMS, SEPARATORS, INTEGERS, FORMS, ENDS), max_size=8)


@given(LINES, st.lists(st.integers(1, 40)), st.sampled_from(["", "\ufeff", "a, b\n"]))
def test_lines_of_all_forms_however_they_arrive(
    lines: list[tuple], sizes: list[int], before: str
) -> None:
    text = before + "".join(f(a) + gap + g(b) + end for a, f, gap, b, g, end in lines)
    assert rows(Trickle(text.encode(), sizes)) == [(a, b) for a, _, _, b, _, _ in lines]


@given(st.text("ab1 \n\r", max_size=40), st.lists(st.integers(1, 5)))
def test_whole_lines(text: str, sizes: list[int]) -> None:
    pieces = list(whole_lines(Trickle(text.encode(), sizes)))
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    assert "".join(pieces).split("\n")[: len(lines)] == lines
    assert all(piece.endswith("\n") for piece in pieces)


PLAIN = st.integers(-(10**18) + 1, 10**18 - 1) | st.integers(-9, 9)


@given(st.lists(st.tuples(PLAIN, PLAIN, PLAIN)), st.sampled_from([" ", "\t", "  "]))
def test_plain_lines_are_read_at_once(triples: list[tuple[int, ...]], gap: str) -> None:
    text = "".join(gap.join(map(str, row)) + "\n" for row in triples)
    found = plain_table("\n" + text + " \n", 3)
    assert found is not None
    assert found.T.tolist() == [list(row) for row in triples]


@pytest.mark.parametrize(
    "text",
    [
        "1 2 3\n", "1\n2\n", "1 2\n3\n4 5 6\n", "1 2\n3 4 5\n6\n", "1 +2\n", "1 0x2\n", "1 --2\n",
        "1 2-3\n", "1- 2\n", "1 -\n", "- 1 2\n", "1 1_0\n", f"1 {10**18}\n", "1 2.5\n", "1 ٣\n",
        "1 1e3\n", "1 nan\n",
    ],
)  # fmt: skip
def test_what_is_not_plain_is_left_to_be_read_line_by_line(text: str) -> None:
    assert plain_table("5 6\n" + text, 2) is None


@pytest.mark.parametrize("block", [1, 3, 4, 6, 1000])
def test_lines_before_a_wrong_one_are_answered(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operands, "BLOCK", block)
    blocks = operand_blocks(io.BytesIO(b"a b\n1 2\n\n3 4\n5 6 7\n8 9\n"), ADD, "f")
    found: list[tuple[int, ...]] = []
    with pytest.raises(DigitsError, match=r"^f, line 5: a \+ b takes 2 operands, not 3; omit"):
        found.extend(row for columns in blocks for row in zip(*columns, strict=True))
    assert found == [(1, 2), (3, 4)]


@pytest.mark.parametrize("last", ["0 9\n", "0 0x9\n"])
def test_short_lines_are_answered_in_parts(last: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operands, "ROWS", 3)
    source = io.BytesIO(("1 2\n" * 6 + last).encode())
    sizes = [len(columns[0]) for columns in operand_blocks(source, ADD, "f")]
    assert sizes == [3, 3, 1]


def test_negative_operands_that_the_task_cannot_read() -> None:
    task = TASKS.build("compare", {})
    source = io.BytesIO(b"1 2\n3 -4\n")
    with pytest.raises(TaskError, match=r"^f, line 2: .*naturals only, not -4"):
        rows(source, task)
    assert rows(io.BytesIO(b"1 2\n3 4\n"), task) == [(1, 2), (3, 4)]


@pytest.mark.parametrize("pieces", [[4], [100]])
def test_bytes_that_are_no_text_after_lines_that_are(pieces: list[int]) -> None:
    source = Trickle(b"1 2\n\xff 3\n", pieces)
    blocks = operand_blocks(source, ADD, "f")
    assert np.asarray(next(blocks)).tolist() == [[1], [2]]
    with pytest.raises(DigitsError, match=r"f, line 2: .* is not an integer"):
        next(blocks)


@pytest.mark.parametrize(
    "text",
    [
        '"37","58"\n"200","100"\n',
        "37.0,58.00\n200,100.\n",
        '"a1","b2"\n37;58\n200;100\n',
        '"37 ", " 58"\n"200" 100\n',
    ],
)
def test_tables_as_other_programs_write_them(text: str) -> None:
    assert rows(io.BytesIO(text.encode())) == [(37, 58), (200, 100)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("37.5,58\n", "37.5"),
        ("1st,2nd\n", "1st"),
        ("1,2,3\n", "omit results, which are computed"),
        ("1,2,3,4\n", "not 4$"),
    ],
)
def test_lines_that_are_refused(text: str, message: str) -> None:
    with pytest.raises(DigitsError, match=message):
        rows(io.BytesIO(text.encode()))


@pytest.mark.parametrize(
    ("task", "texts", "expected"),
    [
        ("add", ["37", "58"], [37, 58]),
        ("add", ["37 + 58"], [37, 58]),
        ("add", ["37+58"], [37, 58]),
        ("add", ["37", "+", "0x3a", "="], [37, 58]),
        ("sub", ["3", "-4"], [3, -4]),
        ("sub", ["3 -4"], [3, 4]),
        ("sub", ["-3 - (-4)"], [-3, -4]),
        ("sub", ["-3--4"], [-3, -4]),
        ("max", ["max(3, 5)"], [3, 5]),
    ],
)
def test_operands_of_a_command(task: str, texts: list[str], expected: list[int]) -> None:
    assert parse_operands(texts, TASKS.build(task, {})) == expected


@pytest.mark.parametrize("texts", [["37 - 58"], ["37 +"], ["a + b"], ["37 58"]])
def test_what_are_no_operands(texts: list[str]) -> None:
    with pytest.raises(DigitsError, match="is not an integer"):
        parse_operands(texts, ADD)


@pytest.mark.parametrize(
    ("text", "warned"),
    [("0101 0011", True), ("10 011", True), ("101 11", False), ("0b0101 0", False), ("0 0", False),
     ("-0.01 0x011", False)],
)  # fmt: skip
def test_what_looks_binary_is_told_to_be_decimal(
    text: str, warned: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    with suppress(DigitsError):
        parse_operands(text.split(), ADD)
    assert ("is read as a decimal number" in capsys.readouterr().err) == warned
    with suppress(DigitsError):
        rows(io.BytesIO(text.encode()))
    assert ("is read as a decimal number" in capsys.readouterr().err) == warned


# ------------------------------------------------------------- lines of answers


@pytest.mark.parametrize(
    ("task", "wide"), [("add", True), ("sub", True), ("compare", False), ("mod", False)]
)
def test_lines_are_those_of_single_predictions(
    wrong_adder: sa.Model, task: str, wide: bool
) -> None:
    rng = np.random.default_rng(5)
    built = TASKS.build(task, {"divisor": 5} if task == "mod" else {})
    network = sa.Network(sa.registry.CELLS.build("elman", {}), built.inputs, 4, built.outputs)
    model = (
        wrong_adder
        if task == "add"
        else sa.Model(built, network, network.unpack(network.initial(rng)))
    )
    values = rng.integers(-50 if wide else 0, 50, (built.operands, 60)).tolist()
    values[0][7] = 10**5000
    if wide:
        values[1][8] = -(10**5000)
    found = model.predict(*values)
    assert found.wrong()
    assert text_lines(found) == [str(said) for said in found]
    assert json_lines(found) == [json.dumps(prediction_json(said)) for said in found]


# ------------------------------------------------------------- whole commands


def test_an_answer_comes_before_the_next_line(
    adder_file: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "seqarith", "predict", "--model", str(adder_file), "-"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, cwd=tmp_path,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        for a in range(3):
            process.stdin.write(b"%d 0x5\n" % a)
            process.stdin.flush()
            assert process.stdout.readline() == b"%d + 5 = %d\n" % (a, a + 5)
        process.stdin.write(b"1 1")  # and one that no line end follows
        process.stdin.close()
        assert process.stdout.read() == b"1 + 1 = 2\n"
    assert process.returncode == 0


def test_stdin_that_is_closed(
    adder_file: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    command = f'"{sys.executable}" -m seqarith predict --model "{adder_file}" - <&-'
    found = subprocess.run(
        ["sh", "-c", command],
        capture_output=True, text=True, env=environment, cwd=tmp_path, check=False,
    )  # fmt: skip
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr == "Error: stdin is closed; give operands or --input FILE\n"
