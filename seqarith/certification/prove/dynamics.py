"""A program's step as the search sees it: on points, boxes, zonotopes, and its derivatives.

Fast and nearly sound: rounding is answered by a small slack, since the checker has the last word.
Letters are an axis: a step under every letter is one call.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from seqarith.cells.domains.derivatives import Derivatives
from seqarith.cells.domains.floats import FloatStep
from seqarith.cells.domains.intervals import Intervals
from seqarith.cells.recording import Step
from seqarith.certification.kernel.forms import Forms
from seqarith.certification.kernel.program import FloatArray, IntArray, Program
from seqarith.certification.kernel.step import Step as SetStep
from seqarith.certification.kernel.wellformed import MIN_TANH_ULPS

LARGEST = 2.0**20
SAFETY = 1e-9  # far above the checker's own rounding, far below any region
PAD = 1e-12  # above the rounding of NumPy's tanh


class Zonotopes(NamedTuple):
    """Hold ``{c + t @ g + e * s : |t|, |s| <= 1}`` for N sets: c (N, M), g (N, G, M), e (N, M)."""

    c: FloatArray
    g: FloatArray
    e: FloatArray

    def take(self, n: IntArray | NDArray[np.bool_] | slice) -> Zonotopes:
        """Select some of the sets."""
        return Zonotopes(self.c[n], self.g[n], self.e[n])

    def radius(self) -> FloatArray:
        """Give the half-width of each set in each unit (N, M)."""
        radius: FloatArray = np.abs(self.g).sum(1) + self.e
        return radius

    def reduced(self, order: int) -> Zonotopes:
        """Join the smallest generators into the box, so that at most ``order`` stay."""
        if self.g.shape[1] <= order:
            return self
        rank = np.argsort(-np.abs(self.g).sum(2), 1, kind="stable")[:, :, None]
        rest = np.abs(np.take_along_axis(self.g, rank[:, order:], 1)).sum(1)
        return Zonotopes(self.c, np.take_along_axis(self.g, rank[:, :order], 1), self.e + rest)


@final
class Dynamics:
    """One recurrence, seen by the search.

    Args:
        program: The program; its step is computed in float64 here.
    """

    def __init__(self, program: Program) -> None:
        self._program, self._letters = program, range(program.letters)
        shapes = {name: array.shape for name, array in program.arrays.items()}
        self._step = Step(program.step, shapes, program.inputs.shape[1], program.memory)
        self._arrays = {name: array.astype(float) for name, array in program.arrays.items()}
        self._vectors = program.inputs.astype(float)
        self._unit = float(np.finfo(program.start.dtype).eps) / 2

    # Each is made when it is asked for: boxes alone are tried every few steps of training.

    @cached_property
    def _floats(self) -> FloatStep:
        return FloatStep(self._step, self._arrays, self._vectors)

    @cached_property
    def _derivatives(self) -> Derivatives:
        return Derivatives(self._step, self._arrays, self._vectors)

    @cached_property
    def _intervals(self) -> Intervals:
        return Intervals(self._step, self._arrays, self._vectors, 2 * self._unit, SAFETY)

    @cached_property
    def _sets(self) -> SetStep:
        forms = Forms(dict(self._program.arrays), MIN_TANH_ULPS, self._unit, relax_tanh)
        forms.limit = None  # what overflows is lost, see `induction`
        return SetStep(self._program.step, self._vectors, forms)

    def points(self, h: FloatArray, letters: IntArray) -> FloatArray:
        """Step memories (N, M) under their letters (N,)."""
        return self._floats.step(h, letters)

    def boxes(self, lo: FloatArray, hi: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Enclose the images of boxes (N, M) under every letter: bounds (N, A, M)."""
        return self._intervals.boxes(lo, hi)

    def zonotopes(self, z: Zonotopes) -> list[Zonotopes]:
        """Enclose the images of zonotopes under every letter, as the checker does."""
        with np.errstate(all="ignore"):
            found = self._sets.steps(self._sets.spread(z.c, z.g, z.e), self._letters)
        return [Zonotopes(s.c, s.g, s.e) for s in found]

    def jacobians(self, h: FloatArray, letters: IntArray) -> FloatArray:
        """Differentiate ``points``: (N, M, M), entry [n, i, j] that of number i by number j."""
        return self._derivatives.jacobians(h, letters)


