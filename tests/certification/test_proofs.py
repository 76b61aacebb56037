"""Proofs of every cell, by hand and trained, in layers and fed back; and certificates that lie."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from certificates import mutated
from hypothesis import given, settings
from hypothesis import strategies as st

import seqarith as sa
from seqarith.cells.activations import run
from seqarith.cells.elman import Elman
from seqarith.cells.jordan import Jordan
from seqarith.cells.tapes.training import Extent
from seqarith.certification.adapter import from_model
from seqarith.certification.kernel.certificate import ARRAYS, Certificate
from seqarith.certification.kernel.check import Accepted, Budget, Rejected, check
from seqarith.certification.kernel.program import Program
from seqarith.certification.prove.box_prover import find_boxes
from seqarith.network import READOUT, Network, emitted
from seqarith.optimizers import Adam
from seqarith.registry import CELLS
from seqarith.tasks.builtin.addition import add
from seqarith.tasks.sampling import Sampler

GATED = ["gru", "lstm"]
ROWS = {"gru": (4.0, -4.0, None), "lstm": (4.0, -4.0, None, 4.0)}
"""Pre-activations of the gates of an adder by hand, in PyTorch's order; None: the candidate."""
PREFIX, SHARED, PAIRS = 8, 16, 48


def gated_adder(name: str, steep: float = 12.0, dtype: str = "float64") -> sa.Model:
    """Add by three units that tell whether a + b + carry is at least 1, 2, 3: -1 no, 1 yes.

    The gates are nearly open or nearly shut, for good: 0.98 and 0.02.
    """
    network = Network(CELLS[name](), 2, 3, 1, dtype)
    shut, full = 1 / (1 + np.exp(4.0)), 1.0
    if name == "lstm":
        # c settles near (1 - shut) / (1 - shut) = 1, and h near (1 - shut) tanh 1.
        full = (1 - shut) * np.tanh(1.0)
    level, carry = steep * -(np.arange(3) + 0.25), np.zeros((3, 3))
    carry[:, 1] = 0.5 * steep / full
    gates = ROWS[name]
    ih = [np.zeros((3, 2)) if g is not None else np.full((3, 2), steep) for g in gates]
    hh = [np.zeros((3, 3)) if g is not None else carry for g in gates]
    bias = [np.full(3, g) if g is not None else level for g in gates]
    if name == "gru":
        hh[2] = carry / (1 - shut)  # what the reset gate takes off
    arrays = {
        "rnn.weight_ih_l0": np.concatenate(ih),
        "rnn.weight_hh_l0": np.concatenate(hh),
        "rnn.bias_ih_l0": np.concatenate(bias),
        "rnn.bias_hh_l0": np.zeros(3 * len(gates)),
        "readout.weight": np.array([[10.0, -10.0, 10.0]]),
        "readout.bias": np.zeros(1),
    }
    return sa.Model(add(), network, network.absorb(arrays))


def relu_adder(dtype: str) -> sa.Model:
    """Count by relu(4 s - 4 k + 2) - relu(4 s - 4 k + 1), which is 0 or 1: whether s >= k."""
    network = Network(Elman("relu"), 2, 6, 1, dtype)
    carry = np.zeros((6, 6))
    carry[:, 2], carry[:, 3] = 4.0, -4.0
    levels = np.repeat(np.arange(1, 4), 2)
    apart = np.array([1.0, -1.0])
    arrays = {
        "rnn.weight_ih_l0": np.full((6, 2), 4.0),
        "rnn.weight_hh_l0": carry,
        "rnn.bias_ih_l0": -4.0 * levels + np.tile([2.0, 1.0], 3),
        "rnn.bias_hh_l0": np.zeros(6),
        "readout.weight": np.concatenate((apart, -apart, apart))[None],
        "readout.bias": np.array([-0.5]),
    }
    return sa.Model(add(), network, network.absorb(arrays))


def layered_adder(make: Callable[..., sa.Model], dtype: str) -> sa.Model:
    """A layer that adds, and one that hands its units on."""
    lower = make(steep=20.0, dtype=dtype)
    network = Network(Elman("sigmoid"), 2, 3, 1, dtype, layers=2)
    arrays = lower.network.export(lower.parameters) | {
        "rnn.weight_ih_l1": 20 * np.eye(3),
        "rnn.weight_hh_l1": np.zeros((3, 3)),
        "rnn.bias_ih_l1": np.full(3, -10.0),
        "rnn.bias_hh_l1": np.zeros(3),
    }
    return sa.Model(add(), network, network.absorb(arrays))


