"""Ball arithmetic accepts what is proved, rejects what is not, and bounds the NumPy checker."""

import ast
import sys
import time
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from certificates import assert_rejects, mutated
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import seqarith as sa
from seqarith.cells.cell import Cell
from seqarith.cells.domains.floats import FloatStep
from seqarith.cells.recording import Step as Record
from seqarith.certification.adapter import from_model
from seqarith.certification.kernel import check as numpy_check
from seqarith.certification.kernel import outward
from seqarith.certification.kernel.certificate import Certificate
from seqarith.certification.kernel.check import Accepted, Budget, Rejected, check
from seqarith.certification.kernel.forms import Forms
from seqarith.certification.kernel.program import Program
from seqarith.certification.kernel.step import SetStep
from seqarith.certification.kernel.wellformed import MIN_TANH_ULPS, Refusal
from seqarith.certification.prove.box_prover import find_boxes
from seqarith.certification.prove.dynamics import Dynamics
from seqarith.certification.prove.induction_prover import InductionProver, Proof
from seqarith.certification.prove.reachable import draw_words, sample_reachable
from seqarith.certification.prove.refinement import Refinement
from seqarith.cli import cli
from seqarith.network import Network
from seqarith.tasks.builtin.addition import add

flint = pytest.importorskip("flint")

from adversarial import UNITS, WAYS, Adversary, rational, tanh  # noqa: E402

from seqarith.certification.exact import balls, validation  # noqa: E402
from seqarith.certification.exact import checker as exact  # noqa: E402
from seqarith.certification.exact import operations as done  # noqa: E402
from seqarith.certification.exact.checker import check_exact  # noqa: E402
from seqarith.certification.exact.readout import BallReadout  # noqa: E402
from seqarith.certification.exact.step import BallSet, BallStep  # noqa: E402

arb, ULPS = flint.arb, MIN_TANH_ULPS
SEEDS, DTYPES = st.integers(0, 2**32 - 1), st.sampled_from(list(UNITS))


@pytest.fixture(autouse=True)
def bits():
    with flint.ctx.workprec(exact.BITS):
        yield


rejects = partial(assert_rejects, check_exact)


def agrees(p, c):
    """Both accept, after the same steps; the pads of the NumPy checker cost it 0.1 % of margin."""
    fast, slow = check(p, c), check_exact(p, c)
    assert isinstance(fast, Accepted), fast
    assert isinstance(slow, Accepted), slow
    assert (slow.steps, slow.depth) == (fast.steps, fast.depth)
    assert fast.margin <= slow.margin <= fast.margin * 1.001


# Whole certificates.


def test_a_proof_is_accepted(case):
    agrees(*case)


@pytest.mark.parametrize("outputs", [1, 2])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
def test_boxes_are_accepted(make, activation, dtype, outputs):
    p = from_model(make(activation, 60.0, dtype, outputs))
    agrees(p, find_boxes(p, 1))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_network_of_the_tutorial_is_proved(dtype):
    """Seed 2: 16 sigmoid units trained without a thought of proofs; 11 parallelotopes."""
    config = replace(sa.tutorial_config(2), dtype=dtype)
    p = from_model(sa.Trainer(config).run().model)
    found = InductionProver(p).run(time.monotonic() + 60)
    assert isinstance(found, Proof)
    assert found.certificate.shapes.ndim == 3
    agrees(p, found.certificate)


TRAINED = {
    "gru": {"cell": "gru", "seed": 1},
    "lstm": {"cell": "lstm", "hidden": 4},
    "two layers": {"layers": 2, "hidden": 6},
    "relu": {"cell_options": {"activation": "relu"}},
    "jordan": {"cell": "jordan"},
}


@pytest.fixture(scope="module", params=TRAINED)
def trained_case(request):
    """A trained network of another cell, and its certificate."""
    model = sa.train("add", **TRAINED[request.param]).model
    verdict = sa.certify(model, 20)
    assert isinstance(verdict, sa.Proved)
    return from_model(model), verdict.certificate


def test_every_cell_is_accepted(trained_case):
    agrees(*trained_case)


def test_parallelotopes_of_every_cell_are_accepted(trained_case):
    """Regions that the search would seek if boxes did not do."""
    p, _ = trained_case
    cell, drawn = Dynamics(p), draw_words(np.random.default_rng(0), p.letters, 100, 100)
    samples = sample_reachable(cell, p.start, p.next_state, drawn, 8)
    found = Refinement(p, cell, samples, 0.4).run(np.inf)
    assert found is not None
    assert found.shapes.ndim == 3
    agrees(p, found)
    rejects(p, replace(found, shapes=found.shapes * 1e6), "is claimed")


def test_mutations_for_every_cell_are_rejected(trained_case):
    p, c = trained_case
    for seed in range(20):
        rejects(p, replace(c, **mutated(np.random.default_rng(seed), c)))


@pytest.mark.parametrize("number", range(6))
def test_another_step_of_every_cell_is_rejected(trained_case, number):
    """An array of the step is shifted: the digits are others, and no region holds."""
    p, c = trained_case
    for shift in (-30, 30):
        name = list(p.arrays)[number % len(p.arrays)]
        changed = replace(p, arrays={**p.arrays, name: p.arrays[name] + p.start.dtype.type(shift)})
        rejects(changed, replace(c, digest=changed.digest()))


@dataclass(frozen=True)
class Own(Cell):
    """A cell of nobody's: what no other cell of these tests does to vectors."""

    name = "own"
    memories = 2

    def parameters(self, sizes):
        hidden = sizes.hidden
        shapes = {"weight_ih": (hidden, sizes.inputs), "weight_hh": (hidden, hidden)}
        return shapes | {"bias_ih": (hidden,), "gain": (hidden,)}

    def step(self, o, x, memory):
        h, last = o.split(memory, 2)
        drive = o.linear(x, "weight_ih", "bias_ih") - o.scale(o.linear(h, "weight_hh"), "gain")
        gate = o.sigmoid(drive)
        return o.join(gate * o.relu(gate), o.blend(gate, gate, o.tanh(last * last)))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_cell_of_ones_own_is_accepted(make, dtype):
    """A threshold adder whose units are squared, beside a memory that nothing reads."""
    network = Network(Own(), 2, 3, 1, dtype)
    arrays = make(steep=20.0).network.export(make(steep=20.0).parameters)
    arrays["rnn.gain_l0"] = np.full(3, -1.0)
    model = sa.Model(
        add(), network, network.absorb({n: arrays[n] for n in network.exported_shapes()})
    )
    p = from_model(model)
    agrees(p, find_boxes(p, 2))


