"""The operations of a step on sets of numbers, rounding outward: a part of the trusted checker.

A form holds values that a step of the program computes. All forms of a step share their symbols, so
that a product or a sum of two knows what they have in common. Every operation covers the rounding
of the program's operation, of unit roundoff ``unit``, and that of the checker itself.

Sums are put off: `Sum` holds terms that the program may add up in any order, so what a sum of
products, biases and other values is rounded by is counted once, when something reads it.
"""

from typing import Any, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from seqarith.cells.steps import ACTIVATIONS, Operation, arguments
from seqarith.certification.kernel.outward import (
    FLUSH,
    GAMMA,
    TINY,
    UP,
    F,
    gamma,
    limit,
    relax,
    relax_relu,
)
from seqarith.certification.kernel.wellformed import require

TERMS = 4000  # of a sum, at most: what GAMMA and TINY pay for


class Form(NamedTuple):
    """Values (N, w): each in ``c + t @ g + s * e``, |t|, |s| <= 1, and in [low, high].

    The symbols t, one a row of g (N, G, w), are common to all forms of a step; s is not. ``radius``
    is at least the sum of |g|. What depends on the letter alone has no symbols, and one row.
    """

    c: F
    g: F
    e: F
    radius: F
    low: F
    high: F

    def bound(self) -> F:
        """Bound the absolute values."""
        return np.maximum(np.abs(self.low), np.abs(self.high))

    def parts(self) -> F:
        """Bound the absolute values of ``c + t @ g`` alone."""
        return np.asarray((np.abs(self.c) + self.radius) * UP)

    def symbols(self) -> "Form":
        """Return ``c + t @ g`` alone."""
        parts = self.parts()
        return self._replace(e=np.zeros_like(self.e), low=-parts, high=parts)


class Sum(NamedTuple):
    """A sum whose terms are exact: what the program loses when it adds them up is not counted yet.

    Attributes:
        c, g, e, radius: As of a `Form`; e is what the terms are not known by.
        size: Bound of the sum of the absolute values of all products and terms.
        terms: Number of products and terms.
        low, high: Bounds of the exact sum; None where only the symbols give them.
    """

    c: F
    g: F
    e: F
    radius: F
    size: F
    terms: int
    low: F | None = None
    high: F | None = None


class Memory(NamedTuple):
    """Columns ``first`` to before ``last`` of a set ``c + t @ g + s * e``, with s as symbols too.

    So it has no error. The symbols s of all columns come after t.
    """

    c: F
    g: F
    e: F
    first: int
    last: int

    def form(self) -> Form:
        """Return it as a form."""
        part, count = slice(self.first, self.last), self.c.shape[1]
        diagonal = self.e[:, :, None] * np.eye(count)[:, part]
        g = np.concatenate((self.g[:, :, part], diagonal), 1)
        c = self.c[:, part]
        return form(c, g, np.zeros_like(c))


Value = Form | Sum | Memory


def form(c: F, g: F, e: F, low: F | None = None, high: F | None = None) -> Form:
    """Return a form whose [low, high] is cut to what the symbols allow."""
    return _cut(c, g, e, np.abs(g).sum(1) * UP, low, high)


def _cut(c: F, g: F, e: F, radius: F, low: F | None, high: F | None) -> Form:
    reach = (radius + e) * UP + GAMMA * np.abs(c)
    if low is None or high is None:
        return Form(c, g, e, radius, c - reach, c + reach)
    return Form(c, g, e, radius, np.maximum(low, c - reach), np.minimum(high, c + reach))


def exact(values: F) -> Form:
    """Return numbers (N, w) that are known."""
    none = np.zeros_like(values)
    return Form(values, np.zeros((len(values), 0, values.shape[1])), none, none, values, values)


