"""Exact arithmetic to hold the checker's bounds against; what the tests of its lemmas are made of.

A lemma says of an operation: the returned bound is at least this sum of terms, and so the returned
set contains whatever a program on a platform of A1..A4 computes. There is a test for each half.

*Inequality tests* (`assert_bounds`) write the sum of terms down again, as the lemma has it, in
fractions, and compare it with the float that the operation returned. Nothing is allowed for
rounding on the side that matters, so they see a term that is dropped, halved or has the wrong
sign, a maximum that became a minimum, and an ``UP`` that is missing, since about every second sum
of floats comes out too small without it. They need inputs in which each term is at some time the
largest: `magnitudes` draws each number from 2^-600 to 2^20, and often 0. They cannot see that the
lemma itself claims too little.

*Containment tests* (`Adversary`, `outside`) see that. They run the operation of the program in
fractions, where each single rounding, underflow and tanh errs by all that A1..A4 allow, in the
direction that hurts, and ask whether the result is in the returned set. They cannot see a pad for
the checker's own rounding: GAMMA = 2^-41 is 4,096 times what one operation needs. For that reason
they are run with the coarser unit of float32 too, and each of them is run once more with half the
unit, or half the error of tanh, where it has to fail: a test that passes there would prove nothing.

Fractions know no nan and no infinity; these have tests of their own. ``tanh`` of a fraction comes
from ball arithmetic, and is off by less than 2^-190: nothing beside the smallest pad, 2^-90.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

flint = pytest.importorskip("flint")

Exact = Any
"""An array of fractions. NumPy's ``+ - * @``, ``abs``, ``sum``, ``maximum`` work on it."""

LOOSE = Fraction(2) ** -37
"""A bound may exceed what its lemma says by this part of it: some factors ``UP`` = 1 + 2^-40."""

UNITS = {"float32": 2.0**-24, "float64": 2.0**-53}
TINIEST = {"float32": Fraction(2) ** -126, "float64": Fraction(2) ** -1022}
WAYS = ("up", "down", "away", "toward")


def rational(x: Any) -> Exact:
    """Return finite floats, or what has been converted already, as fractions."""
    return np.frompyfunc(Fraction, 1, 1)(np.asarray(x))


def _tanh(x: Fraction) -> Fraction:
    with flint.ctx.workprec(256):
        y = flint.arb(flint.fmpq(x.numerator, x.denominator)).tanh()
        assert y.rad() < flint.arb(2) ** -190
        mantissa, exponent = (int(part) for part in y.mid().man_exp())
        return Fraction(mantissa) * Fraction(2) ** exponent


def tanh(x: Any) -> Exact:
    """Return tanh of fractions, within 2^-190."""
    return np.frompyfunc(_tanh, 1, 1)(rational(x))


def assert_bounds(returned: Any, stated: Exact, loose: Fraction = LOOSE) -> None:
    """Fail where a bound is below what its lemma states, or exceeds it for no reason."""
    returned, stated = np.broadcast_arrays(rational(returned), rational(stated))
    for bound, least in zip(returned.flat, stated.flat, strict=True):
        assert bound >= least, f"{float(bound)} is short by {float((least - bound) / least):.3g}"
        assert bound <= least * (1 + loose), f"{float(bound)} exceeds {float(least)}"


def assert_near(returned: Any, exact: Exact, within: Exact) -> None:
    """Fail where a value is off by more than ``within``."""
    off = np.abs(rational(returned) - exact)
    assert np.all(off <= within), float(np.max(off - within))


def magnitudes(rng: np.random.Generator, *shape: int) -> Any:
    """Draw floats of both signs whose sizes have nothing in common.

    Zeros, powers of two and their neighbours (there half an ulp is relatively largest, and
    smallest), simple sums that cancel, and sizes from 2^-600 to 2^20.
    """
    size = np.ldexp(1.0, rng.choice([-600, -100, -91, -60, -30, -3, -1, 0, 0, 1, 10, 20], shape))
    mantissa = rng.choice([1.0, 1.0 + 2.0**-52, 1.0 - 2.0**-53, 0.75, 0.0, 0.0], shape)
    mantissa = np.where(rng.random(shape) < 0.5, rng.uniform(0.5, 1, shape), mantissa)
    return mantissa * size * rng.choice([-1.0, 1.0], shape)


def least_float(x: Exact) -> Any:
    """Return the least floats that are not below fractions: a bound that has no room to spare."""

    def up(value: Fraction) -> float:
        near = float(value)
        return near if Fraction(near) >= value else float(np.nextafter(near, np.inf))

    return np.frompyfunc(up, 1, 1)(x).astype(np.float64)


