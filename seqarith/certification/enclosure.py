"""Images of regions under a letter, for the search: fast, batched, and nearly sound.

``check`` has the last word.

A cell enters the search through the four methods of ``Dynamics``. Rounding is answered by one small
slack, since whatever the search finds is checked again in outward-rounded arithmetic.
"""

from typing import NamedTuple, Protocol, final

import numpy as np
from numpy.typing import NDArray

from seqarith.certification.program import FloatArray, IntArray, Program

LARGEST = 2.0**20
SAFETY = 1e-9  # far above the checker's own rounding, far below any region


class Zonotopes(NamedTuple):
    """Hold ``{c + t @ g + e * s : |t|, |s| <= 1}`` for N sets: c (N, H), g (N, G, H), e (N, H)."""

    c: FloatArray
    g: FloatArray
    e: FloatArray

    def take(self, n: IntArray | NDArray[np.bool_] | slice) -> "Zonotopes":
        """Select some of the sets."""
        return Zonotopes(self.c[n], self.g[n], self.e[n])

    def radius(self) -> FloatArray:
        """Give the half-width of each set in each unit (N, H)."""
        radius: FloatArray = np.abs(self.g).sum(1) + self.e
        return radius

    def reduced(self, order: int) -> "Zonotopes":
        """Join the smallest generators into the box, so that at most ``order`` stay."""
        if self.g.shape[1] <= order:
            return self
        rank = np.argsort(-np.abs(self.g).sum(2), 1, kind="stable")[:, :, None]
        rest = np.abs(np.take_along_axis(self.g, rank[:, order:], 1)).sum(1)
        return Zonotopes(self.c, np.take_along_axis(self.g, rank[:, :order], 1), self.e + rest)