@final
class Forms:
    """What every operation of a record does to forms.

    Args:
        arrays: The arrays that the record names.
        tanh_ulps: Bound of the program's error in tanh, in epsilons; of a sigmoid half of that and
            one epsilon.
        unit: The program's unit roundoff.
        relaxed: What encloses tanh on intervals.
    """

    def __init__(
        self, arrays: dict[str, NDArray[Any]], tanh_ulps: float, unit: float, relaxed: Any = relax
    ) -> None:
        self.unit, self.relaxed = unit, relaxed
        self.limit: float | None = limit(unit)
        self.arrays: dict[str, F] = {k: x.T.astype(np.float64) for k, x in arrays.items()}
        self.sizes: dict[str, F] = {k: np.abs(x) for k, x in self.arrays.items()}
        self._known: dict[tuple[Any, ...], tuple[F, F, NDArray[np.bool_]]] = {}
        self.errors = {"tanh": tanh_ulps * 2 * unit, "sigmoid": (tanh_ulps + 2) * unit}

    def apply(
        self, operations: tuple[Operation, ...], sets: list[dict[int, Value]], numbers: list[int]
    ) -> None:
        """Do operations, numbered from 0, that do not read one another, and add their values.

        Args:
            operations: The record.
            sets: Values by number, of each letter.
            numbers: One operation, or several activations.
        """
        first = operations[numbers[0]]
        if first[0] not in ACTIVATIONS:
            for values in sets:
                values[numbers[0] + 2] = self._one(first, values)
            return
        places = [(values, n) for values in sets for n in numbers]
        read = [self.form(values, operations[n][1]) for values, n in places]
        found = self.activations([operations[n][0] for _, n in places], read)
        for (values, n), value in zip(places, found, strict=True):
            values[n + 2] = value

    def form(self, values: dict[int, Value], number: int) -> Form:
        """Return a value as a form; that of value n may be there already, as value ~n."""
        found = values.get(~number)
        return found if isinstance(found, Form) else self.known(values[number])

    def _one(self, operation: Operation, values: dict[int, Value]) -> Value:
        kind, x = operation[0], arguments(operation)
        if kind == "linear":
            return self.linear(values[x[0]], operation[2])
        if kind == "scale":
            return self.scale(self.form(values, x[0]), operation[2])
        if kind in ("shift", "add", "subtract"):
            other = self._constant(operation[2]) if kind == "shift" else self.term(values[x[1]])
            other = negative(other) if kind == "subtract" else other
            return self.add(self.term(values[x[0]]), other)
        if kind == "take":
            return take(values[x[0]], operation[2], operation[3])
        known = aligned([self.form(values, n) for n in x])
        if kind == "join":
            return join(known)
        first, *others = (form.bound() for form in known)
        self._require_no_overflow((1 + first) * np.add.reduce(others))
        return PRODUCTS[kind](known, self.unit)

    def _require_no_overflow(self, size: F) -> None:
        """Refuse what may be too large, or is no number at all (L11)."""
        fits = self.limit is None or size.max() <= self.limit
        require(fits, "a value of the step may be too large for the program's numbers")

    def linear(self, x: Value, name: str) -> Sum:
        """Return the product of a matrix with values."""
        weight, sizes = self.arrays[name], self.sizes[name]
        if isinstance(x, Memory):
            part, width = slice(x.first, x.last), weight.shape[1]
            beside = x.first, x.c.shape[1] - x.last
            before, after = (np.zeros((len(x.c), rows, width)) for rows in beside)
            c, own, box = x.c[:, part], x.g[:, :, part], x.e[:, part]
            pieces = own @ weight, box[:, :, None] * weight
            radius = (np.abs(pieces[0]).sum(1) + np.abs(pieces[1]).sum(1)) * UP
            g = np.concatenate((pieces[0], before, pieces[1], after), 1)
            reach, e = np.abs(c) + np.abs(own).sum(1) + box, np.zeros((1, width))
        else:
            x = self.known(x)
            c, g, e = x.c, x.g @ weight, x.e @ sizes
            reach, radius = np.abs(c) + x.radius + x.e, np.abs(g).sum(1) * UP
        size = reach * UP @ sizes * UP
        e = (e + GAMMA * size + FLUSH * reach.sum(1, keepdims=True)) * UP
        c = c @ weight
        ends = (None, None) if g.shape[1] else (c - e, c + e)
        return Sum(c, g, e, radius, size, len(weight), *ends)

    def scale(self, x: Form, name: str) -> Sum:
        """Return the elementwise product of an array with values."""
        weight, sizes = self.arrays[name], self.sizes[name]
        reach = (np.abs(x.c) + x.radius + x.e) * UP
        size, radius = reach * sizes * UP, x.radius * sizes * UP
        e = (x.e * sizes + GAMMA * size + FLUSH * reach) * UP
        return Sum(x.c * weight, x.g * weight, e, radius, size, 1)

    def _constant(self, name: str) -> Sum:
        return self.term(exact(self.arrays[name][None]))

    def term(self, x: Value) -> Sum:
        """Return a value as a sum of one term."""
        if isinstance(x, Sum):
            return x
        x = self.known(x)
        size = (np.abs(x.c) + x.radius + x.e) * UP
        return Sum(x.c, x.g, x.e, x.radius, size, 1, x.low, x.high)

    def add(self, x: Sum, y: Sum) -> Sum:
        """Return ``x + y``."""
        low = high = None
        if x.low is not None and x.high is not None and y.low is not None and y.high is not None:
            low, high = x.low + y.low, x.high + y.high
        if x.g.shape[1] and y.g.shape[1]:
            g = x.g + y.g
            radius = np.abs(g).sum(1) * UP
        else:  # what has no symbols has an empty g
            g, radius = x.g if x.g.shape[1] else y.g, x.radius + y.radius
        e, size = (x.e + y.e) * UP, (x.size + y.size) * UP
        return Sum(x.c + y.c, g, e, radius, size, x.terms + y.terms, low, high)

    def known(self, x: Value) -> Form:
        """Return a value as a form; of a sum, once the program has added it up in some order."""
        if isinstance(x, Form):
            return x
        if isinstance(x, Memory):
            return x.form()
        require(x.terms <= TERMS, f"a sum of more than {TERMS} terms")
        self._require_no_overflow(x.size)
        relative = gamma(x.terms + 4, self.unit)
        rounding = ((relative + 2 * GAMMA) * x.size + GAMMA * np.abs(x.c)) * UP + TINY
        e = (x.e + rounding) * UP
        low = None if x.low is None else x.low - rounding
        high = None if x.high is None else x.high + rounding
        return _cut(x.c, x.g, e, x.radius, low, high)

    def activations(self, kinds: list[str], x: list[Form]) -> list[Form]:
        """Enclose tanh, sigmoid or relu of several forms, whose columns are put side by side.

        A sigmoid is ``tanh(x / 2) / 2 + 1/2``.
        """
        c, e, radius, lo, hi = (
            np.concatenate([getattr(value, part) for value in x], 1)
            for part in ("c", "e", "radius", "low", "high")
        )
        half, error, linear = self._columns(kinds, [value.c.shape[1] for value in x])
        slope, low, high, bottom, top = self.relaxed(lo * half, hi * half)
        if linear.any():  # relu
            found = zip((slope, low, high, bottom, top), relax_relu(lo, hi), strict=True)
            slope, low, high, bottom, top = (np.where(linear, b, a) for a, b in found)
        slope = slope * half
        loss = (high - low) * 0.5 + slope * e
        loss += GAMMA * (np.abs(c) + radius + np.abs(low) + np.abs(high) + 1)
        shift, pad = 1 - half, error + GAMMA + linear * GAMMA * (np.abs(lo) + np.abs(hi))
        c = half * (slope * c + (low + high) * 0.5) + shift
        e = (half * loss + pad) * UP
        slope *= half
        bottom, top = half * bottom + shift - pad, half * top + shift + pad
        columns = c, slope, e, slope * radius * UP, bottom, top
        begin, result = 0, []
        for value in x:
            part = slice(begin, begin + value.c.shape[1])
            begin = part.stop
            c, slope, *others = (column[:, part] for column in columns)
            result.append(Form(c, value.g * slope[:, None], *others))
        return result

    def _columns(self, kinds: list[str], widths: list[int]) -> tuple[F, F, NDArray[np.bool_]]:
        """Return for each column 1/2 or 1, the program's error, and whether it is a relu."""
        key = (*kinds, *widths)
        if key not in self._known:
            half = np.repeat([0.5 if kind == "sigmoid" else 1.0 for kind in kinds], widths)
            error = np.repeat([self.errors.get(kind, 0.0) for kind in kinds], widths)
            self._known[key] = half, error, np.repeat([kind == "relu" for kind in kinds], widths)
        return self._known[key]


