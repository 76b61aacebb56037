"""L1 to L4: constants, tanh, relaxations, pre-activations, activations, and their adversaries."""

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
    WAYS,
    Adversary,
    Exact,
    assert_bounds,
    assert_near,
    least_float,
    magnitudes,
    outside,
    program_step,
    rational,
    tanh,
)

from seqarith.certification import outward
from seqarith.certification.affine import Form, squash
from seqarith.certification.outward import Sets
from seqarith.certification.program import Program
from seqarith.certification.recurrences import ENCLOSURES, Projections, activation_error
from seqarith.certification.wellformed import MAX_ORDER, MAX_WIDTH

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
    # Products of two operands that are flushed, and results, of the program in float32.
    tiny, terms = Fraction(2) ** -126, 2 * MAX_WIDTH + 1
    assert 2 * terms * tiny * (Fraction(outward.LARGEST) + 1) <= Fraction(outward.TINY)
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


@pytest.mark.parametrize(
    ("seed", "unit", "sigmoid"), list(product(SEEDS, UNITS.values(), (False, True)))
)
def test_the_error_of_an_activation(seed: int, unit: float, sigmoid: bool) -> None:
    """L4: half of the relaxation's width, its slope times the error, GAMMA of all, and tanh."""
    rng = np.random.default_rng(seed)
    shape = (30, 2)
    c = rng.choice([-1.0, 1.0], shape) * np.exp(rng.uniform(-12, 3, shape))
    g = magnitudes(rng, 30, 3, 2)
    e = np.exp(rng.uniform(-40, 1, shape))
    e[::3], g[1::3], c[2::3] = 0, 0, 0
    radius = least_float(np.abs(rational(g)).sum(1))
    x = Form(c, g, e, radius, c - np.minimum(radius + e, 9.0), c + np.minimum(radius + e, 30.0))
    scale = shift = np.full(2, 0.5)
    if not sigmoid:
        scale, shift = np.ones(2), np.zeros(2)
    error = activation_error(4.0, unit, scale)
    exact_error = 4 * 2 * Fraction(unit) * rational(scale) + (1 - rational(scale)) * 4 * Fraction(
        unit
    )
    assert_bounds(error, exact_error, Fraction(0))
    assert_activation(squash(x, scale, shift, error), x, scale, shift, exact_error)


def assert_activation(out: Form, x: Form, scale: Any, shift: Any, error: Exact) -> None:
    relaxed = map(rational, outward.relax(x.low, x.high))  # a lemma of its own: L3
    (k, low, high, bottom, top), given = relaxed, Form(*map(rational, x))
    scale, shift = rational(scale), rational(shift)
    size = np.abs(given.c) + given.radius + np.abs(low) + np.abs(high) + 1
    loss = (high - low) / 2 + k * given.e + GAMMA * size
    # The difference high - low is rounded before anything makes it larger.
    blurred = scale * (np.abs(low) + np.abs(high)) * 2 * ULP
    stated, returned = scale * loss + error + GAMMA, rational(out.e)
    assert np.all(returned >= stated - blurred)
    assert np.all(returned <= stated * (1 + LOOSE) + blurred)
    assert_near(out.c, scale * (k * given.c + (low + high) / 2) + shift, size * 4 * ULP)
    assert_near(out.g, given.g * (k * scale)[:, None], np.abs(given.g) * 2 * ULP + TINY)
    assert_bounds(out.radius, np.abs(rational(out.g)).sum(1), Fraction(2) ** -38)
    assert_near(out.low, scale * bottom + shift - error - GAMMA, 4 * ULP)
    assert_near(out.high, scale * top + shift + error + GAMMA, 4 * ULP)


def drawn_program(rng: np.random.Generator, dtype: str, draw: Any) -> Program:
    """Return weights whose sizes have nothing in common, in a format."""

    def like(x: Any) -> Any:
        sizes = np.ldexp(1.0, rng.choice([-40, -12, -1, 0, 3], x.shape))
        return (np.sign(x) * sizes * rng.choice([0.0, 1.0, 1.25], x.shape)).astype(dtype)

    p = draw(int(rng.integers(99)), 3, 1, "gru", dtype)
    kernels = {name: like(x) for name, x in p.kernels.items()}
    silent = [("bias",), ("weight_ih",), ("weight_hh",)][int(rng.integers(3))]
    kernels |= {name: 0 * kernels[name] for name in silent}
    return Program(**{**vars(p), "kernels": kernels, "inputs": like(p.inputs)})


