"""L8 to L10, and the cutting of intervals: the inequalities of forms, and their adversaries."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest

pytest.importorskip("flint")

from adversarial import (
    UNITS,
    WAYS,
    Adversary,
    Exact,
    assert_bounds,
    assert_near,
    least_float,
    magnitudes,
    outside,
    rational,
)

from seqarith.certification import affine
from seqarith.certification.affine import Form

GAMMA, TINY, ULP = Fraction(2) ** -41, Fraction(2) ** -90, Fraction(2) ** -52
ROWS, SYMBOLS, WIDTH = 100, 3, 2
SEEDS = range(3)
ALL_UNITS = [0.0, *UNITS.values()]


def random_form(rng: np.random.Generator, size: float = 1.0) -> Form:
    """Draw forms whose radius has no room; of every third, one kind of number is zero."""
    c, g = (magnitudes(rng, *shape) * size for shape in ((ROWS, WIDTH), (ROWS, SYMBOLS, WIDTH)))
    e = np.abs(magnitudes(rng, ROWS, WIDTH)) * size
    c[::3], g[1::3], e[2::3] = 0, 0, 0
    radius = least_float(np.abs(rational(g)).sum(1))
    reach = least_float(rational(radius) + rational(e))
    low, high = np.nextafter(c - reach, -np.inf), np.nextafter(c + reach, np.inf)
    # Intervals that symbols do not explain: one end is nearer than they allow.
    low[::2] += (rng.random((ROWS, WIDTH)) * reach)[::2]
    return Form(c, g, e, radius, low, np.maximum(low, high))


def exact(x: Form) -> Form:
    return Form(*map(rational, x))


def bound(x: Form) -> Exact:
    return np.maximum(np.abs(x.low), np.abs(x.high))


def parts(x: Form) -> Exact:
    return np.abs(x.c) + x.radius


def assert_cut(out: Form, low: Exact, high: Exact, slack: Exact) -> None:
    """The interval is the stated one, or what symbols allow; no wider, and no narrower.

    Its own ends may be off by ``slack``, by which they were rounded before they were padded.
    """
    g, c, e = rational(out.g), rational(out.c), rational(out.e)
    assert_bounds(out.radius, np.abs(g).sum(1))
    reach = np.abs(g).sum(1) + e
    # Whatever the two roundings of c - reach are, GAMMA |c| is more.
    assert np.all(rational(out.low) <= np.maximum(low + slack, c - reach))
    assert np.all(rational(out.high) >= np.minimum(high - slack, c + reach))
    near = (reach + np.abs(c)) * 4 * ULP + reach * 2**-38 + slack
    assert_near(out.low, np.maximum(low, c - reach - GAMMA * np.abs(c)), near)
    assert_near(out.high, np.minimum(high, c + reach + GAMMA * np.abs(c)), near)


@pytest.mark.parametrize("seed", SEEDS)
def test_bounds_of_a_form(seed: int) -> None:
    x = random_form(np.random.default_rng(seed))
    assert np.array_equal(rational(x.bound()), bound(exact(x)))
    assert_bounds(x.parts(), parts(exact(x)))
    alone = x.symbols()
    assert not np.any(alone.e)
    assert_bounds(alone.high, parts(exact(x)))
    assert np.array_equal(alone.low, -alone.high)
    assert np.array_equal(alone.c, x.c)
    assert np.array_equal(alone.g, x.g)
    assert np.array_equal(x.take(1, 2).low, x.low[:, 1:2])


@pytest.mark.parametrize("seed", SEEDS)
def test_an_interval_is_cut_to_what_symbols_allow(seed: int) -> None:
    x = random_form(np.random.default_rng(seed))
    assert_cut(affine.form(x.c, x.g, x.e, x.low, x.high), x.low, x.high, 0)
    endless = np.full_like(x.c, np.inf)
    open_ended = affine.form(x.c, x.g, x.e, -endless, endless)
    far = Fraction(2) ** 200
    assert_cut(open_ended, -far, far, 0)


def test_an_interval_holds_what_is_lost_when_its_end_is_rounded() -> None:
    """1 - 2^-60 rounds to 1: without GAMMA |c| the interval would have no width."""
    one = np.ones((1, 1))
    x = affine.form(one, 0 * one[None], 2.0**-60 * one, -np.inf * one, np.inf * one)
    assert x.low < 1 - 2.0**-50 < 1 + 2.0**-50 < x.high


@pytest.mark.parametrize("seed", SEEDS)
def test_a_memory_is_a_form_without_error(seed: int) -> None:
    x = random_form(np.random.default_rng(seed))
    whole = affine.memory(x.c, x.g, x.e)
    assert not np.any(whole.e)
    assert np.array_equal(whole.c, x.c)
    assert np.array_equal(whole.g[:, :SYMBOLS], x.g)
    for j in range(WIDTH):
        own = whole.g[:, SYMBOLS + j]
        assert np.array_equal(own[:, j], x.e[:, j])
        assert not np.any(np.delete(own, j, 1))
    far = Fraction(2) ** 200
    assert_cut(whole, -far, far, 0)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_constant_is_known_within_its_error(seed: int) -> None:
    x = random_form(np.random.default_rng(seed))
    value, error = x.c[:, 0], x.e[:, 0]
    known = affine.constant(value, error)
    assert np.array_equal(known.c[0], value)
    assert np.array_equal(known.e[0], error)
    assert known.g.shape == (1, 1, ROWS)
    assert not np.any(known.g)
    assert not np.any(known.radius)
    least = rational(value) - rational(error), rational(value) + rational(error)
    assert np.all(rational(known.low[0]) <= least[0])
    assert np.all(rational(known.high[0]) >= least[1])
    reach = rational(error) + GAMMA * np.abs(rational(value))
    within = reach * 2**-38 + (reach + np.abs(rational(value))) * 4 * ULP
    assert_near(known.low[0], rational(value) - reach, within)
    assert_near(known.high[0], rational(value) + reach, within)


@pytest.mark.parametrize(("seed", "unit"), list(product(SEEDS, ALL_UNITS)))
def test_the_error_of_a_sum(seed: int, unit: float) -> None:
    """L8: those of the terms, GAMMA of their symbols, and the rounding of the program's sum."""
    rng = np.random.default_rng(seed)
    given = random_form(rng), random_form(rng)
    out, (x, y) = affine.plus(*given, unit), map(exact, given)
    rounding = (Fraction(unit) + GAMMA) * (bound(x) + bound(y)) + TINY
    assert_bounds(out.e, x.e + y.e + GAMMA * (parts(x) + parts(y)) + rounding)
    assert_near(out.c, x.c + y.c, (np.abs(x.c) + np.abs(y.c)) * ULP)
    assert_near(out.g, x.g + y.g, (np.abs(x.g) + np.abs(y.g)) * ULP)
    slack = (bound(x) + bound(y)) * 4 * ULP + rounding * 2**-38
    assert_cut(out, x.low + y.low - rounding, x.high + y.high + rounding, slack)
    # Free of pads: what the interval has to contain at least.
    lost = Fraction(unit) * (bound(x) + bound(y))
    kept = np.abs(rational(out.g)).sum(1) + rational(out.e)
    assert np.all(rational(out.low) <= np.maximum(x.low + y.low - lost, rational(out.c) - kept))


