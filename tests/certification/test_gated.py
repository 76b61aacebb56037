"""GRU and LSTM: proofs of networks by hand and of trained ones, and certificates that are false."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import seqarith as sa
from seqarith.cells.activations import run
from seqarith.cells.cell import Extent
from seqarith.certification.adapter import from_model
from seqarith.certification.boxes import prove_boxes
from seqarith.certification.certificate import Certificate
from seqarith.certification.check import Accepted, Budget, Rejected, check
from seqarith.certification.program import Program
from seqarith.network import READOUT, Network, emitted
from seqarith.optimizers import Adam
from seqarith.registry import CELLS
from seqarith.tasks.addition import add
from seqarith.tasks.sampling import Sampler

CELL_NAMES = ["gru", "lstm"]
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
    parameters, gradients = network.parameters(), network.parameters()
    parameters.flat[...] = model.parameters.flat
    length, count = PREFIX + SHARED, 2 * PAIRS
    extent = Extent(length, count, network.inputs, network.hidden)
    tape = network.cell.tape(parameters.kernels, gradients.kernels, extent)
    by_rest, optimizer = tape.rest_gradient(), Adam()
    kept = optimizer.start(parameters.flat)
    forward = [tape.step(t) for t in range(length)]
    back = [tape.step_back(t) for t in reversed(range(length))]
    readout, by_readout = parameters.kernels[READOUT], gradients.kernels[READOUT]
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
        optimizer.update(parameters.flat, gradients.flat, kept, 0.01, number)
    return sa.Model(task, network, parameters, model.training)


@pytest.fixture(scope="module", params=CELL_NAMES)
def trained(request: pytest.FixtureRequest) -> sa.Model:
    """A network that was trained, and drawn together, until it can be proved."""
    first = sa.train("add", cell=request.param, hidden=8, seed=1, dtype="float64")
    return synchronised(first.model)


@pytest.fixture(scope="module")
def verdict(trained: sa.Model) -> sa.Proved:
    found = sa.certify(trained, 20)
    assert isinstance(found, sa.Proved)
    return found


@pytest.fixture(scope="module", params=CELL_NAMES)
def by_hand(request: pytest.FixtureRequest) -> tuple[Program, Certificate]:
    p = from_model(gated_adder(request.param))
    found = prove_boxes(p, 2)
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
    assert verdict.claim.rests_on == ()
    proved = sa.attach(trained, verdict.certificate)
    assert isinstance(sa.verify(proved), sa.Accepted)
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
    assert isinstance(sa.verify(sa.Model.load(tmp_path / "proved.npz")), sa.Accepted)


@pytest.mark.parametrize("name", CELL_NAMES)
def test_plainly_trained_networks_are_refuted(name: str) -> None:
    model = sa.train("add", cell=name, hidden=6, seed=0, bits=6, until="exact").model
    verdict = sa.certify(model, 3)
    assert isinstance(verdict, sa.Refuted)
    word = np.array(verdict.word)[:, None]
    said = [int(logits[0, 0] > 0) for logits in model.program.run(word)]
    wrong = said != model.task.machine.run(word)[:, 0]
    assert wrong.tolist() == [False] * (len(word) - 1) + [True]


@pytest.mark.parametrize("name", CELL_NAMES)
@pytest.mark.parametrize("steep", [1.0, 2.0])
def test_the_counterexample_is_that_of_brute_force(name: str, steep: float) -> None:
    model = gated_adder(name, steep)
    task = model.task
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


@pytest.mark.parametrize("name", CELL_NAMES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_adders_by_hand_are_proved(name: str, dtype: str) -> None:
    model = gated_adder(name, dtype=dtype)
    verdict = sa.certify(model, 10)
    assert isinstance(verdict, sa.Proved)
    assert verdict.certificate.dtype == dtype
    assert_stays(model, verdict.certificate, 500)


def test_boxes_hold_every_step(by_hand: tuple[Program, Certificate]) -> None:
    p, c = by_hand
    verdict = check(p, c)
    assert isinstance(verdict, Accepted)
    assert verdict.depth == 1
    assert_stays(gated_adder(p.cell), c, 500)


@pytest.mark.parametrize("other", ["gru", "lstm", "elman"])
def test_the_digest_tells_cells_apart(by_hand: tuple[Program, Certificate], other: str) -> None:
    p, c = by_hand
    options = {"activation": "tanh"} if other == "elman" else {}
    changed = replace(p, cell=other, options=options)
    assert (changed.digest() == p.digest()) == (other == p.cell)
    assert isinstance(check(changed, c), Accepted) == (other == p.cell)
    renewed = check(changed, replace(c, digest=changed.digest()))
    assert isinstance(renewed, Accepted) == (other == p.cell)


def test_every_bit_of_every_kernel_is_in_the_digest(
    by_hand: tuple[Program, Certificate], alter: Callable[..., Program]
) -> None:
    p, c = by_hand
    for name, value in p.kernels.items():
        for index in np.ndindex(value.shape):
            moved = value.copy()
            moved[index] = np.nextafter(moved[index], np.inf)
            assert "another program" in getattr(check(alter(p, name, moved), c), "reason", "")


def test_changed_kernels_are_rejected_by_proof(
    by_hand: tuple[Program, Certificate], alter: Callable[..., Program]
) -> None:
    p, c = by_hand
    for name, value in p.kernels.items():
        changed = alter(p, name, value - 30.0)
        assert isinstance(check(changed, replace(c, digest=changed.digest())), Rejected)


@pytest.mark.parametrize(
    ("change", "because"),
    [
        (lambda p: {"kernels": dict(list(p.kernels.items())[:-1])}, "kernels are not those"),
        (lambda p: {"kernels": dict(list(p.kernels.items())[::-1])}, "kernels are not those"),
        (lambda p: {"kernels": {**p.kernels, "bias": p.kernels["bias"][:-1]}}, "shape"),
        (lambda p: {"kernels": {**p.kernels, "weight_hh": None}}, "not an array"),
        (lambda p: {"kernels": {**p.kernels, "bias": p.kernels["bias"] * np.nan}}, "finite"),
        (lambda p: {"kernels": None}, "not a dict of names"),
        (lambda p: {"options": {"activation": "tanh"}}, "options of cell"),
        (lambda p: {"start": p.start[:-1]}, "start has"),
        (lambda p: {"cell": "gruu"}, "no enclosure"),
        (lambda p: {"cell": 3}, "not text"),
    ],
)
def test_malformed_programs_are_refused(
    by_hand: tuple[Program, Certificate], change: Any, because: str
) -> None:
    p, c = by_hand
    assert because in getattr(check(replace(p, **change(p)), c), "reason", "")


def mutated(rng: np.random.Generator, c: Certificate) -> dict[str, Any]:
    """Change one thing of a certificate by so much that it can no longer be true."""
    name = rng.choice(["states", "successors", "centres", "shapes", "depth", "margin"])
    if name in ("depth", "margin"):
        return {name: 0 if name == "depth" else c.margin + 10.0}
    value = getattr(c, name).copy()
    index = tuple(rng.integers(n) for n in value.shape)
    if name == "states":
        value[index] = 1 - value[index]
    elif name == "successors":
        value[index] = rng.choice(np.flatnonzero(c.states != c.states[value[index]]))
    elif name == "centres":
        value[index[0]] *= -1  # the carry, and all else, says the opposite
    else:
        value[index[0]] += rng.choice([1e4, 1e6, np.inf, np.nan])
    return {name: value}


@settings(max_examples=300)
@given(st.integers(0, 2**32 - 1))
def test_mutations_are_rejected(by_hand: tuple[Program, Certificate], seed: int) -> None:
    p, c = by_hand
    changed = replace(c, **mutated(np.random.default_rng(seed), c))
    assert isinstance(check(p, changed), Rejected)


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
