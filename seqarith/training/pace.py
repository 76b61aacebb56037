"""How networks that learn from clouds go about it; see `seqarith.training.clouds`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from seqarith.machine import MealyMachine

FEW_STATES = 4


@final
@dataclass(frozen=True)
class Pace:
    """Settings that fit a machine.

    Attributes:
        steps: Steps that the gradient goes back.
        rate: Learning rate of Adam.
        shrinkage: Of recurrent weights, by the spread of what they read: a part of the rate.
        burst: Margin below which boxes count as burst: the step is undone, not learnt from.
        patience: Steps after which a run without success begins anew.
    """

    steps: int
    rate: float
    shrinkage: float
    burst: float
    patience: int


def pace(machine: MealyMachine) -> Pace:
    """Return settings for a machine.

    With many states boxes feed one another: at some level they grow from step to step until all
    units may be anything. Nothing is to be learnt there but how to be small everywhere.
    """
    if machine.states <= FEW_STATES:
        return Pace(steps=4, rate=0.01, shrinkage=0.2, burst=float("-inf"), patience=1250)
    return Pace(steps=8, rate=0.005, shrinkage=0.1, burst=-3.0, patience=1500)
