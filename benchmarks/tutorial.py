"""Time the tutorial's 10,000 iterations against a loop written as the tutorial writes it."""

from __future__ import annotations

import sidebyside  # isort: skip  # before NumPy: it takes one core

from collections.abc import Callable
from itertools import islice
from time import perf_counter
from typing import Any

import numpy as np
from peers.tutorial_loop import plain_loop
from sidebyside import Fact, Figure, Row, Spread

import seqarith as sa

SEEDS, ITERATIONS = 5, 10_000
CASE = "the tutorial's 10,000 iterations"
TEXT = """The tutorial of 2015 as it is written, operation for operation, and `--preset tutorial`:
another seed each round, in float64, and the same weights at the end."""


def theirs(seed: int) -> dict[str, np.ndarray[Any, Any]]:
    """Train as the tutorial does."""
    *_, weights = islice(plain_loop(seed), ITERATIONS)
    return weights


def ours(seed: int) -> dict[str, np.ndarray[Any, Any]]:
    """Train with seqarith."""
    model = sa.Trainer(sa.tutorial_config(seed, ITERATIONS)).run().model
    arrays = model.network.export(model.parameters)
    return {
        "input": arrays["rnn.weight_ih_l0"].T,
        "hidden": arrays["rnn.weight_hh_l0"].T,
        "output": arrays["readout.weight"].T,
    }


def timed(work: Callable[[int], Any], seed: int) -> tuple[float, Any]:
    """Return the seconds of some work, and its result."""
    start = perf_counter()
    result = work(seed)
    return perf_counter() - start, result


def measure() -> Figure:
    figure = Figure("The tutorial", TEXT)
    ours_seconds, their_seconds, apart = [], [], 0.0
    for seed in range(SEEDS):
        mine, found = timed(ours, seed)
        their, expected = timed(theirs, seed)
        ours_seconds.append(mine)
        their_seconds.append(their)
        apart = max(apart, *(float(np.abs(found[k] - expected[k]).max()) for k in expected))
    ratio = Spread.of(a / b for a, b in zip(their_seconds, ours_seconds, strict=True))
    figure.add(Row(CASE, "seqarith", Spread.of(ours_seconds)))
    figure.add(Row(CASE, "the tutorial's loop", Spread.of(their_seconds), ratio, wanted=8))
    figure.note(Fact("Greatest difference between the weights", apart, wanted="at most 1e-9"))
    return figure


if __name__ == "__main__":
    sidebyside.main("tutorial", measure)
