"""Ball arithmetic accepts what is proved, rejects what is not, and bounds the NumPy checker."""

import ast
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import seqarith as sa
from seqarith.certification import check as numpy_check
from seqarith.certification import outward, recurrences
from seqarith.certification.adapter import from_model
from seqarith.certification.boxes import prove_boxes
from seqarith.certification.certificate import Certificate
from seqarith.certification.check import Accepted, Budget, Rejected, check
from seqarith.certification.program import Program
from seqarith.certification.search import Found, prove
from seqarith.cli import cli

flint = pytest.importorskip("flint")

from seqarith.certification import balls, exact  # noqa: E402
from seqarith.certification.exact import check_exact  # noqa: E402

arb = flint.arb


@pytest.fixture(autouse=True)
def bits():
    with flint.ctx.workprec(exact.BITS):
        yield


def rejects(p, c, because=""):
    verdict = check_exact(p, c)
    assert isinstance(verdict, Rejected), verdict
    assert because in verdict.reason, verdict


def agrees(p, c):
    """Both accept, after the same steps; the pads of the NumPy checker cost it 0.1 % of margin."""
    fast, slow = check(p, c), check_exact(p, c)
    assert isinstance(fast, Accepted), fast
    assert isinstance(slow, Accepted), slow
    assert (slow.steps, slow.depth) == (fast.steps, fast.depth)
    assert fast.margin <= slow.margin <= fast.margin * 1.001


def test_a_proof_is_accepted(case):
    agrees(*case)


@pytest.mark.parametrize("outputs", [1, 2])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
def test_boxes_are_accepted(make, activation, dtype, outputs):
    p = from_model(make(activation, 60.0, dtype, outputs))
    agrees(p, prove_boxes(p, 1))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_network_of_the_tutorial_is_proved(dtype):
    """Seed 2: 16 sigmoid units trained without a thought of proofs; 11 parallelotopes."""
    config = replace(sa.tutorial_config(2), dtype=dtype)
    p = from_model(sa.Trainer(config).run().model)
    found = prove(p, 60)
    assert isinstance(found, Found)
    assert found.certificate.shapes.ndim == 3
    agrees(p, found.certificate)


@pytest.mark.parametrize(
    ("change", "because"),
    [
        (lambda c: {"states": 1 - c.states}, "another machine state"),
        (lambda c: {"successors": np.roll(c.successors, 1, 1)}, "another machine state"),
        (
            lambda c: {"start": int(np.flatnonzero(c.states == 1)[0])},
            "another state than the first",
        ),
        (lambda c: {"margin": 1e3}, "is claimed"),
        (lambda c: {"centres": c.centres + np.float32(0.5)}, "is claimed"),
        (lambda c: {"shapes": c.shapes * np.float32(1e6)}, "is claimed"),
        (lambda c: {"shapes": c.shapes * np.float32(1e-9)}, "landed nowhere"),
        (lambda c: {"tanh_ulps": 0.0}, "tanh_ulps"),
        (lambda c: {"digest": "0" * 64}, "another program"),
        (lambda c: {"centres": c.centres * np.nan}, "finite"),
    ],
)
def test_each_obligation_can_fail(case, change, because):
    p, c = case
    rejects(p, replace(c, **change(c)), because)


def array_of(p, name):
    return p.kernels[name] if name in p.kernels else getattr(p, name)


@pytest.mark.parametrize(
    "name", ["inputs", "weight_ih", "weight_hh", "bias", "start", "readout_weight", "readout_bias"]
)
def test_a_proof_of_another_program_is_rejected(case, name, alter):
    p, c = case
    changed = alter(p, name, array_of(p, name) - 30.0)
    rejects(changed, replace(c, digest=changed.digest()))


def test_sets_that_never_land_are_held_within_the_budget(case):
    p, c = case
    never = replace(c, shapes=np.zeros_like(c.shapes[..., 0]), depth=10**6, margin=1e-9)
    if c.shapes.ndim == 2:
        never = replace(never, shapes=np.zeros_like(c.shapes))
    found = check_exact(p, never, Budget(memory=2**18))
    assert isinstance(found, Rejected)
    assert found.reason == "the branches exceed the memory budget"


def test_singular_regions_and_budgets(case):
    p, c = case
    if c.shapes.ndim == 2:
        return
    flat = c.shapes.copy()
    flat[0] = 1
    rejects(p, replace(c, shapes=flat), "singular")
    verdict = check_exact(p, c, Budget(work=10))
    assert isinstance(verdict, Rejected)
    assert "work" in verdict.reason


