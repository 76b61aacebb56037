"""The operations of a step in ball arithmetic: a part of the exact checker, which trusts no NumPy.

A ball (Arb's, in python-flint) surely holds the real number that it stands for, so the formulas
below are those of the lemmas in ``docs/certificates.md`` word for word, without any pads: the
only rounding that is bounded is that of the program. F. Johansson, Arb: efficient
arbitrary-precision midpoint-radius interval arithmetic (2017).

A value of the step is a list of numbers, each of them a `Form`, or a `Sum` that the program may add
up in any order. Most operations are written for one number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial, reduce
from itertools import chain
from math import atanh, sqrt
from typing import Any, NamedTuple, TypeVar, final

from flint import arb, arb_mat

from seqarith.cells.steps import (
    INPUT,
    LETTER_ONLY,
    MEMORY,
    MEMORY_ONLY,
    Operation,
    arguments,
    reads,
)
from seqarith.certification.kernel.program import Program
from seqarith.certification.kernel.wellformed import require

Row = list[arb]
ZERO, HALF, ONE = arb(0), arb(0.5), arb(1)
ENDLESS = arb.pos_inf()
HUGE = arb(2.0**100)  # no number of the program may be larger: float32 overflows at 2^128


class Form(NamedTuple):
    """A number that a step computes: in ``c + t @ g + s * e``, |t|, |s| <= 1, and in [low, high].

    The symbols t are common to all forms of a step; s belongs to one form alone. ``radius`` bounds
    the sum of |g|. What depends on the letter alone has no symbols: its g is empty.
    """

    c: arb
    g: Row
    e: arb
    radius: arb
    low: arb
    high: arb

    @property
    def parts(self) -> arb:
        """Bound of the absolute value of ``c + t @ g`` alone."""
        return abs(self.c) + self.radius

    @property
    def reach(self) -> arb:
        """Bound of the absolute value by symbols."""
        return abs(self.c) + self.radius + self.e

    @property
    def bound(self) -> arb:
        """Bound of the absolute value by the interval."""
        return arb.max(abs(self.low), abs(self.high))


class Sum(NamedTuple):
    """A sum of exact terms: what the program loses when it adds them up is not counted yet.

    Attributes:
        c, g, e, radius, low, high: As of a `Form`, of the exact sum.
        size: Bound of the sum of the absolute values of all terms.
        terms: How many there are: numbers, and products of two numbers.
        lost: What underflow may lose, in smallest normal numbers: for every term 4, and where it is
            a product both factors.
    """

    c: arb
    g: Row
    e: arb
    radius: arb
    low: arb
    high: arb
    size: arb
    terms: int
    lost: arb


Number = Form | Sum
Value = Sequence[Number]
Values = dict[int, Value]
N = TypeVar("N", Form, Sum)


def floats(values: Any) -> Any:
    """Return numbers, or lists of them, as balls of radius 0."""
    return [floats(value) for value in values] if isinstance(values, list) else arb(values)


def total(values: Iterable[arb]) -> arb:
    """Return the sum."""
    return sum(values, ZERO)


def size(values: Row) -> arb:
    """Return the sum of the absolute values."""
    return sum(map(abs, values), ZERO)


def plus(x: Row, y: Row) -> Row:
    """Return the sum of two rows of symbols; a number without symbols has an empty one."""
    return [p + q for p, q in zip(x, y, strict=True)] if x and y else x or y


def negated(x: Row) -> Row:
    """Return a row of symbols with the other sign."""
    return [-p for p in x]


def scaled(k: arb, x: Row) -> Row:
    """Return a row of symbols times a number."""
    return [k * p for p in x]


def column(values: Row) -> arb_mat:
    """Return numbers as a matrix of one column."""
    return arb_mat(len(values), 1, values)


def absolute(matrix: list[Row]) -> arb_mat:
    """Return the absolute values of a matrix."""
    return arb_mat([[abs(x) for x in row] for row in matrix])


def symbols(forms: list[Form]) -> list[Row]:
    """Return the symbols of forms, a row each, all of one length."""
    count = max(len(x.g) for x in forms)
    return [x.g or [ZERO] * count for x in forms]


def form(c: arb, g: Row, e: arb, radius: arb, low: arb = -ENDLESS, high: arb = ENDLESS) -> Form:
    """Return a form whose interval is cut to what the symbols allow."""
    reach = radius + e
    return Form(c, g, e, radius, arb.max(low, c - reach), arb.min(high, c + reach))


def exact(x: arb) -> Form:
    """Return a number that is known."""
    return Form(x, [], ZERO, ZERO, x, x)


def memory(c: Row, g: list[Row], e: Row) -> list[Form]:
    """Return a set as forms without errors: its box becomes symbols too.

    Args:
        c: Its centre (M,).
        g: The symbols of every number (M, G).
        e: The half-widths of its box (M,).
    """
    boxes = [i for i, x in enumerate(e) if not x.is_zero()]
    found = []
    for j, (centre, row, half) in enumerate(zip(c, g, e, strict=True)):
        own = [half if i == j else ZERO for i in boxes]
        found.append(form(centre, row + own, ZERO, size(row) + half))
    return found


@final
class Format:
    """What a number format does to the program: A1 to A4, as bounds.

    Args:
        dtype: ``"float32"`` or ``"float64"``.
        tanh_ulps: Largest error of tanh, in epsilons; of a sigmoid half of that and one epsilon.

    Attributes:
        errors: Largest absolute error of every activation.
    """

    def __init__(self, dtype: str, tanh_ulps: float) -> None:
        digits, exponent = {"float32": (24, 126), "float64": (53, 1022)}[dtype]
        self._unit, self._tiny = arb(2) ** -digits, arb(2) ** -exponent
        ulps = arb(tanh_ulps)
        self.errors = {
            "tanh": 2 * self._unit * ulps,
            "sigmoid": self._unit * (ulps + 2),
            "relu": self._tiny,
        }
        self._known: dict[int, tuple[arb, arb]] = {}

    def rounding(self, times: int, largest: arb, lost: arb) -> arb:
        """Bound the error of a sum of products in any order, with FMA or not, flushed or not.

        Args:
            times: No term is rounded more often.
            largest: Bound of the sum of the absolute values of the terms.
            lost: What underflow loses in all, in smallest normal numbers.

        Raises:
            Refusal: The program may overflow.
        """
        if times not in self._known:
            growth = (1 + self._unit) ** times
            self._known[times] = growth - 1, growth * self._tiny
        relative, tiny = self._known[times]
        error = relative * largest + tiny * lost
        # A sum of some of the terms is no larger than this either.
        require(largest + error <= HUGE, "a number of the program may be larger than 2^100")
        return error


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


def relax(lo: arb, hi: arb) -> Relaxed:
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


def relax_relu(lo: arb, hi: arb) -> Relaxed:
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
    "tanh": (relax, ONE, ZERO),
    "sigmoid": (relax, HALF, HALF),  # tanh(x / 2) / 2 + 1/2
    "relu": (relax_relu, ONE, ZERO),
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


@final
@dataclass(frozen=True)
class Set:
    """The memories that a step may compute: a form for each number."""

    forms: list[Form]

    @cached_property
    def centre(self) -> arb_mat:
        """Their centres (M, 1)."""
        return column([x.c for x in self.forms])

    @cached_property
    def error(self) -> arb_mat:
        """Their errors (M, 1)."""
        return column([x.e for x in self.forms])

    @cached_property
    def symbols(self) -> arb_mat:
        """Their symbols (M, G)."""
        return arb_mat(symbols(self.forms))


@final
class Step:
    """The recorded step of a program on sets.

    *If the memory of the program is in a set, the memory that it computes under a letter is in the
    set that* `read` *returns*: by induction over the operations.
    """

    def __init__(self, p: Program, by: Format) -> None:
        arrays = {name: array.tolist() for name, array in p.arrays.items()}
        self._does = Arithmetic(arrays, by)
        kinds, parts = reads(p.step), dict[frozenset[int], list[tuple[int, Operation]]]()
        for number, operation in enumerate(p.step, 2):
            parts.setdefault(kinds[number], []).append((number, operation))
        letter_only, self._memory_only = parts.pop(LETTER_ONLY, []), parts.pop(MEMORY_ONLY, [])
        self._later = next(iter(parts.values()), [])
        self._result = len(p.step) + 1
        vectors: list[Row] = floats(p.inputs.tolist())
        self._letters = [
            self._run(letter_only, {INPUT: [exact(x) for x in vector]}) for vector in vectors
        ]

    def spread(self, c: Row, g: list[Row], e: Row) -> Values:
        """Do what depends on the memory alone, once for all letters; arguments as of `memory`."""
        return self._run(self._memory_only, {MEMORY: memory(c, g, e)})

    def read(self, spread: Values, letter: int) -> Set:
        """Read a letter: enclose the memories that the program computes."""
        values = self._run(self._later, spread | self._letters[letter])
        return Set(self._does.known(values[self._result]))

    def _run(self, operations: list[tuple[int, Operation]], values: Values) -> Values:
        for number, operation in operations:
            values[number] = self._does.apply(operation, [values[n] for n in arguments(operation)])
        return values


class Rows(NamedTuple):
    """What has to be positive for a digit: linear forms of the memory, plus offsets.

    Attributes:
        matrix: The forms (N, M).
        sizes: Their absolute values.
        offsets: Shape (N,).
        logits: Those whose rounding each of them bears.
    """

    matrix: arb_mat
    sizes: arb_mat
    offsets: Row
    logits: list[list[int]]


@final
class Readout:
    """The margins of digits, the program's rounding deducted (L6)."""

    def __init__(self, p: Program, by: Format) -> None:
        self._hidden, self._by = p.readout_weight.shape[1], by
        self._bias: Row = floats(p.readout_bias.tolist())
        rest = [0.0] * (len(p.start) - self._hidden)  # of a memory only the hidden vector is read
        self._weight: list[Row] = floats([row + rest for row in p.readout_weight.tolist()])
        self._sizes = absolute(self._weight)
        self._factors = [size(row) + 4 * (self._hidden + 1) for row in self._weight]
        self._over = arb(p.threshold)
        self._digits: dict[int, Rows] = {}

    def margin(self, s: Set, digit: int) -> arb:
        """Bound the margin of the digit that is due; infinite where any digit will do."""
        if digit == max(len(self._bias), 2):
            return ENDLESS
        if digit not in self._digits:
            self._digits[digit] = self._rows(digit)
        rows, errors = self._digits[digit], self._errors(s)
        least = [
            value + offset - total(errors[k] for k in logits)
            for value, offset, logits in zip(
                self._least(s, rows), rows.offsets, rows.logits, strict=True
            )
        ]
        return reduce(arb.min, least)

    def _rows(self, digit: int) -> Rows:
        w, b = self._weight, self._bias
        if len(b) == 1:
            sign = 2 * digit - 1
            matrix, offsets, logits = [scaled(arb(sign), w[0])], [sign * (b[0] - self._over)], [[0]]
        else:
            others = [k for k in range(len(b)) if k != digit]
            matrix = [plus(w[digit], negated(w[k])) for k in others]
            offsets, logits = [b[digit] - b[k] for k in others], [[digit, k] for k in others]
        return Rows(arb_mat(matrix), absolute(matrix), offsets, logits)

    def _errors(self, s: Set) -> Row:
        """Bound what the program loses in every logit."""
        reach = [x.reach for x in s.forms]
        largest = (self._sizes * column(reach)).entries()
        lost = total(reach[: self._hidden])
        return [
            self._by.rounding(self._hidden + 1, most + abs(b), factors + lost)
            for most, b, factors in zip(largest, self._bias, self._factors, strict=True)
        ]

    @staticmethod
    def _least(s: Set, rows: Rows) -> Row:
        """Bound linear forms from below, each by zonotope or by box, as is better."""
        along = map(size, (rows.matrix * s.symbols).tolist())
        middle = column([HALF * (x.low + x.high) for x in s.forms])
        half = column([HALF * (x.high - x.low) for x in s.forms])
        by_symbols = (rows.matrix * s.centre - rows.sizes * s.error).entries()
        by_box = (rows.matrix * middle - rows.sizes * half).entries()
        return [
            arb.max(x - radius, y) for x, radius, y in zip(by_symbols, along, by_box, strict=True)
        ]
