"""How many runs of `train` end with a proof, for both tasks and many shapes of network.

Run: ``python benchmarks/proofs.py [--seeds 20] [--all]``
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from itertools import product

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import seqarith as sa


def measure(seeds: int, **settings: object) -> str:
    """Return a line on ``seeds`` runs with these settings."""
    steps, seconds, proved, exact = [], [], 0, 0
    for seed in range(seeds):
        start = time.perf_counter()
        result = sa.train(seed=seed, **settings)
        seconds.append(time.perf_counter() - start)
        known = result.evaluation
        exact += known.exact and known.mode == "exhaustive"
        if result.proved:
            assert isinstance(sa.verify(result.model), sa.Accepted)
            proved += 1
            steps.append(result.steps)
    spent = f"{statistics.median(steps):6,.0f} {max(steps):6,}" if steps else "     -      -"
    return (
        f"{exact:5} {proved:4} of {seeds:<4} {spent}   "
        f"{statistics.median(seconds):7.3f} {max(seconds):7.3f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=0, help="default: 100, or 20 with --all")
    parser.add_argument("--all", action="store_true", help="widths, activations and dtypes")
    said = parser.parse_args()
    print("task  hidden  activation  dtype    exact   proved       steps          seconds")
    print("                                                    median  worst   median   worst")
    grid = product((3, 4, 8, 16, 32), ("tanh", "sigmoid"), ("float32", "float64"))
    shapes = list(grid) if said.all else [(16, "tanh", "float32")]
    for (hidden, activation, dtype), task in product(shapes, ("add", "sub")):
        line = measure(
            said.seeds or (20 if said.all else 100),
            task=task,
            hidden=hidden,
            cell_options={"activation": activation},
            dtype=dtype,
        )
        print(f"{task:5} {hidden:6}  {activation:10}  {dtype}  {line}", flush=True)


if __name__ == "__main__":
    main()
