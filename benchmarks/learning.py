"""Train 100 seeds of the default adder and subtractor, and count those that are exact."""

import os

for _variable in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

import argparse
import time
from statistics import median

import seqarith as sa


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=100)
    seeds = parser.parse_args().seeds
    print("task  exact on all pairs  steps: median, worst  seconds: median, worst")
    for task in ("add", "sub"):
        steps, seconds, exact = [], [], 0
        for seed in range(seeds):
            start = time.perf_counter()
            result = sa.train(task, bits=8, seed=seed)
            seconds.append(time.perf_counter() - start)
            steps.append(result.steps)
            exact += result.evaluation.exact and result.evaluation.mode == "exhaustive"
        print(
            f"{task}   {exact} of {seeds}   {median(steps):.0f}, {max(steps)}   "
            f"{median(seconds):.3f}, {max(seconds):.3f}"
        )


if __name__ == "__main__":
    main()
