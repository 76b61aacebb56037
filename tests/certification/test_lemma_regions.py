"""L5 and L6: landing in regions, joining generators, and margins, in fractions."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest

pytest.importorskip("flint")

from adversarial import UNITS, WAYS, Adversary, Exact, assert_bounds, magnitudes, rational

from seqarith.certification.kernel.certificate import Certificate
from seqarith.certification.kernel.check import Budget, _Checker
from seqarith.certification.kernel.outward import SetReadout, Sets
from seqarith.certification.kernel.program import Program
from seqarith.certification.kernel.wellformed import LARGEST, MIN_TANH_ULPS, Refusal

GAMMA, TINY, FLUSH = Fraction(2) ** -41, Fraction(2) ** -90, Fraction(2) ** -125
NEAR = Fraction(2) ** -45  # what is rounded on the way, a sixteenth of GAMMA
SEEDS = range(4)


def gamma(terms: int, unit: float) -> Fraction:
    return terms * Fraction(unit) / (1 - terms * Fraction(unit))


# Margins.


def network(rng: np.random.Generator, outputs: int, dtype: str, threshold: float) -> Program:
    """Return a readout of two of a memory's three numbers; its step keeps them."""
    weight, bias = magnitudes(rng, outputs, 2), magnitudes(rng, outputs)
    table = np.zeros((1, 1), np.int64)
    return Program(
        step=(("take", 1, 0, 3),),
        arrays={},
        inputs=np.zeros((1, 1), dtype),
        start=np.zeros(3, dtype),
        readout_weight=np.where(np.abs(weight) < 2.0**-60, 0, weight).astype(dtype),
        readout_bias=np.where(np.abs(bias) < 2.0**-60, 0, bias).astype(dtype),
        threshold=threshold,
        next_state=table,
        output=table,
    )


def drawn_sets(rng: np.random.Generator, rows: int) -> Sets:
    """Draw sets whose box is now narrower and now wider than what the symbols allow."""
    c, g, e = (
        magnitudes(rng, rows, 3),
        magnitudes(rng, rows, 2, 3),
        np.abs(magnitudes(rng, rows, 3)),
    )
    c[::3], g[1::3], e[2::3] = 0, 0, 0
    reach = np.abs(g).sum(1) + e
    share = rng.choice([0.0, 0.5, 1.0, 2.0], (2, rows, 3))
    return Sets(c, g, e, c - share[0] * reach, c + share[1] * reach)


def stated_margin(p: Program, s: Sets, n: int, digit: int, unit: float) -> tuple[Exact, Exact]:
    """Return the margin of a digit on set n, and what is rounded on the way to it."""
    w, b = rational(p.readout_weight), rational(p.readout_bias)
    w = np.concatenate((w, rational(np.zeros((len(w), 1)))), 1)
    c, g, e, low, high = (rational(part[n]) for part in s)
    reach = np.abs(c) + np.abs(g).sum(0) + e
    error = max((gamma(3 + 4, unit) + 4 * GAMMA) * (np.abs(w) @ reach + np.abs(b)))
    error += TINY + FLUSH * reach.sum()
    outputs = len(b)
    if digit == max(outputs, 2):
        rows, offsets = [rational(np.zeros(3))], [Fraction(LARGEST)]
    elif outputs == 1:
        sign, over = (1 if digit else -1), b[0] - Fraction(p.threshold)
        rows, offsets = [sign * w[0]], [sign * over]
    else:
        others = [k for k in range(outputs) if k != digit]
        rows, offsets = [w[digit] - w[k] for k in others], [b[digit] - b[k] for k in others]
    margins, sizes = [], []
    for row, offset in zip(rows, offsets, strict=True):
        by_zonotope = c @ row - e @ np.abs(row) - np.abs(g @ row).sum()
        by_box = (low + high) @ row / 2 - (high - low) @ np.abs(row) / 2
        size = (reach + np.abs(low) + np.abs(high)) @ np.abs(row) + abs(offset)
        margins.append(max(by_zonotope, by_box) + offset - 4 * GAMMA * size - 2 * error)
        sizes.append(NEAR * size + 16 * GAMMA * error)
    return min(margins), max(sizes)


