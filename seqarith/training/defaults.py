"""Default hyperparameters for a task and for a network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from seqarith.cells.cell import Cell
from seqarith.cells.elman import Elman
from seqarith.tasks.task import Task

# Chosen by measurement, see ``benchmarks/proofs.py`` and "Networks are trained to be provable" in
# docs/design.md: with noise alone, networks of 64 units were rarely proved.
NOISE, SYNCHRONY = 0.3, 1.0
MOST_RATE = 0.1
NARROW = 8  # hidden units up to which the patience depends on the width
PATIENCE_A_UNIT, PATIENCE = 100, 2500
RELU_RATE, RELU_SYNCHRONY, RELU_PATIENCE = 0.64, 4.0, 300
"""Unbounded units diverge sooner, are harder to prove, and learn soon or never."""


@final
@dataclass(frozen=True)
class TaskDefaults:
    """Sizes of a network and its batches for a task.

    Attributes:
        hidden: Hidden units.
        batch: Words per step.
        rate: Learning rate of Adam, times the hidden units.
    """

    hidden: int
    batch: int
    rate: float


def task_defaults(task: Task) -> TaskDefaults:
    """Return the default sizes for a task.

    They grow with the number of states of the machine times the number of letters. A task without a
    machine gets the largest.
    """
    machine = task.machine
    if machine is None:
        return TaskDefaults(hidden=64, batch=256, rate=0.5)
    if machine.states <= 2 and machine.letters <= 4:
        return TaskDefaults(hidden=16, batch=64, rate=1.0)
    if machine.states * machine.letters <= 12:
        return TaskDefaults(hidden=32, batch=128, rate=1.0)
    if machine.states * machine.letters <= 32:
        return TaskDefaults(hidden=48, batch=256, rate=0.5)
    return TaskDefaults(hidden=64, batch=256, rate=1.0)


@final
@dataclass(frozen=True)
class NetworkDefaults:
    """Settings of training for a network.

    Attributes:
        rate: Learning rate of Adam.
        noise: See `seqarith.training.regularizers`.
        synchrony: See there.
        patience: Steps without success after which training restarts from other weights.
    """

    rate: float
    noise: float
    synchrony: float
    patience: int


def network_defaults(cell: Cell, hidden: int, sizes: TaskDefaults) -> NetworkDefaults:
    """Return the default settings for a cell of a width.

    They were found by measurement (``benchmarks/proofs.py``). Noise and synchrony follow the
    half-width of the range of the hidden units: 1 for tanh, 1/2 for the sigmoid. Narrow networks
    tolerate less noise. They also get stuck more often, so they restart sooner.
    """
    activation = getattr(cell, "activation", "tanh")
    half_width = 0.5 if activation == "sigmoid" else 1.0
    noise = NOISE * half_width * min(1.0, hidden / 6)
    if activation == "relu":
        return NetworkDefaults(
            RELU_RATE * sizes.rate / hidden, noise, RELU_SYNCHRONY, RELU_PATIENCE
        )
    return NetworkDefaults(
        rate=min(MOST_RATE, sizes.rate / (half_width * hidden)),
        noise=noise,
        synchrony=SYNCHRONY / half_width**2,
        patience=PATIENCE_A_UNIT * hidden if hidden <= NARROW else PATIENCE,
    )


CARRYING = ("add", "sub", "linear")
FEW_LETTERS, MOST_BOXES = 8, 2**12
"""Interval training is for more letters than this, and at most this many boxes."""


def trains_on_intervals(task: Task, cell: Cell) -> bool:
    """Return whether a network is trained on intervals of the machine itself by default.

    That is for tasks with a carry and many letters: then units that hold only the carry are hard to
    learn from words. Comparisons and maxima were not proved in this way.
    """
    machine = task.machine
    return (
        machine is not None
        and isinstance(cell, Elman)
        and cell.activation == "tanh"
        and task.name in CARRYING
        and not task.own
        and task.delay == 0
        and task.letters > FEW_LETTERS
        and machine.states * task.letters <= MOST_BOXES
    )