@pytest.mark.parametrize(("seed", "dtype"), list(product(range(12), UNITS)))
def test_the_error_of_a_pre_activation(draw: Any, seed: int, dtype: str) -> None:
    """L4: gamma and GAMMA of the sizes of all terms, GAMMA of the sum, and underflow."""
    rng = np.random.default_rng(seed)
    p, unit, scale = drawn_program(rng, dtype, draw), UNITS[dtype], np.repeat([0.5, 0.5, 1.0], 3)
    projections, half = Projections(p, scale, unit), rational(scale)
    x, w, b = (rational(a) for a in (p.inputs, p.kernels["weight_ih"], p.kernels["bias"]))
    lost = gamma(2 + 3 + 4, unit) + GAMMA
    terms = (np.abs(x) @ np.abs(w).T + np.abs(b)) * half
    assert_bounds(projections.rounding, lost * terms + TINY * (1 - ULP))
    assert_near(projections.drive, (x @ w.T + b) * half, terms * 4 * ULP)
    c, g, e = magnitudes(rng, 5, 3), magnitudes(rng, 5, 2, 3), np.abs(magnitudes(rng, 5, 3))
    c[0], g[1], e[2] = 0, 0, 0
    weighted = projections.weigh(c, g, e)
    recurrent = rational(p.kernels["weight_hh"]).T * half
    whole = np.concatenate((rational(g), rational(e)[:, :, None] * rational(np.eye(3))), 1)
    total = np.abs(rational(c)) + np.abs(whole).sum(1)
    assert_bounds(weighted.size, total @ np.abs(recurrent), 2 * LOOSE)
    assert_bounds(weighted.radius, np.abs(rational(weighted.g)).sum(1))
    assert_near(
        weighted.c, rational(c) @ recurrent, np.abs(rational(c)) @ np.abs(recurrent) * 4 * ULP
    )
    assert_near(weighted.g, whole @ recurrent, np.abs(whole) @ np.abs(recurrent) * 4 * ULP)
    cell: Any = ENCLOSURES["gru"](p, 4.0, unit)
    beside = rational(p.kernels["bias_hh"])
    drives = [
        (
            projections.read(weighted, letter, part.start, part.stop),
            part,
            drive[part],
            lost_drive[part],
        )
        for letter, part in product(range(2), (slice(0, 6), slice(6, 9)))
        for drive, lost_drive in [(projections.drive[letter], projections.rounding[letter])]
    ]
    # What a GRU adds to the memory's part of n is a drive like any other.
    drives.append((cell.candidate(weighted), slice(6, 9), beside, lost * np.abs(beside) + TINY))
    for out, part, drive, rounding in drives:
        centre, size, radius = (
            rational(a)[:, part] for a in (weighted.c, weighted.size, weighted.radius)
        )
        m = centre + rational(drive)
        assert_near(out.c, m, np.abs(m) * ULP)
        stated = lost * size + rational(rounding) + GAMMA * np.abs(m)
        assert_bounds(out.e, stated - TINY * ULP)
        assert np.array_equal(out.g, weighted.g[..., part])
        assert np.array_equal(out.radius, weighted.radius[:, part])
        reach = radius + rational(out.e)
        assert np.all(rational(out.low) <= m - radius - stated + np.abs(m) * GAMMA / 2)
        assert np.all(rational(out.high) >= m + radius + stated - np.abs(m) * GAMMA / 2)
        within = reach * LOOSE + np.abs(m) * 4 * ULP
        assert_near(out.low, m - reach, within)
        assert_near(out.high, m + reach, within)


