"""Step zonotopes in ball arithmetic: a part of the exact checker, which trusts no NumPy.

A ball (Arb's, in python-flint) surely holds the real number that it stands for, so the formulas
below are those of the lemmas in ``docs/certificates.md`` word for word, without any pads: the
only rounding that is bounded is that of the program. F. Johansson, Arb: efficient
arbitrary-precision midpoint-radius interval arithmetic (2017).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from itertools import cycle
from math import atanh, sqrt
from typing import Any, NamedTuple, final

from flint import arb, arb_mat

from seqarith.certification.program import Program

Row = list[arb]
ZERO = arb(0)


@final
@dataclass(frozen=True)
class Format:
    """What a number format does to the program: A1 to A4, as bounds.

    Args:
        unit: Largest relative error of an operation.
        tiny: Smallest normal number: underflow loses no more of a result, or of an operand.
        tanh: Largest absolute error of tanh.
    """

    unit: arb
    tiny: arb
    tanh: arb

    @staticmethod
    def of(dtype: str, tanh_ulps: float) -> Format:
        """Return the bounds of ``"float32"`` or ``"float64"``."""
        digits, exponent = {"float32": (24, 126), "float64": (53, 1022)}[dtype]
        unit = arb(2) ** -digits
        return Format(unit, arb(2) ** -exponent, 2 * unit * arb(tanh_ulps))

    def products(self, terms: int, size: arb, largest: arb) -> arb:
        """Bound the error of a sum of products in any order, with FMA or not, flushed or not.

        A term goes through one product and less than ``terms`` additions. Each operation may also
        lose ``tiny`` of its result and of its operands, that of a product times the other operand.

        Args:
            terms: Their number.
            size: The sum of their absolute values.
            largest: No factor is larger.
        """
        growth = (1 + self.unit) ** terms
        return (growth - 1) * size + growth * terms * self.tiny * (2 * largest + 4)


class Set(NamedTuple):
    """``{c + t @ g + s * e : |t|, |s| <= 1}``, within its box [low, high] too."""

    c: Row
    g: arb_mat
    e: Row
    low: Row
    high: Row


class Spread(NamedTuple):
    """A set behind the recurrent weights: centre, generators row by row, radius, sum of sizes."""

    c: Row
    g: Row
    radius: Row
    size: Row


def floats(values: Any) -> Any:
    """Return numbers, or lists of them, as balls of radius 0."""
    return [floats(value) for value in values] if isinstance(values, list) else arb(values)


def dot(x: Row, y: Row) -> arb:
    """Return the sum of the products."""
    return sum((a * b for a, b in zip(x, y, strict=True)), ZERO)


def size(values: Row) -> arb:
    """Return the sum of the absolute values."""
    return sum(map(abs, values), ZERO)


def greatest(values: Row) -> arb:
    """Return the maximum."""
    return reduce(arb.max, values)


def sizes(matrix: list[Row]) -> Row:
    """Return the absolute value of every entry, row by row."""
    return [abs(x) for row in matrix for x in row]


def extents(c: Row, g: arb_mat, e: Row) -> Row:
    """Return the largest absolute value of a set in each unit."""
    columns = [size([g[i, j] for i in range(g.nrows())]) for j in range(len(c))]
    return [abs(x) + y + z for x, y, z in zip(c, columns, e, strict=True)]


class Ends(NamedTuple):
    """An interval of reals, and tanh at its ends."""

    lo: arb
    hi: arb
    tanh_lo: arb
    tanh_hi: arb

    def mirrored(self) -> Ends:
        """Return what tanh, which is odd, makes of the interval's mirror image."""
        return Ends(-self.hi, -self.lo, -self.tanh_hi, -self.tanh_lo)


def relax(ends: Ends) -> tuple[arb, arb, arb]:
    """Return k, low, high with tanh(x) - k x in [low, high] for every x of the interval (L3).

    Neither k, from 0 to 1, nor the point of tangency is trusted, and so floats will do.
    """
    length, rise = float(ends.hi - ends.lo), float(ends.tanh_hi - ends.tanh_lo)
    slope = min(max(rise / max(length, 1e-300), 2.0**-50), 1.0)
    k, touch = arb(slope), atanh(sqrt(1 - slope))
    return k, -_above(k, ends.mirrored(), touch), _above(k, ends, touch)


def _above(k: arb, ends: Ends, touch: float) -> arb:
    """Bound tanh(x) - k x from above, for a tangent at any float from 0."""
    at_ends = arb.max(ends.tanh_lo - k * ends.lo, ends.tanh_hi - k * ends.hi)
    if ends.hi <= 0:
        return at_ends
    start = arb.max(ends.lo, ZERO)
    r = arb(max(0.0, min(max(touch, float(start)), float(ends.hi))))
    t = r.tanh()
    rise = 1 - t * t - k
    return arb.max(at_ends, t - k * r + arb.max(rise * (start - r), rise * (ends.hi - r)))


