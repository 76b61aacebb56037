"""Enclosures contain the images that the floating-point program computes."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqarith.certification import affine, outward, recurrences
from seqarith.certification.enclosure import Foreign, Readout, Zonotopes, relax_tanh
from seqarith.certification.gated import dynamics
from seqarith.certification.program import Program
from seqarith.certification.recurrences import ENCLOSURES
from seqarith.network import margins
from seqarith.tasks.addition import add

KINDS = st.sampled_from(["tanh", "sigmoid", "gru", "lstm"])
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


def steps_outside(images, out, directions, slack):
    """Say by how much images (N, S, M) leave the sets that should hold them."""
    centre, reach = support(out[0], out[1], out[2], directions)
    return (np.abs(images @ directions.T - centre[:, None]) - reach[:, None]).max() - slack


@settings(max_examples=150)
@given(SEEDS, st.integers(1, 7), KINDS, DTYPES, SIZES)
def test_every_step_contains_what_the_program_computes(
    draw, run_step, seed, hidden, kind, dtype, size
):
    """Boxes, zonotopes and points; in the program's own arithmetic, float32 or float64."""
    rng = np.random.default_rng(seed)
    p = draw(seed, hidden, 1, kind, dtype)
    trusted = ENCLOSURES[p.cell](p, 4.0, float(np.finfo(dtype).eps) / 2)
    searching = dynamics(p)
    width = p.memory
    c, g, e, points = sets(rng, size, width)
    if kind == "lstm":
        scale = np.repeat([1.0, 3.0], hidden)  # cells go further than hidden vectors
        c, g, e, points = c * scale, g * scale, e * scale, points * scale
    # Floats of the program beside the sets: the box about them is widened by their rounding.
    members = points.astype(dtype)
    e = e + np.abs(members - points).max(1) * (1 + 1e-12)
    half = np.abs(g).sum(1) + e
    directions = np.concatenate((np.eye(width), rng.normal(size=(8, width))))
    quick = searching.zonotopes(Zonotopes(c, g, e))
    low, high = searching.boxes(c - half, c + half)
    spread = trusted.spread(c, g, e)
    boxes = trusted.spread(c, np.zeros((5, 0, width)), half * (1 + 1e-15))
    for letter in range(4):
        image = run_step(p, members.reshape(-1, width), np.full(5 * 200, letter))
        image = image.reshape(5, 200, width).astype(float)
        slack = 1e-13 * (1 + np.abs(image).max())  # of this test's own arithmetic
        for out in (trusted.step(spread, letter), trusted.step(boxes, letter)):
            assert np.all((out.low[:, None] <= image) & (image <= out.high[:, None]))
            assert steps_outside(image, out, directions, slack) <= 0
        for out in (quick[letter], quick[letter].reduced(width)):
            # Elman zonotopes of the search assume hidden vectors that the program can have.
            if np.abs(members).max() <= 1 or kind in ("gru", "lstm"):
                assert steps_outside(image, out, directions, slack) <= 0
        if np.abs(members[..., :hidden]).max() <= 1:
            assert np.all((low[:, letter, None] <= image) & (image <= high[:, letter, None]))


@given(SEEDS, DTYPES, *[st.sampled_from([1e-4, 1.0, 1e3])] * 3)
def test_pre_activations_cover_the_rounding_of_sums(draw, alter, seed, dtype, ih, hh, offset):
    """Terms of unlike sizes, summed in two orders in the program's arithmetic, from one point."""
    p = draw(seed, 12, 1, "gru", dtype)
    for name, size in {"weight_ih": ih, "bias": ih, "weight_hh": hh, "bias_hh": offset}.items():
        p = alter(p, name, (p.kernels[name] * size).astype(dtype))
    unit = float(np.finfo(dtype).eps) / 2
    cell = ENCLOSURES["gru"](p, 4.0, unit)
    h = np.random.default_rng(seed).uniform(-1, 1, (1, 12)).astype(dtype)
    weighted = cell.projections.weigh(h.astype(float), np.zeros((1, 0, 12)), np.zeros((1, 12)))
    inner, outer = p.kernels["weight_ih"], p.kernels["weight_hh"]
    v = cell.candidate(weighted)
    for letter in range(4):
        read = cell.projections.read(weighted, letter, 0, 36)
        x, scale = p.inputs[letter], np.repeat([0.5, 0.5, 1.0], 12)
        one = (h @ outer.T + (inner @ x + p.kernels["bias"])).astype(float) * scale
        other = ((p.kernels["bias"] + inner @ x) + outer @ h[0]).astype(float) * scale
        for computed in (one[0], other):
            assert np.all((read.low[0] <= computed) & (computed <= read.high[0]))
            assert np.all(np.abs(computed - read.c[0]) <= read.e[0] * (1 + 1e-12))
    past = (h @ outer[24:].T + p.kernels["bias_hh"]).astype(float)
    assert np.all((v.low <= past) & (past <= v.high))


