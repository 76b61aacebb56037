"""Time `seqarith predict` over a file of pairs, and what its time is spent on."""

from __future__ import annotations

import sidebyside  # isort: skip  # before NumPy: it takes one core

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from sidebyside import Fact, Figure, Row, Spread

from seqarith import Model
from seqarith.cli.batch_output import text_lines
from seqarith.cli.operands import operand_blocks

PAIRS, BITS, RUNS = 1_000_000, 32, 5
PARTS = ("parsing", "network", "formatting")
TEXT = f"""`seqarith predict --input FILE` as a whole command: {PAIRS:,} pairs of {BITS} bits, one
a line, with the adder that comes with the package (float64). *Shares* are those of the work in one
process; the network's includes digits and what is right."""


def write_pairs(path: Path, count: int, bits: int) -> None:
    rng = np.random.default_rng(0)
    with path.open("w") as file:
        for start in range(0, count, 2**16):
            pairs = rng.integers(0, 2**bits, (min(2**16, count - start), 2))
            file.write("".join(f"{a} {b}\n" for a, b in pairs.tolist()))


def command(path: Path, as_json: bool = False, piped: bool = False) -> tuple[float, float]:
    """Return seconds and greatest memory, in MB, of a whole command."""
    arguments = ["predict", *(["-"] if piped else ["--input", str(path)]), *["--json"] * as_json]
    source = subprocess.Popen(["cat", str(path)], stdout=subprocess.PIPE) if piped else None
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "seqarith", *arguments],
        stdin=source.stdout if source else subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=path.parent,
        env=environment,
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    if source:
        source.communicate()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"the command ended with {process.returncode}")
    return seconds, usage.ru_maxrss / 1024


def shares(path: Path) -> dict[str, float]:
    """Return the seconds that each part of the work takes, in this process."""
    model = Model.shipped("add")
    spent = dict.fromkeys(PARTS, 0.0)
    with path.open("rb") as file:
        blocks = operand_blocks(file, model.task, path.name)
        clock = time.perf_counter
        start = clock()
        for operands in blocks:
            parsed = clock()
            answers = model.predict(*operands)
            answered = clock()
            "\n".join(text_lines(answers))
            end = clock()
            for part, seconds in zip(
                PARTS, (parsed - start, answered - parsed, end - answered), strict=True
            ):
                spent[part] += seconds
            start = clock()
    return spent


def measure() -> Figure:
    figure = Figure("A million pairs", TEXT)
    with tempfile.TemporaryDirectory() as folder:
        few, many = Path(folder) / "few", Path(folder) / "many"
        write_pairs(few, PAIRS // 10, BITS)
        write_pairs(many, PAIRS, BITS)
        ways: list[tuple[str, Path, dict[str, Any]]] = [
            ("--input, a tenth of the pairs", few, {}),
            ("--input", many, {}),
            ("--input --json", many, {"as_json": True}),
            ("from a pipe", many, {"piped": True}),
        ]
        for name, path, how in ways:
            found = [command(path, **how) for _ in range(RUNS)]
            seconds = Spread.of(each for each, _ in found)
            figure.add(Row("seqarith predict", name, seconds))
            rate = (PAIRS // 10 if path == few else PAIRS) / seconds.middle
            figure.note(Fact(f"{name}: pairs a second", rate))
            figure.note(Fact(f"{name}: memory at most", max(mb for _, mb in found), "MB"))
        timed = [shares(many) for _ in range(RUNS)]
    parts = {part: median(each[part] for each in timed) for part in PARTS}
    for part, spent in parts.items():
        figure.note(Fact(f"Share of {part}", 100 * spent / sum(parts.values()), "%"))
    return figure


if __name__ == "__main__":
    sidebyside.main("batch", measure)
