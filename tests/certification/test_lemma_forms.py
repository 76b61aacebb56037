"""L4, L8 to L10: what each operation on forms returns is what its lemma states, in fractions."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest

pytest.importorskip("flint")

from adversarial import (
    UNITS,
    Exact,
    assert_bounds,
    assert_near,
    least_float,
    magnitudes,
    rational,
)

from seqarith.certification.kernel import forms
from seqarith.certification.kernel.forms import Form, Forms, Memory, Sum, Value
from seqarith.certification.kernel.wellformed import Refusal

GAMMA, TINY, ULP = Fraction(2) ** -41, Fraction(2) ** -90, Fraction(2) ** -52
FLUSH = Fraction(2) ** -125
ROWS, SYMBOLS, WIDTH = 100, 3, 2
SEEDS = range(3)
ALL_UNITS = [0.0, *UNITS.values()]
SMALL = Fraction(2) ** -38
FAR = Fraction(2) ** 200
"""Beyond all that is drawn: what an interval without ends is in fractions."""


def random_form(rng: np.random.Generator, size: float = 1.0, symbols: int = SYMBOLS) -> Form:
    """Draw forms whose radius has no room; of every third, one kind of number is zero."""
    c, g = (magnitudes(rng, *shape) * size for shape in ((ROWS, WIDTH), (ROWS, symbols, WIDTH)))
    e = np.abs(magnitudes(rng, ROWS, WIDTH)) * size
    c[::3], g[1::3], e[2::3] = 0, 0, 0
    radius = least_float(np.abs(rational(g)).sum(1)) if symbols else 0 * c
    reach = least_float(rational(radius) + rational(e))
    low, high = np.nextafter(c - reach, -np.inf), np.nextafter(c + reach, np.inf)
    # Intervals that symbols do not explain: one end is nearer than they allow.
    low[::2] += (rng.random((ROWS, WIDTH)) * reach)[::2]
    return Form(c, g, e, radius, low, np.maximum(low, high))


def random_sum(rng: np.random.Generator, terms: int, ends: bool, symbols: int = SYMBOLS) -> Sum:
    """Draw sums that are larger than their parts, as where terms cancel."""
    x = random_form(rng, symbols=symbols)
    size = np.abs(x.c) + x.radius + x.e + np.abs(magnitudes(rng, ROWS, WIDTH))
    interval = (x.low, x.high) if ends else (None, None)
    return Sum(x.c, x.g, x.e, x.radius, size, terms, *interval)


def random_memory(rng: np.random.Generator, first: int, last: int) -> Memory:
    """Draw memories of four numbers, of which some columns are taken."""
    c, e = magnitudes(rng, ROWS, 4), np.abs(magnitudes(rng, ROWS, 4))
    c[::3], e[2::3] = 0, 0
    return Memory(c, magnitudes(rng, ROWS, SYMBOLS, 4), e, first, last)


def exact(x: Form) -> Form:
    return Form(*map(rational, x))


def bound(x: Form) -> Exact:
    return np.maximum(np.abs(x.low), np.abs(x.high))


def parts(x: Form) -> Exact:
    return np.abs(x.c) + x.radius


def total(g: Any) -> Exact:
    """Return the sums of absolute values over the symbols."""
    return np.abs(rational(g)).sum(1) if g.shape[1] else rational(np.zeros(g.shape[::2]))


def gamma(terms: int, unit: float) -> Fraction:
    return terms * Fraction(unit) / (1 - terms * Fraction(unit))


def assert_cut(out: Form, low: Exact, high: Exact, slack: Exact, radius: Any = None) -> None:
    """The interval is the stated one, or what symbols allow; no wider, and no narrower.

    Its own ends may be off by ``slack``, by which they were rounded before they were padded.
    """
    c, e = rational(out.c), rational(out.e)
    known = total(out.g) if radius is None else rational(radius)
    assert_bounds(out.radius, known)
    reach = known + e
    # Whatever the two roundings of c - reach are, GAMMA |c| is more.
    assert np.all(rational(out.low) <= np.maximum(low + slack, c - reach))
    assert np.all(rational(out.high) >= np.minimum(high - slack, c + reach))
    near = (reach + np.abs(c)) * 4 * ULP + reach * SMALL + slack
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
    for name in ("c", "g", "radius"):
        assert np.array_equal(getattr(alone, name), getattr(x, name))


@pytest.mark.parametrize("seed", SEEDS)
def test_an_interval_is_cut_to_what_symbols_allow(seed: int) -> None:
    x = random_form(np.random.default_rng(seed))
    assert_cut(forms.form(x.c, x.g, x.e, x.low, x.high), x.low, x.high, 0)
    assert_cut(forms.form(x.c, x.g, x.e), -FAR, FAR, 0)


def test_an_interval_holds_what_is_lost_when_its_end_is_rounded() -> None:
    """1 - 2^-60 rounds to 1: without GAMMA |c| the interval would have no width."""
    one = np.ones((1, 1))
    x = forms.form(one, 0 * one[None], 2.0**-60 * one)
    assert x.low < 1 - 2.0**-50 < 1 + 2.0**-50 < x.high


@pytest.mark.parametrize(("first", "last"), [(0, 4), (0, 1), (1, 3), (3, 4)])
def test_the_box_of_a_memory_is_symbols(first: int, last: int) -> None:
    """Each number of the box is a symbol of its own, in its own column, and none is an error."""
    x = random_memory(np.random.default_rng(0), first, last)
    out = x.form()
    assert not np.any(out.e)
    assert np.array_equal(out.c, x.c[:, first:last])
    assert out.g.shape == (ROWS, SYMBOLS + 4, last - first)
    assert np.array_equal(out.g[:, :SYMBOLS], x.g[:, :, first:last])
    for j in range(4):
        own = out.g[:, SYMBOLS + j]
        for column in range(first, last):
            expected = x.e[:, j] if column == j else 0 * x.e[:, j]
            assert np.array_equal(own[:, column - first], expected)
    assert_cut(out, -FAR, FAR, 0)


def test_what_is_known_has_no_symbols_and_no_error() -> None:
    values = magnitudes(np.random.default_rng(0), 5, 3)
    out = forms.exact(values)
    assert out.g.shape == (5, 0, 3)
    for name in ("c", "low", "high"):
        assert np.array_equal(getattr(out, name), values)
    assert not np.any(out.e)
    assert not np.any(out.radius)


# Sums: products, and what is added to them.


def drawn(rng: np.random.Generator, *shape: int) -> tuple[Forms, Any]:
    """Draw an array ``w``, of float32, and what it is in fractions."""
    w = magnitudes(rng, *shape)
    w = np.where(np.abs(w) < 2.0**-100, 0, w).astype(np.float32)
    return Forms({"w": w}, 4.0, 0.0), rational(w)


@pytest.mark.parametrize(("seed", "symbols"), list(product(SEEDS, [SYMBOLS, 0])))
def test_a_product_of_a_matrix_with_a_form(seed: int, symbols: int) -> None:
    """What errors become, and GAMMA of the sizes of all terms."""
    rng = np.random.default_rng(seed)
    x, (domain, w) = random_form(rng, symbols=symbols), drawn(rng, 5, WIDTH)
    out, given, sizes = domain.linear(x, "w"), exact(x), np.abs(w).T
    reach = parts(given) + given.e
    size = reach @ sizes
    assert_bounds(out.size, size)
    assert_bounds(out.e, given.e @ sizes + GAMMA * size + FLUSH * reach.sum(1)[:, None])
    assert_near(out.c, given.c @ w.T, size * 4 * ULP + TINY)
    assert_bounds(out.radius, total(out.g))
    assert out.g.shape == (ROWS, symbols, 5)
    assert out.terms == WIDTH
    if symbols:
        assert_near(out.g, given.g @ w.T, (np.abs(given.g) @ sizes) * 4 * ULP + TINY)
        assert out.low is None
        assert out.high is None
    else:
        e, c = rational(out.e), rational(out.c)
        assert_near(out.low, c - e, (e + np.abs(c)) * ULP)
        assert_near(out.high, c + e, (e + np.abs(c)) * ULP)


@pytest.mark.parametrize(("first", "last"), [(0, 4), (0, 2), (1, 3), (2, 4)])
def test_a_product_of_a_matrix_with_a_memory(first: int, last: int) -> None:
    """The same, of its columns as symbols; what is not read has symbols too, which do nothing."""
    rng = np.random.default_rng(first + 10 * last)
    x, (domain, w) = random_memory(rng, first, last), drawn(rng, 5, last - first)
    out, given = domain.linear(x, "w"), exact(x.form())
    reach = np.abs(given.c) + np.abs(given.g).sum(1)
    size = reach @ np.abs(w).T
    assert_bounds(out.size, size)
    assert_bounds(out.e, GAMMA * size + FLUSH * reach.sum(1)[:, None])
    assert_near(out.c, given.c @ w.T, size * 4 * ULP + TINY)
    assert_near(out.g, given.g @ w.T, (np.abs(given.g) @ np.abs(w).T) * 4 * ULP + TINY)
    assert_bounds(out.radius, total(out.g))
    assert (out.terms, out.low, out.high) == (last - first, None, None)
    named = x.g[:, :, first:last] @ w.astype(float).T
    assert np.allclose(out.g[:, :SYMBOLS], named, rtol=1e-9, atol=1e-20)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_product_of_an_array_with_a_form(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, (domain, w) = random_form(rng), drawn(rng, WIDTH)
    out, given = domain.scale(x, "w"), exact(x)
    reach = parts(given) + given.e
    size = reach * np.abs(w)
    assert_bounds(out.size, size)
    assert_bounds(out.e, given.e * np.abs(w) + GAMMA * size + FLUSH * reach)
    assert_bounds(out.radius, given.radius * np.abs(w))
    assert_near(out.c, given.c * w, size * ULP + TINY)
    assert_near(out.g, given.g * w, np.abs(given.g * w) * ULP + TINY)
    assert (out.terms, out.low, out.high) == (1, None, None)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_value_is_a_sum_of_one_term(seed: int) -> None:
    rng = np.random.default_rng(seed)
    domain = Forms({}, 4.0, 0.0)
    for x in (random_form(rng), random_memory(rng, 1, 3)):
        out, given = domain.term(x), domain.known(x)
        for name in ("c", "g", "e", "radius", "low", "high"):
            assert np.array_equal(getattr(out, name), getattr(given, name)), name
        assert_bounds(out.size, parts(exact(given)) + rational(given.e))
        assert out.terms == 1
    already = random_sum(rng, 7, True)
    assert domain.term(already) is already


@pytest.mark.parametrize(
    ("sign", "symbols", "ends"),
    list(product([1.0, -1.0], product([SYMBOLS, 0], repeat=2), product([True, False], repeat=2))),
)
def test_adding_up(sign: float, symbols: Any, ends: Any) -> None:
    """Nothing is rounded yet; what has no symbols, or no ends, adds none."""
    rng = np.random.default_rng(int(sum(symbols) + sign + 2))
    x, y = (random_sum(rng, 3 + 4 * n, ends[n], symbols[n]) for n in range(2))
    other = y if sign > 0 else forms.negative(y)
    out = Forms({}, 4.0, 2.0**-24).add(x, other)
    assert out.terms == 10
    assert_bounds(out.e, rational(x.e) + rational(y.e))
    assert_bounds(out.size, rational(x.size) + rational(y.size))
    s = Fraction(sign)
    assert_near(out.c, rational(x.c) + s * rational(y.c), (np.abs(x.c) + np.abs(y.c)) * 2.0**-53)
    wide = [rational(v.g) if v.g.shape[1] else 0 for v in (x, y)]
    assert out.g.shape[1] == max(symbols)
    if max(symbols):
        off = sum(np.abs(part) for part in wide) * ULP
        assert_near(out.g, wide[0] + s * wide[1], off)
    known = total(out.g) if min(symbols) else rational(x.radius) + rational(y.radius)
    assert_bounds(out.radius, known)
    if not all(ends):
        assert out.low is None
        assert out.high is None
        return
    near = (np.abs(x.low) + np.abs(x.high) + np.abs(y.low) + np.abs(y.high)) * 2.0**-52
    ends_of_y = (y.low, y.high) if sign > 0 else (-y.high, -y.low)
    for found, a, b in zip((out.low, out.high), (x.low, x.high), ends_of_y, strict=True):
        assert_near(found, rational(a) + rational(b), rational(near))


@pytest.mark.parametrize(
    ("seed", "unit", "ends", "terms"),
    list(product(range(2), ALL_UNITS, [True, False], [1, 12, forms.TERMS])),
)
def test_the_error_of_a_sum_in_any_order(seed: int, unit: float, ends: bool, terms: int) -> None:
    """gamma and GAMMA of the sizes of all terms, GAMMA of the sum, and underflow."""
    x = random_sum(np.random.default_rng(seed), terms, ends)
    out = Forms({}, 4.0, unit).known(x)
    lost = gamma(terms + 4, unit) + 2 * GAMMA
    rounding = lost * rational(x.size) + GAMMA * np.abs(rational(x.c)) + TINY
    assert_bounds(out.e, rational(x.e) + rounding)
    assert np.array_equal(out.c, x.c)
    assert np.array_equal(out.g, x.g)
    assert np.array_equal(out.radius, x.radius)
    low, high = -FAR, FAR
    slack: Any = rounding * SMALL
    if x.low is not None and x.high is not None:
        low, high = rational(x.low) - rounding, rational(x.high) + rounding
        slack = slack + (np.abs(rational(x.low)) + np.abs(rational(x.high))) * ULP
    assert_cut(out, low, high, slack, x.radius)


def test_a_sum_has_as_many_terms_as_the_pads_pay_for() -> None:
    domain, x = Forms({}, 4.0, 2.0**-24), random_sum(np.random.default_rng(0), forms.TERMS, True)
    assert np.isfinite(domain.known(x).e).all()
    with pytest.raises(Refusal, match="a sum of more than 4000 terms"):
        domain.known(x._replace(terms=forms.TERMS + 1))


def test_what_is_known_stays_as_it_is() -> None:
    domain, rng = Forms({}, 4.0, 2.0**-24), np.random.default_rng(0)
    x, memory = random_form(rng), random_memory(rng, 1, 3)
    assert domain.known(x) is x
    for found, expected in zip(domain.known(memory), memory.form(), strict=True):
        assert np.array_equal(found, expected)


def test_a_sum_in_units_of_nothing_is_almost_exact() -> None:
    """Control: with unit 0 a sum errs by little more than TINY."""
    one = np.ones((1, 1))
    x = Sum(one, one[None], 0 * one, one, 2 * one, 9)
    assert Forms({}, 4.0, 0.0).known(x).e.item() < 2.0**-38
    assert Forms({}, 4.0, 2.0**-24).known(x).e.item() > 13 * 2.0**-23


# Products of values.


@pytest.mark.parametrize(("seed", "unit"), list(product(SEEDS, ALL_UNITS)))
def test_the_error_of_a_product(seed: int, unit: float) -> None:
    """L9: errors times what they meet, products of symbols, GAMMA of those, and the rounding."""
    rng = np.random.default_rng(seed)
    given = random_form(rng), random_form(rng)
    out, (x, y) = forms.times(list(given), unit), map(exact, given)
    diagonal = x.g * y.g
    quadratic = x.radius * y.radius - np.abs(diagonal).sum(1) / 2
    flushed = FLUSH * (bound(x) + bound(y)) + TINY
    rounding = (Fraction(unit) + GAMMA) * bound(x) * bound(y) + flushed
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
    slack = bound(x) * bound(y) * 4 * ULP + rounding * SMALL
    assert_cut(out, corners.min(0) - rounding, corners.max(0) + rounding, slack)


@pytest.mark.parametrize(("seed", "unit"), list(product(range(5), ALL_UNITS)))
def test_the_error_of_a_blend(seed: int, unit: float) -> None:
    """L10: the error of z by |h - n|, of n by |1 - z|, of h by |z|, the rest as a product."""
    rng = np.random.default_rng(seed)
    given = random_form(rng, 2.0 ** -rng.integers(20)), random_form(rng), random_form(rng)
    out, (z, h, n) = forms.blend(list(given), unit), map(exact, given)
    apart_g = h.g - n.g
    apart = np.abs(h.c - n.c) + np.abs(apart_g).sum(1)
    diagonal = z.g * apart_g
    quadratic = z.radius * np.abs(apart_g).sum(1) - np.abs(diagonal).sum(1) / 2
    symbols = parts(z) * apart
    in_product = quadratic + 3 * GAMMA * symbols + FLUSH * (parts(z) + apart) + TINY
    rest = np.maximum(np.abs(1 - z.low), np.abs(1 - z.high))
    size = bound(n) + bound(z) * (bound(h) + bound(n))
    flushed = 4 * FLUSH * (bound(h) + bound(n) + bound(z)) + 3 * TINY
    rounding = (3 * Fraction(unit) + 4 * GAMMA) * size + flushed
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
    slack = (1 + bound(z)) * (bound(h) + bound(n)) * 8 * ULP + rounding * SMALL
    low, high = np.minimum(*least) - rounding, np.maximum(*most) + rounding
    assert_cut(out, low, high, slack)
    centre = n.c + z.c * (h.c - n.c) + diagonal.sum(1) / 2
    whole = (parts(h) + parts(n)) * (1 + parts(z))
    assert_near(out.c, centre, whole * 8 * ULP + TINY)
    linear = n.g + z.c[:, None] * apart_g + (h.c - n.c)[:, None] * z.g
    assert_near(out.g, linear, whole[:, None] * 8 * ULP + TINY)


@pytest.mark.parametrize("name", ["z", "h", "n"])
def test_a_blend_counts_each_error_once(name: str) -> None:
    """One number has an error of 1/8: z = 1/4, h = 3, n = 1 make it 1/4, 1/32 and 3/32."""
    expected = {"z": 0.25, "h": 0.03125, "n": 0.09375}[name]
    one = np.ones((1, 1))
    values = [
        forms.form(
            c * one, 0 * one[None], 0.125 * one if of == name else 0 * one, -9 * one, 9 * one
        )
        for of, c in (("z", 0.25), ("h", 3.0), ("n", 1.0))
    ]
    assert forms.blend(values, 0.0).e.item() == pytest.approx(expected, abs=1e-9)


def test_a_square_knows_its_symbols() -> None:
    """(1 + t)**2 = 1.5 + 2 t + (t**2 - 0.5): an error of 0.5, where strangers would have 1."""
    one = np.ones((1, 1))
    x = forms.form(one, one[None], 0 * one)
    square = forms.times([x, x], 0.0)
    assert (square.c.item(), square.g.item()) == (1.5, 2.0)
    assert square.e.item() == pytest.approx(0.5, abs=1e-9)
    assert square.low.item() == pytest.approx(0, abs=1e-9)
    assert square.high.item() == pytest.approx(4, abs=1e-9)


def test_keeping_a_number_costs_nothing() -> None:
    """With z = 1 a blend is h, however little is known of n."""
    one, none = np.ones((1, 1)), np.zeros((1, 1, 1))
    z = forms.form(one, none, 0 * one, one, one)
    h = forms.form(0.3 * one, 0.1 * one[None], 0 * one, -one, one)
    n = forms.form(0 * one, none, one, -one, one)
    kept = forms.blend([z, h, n], 0.0)
    assert kept.e < 1e-9
    assert kept.c == 0.3


# Parts, and values side by side.


@pytest.mark.parametrize(("first", "last"), [(0, 1), (1, 2), (0, 2)])
def test_a_part_of_a_value_is_its_columns(first: int, last: int) -> None:
    rng = np.random.default_rng(0)
    part = slice(first, last)
    given: list[Value] = [random_form(rng), random_sum(rng, 5, True), random_sum(rng, 7, False)]
    for x in given:
        out: Any = forms.take(x, first, last)
        assert type(out) is type(x)
        for name in x._fields:
            whole, found = getattr(x, name), getattr(out, name)
            if isinstance(whole, np.ndarray):
                assert np.array_equal(found, whole[..., part]), name
            else:
                assert found == whole, name


def test_a_part_of_a_part_of_a_memory() -> None:
    memory = random_memory(np.random.default_rng(0), 1, 4)
    out: Any = forms.take(memory, 1, 3)
    assert (out.first, out.last) == (2, 4)
    assert out.c is memory.c
    inner: Any = forms.take(out, 1, 2)
    assert (inner.first, inner.last) == (3, 4)


def test_values_are_aligned_before_they_meet() -> None:
    """One row serves all, and what has no symbols has symbols that do nothing."""
    rng = np.random.default_rng(0)
    many, letter = random_form(rng), Form(*(x[:1] for x in random_form(rng, symbols=0)))
    row = Form(*(x[:1] for x in random_form(rng)))
    first, second, third = forms.aligned([many, letter, row])
    assert all(a is b for a, b in zip(first, many, strict=True))
    for out, given in ((second, letter), (third, row)):
        assert out.g.shape == many.g.shape
        for name in ("c", "e", "radius", "low", "high"):
            wanted = np.repeat(getattr(given, name), ROWS, 0)
            assert np.array_equal(getattr(out, name), wanted), name
    assert not np.any(second.g)
    assert np.array_equal(third.g, np.repeat(row.g, ROWS, 0))
    assert forms.aligned([letter, letter])[0] is letter


def test_values_side_by_side() -> None:
    rng = np.random.default_rng(0)
    x, y = random_form(rng), random_form(rng)
    out = forms.join([x, y, x])
    for name in Form._fields:
        columns = [getattr(each, name) for each in (x, y, x)]
        assert np.array_equal(getattr(out, name), np.concatenate(columns, -1)), name


def test_arrays_are_held_with_their_sizes_in_double_precision() -> None:
    w = np.array([[1.5, -2.0, 0.25]], np.float32)
    domain = Forms({"w": w}, 4.0, 2.0**-24)
    assert domain.arrays["w"].tolist() == [[1.5], [-2.0], [0.25]]
    assert domain.sizes["w"].tolist() == [[1.5], [2.0], [0.25]]
    assert domain.arrays["w"].dtype == np.float64