@pytest.mark.parametrize("over", [-3.0, 0.5, 3.0])
def test_the_threshold_counts(case, over):
    """A single logit is compared with it: as if the bias were less by as much."""
    p, c = case
    at = replace(p, threshold=over)
    shifted = replace(p, readout_bias=p.readout_bias - over)
    found = [check_exact(q, replace(c, digest=q.digest(), margin=1e-3)) for q in (at, shifted)]
    assert found[0].margin == pytest.approx(found[1].margin, rel=1e-9)
    agrees(at, replace(c, digest=at.digest(), margin=1e-3))
    far = replace(p, threshold=over * 100)
    rejects(far, replace(c, digest=far.digest(), margin=1e-3), "is claimed")


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


FLOATS = [
    *(f"rnn.{name}_l0" for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")),
    "inputs", "start", "readout_weight", "readout_bias",
]  # fmt: skip


@pytest.mark.parametrize("name", FLOATS)
def test_a_proof_of_another_program_is_rejected(case, name, alter, arrays_of):
    p, c = case
    changed = alter(p, name, arrays_of(p)[name] - 30.0)
    rejects(changed, replace(c, digest=changed.digest()))


def test_sets_that_never_land_are_held_within_the_budget(case):
    p, c = case
    never = replace(c, shapes=np.zeros_like(c.shapes[..., 0]), depth=10**6, margin=1e-9)
    if c.shapes.ndim == 2:
        never = replace(never, shapes=np.zeros_like(c.shapes))
    found = check_exact(p, never, Budget(memory=2**18))
    assert isinstance(found, Rejected)
    assert found.reason == "the branches exceed the memory budget"


def test_a_step_is_held_within_the_budget(case, monkeypatch):
    p, c = case
    monkeypatch.setattr(exact, "validate", lambda p, c, memory: None)
    for order, memory in ((c.order, 2**13), (2000, 2**18)):
        found = check_exact(p, replace(c, order=order), Budget(memory=memory))
        assert isinstance(found, Rejected)
        assert found.reason == "a step exceeds the memory budget"


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


@settings(max_examples=200)
@given(SEEDS)
def test_mutations_are_rejected(case, seed):
    p, c = case
    rejects(p, replace(c, **mutated(np.random.default_rng(seed), c)))


@pytest.mark.parametrize("limit", [1e-6, 1e7, 1e12])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_at_the_edge_of_what_numpy_accepts_balls_accept(make, dtype, limit):
    """The size of a region is bisected until one float more would be rejected."""
    p = from_model(make(steep=12.0, dtype=dtype))
    c = find_boxes(p, 1)

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
@given(SEEDS, st.floats(0.03, 3.0))
def test_what_numpy_accepts_of_changed_regions_is_accepted(make, seed, size):
    """The pads only ever cost: where they suffice, there is room for the exact check."""
    rng = np.random.default_rng(seed)
    p = from_model(make(steep=rng.uniform(9, 14)))
    c = find_boxes(p, 1)
    if c is None:
        return
    shapes, centres = c.shapes.copy(), c.centres.copy()
    r = rng.integers(c.regions)
    shapes[r] *= size
    centres[r] += rng.normal(size=3).astype(centres.dtype) * 0.3 * shapes[r]
    changed = replace(c, shapes=shapes, centres=centres, margin=1e-6, depth=6)
    if isinstance(check(p, changed), Accepted):
        assert isinstance(check_exact(p, changed), Accepted)


@given(SEEDS, st.integers(1, 5))
def test_what_lands_for_numpy_lands_for_balls(case, seed, power):
    p, c = case
    rng = np.random.default_rng(seed)
    if c.shapes.ndim == 2:
        return
    fast, slow = numpy_check._Checker(p, c, Budget()), exact._Checker(p, c, Budget())
    r = int(rng.integers(c.regions))
    for scale, inside in ((1 - 10.0**-power, True), (1 + 1e-12, False)):
        body = fast.shapes[r : r + 1] * scale
        sets = outward.Sets(fast.centres[r : r + 1], body, *[np.zeros((1, p.hidden))] * 3)
        assert fast._lands(sets, np.array([r]))[0] == inside
        columns = balls.floats(body[0].T.tolist())
        still = [arb(0)] * p.hidden
        assert slow._lands(BallSet(balls.memory(slow.centres[r], columns, still)), r) == inside


@pytest.mark.parametrize(("column", "side"), list(product(range(3), (-1, 1))))
def test_a_set_lands_in_a_box_that_holds_both_ends_of_it(make, column, side):
    p = from_model(make(steep=20.0))
    c = find_boxes(p, 1)
    c = replace(c, shapes=c.shapes + 2.0**-10)
    checker = exact._Checker(p, c, Budget())
    centre, room = checker.centres[1], checker.shapes[1]
    for further, inside in ((0, True), (arb(2) ** -60, False)):
        forms = [balls.exact(x) for x in centre]
        end = centre[column] + side * (room[column] + further)
        name = "low" if side < 0 else "high"
        forms[column] = forms[column]._replace(**{name: end})
        assert checker._lands(BallSet(forms), 1) == inside


def test_what_is_kept_of_a_set_contains_it(case):
    """The smallest symbols, and the radii of balls, are in the box."""
    p, c = case
    checker = exact._Checker(p, replace(c, order=2), Budget())
    rng = np.random.default_rng(0)
    blurred = arb(0, 2.0**-20)
    g = [[arb(x) + blurred for x in row] for row in rng.normal(size=(3, 5)).tolist()]
    e = balls.floats(rng.uniform(size=3).tolist())
    forms = [
        balls.form(arb(1) + blurred, row, x, balls.size(row)) for row, x in zip(g, e, strict=True)
    ]
    centre, kept, box = checker._kept(BallSet(forms))
    whole = [sum(abs(float(row[i])) for row in g) for i in range(5)]
    largest = sorted(range(5), key=lambda i: -whole[i])[:2]
    for c1, row, half, was, x in zip(centre, kept, box, g, e, strict=True):
        assert all(y.is_exact() for y in (c1, half, *row))
        assert [float(y) for y in row] == [float(was[i].mid()) for i in largest]
        joined = sum(abs(float(was[i])) for i in range(5) if i not in largest)
        assert float(half) == pytest.approx(float(x) + joined + 6 * 2.0**-20, abs=1e-8)
        assert half > x + arb(joined) + 6 * arb(2.0**-20) * (1 - arb(2) ** -20)


# Malformed programs.


@pytest.mark.parametrize(
    ("owner", "name", "value"),
    [
        ("program", "rnn.weight_hh_l0", np.nan),
        ("program", "rnn.bias_ih_l0", np.inf),
        ("program", "inputs", -np.inf),
        ("program", "start", 2.0**21),
        ("program", "readout_weight", 2.0**21),
        ("program", "readout_bias", np.nan),
        ("program", "next_state", 2),
        ("program", "output", -1),
        ("certificate", "states", -1),
        ("certificate", "successors", 10**6),
        ("certificate", "centres", np.nan),
        ("certificate", "shapes", np.inf),
    ],
)
def test_nothing_is_believed_even_where_validation_is_blind(
    case, monkeypatch, alter, arrays_of, owner, name, value
):
    monkeypatch.setattr(exact, "validate", lambda p, c, memory: None)
    p, c = case

    def spoilt(array):
        array = array.copy()
        array.flat[0] = value
        return array

    if owner == "program":
        arrays = arrays_of(p) | {"next_state": p.next_state, "output": p.output}
        p = alter(p, name, spoilt(arrays[name]))
    else:
        c = replace(c, **{name: spoilt(getattr(c, name))})
    rejects(p, c, "not as expected")
    cut = replace(c, states=c.states[:-1])
    rejects(p, cut)


@pytest.mark.parametrize(
    ("change", "because"),
    [
        (lambda p: {"step": ()}, "a step of 0 operations"),
        (lambda p: {"step": (*p.step, ("sine", 2))}, "unknown operation"),
        (lambda p: {"step": (*p.step[:-1], ("take", 2, 0, 2))}, "a step returns 2 numbers"),
        (lambda p: {"step": (*p.step, ("tanh", 99))}, "not known yet"),
        (lambda p: {"step": (*p.step, ("take", 1, 0, 4))}, "do not have"),
        (lambda p: {"arrays": {}}, "an array that is not there"),
        (lambda p: {"start": p.start.astype(np.float32)}, "not of the certificate's dtype"),
        (lambda p: {"inputs": np.zeros((4, 3))}, "numbers by the array"),
        (lambda p: {"readout_weight": np.ones((1, 4))}, "fewer numbers than the hidden vector"),
        (lambda p: {"readout_bias": np.zeros(2)}, "not as expected"),
        (lambda p: {"inputs": np.zeros((4, 1001))}, "too wide"),
        (lambda p: {"threshold": np.nan}, "not as expected"),
        (lambda p: {"threshold": np.float64(1)}, "not as expected"),
        (lambda p: {"threshold": 2.0**21}, "not as expected"),
        (
            lambda p: {
                "threshold": 0.5, "readout_weight": np.ones((2, 3)), "readout_bias": np.zeros(2),
            },
            "not as expected",
        ),
    ],
)  # fmt: skip
def test_malformed_programs_are_refused_even_where_validation_is_blind(
    case, monkeypatch, change, because
):
    monkeypatch.setattr(exact, "validate", lambda p, c, memory: None)
    p, c = case
    rejects(replace(p, **change(p)), c, because)


@pytest.mark.parametrize(
    ("dtype", "threshold", "known"),
    [
        ("float32", 0.1, False),
        ("float64", 0.1, True),
        ("float32", 0.5, True),
        ("float32", -3, True),
        ("float32", 2.0**-149, True),
        ("float32", 2.0**-150, False),
        ("float32", 2.0**19 + 2.0**-5, False),
        ("float64", 2.0**19 + 2.0**-33, True),
    ],
)
def test_a_threshold_is_a_number_of_the_format(dtype, threshold, known):
    assert (float(np.dtype(dtype).type(threshold)) == threshold) == known
    if known:
        validation._read_threshold(threshold, 1, dtype)
    else:
        with pytest.raises(Refusal, match="not a number of float32"):
            validation._read_threshold(threshold, 1, dtype)


def test_what_may_overflow_is_refused(case):
    """2^140 is infinite in float32, and 0 times that no number; for real numbers it is 0."""
    p, c = case
    p = replace(
        p,
        **{
            n: getattr(p, n).astype(np.float32)
            for n in ("inputs", "start", "readout_weight", "readout_bias")
        },
    )
    arrays = {n: x.astype(np.float32) for n, x in p.arrays.items()}
    arrays |= {"large": np.full(3, 2.0**20, np.float32), "none": np.zeros(3, np.float32)}
    *others, last = p.step
    for count, refused in ((4, False), (7, True)):
        grown = [("scale", 1 if n == 0 else len(others) + 1 + n, "large") for n in range(count)]
        after = len(others) + 1 + count
        step = (
            *others,
            *grown,
            ("scale", after, "none"),
            ("add", last[1], after + 1),
            ("sigmoid", after + 2),
        )
        q = replace(p, step=step, arrays=arrays)
        verdict = check_exact(q, replace(c, digest=q.digest(), dtype="float32", margin=1e-3))
        assert isinstance(verdict, Rejected) == refused, verdict
        assert not refused or "larger than 2^100" in verdict.reason


# Operations: what a program computes of the points of a set lies in the set that is computed.

SHAPES = {"W": (2, 2), "V": (2, 2), "U": (2, 6), "X": (6, 6), "b": (2,), "d": (2,), "s": (2,)}
PARTS = [("take", 1, 0, 2), ("take", 1, 2, 4), ("take", 1, 4, 6)]
"""Values 2, 3 and 4 are parts of the memory; value 0 is the letter's vector."""
SUM = [("linear", 1, "U"), ("shift", 5, "b"), ("linear", 0, "V"), ("shift", 7, "d"), ("add", 6, 8)]
OPERATIONS = {
    "linear": [("linear", 1, "U")],
    "linear of a letter": [("linear", 0, "V")],
    "linear of a value": [("tanh", 1), ("linear", 5, "X"), ("take", 6, 1, 3)],
    "shift": [("shift", 3, "b")],
    "shift of a letter": [("shift", 0, "b")],
    "scale": [("scale", 3, "s")],
    "scale of a letter": [("scale", 0, "s")],
    "add": [("add", 3, 4)],
    "add a letter": [("add", 0, 4)],
    "add to itself": [("add", 3, 3)],
    "add a sum": [("linear", 0, "V"), ("add", 3, 5)],
    "add sums": [*SUM, ("add", 9, 6), ("subtract", 10, 5)],
    "subtract": [("subtract", 3, 4)],
    "subtract a letter": [("subtract", 3, 0)],
    "subtract from itself": [("subtract", 3, 3)],
    "multiply": [("multiply", 3, 4)],
    "multiply by a letter": [("multiply", 0, 4), ("multiply", 5, 0)],
    "multiply by itself": [("multiply", 3, 3)],
    "multiply sums": [*SUM, ("multiply", 9, 6)],
    **{kind: [(kind, 3)] for kind in ("tanh", "sigmoid", "relu")},
    **{f"{kind} of a letter": [(kind, 0)] for kind in ("tanh", "sigmoid", "relu")},
    **{f"{kind} of a sum": [*SUM, (kind, 9)] for kind in ("tanh", "sigmoid", "relu")},
    "blend": [("blend", 2, 3, 4)],
    "blend of values": [("tanh", 3), ("tanh", 4), ("blend", 2, 5, 6)],
    "blend by a gate": [("sigmoid", 2), ("tanh", 3), ("blend", 5, 4, 6)],
    "blend with itself": [("sigmoid", 2), ("blend", 5, 3, 3), ("blend", 2, 2, 6)],
    "blend with letters": [("sigmoid", 0), ("blend", 5, 0, 3), ("blend", 2, 6, 0)],
    "take": [("take", 1, 1, 5), ("take", 5, 1, 3)],
    "take of a sum": [("linear", 1, "X"), ("take", 5, 1, 3), ("shift", 6, "b")],
    "join": [("linear", 2, "W"), ("join", 0, 5, 3), ("take", 6, 1, 3)],
}


def whole(operations):
    """Return the record whose memory is the last value of two numbers, thrice."""
    last = 1 + len(operations)
    return (*operations, ("join", last, last, last))


def floating(operations, arrays, vectors):
    """Return the program of a record: what predictions run."""
    record = Record(operations, {n: x.shape for n, x in arrays.items()}, vectors.shape[1], 6)
    return FloatStep(record, arrays, vectors)


def enclosing(operations, arrays, vectors, by=None):
    """Return the step of a record in ball arithmetic."""
    dtype, none = vectors.dtype, np.zeros((1, 1), int)
    still = np.zeros(6, dtype)
    p = Program(operations, arrays, vectors, still, still[None], still[:1], 0.0, none, none)
    return BallStep(p, by or balls.Format(dtype.name, ULPS))


def magnitudes(rng, dtype, *shape, largest=20):
    """Draw numbers of a format, of sizes that have nothing in common: the least is subnormal."""
    least = -149 if dtype == "float32" else -1074
    powers = rng.choice([least, least + 24, -40, -20, -3, 0, 0, 0, 3, largest], shape)
    mantissa = rng.choice([1.0, 1.25, 0.0, *rng.uniform(0.5, 1, 7)], shape)
    signs = rng.choice([-1.0, 1.0], shape)
    return (signs * np.ldexp(mantissa, np.minimum(powers, largest))).astype(dtype)


@dataclass(frozen=True)
class Member:
    """Points (N, M) of a set, floats of a format, and the symbols t (N, G) and s (N, M) of each."""

    c: np.ndarray
    g: np.ndarray
    e: np.ndarray
    points: np.ndarray
    t: np.ndarray
    s: np.ndarray

    @staticmethod
    def draw(rng, dtype, largest=20, width=6, count=5, symbols=3):
        """Draw a set, and points inside and at corners; of every third set nothing but points."""
        c = magnitudes(rng, dtype, width, largest=largest)
        g, off = (magnitudes(rng, dtype, n, width, largest=largest) for n in (symbols, count))
        size, spread = rng.choice([0.0, 1e-7, 1.0], 2)
        t = rng.choice([-1.0, 1.0, 0.25], (count, symbols))
        g = g.astype(float) * size
        points = (c + t @ g + spread * 2.0**-10 * off).astype(dtype)
        gaps = rational(points) - rational(c) - rational(t) @ rational(g)
        e = np.nextafter(np.abs(gaps).max(0).astype(float), np.inf) * (gaps != 0).any(0)
        halves = rational(e)
        s = np.array(
            [
                [x / h if h else Fraction(0) for x, h in zip(row, halves, strict=True)]
                for row in gaps
            ]
        )
        assert np.abs(s).max() <= 1
        return Member(c.astype(float), g, e, points, rational(t), s)

    @staticmethod
    def single(point):
        """Return a set that is one point (1, M)."""
        none, width = np.zeros((0, point.shape[1])), point.shape[1]
        still = rational(np.zeros((1, 0))), rational(np.zeros((1, width)))
        return Member(point[0].astype(float), none, np.zeros(width), point, *still)

    def spread(self, step):
        c, columns, e = (balls.floats(x.tolist()) for x in (self.c, self.g.T, self.e))
        return step.spread(c, columns, e)


def real(x):
    """Return a fraction as a ball of many bits."""
    return arb(flint.fmpq(x.numerator, x.denominator))


def outside(found, values, member):
    """Say whether any of the points' values is surely outside, beside its symbols or at all."""
    boxes = member.e > 0
    with flint.ctx.workprec(2500):
        for row, t, s in zip(values, member.t, member.s, strict=True):
            symbols = [real(x) for x in (*t, *s[boxes])]
            for value, x in zip(map(real, row), found.forms, strict=True):
                along = balls.total(a * b for a, b in zip(symbols, x.g, strict=bool(x.g)))
                if abs(value - x.c - along) > x.e or value < x.low or value > x.high:
                    return True
                assert not balls.size(x.g) > x.radius
    return False


def drawn(rng, dtype, shapes=SHAPES, largest=20):
    return {n: magnitudes(rng, dtype, *shape, largest=largest) for n, shape in shapes.items()}


def contains(operations, arrays, vectors, member, computed):
    """Say whether a step encloses what is computed of the points, (N, 6), under every letter."""
    step = enclosing(operations, arrays, vectors)
    spread = member.spread(step)
    return not any(
        outside(step.read(spread, a), rational(values), member) for a, values in enumerate(computed)
    )


@pytest.mark.parametrize("name", OPERATIONS)
@settings(max_examples=40)
@given(seed=SEEDS, dtype=DTYPES, largest=st.sampled_from([0, 20]))
def test_what_an_operation_computes_is_contained(name, seed, dtype, largest):
    rng, operations = np.random.default_rng(seed), whole([*PARTS, *OPERATIONS[name]])
    arrays, member = drawn(rng, dtype, largest=largest), Member.draw(rng, dtype, largest)
    vectors = magnitudes(rng, dtype, 2, 2, largest=largest)
    program = floating(operations, arrays, vectors)
    letters = (np.full(len(member.points), a) for a in range(2))
    with np.errstate(under="ignore"):
        computed = [program.step(member.points, letter) for letter in letters]
    assert contains(operations, arrays, vectors, member, computed)


def random_operations(rng, count):
    """Draw operations that read any values of two numbers before them."""
    found, known = list(PARTS), [0, 2, 3, 4]
    reads = {"linear": 1, "shift": 1, "scale": 1, "tanh": 1, "sigmoid": 1, "relu": 1, "blend": 3}
    for _ in range(count):
        kind = str(rng.choice(["add", "subtract", "multiply", *reads]))
        read = [int(n) for n in rng.choice(known, reads.get(kind, 2))]
        named = {"linear": ["W", "V"], "shift": ["b", "d"], "scale": ["s", "b"]}.get(kind)
        found.append((kind, *read, *([str(rng.choice(named))] if named else [])))
        known.append(len(found) + 1)
    return whole(found)


@settings(max_examples=150)
@given(seed=SEEDS, dtype=DTYPES, count=st.integers(2, 12), largest=st.sampled_from([0, 3]))
def test_what_any_record_computes_is_contained(seed, dtype, count, largest):
    rng = np.random.default_rng(seed)
    operations = random_operations(rng, count)
    arrays, member = drawn(rng, dtype, largest=largest), Member.draw(rng, dtype, largest)
    vectors = magnitudes(rng, dtype, 2, 2, largest=largest)
    program = floating(operations, arrays, vectors)
    letters = (np.full(len(member.points), a) for a in range(2))
    with np.errstate(all="ignore"):
        computed = [program.step(member.points, letter) for letter in letters]
    try:
        assert contains(operations, arrays, vectors, member, computed)
    except Refusal:  # products of products
        assert count > 2


@dataclass(frozen=True)
class Worst(Adversary):
    """A program whose sigmoid is off by all that is allowed, however it is computed."""

    def sigmoid(self, x):
        y = (tanh(x / 2) + 1) / 2
        return y + self._direction(y) * Fraction(self.tanh_ulps + 2) * Fraction(UNITS[self.dtype])


def worst(operations, arrays, x, memory, by, swapped):
    """Run a record in fractions, where every operation errs by all that is allowed."""
    exactly = {name: rational(array) for name, array in arrays.items()}
    values, one = [rational(x), rational(memory)], Fraction(1)

    def linear(y, w):
        return by.product(by.times(w[:, 0], y[0]), w[:, 1:], y[1:])

    def blend(z, h, n):
        if swapped:
            return by.add(by.times(by.subtract(0 * z + one, z), n), by.times(z, h))
        return by.add(by.times(by.subtract(h, n), z), n)

    does = {
        "linear": linear, "blend": blend, "shift": by.add, "add": by.add, "scale": by.times,
        "subtract": by.subtract, "multiply": by.times, "tanh": by.tanh, "sigmoid": by.sigmoid,
        "relu": lambda y: by.flushed(np.maximum(y, 0)), "take": lambda y, i, j: y[i:j],
        "join": lambda *parts: np.concatenate(parts),
    }  # fmt: skip
    for kind, *rest in operations:
        read = len(rest) - {"take": 2, "linear": 1, "shift": 1, "scale": 1}.get(kind, 0)
        more = [exactly.get(y, y) for y in rest[read:]]
        values.append(does[kind](*(values[n] for n in rest[:read]), *more))
    return values[-1]


def worst_of(operations, arrays, vectors, member, dtype):
    """Yield the values of the points, for every way to err and to blend, under one letter."""
    for way, swapped in product(WAYS, (False, True)):
        by = Worst(dtype, way, ULPS)
        run = (worst(operations, arrays, vectors[0], m, by, swapped) for m in member.points)
        yield np.array(list(run), object)


@pytest.mark.parametrize("name", OPERATIONS)
@settings(max_examples=10)
@given(seed=SEEDS, dtype=DTYPES, largest=st.sampled_from([0, 20]))
def test_what_the_worst_program_computes_is_contained(name, seed, dtype, largest):
    rng, operations = np.random.default_rng(seed), whole([*PARTS, *OPERATIONS[name]])
    arrays = drawn(rng, dtype, largest=largest)
    member = Member.draw(rng, dtype, largest, count=2)
    vectors = magnitudes(rng, dtype, 1, 2, largest=largest)
    step = enclosing(operations, arrays, vectors)
    found = step.read(member.spread(step), 0)
    for values in worst_of(operations, arrays, vectors, member, dtype):
        assert not outside(found, values, member)


LOSES = {
    # Part of the unit, or of the error of tanh, with which the worst program is outside.
    "linear": (0.3, 1), "linear of a letter": (0.5, 1), "shift": (0.4, 1), "scale": (0.9, 1),
    "add to itself": (0.4, 1), "subtract": (0.4, 1), "multiply": (0.9, 1), "blend": (0.5, 1),
    "tanh": (1, 0.9), "sigmoid": (1, 0.9),
}  # fmt: skip


@pytest.mark.parametrize("name", LOSES)
def test_with_less_than_its_error_the_worst_program_is_not_contained(name):
    """Control: what the tests above accept is not far from the truth."""
    rng, operations = np.random.default_rng(3), whole([*PARTS, *OPERATIONS[name]])
    arrays = {n: rng.uniform(0.5, 1, s).astype("float32") for n, s in SHAPES.items()}
    point = np.array([[0.01, 0.02, 0.9, 0.8, -0.9, -0.8]], "float32")
    member = Member.single(point)
    vectors = np.array([[0.7, 0.6]], "float32")
    for part, allowed, leaves in ((1, 1, False), (*LOSES[name], True)):
        by = balls.Format("float32", ULPS * allowed)
        by._unit *= arb(part)
        step = enclosing(operations, arrays, vectors, by)
        found = step.read(member.spread(step), 0)
        ways = worst_of(operations, arrays, vectors, member, "float32")
        assert any(outside(found, values, member) for values in ways) == leaves


FLUSHED = ["linear", "scale", "shift", "add", "add a sum", "multiply", "blend", "relu"]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", FLUSHED)
def test_what_is_flushed_to_zero_is_contained(dtype, name):
    """Operands just below the smallest normal number, the other ones as large as weights can be."""
    operations = whole([*PARTS, *OPERATIONS[name]])
    below, large = np.finfo(dtype).tiny * np.dtype(dtype).type(1 - 2.0**-20), 2.0**20
    for z, h, n, weight in product(
        (below, large), (below, large), (-below, -large), (below, large)
    ):
        point = np.array([[z, z, h, h, n, n]], dtype)
        arrays = {name: np.full(shape, weight, dtype) for name, shape in SHAPES.items()}
        member = Member.single(point)
        vectors = point[:, :2]
        step = enclosing(operations, arrays, vectors)
        found = step.read(member.spread(step), 0)
        for values in worst_of(operations, arrays, vectors, member, dtype):
            assert not outside(found, values, member)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("terms", [1, 3, 40])
def test_sums_of_products_err_by_no_more_than_the_bound(dtype, terms):
    """Against Fractions, summed in many orders, with and without fused multiply-add."""
    rng = np.random.default_rng(terms)
    kind = np.dtype(dtype).type
    form = balls.Format(dtype, 4.0)
    for _ in range(100):
        x, y = (rng.normal(size=terms).astype(dtype) for _ in range(2))
        y[0] = kind(1e-42) if dtype == "float32" else kind(1e-310)
        pairs = list(zip(rational(x), rational(y), strict=True))
        true = sum(a * b for a, b in pairs)
        factors = sum(abs(a) + abs(b) for a, b in pairs)
        size, lost = (real(v) for v in (sum(abs(a * b) for a, b in pairs), factors + 4 * terms))
        bound = form.rounding(terms, size, lost)
        plain = fused = kind(0)
        for i in rng.permutation(terms):
            plain = plain + x[i] * y[i]
            # A fused product and sum, rounded once: by way of the exact number.
            both = Fraction(float(fused)) + pairs[i][0] * pairs[i][1]
            fused = kind(float(both))
        flushed = (x[1:] * y[1:]).sum(dtype=dtype)
        for computed in (plain, fused, x @ y, flushed):
            assert real(abs(Fraction(float(computed)) - true)) <= bound


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_sum_may_be_added_up_in_any_order(dtype):
    """Both biases first, or last, or each with its product: any tree of one sum."""
    rng, kind = np.random.default_rng(0), np.dtype(dtype).type
    operations = whole([*PARTS, *SUM])
    for _ in range(30):
        arrays = {n: rng.normal(size=s).astype(dtype) for n, s in SHAPES.items()}
        vector, point = (rng.normal(size=(1, n)).astype(dtype) for n in (2, 6))
        member, step = Member.single(point), enclosing(operations, arrays, vector)
        found = step.read(member.spread(step), 0)
        products = [np.hstack((arrays["U"] * point, arrays["V"] * vector))]
        terms = np.column_stack((*products, arrays["b"], arrays["d"]))
        for _ in range(10):
            row = [added(list(rng.permutation(x)), rng, kind) for x in terms] * 3
            assert not outside(found, rational([row]), member)


def added(terms, rng, kind):
    """Return the sum of numbers, added up in pairs at random."""
    while len(terms) > 1:
        a, b = (terms.pop(rng.integers(len(terms))) for _ in range(2))
        terms.append(kind(a + b))
    return terms[0]


def test_what_numbers_have_in_common_cancels():
    """A set minus itself, a gate of 1: the symbols are known to be the same."""
    rng = np.random.default_rng(0)
    arrays, vectors = {"b": np.ones(2)}, np.ones((1, 2))
    c, g, e = (balls.floats(x.tolist()) for x in (np.zeros(6), rng.normal(size=(6, 3)), np.ones(6)))
    for operations in (
        [("subtract", 3, 3)],
        [("add", 3, 4), ("subtract", 5, 3), ("subtract", 6, 4)],
        [("blend", 0, 3, 4), ("subtract", 5, 3)],
        [("multiply", 0, 3), ("subtract", 5, 3)],
    ):
        step = enclosing(whole([*PARTS, *operations]), arrays, vectors)
        found = step.read(step.spread(c, g, e), 0)
        assert all(x.bound < 1e-12 for x in found.forms)


@pytest.mark.parametrize("known", list(product([True, False], repeat=3)))
@pytest.mark.parametrize(
    "centres", [(-1.0, 0.5, 2.0), (0.5, 2.0, -1.0), (2.0, -1.0, 0.5), (2.0, 2.0, 2.0)]
)
def test_products_and_blends_hold_at_every_corner(centres, known):
    """Of numbers within 1.5 of their centres, known by symbols of their own or by errors."""
    by, half = balls.Format("float64", ULPS), arb(1.5)
    numbers = []
    for place, (c, symbolic) in enumerate(zip(map(arb, centres), known, strict=True)):
        row = [half if symbolic and n == place else arb(0) for n in range(3)]
        numbers.append(balls.form(c, row, half * (not symbolic), balls.size(row)))
    products = (
        done.multiply(by, *numbers[:2]),
        done.multiply(by, numbers[0], numbers[0]),
    )
    found = (*products, done.blend(by, *numbers))
    for signs in product([-1, 1], repeat=3):
        z, h, n = (c + 1.5 * sign for c, sign in zip(centres, signs, strict=True))
        for x, value in zip(found, (z * h, z * z, n + z * (h - n)), strict=True):
            along = balls.total(sign * g for sign, g in zip(signs, x.g, strict=True))
            assert abs(arb(value) - x.c - along) <= x.e
            assert x.low <= value <= x.high


# Whole steps.

KINDS = ["tanh", "sigmoid", "relu", "gru", "lstm", "jordan", "tanh2", "gru2"]


def margin(logits, digit, threshold):
    """Return by how much a digit is decided for, in fractions."""
    z = rational(logits)
    if len(z) == 1:
        return (2 * digit - 1) * (z[0] - Fraction(threshold))
    return z[digit] - max(z[k] for k in range(len(z)) if k != digit)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=15)
