"""Enclosures contain the images that the floating-point program computes."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqarith.certification import outward
from seqarith.certification.enclosure import Elman, Readout, Zonotopes, relax_tanh
from seqarith.certification.program import Program
from seqarith.tasks.addition import add

ACTIVATIONS = st.sampled_from(["tanh", "sigmoid"])
DTYPES = st.sampled_from([np.float32, np.float64])
SEEDS = st.integers(0, 2**32 - 1)
SIZES = st.sampled_from([0.0, 1e-6, 0.01, 0.3, 2.0])


def sets(rng, size, hidden, count=5, generators=7):
    """Draw zonotopes and points in them, the extreme ones too."""
    c = rng.uniform(-1, 1, (count, hidden))
    g = size * rng.normal(size=(count, generators, hidden)) / generators
    e = size * rng.uniform(size=(count, hidden))
    t = rng.uniform(-1, 1, (count, 200, generators))
    s = rng.uniform(-1, 1, (count, 200, hidden))
    t[:, :50], s[:, :50] = np.sign(t[:, :50]), np.sign(s[:, :50])
    return c, g, e, c[:, None] + t @ g + s * e[:, None]


def support(c, g, e, directions):
    """Bound c + t g + s e along directions (D, H): centre and reach (N, D)."""
    return c @ directions.T, np.abs(g @ directions.T).sum(1) + e @ np.abs(directions).T


@settings(max_examples=60)
@given(SEEDS, st.integers(1, 9), ACTIVATIONS, DTYPES, SIZES)
def test_the_trusted_step_contains_the_program(
    draw, run_step, seed, hidden, activation, dtype, size
):
    rng = np.random.default_rng(seed)
    p = draw(seed, hidden, 1, activation, dtype)
    *_, points = sets(rng, size, hidden)
    points = np.clip(points, -1, 1).astype(dtype)  # no hidden vector of the program is outside
    cell = outward.Elman(p, 4.0, float(np.finfo(dtype).eps) / 2)
    inside = points.astype(float)
    low, high = inside.min(1), inside.max(1)
    boxes = (low + high) / 2, np.zeros((5, 0, hidden)), (high - low) / 2 * (1 + 1e-15) + 1e-16
    directions = np.concatenate((np.eye(hidden), rng.normal(size=(8, hidden))))
    for letter in range(4):
        image = run_step(p, points.reshape(-1, hidden), np.full(5 * 200, letter))
        image = image.reshape(5, 200, hidden).astype(float)
        out = cell.step(cell.spread(*boxes), letter)
        assert np.all((out.low[:, None] <= image) & (image <= out.high[:, None]))
        centre, reach = support(out.c, out.g, out.e, directions)
        assert np.all(np.abs(image @ directions.T - centre[:, None]) <= reach[:, None] + 1e-14)


@settings(max_examples=60)
@given(SEEDS, st.integers(1, 9), ACTIVATIONS, SIZES)
def test_all_steps_contain_exact_images_of_zonotopes(
    draw, run_step, seed, hidden, activation, size
):
    rng = np.random.default_rng(seed)
    p = draw(seed, hidden, 1, activation, np.float64)
    c, g, e, points = sets(rng, size, hidden)
    trusted, searching = outward.Elman(p, 4.0, 2.0**-53), Elman(p)
    directions = np.concatenate((np.eye(hidden), rng.normal(size=(8, hidden))))
    quick = searching.zonotopes(Zonotopes(c, g, e))
    low, high = searching.boxes(c - np.abs(g).sum(1) - e, c + np.abs(g).sum(1) + e)
    for letter in range(4):
        image = run_step(p, points.reshape(-1, hidden), np.full(5 * 200, letter))
        image = image.reshape(5, 200, hidden)
        exact = trusted.step(trusted.spread(c, g, e), letter)
        for out in (exact, quick[letter], quick[letter].reduced(hidden)):
            centre, reach = support(*out[:3], directions)
            assert np.all(np.abs(image @ directions.T - centre[:, None]) <= reach[:, None] + 1e-13)
        assert np.all((low[:, letter, None] <= image) & (image <= high[:, letter, None]))


@given(st.lists(st.floats(-60, 60), min_size=1, max_size=50))
def test_the_checkers_own_tanh_is_within_its_bound(values):
    ours = outward.tanh(np.array(values))
    assert np.all(np.abs(ours - [math.tanh(v) for v in values]) < outward.TANH_ERROR / 2)


@given(st.floats(-30, 30), st.floats(0, 40), st.booleans())
def test_relaxations_hold_on_the_whole_interval(low, width, trusted):
    if not trusted and not width > 1e-6:
        return
    lo, hi = np.array([[low]]), np.array([[low + width]])
    slope, below, above, *bounds = outward.relax(lo, hi) if trusted else relax_tanh(lo, hi)
    x = np.linspace(low, low + width, 1001)
    rest = np.tanh(x) - slope * x
    slack = 0.0 if trusted else 1e-12
    assert np.all(rest >= below - slack)
    assert np.all(rest <= above + slack)
    assert all(np.all(s * np.tanh(x) <= s * b) for s, b in zip((-1, 1), bounds, strict=False))


@given(SEEDS, ACTIVATIONS, st.sampled_from([1, 2, 5]), SIZES)
def test_margins_are_bounds(draw, seed, activation, outputs, size):
    rng = np.random.default_rng(seed)
    p = draw(seed, 4, outputs, activation, np.float64)
    c, g, e, points = sets(rng, size, 4)
    digit = rng.integers(max(outputs, 2), size=5)
    z = points @ p.readout_weight.T + p.readout_bias
    if outputs == 1:
        real = np.where(digit[:, None] == 1, z[..., 0], -z[..., 0])
    else:
        own = np.take_along_axis(z, digit[:, None, None], 2)[..., 0]
        rest = np.where(np.arange(outputs) == digit[:, None, None], -np.inf, z)
        real = own - rest.max(2)
    reach = np.abs(g).sum(1) + e
    assert np.all(Readout(p).zonotopes(Zonotopes(c, g, e), digit)[:, None] <= real)
    assert np.all(Readout(p).boxes(c - reach, c + reach, digit)[:, None] <= real)
    trusted = outward.Readout(p, 1.0, 2.0**-53)
    for n in range(5):
        one = slice(n, n + 1)
        box = (c - reach)[one], (c + reach)[one]
        assert (
            trusted.margin(outward.Sets(c[one], g[one], e[one], *box), digit[one]) <= real[n].min()
        )


def test_any_digit_will_do_beyond_the_last(draw):
    p = draw(0, 4, 1, "tanh", np.float64)
    sets_ = Zonotopes(np.zeros((1, 4)), np.zeros((1, 0, 4)), np.ones((1, 4)))
    assert Readout(p).zonotopes(sets_, np.array([2]))[0] > 1e5


@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
def test_jacobians_equal_finite_differences(draw, activation):
    p = draw(3, 6, 1, activation, np.float64)
    cell, h, letters = Elman(p), np.random.default_rng(0).uniform(size=(4, 6)), np.arange(4)
    jacobian = cell.jacobians(h, letters)
    for j, nudge in enumerate(1e-6 * np.eye(6)):
        difference = (cell.points(h + nudge, letters) - cell.points(h - nudge, letters)) / 2e-6
        np.testing.assert_allclose(jacobian[:, :, j], difference, atol=1e-8)


def test_operands_that_are_flushed_to_zero_are_covered():
    """A weight below the smallest normal number may count as 0, times inputs of up to 2**20."""
    inputs = 1000
    machine = add().machine
    weight = np.full((1, inputs), 2.0**-127, np.float32)
    p = Program(
        "tanh",
        np.full((4, inputs), 2.0**20, np.float32),
        weight,
        *(np.zeros(s, np.float32) for s in ((1, 1), 1, 1, (1, 1), 1)),
        machine.next_state,
        machine.output,
    )
    lost = inputs * 2.0**20 * 2.0**-127
    assert np.all(outward.Elman(p, 4.0, 2.0**-24).rounding >= lost)
    readout = outward.Readout(replace(p, readout_weight=weight[:, :1]), 2.0**20, 2.0**-24)
    assert np.all(-readout.offsets[:2] >= 2.0**20 * 2.0**-127)
