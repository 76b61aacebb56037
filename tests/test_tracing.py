"""Traces: the same run as prediction, step by step, for every kind of task and cell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import seqarith as sa
from seqarith.cells.cell import Arrays, Cell
from seqarith.cells.elman import Elman
from seqarith.cells.recording import Operations, Sizes, Value
from seqarith.cells.steps import Shape
from seqarith.network import Network
from seqarith.tasks.task import Task


def doubled_late() -> Task:
    """Return a task without a machine whose result comes a step late."""
    return Task("copy", "{}", 1, lambda a: a, lambda r: r, None, base=3, delay=1)


@dataclass(frozen=True)
class Counting(Cell):
    """An Elman cell whose memory holds one number more: the steps done."""

    name: ClassVar[str] = "counting"
    bias: bool = True

    def parameters(self, sizes: Sizes) -> dict[str, Shape]:
        return {**Elman().parameters(sizes), "bias_one": (1,)}

    def initialise(self, arrays: Arrays, sizes: Sizes, rng: np.random.Generator) -> None:
        super().initialise(arrays, sizes, rng)
        arrays["bias_one"][...] = 1

    def width(self, hidden: int, layers: int = 1) -> int:
        return layers * (hidden + 1)

    def step(self, o: Operations, x: Value, memory: Value) -> Value:
        hidden, count = o.split(memory, memory.width - 1, 1)
        return o.join(Elman().step(o, x, hidden), o.shift(count, "bias_one"))


def by_hand(model: sa.Model, digits: Any) -> tuple[Any, Any]:
    """Return hidden vectors and logits of a tanh network, from the arrays of the model file."""
    arrays = model.network.export(model.parameters)
    h, hidden, logits = np.zeros(model.network.hidden), [], []
    for column in np.transpose(digits):
        x = column if model.task.base == 2 else np.eye(model.task.base)[column].reshape(-1)
        h = np.tanh(
            arrays["rnn.weight_ih_l0"] @ x
            + arrays["rnn.bias_ih_l0"]
            + arrays["rnn.bias_hh_l0"]
            + arrays["rnn.weight_hh_l0"] @ h
        )
        hidden.append(h)
        logits.append(arrays["readout.weight"] @ h + arrays["readout.bias"])
    return np.array(hidden), np.array(logits)


@given(a=st.integers(-(2**70), 2**70), b=st.integers(-(2**70), 2**70))
def test_a_trace_is_the_prediction(a: int, b: int) -> None:
    model = sa.Model.shipped("sub")
    found, said = sa.trace(model, a, b), model.predict(a, b)
    assert (found.predicted, found.expected) == (said.predicted, said.expected)
    assert found.min_margin == said.min_margin
    assert found.correct is said.correct
    assert found.correct is not found.wrong.any()


def test_numbers_of_a_trace(make_random: Callable[..., sa.Model]) -> None:
    model = make_random(sa.registry.TASKS["add"](base=3), 4)
    found = sa.trace(model, 25, 14)  # 221 + 112 = 1110 in base 3
    assert found.digits.tolist() == [[1, 2, 2, 0], [2, 1, 1, 0]]
    assert found.states is not None
    assert found.states.tolist() == [0, 1, 1, 1, 0]
    assert found.expected_symbols.tolist() == [0, 1, 1, 1]
    hidden, logits = by_hand(model, found.digits)
    np.testing.assert_allclose(found.hidden[1:], hidden, atol=1e-14)
    np.testing.assert_allclose(found.logits, logits, atol=1e-13)
    assert found.emitted.tolist() == [int(np.argmax(z)) for z in logits]
    for z, due, margin in zip(logits, found.expected_symbols, found.margins, strict=True):
        best_other = max(value for symbol, value in enumerate(z) if symbol != due)
        assert margin == pytest.approx(z[due] - best_other)
    assert (found.steps, found.first, found.memory.shape) == (4, 0, (5, 5))


def test_wrong_steps(wrong_adder: sa.Model) -> None:
    found = sa.trace(wrong_adder, 3, 3)  # 1 + 1 + carry gives 0
    assert found.wrong.tolist() == [False, True, False]
    assert (found.predicted, found.correct) == (4, False)
    assert found.margins[1] < 0 < found.margins[0]


def test_a_symbol_most_significant_first(make_random: Callable[..., sa.Model]) -> None:
    seen = set()
    for seed in range(6):
        model = make_random(sa.registry.TASKS["mod"](), seed)
        found = sa.trace(model, 11)
        assert found.digits.tolist() == [[1, 0, 1, 1]]
        assert found.states is not None
        assert found.states.tolist() == [0, 1, 2, 2, 2]
        assert found.first == 3
        assert not found.wrong[:3].any()
        assert found.wrong[3] == (found.predicted != 2)
        assert found.predicted == model.predict(11).predicted
        seen.add(found.correct)
    assert seen == {True, False}


@pytest.mark.parametrize("value", [5, -5])
def test_a_late_result_without_a_machine(make_random: Callable[..., sa.Model], value: int) -> None:
    found = sa.trace(make_random(doubled_late(), 1), value)
    digits = [2, 1] if value > 0 else [1, 1, 2]  # -5 is 211 in base complement: -27 + 22
    assert found.states is None
    assert found.expected_symbols.tolist() == [0, *digits]
    assert found.digits[0, : len(digits)].tolist() == digits
    assert found.wrong.tolist() == [False, *(found.emitted != found.expected_symbols)[1:].tolist()]


def test_a_memory_wider_than_the_hidden_vector() -> None:
    task = sa.registry.TASKS["add"]()
    network = Network(Counting(), task.inputs, 4, 1, "float64")
    kernels = network.initial(np.random.default_rng(0))
    model = sa.Model(task, network, network.unpack(kernels))
    found = sa.trace(model, 37, 58)
    assert (found.memory.shape, found.hidden.shape) == ((8, 5), (8, 4))
    assert found.memory[:, 4].tolist() == list(range(8))
    np.testing.assert_allclose(found.hidden[1:], by_hand(model, found.digits)[0], atol=1e-14)


def test_another_number_of_operands(adder: sa.Model) -> None:
    with pytest.raises(sa.errors.TaskError, match="takes 2 operands, not 3"):
        sa.trace(adder, 1, 2, 3)