class Dynamics(Protocol):
    """One recurrence, seen by the search.

    Letters are an axis: a step under every letter is one call.
    """

    def points(self, h: FloatArray, letters: IntArray) -> FloatArray:
        """Step hidden vectors (N, H) under their letters (N,)."""

    def jacobians(self, h: FloatArray, letters: IntArray) -> FloatArray:
        """Differentiate ``points``: (N, H, H), entry [n, i, j] that of unit i by unit j."""

    def boxes(self, lo: FloatArray, hi: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Enclose the images of boxes (N, H) under every letter: bounds (N, A, H)."""

    def zonotopes(self, z: Zonotopes) -> list[Zonotopes]:
        """Enclose the images of zonotopes under every letter."""


@final
class Elman:
    """Step through ``h' = act(u(a) + h @ weight_hh.T)``."""

    def __init__(self, program: Program) -> None:
        self.scale, self.shift = (1.0, 0.0) if program.activation == "tanh" else (0.5, 0.5)
        self.weight = program.weight_hh.T.astype(float) * self.scale
        self.drive = (
            program.inputs.astype(float) @ program.weight_ih.T + program.bias
        ) * self.scale
        terms = np.abs(program.inputs) @ np.abs(program.weight_ih.T) + np.abs(program.bias)
        unit = float(np.finfo(program.bias.dtype).eps)
        count = program.hidden + program.inputs.shape[1] + 4
        size = terms.max(0).astype(float) * self.scale + np.abs(self.weight).sum(0)
        self.slack = count * unit * size + SAFETY  # of the pre-activation, per unit
        self.error = 8 * unit + SAFETY  # of the activation

    def points(self, h: FloatArray, letters: IntArray) -> FloatArray:
        """Step hidden vectors (N, H) under their letters (N,)."""
        return self.scale * np.tanh(self.drive[letters] + h @ self.weight) + self.shift

    def jacobians(self, h: FloatArray, letters: IntArray) -> FloatArray:
        """Differentiate ``points``."""
        t = np.tanh(self.drive[letters] + h @ self.weight)
        return self.scale * (1 - t * t)[:, :, None] * self.weight.T

    def boxes(self, lo: FloatArray, hi: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Enclose the images of boxes (N, H) under every letter, by centre and radius."""
        centre = (lo + hi) * 0.5 @ self.weight
        radius = (hi - lo) * 0.5 @ np.abs(self.weight) + self.slack
        bounds = np.stack((centre - radius, centre + radius))[:, :, None] + self.drive
        np.tanh(bounds, out=bounds)
        bounds *= self.scale
        bounds += self.shift
        return bounds[0] - self.error, bounds[1] + self.error

    def zonotopes(self, z: Zonotopes) -> list[Zonotopes]:
        """Enclose the images of zonotopes.

        The generators' products with the weights serve all letters.
        """
        rows = np.concatenate((z.g @ self.weight, z.e[:, :, None] * self.weight), 1)
        radius = np.abs(rows).sum(1) + self.slack
        m = (z.c @ self.weight)[:, None] + self.drive
        slope, low, high = relax_tanh(m - radius[:, None], m + radius[:, None])
        c = self.scale * (slope * m + (low + high) * 0.5) + self.shift
        e = self.scale * ((high - low) * 0.5 + slope * self.slack) + self.error
        slope *= self.scale
        return [
            Zonotopes(c[:, a], rows * slope[:, a, None], e[:, a]) for a in range(len(self.drive))
        ]


def relax_tanh(lo: FloatArray, hi: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Enclose tanh on [lo, hi] between two parallels to the chord: least area.

    Returns:
        slope, low, high with ``slope * x + low <= tanh(x) <= slope * x + high`` on the interval.

    Source: Singh et al., Fast and effective robustness certification, 2018 (DeepZ), which takes the
        least slope of the two ends instead; the chord's offsets come from the points where the
        derivative equals the slope.
    """
    t_lo, t_hi = np.tanh(lo), np.tanh(hi)
    slope = np.clip((t_hi - t_lo) / (hi - lo), 1e-12, 1.0)
    s = np.sqrt(1 - slope)
    touch = np.arctanh(s)
    bump = s - slope * touch
    at_lo, at_hi = t_lo - slope * lo, t_hi - slope * hi
    high = np.where((lo < touch) & (touch < hi), bump, np.maximum(at_lo, at_hi))
    low = np.where((lo < -touch) & (-touch < hi), -bump, np.minimum(at_lo, at_hi))
    return slope, low, high


@final
class Readout:
    """Measure the worst margin of the digit that is due, over sets of hidden vectors."""

    def __init__(self, program: Program) -> None:
        w, b = program.readout_weight.astype(float), program.readout_bias.astype(float)
        if len(w) == 1:
            rows, offsets = np.stack((-w, w)), np.stack((-b, b))
        else:
            others = np.array([[j for j in range(len(w)) if j != k] for k in range(len(w))])
            rows, offsets = w[:, None] - w[others], b[:, None] - b[others]
        # The digit beyond the last is any digit at all, which is never wrong.
        self.rows = np.append(rows, np.zeros_like(rows[:1]), 0)
        self.offsets = np.append(offsets, np.full_like(offsets[:1], LARGEST), 0)
        unit = float(np.finfo(program.bias.dtype).eps)
        self.slack = (
            4 * (w.shape[1] + 4) * unit * float((np.abs(w).sum(1) + np.abs(b)).max()) + SAFETY
        )

    def boxes(self, lo: FloatArray, hi: FloatArray, digits: IntArray) -> FloatArray:
        """Give the worst margin (...) of digits (...) over boxes (..., H)."""
        rows = self.rows[digits]
        mid = np.einsum("...h,...mh->...m", (lo + hi) * 0.5, rows) + self.offsets[digits]
        least: FloatArray = (
            mid - np.einsum("...h,...mh->...m", (hi - lo) * 0.5, np.abs(rows))
        ).min(-1) - self.slack
        return least

    def zonotopes(self, z: Zonotopes, digits: IntArray) -> FloatArray:
        """Give the worst margin (N,) of digits (N,) over zonotopes."""
        rows = self.rows[digits]
        mid = np.einsum("nh,nmh->nm", z.c, rows) + self.offsets[digits]
        spread = np.abs(z.g @ rows.transpose(0, 2, 1)).sum(1) + np.einsum(
            "nh,nmh->nm", z.e, np.abs(rows)
        )
        least: FloatArray = (mid - spread).min(-1) - self.slack
        return least