def jordan_adder(dtype: str) -> sa.Model:
    """Both logits are far from 0, above with a carry; their difference is the digit."""
    network = Network(Jordan("sigmoid"), 2, 3, 2, dtype)
    carry, digit = np.array([0.0, 40.0, 0.0]), np.array([10.0, -10.0, 10.0])
    fed = np.zeros((3, 2))
    fed[:, 0] = 20.0
    arrays = {
        "rnn.weight_ih_l0": np.full((3, 2), 20.0),
        "rnn.weight_yh_l0": fed,
        "rnn.bias_ih_l0": -20 * (np.arange(3) + 0.5),
        "readout.weight": np.stack((carry - digit, carry + digit)),
        "readout.bias": np.array([-20.0 + 5, -20.0 - 5]),
    }
    return sa.Model(add(), network, network.absorb(arrays))


BY_HAND: dict[str, Callable[..., sa.Model]] = {
    "gru": lambda make, dtype: gated_adder("gru", dtype=dtype),
    "lstm": lambda make, dtype: gated_adder("lstm", dtype=dtype),
    "relu": lambda make, dtype: relu_adder(dtype),
    "two layers": layered_adder,
    "jordan": lambda make, dtype: jordan_adder(dtype),
}
CARRY = {"gru": 1, "lstm": 1, "relu": 2, "two layers": 4, "jordan": 1}
"""Which number of the memory it is."""


def pairs(rng: np.random.Generator, machine: Any) -> tuple[Any, Any]:
    """Draw words, those of a pair alike from a step on; and which pairs share the state there."""
    words = rng.integers(machine.letters, size=(PREFIX + SHARED, 2 * PAIRS))
    repeat = rng.random(words.shape) < rng.random(2 * PAIRS)
    for t in range(1, len(words)):
        words[t] = np.where(repeat[t], words[t - 1], words[t])
    states = np.array([machine.trace(word)[-1] for word in words[:PREFIX].T])
    words = words[:, np.argsort(states, kind="stable")]
    words[PREFIX:, 1::2] = words[PREFIX:, ::2]
    states = np.sort(states)
    return words, states[::2] == states[1::2]


def drawn_together(memory: Any, alike: Any, weight: float) -> Any:
    """Return the derivative of the mean square distance between the memories of a pair."""
    memory = memory.reshape(PREFIX + SHARED, 2 * PAIRS, -1)
    gradient = np.zeros_like(memory)
    part = slice(PREFIX + 2, None)
    apart = (memory[part, ::2] - memory[part, 1::2]) * alike[:, None]
    apart *= 2 * weight / (apart.shape[0] * PAIRS)
    gradient[part, ::2], gradient[part, 1::2] = apart, -apart
    return gradient.reshape(-1, memory.shape[-1])


def by_words(units: Any) -> Any:
    """Return vectors (T, H, B) as rows (T * B, H)."""
    return units.swapaxes(1, 2).reshape(len(units) * units.shape[2], units.shape[1])


def synchronised(model: sa.Model, steps: int = 400) -> sa.Model:
    """Train on: pairs of words in one state must come to one memory, with noise on all of it."""
    network, rng, task = model.network, np.random.default_rng(0), model.task
    kernels, gradients = network.pack(model.parameters), network.trainable()
    length, count = PREFIX + SHARED, 2 * PAIRS
    extent = Extent(length, count, network.inputs, network.hidden)
    tape = network.training.tape(kernels.arrays, gradients.arrays, extent)
    by_rest, optimizer = tape.rest_gradient(), Adam()
    kept = optimizer.start(kernels.flat)
    forward = [tape.step(t) for t in range(length)]
    back = [tape.step_back(t) for t in reversed(range(length))]
    readout, by_readout = kernels.arrays[READOUT], gradients.arrays[READOUT]
    for number in range(1, steps + 1):
        words, alike = pairs(rng, task.machine)
        tape.inputs[...] = task.vectors[words]
        for t, step in enumerate(forward):
            run(step)
            for memory in (tape.hidden[t], tape.rest[t]):
                memory[...] += rng.normal(0, 0.05, memory.shape)
        hidden, rest = by_words(tape.hidden), by_words(tape.rest)
        logits = hidden @ readout[:-1] + readout[-1]
        slope = 1 / (1 + np.exp(-logits)) - task.expected(words).reshape(-1, 1)
        slope /= len(slope)
        by_readout[...] = np.append(hidden.T @ slope, [slope.sum(0)], 0)
        weight = min(1.0, 2 * number / steps)
        by_hidden = slope @ readout[:-1].T + drawn_together(hidden, alike, weight)
        tape.hidden_gradient[...] = by_hidden.reshape(length, count, -1).swapaxes(1, 2)
        if by_rest.size:
            together = drawn_together(rest, alike, weight) + 0.02 * rest / len(slope)
            by_rest[...] = together.reshape(length, count, -1).swapaxes(1, 2)
        for operations in (*back, tape.finish()):
            run(operations)
        gradients.flat /= max(1.0, float(np.linalg.norm(gradients.flat)))
        optimizer.update(kernels.flat, gradients.flat, kept, 0.01, number)
    return sa.Model(task, network, network.unpack(kernels), model.training)


