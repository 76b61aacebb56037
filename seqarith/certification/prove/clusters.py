"""Modes: clusters of hidden vectors that stay apart though the machine's state is the same."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seqarith.certification.kernel.program import FloatArray
from seqarith.certification.prove.dynamics import Dynamics


class Test(NamedTuple):
    """Part hidden vectors by one unit, as it is after some more letters."""

    letters: tuple[int, ...]
    unit: int
    threshold: float

    def side(self, cell: Dynamics, h: FloatArray) -> NDArray[np.bool_]:
        """Say which vectors (N, H) come to lie above the threshold."""
        for a in self.letters:
            h = cell.points(h, np.full(len(h), a))
        above: NDArray[np.bool_] = h[:, self.unit] > self.threshold
        return above

    def after(self, letter: int) -> "Test":
        """Give the test that parts vectors a letter earlier as this one parts their images."""
        return Test((letter, *self.letters), self.unit, self.threshold)


def widest_gap(h: FloatArray) -> tuple[Test, float]:
    """Part vectors (N, H), N > 1, where they are farthest apart in one unit; give the gap, too."""
    ordered = np.sort(h, 0)
    gaps = np.diff(ordered, axis=0)
    n, unit = np.unravel_index(gaps.argmax(), gaps.shape)
    middle = (ordered[n, unit] + ordered[n + 1, unit]) * 0.5
    return Test((), int(unit), float(middle)), float(gaps[n, unit])


def half_width(h: FloatArray) -> float:
    """Give the largest half-width of vectors (N, H) in any unit."""
    return float((h.max(0) - h.min(0)).max() * 0.5)
