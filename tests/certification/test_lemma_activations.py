"""L1 to L4: constants, the checker's tanh, and what encloses tanh, sigmoid and relu."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest

pytest.importorskip("flint")

from adversarial import (
    LOOSE,
    UNITS,
    Exact,
    assert_bounds,
    assert_near,
    least_float,
    magnitudes,
    rational,
    tanh,
)

from seqarith.certification.kernel import forms, outward
from seqarith.certification.kernel.forms import Form, Forms
from seqarith.certification.kernel.wellformed import MAX_ORDER, MAX_WIDTH

GAMMA, TINY, ULP = Fraction(2) ** -41, Fraction(2) ** -90, Fraction(2) ** -52
TANH_ERROR = Fraction(2) ** -43
SEEDS = range(3)
COUNT = 60


def gamma(terms: int, unit: float) -> Fraction:
    return terms * Fraction(unit) / (1 - terms * Fraction(unit))


def test_the_pads_suffice_for_the_largest_sets() -> None:
    """L1, in fractions. Neither MAX_WIDTH nor MAX_ORDER may grow without GAMMA."""
    unit, generators = UNITS["float64"], MAX_ORDER + MAX_WIDTH
    inner, outer = gamma(MAX_WIDTH, unit), gamma(generators, unit)
    assert inner + outer * (1 + inner) <= gamma(MAX_WIDTH + generators, unit)
    assert gamma(MAX_WIDTH + generators, unit) <= Fraction(outward.GAMMA)
    # A computed sum of terms that are not negative, times UP and rounded, is an upper bound.
    largest = gamma(MAX_WIDTH + generators, unit)
    assert (1 - largest) * Fraction(outward.UP) * (1 - Fraction(unit)) >= 1
    # The terms of a sum, as the checker adds them up and as a program in float32 does.
    assert gamma(forms.TERMS, unit) <= Fraction(outward.GAMMA)
    assert forms.TERMS == MAX_WIDTH + generators == 4000
    # Values that are flushed, times arrays, and results, of the program in float32; and what is
    # lost of a value where the operand beside it is flushed.
    tiny = Fraction(2) ** -126
    assert 2 * forms.TERMS * tiny * (Fraction(outward.LARGEST) + 1) <= Fraction(outward.TINY)
    assert Fraction(outward.FLUSH) == 2 * tiny
    for name, value in {"GAMMA": GAMMA, "TINY": TINY, "TANH_ERROR": TANH_ERROR}.items():
        assert Fraction(getattr(outward, name)) == value
    assert Fraction(outward.UP) == 1 + 2 * GAMMA
    assert outward.LARGEST == 2**20


@pytest.mark.parametrize("seed", SEEDS)
def test_gamma_is_an_upper_bound(seed: int) -> None:
    for terms in (1, 2, 3, 7, 1004, 2005, *np.random.default_rng(seed).integers(1, 4000, 50)):
        for unit in UNITS.values():
            assert_bounds(outward.gamma(int(terms), unit), gamma(int(terms), unit))


def test_the_checkers_tanh_is_within_a_third_of_its_bound() -> None:
    """L2 allows 340 u, a third of TANH_ERROR."""
    rng = np.random.default_rng(0)
    x = np.concatenate(
        (rng.uniform(-21, 21, 1500), np.exp(rng.uniform(-60, 14, 500)), np.arange(-40, 41) / 2)
    )
    off = np.abs(rational(outward.tanh(x)) - tanh(np.clip(x, -60, 60)))
    assert max(off) <= TANH_ERROR / 3
    assert np.array_equal(outward.tanh(-x), -outward.tanh(x))
    assert not np.any(outward.tanh(np.zeros(1)))


def intervals(rng: np.random.Generator) -> tuple[Any, Any]:
    """Draw intervals of all lengths: on either side of 0, across it, at it, and points."""
    lo = rng.choice([-1.0, 1.0], COUNT) * np.exp(rng.uniform(-12, 3, COUNT))
    length = np.exp(rng.uniform(-12, 4, COUNT))
    length[::7] = 0
    lo[3::7] = 0
    lo[4::7] = -length[4::7]
    lo[5::21], lo[12::21], length[5::7] = 2.0**20, -(2.0**20), 2.0**-10
    return lo, lo + length


TOUCHES = [0.0, 0.3, 1.7, -1.0, 50.0, 1e300, np.inf, -np.inf]


@pytest.mark.parametrize("tilt", [None, 0.0, 0.3, 1.0])
@pytest.mark.parametrize("touch", TOUCHES)
def test_a_relaxation_is_bounded_by_its_ends_and_a_tangent_anywhere(
    monkeypatch: pytest.MonkeyPatch, touch: float, tilt: float | None
) -> None:
    """L3 for any slope and whatever ``arctanh`` returns; pads pay for what tanh and floats lose."""
    monkeypatch.setattr(np, "arctanh", lambda x: np.full_like(x, touch))
    clip = np.clip
    if tilt is not None:
        # The slope is what is clipped to numbers; the points of tangency are clipped to arrays.
        monkeypatch.setattr(
            np,
            "clip",
            lambda x, low, high: (
                np.full_like(x, tilt) if isinstance(low, float) else clip(x, low, high)
            ),
        )
    lo, hi = intervals(np.random.default_rng(1))
    slope, low, high, bottom, top = outward.relax(lo, hi)
    monkeypatch.undo()
    assert tilt is None or np.all(slope == tilt)
    below, above = tangents(rational(lo), rational(hi), rational(slope), touch)
    length, size = rational(hi) - rational(lo), np.abs(rational(lo)) + np.abs(rational(hi))
    pad = 4 * TANH_ERROR * (1 + length) + GAMMA * size
    # By L2 and the roundings of slope * x.
    off = TANH_ERROR / 3 + 2 * TANH_ERROR / 3 * length + 8 * ULP * (size + 1)
    assert np.all(rational(low) <= below)
    assert np.all(rational(high) >= above)
    assert_near(high, above + pad, off)
    assert_near(low, below - pad, off)
    assert np.all((slope >= 0) & (slope <= 1))
    for returned, at, sign in ((bottom, lo, -1), (top, hi, 1)):
        value = tanh(np.clip(at, -60, 60)) + sign * TANH_ERROR
        assert_near(returned, value, TANH_ERROR / 3 + 2 * ULP)


def tangents(lo: Exact, hi: Exact, k: Exact, touch: float) -> tuple[Exact, Exact]:
    """Return the bounds of L3 for tanh(x) - k x on [lo, hi], touching at ``touch``."""
    return -upper(-hi, -lo, k, touch), upper(lo, hi, k, touch)


def upper(lo: Exact, hi: Exact, k: Exact, touch: float) -> Exact:
    """Bound from above: by both ends, and where x > 0 occurs by a tangent of the concave part."""

    def at(x: Exact) -> Exact:
        return tanh(np.clip(x, -60, 60)) - k * x

    ends = np.maximum(at(lo), at(hi))
    start = np.maximum(lo, 0)
    r = np.clip(rational(max(-1e9, min(touch, 1e9))), start, np.maximum(hi, start))
    rise = 1 - tanh(np.clip(r, -60, 60)) ** 2 - k
    tangent = at(r) + np.maximum(rise * (hi - r), rise * (start - r))
    return np.where(hi > 0, np.maximum(ends, tangent), ends)


@pytest.mark.parametrize("touch", [*TOUCHES, np.nan, "untouched"])
def test_a_relaxation_contains_tanh_whatever_arctanh_returns(
    monkeypatch: pytest.MonkeyPatch, touch: float | str
) -> None:
    """Nonsense makes bounds wide, or nan, which no margin survives; never wrong."""
    if touch != "untouched":
        monkeypatch.setattr(np, "arctanh", lambda x: np.full_like(x, touch))
    lo, hi = intervals(np.random.default_rng(2))
    slope, low, high, bottom, top = outward.relax(lo, hi)
    known = np.isfinite(low) & np.isfinite(high)
    assert known.all() or np.isnan(touch)
    extremum = np.arccosh(1 / np.sqrt(slope))  # of tanh(x) - slope x
    for x in (*np.linspace(lo, hi, 7), np.clip(extremum, lo, hi), np.clip(-extremum, lo, hi)):
        inner = np.clip(x, lo, hi)
        value = tanh(np.clip(inner, -60, 60))
        assert np.all((rational(bottom) <= value) & (value <= rational(top)))
        rest = (value - rational(slope) * rational(inner))[known]
        assert np.all((rational(low[known]) <= rest) & (rest <= rational(high[known])))


def test_a_point_of_tangency_beside_the_interval_is_put_at_its_nearest_end() -> None:
    """Where [lo, hi] is on one side of 0 the other part is empty, and counts for nothing."""
    lo, hi = np.array([[1.0, -3.0, -2.0, 0.0]]), np.array([[3.0, -1.0, 0.0, 2.0]])
    slope, low, high, *_ = outward.relax(lo, hi)
    below, above = tangents(rational(lo), rational(hi), rational(slope), 0.0)
    best = np.arctanh(np.sqrt(1 - slope))
    for n, touch in enumerate(best[0]):
        part = (slice(None), slice(n, n + 1))
        exact = tangents(*(rational(x[part]) for x in (lo, hi, slope)), float(touch))
        pad = 2.0**-37
        assert_near(low[part], exact[0], pad)
        assert_near(high[part], exact[1], pad)
    assert np.all(rational(low) >= below - Fraction(2) ** -37)
    assert np.all(rational(high) <= above + Fraction(2) ** -37)


def test_the_slope_of_tanh_is_that_of_the_chord() -> None:
    """From 2^-50 on: then the set of images is as thin as it can be."""
    lo, hi = intervals(np.random.default_rng(4))
    lo[-3:], hi[-3:] = (-1.0, 30.0, 0.25), (1.0, 40.0, 0.5)
    slope, low, high, *_ = outward.relax(lo, hi)
    length = np.maximum(rational(hi) - rational(lo), Fraction(outward.TINY))
    rise = tanh(np.clip(hi, -60, 60)) - tanh(np.clip(lo, -60, 60))
    off = 3 * TANH_ERROR / np.maximum(length, TANH_ERROR) + 8 * ULP
    assert_near(slope, np.clip(rise / length, Fraction(2) ** -50, 1), off)
    assert slope[-3] == pytest.approx(np.tanh(1.0))
    assert slope[-2] == 2.0**-50
    assert (high - low)[-1] == pytest.approx(0.0055, abs=1e-3)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_chord_and_the_kink_bound_relu(seed: int) -> None:
    """max(x, 0) - k x is convex: greatest at an end, least at 0 or at an end."""
    lo, hi = intervals(np.random.default_rng(seed))
    lo[6::21], hi[6::21] = -1.0, 1e-30
    # So short that the slope is less than the chord's: the ends are not alike.
    lo[-2:], hi[-2:] = (-(2.0**-95), -(2.0**-97)), (2.0**-97, 2.0**-95)
    slope, low, high, bottom, top = outward.relax_relu(lo, hi)
    (a, b), k = (rational(lo), rational(hi)), rational(slope)
    rise = np.maximum(b, 0) - np.maximum(a, 0)
    length = np.maximum(b - a, Fraction(outward.TINY))
    assert_near(slope, np.clip(rise / length, 0, 1), 8 * ULP)
    assert np.all((slope >= 0) & (slope <= 1))
    at_lo, at_hi = np.maximum(a, 0) - k * a, np.maximum(b, 0) - k * b
    least = np.minimum(at_lo, at_hi)
    kink = np.where((a < 0) & (b > 0), np.minimum(least, 0), least)
    size = np.abs(a) + np.abs(b)
    pad, rounded = GAMMA * size + TINY, 8 * ULP * size + ULP * TINY
    assert_near(low, kink - pad, rounded)
    assert_near(high, np.maximum(at_lo, at_hi) + pad, rounded)
    assert np.array_equal(bottom, np.maximum(lo, 0))
    assert np.array_equal(top, np.maximum(hi, 0))
    for x in (a, b, np.clip(0, a, b), (a + b) / 2):
        rest = np.maximum(x, 0) - k * x
        assert np.all((rational(low) <= rest) & (rest <= rational(high)))


def test_the_slope_of_relu_is_that_of_the_chord() -> None:
    lo, hi = np.array([[-3.0, -1.0, 1.0, -2.0, 0.0]]), np.array([[1.0, 3.0, 2.0, -1.0, 0.0]])
    slope, low, high, *_ = outward.relax_relu(lo, hi)
    assert slope.tolist() == [[0.25, 0.75, 1.0, 0.0, 0.0]]
    assert np.abs(low).max() <= 2.0**-38
    assert np.allclose(high, [[0.75, 0.75, 0, 0, 0]], atol=2.0**-38)


KINDS = ["tanh", "sigmoid", "relu"]


def arguments(rng: np.random.Generator) -> Form:
    """Draw forms whose sizes have nothing in common, whose radius has no room."""
    shape = (30, 2)
    c = rng.choice([-1.0, 1.0], shape) * np.exp(rng.uniform(-12, 3, shape))
    g = magnitudes(rng, 30, 3, 2)
    e = np.exp(rng.uniform(-40, 1, shape))
    e[::3], g[1::3], c[2::3] = 0, 0, 0
    radius = least_float(np.abs(rational(g)).sum(1))
    reach = radius + e
    return Form(c, g, e, radius, c - np.minimum(reach, 9.0), c + np.minimum(reach, 30.0))


@pytest.mark.parametrize(
    ("seed", "unit", "kind"), list(product(SEEDS, [0.0, *UNITS.values()], KINDS))
)
def test_the_error_of_an_activation(seed: int, unit: float, kind: str) -> None:
    """L4: half of the relaxation's width, its slope times the error, GAMMA of all, and tanh."""
    x = arguments(np.random.default_rng(seed))
    allowed = {"tanh": 10, "sigmoid": 7, "relu": 0}[kind]  # units, of 5 epsilons of tanh
    (found,) = Forms({}, 5.0, unit).activations([kind], [x])
    assert_activation(found, x, kind, allowed * Fraction(unit))


