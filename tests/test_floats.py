"""The program on numbers: whatever is written over, each value is that of its operation."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from seqarith.cells.domains.floats import FloatStep
from seqarith.cells.recording import Step
from seqarith.cells.steps import Operation, arguments

W = 2
SHAPES = {"W": (W, W), "b": (W,), "zero": (W,), "w": (W,)}


@st.composite
def records(draw: Any) -> tuple[Operation, ...]:
    """Draw a step of a memory of two values of two numbers, and an input of two."""
    operations: list[Operation] = [("take", 1, 0, W), ("take", 1, W, 2 * W)]
    known = [0, 2, 3]
    for _ in range(draw(st.integers(1, 12))):
        x, y, z = (draw(st.sampled_from(known)) for _ in range(3))
        operations.append(
            draw(
                st.sampled_from(
                    [
                        ("linear", x, "W"), ("shift", x, "b"), ("shift", x, "zero"),
                        ("scale", x, "w"), ("add", x, y), ("subtract", x, y), ("multiply", x, y),
                        ("tanh", x), ("sigmoid", x), ("relu", x), ("blend", x, y, z),
                    ]
                )
            )
        )  # fmt: skip
        known.append(len(operations) + 1)
    parts = [draw(st.sampled_from(known)) for _ in range(2)]
    return (*operations, ("join", *parts))


ELEMENTWISE: dict[str, Any] = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "tanh": np.tanh,
    "relu": lambda x: np.maximum(x, 0),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "blend": lambda z, h, n: n + z * (h - n),
    "join": lambda *x: np.concatenate(x, 1),
}
BY_ARRAY: dict[str, Any] = {
    "linear": lambda x, array: x @ array.T,
    "shift": np.add,
    "scale": np.multiply,
}


def by_the_book(step: tuple[Operation, ...], arrays: Any, x: Any, memory: Any) -> Any:
    """Do each operation in a new array."""
    values = [x, memory]
    for operation in step:
        kind, read = operation[0], [values[n] for n in arguments(operation)]
        if kind == "take":
            values.append(read[0][:, operation[2] : operation[3]])
        elif kind in BY_ARRAY:
            values.append(BY_ARRAY[kind](read[0], arrays[operation[2]]))
        else:
            values.append(ELEMENTWISE[kind](*read))
    return values[-1]


@settings(max_examples=400)
@given(records(), st.integers(0, 2**32 - 1))
def test_any_record_is_run_as_it_is_written(step: tuple[Operation, ...], seed: int) -> None:
    rng = np.random.default_rng(seed)
    arrays = {name: rng.uniform(-0.7, 0.7, shape) for name, shape in SHAPES.items()}
    arrays["zero"][...] = 0
    vectors, memory = rng.uniform(-1, 1, (3, W)), rng.uniform(-1, 1, (5, 2 * W))
    program = FloatStep(Step(step, SHAPES, W, 2 * W), arrays, vectors)
    kept = memory.copy()
    letters = np.array([2, 0, 1, 1, 2])
    expected = by_the_book(step, arrays, vectors[letters], memory)
    for _ in range(2):  # nothing is left behind for the next run
        np.testing.assert_allclose(program.step(memory, letters), expected, atol=1e-12)
    for letter, found in enumerate(program.branch(memory, range(3))):
        alone = by_the_book(step, arrays, np.repeat(vectors[letter][None], 5, 0), memory)
        np.testing.assert_allclose(found, alone, atol=1e-12)
    assert (memory == kept).all()