@given(SEEDS, st.integers(1, 4), st.integers(1, 3), DTYPES)
def test_a_step_and_its_readout_contain_what_is_computed(
    draw, run_step, kind, seed, hidden, outputs, dtype
):
    rng = np.random.default_rng(seed)
    p = draw(seed, hidden, outputs, kind, dtype)
    p = replace(p, threshold=0.5 if outputs == 1 else 0.0)
    by = balls.Format(dtype, ULPS)
    step, readout = BallStep(p, by), BallReadout(p, by)
    member = Member.draw(rng, dtype, 0, p.memory)
    spread = member.spread(step)
    for a in range(4):
        found = step.read(spread, a)
        images = run_step(p, member.points, np.full(len(member.points), a))
        assert not outside(found, rational(images), member)
        logits = images[:, :hidden] @ p.readout_weight.T + p.readout_bias
        for digit in range(max(outputs, 2)):
            least = readout.margin(found, digit)
            assert not any(real(margin(z, digit, p.threshold)) < least for z in logits)
    assert readout.margin(found, max(outputs, 2)) == arb.pos_inf()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("outputs", [1, 2, 3])
def test_the_rounding_of_logits_is_deducted(draw, outputs, dtype):
    """Of one vector, by a program whose logits err by all that is allowed; not of a quarter."""
    outcomes = {1.0: [], 0.25: []}
    for seed, part in product(range(10), outcomes):
        p, by = draw(seed, 4, outputs, "tanh", dtype), balls.Format(dtype, ULPS)
        by._unit *= arb(part)
        point, w, b = map(rational, (p.start, p.readout_weight, p.readout_bias))
        known = BallSet([balls.exact(real(x)) for x in point])
        down, up = (Worst(dtype, way).product(b, w, point) for way in ("down", "up"))
        for digit in range(max(outputs, 2)):
            if outputs == 1:
                worst_case = down[0] if digit else -up[0]
            else:
                worst_case = down[digit] - max(up[k] for k in range(outputs) if k != digit)
            least = BallReadout(p, by).margin(known, digit)
            outcomes[part].append(least <= real(worst_case))
    assert all(outcomes[1.0])
    assert not all(outcomes[0.25])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_rounding_of_logits_counts_for_all_of_a_set(draw, dtype):
    """Two logits of the same weights differ by their biases, on every point; not as computed."""
    p, by = draw(0, 4, 2, "tanh", dtype), balls.Format(dtype, ULPS)
    p = replace(p, readout_weight=np.abs(p.readout_weight[[0, 0]]))
    b, forms = rational(p.readout_bias), [balls.memory(*part) for part in (
        ([arb(1)] * 4, [[arb(9)]] * 4, [arb(0)] * 4), ([arb(1)] * 4, [[]] * 4, [arb(9)] * 4),
    )]  # fmt: skip
    without = [x._replace(e=arb(9), g=[], radius=arb(0)) for x in forms[0]]
    apart, reach = real(b[0] - b[1]), real(rational(p.readout_weight)[0].sum()) * 10
    for each in (*forms, without):
        least = BallReadout(p, by).margin(BallSet(each), 0)
        lost = 2 * arb(UNITS[dtype]) * 5 * (reach + real(abs(b).max()))
        assert apart - lost * 1.001 <= least <= apart - lost * 0.7


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_underflow_of_logits_is_deducted(draw, dtype):
    """Weights as large as can be, times what is flushed to zero."""
    p, by = draw(0, 4, 1, "tanh", dtype), balls.Format(dtype, ULPS)
    p = replace(p, readout_weight=np.full((1, 4), 2.0**20, dtype), readout_bias=np.zeros(1, dtype))
    below = arb(float(np.finfo(dtype).tiny)) * (1 - arb(2) ** -20)
    assert not BallReadout(p, by).margin(BallSet([balls.exact(below)] * 4), 1) > 0


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=15)
@given(SEEDS, st.integers(1, 5), st.integers(1, 3), DTYPES)
def test_the_pads_of_the_numpy_checker_suffice(draw, kind, seed, hidden, outputs, dtype):
    """One step and its readout: what NumPy computes encloses what the balls hold."""
    rng = np.random.default_rng(seed)
    p = draw(seed, hidden, outputs, kind, dtype)
    p = replace(p, threshold=-0.5 if outputs == 1 else 0.0)
    by, unit = balls.Format(dtype, ULPS), UNITS[dtype]
    fast = SetStep(p.step, p.inputs.astype(float), Forms(dict(p.arrays), ULPS, unit))
    slow, width, letter = BallStep(p, by), p.memory, int(rng.integers(4))
    c, g = rng.uniform(0, 1, (1, width)), rng.normal(size=(1, 3, width))
    g *= 10.0 ** rng.uniform(-9, 0)
    e = np.where(rng.random((1, width)) < 0.5, 0.0, np.abs(g).max())
    wide = fast.steps(fast.spread(c, g, e), range(letter, letter + 1))[0]
    tight = slow.read(slow.spread(*(balls.floats(x[0].T.tolist()) for x in (c, g, e))), letter)
    for low, high, x in zip(wide.low[0].tolist(), wide.high[0].tolist(), tight.forms, strict=True):
        assert arb(low) <= x.low
        assert arb(high) >= x.high
        assert low == pytest.approx(float(x.low), abs=1e-3, rel=1e-6)
    same = as_balls(wide)
    readouts = outward.SetReadout(p, unit), BallReadout(p, by)
    for digit in range(max(outputs, 2)):
        bound = readouts[0].margin(wide, np.array([digit]))
        truth = readouts[1].margin(same, digit)
        assert arb(bound) <= truth
        assert bound == pytest.approx(float(truth), abs=1e-3, rel=1e-6)


