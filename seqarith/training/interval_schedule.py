"""How fast networks learn in `seqarith.training.interval_training`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from seqarith.machine import MealyMachine

FEW_STATES = 4


@final
@dataclass(frozen=True)
class IntervalSchedule:
    """Settings that fit a machine.

    Attributes:
        steps: Steps that the gradient goes back.
        rate: Learning rate of Adam.
        least: Part of the learning rate that is left at the end of an attempt.
        shrinkage: Of recurrent weights, by the spread of what they read; a part of the rate.
        burst: Margin below which boxes have burst.
        patience: Steps after which a run without success begins anew.
    """

    steps: int
    rate: float
    least: float
    shrinkage: float
    burst: float
    patience: int

    def fading(self, step: int, patience: int) -> float:
        """Return the part of the learning rate at a step of an attempt of so many, 0 for no end.

        Large weights overshoot: a unit that others have come to rely on flips, and all is lost.
        """
        return max(self.least, 1 - step / patience) if patience else 1.0


FAST = IntervalSchedule(
    steps=4, rate=0.01, least=0.05, shrinkage=0.2, burst=float("-inf"), patience=1250
)
CAREFUL = IntervalSchedule(
    steps=8, rate=0.0075, least=1.0, shrinkage=0.1, burst=-3.0, patience=1250
)


def pace(machine: MealyMachine) -> IntervalSchedule:
    """Return settings for a machine.

    The gradient has to go back further where boxes feed one another: it sees them grow. Where steps
    that overshoot are undone the rate need not fade.
    """
    return FAST if machine.states <= FEW_STATES else CAREFUL