def assert_activation(out: Form, x: Form, kind: str, error: Exact) -> None:
    inner, scale, shift = (Fraction(1, 2),) * 3 if kind == "sigmoid" else map(Fraction, (1, 1, 0))
    enclose = outward.relax_relu if kind == "relu" else outward.relax  # lemmas of their own: L3
    relaxed = enclose(x.low * float(inner), x.high * float(inner))
    (k, low, high, bottom, top), given = map(rational, relaxed), Form(*map(rational, x))
    k, pad = k * inner, error + GAMMA
    if kind == "relu":
        pad = pad + GAMMA * (np.abs(given.low) + np.abs(given.high))
    size = np.abs(given.c) + given.radius + np.abs(low) + np.abs(high) + 1
    loss = (high - low) / 2 + k * given.e + GAMMA * size
    # The difference high - low is rounded before anything makes it larger.
    blurred = scale * (np.abs(low) + np.abs(high)) * 2 * ULP
    stated, returned = scale * loss + pad, rational(out.e)
    assert np.all(returned >= stated - blurred)
    assert np.all(returned <= stated * (1 + LOOSE) + blurred)
    assert_near(out.c, scale * (k * given.c + (low + high) / 2) + shift, size * 4 * ULP)
    assert_near(out.g, given.g * (k * scale)[:, None], np.abs(given.g) * 2 * ULP + TINY)
    assert_bounds(out.radius, np.abs(rational(out.g)).sum(1), Fraction(2) ** -38)
    rounded = 4 * ULP * (1 + np.abs(bottom) + np.abs(top) + pad)
    assert_near(out.low, scale * bottom + shift - pad, rounded)
    assert_near(out.high, scale * top + shift + pad, rounded)