def as_balls(sets):
    """Return the one set of the NumPy checker."""
    c, g, e, low, high = (balls.floats(x[0].T.tolist()) for x in sets)
    radius = [balls.size(row) for row in g]
    return BallSet([balls.Form(*each) for each in zip(c, g, e, radius, low, high, strict=True)])


@settings(max_examples=200)
@given(st.floats(-30, 30), st.floats(0, 40), SEEDS, st.booleans())
def test_all_relaxations_contain_their_functions(lo, length, seed, smooth):
    hi = lo + length
    x = np.random.default_rng(seed).uniform(lo, hi, 20)
    x = np.concatenate((np.clip(x, lo, hi), [lo, hi]))
    theirs, ours = (
        (outward.relax, done.enclose_tanh) if smooth else (outward.relax_relu, done.enclose_relu)
    )
    slope, low, high, bottom, top = (float(v) for v in theirs(np.array(lo), np.array(hi)))
    found = ours(arb(lo), arb(hi))
    for point in map(arb, x.tolist()):
        value = point.tanh() if smooth else arb.max(point, arb(0))
        assert arb(low) <= value - arb(slope) * point <= arb(high)
        assert arb(bottom) <= value <= arb(top)
        rest = value - found.k * point
        assert not rest < found.below
        assert not rest > found.above
        assert not value < found.bottom
        assert not value > found.top
    # Tight, too: the hull of the function's values at its ends and extrema, on a fine grid.
    grid = np.linspace(lo, hi, 2001)
    values = (np.tanh(grid) if smooth else np.maximum(grid, 0)) - float(found.k) * grid
    assert float(found.below) == pytest.approx(values.min(), abs=1e-3 * (1 + length))
    assert float(found.above) == pytest.approx(values.max(), abs=1e-3 * (1 + length))


