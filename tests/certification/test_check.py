"""The checker accepts true certificates, and none that fails an obligation or was mutated."""

import ast
import re
from dataclasses import fields, replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from certificates import FACTS, assert_rejects, mutated
from hypothesis import given, settings
from hypothesis import strategies as st

from seqarith.cells import steps
from seqarith.certification import kernel
from seqarith.certification.adapter import from_model, from_stored, to_stored
from seqarith.certification.kernel.certificate import ARRAYS, Certificate
from seqarith.certification.kernel.check import Accepted, Budget, Rejected, check
from seqarith.certification.kernel.forms import Forms
from seqarith.certification.kernel.outward import SetReadout
from seqarith.certification.kernel.program import Program
from seqarith.certification.kernel.step import SetStep
from seqarith.certification.kernel.wellformed import MIN_TANH_ULPS
from seqarith.certification.prove.box_prover import find_boxes, list_contexts
from seqarith.certification.prove.dynamics import Dynamics

rejects = partial(assert_rejects, check)


def test_the_true_certificate_is_accepted(case):
    p, c = case
    verdict = check(p, c)
    assert isinstance(verdict, Accepted)
    assert verdict.margin >= c.margin
    assert isinstance(check(p, from_stored(to_stored(c))), Accepted)


NAMES = [
    *(f"rnn.{name}_l0" for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")),
    "inputs", "start", "readout_weight", "readout_bias",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_changed_parameters_are_rejected_by_name_and_by_proof(case, alter, arrays_of, name):
    p, c = case
    changed = alter(p, name, arrays_of(p)[name] - 30.0)
    rejects(changed, c, "another program")
    rejects(changed, replace(c, digest=changed.digest()))


@pytest.mark.parametrize("name", NAMES)
def test_the_last_bit_of_every_parameter_is_in_the_digest(case, alter, arrays_of, name):
    p, c = case
    value = arrays_of(p)[name]
    assert arrays_of(p).keys() == set(NAMES)
    for index in np.ndindex(value.shape):
        changed = value.copy()
        changed[index] = np.nextafter(changed[index], np.inf)
        rejects(alter(p, name, changed), c, "another program")


def test_every_operation_of_the_step_is_in_the_digest(case):
    p, c = case
    for number, operation in enumerate(p.step):
        for spoilt in (("tanh", 0), (*operation, 0), operation[:-1]):
            changed = replace(p, step=(*p.step[:number], spoilt, *p.step[number + 1 :]))
            assert changed.digest() != p.digest()
    rejects(replace(p, step=(*p.step, ("take", len(p.step) + 1, 0, 3))), c, "another program")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": np.zeros(4)}, {"a": np.zeros((2, 2))}),
        ({"a": np.zeros((4, 1))}, {"a": np.zeros((1, 4))}),
        ({"a": np.zeros(4)}, {"a": np.zeros(8, np.float32)}),
        ({"a": np.array([1.0, 2]), "b": np.ones(1)}, {"a": np.ones(1), "b": np.array([2.0, 1])}),
        ({"a": np.ones(1), "b": np.zeros(1)}, {"a": np.zeros(1), "b": np.ones(1)}),
        ({"a": np.ones(1), "b": np.zeros(1)}, {"b": np.ones(1), "a": np.zeros(1)}),
        ({"a": np.zeros(1)}, {"b": np.zeros(1)}),
        ({"a": np.zeros(1)}, {}),
    ],
)
def test_the_digest_tells_arrays_apart_that_hold_the_same_bytes(case, one, other):
    p, _ = case
    assert replace(p, arrays=one).digest() != replace(p, arrays=other).digest()


def test_the_digest_is_that_of_every_platform(case):
    """Arrays in another order of bytes or of axes, under names in another order; wide indices."""
    p, c = case
    big = {name: x.astype(x.dtype.newbyteorder(">")) for name, x in p.arrays.items()}
    columns = {name: np.asfortranarray(x) for name, x in p.arrays.items()}
    for arrays in (big, columns, dict(reversed(p.arrays.items()))):
        assert replace(p, arrays=arrays).digest() == p.digest()
    for kind in (np.int32, np.int64, ">i8"):
        tables = {n: getattr(p, n).astype(kind) for n in ("next_state", "output")}
        assert replace(p, **tables).digest() == p.digest()
    assert isinstance(check(replace(p, arrays=columns), c), Accepted)


@pytest.mark.parametrize("sign", [-1, 1])
def test_the_threshold_is_in_the_digest_and_in_the_proof(case, sign):
    """Logits are 10 from 0 at least, on either side: 5 off costs 5 of the margin."""
    p, c = case
    moved, over = (replace(p, threshold=sign * size) for size in (5.0, 30.0))
    rejects(moved, c, "another program")
    rejects(over, replace(c, digest=over.digest()), "is claimed")
    c = replace(c, margin=1.0)
    kept, left = check(p, c), check(moved, replace(c, digest=moved.digest()))
    assert left.margin == pytest.approx(kept.margin - 5, abs=1e-2)


