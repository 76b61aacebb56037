"""Passes that are derived from a step against those that were written by hand, by turns.

Run: ``python benchmarks/derived.py``

For each cell that has passes of its own: a forward and a backward pass over one batch, both ways,
on the shapes of ``training_step.py``. The contract is a factor of 2.
"""

from __future__ import annotations

import os
import time
from statistics import median

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from seqarith.cells.tapes.derived import DerivedTraining
from seqarith.network import Network
from seqarith.network.unroll import Unroll
from seqarith.registry import CELLS

SHAPES = ((1, 8, 16), (64, 9, 16), (256, 9, 32), (64, 9, 64), (256, 17, 64))
"""Words, steps, hidden units."""
ROUNDS = 15


def passes(name: str, batch: int, steps: int, hidden: int, *, derived: bool) -> Unroll:
    """Return a network unrolled over words, with the passes of one kind."""
    network = Network(CELLS[name](), 2, hidden, 1)
    if derived:
        training = DerivedTraining(network.cell, network.sizes, 1, network.step)
        network.__dict__["training"] = training
    kernels = network.initial(np.random.default_rng(0))
    unroll = Unroll(network, kernels, network.trainable(), steps, batch)
    unroll.inputs[...] = np.random.default_rng(1).integers(2, size=(steps, batch, 2))
    unroll.logit_gradient[...] = 1e-3
    return unroll


def seconds(unroll: Unroll, repeats: int) -> float:
    """Return the time of a forward and a backward pass."""
    start = time.perf_counter()
    for _ in range(repeats):
        _, backward = unroll.forward()
        backward()
    return (time.perf_counter() - start) / repeats


def main() -> None:
    print("cell    words steps units   by hand   derived  ratio")
    for name in ("elman", "gru", "lstm"):
        for shape in SHAPES:
            both = [passes(name, *shape, derived=derived) for derived in (False, True)]
            repeats = max(2, int(2e6 / np.prod(shape)))
            pairs = [[seconds(each, repeats) for each in both] for _ in range(ROUNDS)]
            hand, derived = (median(column) for column in zip(*pairs, strict=True))
            ratio = median(b / a for a, b in pairs)
            print(
                f"{name:6} {shape[0]:6} {shape[1]:5} {shape[2]:5} "
                f"{hand * 1e6:8.0f}us {derived * 1e6:8.0f}us {ratio:6.2f}"
            )


if __name__ == "__main__":
    main()
