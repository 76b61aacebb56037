"""Words side by side, with what a machine has to emit for them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import final

import numpy as np
from numpy.typing import NDArray

from seqarith.machine import MealyMachine


@final
@dataclass(frozen=True, eq=False)
class Block:
    """Words with what a machine has to emit for them.

    Attributes:
        letters: The words, padded to one length, shape (T, N).
        expected: The right outputs, shape (T, N), or (1, N) where all that count are the same.
        first: For each word the first step whose output counts, shape (N,).
        results: What the function returned, N integers.
    """

    letters: NDArray[np.uint16]
    expected: NDArray[np.uint16]
    first: NDArray[np.intp]
    results: list[int] = field(repr=False)

    def wrong(self, machine: MealyMachine) -> tuple[int, int] | None:
        """Return step and column of a first wrong output of a machine; None where all are right."""
        differs = machine.run(self.letters) != self.expected
        differs &= np.arange(len(self.letters))[:, None] >= self.first
        if not differs.any():
            return None
        step = int(differs.any(axis=1).argmax())
        return step, int(differs[step].argmax())