@pytest.fixture(scope="module", params=GATED)
def trained(request: pytest.FixtureRequest) -> sa.Model:
    """A network that was trained, and drawn together, until it can be proved."""
    first = sa.train("add", cell=request.param, hidden=8, seed=1, dtype="float64")
    return synchronised(first.model)


@pytest.fixture(scope="module")
def verdict(trained: sa.Model) -> sa.Proved:
    found = sa.certify(trained, 20)
    assert isinstance(found, sa.Proved)
    return found


@pytest.fixture(scope="module", params=GATED)
def by_hand(request: pytest.FixtureRequest) -> tuple[Program, Certificate]:
    p = from_model(gated_adder(request.param))
    found = find_boxes(p, 2)
    assert found is not None
    return p, found


def landed(c: Certificate, memory: Any, region: Any) -> Any:
    """Say which memories (N, M) lie in regions (N,), by solving for the coordinates."""
    offset, shapes = memory - c.centres[region], c.shapes[region]
    if shapes.ndim == 2:
        return (np.abs(offset) <= shapes).all(1)
    t = np.linalg.solve(shapes.astype(float).transpose(0, 2, 1), offset[..., None])[..., 0]
    return (np.abs(t) <= 1 + 1e-9).all(1)


def assert_stays(model: sa.Model, c: Certificate, digits: int) -> None:
    """Run long random words: every run is back in its region after at most ``depth`` letters."""
    sampler, rng = Sampler(model.task, digits), np.random.default_rng(3)
    word = np.concatenate([sampler.uniform(rng, 10), sampler.favouring(rng, 30)], axis=1)
    program, count = model.program, word.shape[1]
    memory, region = program.start(count), np.full(count, c.start)
    away = np.zeros(count, int)
    assert model.task.machine is not None
    right = model.task.machine.run(word)
    for letters, due in zip(word, right, strict=True):
        memory = program.step(memory, letters)
        region = c.successors[region, letters]
        assert np.array_equal(emitted(program.logits(memory)), due)
        away = np.where(landed(c, memory, region), 0, away + 1)
        assert away.max() < c.depth


def test_trained_networks_are_proved_and_stay_in_their_regions(
    trained: sa.Model, verdict: sa.Proved
) -> None:
    proved = sa.attach(trained, verdict.certificate)
    assert isinstance(sa.verify(proved), Accepted)
    assert_stays(trained, verdict.certificate, 2000)


def test_a_trained_network_is_the_machine_of_addition(
    trained: sa.Model, verdict: sa.Proved
) -> None:
    seen = sa.extract(trained)
    assert not seen.proved
    assert seen.equal
    read = sa.extract(sa.attach(trained, verdict.certificate))
    assert read.proved
    assert read.equal


def test_a_proof_survives_its_file(trained: sa.Model, verdict: sa.Proved, tmp_path: Any) -> None:
    sa.attach(trained, verdict.certificate).save(tmp_path / "proved.npz")
    assert isinstance(sa.verify(sa.Model.load(tmp_path / "proved.npz")), Accepted)


@pytest.mark.parametrize("name", GATED)
def test_plainly_trained_networks_are_refuted(name: str) -> None:
    model = sa.train("add", cell=name, hidden=6, seed=0, bits=6, goal="exact").model
    verdict = sa.certify(model, 3)
    assert isinstance(verdict, sa.Refuted)
    word = np.array(verdict.word)[:, None]
    said = [int(logits[0, 0] > 0) for logits in model.program.run(word)]
    assert model.task.machine is not None
    wrong = said != model.task.machine.run(word)[:, 0]
    assert wrong.tolist() == [False] * (len(word) - 1) + [True]


@pytest.mark.parametrize("name", GATED)
@pytest.mark.parametrize("steep", [1.0, 2.0])
def test_the_counterexample_is_that_of_brute_force(name: str, steep: float) -> None:
    model = gated_adder(name, steep)
    task = model.task
    assert task.machine is not None
    for length in range(1, 8):
        # Ordered by the last letter, then the one before it: smallest operands first.
        word = np.array(list(product(range(4), repeat=length))).T[::-1]
        said = np.array([emitted(logits) for logits in model.program.run(word)])
        wrong = np.flatnonzero((said != task.machine.run(word)).any(axis=0))
        if len(wrong):
            break
    verdict = sa.certify(model, 5)
    assert isinstance(verdict, sa.Refuted)
    assert verdict.shortest
    assert verdict.word == tuple(word[:, wrong[0]])
    assert model.predict(*verdict.operands).predicted == verdict.predicted != verdict.expected


