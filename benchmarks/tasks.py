"""Every finite-state task with default settings, and every cell: exact, proved, undecided.

Run: ``python benchmarks/tasks.py [--seeds 20] [--only WORD]``
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Iterator
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import seqarith as sa

PARAMETERS = {"scale": ("factor", (3, 5, 7, 10)), "divide": ("divisor", (3, 7, 10))}
PARAMETERS["mod"] = PARAMETERS["divide"]
CELLS: dict[str, dict[str, Any]] = {
    "elman tanh": {},
    "elman sigmoid": {"cell_options": {"activation": "sigmoid"}},
    "gru": {"cell": "gru"},
    "lstm": {"cell": "lstm"},
    "elman relu": {"cell_options": {"activation": "relu"}},
    "jordan": {"cell": "jordan"},
    "elman layers=2": {"layers": 2},
    "elman layers=3": {"layers": 3},
    "gru layers=2": {"cell": "gru", "layers": 2},
    "lstm layers=2": {"cell": "lstm", "layers": 2},
}


def rows() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield label, task and settings of every row."""
    for name in sa.registry.TASKS:
        if sa.registry.TASKS[name]().machine is None:
            continue
        key, values = PARAMETERS.get(name, ("", ()))
        for value in values:
            yield f"{name} {key}={value}", name, {"parameters": {key: value}}
        if not values:
            yield name, name, {}
    for operands in (3, 4, 5):
        yield f"add operands={operands}", "add", {"operands": operands}
    for name in ("add", "sub", "scale"):
        yield f"{name} base=10", name, {"base": 10, "bits": 3}
    for label, settings in CELLS.items():
        for name in ("add", "sub"):
            yield f"{name} {label}", name, settings


def row(label: str, task: str, settings: dict[str, Any], seeds: int) -> str:
    proved, exact, steps, seconds, hidden = 0, 0, [], [], 0
    for seed in range(seeds):
        start = time.perf_counter()
        result = sa.train(task, seed=seed, **settings)
        seconds.append(time.perf_counter() - start)
        hidden = result.model.network.hidden
        proved += result.proved
        exact += result.evaluation.exact
        if result.proved:
            assert isinstance(sa.verify(result.model), sa.Accepted)
            steps.append(result.steps)
    said = f"{statistics.median(steps):6,.0f} {max(steps):6,}" if steps else "     -      -"
    return (
        f"{label:24} {hidden:5}  {exact:3} {proved:6} {seeds - proved:6}   {said}   "
        f"{statistics.median(seconds):7.2f} {max(seconds):7.2f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--only", default="", help="rows whose label holds this")
    said = parser.parse_args()
    print("task                    hidden  exact proved   not      steps           seconds")
    print("                                                     median  worst    median   worst")
    for label, task, settings in rows():
        if said.only in label:
            print(row(label, task, settings, said.seeds), flush=True)
    if not said.only:
        for bits in (4, 5):
            model = sa.train("mul", bits=bits, max_steps=20_000).model
            found = sa.evaluate(model, bits)
            print(f"mul {bits} x {bits} bits: {found.correct} of {found.checked} pairs right")


if __name__ == "__main__":
    main()