@pytest.mark.parametrize("touch", [0.0, 1e300, np.inf])
def test_a_relaxation_contains_tanh_whatever_atanh_returns(monkeypatch, touch):
    monkeypatch.setattr(done, "atanh", lambda x: touch)
    rng = np.random.default_rng(1)
    for lo, length in zip(rng.normal(size=30) * 3, np.exp(rng.uniform(-9, 2, 30)), strict=True):
        found = done.enclose_tanh(arb(lo), arb(lo + length))
        for x in map(arb, np.linspace(lo, lo + length, 11).clip(lo, lo + length).tolist()):
            rest = x.tanh() - found.k * x
            assert not rest < found.below
            assert not rest > found.above


def test_the_numpy_checkers_tanh_against_balls():
    rng = np.random.default_rng(0)
    x = np.concatenate((rng.uniform(-21, 21, 20_000), np.exp(rng.uniform(-60, 4, 20_000))))
    off = max(
        float(abs(arb(y) - arb(v).tanh()).upper())
        for v, y in zip(x.tolist(), outward.tanh(x).tolist(), strict=True)
    )
    assert off <= outward.TANH_ERROR / 3


SHARED = {"certificate", "check", "program", "wellformed"}
"""What both checkers use of the kernel: the records, what may be given and what is returned."""


