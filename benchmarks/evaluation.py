"""All 65,536 pairs of 8-bit operands through the default adder, against PyTorch and onnxruntime."""

from __future__ import annotations

import sidebyside  # isort: skip  # before NumPy: it takes one core

from collections.abc import Callable
from statistics import median

import torch
from peers.all_pairs import BITS, OnnxRuntime, PyTorch
from sidebyside import Fact, Figure, alternate

import seqarith as sa
from seqarith.evaluation.prefixes import is_exact

BATCHES = (256, 1024, 4096, 16_384, 65_536)
PAIRS = 4**BITS
CASE = "all 65,536 pairs"
TEXT = """The default adder, 16 tanh units, float32, in process. `sa.evaluate` counts right words
and digits, the smallest margin and errors by carry chain, and encodes the operands; `is_exact`,
which training uses, says yes or no. The peers are given the encoded words and the right digits,
work at the fastest of five batch sizes, and count right words."""


def repeated(work: Callable[[], int]) -> sidebyside.Run:
    """Return a run of work that must find every pair right."""

    def run(count: int) -> None:
        for _ in range(count):
            assert work() == PAIRS

    return run


def best(make: Callable[[int], PyTorch | OnnxRuntime]) -> tuple[int, sidebyside.Run]:
    """Return the batch size at which a peer is fastest, and its run."""
    runs = {batch: repeated(make(batch).correct) for batch in BATCHES}
    seconds = alternate({str(batch): run for batch, run in runs.items()}, rounds=3)
    fastest = min(runs, key=lambda batch: median(seconds[str(batch)]))
    return fastest, runs[fastest]


def measure() -> Figure:
    torch.set_num_threads(1)
    figure = Figure("Every pair of 8 bits", TEXT)
    model = sa.train("add", bits=BITS, seed=0).model
    program = model.program

    def counted() -> int:
        return sa.evaluate(model, BITS).correct

    def decided() -> int:
        return PAIRS if is_exact(model.task, program, BITS) else 0

    runs, remarks = {"seqarith, evaluate": repeated(counted)}, {}
    runs["seqarith, is_exact"] = repeated(decided)
    for name, kind in (("PyTorch", PyTorch), ("onnxruntime", OnnxRuntime)):
        batch, runs[name] = best(lambda batch, kind=kind: kind(model, batch))  # type: ignore[misc]
        remarks[name] = f"{batch:,} words at a time"
    figure.compare(CASE, runs, {"PyTorch": 5, "onnxruntime": 5}, remarks)
    ours = figure.rows[0].seconds
    assert ours is not None
    figure.note(Fact(f"`sa.evaluate`, {CASE}", 1000 * ours.middle, "ms", "at most 10"))
    return figure


if __name__ == "__main__":
    sidebyside.main("evaluation", measure)
