"""Numbers in ball arithmetic, as the exact checker holds them: forms, sums, and their rounding.

A ball (Arb's, in python-flint) surely holds the real number that it stands for, so the formulas
of this folder are those of the lemmas in ``docs/certificates.md`` word for word, without any pads:
the only rounding that is bounded is that of the program. F. Johansson, Arb: efficient
arbitrary-precision midpoint-radius interval arithmetic (2017).

A value of the step is a list of numbers, each of them a `Form`, or a `Sum` that the program may add
up in any order. Most operations are written for one number.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, final

from flint import arb, arb_mat

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
