"""The checker accepts true certificates, and none that fails an obligation or was mutated."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqarith.certification.adapter import from_model, from_stored, to_stored
from seqarith.certification.boxes import contexts, prove_boxes
from seqarith.certification.certificate import ARRAYS, Certificate
from seqarith.certification.check import Accepted, Budget, Rejected, check
from seqarith.certification.gated import dynamics
from seqarith.certification.program import Program


def rejects(p, c, because=""):
    verdict = check(p, c)
    assert isinstance(verdict, Rejected), verdict
    assert because in verdict.reason, verdict


def arrays(p):
    """Return the arrays of a program by name."""
    return {**{f.name: getattr(p, f.name) for f in fields(p)}, **p.kernels}


def test_the_true_certificate_is_accepted(case):
    p, c = case
    verdict = check(p, c)
    assert isinstance(verdict, Accepted)
    assert verdict.margin >= c.margin
    assert isinstance(check(p, from_stored(to_stored(c))), Accepted)


@pytest.mark.parametrize(
    "name", ["inputs", "weight_ih", "weight_hh", "bias", "start", "readout_weight", "readout_bias"]
)
def test_changed_parameters_are_rejected_by_name_and_by_proof(case, alter, name):
    p, c = case
    changed = alter(p, name, arrays(p)[name] - 30.0)
    rejects(changed, c, "another program")
    rejects(changed, replace(c, digest=changed.digest()))


@pytest.mark.parametrize(
    "name", ["inputs", "weight_ih", "weight_hh", "bias", "start", "readout_weight", "readout_bias"]
)
def test_the_last_bit_of_every_parameter_is_in_the_digest(case, alter, name):
    p, c = case
    value = arrays(p)[name]
    for index in np.ndindex(value.shape):
        changed = value.copy()
        changed[index] = np.nextafter(changed[index], np.inf)
        rejects(alter(p, name, changed), c, "another program")


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
    c = prove_boxes(single, 1)
    assert isinstance(check(single, c), Accepted)
    other = replace(c, dtype="float64", digest=double.digest())
    assert isinstance(check(double, other), Accepted)


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
    c = prove_boxes(p, 1)
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
    c = prove_boxes(p, 2)
    for a in range(4):
        same = np.flatnonzero(c.states == c.states[c.successors[7, a]])
        table = c.successors.copy()
        apart = np.abs(c.centres[same] - c.centres[table[7, a]]).max(1) > 0.5
        table[7, a] = same[apart][0]
        rejects(p, replace(c, successors=table), "landed nowhere")


def test_boxes_that_the_checker_would_refuse_are_not_sought(make, monkeypatch):
    p = from_model(make(steep=20.0))
    c = prove_boxes(p, 2)
    moves = len(p.next_state) * p.letters**2
    enough = 64 * moves * p.memory**2
    assert "memory" in check(p, c, Budget(memory=enough - 1)).reason
    for memory, sought in ((enough - 1, False), (enough, True)):
        monkeypatch.setattr("seqarith.certification.boxes.DEFAULT", Budget(memory=memory))
        assert (prove_boxes(p, 2) is not None) == sought


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
    assert isinstance(verdict, Rejected) or all(isinstance(v, int) for v in changes.values())
    name = data.draw(st.sampled_from([f.name for f in fields(Program) if f.name != "enclosure"]))
    assert isinstance(check(replace(p, **{name: data.draw(GARBAGE)}), c), Rejected)


def mutate(rng, c):
    """Change one thing of a certificate by so much that it can no longer be true."""
    name = rng.choice(["states", "successors", "centres", "shapes", "digest", "dtype", "margin"])
    if name == "digest":
        place = rng.integers(64)
        other = rng.choice(list(set("0123456789abcdef") - {c.digest[place]}))
        return {name: c.digest[:place] + other + c.digest[place + 1 :]}
    if name == "dtype":
        return {name: rng.choice(["float32", "float16", "", "<f8"])}
    if name == "margin":
        return {name: c.margin * 10 ** rng.uniform(0.5, 9) + 10.0}
    value = getattr(c, name).copy()
    index = tuple(rng.integers(n) for n in value.shape)
    if name == "states":
        value[index] = 1 - value[index]
    elif name == "successors":
        value[index] = rng.choice(np.flatnonzero(c.states != c.states[value[index]]))
    elif name == "centres":
        # The carry, unit 1, is mirrored: the region says what its machine state denies.
        value[index[0], 1] = 1 - value[index[0], 1]
    elif value.ndim == 2:
        value[index[0]] += rng.choice([1e4, 1e6, np.inf, np.nan])
    else:
        value[index[0]] *= rng.choice([1e4, 1e6, np.inf, np.nan])
    return {name: value}


@settings(max_examples=400)
@given(st.integers(0, 2**32 - 1))
def test_mutations_are_rejected(case, seed):
    p, c = case
    with np.errstate(invalid="ignore", over="ignore"):
        changed = replace(c, **mutate(np.random.default_rng(seed), c))
    rejects(p, changed)


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.floats(0.05, 3.0))
def test_what_is_accepted_of_a_changed_box_is_still_true(make, seed, size):
    rng = np.random.default_rng(seed)
    p = from_model(make(steep=12.0))
    c = prove_boxes(p, 2)
    shapes = c.shapes.copy()
    shapes[rng.integers(c.regions)] *= size
    if isinstance(check(p, replace(c, shapes=shapes, margin=1e-6)), Accepted):
        low, high = dynamics(p).boxes(c.centres - shapes, c.centres + shapes)
        to = c.successors
        assert np.all(low >= (c.centres - shapes)[to] - 1e-6)
        assert np.all(high <= (c.centres + shapes)[to] + 1e-6)


@pytest.mark.parametrize("k", [0, 1, 2, 3])
def test_contexts_follow_the_machine(make, k):
    p = from_model(make())
    nodes = contexts(p, dynamics(p), k)
    assert np.array_equal(p.next_state[nodes.states], nodes.states[nodes.successors])
    assert len(nodes.states) == 2 * 4**k + sum(4**j for j in range(k))


def test_the_checker_imports_nothing_of_the_search():
    import ast
    from pathlib import Path

    import seqarith.certification as package

    trusted = {"outward", "affine", "recurrences", "wellformed"}
    allowed = {"certificate", "program", *trusted}
    for name in ("check", *trusted):
        tree = ast.parse((Path(package.__file__).parent / f"{name}.py").read_text())
        found = {
            node.module.rpartition(".")[2]
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("seqarith")
        }
        assert found <= allowed, name


def test_every_array_of_a_certificate_is_stored(case):
    assert set(to_stored(case[1]).arrays) == set(ARRAYS)
