"""Whole commands: training to the proof against imports, PyTorch, and the tutorial's loop."""

from __future__ import annotations

import sidebyside  # isort: skip  # before NumPy: it takes one core

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sidebyside import Figure, Row, Spread

PEERS = Path(__file__).with_name("peers")
OURS = "seqarith train add --bits 8"
COMMANDS = {
    OURS: ["-m", "seqarith", "train", "add", "--bits", "8", "--seed", "SEED"],
    'python -c "import numpy, click"': ["-c", "import numpy, click"],
    "PyTorch script, to exactness": [str(PEERS / "train_pytorch.py"), "SEED"],
    "the tutorial's loop, to exactness": [str(PEERS / "tutorial_loop.py"), "SEED"],
}
WANTED = dict(zip(list(COMMANDS)[1:], (0.5, 10, 20), strict=True))
ROUNDS = 9
TEXT = """Commands from their start to their end, each round with another seed. Ours trains until
the network is proved right at every width, and saves it; the PyTorch script
(`benchmarks/peers/train_pytorch.py`) trains 16 tanh units with the same batch and rate until all
pairs of 8 bits come out right; the tutorial's loop runs until all pairs of its 7 bits do. For the
bare imports the ratio is below 1: at least 0.5 means that the command takes at most twice their
time."""


def seconds(arguments: list[str], seed: int, folder: str) -> float:
    """Return how long a command takes."""
    # Compiled modules are kept, as everywhere: otherwise the sources would be compiled every time.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, *(a.replace("SEED", str(seed)) for a in arguments)]
    start = time.perf_counter()
    subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=True)
    return time.perf_counter() - start


def measure() -> Figure:
    figure = Figure("A whole command", TEXT)
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(-1, ROUNDS):  # the first round fills the file cache and is not counted
            for name, arguments in COMMANDS.items():
                times[name].append(seconds(arguments, max(seed, 0), folder))
    ours = times[OURS][1:]
    for name, all_times in times.items():
        counted = all_times[1:]
        ratio = (
            None if name == OURS else Spread.of(a / b for a, b in zip(counted, ours, strict=True))
        )
        figure.add(Row("8-bit sums", name, Spread.of(counted), ratio, WANTED.get(name)))
    return figure


if __name__ == "__main__":
    sidebyside.main("whole_command", measure)