@pytest.mark.parametrize(
    ("owner", "name", "value"),
    [
        ("program", "weight_hh", np.nan),
        ("program", "bias", np.inf),
        ("program", "readout_weight", 2.0**21),
        ("program", "next_state", 2),
        ("program", "output", -1),
        ("certificate", "states", -1),
        ("certificate", "successors", 10**6),
        ("certificate", "centres", np.nan),
        ("certificate", "shapes", np.inf),
    ],
)
def test_nothing_is_believed_even_where_validation_is_blind(
    case, monkeypatch, alter, owner, name, value
):
    monkeypatch.setattr(exact, "validate", lambda p, c, memory: None)
    p, c = case

    def spoilt(array):
        array = array.copy()
        array.flat[0] = value
        return array

    if owner == "program":
        p = alter(p, name, spoilt(array_of(p, name)))
    else:
        c = replace(c, **{name: spoilt(getattr(c, name))})
    rejects(p, c, "not as expected")
    cut = replace(c, states=c.states[:-1])
    rejects(p, cut)


def mutated(rng, c):
    """Change one array so much that it can no longer be true: a carry mirrored, a state changed."""
    name = rng.choice(["states", "successors", "centres", "shapes"])
    value = getattr(c, name).copy()
    index = tuple(rng.integers(n) for n in value.shape)
    if name == "states":
        value[index] = 1 - value[index]
    elif name == "successors":
        value[index] = rng.choice(np.flatnonzero(c.states != c.states[value[index]]))
    elif name == "centres":
        value[index[0], 1] = 1 - value[index[0], 1]
    else:
        value[index[0]] += value.ndim == 2  # a box may have no width
        value[index[0]] *= rng.choice([1e4, 1e6])
    return {name: value}


@settings(max_examples=200)
@given(st.integers(0, 2**32 - 1))
def test_mutations_are_rejected(case, seed):
    p, c = case
    rejects(p, replace(c, **mutated(np.random.default_rng(seed), c)))


@pytest.mark.parametrize("limit", [1e-6, 1e7, 1e12])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_at_the_edge_of_what_numpy_accepts_balls_accept(make, dtype, limit):
    """The size of a region is bisected until one float more would be rejected."""
    p = from_model(make(steep=12.0, dtype=dtype))
    c = prove_boxes(p, 1)

    def resized(factor):
        shapes = c.shapes.astype(float)
        shapes[4] *= factor
        return replace(c, shapes=shapes, margin=1e-6)

    accepted, rejected = 1.0, limit
    assert isinstance(check(p, resized(rejected)), Rejected)
    for _ in range(60):
        middle = (accepted + rejected) / 2
        if isinstance(check(p, resized(middle)), Accepted):
            accepted = middle
        else:
            rejected = middle
    assert isinstance(check_exact(p, resized(accepted)), Accepted)
    rejects(p, resized(limit))


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.floats(0.03, 3.0))
def test_what_numpy_accepts_of_changed_regions_is_accepted(make, seed, size):
    """The pads only ever cost: where they suffice, there is room for the exact check."""
    rng = np.random.default_rng(seed)
    p = from_model(make(steep=rng.uniform(9, 14)))
    c = prove_boxes(p, 1)
    if c is None:
        return
    shapes, centres = c.shapes.copy(), c.centres.copy()
    r = rng.integers(c.regions)
    shapes[r] *= size
    centres[r] += rng.normal(size=3).astype(centres.dtype) * 0.3 * shapes[r]
    changed = replace(c, shapes=shapes, centres=centres, margin=1e-6, depth=6)
    if isinstance(check(p, changed), Accepted):
        assert isinstance(check_exact(p, changed), Accepted)