def negative(x: Sum) -> Sum:
    """Return ``-x``."""
    low, high = (None if end is None else -end for end in (x.high, x.low))
    return x._replace(c=-x.c, g=-x.g, low=low, high=high)


def take(x: Value, first: int, last: int) -> Value:
    """Return the columns from ``first`` to before ``last``."""
    if isinstance(x, Memory):
        return x._replace(first=x.first + first, last=x.first + last)
    part = slice(first, last)
    if isinstance(x, Form):
        return Form(*(array[..., part] for array in x))
    arrays = (x.c, x.g, x.e, x.radius, x.size)
    c, g, e, radius, size = (array[..., part] for array in arrays)
    low, high = (None if end is None else end[..., part] for end in (x.low, x.high))
    return Sum(c, g, e, radius, size, x.terms, low, high)


def aligned(values: list[Form]) -> list[Form]:
    """Return forms with one number of symbols, and of rows."""
    rows, symbols = (max(x.g.shape[axis] for x in values) for axis in (0, 1))
    return [x if x.g.shape[:2] == (rows, symbols) else _widened(x, rows, symbols) for x in values]


def _widened(x: Form, rows: int, symbols: int) -> Form:
    g = x.g if x.g.shape[1] == symbols else np.zeros((1, symbols, x.g.shape[2]))
    return Form(*(np.broadcast_to(a, (rows, *a.shape[1:])) for a in x._replace(g=g)))


