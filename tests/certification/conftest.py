"""Hand-made networks: exact adders of three threshold units, one that forgets, and random ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

import seqarith as sa
from seqarith.cells.cell import Cell
from seqarith.cells.domains.floats import FloatStep
from seqarith.cells.elman import Elman
from seqarith.cells.gru import GRU
from seqarith.cells.jordan import Jordan
from seqarith.cells.lstm import LSTM
from seqarith.cells.recording import READOUT_BIAS, READOUT_WEIGHT, Step
from seqarith.certification.adapter import from_model
from seqarith.certification.kernel.certificate import Certificate
from seqarith.certification.kernel.program import Program
from seqarith.certification.prove.box_prover import find_boxes
from seqarith.certification.prove.dynamics import Dynamics
from seqarith.certification.prove.reachable import draw_words, sample_reachable
from seqarith.certification.prove.refinement import Refinement
from seqarith.network import Network
from seqarith.tasks.builtin.addition import add

settings.register_profile(
    "certification", deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
settings.load_profile("certification")


def threshold_adder(
    activation: str = "sigmoid",
    steep: float = 40.0,
    dtype: str = "float64",
    outputs: int = 1,
    carry: float = 1.0,
) -> sa.Model:
    """Add by three units that tell whether a + b + carry is at least 1, 2, 3.

    The second is the carry; it counts as ``carry``, which is 1 in an exact adder.
    """
    task = add()
    network = Network(Elman(activation), 2, 3, outputs, dtype)
    recurrent = np.zeros((3, 3))
    recurrent[:, 1] = carry
    bias = -(np.arange(3) + 0.5)
    readout, offset = np.array([[1.0, -1.0, 1.0]]), np.array([-0.5])
    if activation == "tanh":
        # The start, 0, counts as no carry, and so does -1: half a unit of weight, thresholds
        # a quarter above the integers.
        recurrent, bias = recurrent / 2, -(np.arange(3) + 0.25)
        readout, offset = readout / 2, np.array([0.0])
    if outputs == 2:
        readout, offset = np.concatenate((-readout, readout)), np.concatenate((-offset, offset))
    arrays = {
        "rnn.weight_ih_l0": np.full((3, 2), steep),
        "rnn.weight_hh_l0": steep * recurrent,
        "rnn.bias_ih_l0": steep * bias,
        "rnn.bias_hh_l0": np.zeros(3),
        "readout.weight": 20 * readout,
        "readout.bias": 20 * offset,
    }
    return sa.Model(task, network, network.absorb(arrays))


def carry_chain_error(model: sa.Model) -> int:
    """Return the first wrong digit, from 1, of 11 followed by 10 for ever; 400 if there is none."""
    word = np.array([3] + [1] * 399)
    said = [int(z[0, 0] > 0) for z in model.program.run(word[:, None])]
    wrong = np.flatnonzero(np.array(said) != model.task.machine.run(word))
    return int(wrong[0]) + 1 if len(wrong) else 400


def forgetful_adder(digits: int = 21) -> sa.Model:
    """Return an adder whose carry leaks: the first wrong digit is number ``digits``."""
    low, high = 0.5, 1.0
    while True:
        middle = (low + high) / 2
        model = threshold_adder(steep=7.0, carry=middle)
        reached = carry_chain_error(model)
        if reached == digits:
            return model
        low, high = (middle, high) if reached < digits else (low, middle)


CELLS: dict[str, Cell] = {
    "tanh": Elman("tanh"),
    "sigmoid": Elman("sigmoid"),
    "relu": Elman("relu"),
    "gru": GRU(),
    "lstm": LSTM(),
    "jordan": Jordan("tanh"),
}
"""What a random program may be of, by the name of its kind; ``2`` behind it: of two layers."""


def random_program(seed: int, hidden: int, outputs: int, kind: str, dtype: Any) -> Program:
    """Draw weights of a size that training gives; those of relu shrink what they are given."""
    rng = np.random.default_rng(seed)
    cell, layers = CELLS[kind.removesuffix("2")], 2 if kind.endswith("2") else 1
    network = Network(cell, 2, hidden, outputs, np.dtype(dtype).name, layers=layers)
    size = 0.3 if cell == Elman("relu") else 3
    arrays = {
        name: (rng.normal(size=shape) * (1 if "bias" in name else size)).astype(dtype)
        for name, shape in network.exported_shapes().items()
    }
    machine = add().machine
    assert machine is not None
    return Program(
        step=network.step.operations,
        arrays={name: arrays[name] for name in network.step.shapes},
        inputs=(rng.normal(size=(4, 2)) * 3).astype(dtype),
        start=rng.uniform(0, 1, network.memory).astype(dtype),
        readout_weight=arrays[READOUT_WEIGHT],
        readout_bias=arrays[READOUT_BIAS],
        threshold=0.0,
        next_state=machine.next_state,
        output=machine.output,
    )


def step(p: Program, memory: np.ndarray, letters: np.ndarray) -> np.ndarray:
    """Run the floating-point program itself, as predictions do."""
    shapes = {name: array.shape for name, array in p.arrays.items()}
    record = Step(p.step, shapes, p.inputs.shape[1], p.memory)
    return FloatStep(record, p.arrays, p.inputs).step(memory, letters)


def with_array(p: Program, name: str, value: np.ndarray) -> Program:
    """Return the program with another array, of its step or a field of its own."""
    if name in p.arrays:
        return replace(p, arrays={**p.arrays, name: value})
    return replace(p, **{name: value})


def all_arrays(p: Program) -> dict[str, np.ndarray]:
    """Return every array of floats by name: those of the step, then its other ones."""
    later = ("inputs", "start", "readout_weight", "readout_bias")
    return {**p.arrays, **{name: getattr(p, name) for name in later}}


def induced(p: Program) -> Certificate:
    """Prove by induction, where boxes would do as well."""
    cell = Dynamics(p)
    drawn = draw_words(np.random.default_rng(0), p.letters, 100, 100)
    samples = sample_reachable(cell, p.start, p.next_state, drawn, 8)
    found = Refinement(p, cell, samples, 0.4).run(float("inf"))
    assert found is not None
    return found


@pytest.fixture(scope="session")
def make() -> Callable[..., sa.Model]:
    return threshold_adder


@pytest.fixture(scope="session")
def forgetful() -> sa.Model:
    return forgetful_adder()


@pytest.fixture(scope="session")
def draw() -> Callable[..., Program]:
    return random_program


@pytest.fixture(scope="session")
def run_step() -> Callable[..., Any]:
    return step


@pytest.fixture(scope="session")
def alter() -> Callable[..., Program]:
    return with_array


@pytest.fixture(scope="session")
def arrays_of() -> Callable[..., Any]:
    return all_arrays


@pytest.fixture(scope="session", params=["boxes", "parallelotopes"])
def case(request: pytest.FixtureRequest) -> tuple[Program, Certificate]:
    """A program and a true certificate of it, of each kind."""
    p = from_model(threshold_adder(steep=20.0))
    found = find_boxes(p, 1) if request.param == "boxes" else induced(p)
    assert found is not None
    assert found.shapes.ndim == (2 if request.param == "boxes" else 3)
    return p, found


@pytest.fixture(scope="session")
def proved() -> sa.Model:
    """An exact adder with its certificate."""
    model = threshold_adder(steep=20.0)
    verdict = sa.certify(model, 10)
    assert isinstance(verdict, sa.Proved)
    return sa.attach(model, verdict.certificate)