def outside(returned: Any, value: Exact, t: Exact) -> bool:
    """Say whether values are outside ``c + t @ g + s * e`` or [low, high], in any coordinate.

    Args:
        returned: N sets: ``c``, ``g``, ``e``, ``low``, ``high`` as in `Sets` and `Form`.
        value: What the program has, shape (N, w).
        t: The symbols that it has it for, shape (N, G).
    """
    c, g, e, low, high = (
        rational(getattr(returned, name)) for name in ("c", "g", "e", "low", "high")
    )
    along = (t[:, :, None] * g).sum(1) if g.shape[1] else 0
    apart = np.abs(value - c - along) > e
    return bool(np.any(apart | (value < low) | (value > high)))


@dataclass(frozen=True)
class Adversary:
    """A program that computes as badly as A1..A4 allow.

    Args:
        dtype: Its format.
        way: Where each rounding goes: up, down, away from zero or toward it.
        tanh_ulps: Error of each tanh, in epsilons, in the same direction.
        flushes: Whether operands and results below the smallest normal number count as zero.
    """

    dtype: str
    way: str
    tanh_ulps: float = 0.0
    flushes: bool = True

    def _direction(self, x: Exact) -> Exact:
        if self.way in ("up", "down"):
            return 1 if self.way == "up" else -1
        sign = np.frompyfunc(lambda v: (v > 0) - (v < 0), 1, 1)(x)
        return sign if self.way == "away" else -sign

    def flushed(self, x: Exact) -> Exact:
        """Return what is left of an operand or of a result."""
        if not self.flushes:
            return x
        tiny = TINIEST[self.dtype]
        return np.frompyfunc(lambda v: Fraction(0) if abs(v) < tiny else v, 1, 1)(x)

    def _rounded(self, x: Exact) -> Exact:
        unit = Fraction(UNITS[self.dtype])
        return self.flushed(x + self._direction(x) * unit * np.abs(x))

    def add(self, x: Exact, y: Exact) -> Exact:
        """Add, and round."""
        return self._rounded(self.flushed(x) + self.flushed(y))

    def subtract(self, x: Exact, y: Exact) -> Exact:
        """Subtract, and round."""
        return self.add(x, -y)

    def times(self, x: Exact, y: Exact) -> Exact:
        """Multiply, and round."""
        return self._rounded(self.flushed(x) * self.flushed(y))

    def product(self, start: Exact, rows: Exact, x: Exact) -> Exact:
        """Add ``rows @ x`` to ``start`` a term at a time: one of the orders of A2."""
        for row, factor in zip(rows.T, x, strict=True):
            start = self.add(start, self.times(row, factor))
        return start

    def tanh(self, x: Exact) -> Exact:
        """Apply tanh, with an absolute error."""
        y = tanh(x)
        return y + self._direction(y) * Fraction(self.tanh_ulps) * 2 * Fraction(UNITS[self.dtype])

    def sigmoid(self, x: Exact) -> Exact:
        """Compute ``0.5 * tanh(0.5 * x) + 0.5``."""
        half = Fraction(1, 2)
        return self.add(self.tanh(x * half) * half, half)


def program_step(by: Adversary, p: Any, memory: Exact, letter: int) -> Exact:
    """Run the step of docs/certificates.md, operation by operation, from one memory (M,)."""
    hidden = p.readout_weight.shape[1]
    kernels = {name: rational(x) for name, x in p.kernels.items()}
    h, x = memory[:hidden], rational(p.inputs[letter])
    gates = [slice(k * hidden, (k + 1) * hidden) for k in range(len(kernels["bias"]) // hidden)]

    def driven(part: slice) -> Exact:
        return by.product(kernels["bias"][part], kernels["weight_ih"][part], x)

    def pre(part: slice) -> Exact:
        return by.product(driven(part), kernels["weight_hh"][part], h)

    if p.cell == "elman":
        apply = by.sigmoid if p.options["activation"] == "sigmoid" else by.tanh
        return apply(pre(gates[0]))
    if p.cell == "gru":
        r, z = by.sigmoid(pre(gates[0])), by.sigmoid(pre(gates[1]))
        v = by.product(kernels["bias_hh"], kernels["weight_hh"][gates[2]], h)
        n = by.tanh(by.add(by.times(r, v), driven(gates[2])))
        return by.add(by.times(by.subtract(h, n), z), n)
    i, f, o = (by.sigmoid(pre(gates[k])) for k in (0, 1, 3))
    g = by.tanh(pre(gates[2]))
    c = by.add(by.times(f, memory[hidden:]), by.times(i, g))
    return np.concatenate((by.times(o, by.tanh(c)), c))