@pytest.mark.parametrize(("seed", "unit"), list(product(SEEDS, ALL_UNITS)))
def test_the_error_of_a_product(seed: int, unit: float) -> None:
    """L9: errors times what they meet, products of symbols, GAMMA of those, and the rounding."""
    rng = np.random.default_rng(seed)
    given = random_form(rng), random_form(rng)
    out, (x, y) = affine.times(*given, unit), map(exact, given)
    diagonal = x.g * y.g
    quadratic = x.radius * y.radius - np.abs(diagonal).sum(1) / 2
    rounding = (Fraction(unit) + GAMMA) * bound(x) * bound(y) + TINY
    pad = 2 * GAMMA * parts(x) * parts(y)
    stated = x.e * bound(y) + parts(x) * y.e + quadratic + pad + rounding
    # The difference in `quadratic` is rounded, which GAMMA covers: here it is on both sides.
    hidden = x.radius * y.radius * 8 * ULP
    returned = rational(out.e)
    assert np.all(returned >= stated - hidden)
    assert np.all(returned <= stated * (1 + Fraction(2) ** -37) + hidden)
    assert_near(out.c, x.c * y.c + diagonal.sum(1) / 2, parts(x) * parts(y) * 4 * ULP + TINY / 2)
    linear = x.c[:, None] * y.g + y.c[:, None] * x.g
    largest = np.abs(x.c[:, None] * y.g) + np.abs(y.c[:, None] * x.g)
    assert_near(out.g, linear, largest * 2 * ULP + TINY / 2)
    corners = np.array([p * q for p in (x.low, x.high) for q in (y.low, y.high)])
    slack = bound(x) * bound(y) * 4 * ULP + rounding * 2**-38
    assert_cut(out, corners.min(0) - rounding, corners.max(0) + rounding, slack)


