"""GRU and LSTM for the search: points and boxes; zonotopes are stepped as the checker does."""

from collections.abc import Callable
from typing import final

import numpy as np

from seqarith.certification.enclosure import SAFETY, Before, Checked, Dynamics, Elman, Foreign
from seqarith.certification.program import FloatArray, IntArray, Program

Bounds = tuple[FloatArray, FloatArray]


@final
class GRU(Checked):
    """Step through ``h' = n + z (h - n)``; see `seqarith.certification.recurrences.GRU`."""

    def __init__(self, program: Program) -> None:
        super().__init__(program)
        self.width = program.hidden
        self.before = Before(program, np.repeat([0.5, 0.5, 1.0], self.width))
        self.offset = program.kernels["bias_hh"].astype(float)
        self.error = 8 * self.before.unit + SAFETY

    def points(self, h: FloatArray, letters: IntArray) -> FloatArray:
        before, width = self.before, self.width
        weighted, drive = h @ before.weight, before.drive[letters]
        gates = sigmoid(weighted[:, : 2 * width] + drive[:, : 2 * width])
        r, z = gates[:, :width], gates[:, width:]
        n = np.tanh(drive[:, 2 * width :] + r * (weighted[:, 2 * width :] + self.offset))
        after: FloatArray = n + z * (h - n)
        return after

    def boxes(self, lo: FloatArray, hi: FloatArray) -> Bounds:
        before, width, error = self.before, self.width, self.error
        low, high = behind(before, lo, hi)
        gates = slice(2 * width)
        least = sigmoid(low[:, None, gates] + before.drive[:, gates]) - error
        most = sigmoid(high[:, None, gates] + before.drive[:, gates]) + error
        least, most = np.maximum(least, 0), np.minimum(most, 1)
        rl, rh, zl, zh = (
            least[..., :width],
            most[..., :width],
            least[..., width:],
            most[..., width:],
        )
        vl, vh = (w[:, None, 2 * width :] + self.offset for w in (low, high))
        slack = before.slack[2 * width :] + error * np.maximum(np.abs(vl), np.abs(vh))
        read = before.drive[:, 2 * width :]
        nl = np.tanh(read + np.minimum(rl * vl, rh * vl) - slack) - error
        nh = np.tanh(read + np.maximum(rl * vh, rh * vh) + slack) + error
        lo, hi = lo[:, None], hi[:, None]
        low = np.minimum(nl + zl * (lo - nl), nl + zh * (lo - nl))
        high = np.maximum(nh + zl * (hi - nh), nh + zh * (hi - nh))
        return low - error, high + error


@final
class LSTM(Checked):
    """Step through [h, c]; see `seqarith.certification.recurrences.LSTM`."""

    def __init__(self, program: Program) -> None:
        super().__init__(program)
        self.width = program.hidden
        self.before = Before(program, np.repeat([0.5, 0.5, 1.0, 0.5], self.width))
        self.error = 8 * self.before.unit + SAFETY

    def points(self, h: FloatArray, letters: IntArray) -> FloatArray:
        before, width = self.before, self.width
        i, f, g, o = self._gates(h[:, :width] @ before.weight + before.drive[letters])
        c = f * h[:, width:] + i * g
        return np.concatenate((o * np.tanh(c), c), -1)

    def boxes(self, lo: FloatArray, hi: FloatArray) -> Bounds:
        width, error = self.width, self.error
        low, high = behind(self.before, lo[:, :width], hi[:, :width])
        least = [x - error for x in self._gates(low[:, None] + self.before.drive)]
        most = [x + error for x in self._gates(high[:, None] + self.before.drive)]
        i, f, g, o = zip(least, most, strict=True)
        kept, new = products(f, (lo[:, None, width:], hi[:, None, width:])), products(i, g)
        slack = error * (1 + np.abs(kept[0]) + np.abs(kept[1]))
        cl, ch = kept[0] + new[0] - slack, kept[1] + new[1] + slack
        hl, hh = products(o, (np.tanh(cl) - error, np.tanh(ch) + error))
        return np.concatenate((hl - error, cl), -1), np.concatenate((hh + error, ch), -1)

    def _gates(self, x: FloatArray) -> list[FloatArray]:
        """Return i, f, g, o of pre-activations, those of i, f, o halved, as `Before` gives them."""
        y, width = np.tanh(x), self.width
        blocks = [y[..., k * width : (k + 1) * width] for k in range(4)]
        return [b if k == 2 else 0.5 * b + 0.5 for k, b in enumerate(blocks)]


def behind(before: Before, lo: FloatArray, hi: FloatArray) -> Bounds:
    """Enclose what hidden vectors in boxes (N, H) contribute: bounds (N, P)."""
    centre = (lo + hi) * 0.5 @ before.weight
    radius = (hi - lo) * 0.5 @ np.abs(before.weight) + before.slack
    return centre - radius, centre + radius


def products(x: Bounds, y: Bounds) -> Bounds:
    """Enclose the products of two intervals."""
    corners = [p * q for p in x for q in y]
    return np.minimum.reduce(corners), np.maximum.reduce(corners)


def sigmoid(halved: FloatArray) -> FloatArray:
    """Return the sigmoid of twice the argument."""
    y: FloatArray = 0.5 * np.tanh(halved) + 0.5
    return y


def dynamics(program: Program) -> Dynamics:
    """Return the search's view of a program's cell."""
    kinds: dict[str, Callable[[Program], Dynamics]] = {"elman": Elman, "gru": GRU, "lstm": LSTM}
    return kinds.get(program.cell, Foreign)(program)
