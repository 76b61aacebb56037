"""The operations of a step in ball arithmetic, which trusts nothing that NumPy computes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial, reduce
from itertools import chain
from math import atanh, sqrt
from typing import Any, NamedTuple, TypeVar, final

from flint import arb, arb_mat

from seqarith.cells.steps import Operation
from seqarith.certification.exact.balls import (
    ENDLESS,
    HALF,
    ONE,
    ZERO,
    Form,
    Format,
    Number,
    Row,
    Sum,
    Value,
    absolute,
    column,
    exact,
    floats,
    form,
    negated,
    plus,
    scaled,
    size,
    symbols,
    total,
)
from seqarith.certification.kernel.wellformed import require

N = TypeVar("N", Form, Sum)


def product(x: Form, y: Form) -> tuple[arb, Row, arb]:
    """Enclose the product of two forms without errors: centre, symbols, error (L9)."""
    squares = [p * q for p, q in zip(x.g, y.g, strict=True)] if x.g and y.g else []
    centre = x.c * y.c + HALF * total(squares)
    g = plus(scaled(x.c, y.g), scaled(y.c, x.g))
    return centre, g, x.radius * y.radius - HALF * size(squares)


def multiply(by: Format, x: Form, y: Form) -> Form:
    """Enclose ``x * y`` (L9)."""
    c, g, e = product(x, y)
    most_x, most_y = x.bound, y.bound
    rounding = by.rounding(1, most_x * most_y, most_x + most_y + 1)
    e += x.e * most_y + x.parts * y.e + rounding
    corners = [p * q for p in (x.low, x.high) for q in (y.low, y.high)]
    low, high = reduce(arb.min, corners), reduce(arb.max, corners)
    return form(c, g, e, size(g), low - rounding, high + rounding)


def blend(by: Format, z: Form, h: Form, n: Form) -> Form:
    """Enclose ``n + z * (h - n)``, or ``(1 - z) * n + z * h`` (L10)."""
    g = plus(h.g, negated(n.g))
    apart = form(h.c - n.c, g, ZERO, size(g))
    c, g, e = product(z, apart)
    gate, new, old = z.bound, n.bound, h.bound
    rest = arb.max(abs(1 - z.low), abs(1 - z.high))
    lost = 4 * (gate + new + old) + 6
    rounding = by.rounding(3, new + gate * (old + new), lost)
    e += z.e * apart.parts + rest * n.e + gate * h.e + rounding
    least, most = [], []
    for v in (z.low, z.high):
        of_new, of_old = ((1 - v) * n.low, (1 - v) * n.high), (v * h.low, v * h.high)
        least.append(arb.min(*of_new) + arb.min(*of_old))
        most.append(arb.max(*of_new) + arb.max(*of_old))
    low, high = arb.min(*least) - rounding, arb.max(*most) + rounding
    g = plus(n.g, g)
    return form(n.c + c, g, e, size(g), low, high)


class Relaxed(NamedTuple):
    """``f(x) - k x`` is in [below, above], and f(x) in [bottom, top], for all x of an interval."""

    k: arb
    below: arb
    above: arb
    bottom: arb
    top: arb


class Ends(NamedTuple):
    """An interval of reals, and tanh at its ends."""

    lo: arb
    hi: arb
    tanh_lo: arb
    tanh_hi: arb

    def mirrored(self) -> Ends:
        """Return what tanh, which is odd, makes of the interval's mirror image."""
        return Ends(-self.hi, -self.lo, -self.tanh_hi, -self.tanh_lo)


def enclose_tanh(lo: arb, hi: arb) -> Relaxed:
    """Enclose tanh on [lo, hi] (L3).

    Neither k, from 0 to 1, nor the point of tangency is trusted, and so floats will do.
    """
    ends = Ends(lo, hi, lo.tanh(), hi.tanh())
    length, rise = float(hi - lo), float(ends.tanh_hi - ends.tanh_lo)
    slope = min(max(rise / max(length, 1e-300), 2.0**-50), 1.0)
    k, touch = arb(slope), atanh(sqrt(1 - slope))
    below, above = -_above(k, ends.mirrored(), touch), _above(k, ends, touch)
    return Relaxed(k, below, above, ends.tanh_lo, ends.tanh_hi)


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


def enclose_relu(lo: arb, hi: arb) -> Relaxed:
    """Enclose max(x, 0) on [lo, hi]: a convex function lies below its chord.

    ``max(x, 0) - k x`` is least at 0 or, if that is outside, at an end. Any k from 0 to 1 will do.
    """
    bottom, top = arb.max(lo, ZERO), arb.max(hi, ZERO)
    length, rise = float(hi - lo), float(top - bottom)
    k = arb(min(max(rise / max(length, 1e-300), 0.0), 1.0))
    at_lo, at_hi = bottom - k * lo, top - k * hi
    outside = lo >= 0 or hi <= 0
    below = arb.min(at_lo, at_hi) if outside else ZERO
    return Relaxed(k, below, arb.max(at_lo, at_hi), bottom, top)


RELAXED: dict[str, tuple[Callable[[arb, arb], Relaxed], arb, arb]] = {
    "tanh": (enclose_tanh, ONE, ZERO),
    "sigmoid": (enclose_tanh, HALF, HALF),  # tanh(x / 2) / 2 + 1/2
    "relu": (enclose_relu, ONE, ZERO),
}
"""Function f, scale s and shift b of an activation: it is ``s f(s x) + b``."""