@final
class Cell:
    """An Elman cell with the rounding of its program (L4).

    Args:
        p: The program.
        form: Its number format.
        widest: No coordinate of a region is larger. Underflow of a weight costs as much as the
            number that it is multiplied by, and a region may be wider than what tanh reaches.
    """

    def __init__(self, p: Program, form: Format, widest: arb = ZERO) -> None:
        kernels = p.kernels
        inputs, w = floats(p.inputs.tolist()), floats(kernels["weight_ih"].tolist())
        bias, recurrent = (floats(kernels[name].tolist()) for name in ("bias", "weight_hh"))
        start = floats(p.start.tolist())
        sigmoid = p.options["activation"] == "sigmoid"
        self.scale, self.shift = (arb(0.5), arb(0.5)) if sigmoid else (arb(1), ZERO)
        self.width = len(bias)
        # Halving and the last addition of a sigmoid, whose result is at most 1 and some error.
        last = form.unit * (1 + form.tanh) + 8 * form.tiny if sigmoid else ZERO
        self.error = self.scale * form.tanh + last
        self.reach = greatest([1 + self.error, widest, *(abs(x) for x in start)])
        self.weight: list[Row] = [[self.scale * row[i] for row in recurrent] for i in self._units]
        self.matrix = arb_mat(self.weight)
        self.drive = [[self.scale * (dot(x, w[j]) + bias[j]) for j in self._units] for x in inputs]
        terms = len(w[0]) + self.width + 1
        factors = (*sizes(inputs), *sizes(w), *sizes(recurrent), *sizes([bias]))
        largest = greatest([*factors, self.reach])

        self.read = [
            [
                size([a * b for a, b in zip(x, w[j], strict=True)]) + abs(bias[j])
                for j in self._units
            ]
            for x in inputs
        ]
        self.rounded: Callable[[arb], arb] = lambda total: (
            self.scale * form.products(terms, total, largest) + 2 * form.tiny
        )
        self.absolute = arb_mat([[abs(x[i]) for x in recurrent] for i in self._units])

    @property
    def _units(self) -> range:
        return range(self.width)

    def spread(self, c: Row, g: arb_mat, e: Row) -> Spread:
        """Map a set through the recurrent weights, once for all letters."""
        rows = (g * self.matrix).entries() if g.nrows() else []
        rows += [s * x for s, row in zip(e, self.weight, strict=True) for x in row]
        centre = (arb_mat([c]) * self.matrix).entries()
        total = (arb_mat([extents(c, g, e)]) * self.absolute).entries()
        return Spread(centre, rows, [size(rows[j :: self.width]) for j in self._units], total)

    def step(self, spread: Spread, letter: int) -> Set:
        """Read a letter and apply the activation."""
        slopes, c, e, low, high = [], [], [], [], []
        for j in self._units:
            m = spread.c[j] + self.drive[letter][j]
            inexact = self.rounded(self.read[letter][j] + spread.size[j])
            reach = spread.radius[j] + inexact
            lo, hi = m - reach, m + reach
            bottom, top = lo.tanh(), hi.tanh()
            k, below, above = relax(Ends(lo, hi, bottom, top))
            slopes.append(self.scale * k)
            c.append(self.scale * (k * m + (below + above) / 2) + self.shift)
            e.append(self.scale * ((above - below) / 2 + k * inexact) + self.error)
            low.append(self.scale * bottom + self.shift - self.error)
            high.append(self.scale * top + self.shift + self.error)
        scaled = [x * k for x, k in zip(spread.g, cycle(slopes), strict=False)]
        return Set(c, arb_mat(len(scaled) // self.width, self.width, scaled), e, low, high)


@final
class Readout:
    """The margins of digits, the program's rounding deducted (L6)."""

    def __init__(self, p: Program, reach: arb, form: Format) -> None:
        w, b = floats(p.readout_weight.tolist()), floats(p.readout_bias.tolist())
        largest = greatest([*sizes(w), *sizes([b]), reach])
        self.rounded: Callable[[arb], arb] = lambda total: form.products(
            len(w[0]) + 1, total, largest
        )
        self.weight, self.bias = [[abs(x) for x in row] for row in w], [abs(c) for c in b]
        # Of every digit: linear form, offset, and the logits whose rounding it bears.
        self._rows: list[list[tuple[Row, arb, list[int]]]] = []
        if len(b) == 1:
            self._rows = [[([-x for x in w[0]], -b[0], [0])], [(w[0], b[0], [0])]]
        else:
            for k, row in enumerate(w):
                others = [j for j in range(len(b)) if j != k]
                apart = [[x - y for x, y in zip(row, w[j], strict=True)] for j in others]
                self._rows.append(
                    [(d, b[k] - b[j], [k, j]) for d, j in zip(apart, others, strict=True)]
                )

    def margin(self, s: Set, digit: int) -> arb:
        """Bound the margin of the digit that is due; infinite where any digit will do."""
        if digit == len(self._rows):
            return arb.pos_inf()
        reach = extents(s.c, s.g, s.e)
        error = [
            self.rounded(dot(reach, row) + c) for row, c in zip(self.weight, self.bias, strict=True)
        ]
        least = [
            self._least(s, row) + offset - sum((error[k] for k in logits), ZERO)
            for row, offset, logits in self._rows[digit]
        ]
        return -greatest([-x for x in least])

    def _least(self, s: Set, row: Row) -> arb:
        """Bound a linear form from below, by zonotope or by box, as is better."""
        along = (s.g * arb_mat([[x] for x in row])).entries()
        by_zonotope = dot(s.c, row) - size(along) - dot(s.e, [abs(x) for x in row])
        least = [-arb.max(-x * a, -x * b) for x, a, b in zip(row, s.low, s.high, strict=True)]
        by_box = sum(least, ZERO)
        return arb.max(by_zonotope, by_box)