@given(SEEDS, st.integers(1, 7), KINDS)
def test_points_are_steps(draw, run_step, seed, hidden, kind):
    p = draw(seed, hidden, 1, kind, np.float64)
    memory, letters = np.random.default_rng(seed).uniform(-1, 1, (9, p.memory)), np.arange(9) % 4
    expected = run_step(p, memory, letters)
    np.testing.assert_allclose(dynamics(p).points(memory, letters), expected, atol=1e-12)
    other = Foreign(replace(p, cell="elsewhere:Cell", enclosure=ENCLOSURES[p.cell]))
    np.testing.assert_allclose(other.points(memory, letters), expected, atol=1e-10)


@given(SEEDS, st.floats(0, 2), st.sampled_from([2.0**-24, 2.0**-53]))
def test_sums_products_and_blends_of_forms_contain_those_of_their_values(seed, size, unit):
    rng = np.random.default_rng(seed)
    dtype = np.float32 if unit > 2.0**-30 else np.float64
    t, s = np.sign(rng.normal(size=(300, 6))), rng.uniform(-1, 1, (3, 300, 4))
    t[100:] *= rng.uniform(size=(200, 1))
    forms, values = [], []
    for k in range(3):
        c, g = rng.normal(size=(1, 4)), size * rng.normal(size=(1, 6, 4)) / 3
        if k == 0:
            c, g = 0.5 + 0.1 * c, 0.1 * g  # a gate
        e = 0.1 * size * rng.uniform(size=(1, 4))
        exact = c + t @ g[0] + s[k] * e
        values.append(exact.astype(dtype))
        e = e + np.abs(values[k] - exact).max(0) + 1e-15
        endless = np.full((1, 4), np.inf)
        forms.append(affine.form(c, g, e, -endless, endless))
    (z, h, n), (x, y, v) = forms, values
    for out, computed in (
        (affine.plus(h, n, unit), y + v),
        (affine.times(h, n, unit), y * v),
        (affine.times(z, h, unit), x * y),
        (affine.times(h, h, unit), y * y),
        (affine.blend(z, h, n, unit), v + x * (y - v)),
    ):
        assert np.all((out.low <= computed) & (computed <= out.high))
        off = np.abs(computed - out.c - t @ out.g[0])
        assert np.all(off <= out.e + 1e-14)
        assert np.all(np.abs(out.g).sum(1) <= out.radius)


def test_a_square_knows_its_symbols():
    """(1 + t)**2 = 1.5 + 2 t + (t**2 - 0.5): an error of 0.5, where strangers would have 1."""
    one = np.ones((1, 1))
    x = affine.form(one, one[None], 0 * one, -np.inf * one, np.inf * one)
    square = affine.times(x, x, 0.0)
    assert (square.c.item(), square.g.item()) == (1.5, 2.0)
    assert square.e.item() == pytest.approx(0.5, abs=1e-9)
    assert square.low.item() == pytest.approx(0, abs=1e-9)
    assert square.high.item() == pytest.approx(4, abs=1e-9)


def test_keeping_a_number_costs_nothing():
    """With z = 1 a blend is h, however little is known of n."""
    one, none = np.ones((1, 1)), np.zeros((1, 1, 1))
    z = affine.form(one, none, 0 * one, one, one)
    h = affine.form(0.3 * one, 0.1 * one[None], 0 * one, -one, one)
    n = affine.form(0 * one, none, one, -one, one)
    kept = affine.blend(z, h, n, 0.0)
    assert kept.e < 1e-9
    assert kept.c == 0.3


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


