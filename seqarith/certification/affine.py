"""What a program computes elementwise, enclosed: a part of the trusted checker.

A form holds values that a step of the program computes. All forms of a step share their symbols, so
that a product or a sum of two knows what they have in common. Every operation covers the rounding
of the program's operation, of unit roundoff ``unit``, and that of the checker itself.
"""

from typing import NamedTuple

import numpy as np

from seqarith.certification.outward import GAMMA, TINY, UP, F, relax


class Form(NamedTuple):
    """Values (N, w): each in ``c + t @ g + s * e``, |t|, |s| <= 1, and in [low, high].

    The symbols t, one a row of g (N, G, w), are common to all forms of a step; s is not. ``radius``
    is at least the sum of |g|.
    """

    c: F
    g: F
    e: F
    radius: F
    low: F
    high: F

    def take(self, first: int, last: int) -> "Form":
        """Return the columns from ``first`` to before ``last``."""
        return Form(*(part[..., first:last] for part in self))

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


def form(c: F, g: F, e: F, low: F, high: F) -> Form:
    """Return a form whose [low, high] is cut to what the symbols allow."""
    radius = np.abs(g).sum(1) * UP
    reach = (radius + e) * UP + GAMMA * np.abs(c)
    return Form(c, g, e, radius, np.maximum(low, c - reach), np.minimum(high, c + reach))


def memory(c: F, g: F, e: F) -> Form:
    """Return sets as a form without an error: their boxes become symbols too."""
    g = np.concatenate((g, e[:, :, None] * np.eye(c.shape[1])), 1)
    return form(c, g, np.zeros_like(c), np.full_like(c, -np.inf), np.full_like(c, np.inf))


def constant(value: F, error: F) -> Form:
    """Return one value (w,) that the program knows within ``error``; it has no symbols."""
    reach = (error + GAMMA * np.abs(value)) * UP
    none = np.zeros((1, len(value)))
    return Form(
        value[None], none[None], error[None], none, (value - reach)[None], (value + reach)[None]
    )


def squash(x: Form, scale: F, shift: F, error: F) -> Form:
    """Enclose ``scale * tanh(x) + shift``, where the program errs by at most ``error`` (L4)."""
    slope, low, high, bottom, top = relax(x.low, x.high)
    c = slope * x.c + (low + high) * 0.5
    loss = (high - low) * 0.5 + slope * x.e
    loss += GAMMA * (np.abs(x.c) + x.radius + np.abs(low) + np.abs(high) + 1)
    slope *= scale
    pad = error + GAMMA
    return Form(
        scale * c + shift,
        x.g * slope[:, None],
        (scale * loss + pad) * UP,
        slope * x.radius * UP,
        scale * bottom + shift - pad,
        scale * top + shift + pad,
    )


def plus(x: Form, y: Form, unit: float) -> Form:
    """Enclose ``x + y`` (L8)."""
    size = x.bound() + y.bound()
    rounding = (unit + GAMMA) * size * UP + TINY
    e = (x.e + y.e + GAMMA * (x.parts() + y.parts()) + rounding) * UP
    low, high = x.low + y.low - rounding, x.high + y.high + rounding
    return form(x.c + y.c, x.g + y.g, e, low, high)


def times(x: Form, y: Form, unit: float) -> Form:
    """Enclose ``x * y`` (L9)."""
    diagonal = x.g * y.g
    shared = np.abs(diagonal).sum(1) * 0.5
    size = x.bound() * y.bound()
    rounding = (unit + GAMMA) * size * UP + TINY
    e = x.e * y.bound() + x.parts() * y.e + (x.radius * y.radius - shared)
    e = (e + 2 * GAMMA * x.parts() * y.parts() + rounding) * UP
    corners = [p * q for p in (x.low, x.high) for q in (y.low, y.high)]
    low, high = np.minimum.reduce(corners), np.maximum.reduce(corners)
    g = x.c[:, None] * y.g
    g += y.c[:, None] * x.g
    return form(x.c * y.c + diagonal.sum(1) * 0.5, g, e, low - rounding, high + rounding)


def blend(z: Form, h: Form, n: Form, unit: float) -> Form:
    """Enclose ``n + z * (h - n)``, computed in this order (L10).

    The errors of ``h`` and ``n`` count once, by z and 1 - z, and not as often as they occur.
    """
    endless = np.full_like(n.c, np.inf)
    apart = form(h.c - n.c, h.g - n.g, np.zeros_like(n.e), -endless, endless)
    wide = h.bound() + n.bound()
    gate, rest = z.bound(), np.maximum(np.abs(1 - z.low), np.abs(1 - z.high))
    size = n.bound() + gate * wide
    rounding = (3 * unit + 4 * GAMMA) * size * UP + 3 * TINY
    product = times(z.symbols(), apart, 0.0)
    e = product.e + z.e * apart.parts() + rest * n.e * UP + gate * h.e
    e = (e + 4 * GAMMA * (n.parts() + h.parts()) * (1 + z.parts()) + rounding) * UP
    least, most = [], []
    for v in (z.low, z.high):
        new, old = ((1 - v) * n.low, (1 - v) * n.high), (v * h.low, v * h.high)
        least.append(np.minimum(*new) + np.minimum(*old))
        most.append(np.maximum(*new) + np.maximum(*old))
    low, high = np.minimum(*least) - rounding, np.maximum(*most) + rounding
    return form(n.c + product.c, n.g + product.g, e, low, high)
