"""The search's view of a step: points, boxes, zonotopes, derivatives, for every cell."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from seqarith.certification.kernel import outward
from seqarith.certification.kernel.forms import Forms
from seqarith.certification.kernel.program import Program
from seqarith.certification.kernel.step import SetStep
from seqarith.certification.kernel.wellformed import MIN_TANH_ULPS
from seqarith.certification.prove.dynamics import Dynamics, MarginBounds, Zonotopes, relax_tanh
from seqarith.network import margins

CELLS = ["tanh", "sigmoid", "relu", "gru", "lstm", "jordan", "tanh2", "relu2", "gru2", "lstm2"]
KINDS = st.sampled_from(CELLS)
DTYPES = st.sampled_from([np.float32, np.float64])
SEEDS = st.integers(0, 2**32 - 1)
PHASES = (Phase.generate,)  # a smaller seed is no simpler case
SIZES = st.sampled_from([0.0, 1e-6, 0.01, 0.3, 2.0])


def sets(rng: Any, size: float, hidden: int, count: int = 5, generators: int = 7) -> Any:
    """Draw zonotopes and points in them, the extreme ones too."""
    c = rng.uniform(-1, 1, (count, hidden))
    g = size * rng.normal(size=(count, generators, hidden)) / generators
    e = size * rng.uniform(size=(count, hidden))
    t = rng.uniform(-1, 1, (count, 200, generators))
    s = rng.uniform(-1, 1, (count, 200, hidden))
    t[:, :50], s[:, :50] = np.sign(t[:, :50]), np.sign(s[:, :50])
    return c, g, e, c[:, None] + t @ g + s * e[:, None]


def support(c: Any, g: Any, e: Any, directions: Any) -> Any:
    """Bound c + t g + s e along directions (D, H): centre and reach (N, D)."""
    return c @ directions.T, np.abs(g @ directions.T).sum(1) + e @ np.abs(directions).T


def steps_outside(images: Any, out: Any, directions: Any, slack: float) -> Any:
    """Say by how much images (N, S, M) leave the sets that should hold them."""
    centre, reach = support(out[0], out[1], out[2], directions)
    return (np.abs(images @ directions.T - centre[:, None]) - reach[:, None]).max() - slack


def trusted(p: Program) -> SetStep:
    unit = float(np.finfo(p.start.dtype).eps) / 2
    return SetStep(p.step, p.inputs.astype(float), Forms(dict(p.arrays), MIN_TANH_ULPS, unit))


@settings(max_examples=150, phases=PHASES)
@given(SEEDS, st.integers(1, 7), KINDS, DTYPES, SIZES)
def test_every_step_contains_what_the_program_computes(
    draw: Any, run_step: Any, seed: int, hidden: int, kind: str, dtype: Any, size: float
) -> None:
    """Boxes, zonotopes and points; in the program's own arithmetic, float32 or float64."""
    rng = np.random.default_rng(seed)
    p = draw(seed, hidden, 2, kind, dtype)
    checker, searching, width = trusted(p), Dynamics(p), p.memory
    c, g, e, points = sets(rng, size, width)
    if kind.startswith("lstm"):
        # Cells go further than hidden vectors.
        scale = np.tile(np.repeat([1.0, 3.0], hidden), width // (2 * hidden))
        c, g, e, points = c * scale, g * scale, e * scale, points * scale
    # Floats of the program beside the sets: the box about them is widened by their rounding.
    members = points.astype(dtype)
    e = e + np.abs(members - points).max(1) * (1 + 1e-12)
    half = np.abs(g).sum(1) + e
    directions = np.concatenate((np.eye(width), rng.normal(size=(8, width))))
    quick = searching.zonotopes(Zonotopes(c, g, e))
    low, high = searching.boxes(c - half, c + half)
    of_sets = checker.steps(checker.spread(c, g, e), range(4))
    body = checker.spread(c, np.zeros((5, 0, width)), half * (1 + 1e-15))
    of_boxes = checker.steps(body, range(4))
    for letter in range(4):
        image = run_step(p, members.reshape(-1, width), np.full(5 * 200, letter))
        image = image.reshape(5, 200, width).astype(float)
        slack = 1e-13 * (1 + np.abs(image).max())  # of this test's own arithmetic
        for out in (of_sets[letter], of_boxes[letter]):
            assert np.all((out.low[:, None] <= image) & (image <= out.high[:, None]))
            assert steps_outside(image, out, directions, slack) <= 0
        for found in (quick[letter], quick[letter].reduced(width)):
            assert steps_outside(image, found, directions, slack) <= 0
        assert np.all((low[:, letter, None] <= image) & (image <= high[:, letter, None]))


@given(SEEDS, st.integers(1, 5), KINDS)
def test_boxes_of_points_are_points(draw: Any, seed: int, hidden: int, kind: str) -> None:
    """A box without body has an image that is wider by rounding and the search's slack alone."""
    p = draw(seed, hidden, 1, kind, np.float64)
    cell, at = Dynamics(p), np.random.default_rng(seed).uniform(-1, 1, (5, p.memory))
    low, high = cell.boxes(at, at)
    assert low.shape == high.shape == (5, 4, p.memory)
    for letter in range(4):
        image = cell.points(at, np.full(5, letter))
        size = 1e-6 * (1 + np.abs(image).max())
        np.testing.assert_allclose(low[:, letter], image, atol=size)
        np.testing.assert_allclose(high[:, letter], image, atol=size)


@given(SEEDS, st.integers(1, 7), KINDS)
def test_points_are_steps_of_the_program(
    draw: Any, run_step: Any, seed: int, hidden: int, kind: str
) -> None:
    """Bit by bit in float64; of a program in float32 they are steps in float64 of its numbers."""
    p = draw(seed, hidden, 1, kind, np.float64)
    memory, letters = np.random.default_rng(seed).uniform(-1, 1, (9, p.memory)), np.arange(9) % 4
    assert np.array_equal(Dynamics(p).points(memory, letters), run_step(p, memory, letters))
    single = draw(seed, hidden, 1, kind, np.float32)
    wide = replace(
        single,
        arrays={name: array.astype(float) for name, array in single.arrays.items()},
        inputs=single.inputs.astype(float),
    )
    found = Dynamics(single).points(memory, letters)
    assert found.dtype == np.float64
    assert np.array_equal(found, run_step(wide, memory, letters))


@pytest.mark.parametrize("outputs", [1, 2])
@pytest.mark.parametrize("kind", CELLS)
def test_jacobians_equal_central_differences(
    draw: Any, monkeypatch: pytest.MonkeyPatch, kind: str, outputs: int
) -> None:
    monkeypatch.setattr("seqarith.cells.domains.derivatives.AT_ONCE", 300)  # in several parts
    p = draw(3, 5, outputs, kind, np.float64)
    cell, letters = Dynamics(p), np.arange(8) % 4
    h = np.random.default_rng(0).uniform(size=(8, p.memory))
    jacobian = cell.jacobians(h, letters)
    assert jacobian.shape == (8, p.memory, p.memory)
    for j, nudge in enumerate(1e-6 * np.eye(p.memory)):
        difference = (cell.points(h + nudge, letters) - cell.points(h - nudge, letters)) / 2e-6
        np.testing.assert_allclose(jacobian[:, :, j], difference, atol=1e-7)
    assert np.abs(jacobian).max() > 0.01


def test_sets_can_be_selected_and_reduced() -> None:
    rng = np.random.default_rng(0)
    z = Zonotopes(rng.normal(size=(4, 3)), rng.normal(size=(4, 6, 3)), rng.uniform(size=(4, 3)))
    assert np.allclose(z.radius(), np.abs(z.g).sum(1) + z.e)
    few = z.reduced(2)
    assert few.g.shape == (4, 2, 3)
    assert np.allclose(few.radius(), z.radius())
    kept = np.sort(np.abs(z.g).sum(2), 1)[:, -2:]
    assert np.allclose(np.sort(np.abs(few.g).sum(2), 1), kept)
    assert z.reduced(6) is z
    some = z.take(np.array([2, 0]))
    assert np.array_equal(some.g, z.g[[2, 0]])
    assert np.array_equal(some.e, z.e[[2, 0]])


@given(st.floats(-30, 30), st.floats(0, 40), st.booleans())
def test_relaxations_hold_on_the_whole_interval(low: float, width: float, checks: bool) -> None:
    if not checks and not width > 1e-6:
        return
    lo, hi = np.array([[low]]), np.array([[low + width]])
    slope, below, above, *bounds = outward.relax(lo, hi) if checks else relax_tanh(lo, hi)
    x = np.linspace(low, low + width, 1001)
    rest = np.tanh(x) - slope * x
    slack = 0.0 if checks else 1e-12
    assert np.all(rest >= below - slack)
    assert np.all(rest <= above + slack)
    assert all(np.all(s * np.tanh(x) <= s * b) for s, b in zip((-1, 1), bounds, strict=False))


@given(SEEDS, KINDS, st.sampled_from([1, 2, 5]), SIZES)
def test_margins_are_bounds(draw: Any, seed: int, kind: str, outputs: int, size: float) -> None:
    rng = np.random.default_rng(seed)
    p = draw(seed, 4, outputs, kind, np.float64)
    p = replace(p, threshold=float(rng.normal()) if outputs == 1 else 0.0)
    c, g, e, points = sets(rng, size, p.memory)
    digit = rng.integers(max(outputs, 2), size=5)
    z = points[..., :4] @ p.readout_weight.T + p.readout_bias - p.threshold
    if outputs == 1:
        real = np.where(digit[:, None] == 1, z[..., 0], -z[..., 0])
    else:
        own = np.take_along_axis(z, digit[:, None, None], 2)[..., 0]
        rest = np.where(np.arange(outputs) == digit[:, None, None], -np.inf, z)
        real = own - rest.max(2)
    reach = np.abs(g).sum(1) + e
    assert np.all(MarginBounds(p).zonotopes(Zonotopes(c, g, e), digit)[:, None] <= real)
    assert np.all(MarginBounds(p).of_boxes(digit)(c - reach, c + reach)[:, None] <= real)
    checker = outward.SetReadout(p, 2.0**-53)
    for n in range(5):
        one = slice(n, n + 1)
        box = (c - reach)[one], (c + reach)[one]
        found = checker.margin(outward.Sets(c[one], g[one], e[one], *box), digit[one])
        assert found <= real[n].min()


@given(SEEDS, DTYPES, st.sampled_from(["tanh", "lstm"]), st.sampled_from([1, 2, 5]))
def test_margins_cover_the_rounding_of_logits(
    draw: Any, seed: int, dtype: Any, kind: str, outputs: int
) -> None:
    """At a point, to which the margin in real numbers is known, the program's own may be less."""
    p = draw(seed, 16, outputs, kind, dtype)
    p = replace(p, readout_weight=(p.readout_weight * 1000).astype(dtype))
    rng = np.random.default_rng(seed)
    checker = outward.SetReadout(p, float(np.finfo(dtype).eps) / 2)
    for _ in range(20):
        memory = rng.uniform(-1, 1, (1, p.memory)).astype(dtype)
        z = memory[:, :16] @ p.readout_weight.T + p.readout_bias
        point, none = memory.astype(float), np.zeros((1, 0, p.memory))
        at = outward.Sets(point, none, np.zeros_like(point), point, point)
        for digit in range(max(outputs, 2)):
            said = float(margins(z, np.array([digit]))[0])
            assert checker.margin(at, np.array([digit])) <= said
            assert MarginBounds(p).zonotopes(Zonotopes(*at[:3]), np.array([digit]))[0] <= said


def test_any_digit_will_do_beyond_the_last(draw: Any) -> None:
    p = draw(0, 4, 1, "tanh", np.float64)
    at = Zonotopes(np.zeros((1, 4)), np.zeros((1, 0, 4)), np.ones((1, 4)))
    assert MarginBounds(p).zonotopes(at, np.array([2]))[0] > 1e5


def test_logits_of_operands_that_are_flushed_to_zero_are_covered(draw: Any) -> None:
    """A weight below the smallest normal number may count as 0, times a unit of 2**20."""
    p = draw(0, 1, 1, "tanh", np.float32)
    weight = np.full((1, 1), 2.0**-127, np.float32)
    p = replace(p, readout_weight=weight, readout_bias=np.zeros(1, np.float32))
    far = np.full((1, 1), 2.0**20)
    point = outward.Sets(far, np.zeros((1, 0, 1)), 0 * far, far, far)
    assert outward.SetReadout(p, 2.0**-24).margin(point, np.array([1])) <= 0
