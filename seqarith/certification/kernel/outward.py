"""Arithmetic that rounds outward: a part of the trusted checker.

Only IEEE-754 ``+ - * /`` in float64 is trusted, for any order of summation. L1..L11 are the lemmas
of ``docs/certificates.md``.
"""

from typing import Any, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from seqarith.certification.kernel.program import Program
from seqarith.certification.kernel.wellformed import LARGEST

F = NDArray[np.float64]
GAMMA = 2.0**-41  # L1: exceeds gamma_4000, the relative error of any sum or dot product here
UP = 1 + 2.0**-40  # L1: makes a computed sum of non-negative terms an upper bound
TINY = 2.0**-90  # L1: above all that underflow loses of results, and of operands times arrays
FLUSH = 2.0**-125  # L1: of each value, what is lost where the operand beside it is flushed to zero
TANH_ERROR = 2.0**-43  # L2: bounds the error of ``tanh``


class Sets(NamedTuple):
    """N sets ``{c + t @ g + s * e : |t|, |s| <= 1}``, each within its box [low, high] too."""

    c: F
    g: F
    e: F
    low: F
    high: F


def tanh(x: F) -> F:
    """Compute tanh within TANH_ERROR (L2): a series for exp(-2|x| / 128), squared 7 times."""
    v = np.minimum(np.abs(x), 20.0)
    v *= -2.0 / 128
    e = v / 13
    e += 1
    for n in range(12, 0, -1):
        e *= v
        e *= 1.0 / n
        e += 1
    for _ in range(7):
        e *= e
    return np.copysign((1 - e) / (1 + e), x)


def relax(lo: F, hi: F) -> tuple[F, F, F, F, F]:
    """Enclose tanh on [lo, hi] (L3).

    Returns slope, low, high with tanh(x) - slope x in [low, high], and bounds of tanh itself.

    Any slope from 0 to 1 is sound, and so is any point of tangency: where tanh is concave, a
    tangent bounds ``tanh(x) - slope x`` from above, where it is convex from below.
    """
    # The concave part is [start, hi], the convex [lo, end].
    start, end = np.maximum(lo, 0), np.minimum(hi, 0)
    t_lo, t_hi = tanh(np.stack((lo, hi)))
    slope = np.clip((t_hi - t_lo) / np.maximum(hi - lo, TINY), 2.0**-50, 1.0)
    touch = np.arctanh(np.sqrt(1 - slope))  # not trusted
    right, left = np.clip(touch, start, np.maximum(hi, 0)), np.clip(-touch, np.minimum(lo, 0), end)
    t_right, t_left = tanh(np.stack((right, left)))
    rise_right, rise_left = 1 - t_right * t_right - slope, 1 - t_left * t_left - slope
    above = (
        t_right
        - slope * right
        + np.maximum(rise_right * (hi - right), rise_right * (start - right))
    )
    below = t_left - slope * left + np.minimum(rise_left * (lo - left), rise_left * (end - left))
    at_lo, at_hi = t_lo - slope * lo, t_hi - slope * hi
    high = np.maximum(np.maximum(at_lo, at_hi), np.where(hi > 0, above, -np.inf))
    low = np.minimum(np.minimum(at_lo, at_hi), np.where(lo < 0, below, np.inf))
    pad = 4 * TANH_ERROR * (1 + hi - lo) + GAMMA * (np.abs(lo) + np.abs(hi))
    return slope, low - pad, high + pad, t_lo - TANH_ERROR, t_hi + TANH_ERROR


def relax_relu(lo: F, hi: F) -> tuple[F, F, F, F, F]:
    """Enclose max(x, 0) on [lo, hi], as `relax` does tanh.

    The chord lies above a convex function, and max(x, 0) - slope x is least at 0, or at an end.
    """
    at_lo, at_hi = np.maximum(lo, 0), np.maximum(hi, 0)
    slope = np.clip((at_hi - at_lo) / np.maximum(hi - lo, TINY), 0.0, 1.0)
    ends = at_lo - slope * lo, at_hi - slope * hi
    low = np.where((lo < 0) & (hi > 0), np.minimum(0, np.minimum(*ends)), np.minimum(*ends))
    pad = GAMMA * (np.abs(lo) + np.abs(hi)) + TINY
    return slope, low - pad, np.maximum(*ends) + pad, at_lo, at_hi


def gamma(terms: int, unit: float) -> float:
    """Bound the relative error of a sum of products in any order, with FMA or not (L1)."""
    return terms * unit / (1 - terms * unit) * UP


def limit(unit: float) -> float:
    """Return what no value may exceed: far below the largest float32 or float64 (L11)."""
    return 2.0**120 if unit > 2.0**-30 else 2.0**1000


@final
class SetReadout:
    """Bound the margins of digits from below, the program's rounding deducted (L6).

    Each digit has rows (N, M) and offsets (N,): it is emitted where all of them come out positive.
    The digit beyond the last stands for any digit at all.
    """

    def __init__(self, p: Program, unit: float) -> None:
        w, b = p.readout_weight.astype(np.float64), p.readout_bias.astype(np.float64)
        # Of a memory only the first numbers, the hidden vector, are read out.
        w = np.append(w, np.zeros((len(w), len(p.start) - w.shape[1])), 1)
        self.relative = gamma(w.shape[1] + 4, unit) + 4 * GAMMA
        self.weight, self.bias, self.limit = np.abs(w).T, np.abs(b), limit(unit)
        if len(b) == 1:
            over = b - p.threshold
            rows, offsets = np.stack((-w, w)), np.stack((-over, over))
        else:
            others = np.array([[j for j in range(len(b)) if j != k] for k in range(len(b))])
            rows, offsets = w[:, None] - w[others], b[:, None] - b[others]
        self.rows: F = np.append(rows, np.zeros_like(rows[:1]), 0)
        self.offsets: F = np.append(offsets, np.ones_like(offsets[:1]) * LARGEST, 0)

    def margin(self, sets: Sets, digit: NDArray[Any]) -> float:
        """Bound the margins of the digits that are due, by zonotope or by box, as is better."""
        rows, offsets = self.rows[digit].transpose(0, 2, 1), self.offsets[digit]
        size = np.abs(rows)
        c, e, low, high = (x[:, None] for x in (sets.c, sets.e, sets.low, sets.high))
        by_zonotope = (c @ rows - e @ size)[:, 0] - np.abs(sets.g @ rows).sum(1)
        by_box = ((low + high) * 0.5 @ rows - (high - low) * 0.5 @ size)[:, 0]
        reach = (np.abs(c) + np.abs(sets.g).sum(1)[:, None] + e) * UP
        total = reach + np.abs(low) + np.abs(high)
        pad = 4 * GAMMA * ((total @ size)[:, 0] + np.abs(offsets))
        largest = ((reach[:, 0] @ self.weight + self.bias) * UP).max(1)
        error = self.relative * largest + TINY + FLUSH * reach[:, 0].sum(1)
        error[~(largest <= self.limit)] = np.inf  # logits may overflow in the program
        pad += 2 * error[:, None] * UP  # of the difference of two logits
        return float((np.maximum(by_zonotope, by_box) + offsets - pad).min())