@settings(max_examples=40)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 6),
    st.integers(1, 4),
    st.sampled_from(["tanh", "sigmoid"]),
    st.sampled_from([np.float32, np.float64]),
)
def test_the_pads_of_the_numpy_checker_suffice(draw, seed, hidden, outputs, activation, dtype):
    """L1 to L6 of one step and its readout: what NumPy computes encloses what the balls hold."""
    rng = np.random.default_rng(seed)
    p = draw(seed, hidden, outputs, activation, dtype)
    unit = float(np.finfo(dtype).eps) / 2
    form = balls.Format.of(np.dtype(dtype).name, 4.0)
    fast, slow = recurrences.Elman(p, 4.0, unit), balls.Cell(p, form)
    c, g, e = rng.uniform(0, 1, (1, hidden)), rng.normal(size=(1, 3, hidden)), np.zeros((1, hidden))
    g *= 10.0 ** rng.uniform(-9, 0.5)
    letter = int(rng.integers(4))
    wide = fast.step(fast.spread(c, g, e), letter)
    tight = slow.step(
        slow.spread(
            balls.floats(c[0].tolist()), flint.arb_mat(g[0].tolist()), balls.floats(e[0].tolist())
        ),
        letter,
    )
    for j in range(hidden):
        assert arb(float(wide.low[0, j])) <= tight.low[j]
        assert arb(float(wide.high[0, j])) >= tight.high[j]
        assert float(wide.low[0, j]) == pytest.approx(float(tight.low[j]), abs=1e-3)
    same = balls.Set(
        *(balls.floats(x[0].tolist()) for x in (wide.c,)),
        flint.arb_mat(wide.g[0].tolist()),
        *(balls.floats(x[0].tolist()) for x in (wide.e, wide.low, wide.high)),
    )
    readouts = outward.Readout(p, unit), balls.Readout(p, slow.reach, form)
    for digit in range(max(outputs, 2)):
        bound = readouts[0].margin(wide, np.array([digit]))
        truth = readouts[1].margin(same, digit)
        assert arb(bound) <= truth
        assert bound == pytest.approx(float(truth), abs=1e-3, rel=1e-6)


@settings(max_examples=200)
@given(st.floats(-30, 30), st.floats(0, 40), st.integers(0, 2**32 - 1))
def test_both_relaxations_contain_tanh(lo, length, seed):
    hi = lo + length
    x = np.random.default_rng(seed).uniform(lo, hi, 20)
    x = np.concatenate((np.clip(x, lo, hi), [lo, hi]))
    slope, low, high, *_ = (float(v) for v in outward.relax(np.array(lo), np.array(hi)))
    ends = balls.Ends(arb(lo), arb(hi), arb(lo).tanh(), arb(hi).tanh())
    k, below, above = balls.relax(ends)
    for point in map(arb, x.tolist()):
        assert arb(low) <= point.tanh() - arb(slope) * point <= arb(high)
        assert not point.tanh() - k * point < below
        assert not point.tanh() - k * point > above
    # Tight, too: the hull of the function's values at its ends and extrema, on a fine grid.
    grid = np.linspace(lo, hi, 2001)
    values = np.tanh(grid) - float(k) * grid
    assert float(below) == pytest.approx(values.min(), abs=1e-4 * (1 + length))
    assert float(above) == pytest.approx(values.max(), abs=1e-4 * (1 + length))


def test_the_numpy_checkers_tanh_against_balls():
    rng = np.random.default_rng(0)
    x = np.concatenate((rng.uniform(-21, 21, 20_000), np.exp(rng.uniform(-60, 4, 20_000))))
    off = max(
        float(abs(arb(y) - arb(v).tanh()).upper())
        for v, y in zip(x.tolist(), outward.tanh(x).tolist(), strict=True)
    )
    assert off <= outward.TANH_ERROR / 3


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("terms", [1, 3, 40])
def test_sums_of_products_err_by_no_more_than_the_bound(dtype, terms):
    """Against Fractions, summed in many orders, with and without fused multiply-add."""
    from fractions import Fraction

    rng = np.random.default_rng(terms)
    kind = np.dtype(dtype).type
    form = balls.Format.of(dtype, 4.0)
    for _ in range(100):
        x, y = (rng.normal(size=terms).astype(dtype) for _ in range(2))
        y[0] = kind(1e-42) if dtype == "float32" else kind(1e-310)
        pairs = [(Fraction(float(a)), Fraction(float(b))) for a, b in zip(x, y, strict=True)]
        true = sum(a * b for a, b in pairs)
        size = arb(float(sum(abs(a * b) for a, b in pairs))) * (1 + arb(2) ** -50)
        bound = form.products(terms, size, arb(8))
        plain = kind(0)
        fused = kind(0)
        for i in rng.permutation(terms):
            plain = plain + x[i] * y[i]
            # A fused product and sum, rounded once: by way of the exact number.
            both = Fraction(float(fused)) + pairs[i][0] * pairs[i][1]
            fused = kind(float(both))
        flushed = (x[1:] * y[1:]).sum(dtype=dtype)
        for computed in (plain, fused, x @ y, flushed):
            assert arb(float(abs(Fraction(float(computed)) - true))) <= bound


