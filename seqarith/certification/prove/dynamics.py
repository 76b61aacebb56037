"""A program's step as the search for a proof needs it: on points, boxes, zonotopes; derivatives.

It is fast and nearly sound: a small slack stands for rounding, because the checker has the last
word. Letters are an axis of the arrays, so a step under every letter is one call.
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
from seqarith.certification.kernel.outward import SetReadout
from seqarith.certification.kernel.program import FloatArray, IntArray, Program
from seqarith.certification.kernel.step import SetStep
from seqarith.certification.kernel.wellformed import MIN_TANH_ULPS

SLACK = 1e-9  # far above the checker's own rounding, far below the size of any region
TANH_SLACK = 1e-12  # above the rounding of NumPy's tanh


class Zonotopes(NamedTuple):
    """Hold ``{c + t @ g + e * s : |t|, |s| <= 1}`` for N sets: c (N, M), g (N, G, M), e (N, M)."""

    c: FloatArray
    g: FloatArray
    e: FloatArray

    def take(self, n: IntArray | NDArray[np.bool_] | slice) -> Zonotopes:
        """Select some of the sets."""
        return Zonotopes(self.c[n], self.g[n], self.e[n])

    def radius(self) -> FloatArray:
        """Return the half-width of each set in each number of the memory, shape (N, M)."""
        radius: FloatArray = np.abs(self.g).sum(1) + self.e
        return radius

    def reduced(self, order: int) -> Zonotopes:
        """Join the smallest generators into the box, so that at most ``order`` remain.

        Source: Girard, Reachability of uncertain linear systems using zonotopes, 2005.
        """
        if self.g.shape[1] <= order:
            return self
        rank = np.argsort(-np.abs(self.g).sum(2), 1, kind="stable")[:, :, None]
        rest = np.abs(np.take_along_axis(self.g, rank[:, order:], 1)).sum(1)
        return Zonotopes(self.c, np.take_along_axis(self.g, rank[:, :order], 1), self.e + rest)


@final
class Dynamics:
    """The step of a program on points and on sets, computed in float64.

    Args:
        program: The program.
    """

    def __init__(self, program: Program) -> None:
        self._program, self._letters = program, range(program.letters)
        shapes = {name: array.shape for name, array in program.arrays.items()}
        self._step = Step(program.step, shapes, program.inputs.shape[1], program.memory)
        self._arrays = {name: array.astype(float) for name, array in program.arrays.items()}
        self._vectors = program.inputs.astype(float)
        self._unit = float(np.finfo(program.start.dtype).eps) / 2

    # Made on first use: training tries boxes every few steps, and needs nothing else for that.

    @cached_property
    def _floats(self) -> FloatStep:
        return FloatStep(self._step, self._arrays, self._vectors)

    @cached_property
    def _derivatives(self) -> Derivatives:
        return Derivatives(self._step, self._arrays, self._vectors)

    @cached_property
    def _intervals(self) -> Intervals:
        return Intervals(self._step, self._arrays, self._vectors, 2 * self._unit, SLACK)

    @cached_property
    def _sets(self) -> SetStep:
        forms = Forms(dict(self._program.arrays), MIN_TANH_ULPS, self._unit, relax_tanh)
        forms.limit = None  # a set that overflows is given up, see `induction`
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
        """Return the Jacobians of `points`: (N, M, M), entry [n, i, j] that of number i by j."""
        return self._derivatives.jacobians(h, letters)


def relax_tanh(lo: FloatArray, hi: FloatArray) -> tuple[FloatArray, ...]:
    """Enclose tanh on [lo, hi] between the two parallels to the chord, which have least area.

    Returns:
        slope, low, high with ``slope * x + low <= tanh(x) <= slope * x + high`` on the interval,
        then bounds of tanh itself.

    Source: Singh et al., Fast and effective robustness certification, 2018 (DeepZ), which takes the
        least slope of the two ends instead; the chord's offsets come from the points where the
        derivative equals the slope.
    """
    t_lo, t_hi = np.tanh(lo), np.tanh(hi)
    slope = np.clip((t_hi - t_lo) / np.maximum(hi - lo, 1e-300), 1e-12, 1.0)
    # tanh'(x) = 1 - tanh(x)^2 equals the slope at x = touch, where tanh(x) = s.
    s = np.sqrt(1 - slope)
    touch = np.arctanh(s)
    bump = s - slope * touch
    at_lo, at_hi = t_lo - slope * lo, t_hi - slope * hi
    high = np.where((lo < touch) & (touch < hi), bump, np.maximum(at_lo, at_hi))
    low = np.where((lo < -touch) & (-touch < hi), -bump, np.minimum(at_lo, at_hi))
    return slope, low - TANH_SLACK, high + TANH_SLACK, t_lo - TANH_SLACK, t_hi + TANH_SLACK


@final
class MarginBounds:
    """Lower bounds of the margin of the expected digit, over sets of memories."""

    def __init__(self, program: Program) -> None:
        w = program.readout_weight.astype(float)
        b = program.readout_bias.astype(float) - program.threshold
        w = np.append(w, np.zeros((len(w), program.memory - program.hidden)), 1)
        unit = float(np.finfo(program.start.dtype).eps)
        checked = SetReadout(program, unit / 2)
        self.rows, self.offsets = checked.rows, checked.offsets
        self.slack = (
            4 * (w.shape[1] + 4) * unit * float((np.abs(w).sum(1) + np.abs(b)).max()) + SLACK
        )

    def of_boxes(self, digits: IntArray) -> Callable[[FloatArray, FloatArray], FloatArray]:
        """Return a function from boxes (..., M) to the least margins (...) of digits (...)."""
        half, offsets = 0.5 * self.rows[digits], self.offsets[digits] - self.slack
        size, sums = np.abs(half), "...h,...mh->...m"

        def margins(lo: FloatArray, hi: FloatArray) -> FloatArray:
            found = np.einsum(sums, lo + hi, half) - np.einsum(sums, hi - lo, size)
            least: FloatArray = (found + offsets).min(-1)
            return least

        return margins

    def zonotopes(self, z: Zonotopes, digits: IntArray) -> FloatArray:
        """Return the least margins (N,) of digits (N,) over zonotopes."""
        rows = self.rows[digits]
        mid = np.einsum("nh,nmh->nm", z.c, rows) + self.offsets[digits]
        spread = np.abs(z.g @ rows.transpose(0, 2, 1)).sum(1) + np.einsum(
            "nh,nmh->nm", z.e, np.abs(rows)
        )
        least: FloatArray = (mid - spread).min(-1) - self.slack
        return least
