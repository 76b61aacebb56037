"""The schedule of interval training, see `seqarith.training.interval_training`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from seqarith.machine import MealyMachine

FEW_STATES = 4


@final
@dataclass(frozen=True)
class IntervalSchedule:
    """Settings of interval training for a machine.

    Attributes:
        steps: Steps through which the gradient is propagated back.
        rate: Learning rate of Adam.
        least: Factor of the learning rate at the end of an attempt.
        shrinkage: Decay of recurrent weights, relative to the learning rate and to the spread of
            the units that they read.
        burst: Margin below which boxes have burst.
        patience: Steps without success after which training restarts.
    """

    steps: int
    rate: float
    least: float
    shrinkage: float
    burst: float
    patience: int

    def decay(self, step: int, patience: int) -> float:
        """Return the factor of the learning rate at a step of an attempt of ``patience`` steps.

        With patience 0 it is 1. The rate decays because large weights overshoot: a unit on which
        others depend flips, and all is lost.
        """
        return max(self.least, 1 - step / patience) if patience else 1.0


FAST = IntervalSchedule(
    steps=4, rate=0.01, least=0.05, shrinkage=0.2, burst=float("-inf"), patience=1250
)
CAREFUL = IntervalSchedule(
    steps=8, rate=0.0075, least=1.0, shrinkage=0.1, burst=-3.0, patience=1250
)


def schedule_of(machine: MealyMachine) -> IntervalSchedule:
    """Return the schedule for a machine.

    With many states boxes feed one another, so the gradient goes back further, to see them grow.
    Steps that overshoot are undone, so the rate need not decay.
    """
    return FAST if machine.states <= FEW_STATES else CAREFUL
