"""A thousand default adders, trained and proved: side by side against one by one."""

from __future__ import annotations

import sidebyside  # isort: skip  # before NumPy: it takes one core

import time

from sidebyside import Fact, Figure, Row, Spread

import seqarith as sa

SEEDS, TOGETHER = 1000, 16
TEXT = f"""`train_many("add", range({SEEDS}))`, {TOGETHER} networks side by side, against `train`
for each of the same seeds, a group of {TOGETHER} at a time in turn. Both end with a proof and a
count of all 65,536 pairs for each network; times are those of one network."""


def measure() -> Figure:
    figure = Figure("A thousand networks", TEXT)
    sa.train_many("add", range(2))
    together, alone, proved, steps = [], [], [0, 0], [0, 0]
    for start in range(0, SEEDS, TOGETHER):
        seeds = range(start, min(start + TOGETHER, SEEDS))
        begin = time.perf_counter()
        many = sa.train_many("add", seeds, together=TOGETHER)
        between = time.perf_counter()
        single = [sa.train("add", seed=seed) for seed in seeds]
        end = time.perf_counter()
        together.append((between - begin) / len(seeds))
        alone.append((end - between) / len(seeds))
        for i, results in enumerate((many, single)):
            proved[i] += sum(result.proved for result in results)
            steps[i] += sum(result.steps for result in results)
    ratio = Spread.of(a / b for a, b in zip(alone, together, strict=True))
    figure.add(Row("a default adder, proved", "side by side", Spread.of(together)))
    figure.add(Row("a default adder, proved", "one by one", Spread.of(alone), ratio))
    for i, name in enumerate(("side by side", "one by one")):
        figure.note(Fact(f"Proved of {SEEDS:,}, {name}", proved[i]))
        figure.note(Fact(f"Steps of a network, {name}, mean", steps[i] / SEEDS))
    return figure


if __name__ == "__main__":
    sidebyside.main("networks", measure)