@given(st.integers(0, 2**32 - 1), st.integers(1, 5))
def test_what_lands_for_numpy_lands_for_balls(case, seed, power):
    p, c = case
    rng = np.random.default_rng(seed)
    if c.shapes.ndim == 2:
        return
    fast, slow = numpy_check._Checker(p, c, Budget()), exact._Checker(p, c, Budget())
    r = int(rng.integers(c.regions))
    scale = 1 - 10.0**-power
    sets = outward.Sets(
        fast.centres[r : r + 1],
        fast.shapes[r : r + 1] * scale,
        *[np.zeros((1, p.hidden))] * 3,
    )
    assert fast._lands(sets, np.array([r]))[0]
    body = flint.arb_mat((fast.shapes[r] * scale).tolist())
    none = [arb(0)] * p.hidden
    assert slow._lands(balls.Set(slow.centres[r], body, none, none, none), r)
    outside = flint.arb_mat((fast.shapes[r] * (1 + 1e-12)).tolist())
    assert not slow._lands(balls.Set(slow.centres[r], outside, none, none, none), r)
    sets = sets._replace(g=fast.shapes[r : r + 1] * (1 + 1e-12))
    assert not fast._lands(sets, np.array([r]))[0]


def test_it_shares_no_arithmetic_with_the_numpy_checker():
    for module in (exact, balls):
        tree = ast.parse(Path(module.__file__).read_text())
        named = {
            getattr(node, "module", None) or node.names[0].name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom | ast.Import)
        }
        assert not {name for name in named if name.startswith(("numpy", "seqarith.cell"))}
        assert "seqarith.certification.outward" not in named


@pytest.fixture
def stored(proved, tmp_path):
    path = tmp_path / "proved.npz"
    proved.save(path)
    return path


def test_the_command_checks_twice(stored):
    result = CliRunner().invoke(cli, ["verify", str(stored), "--exact"])
    assert result.exit_code == 0, result.output
    assert "none of NumPy's functions trusted" in result.stdout
    assert "ball arithmetic" in result.stderr
    assert "ball" not in CliRunner().invoke(cli, ["verify", str(stored)]).stdout


def test_the_command_rejects_where_balls_do(stored, monkeypatch):
    monkeypatch.setattr(exact, "check_exact", lambda p, c, budget, progress: Rejected("no"))
    result = CliRunner().invoke(cli, ["verify", str(stored), "--exact"])
    assert result.exit_code == 3
    assert "rejected" in result.stdout


def test_without_the_extra_one_line_says_how_to_get_it(stored, monkeypatch):
    for name in ("exact", "balls"):
        monkeypatch.delitem(sys.modules, f"seqarith.certification.{name}")
    monkeypatch.setitem(sys.modules, "flint", None)
    result = CliRunner().invoke(cli, ["verify", str(stored), "--exact"])
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1
    assert "pip install python-flint" in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize("boxes", [True, False])
def test_underflow_is_bounded_by_the_widest_region(boxes):
    """A weight that is flushed to zero loses as much as the coordinate that it meets is large."""
    machine = np.zeros((1, 1), np.int64)
    weight, one = np.full((1, 1), 2.0**-127, np.float32), np.ones((1, 1), np.float32)
    kernels = {"weight_ih": 0 * one, "weight_hh": weight, "bias": np.zeros(1, np.float32)}
    p = Program(
        "elman", {"activation": "tanh"}, one, kernels, np.zeros(1, np.float32), one, one[0],
        machine, machine + 1,
    )  # fmt: skip
    far = 2.0**19
    shapes = np.full((1, 1) if boxes else (1, 1, 1), far)
    c = Certificate(
        p.digest(), "float32", 4.0, machine[0], machine, np.full((1, 1), far), shapes, 0, 1, 0, 0.5
    )
    checker = exact._Checker(p, c, Budget())
    assert checker.cell.reach >= 2 * far
    # Of the readout too: the same coordinates meet its weights.
    for bound in (checker.cell.rounded, checker.readout.rounded):
        assert bound(arb(0)) >= arb(2 * far * 2.0**-127)