@given(SEEDS, KINDS, st.sampled_from([1, 2, 5]), SIZES)
def test_margins_are_bounds(draw, seed, kind, outputs, size):
    rng = np.random.default_rng(seed)
    p = draw(seed, 4, outputs, kind, np.float64)
    c, g, e, points = sets(rng, size, p.memory)
    digit = rng.integers(max(outputs, 2), size=5)
    z = points[..., :4] @ p.readout_weight.T + p.readout_bias
    if outputs == 1:
        real = np.where(digit[:, None] == 1, z[..., 0], -z[..., 0])
    else:
        own = np.take_along_axis(z, digit[:, None, None], 2)[..., 0]
        rest = np.where(np.arange(outputs) == digit[:, None, None], -np.inf, z)
        real = own - rest.max(2)
    reach = np.abs(g).sum(1) + e
    assert np.all(Readout(p).zonotopes(Zonotopes(c, g, e), digit)[:, None] <= real)
    assert np.all(Readout(p).boxes(c - reach, c + reach, digit)[:, None] <= real)
    trusted = outward.Readout(p, 2.0**-53)
    for n in range(5):
        one = slice(n, n + 1)
        box = (c - reach)[one], (c + reach)[one]
        assert (
            trusted.margin(outward.Sets(c[one], g[one], e[one], *box), digit[one]) <= real[n].min()
        )


@given(SEEDS, DTYPES, st.sampled_from(["tanh", "lstm"]), st.sampled_from([1, 2, 5]))
def test_margins_cover_the_rounding_of_logits(draw, seed, dtype, kind, outputs):
    """At a point, to which the margin in real numbers is known, the program's own may be less."""
    p = draw(seed, 16, outputs, kind, dtype)
    p = replace(p, readout_weight=(p.readout_weight * 1000).astype(dtype))
    rng = np.random.default_rng(seed)
    trusted = outward.Readout(p, float(np.finfo(dtype).eps) / 2)
    for _ in range(20):
        memory = rng.uniform(-1, 1, (1, p.memory)).astype(dtype)
        z = memory[:, :16] @ p.readout_weight.T + p.readout_bias
        for digit in range(max(outputs, 2)):
            said = float(margins(z, np.array([digit]))[0])
            point = memory.astype(float)
            none = np.zeros((1, 0, p.memory))
            sets_ = outward.Sets(point, none, np.zeros_like(point), point, point)
            assert trusted.margin(sets_, np.array([digit])) <= said


def test_any_digit_will_do_beyond_the_last(draw):
    p = draw(0, 4, 1, "tanh", np.float64)
    sets_ = Zonotopes(np.zeros((1, 4)), np.zeros((1, 0, 4)), np.ones((1, 4)))
    assert Readout(p).zonotopes(sets_, np.array([2]))[0] > 1e5


@pytest.mark.parametrize("kind", ["tanh", "sigmoid", "gru", "lstm"])
def test_jacobians_equal_finite_differences(draw, monkeypatch, kind):
    monkeypatch.setattr("seqarith.certification.enclosure.AT_ONCE", 300)  # in more than one part
    p = draw(3, 6, 1, kind, np.float64)
    cell, letters = dynamics(p), np.arange(4)
    h = np.random.default_rng(0).uniform(size=(4, p.memory))
    jacobian = cell.jacobians(h, letters)
    for j, nudge in enumerate(1e-6 * np.eye(p.memory)):
        difference = (cell.points(h + nudge, letters) - cell.points(h - nudge, letters)) / 2e-6
        np.testing.assert_allclose(jacobian[:, :, j], difference, atol=1e-7)


def test_operands_that_are_flushed_to_zero_are_covered():
    """A weight below the smallest normal number may count as 0, times inputs of up to 2**20."""
    inputs = 1000
    machine = add().machine
    weight = np.full((1, inputs), 2.0**-127, np.float32)
    square, line = np.zeros((1, 1), np.float32), np.zeros(1, np.float32)
    p = Program(
        "elman",
        {"activation": "tanh"},
        np.full((4, inputs), 2.0**20, np.float32),
        {"weight_ih": weight, "weight_hh": square, "bias": line},
        line,
        square,
        line,
        machine.next_state,
        machine.output,
    )
    lost = inputs * 2.0**20 * 2.0**-127
    assert np.all(recurrences.Elman(p, 4.0, 2.0**-24).projections.rounding >= lost)
    readout = outward.Readout(replace(p, readout_weight=weight[:, :1]), 2.0**-24)
    far = np.full((1, 1), 2.0**20)
    point = outward.Sets(far, np.zeros((1, 0, 1)), 0 * far, far, far)
    assert readout.margin(point, np.array([1])) <= 0