@pytest.mark.parametrize("seed", SEEDS)
def test_several_activations_at_once_are_each_what_it_is_alone(seed: int) -> None:
    """In any order and of any widths, the relus between the others."""
    rng = np.random.default_rng(seed)
    whole = arguments(rng)
    kinds = [str(kind) for kind in rng.permutation([*KINDS, *KINDS])]
    widths = rng.integers(1, 4, len(kinds))
    x = [Form(*(np.repeat(array, width, -1)[..., :width] for array in whole)) for width in widths]
    every = Forms({}, 4.0, 2.0**-24).activations(kinds, x)
    for kind, given, found in zip(kinds, x, every, strict=True):
        (alone,) = Forms({}, 4.0, 2.0**-24).activations([kind], [given])
        for name in Form._fields:
            # NumPy's arctanh, which is not trusted, may differ by the place of a number.
            np.testing.assert_allclose(
                getattr(found, name), getattr(alone, name), rtol=1e-12, atol=1e-12
            )


def test_what_encloses_tanh_may_be_another_function() -> None:
    """The search has one of its own; the checker's is the one by default."""

    def wide(lo: Any, hi: Any) -> Any:
        return 0 * lo, -3 + 0 * lo, 5 + 0 * lo, -7 + 0 * lo, 9 + 0 * lo

    one = np.ones((1, 1))
    x = Form(one, one[None], 0 * one, one, 0 * one, 2 * one)
    (found,) = Forms({}, 4.0, 0.0, wide).activations(["tanh"], [x])
    assert (found.c.item(), found.g.item()) == (1.0, 0.0)
    assert found.e.item() == pytest.approx(4, abs=1e-9)
    assert (found.low.item(), found.high.item()) == pytest.approx((-7, 9), abs=1e-9)
    (half,) = Forms({}, 4.0, 0.0, wide).activations(["sigmoid"], [x])
    assert (half.c.item(), half.low.item()) == pytest.approx((1.0, -3.0), abs=1e-9)
    (own,) = Forms({}, 4.0, 0.0).activations(["tanh"], [x])
    assert own.high.item() == pytest.approx(np.tanh(2), abs=1e-9)
