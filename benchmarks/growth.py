"""How time and memory grow with bits, hidden width, batch, and networks side by side."""

from __future__ import annotations

import sidebyside  # isort: skip  # before NumPy: it takes one core

import time
import tracemalloc
from dataclasses import dataclass, field
from math import log
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from sidebyside import Fact, Figure

import seqarith as sa
from seqarith.training.batched import BatchedNetworks
from seqarith.training.batches import SampledBatches

IMAGE = Path(__file__).parent.parent / "docs" / "images" / "growth.svg"
BASE: dict[str, int] = {"bits": 8, "hidden": 16, "batch_size": 64, "candidates": 1}
UPPER, ROUNDS, WORDS = 3, 5, 1000
TEXT = f"""A training step of an Elman network, float32, from 8 bits, 16 hidden units, a batch of
64 and one network, with one of these changed; and the evaluation of {WORDS:,} random operand
pairs. Memory is what is allocated for the buffers of a step, and the most that an evaluation
holds. The exponent is that of the power of the changed size through the upper {UPPER} points of
the curve; *at most* is what the mathematics says: the recurrent product is quadratic in the hidden
width, all else linear."""


@dataclass(frozen=True)
class Sweep:
    """One size that changes.

    Attributes:
        label: Its name in words.
        setting: Of `TrainingConfig`.
        sizes: Its values.
        most: The exponent that the mathematics allows.
        evaluated: Whether evaluation is measured too.
    """

    label: str
    setting: str
    sizes: tuple[int, ...]
    most: int = 1
    evaluated: bool = False


SWEEPS = (
    Sweep("bits", "bits", (8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096), evaluated=True),
    Sweep("hidden units", "hidden", (4, 8, 16, 32, 64, 128, 256), most=2, evaluated=True),
    Sweep("batch", "batch_size", (1, 4, 16, 64, 256, 1024, 4096)),
    Sweep("networks side by side", "candidates", (1, 4, 16, 64, 256)),
)


@dataclass
class Curve:
    """Seconds and bytes at every size."""

    label: str
    seconds: list[float] = field(default_factory=list)
    memory: list[int] = field(default_factory=list)


def best(work: Any) -> float:
    """Return the least seconds of some rounds."""
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def held(work: Any) -> int:
    """Return the most bytes that work allocates."""
    tracemalloc.start()
    kept = work()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    del kept
    return most


def training_step(settings: dict[str, int]) -> tuple[float, int]:
    """Return seconds and bytes of a step."""
    config = sa.TrainingConfig(goal="steps", **settings)  # type: ignore[arg-type]
    inputs, targets = (a.copy() for a in SampledBatches(config)(0))

    def build() -> Any:
        stack = BatchedNetworks(config)
        stack.initialise(0)
        return stack, stack.over(config.bits + 1, config.batch)

    memory = held(build)
    stack, both = build()

    def step() -> None:
        both.run(inputs, targets)
        stack.update(1e-3, 1)

    step()
    return best(step), memory


def evaluation(settings: dict[str, int]) -> tuple[float, int]:
    """Return seconds and bytes of an evaluation."""
    config = sa.TrainingConfig(goal="steps", **settings)  # type: ignore[arg-type]
    drawn = config.network.initial(np.random.default_rng(0))
    model = sa.Model(config.built_task, config.network, config.network.unpack(drawn), {})

    def evaluate() -> Any:
        return sa.evaluate(model, config.bits, samples=WORDS)

    return best(evaluate), held(evaluate)


def exponent(sizes: tuple[int, ...], values: list[Any]) -> float:
    """Return the slope of the values over the upper sizes, both as logarithms."""
    x, y = ([log(v) for v in numbers[-UPPER:]] for numbers in (sizes, values))
    return float(np.polyfit(x, y, 1)[0])


def draw(curves: list[tuple[Sweep, list[Curve]]]) -> None:
    """Draw time above memory, a column for each size; the same bytes for the same numbers."""
    mpl.use("svg")
    mpl.rcParams |= {"svg.hashsalt": "growth", "svg.fonttype": "none"}
    from matplotlib import pyplot as plt  # noqa: PLC0415 # after the choice of the back end

    figure, axes = plt.subplots(2, len(curves), figsize=(12, 5.5), sharex="col", sharey="row")
    for column, (sweep, lines) in zip(axes.T, curves, strict=True):
        for line in lines:
            column[0].loglog(sweep.sizes, line.seconds, "o-", label=line.label, markersize=3)
            column[1].loglog(sweep.sizes, np.array(line.memory) / 2**20, "o-", markersize=3)
        column[1].set_xlabel(sweep.label)
    axes[0, 0].set_ylabel("seconds")
    axes[1, 0].set_ylabel("MiB")
    axes[0, 0].legend(frameon=False, fontsize="small")
    for ax in axes.ravel():
        ax.grid(alpha=0.3)
        ax.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    IMAGE.parent.mkdir(exist_ok=True)
    figure.savefig(IMAGE, metadata={"Date": None})


def measure() -> Figure:
    figure = Figure("Growth", TEXT, image="images/growth.svg")
    drawn = []
    for sweep in SWEEPS:
        work = {"training step": training_step}
        if sweep.evaluated:
            work["evaluation"] = evaluation
        lines = [Curve(name) for name in work]
        for size in sweep.sizes:
            for line in lines:
                seconds, memory = work[line.label]({**BASE, sweep.setting: size})
                line.seconds.append(seconds)
                line.memory.append(memory)
        for line in lines:
            for what, values in (("time", line.seconds), ("memory", line.memory)):
                power = exponent(sweep.sizes, values)
                said = f"{line.label}, {what}: exponent of {sweep.label}"
                figure.note(Fact(said, power, wanted=f"at most {sweep.most}"))
        drawn.append((sweep, lines))
    draw(drawn)
    return figure


if __name__ == "__main__":
    sidebyside.main("growth", measure)