@pytest.mark.parametrize(("seed", "unit"), list(product(range(5), ALL_UNITS)))
def test_the_error_of_a_blend(seed: int, unit: float) -> None:
    """L10: the error of z by |h - n|, of n by |1 - z|, of h by |z|, the rest as a product."""
    rng = np.random.default_rng(seed)
    given = random_form(rng, 2.0 ** -rng.integers(20)), random_form(rng), random_form(rng)
    out, (z, h, n) = affine.blend(*given, unit), map(exact, given)
    apart_g = h.g - n.g
    apart = np.abs(h.c - n.c) + np.abs(apart_g).sum(1)
    diagonal = z.g * apart_g
    quadratic = z.radius * np.abs(apart_g).sum(1) - np.abs(diagonal).sum(1) / 2
    symbols = parts(z) * apart
    in_product = quadratic + 2 * GAMMA * symbols + GAMMA * symbols + TINY
    rest = np.maximum(np.abs(1 - z.low), np.abs(1 - z.high))
    size = bound(n) + bound(z) * (bound(h) + bound(n))
    rounding = (3 * Fraction(unit) + 4 * GAMMA) * size + 3 * TINY
    pad = 4 * GAMMA * (parts(n) + parts(h)) * (1 + parts(z))
    stated = in_product + z.e * apart + rest * n.e + bound(z) * h.e + pad + rounding
    # h - n is rounded before it is multiplied, and 1 - z: a part of ULP in each.
    blurred = (parts(h) + parts(n)) * (parts(z) + z.e) * 16 * ULP + (1 + bound(z)) * n.e * 4 * ULP
    returned = rational(out.e)
    assert np.all(returned >= stated - blurred)
    # `apart` has a GAMMA of its own, since it is a form.
    assert np.all(returned <= stated * (1 + Fraction(2) ** -37) + blurred * 2**12)
    least, most = [], []
    for v in (z.low, z.high):
        new, old = ((1 - v) * n.low, (1 - v) * n.high), (v * h.low, v * h.high)
        least.append(np.minimum(*new) + np.minimum(*old))
        most.append(np.maximum(*new) + np.maximum(*old))
    slack = (1 + bound(z)) * (bound(h) + bound(n)) * 8 * ULP + rounding * 2**-38
    low, high = np.minimum(*least) - rounding, np.maximum(*most) + rounding
    assert_cut(out, low, high, slack)
    centre = n.c + z.c * (h.c - n.c) + diagonal.sum(1) / 2
    whole = (parts(h) + parts(n)) * (1 + parts(z))
    assert_near(out.c, centre, whole * 8 * ULP + TINY)
    linear = n.g + z.c[:, None] * apart_g + (h.c - n.c)[:, None] * z.g
    assert_near(out.g, linear, whole[:, None] * 8 * ULP + TINY)