@pytest.mark.parametrize(
    ("seed", "outputs", "dtype"), list(product(SEEDS, [1, 2, 4], ["float32", "float64"]))
)
def test_the_margin_is_what_l6_states(seed: int, outputs: int, dtype: str) -> None:
    """By the symbols or by the box, as is better; less GAMMA of all sizes and two errors."""
    rng = np.random.default_rng(seed)
    p = network(rng, outputs, dtype, 0.75 if outputs == 1 else 0.0)
    sets = drawn_sets(rng, 12)
    for unit in (0.0, UNITS[dtype]):
        readout = SetReadout(p, unit)
        assert len(readout.rows) == len(readout.offsets) == max(outputs, 2) + 1
        for n, digit in product(range(12), range(max(outputs, 2) + 1)):
            one = Sets(*(part[n : n + 1] for part in sets))
            found = Fraction(readout.margin(one, np.array([digit])))
            stated, rounded = stated_margin(p, sets, n, digit, unit)
            assert abs(found - stated) <= rounded


@pytest.mark.parametrize("unit", [0.0, *UNITS.values()])
def test_the_pads_of_a_margin_suffice_where_logits_cancel(unit: float) -> None:
    """Whatever the sizes, the margin is 0 less its pads, which are bounds to the last float."""
    rng = np.random.default_rng(0)
    p = replace(
        network(rng, 1, "float64", 0.0),
        readout_weight=np.array([[1.0, -1.0]]),
        readout_bias=np.zeros(1),
    )
    readout, none = SetReadout(p, unit), np.zeros((1, 2, 3))
    for size in np.abs(magnitudes(rng, 40)) + 2.0**-60:
        c = np.array([[size, size, 0.0]])
        total = Fraction(size) * 2
        error = (gamma(7, unit) + 4 * GAMMA) * total + TINY + FLUSH * total
        pad = 4 * GAMMA * 3 * total + 2 * error
        for digit in (0, 1):
            found = readout.margin(Sets(c, none, 0 * c, c, c), np.array([digit]))
            assert_bounds(-found, pad)


def test_weights_that_are_flushed_to_zero_may_lose_what_they_weigh() -> None:
    """Logits of nothing at all: TINY for results, FLUSH of every hidden number and every other."""
    p = replace(
        network(np.random.default_rng(0), 1, "float64", 0.0),
        readout_weight=np.zeros((1, 2)),
        readout_bias=np.zeros(1),
    )
    readout, none = SetReadout(p, 2.0**-24), np.zeros((1, 3))
    for c, g, e in np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]]) * 2.0**34:
        parts = none + c, none[None] + g, none + e
        sets = Sets(*parts, none - 2.0**36, none + 2.0**36)
        reach = 3 * Fraction(c + g + e)
        for digit in (0, 1):
            assert_bounds(-readout.margin(sets, np.array([digit])), 2 * (TINY + FLUSH * reach))


def test_the_margin_of_many_sets_is_the_least() -> None:
    rng = np.random.default_rng(0)
    p, sets = network(rng, 3, "float64", 0.0), drawn_sets(rng, 9)
    digits, readout = rng.integers(4, size=9), SetReadout(p, 2.0**-53)
    alone = [
        readout.margin(Sets(*(part[n : n + 1] for part in sets)), digits[n : n + 1])
        for n in range(9)
    ]
    assert readout.margin(sets, digits) == pytest.approx(min(alone), rel=1e-9)


@pytest.mark.parametrize(("unit", "largest"), [(2.0**-24, 2.0**120), (2.0**-53, 2.0**1000)])
def test_logits_that_may_overflow_have_no_margin(unit: float, largest: float) -> None:
    """Of the centre, the symbols, the box, or the bias; for any set of many; and of no number."""
    table = np.zeros((1, 1), np.int64)
    p = replace(
        network(np.random.default_rng(0), 1, "float64", 0.0),
        readout_weight=np.array([[0.5, 2.0]]),
        readout_bias=np.array([largest / 2]),
        output=table + 1,
    )
    readout, none = SetReadout(p, unit), np.zeros((2, 3))
    for part, fits in ((1 - 2.0**-20, True), (1 + 2.0**-20, False)):
        far = none.copy()
        far[1, 1] = largest / 4 * part
        # The least logit is the bias, or none at all.
        for c, g, e in ((far, none, none), (far / 2, far / 2, none), (far / 2, none, far / 2)):
            sets = Sets(c, g[:, None], e, c - np.abs(g) - e, c + np.abs(g) + e)
            found = readout.margin(sets, np.array([1, 1]))
            assert (found > largest / 4) == fits
            assert fits or found == -np.inf
    spoilt = Sets(none * np.nan, none[:, None], none, none, none)
    assert not readout.margin(spoilt, np.array([1, 1])) > 0