@pytest.mark.parametrize("terms", [10, 300, 1000])
def test_a_sum_that_loses_half_an_ulp_at_every_step_is_contained(draw: Any, terms: int) -> None:
    """1 + 2^-24 + 2^-24 + ... is 1 in float32, term by term; with half the unit it is outside."""
    half = terms // 2
    p = draw(0, half, 1, "tanh", np.float32)
    small = np.float32(2.0**-24)
    p = Program(**{**vars(p), "inputs": np.ones((4, half), np.float32)})
    kernels = {
        "weight_ih": np.full((half, half), small),
        "weight_hh": np.full((half, half), small),
        "bias": np.ones(half, np.float32),
    }
    p = Program(**{**vars(p), "kernels": kernels})
    order = np.concatenate(([1.0], np.full(2 * half, small))).astype(np.float32)
    computed = float(np.cumsum(order, dtype=np.float32)[-1])
    assert computed == 1
    point = np.ones((1, half)), np.zeros((1, 0, half)), np.zeros((1, half))
    for part, contained in ((1.0, True), (0.5, False)):
        projections = Projections(p, np.ones(half), part * UNITS["float32"])
        out = projections.read(projections.weigh(*point), 0, 0, half)
        assert np.all(out.low <= computed) == contained
        assert np.all(np.abs(computed - out.c) <= out.e) == contained


def test_sums_of_a_thousand_terms_that_cancel_are_enclosed() -> None:
    """Exactly 0, though float64 gives something else: nothing but GAMMA of the sizes helps."""
    rng, half = np.random.default_rng(0), 500
    w = rng.normal(size=half) * 2.0 ** rng.integers(0, 20, half)
    w = np.concatenate((w, -w))[rng.permutation(2 * half)][None]
    one = np.ones((1, 2 * half))
    kernels = {"weight_ih": w, "weight_hh": np.zeros((1, 1)), "bias": np.zeros(1)}
    machine = np.zeros((1, 1), int)
    p = Program(
        "elman", {"activation": "tanh"}, one, kernels, np.zeros(1), np.ones((1, 1)), np.zeros(1),
        machine, machine,
    )  # fmt: skip
    projections = Projections(p, np.ones(1), 0.0)
    none = np.zeros((1, 1))
    out = projections.read(projections.weigh(none, none[None], none), 0, 0, 1)
    assert out.c != 0
    assert out.low <= 0 <= out.high
    assert np.abs(out.c) <= out.e


KINDS = ["tanh", "sigmoid", "gru", "lstm"]


def stepped(cell: Any, p: Program, dtype: str, by: Adversary, spread: float) -> bool:
    """Say whether the worst program leaves what a cell encloses, from any of five points."""
    rng = np.random.default_rng(3)
    width = p.memory
    c = rng.uniform(-1, 1, (5, width)).astype(dtype).astype(float)
    g, e = rng.normal(size=(5, 2, width)) * spread, rng.uniform(0, 1, (5, width)) * spread
    t = rational(np.sign(rng.normal(size=(5, 2 + width))))
    box = rational(e)[:, :, None] * rational(np.eye(width))
    memories = rational(c) + (t[:, :, None] * np.concatenate((rational(g), box), 1)).sum(1)
    out: Sets = cell.step(cell.spread(c, g, e), 1)
    value = np.stack([program_step(by, p, memory, 1) for memory in memories])
    return outside(out, value, t)


@pytest.mark.parametrize(("kind", "dtype", "way"), list(product(KINDS, UNITS, WAYS)))
def test_a_step_of_the_worst_program_is_contained(
    draw: Any, kind: str, dtype: str, way: str
) -> None:
    """L4, L8 to L10 together, for points, for tiny sets and for large ones."""
    p = draw(7, 3, 1, kind, dtype)
    cell = ENCLOSURES[p.cell](p, 4.0, UNITS[dtype])
    for spread in (0.0, 2.0**-20, 0.2):
        assert not stepped(cell, p, dtype, Adversary(dtype, way, 4.0), spread)


@pytest.mark.parametrize("kind", ["tanh", "sigmoid"])
def test_with_a_better_tanh_than_the_programs_the_worst_program_is_not_contained(
    draw: Any, kind: str
) -> None:
    p = draw(7, 3, 1, kind, "float32")
    kernels = {name: x * np.float32(0.001) for name, x in p.kernels.items()}
    p = Program(**{**vars(p), "kernels": kernels})
    for allowed, leaves in ((4.0, False), (2.0, True)):
        cell = ENCLOSURES[p.cell](p, allowed, UNITS["float32"])
        assert stepped(cell, p, "float32", Adversary("float32", "away", 4.0), 0.0) == leaves