def test_another_step_is_rejected_by_name_and_by_proof(case):
    """With tanh for the sigmoid, and where the sum leaves out a bias."""
    p, c = case
    other = tuple(("tanh", *op[1:]) if op[0] == "sigmoid" else op for op in p.step)
    assert other != p.step
    shift = next(n for n, op in enumerate(p.step) if op[0] == "shift" and "bias_ih" in op[2])
    read = p.step[shift][1]
    without = tuple(
        (op[0], *(read if x == shift + 2 and type(x) is int else x for x in op[1:]))
        for op in p.step
    )
    for changed in (replace(p, step=other), replace(p, step=without)):
        rejects(changed, c, "another program")
        rejects(changed, replace(c, digest=changed.digest()))


def test_another_machine_is_rejected(case):
    p, c = case
    for name in ("next_state", "output"):
        changed = replace(p, **{name: np.array(1 - getattr(p, name))})
        rejects(changed, c, "another program")
        rejects(changed, replace(c, digest=changed.digest()))


def test_another_dtype_is_rejected(case, make):
    p, c = case
    rejects(from_model(make(steep=20.0, dtype="float32")), c, "another dtype")
    rejects(p, replace(c, dtype="float32"), "another dtype")


def test_regions_found_for_float32_serve_float64(make):
    double, single = (from_model(make(dtype=d)) for d in ("float64", "float32"))
    c = find_boxes(single, 1)
    assert isinstance(check(single, c), Accepted)
    other = replace(c, dtype="float64", digest=double.digest())
    assert isinstance(check(double, other), Accepted)


@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("ulps", [MIN_TANH_ULPS, 1000.0])
def test_the_margin_is_that_of_the_program_s_format(make, activation, dtype, ulps):
    """To the last bit: with the format's own roundoff, and the tanh that the certificate names."""
    p = from_model(make(activation, dtype=dtype, steep=20.0))
    c = find_boxes(p, 1)
    c = replace(c, shapes=c.shapes + 1e-3, tanh_ulps=ulps, margin=1e-3)
    unit = {"float32": 2.0**-24, "float64": 2.0**-53}[dtype]
    step = SetStep(p.step, p.inputs.astype(float), Forms(dict(p.arrays), ulps, unit))
    readout, points = SetReadout(p, unit), p.start[None].astype(float)
    centres, body = np.append(c.centres, points, 0), np.append(c.shapes, 0 * points, 0)
    to = np.append(np.arange(c.regions), c.start)
    spread = step.spread(centres, np.zeros((len(to), 0, 3)), body)
    margins = [
        readout.margin(sets, p.output[c.states[to], a])
        for a, sets in enumerate(step.steps(spread, range(4)))
    ]
    assert check(p, c).margin == min(margins)


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
        (lambda c: {"margin": 0.0}, "margin is not"),
        (lambda c: {"margin": float("nan")}, "margin is not"),
        (lambda c: {"tanh_ulps": 0.0}, "tanh_ulps"),
        (lambda c: {"tanh_ulps": 1e9}, "tanh_ulps"),
        (lambda c: {"start": len(c.states)}, "start is not"),
        (lambda c: {"start": True}, "start is not"),
        (lambda c: {"depth": 0}, "depth is not"),
        (lambda c: {"order": 10**7}, "order is not"),
        (lambda c: {"states": c.states[:-1]}, "shape"),
        (lambda c: {"states": c.states.astype(float)}, "dtype"),
        (lambda c: {"states": c.states - 1}, "index"),
        (lambda c: {"successors": c.successors + len(c.states)}, "index"),
        (lambda c: {"centres": c.centres * np.nan}, "finite"),
        (lambda c: {"shapes": c.shapes[..., :-1]}, "shape"),
        (lambda c: {"shapes": c.shapes.astype(object)}, "dtype"),
        (lambda c: {"shapes": None}, "not an array"),
        (lambda c: {"digest": "0" * 64}, "another program"),
    ],
)
def test_each_obligation_can_fail(case, change, because):
    p, c = case
    rejects(p, replace(c, **change(c)), because)


def test_boxes_of_negative_width_are_rejected(make):
    p = from_model(make(steep=20.0))
    c = find_boxes(p, 1)
    rejects(p, replace(c, shapes=-c.shapes), "negative half-width")


def test_singular_and_flat_regions_are_rejected(case):
    p, c = case
    if c.shapes.ndim == 2:
        return
    flat = c.shapes.copy()
    flat[0, 0] = 0
    rejects(p, replace(c, shapes=flat))
    flat[0, 0] = flat[0, 1] * np.float32(1 + 1e-6)
    rejects(p, replace(c, shapes=flat))