def logits(p: Program, h: Exact, by: Adversary) -> list[Fraction]:
    """Return the logits of the worst program, above the threshold."""
    found = []
    for row, bias in zip(rational(p.readout_weight), rational(p.readout_bias), strict=True):
        z = by.product(Fraction(0), row[None], h[: len(row), None])
        found.append(by.add(z[0], bias) - Fraction(p.threshold))
    return found


@pytest.mark.parametrize(("dtype", "outputs"), list(product(UNITS, [1, 3])))
def test_the_worst_program_keeps_the_margin(dtype: str, outputs: int) -> None:
    """At points, where the real logits are known: each may be off, against the other."""
    rng = np.random.default_rng(outputs)
    p = replace(
        network(rng, outputs, dtype, 0.0),
        readout_weight=rng.normal(size=(outputs, 2)).astype(dtype),
        readout_bias=rng.normal(size=outputs).astype(dtype),
    )
    for part, keeps in ((1.0, True), (0.01, False)):
        readout, kept = SetReadout(p, part * UNITS[dtype]), []
        for _ in range(10):
            h = rng.normal(size=(1, 3)).astype(dtype).astype(float)
            point = Sets(h, np.zeros((1, 0, 3)), 0 * h, h, h)
            by_way = [logits(p, rational(h)[0], Adversary(dtype, way)) for way in WAYS]
            for digit in range(max(outputs, 2)):
                claimed = readout.margin(point, np.array([digit]))
                kept += [claimed <= said for said in worst_margins(by_way, digit)]
        assert all(kept) == (keeps or dtype == "float64")  # there GAMMA is more than all of it


def worst_margins(by_way: list[list[Fraction]], digit: int) -> list[Fraction]:
    """Return margins where each logit is rounded in a direction of its own."""
    if len(by_way[0]) == 1:
        return [z[0] if digit else -z[0] for z in by_way]
    others = [k for k in range(len(by_way[0])) if k != digit]
    return [x[digit] - max(y[k] for k in others) for x, y in product(by_way, repeat=2)]


# Regions.


def checker(centres: Any, shapes: Any, order: int = 4) -> _Checker:
    """Return a checker of regions of these shapes."""
    regions, width = centres.shape
    p = network(np.random.default_rng(0), 1, "float64", 0.0)
    p = replace(p, step=(("take", 1, 0, width),), start=np.zeros(width))
    none = np.zeros((regions, 1), np.int64)
    c = Certificate(
        p.digest(), p.dtype, MIN_TANH_ULPS, none[:, 0], none, centres, shapes, 0, 1, order, 0.5
    )
    return _Checker(p, c, Budget())


def lands(found: _Checker, c: Any, g: Any, e: Any) -> bool:
    """Say whether a set of one row lands in region 0."""
    reach = np.abs(g).sum(1) + e
    return bool(found._lands(Sets(c, g, e, c - reach, c + reach), np.zeros(1, int))[0])


def test_a_box_lands_if_it_lies_in_the_box() -> None:
    """On either side, in any coordinate: up to GAMMA of the region's half-width, and no further."""
    shape = np.array([[1.0, 0.5, 3.0]])
    found, to, none = checker(0 * shape, shape), np.zeros(1, int), np.zeros((1, 0, 3))
    for j, side in product(range(3), range(2)):
        for part, inside in ((0.5, False), (0.9, False), (1.1, True), (2.0, True)):
            ends = [-shape / 2, shape / 2]
            ends[side] = ends[side].copy()
            ends[side][0, j] = (2 * side - 1) * shape[0, j] * float(1 - Fraction(part) * GAMMA)
            sets = Sets(0 * shape, none, shape, *ends)
            assert found._lands(sets, to)[0] == inside, (j, side, part)


def test_a_box_is_measured_from_its_region() -> None:
    centres, shapes = np.array([[0.0, 1.0], [5.0, -7.0]]), np.array([[1.0, 1.0], [0.25, 4.0]])
    found, none = checker(centres, shapes), np.zeros((2, 0, 2))
    at = np.array([[5.0, -7.0], [0.0, 1.0]])
    sets = Sets(at, none, 0 * at, at - 0.2, at + 0.2)
    assert found._lands(sets, np.array([1, 0])).tolist() == [True, True]
    assert found._lands(sets, np.array([0, 1])).tolist() == [False, False]
    wide = Sets(at, none, 0 * at, at - 0.3, at + 0.3)
    assert found._lands(wide, np.array([1, 0])).tolist() == [False, True]