def test_it_shares_no_arithmetic_with_the_numpy_checker():
    folder = Path(exact.__file__).parent
    modules = sorted(folder.glob("[a-z]*.py"))
    assert {"balls", "operations", "step", "readout", "checker"} <= {path.stem for path in modules}
    for module in modules:
        tree = ast.parse(module.read_text())
        named = {
            getattr(node, "module", None) or node.names[0].name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom | ast.Import)
        }
        kernel = "seqarith.certification.kernel"
        allowed = {f"{kernel}.{name}" for name in SHARED}
        allowed |= {f"seqarith.certification.exact.{path.stem}" for path in modules}
        allowed.add("seqarith.cells.steps")
        assert not any(name.startswith("numpy") for name in named)
        assert {name for name in named if name.startswith("seqarith")} <= allowed


# The command.


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
    for path in Path(exact.__file__).parent.glob("[a-z]*.py"):
        monkeypatch.delitem(sys.modules, f"seqarith.certification.exact.{path.stem}")
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
    one, weight = np.ones((1, 1), np.float32), np.full((1, 1), 2.0**-127, np.float32)
    p = Program(
        (("linear", 1, "w"),), {"w": weight}, one, 0 * one[0], weight, 0 * one[0], 0.0,
        machine, machine + 1,
    )  # fmt: skip
    far = 2.0**19
    shapes = np.full((1, 1) if boxes else (1, 1, 1), far)
    c = Certificate(
        p.digest(), "float32", ULPS, machine[0], machine, np.full((1, 1), far), shapes, 0, 1, 0, 0.5
    )
    checker = exact._Checker(p, c, Budget())
    region = checker._roots()[1]
    found = checker.step.read(checker.step.spread(region.c, region.g, region.e), 0)
    assert found.forms[0].e >= arb(2 * far * 2.0**-127)
    # Of the readout too: the same coordinates meet its weights.
    memory = BallSet(balls.memory(region.c, region.g, region.e))
    assert all(error >= arb(2 * far * 2.0**-127) for error in checker.readout._errors(memory))