def drawn(rng: np.random.Generator, spread: float) -> tuple[Form, Exact, Exact]:
    """Draw forms, a value in each at the end of its error, and the symbols that it has."""
    c, g = rng.normal(size=(ROWS, WIDTH)), rng.normal(size=(ROWS, SYMBOLS, WIDTH)) * spread
    c[::4] = 2.0 ** rng.integers(-3, 4, (len(c[::4]), WIDTH))
    e = np.abs(rng.normal(size=(ROWS, WIDTH))) * spread
    endless = np.full_like(c, np.inf)
    x = affine.form(c, g, e, -endless, endless)
    t = rational(SIGNS)
    s = rational(np.sign(rng.normal(size=(ROWS, WIDTH))))
    return x, rational(c) + (t[:, :, None] * rational(g)).sum(1) + s * rational(e), t


SIGNS = np.sign(np.random.default_rng(99).normal(size=(ROWS, SYMBOLS)))


def operations(by: Adversary, unit: float, spread: float, seed: int) -> dict[str, Any]:
    """Return for each operation its form and what the program makes of the values."""
    rng = np.random.default_rng(seed)
    (z, gate, _), (h, old, _), (n, new, _) = (drawn(rng, spread) for _ in range(3))
    nothing = affine.form(*(0 * part for part in (n.c, n.g, n.e)), 0 * n.c, 0 * n.c)
    return {
        "plus": (affine.plus(h, n, unit), by.add(old, new)),
        "times": (affine.times(h, n, unit), by.times(old, new)),
        "square": (affine.times(h, h, unit), by.times(old, old)),
        "blend": (
            affine.blend(z, h, n, unit),
            by.add(by.times(by.subtract(old, new), gate), new),
        ),
        "blend with nothing": (
            affine.blend(z, h, nothing, unit),
            by.add(by.times(by.subtract(old, 0 * new), gate), 0 * new),
        ),
    }


@pytest.mark.parametrize("spread", [0.0, 2.0**-30, 0.3])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("dtype", UNITS)
def test_what_the_worst_program_computes_is_contained(dtype: str, way: str, spread: float) -> None:
    by = Adversary(dtype, way)
    for name, (out, value) in operations(by, UNITS[dtype], spread, 5).items():
        assert not outside(out, value, rational(SIGNS)), name


@pytest.mark.parametrize("name", ["plus", "times", "square", "blend with nothing"])
def test_with_half_the_unit_the_worst_program_is_not_contained(name: str) -> None:
    by = Adversary("float32", "away")
    for part, least in ((1.0, False), (0.9, True), (0.5, True)):
        out, value = operations(by, part * UNITS["float32"], 0.0, 5)[name]
        assert outside(out, value, rational(SIGNS)) == least


@pytest.mark.parametrize("dtype", UNITS)
def test_what_is_flushed_to_zero_is_contained(dtype: str) -> None:
    """Operands just below the smallest normal number, the other ones as large as can be."""
    by = Adversary(dtype, "toward")
    below = np.full((1, 1), float(np.finfo(dtype).tiny) * (1 - 2.0**-20))
    none = np.zeros((1, 1, 1))
    small = affine.form(below, none, 0 * below, below, below)
    large = affine.form(
        2.0**20 + 0 * below, none, 0 * below, 2.0**20 + 0 * below, 2.0**20 + 0 * below
    )
    t = rational(np.zeros((1, 1)))
    values = rational(below), rational(large.c)
    unit = UNITS[dtype]
    for out, value in (
        (affine.plus(small, small, unit), by.add(values[0], values[0])),
        (affine.times(small, large, unit), by.times(*values)),
        (affine.blend(small, large, small, unit), values[0] * 0),
    ):
        assert not outside(out, value, t)
        assert np.all(out.e >= 2.0**-90)