def test_a_wrong_successor_within_the_machine_state_is_rejected(make):
    p = from_model(make(steep=20.0))
    c = find_boxes(p, 2)
    for a in range(4):
        same = np.flatnonzero(c.states == c.states[c.successors[7, a]])
        table = c.successors.copy()
        apart = np.abs(c.centres[same] - c.centres[table[7, a]]).max(1) > 0.5
        table[7, a] = same[apart][0]
        rejects(p, replace(c, successors=table), "landed nowhere")


def test_boxes_that_the_checker_would_refuse_are_not_sought(make, monkeypatch):
    p = from_model(make(steep=20.0))
    c = find_boxes(p, 2)
    moves = len(p.next_state) * p.letters**2
    enough = 64 * moves * p.memory**2
    assert "memory" in check(p, c, Budget(memory=enough - 1)).reason
    for memory, sought in ((enough - 1, False), (enough, True)):
        monkeypatch.setattr(
            "seqarith.certification.prove.box_prover.DEFAULT", Budget(memory=memory)
        )
        assert (find_boxes(p, 2) is not None) == sought


def test_budgets_are_kept(case):
    p, c = case
    if c.shapes.ndim == 2:
        return
    assert "work" in check(p, c, Budget(work=10)).reason
    assert "memory" in check(p, c, Budget(memory=100)).reason
    far = replace(c, shapes=c.shapes * np.float32(1e-9), depth=10**6)  # 4^depth branches
    assert isinstance(check(p, far, Budget(work=1e6)), Rejected)


GARBAGE = st.sampled_from(
    [None, "x", -1, 3, 1e308, float("inf"), np.zeros(0), np.zeros((2, 2), object), [], {}, 1j]
)


@settings(max_examples=100)
@given(
    st.dictionaries(st.sampled_from([f.name for f in fields(Certificate)]), GARBAGE, min_size=1),
    st.data(),
)
def test_garbage_never_crashes_the_checker(case, changes, data):
    p, c = case
    verdict = check(p, replace(c, **changes))
    if not all(isinstance(v, int) for v in changes.values()):  # a start or a depth may be one
        assert isinstance(verdict, Rejected)
    name = data.draw(st.sampled_from([f.name for f in fields(Program)]))
    assert isinstance(check(replace(p, **{name: data.draw(GARBAGE)}), c), Rejected)


@settings(max_examples=400)
@given(st.integers(0, 2**32 - 1))
def test_mutations_are_rejected(case, seed):
    p, c = case
    with np.errstate(invalid="ignore", over="ignore"):
        names, factors = (*ARRAYS, *FACTS), (1e4, 1e6, np.inf, np.nan)
        changed = replace(c, **mutated(np.random.default_rng(seed), c, names, factors))
    rejects(p, changed)


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.floats(0.05, 3.0))
def test_what_is_accepted_of_a_changed_box_is_still_true(make, seed, size):
    rng = np.random.default_rng(seed)
    p = from_model(make(steep=12.0))
    c = find_boxes(p, 2)
    shapes = c.shapes.copy()
    shapes[rng.integers(c.regions)] *= size
    if isinstance(check(p, replace(c, shapes=shapes, margin=1e-6)), Accepted):
        low, high = Dynamics(p).boxes(c.centres - shapes, c.centres + shapes)
        to = c.successors
        assert np.all(low >= (c.centres - shapes)[to] - 1e-6)
        assert np.all(high <= (c.centres + shapes)[to] + 1e-6)


@pytest.mark.parametrize("k", [0, 1, 2, 3])
def test_contexts_follow_the_machine(make, k):
    p = from_model(make())
    nodes = list_contexts(p, Dynamics(p), k)
    assert np.array_equal(p.next_state[nodes.states], nodes.states[nodes.successors])
    assert len(nodes.states) == 2 * 4**k + sum(4**j for j in range(k))


def imported(path):
    """Return the modules of the package that a file imports."""
    tree = ast.parse(path.read_text())
    return {
        node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("seqarith")
    }


def test_the_checker_imports_nothing_of_the_search():
    """Its own folder, and the record of a step, which imports nothing of the package."""
    folder = Path(kernel.__file__).parent
    own = {f"seqarith.certification.kernel.{path.stem}" for path in folder.glob("*.py")}
    for path in folder.glob("*.py"):
        assert imported(path) <= own | {"seqarith.cells.steps"}, path.name
    assert imported(Path(steps.__file__)) == set()


def test_the_checker_names_no_cell():
    folder = Path(kernel.__file__).parent
    for path in (*folder.glob("*.py"), Path(steps.__file__)):
        words = set(re.findall(r"\w+", path.read_text().lower()))
        assert not words & {"elman", "gru", "lstm", "jordan"}, path.name


def test_every_array_of_a_certificate_is_stored(case):
    assert set(to_stored(case[1]).arrays) == set(ARRAYS)
