"""All 2^32 pairs of 16-bit operands, as a whole command, on every core."""

from __future__ import annotations

import os

CORES = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None

import sidebyside  # isort: skip  # before NumPy: it takes one core, which is given back below

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sidebyside import Fact, Figure

import seqarith as sa

BITS = 16
TEXT = """`seqarith eval model.npz --bits 16 --exhaustive` as a whole command, on every core: a
default adder, 16 tanh units, float32. Memory is that of all its processes together, at most."""


def resident(session: int) -> int:
    """Return the bytes of memory that the processes of a session hold."""
    total = 0
    for place in Path("/proc").glob("[0-9]*"):
        try:
            fields = (place / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # it has ended meanwhile
            continue
        if int(fields[3]) == session:
            total += int(fields[21]) * os.sysconf("SC_PAGE_SIZE")
    return total


def measure() -> Figure:
    if CORES:
        os.sched_setaffinity(0, CORES)
    figure = Figure("Every pair of 16 bits", TEXT)
    with tempfile.TemporaryDirectory() as folder:
        sa.train("add", seed=0).model.save(Path(folder) / "model.npz")
        command = ["eval", "model.npz", "--bits", str(BITS), "--exhaustive"]
        start, most = time.perf_counter(), 0
        running = subprocess.Popen(
            [sys.executable, "-m", "seqarith", *command],
            cwd=folder, stdout=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        while running.poll() is None:
            most = max(most, resident(running.pid))
            time.sleep(0.1)
        seconds = time.perf_counter() - start
        said = running.communicate()[0]
    assert f"all {4**BITS:,} pairs" in said
    assert running.returncode == 0
    figure.note(Fact("Pairs", 4**BITS))
    figure.note(Fact("Cores", len(CORES) if CORES else os.cpu_count() or 1))
    figure.note(Fact("Whole command", seconds, "s", "under 180"))
    figure.note(Fact("A pair, on one core", 1e9 * seconds * len(CORES or [0]) / 4**BITS, "ns"))
    figure.note(Fact("Memory of all processes", most / 1e6, "MB", "under 300"))
    return figure


if __name__ == "__main__":
    sidebyside.main("exhaustive", measure)