def join(x: list[Form]) -> Form:
    """Return forms side by side."""
    return Form(*(np.concatenate(parts, -1) for parts in zip(*x, strict=True)))


def times(both: list[Form], unit: float) -> Form:
    """Enclose ``x * y``."""
    x, y = both
    diagonal = x.g * y.g
    shared = np.abs(diagonal).sum(1) * 0.5
    wide, broad = x.bound(), y.bound()
    rounding = (unit + GAMMA) * (wide * broad) * UP + FLUSH * (wide + broad) + TINY
    e = x.e * broad + x.parts() * y.e + (x.radius * y.radius - shared)
    e = (e + 2 * GAMMA * x.parts() * y.parts() + rounding) * UP
    corners = [p * q for p in (x.low, x.high) for q in (y.low, y.high)]
    low, high = np.minimum.reduce(corners), np.maximum.reduce(corners)
    g = x.c[:, None] * y.g
    g += y.c[:, None] * x.g
    return form(x.c * y.c + diagonal.sum(1) * 0.5, g, e, low - rounding, high + rounding)


def blend(values: list[Form], unit: float) -> Form:
    """Enclose ``n + z * (h - n)``, or ``(1 - z) * n + z * h``.

    The errors of ``h`` and ``n`` count once, by z and 1 - z, and not as often as they occur.
    """
    z, h, n = values
    apart = form(h.c - n.c, h.g - n.g, np.zeros_like(n.e))
    wide = h.bound() + n.bound()
    gate, rest = z.bound(), np.maximum(np.abs(1 - z.low), np.abs(1 - z.high))
    size = n.bound() + gate * wide
    rounding = (3 * unit + 4 * GAMMA) * size * UP + 4 * FLUSH * (wide + gate) + 3 * TINY
    product = times([z.symbols(), apart], 0.0)
    e = product.e + z.e * apart.parts() + rest * n.e * UP + gate * h.e
    e = (e + 4 * GAMMA * (n.parts() + h.parts()) * (1 + z.parts()) + rounding) * UP
    least, most = [], []
    for v in (z.low, z.high):
        new, old = ((1 - v) * n.low, (1 - v) * n.high), (v * h.low, v * h.high)
        least.append(np.minimum(*new) + np.minimum(*old))
        most.append(np.maximum(*new) + np.maximum(*old))
    low, high = np.minimum(*least) - rounding, np.maximum(*most) + rounding
    return form(n.c + product.c, n.g + product.g, e, low, high)


PRODUCTS = {"multiply": times, "blend": blend}