@pytest.mark.parametrize("name", BY_HAND)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_adders_by_hand_are_proved(make: Any, tmp_path: Any, name: str, dtype: str) -> None:
    model = BY_HAND[name](make, dtype)
    verdict = sa.certify(model, 10)
    assert isinstance(verdict, sa.Proved)
    assert verdict.certificate.dtype == dtype
    assert_stays(model, verdict.certificate, 500)
    sa.attach(model, verdict.certificate).save(tmp_path / "m.npz")
    loaded = sa.Model.load(tmp_path / "m.npz")
    assert loaded.network == model.network
    assert isinstance(sa.verify(loaded), Accepted)
    assert sa.extract(loaded).proved


@pytest.mark.parametrize("name", BY_HAND)
def test_every_changed_array_is_rejected_by_name_and_by_proof(
    make: Any, alter: Any, arrays_of: Any, name: str
) -> None:
    p = from_model(BY_HAND[name](make, "float64"))
    proof = sa.certify(BY_HAND[name](make, "float64"), 10)
    assert isinstance(proof, sa.Proved)
    for array, value in arrays_of(p).items():
        for index in np.ndindex(value.shape):
            moved = value.copy()
            moved[index] = np.nextafter(moved[index], np.inf)
            said = check(alter(p, array, moved), proof.certificate)
            assert "another program" in getattr(said, "reason", ""), array
        wrong = value - 30.0
        if array == "start":
            wrong = value + 30.0 * (np.arange(len(value)) == CARRY[name])
        if array in ("readout_weight", "readout_bias"):  # of two logits one alone
            wrong[:-1] = value[:-1]
        changed = alter(p, array, wrong)
        renewed = replace(proof.certificate, digest=changed.digest())
        assert isinstance(check(changed, renewed), Rejected), array


def test_boxes_hold_every_step(by_hand: tuple[Program, Certificate]) -> None:
    p, c = by_hand
    verdict = check(p, c)
    assert isinstance(verdict, Accepted)
    assert verdict.depth == 1
    name = "lstm" if p.memory > p.hidden else "gru"
    assert_stays(gated_adder(name), c, 500)


@pytest.mark.parametrize("other", [*GATED, "elman"])
def test_the_digest_tells_steps_apart(by_hand: tuple[Program, Certificate], other: str) -> None:
    """Of three cells whose arrays bear the same names, one step is this program's."""
    p, c = by_hand
    network = Network(CELLS[other](), 2, 3, 1, "float64")
    changed = replace(p, step=network.step.operations)
    same = changed.step == p.step
    assert (changed.digest() == p.digest()) == same
    assert isinstance(check(changed, c), Accepted) == same
    renewed = check(changed, replace(c, digest=changed.digest()))
    assert isinstance(renewed, Accepted) == same


@settings(max_examples=300)
@given(st.integers(0, 2**32 - 1))
def test_mutations_are_rejected(by_hand: tuple[Program, Certificate], seed: int) -> None:
    p, c = by_hand
    rng, factors = np.random.default_rng(seed), (1e4, 1e6, np.inf, np.nan)
    change = mutated(rng, c, (*ARRAYS, "margin"), factors) if rng.random() < 0.8 else {"depth": 0}
    assert isinstance(check(p, replace(c, **change)), Rejected)


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.floats(0.05, 3.0))
def test_what_is_accepted_of_a_changed_box_is_still_true(
    by_hand: tuple[Program, Certificate], run_step: Any, seed: int, size: float
) -> None:
    """Corners and inner points of every box are mapped by the program into the next box."""
    p, c = by_hand
    rng = np.random.default_rng(seed)
    shapes = c.shapes.copy()
    shapes[rng.integers(c.regions)] *= size
    if not isinstance(check(p, replace(c, shapes=shapes, margin=1e-6)), Accepted):
        return
    regions, letters = (x.ravel() for x in np.indices(c.successors.shape))
    to = c.successors.ravel()
    for sharp in (True, False):
        t = rng.uniform(-1, 1, (len(to), p.memory))
        t = np.sign(t) if sharp else t
        image = run_step(p, c.centres[regions] + t * shapes[regions], letters)
        assert np.all(np.abs(image - c.centres[to]) <= shapes[to])


def test_budgets_are_kept(trained: sa.Model, verdict: sa.Proved) -> None:
    p, c = from_model(trained), verdict.certificate
    assert "work" in getattr(check(p, c, Budget(work=10)), "reason", "")
    assert "memory" in getattr(check(p, c, Budget(memory=100)), "reason", "")