def matrices(seed: int) -> Any:
    """Draw regions that are far from boxes, of all sizes."""
    rng = np.random.default_rng(seed)
    turned = np.linalg.qr(rng.normal(size=(3, 3)))[0] + 0.2 * rng.normal(size=(3, 3))
    return (turned * 10.0 ** rng.uniform(-5, 2, (3, 1)))[None]


@pytest.mark.parametrize("seed", SEEDS)
def test_the_room_of_a_region(seed: int) -> None:
    """1 less the largest column of |I - M V|, and what its computation loses."""
    m = matrices(seed)
    found = checker(np.zeros((1, 3)), m)
    exactly, inverse = rational(m[0]), rational(found.inverse[0])
    off = np.abs(rational(np.eye(3)) - exactly @ inverse)
    pad = 2 * GAMMA * (np.abs(exactly) @ np.abs(inverse) + 1)
    largest = (off + pad).sum(0).max()
    room, rounded = Fraction(found.room[0]), (np.abs(exactly) @ np.abs(inverse)).sum() * NEAR
    assert abs(room - (1 - largest - Fraction(2) ** -50)) <= rounded
    assert largest < Fraction(1, 2)
    assert largest != (off + pad).sum(1).max()


def test_the_room_pays_for_a_wrong_inverse(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is taken for an inverse may be anything: the room is less by what it is off."""
    inverse = np.linalg.inv
    slip = np.array([[0.0, 0.1, 0.0], [0.0, 0.0, 0.0], [0.0, 0.05, 0.02]])
    monkeypatch.setattr(np.linalg, "inv", lambda m: inverse(m) @ (np.eye(3) + slip))
    found = checker(np.zeros((1, 3)), np.eye(3)[None])
    assert found.room[0] == pytest.approx(0.85, abs=1e-9)
    monkeypatch.setattr(np.linalg, "inv", lambda m: inverse(m) @ (np.eye(3) + 3.3 * slip))
    assert checker(np.zeros((1, 3)), np.eye(3)[None]).room[0] == pytest.approx(0.505, abs=1e-9)
    monkeypatch.setattr(np.linalg, "inv", lambda m: inverse(m) @ (np.eye(3) + 3.4 * slip))
    with pytest.raises(Refusal, match="too ill-conditioned"):
        checker(np.zeros((1, 3)), np.eye(3)[None])
    monkeypatch.setattr(np.linalg, "inv", lambda m: inverse(m) * np.nan)
    with pytest.raises(Refusal, match="too ill-conditioned"):
        checker(np.zeros((1, 3)), np.eye(3)[None])


def test_the_room_to_the_last_float(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of numbers that floats hold: UP and 2^-50 are there, and pay for the roundings."""
    inverse, slip = np.linalg.inv, np.zeros((3, 3))
    slip[:, 1] = 2.0**-3, 0.0, 2.0**-4
    for wrong in (0 * slip, slip):
        monkeypatch.setattr(np.linalg, "inv", lambda m, wrong=wrong: inverse(m) + wrong)
        found = checker(np.zeros((1, 3)), np.eye(3)[None])
        off = rational(wrong)
        off = off + 2 * GAMMA * (rational(np.eye(3)) + off + 1)
        exactly = 1 - off.sum(0).max() * (1 + 2 * GAMMA) - Fraction(2) ** -50
        assert abs(Fraction(found.room[0]) - exactly) <= Fraction(2) ** -52


def test_one_region_of_many_that_has_no_inverse_is_enough() -> None:
    with pytest.raises(Refusal, match="singular"):
        checker(np.zeros((2, 2)), np.stack((np.eye(2), np.ones((2, 2)))))
    close = np.array([[1.0, 1.0], [1.0, 1 + 2.0**-40]])
    with pytest.raises(Refusal, match="too ill-conditioned"):
        checker(np.zeros((2, 2)), np.stack((np.eye(2), close)))


@pytest.mark.parametrize(("seed", "parts"), list(product(SEEDS, ["c", "g", "e", "cge"])))
def test_a_set_lands_up_to_the_room_of_its_region_and_no_further(seed: int, parts: str) -> None:
    """Within a fraction of GAMMA of where the lemma has it: offset, generators, box, and pads."""
    rng, m = np.random.default_rng(seed), matrices(seed)
    found = checker(np.zeros((1, 3)), m)
    inside = rng.normal(size=(1, 5, 3)) @ m[0]
    c = inside[:, 0] * ("c" in parts)
    g, e = inside[:, 1:4] * ("g" in parts), np.abs(inside[:, 4]) * ("e" in parts)
    c_, g_, e_, v = (rational(x[0]) for x in (c, g, e, found.inverse))
    far = np.abs(c_ @ v) + np.abs(g_ @ v).sum(0) + e_ @ np.abs(v)
    pad = 4 * GAMMA * ((np.abs(c_) + np.abs(g_).sum(0) + e_) @ np.abs(v))
    limit = float(Fraction(found.room[0]) / max(far + pad))
    step = float(NEAR * max(pad / GAMMA) / max(far)) + 2.0**-48
    for off, inside_ in ((-step, True), (step, False)):
        scale = limit * (1 + off)
        assert lands(found, c * scale, g * scale, e * scale) == inside_


def test_a_point_at_the_very_border_of_the_room_lands() -> None:
    """The last float that does, with the pad that L5 adds; the next one does not."""
    found = checker(np.zeros((1, 2)), np.eye(2)[None])
    room, none = float(found.room[0]), np.zeros((1, 1, 2))
    x = room * (1 - 2.0**-39) - 2.0**-48
    while x + 4 * 2.0**-41 * x < room:
        x = float(np.nextafter(x, 2))
    assert x + 4 * 2.0**-41 * x == room
    for at, inside in ((x, True), (float(np.nextafter(x, 2)), False)):
        assert lands(found, np.array([[0.0, at]]), none, np.zeros((1, 2))) == inside


def test_what_lands_lies_in_the_region() -> None:
    """For sets drawn about the border: by solving for the coordinates in fractions."""
    rng, m = np.random.default_rng(5), matrices(1)
    centre = rng.normal(size=(1, 3))
    found, landed = checker(centre, m), 0
    for _ in range(200):
        t = rng.uniform(-1, 1, (1, 3, 3)) * rng.choice([0.2, 0.5, 0.7])
        c, g, e = centre + t[:, 0] @ m[0], t[:, 1:] @ m[0] * 0.4, np.abs(m[0]).min(0)[None] * 1e-3
        if lands(found, c, g, e):
            landed += 1
            for s in map(np.array, product((-1.0, 1.0), repeat=5)):
                corner = c[0] + s[:2] @ g[0] + s[2:] * e[0]
                assert np.abs(np.linalg.solve(m[0].T, corner - centre[0])).max() <= 1 + 1e-9
    assert 20 < landed < 190


def test_the_smallest_generators_become_a_box() -> None:
    """Sums of sizes decide; those that stay do so in their order, and no point is lost."""
    rng = np.random.default_rng(0)
    found = checker(np.zeros((1, 3)), np.full((1, 3), 1e-9), order=4)
    c, g, e = rng.normal(size=(6, 3)), rng.normal(size=(6, 9, 3)), rng.uniform(size=(6, 3))
    to = np.zeros(6, int)
    sets = Sets(c, g, e, c - 99, c + 99)
    (out,) = found._go_on(sets, to)
    assert out.g.shape == (6, 4, 3)
    assert np.array_equal(out.c, c)
    assert np.array_equal(out.to, to)
    for n in range(6):
        rank = np.argsort(-np.abs(g[n]).sum(1), kind="stable")
        assert np.array_equal(out.g[n], g[n][rank[:4]])
        joined = rational(e[n]) + np.abs(rational(g[n][rank[4:]])).sum(0)
        assert_bounds(out.e[n], joined)
    few = Sets(c, g[:, :4], e, c - 99, c + 99)
    (kept,) = found._go_on(few, to)
    assert np.array_equal(kept.g, g[:, :4])
    assert np.array_equal(kept.e, e)


def test_what_has_landed_does_not_go_on() -> None:
    found = checker(np.array([[0.0, 0.0], [9.0, 9.0]]), np.ones((2, 2)))
    c = np.array([[0.0, 0.0], [9.0, 9.0], [0.0, 0.0], [5.0, 0.0]])
    sets = Sets(c, np.zeros((4, 1, 2)), 0 * c, c - 0.1, c + 0.1)
    (out,) = found._go_on(sets, np.array([0, 1, 1, 0]))
    assert out.to.tolist() == [1, 0]
    assert out.c.tolist() == [[0.0, 0.0], [5.0, 0.0]]
    assert len(out.g) == len(out.e) == 2
    assert found._go_on(Sets(*(part[:2] for part in sets)), np.array([0, 1])) == []