def relax_tanh(lo: FloatArray, hi: FloatArray) -> tuple[FloatArray, ...]:
    """Enclose tanh on [lo, hi] between two parallels to the chord: least area.

    Returns:
        slope, low, high with ``slope * x + low <= tanh(x) <= slope * x + high`` on the interval,
        and bounds of tanh itself.

    Source: Singh et al., Fast and effective robustness certification, 2018 (DeepZ), which takes the
        least slope of the two ends instead; the chord's offsets come from the points where the
        derivative equals the slope.
    """
    t_lo, t_hi = np.tanh(lo), np.tanh(hi)
    slope = np.clip((t_hi - t_lo) / np.maximum(hi - lo, 1e-300), 1e-12, 1.0)
    s = np.sqrt(1 - slope)
    touch = np.arctanh(s)
    bump = s - slope * touch
    at_lo, at_hi = t_lo - slope * lo, t_hi - slope * hi
    high = np.where((lo < touch) & (touch < hi), bump, np.maximum(at_lo, at_hi))
    low = np.where((lo < -touch) & (-touch < hi), -bump, np.minimum(at_lo, at_hi))
    return slope, low - PAD, high + PAD, t_lo - PAD, t_hi + PAD


@final
class Readout:
    """Measure the worst margin of the digit that is due, over sets of hidden vectors."""

    def __init__(self, program: Program) -> None:
        w = program.readout_weight.astype(float)
        b = program.readout_bias.astype(float) - program.threshold
        w = np.append(w, np.zeros((len(w), program.memory - program.hidden)), 1)
        if len(w) == 1:
            rows, offsets = np.stack((-w, w)), np.stack((-b, b))
        else:
            others = np.array([[j for j in range(len(w)) if j != k] for k in range(len(w))])
            rows, offsets = w[:, None] - w[others], b[:, None] - b[others]
        # The digit beyond the last is any digit at all, which is never wrong.
        self.rows = np.append(rows, np.zeros_like(rows[:1]), 0)
        self.offsets = np.append(offsets, np.full_like(offsets[:1], LARGEST), 0)
        unit = float(np.finfo(program.start.dtype).eps)
        self.slack = (
            4 * (w.shape[1] + 4) * unit * float((np.abs(w).sum(1) + np.abs(b)).max()) + SAFETY
        )

    def of_boxes(self, digits: IntArray) -> Callable[[FloatArray, FloatArray], FloatArray]:
        """Return what gives the worst margin (...) of digits (...) over boxes (..., M)."""
        half, offsets = 0.5 * self.rows[digits], self.offsets[digits] - self.slack
        size, sums = np.abs(half), "...h,...mh->...m"

        def margins(lo: FloatArray, hi: FloatArray) -> FloatArray:
            found = np.einsum(sums, lo + hi, half) - np.einsum(sums, hi - lo, size)
            least: FloatArray = (found + offsets).min(-1)
            return least

        return margins

    def zonotopes(self, z: Zonotopes, digits: IntArray) -> FloatArray:
        """Give the worst margin (N,) of digits (N,) over zonotopes."""
        rows = self.rows[digits]
        mid = np.einsum("nh,nmh->nm", z.c, rows) + self.offsets[digits]
        spread = np.abs(z.g @ rows.transpose(0, 2, 1)).sum(1) + np.einsum(
            "nh,nmh->nm", z.e, np.abs(rows)
        )
        least: FloatArray = (mid - spread).min(-1) - self.slack
        return least
