"""Images of regions under a letter, for the search: fast, batched, and nearly sound.

``check`` has the last word.

A cell enters the search through the methods of ``Dynamics``. Rounding is answered by one small
slack, since whatever the search finds is checked again in outward-rounded arithmetic.
"""

from abc import ABC, abstractmethod
from typing import NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from seqarith.certification.program import FloatArray, IntArray, Program
from seqarith.certification.recurrences import ENCLOSURES
from seqarith.certification.wellformed import MIN_TANH_ULPS
from seqarith.errors import TaskError

LARGEST = 2.0**20
NUDGE = 1e-5
AT_ONCE = 1 << 18  # numbers in the Jacobians that are made at once
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


class Dynamics(ABC):
    """One recurrence, seen by the search.

    Letters are an axis: a step under every letter is one call.
    """

    @abstractmethod
    def points(self, h: FloatArray, letters: IntArray) -> FloatArray:
        """Step memories (N, M) under their letters (N,)."""

    @abstractmethod
    def boxes(self, lo: FloatArray, hi: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Enclose the images of boxes (N, M) under every letter: bounds (N, A, M)."""

    @abstractmethod
    def zonotopes(self, z: Zonotopes) -> list[Zonotopes]:
        """Enclose the images of zonotopes under every letter."""

    def jacobians(self, h: FloatArray, letters: IntArray) -> FloatArray:
        """Differentiate ``points``: (N, M, M), entry [n, i, j] that of number i by number j.

        By central differences: they only shape regions.
        """
        width = h.shape[1]
        nudges = NUDGE * np.concatenate((np.eye(width), -np.eye(width)))
        slopes = np.empty((len(h), width, width))
        size = max(1, AT_ONCE // (width * width))
        for part in (slice(i, i + size) for i in range(0, len(h), size)):
            moved = (h[part, None] + nudges).reshape(-1, width)
            after = self.points(moved, np.repeat(letters[part], 2 * width))
            after = after.reshape(-1, 2, width, width)
            slopes[part] = (after[:, 0] - after[:, 1]).transpose(0, 2, 1) / (2 * NUDGE)
        return slopes


class Checked(Dynamics, ABC):
    """A recurrence whose zonotopes are stepped by the checker's own enclosure.

    What lands for the search then lands for the checker.
    """

    def __init__(self, program: Program) -> None:
        make = ENCLOSURES.get(program.cell, program.enclosure)
        if make is None:
            raise TaskError(f"cell {program.cell!r}: nothing encloses its step")
        unit = float(np.finfo(program.start.dtype).eps) / 2
        self.letters, self.enclosure = program.letters, make(program, MIN_TANH_ULPS, unit)

    def zonotopes(self, z: Zonotopes) -> list[Zonotopes]:
        with np.errstate(all="ignore"):
            spread = self.enclosure.spread(z.c, z.g, z.e)
            sets = [self.enclosure.step(spread, a) for a in range(self.letters)]
        return [Zonotopes(s.c, s.g, s.e) for s in sets]


@final
class Foreign(Checked):
    """Step through a cell of another package by its enclosure alone."""

    def points(self, h: FloatArray, letters: IntArray) -> FloatArray:
        lo, hi = self.boxes(h, h)
        image: FloatArray = ((lo + hi) * 0.5)[np.arange(len(h)), letters]
        return image

    def boxes(self, lo: FloatArray, hi: FloatArray) -> tuple[FloatArray, FloatArray]:
        none = np.zeros((len(lo), 0, lo.shape[1]))
        spread = self.enclosure.spread((lo + hi) * 0.5, none, (hi - lo) * 0.5)
        sets = [self.enclosure.step(spread, a) for a in range(self.letters)]
        return np.stack([s.low for s in sets], 1), np.stack([s.high for s in sets], 1)


@final
class Before:
    """What letters and memories contribute to a step, in columns scaled by ``scale``.

    Attributes:
        weight: Shape (H, P).
        drive: What each letter contributes, shape (A, P).
        slack: A bound of the rounding of both together, shape (P,).
        unit: Of the program's dtype.
    """

    def __init__(self, program: Program, scale: FloatArray) -> None:
        w, b = program.kernels["weight_ih"], program.kernels["bias"]
        self.weight = program.kernels["weight_hh"].T.astype(float) * scale
        self.drive = (program.inputs.astype(float) @ w.T + b) * scale
        terms = np.abs(program.inputs) @ np.abs(w.T) + np.abs(b)
        self.unit = float(np.finfo(b.dtype).eps)
        size = terms.max(0).astype(float) * scale + np.abs(self.weight).sum(0)
        self.slack = (program.hidden + program.inputs.shape[1] + 4) * self.unit * size + SAFETY


@final
class Elman(Dynamics):
    """Step through ``h' = act(u(a) + h @ weight_hh.T)``."""

    def __init__(self, program: Program) -> None:
        tanh = program.options["activation"] == "tanh"
        self.scale, self.shift = (1.0, 0.0) if tanh else (0.5, 0.5)
        before = Before(program, np.full(program.hidden, self.scale))
        self.weight, self.drive, self.slack = before.weight, before.drive, before.slack
        self.error = 8 * before.unit + SAFETY  # of the activation

    def points(self, h: FloatArray, letters: IntArray) -> FloatArray:
        """Step hidden vectors (N, H) under their letters (N,)."""
        after: FloatArray = self.scale * np.tanh(self.drive[letters] + h @ self.weight) + self.shift
        return after

    def jacobians(self, h: FloatArray, letters: IntArray) -> FloatArray:
        """Differentiate ``points``."""
        t = np.tanh(self.drive[letters] + h @ self.weight)
        slopes: FloatArray = self.scale * (1 - t * t)[:, :, None] * self.weight.T
        return slopes

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