def activate(kind: str, x: Form, error: arb) -> Form:
    """Enclose tanh, sigmoid or relu, of which the program's errs by ``error`` (L4)."""
    function, scale, shift = RELAXED[kind]
    relaxed = function(scale * x.low, scale * x.high)
    slope = scale * scale * relaxed.k
    middle, half = HALF * (relaxed.below + relaxed.above), HALF * (relaxed.above - relaxed.below)
    return Form(
        slope * x.c + scale * middle + shift,
        scaled(slope, x.g),
        scale * half + slope * x.e + error,
        slope * x.radius,
        scale * relaxed.bottom + shift - error,
        scale * relaxed.top + shift + error,
    )


class Weight(NamedTuple):
    """A matrix, its absolute values, and their sum in every row."""

    matrix: arb_mat
    sizes: arb_mat
    rows: Row

    @staticmethod
    def of(matrix: list[Row]) -> Weight:
        """Return a matrix with them."""
        return Weight(arb_mat(matrix), absolute(matrix), [size(row) for row in matrix])


@final
class Arithmetic:
    """What every operation of a record does to values.

    Args:
        arrays: The arrays that the record names, as lists of floats.
        by: The program's number format.
    """

    def __init__(self, arrays: dict[str, list[Any]], by: Format) -> None:
        self.by = by
        numbers = {name: floats(array) for name, array in arrays.items()}
        matrices = {name: x for name, x in numbers.items() if isinstance(x[0], list)}
        self._weights = {name: Weight.of(x) for name, x in matrices.items()}
        self._vectors = {name: x for name, x in numbers.items() if name not in matrices}
        self._known = {name: [*map(exact, x)] for name, x in self._vectors.items()}
        self._does: dict[str, Callable[..., Value]] = {
            "linear": self.linear,
            "shift": lambda x, name: _each(add, x, self._known[name]),
            "scale": lambda x, name: _each(weighed, self._vectors[name], self.known(x)),
            "add": lambda x, y: _each(add, x, y),
            "subtract": lambda x, y: _each(subtract, x, y),
            "multiply": lambda x, y: self._rounded(multiply, x, y),
            "blend": lambda z, h, n: self._rounded(blend, z, h, n),
            "take": lambda x, first, last: x[first:last],
            "join": lambda *parts: [*chain(*parts)],
            **{kind: partial(self._activated, kind) for kind in RELAXED},
        }

    def apply(self, operation: Operation, x: list[Value]) -> Value:
        """Do an operation to the values that it reads."""
        kind, rest = operation[0], operation[1 + len(x) :]
        require(kind in self._does, f"unknown operation {kind}")
        return self._does[kind](*x, *rest)

    def linear(self, x: Value, name: str) -> list[Sum]:
        """Return the product of a matrix with a value."""
        weight, forms = self._weights[name], self.known(x)
        rows, reach = symbols(forms), [number.reach for number in forms]
        c = (weight.matrix * column([number.c for number in forms])).entries()
        e = (weight.sizes * column([number.e for number in forms])).entries()
        among = (weight.matrix * arb_mat(rows)).tolist()
        largest = (weight.sizes * column(reach)).entries()
        factors = total(reach) + 4 * len(reach)
        # Without symbols, c and e bound the exact sum.
        ends = e if not rows[0] else [ENDLESS] * len(e)
        return [
            Sum(m, g, d, size(g), m - end, m + end, most, len(reach), factors + row)
            for m, g, d, end, most, row in zip(c, among, e, ends, largest, weight.rows, strict=True)
        ]

    def _rounded(self, function: Callable[..., Form], *x: Value) -> list[Form]:
        return _each(partial(function, self.by), *map(self.known, x))

    def _activated(self, kind: str, x: Value) -> list[Form]:
        error = self.by.errors[kind]
        return [activate(kind, number, error) for number in self.known(x)]

    def known(self, x: Value) -> list[Form]:
        """Return numbers as forms; of sums, once the program has added them up in some order."""
        return [number if isinstance(number, Form) else self._added(number) for number in x]

    def _added(self, x: Sum) -> Form:
        rounding = self.by.rounding(x.terms, x.size, x.lost)
        return form(x.c, x.g, x.e + rounding, x.radius, x.low - rounding, x.high + rounding)


def term(x: Number) -> Sum:
    """Return a number as a sum of one term."""
    return x if isinstance(x, Sum) else Sum(*x, x.reach, 1, arb(4))


def weighed(weight: arb, x: Form) -> Sum:
    """Return a number times a weight."""
    most, reach = abs(weight), x.reach
    row, radius = scaled(weight, x.g), most * x.radius
    lost = most + reach + 4
    return Sum(weight * x.c, row, most * x.e, radius, -ENDLESS, ENDLESS, most * reach, 1, lost)


def add(x: Number, y: Number) -> Sum:
    """Return the sum of two numbers."""
    x, y = term(x), term(y)
    g = plus(x.g, y.g)
    radius = size(g) if x.g and y.g else x.radius + y.radius
    low, high = x.low + y.low, x.high + y.high
    most, lost, terms = x.size + y.size, x.lost + y.lost, x.terms + y.terms
    return Sum(x.c + y.c, g, x.e + y.e, radius, low, high, most, terms, lost)


def subtract(x: Number, y: Number) -> Sum:
    """Return the difference of two numbers."""
    return add(x, y._replace(c=-y.c, g=negated(y.g), low=-y.high, high=-y.low))


def _each(function: Callable[..., N], *x: Sequence[Any]) -> list[N]:
    """Return what a function makes of numbers, one by one."""
    return [function(*numbers) for numbers in zip(*x, strict=True)]
