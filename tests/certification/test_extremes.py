"""Steps that no cell has: numbers beyond the largest float, values of any width, many arrays."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from seqarith.cells.domains.floats import FloatStep
from seqarith.cells.recording import Step
from seqarith.cells.steps import Operation, StepError, width
from seqarith.certification.kernel.certificate import Certificate
from seqarith.certification.kernel.check import Accepted, Budget, Rejected, check
from seqarith.certification.kernel.forms import Forms
from seqarith.certification.kernel.program import Program
from seqarith.certification.kernel.step import SetStep
from seqarith.certification.kernel.wellformed import MIN_TANH_ULPS, Refusal
from seqarith.network import emitted


def program(step: list[Operation], arrays: dict[str, Any], dtype: str = "float32") -> Program:
    """Return a network of one number, on a machine that says 1 whatever it reads."""
    table = np.zeros((1, 1), np.int64)
    return Program(
        step=tuple(step),
        arrays={name: np.asarray(array, dtype) for name, array in arrays.items()},
        inputs=np.ones((1, 1), dtype),
        start=np.zeros(1, dtype),
        readout_weight=np.full((1, 1), 0.25, dtype),
        readout_bias=np.ones(1, dtype),
        threshold=0.0,
        next_state=table,
        output=table + 1,
    )


def proof(p: Program, **claims: Any) -> Certificate:
    """One box about 0, which every step leads into."""
    none = np.zeros((1, 1), np.int64)
    honest = Certificate(
        Program.digest(p), p.dtype, MIN_TANH_ULPS, none[0].copy(), none, np.zeros((1, 1)),
        np.full((1, 1), 0.5), 0, 1, 0, 0.5,
    )  # fmt: skip
    return replace(honest, **claims)


def said(p: Program) -> int:
    """Return what the program emits after its first letter."""
    shapes = {name: array.shape for name, array in p.arrays.items()}
    with np.errstate(all="ignore"):
        step = FloatStep(Step(p.step, shapes, 1, p.memory), p.arrays, p.inputs)
        hidden = step.step(p.start[None], np.zeros(1, int))[:, : p.hidden]
        return int(emitted(hidden @ p.readout_weight.T + p.readout_bias)[0])


LARGE, SMALL = 2.0**20, 2.0**-100
POWERS: list[Operation] = [("linear", 0, "W"), *(("linear", n, "W") for n in range(2, 8))]
"""The last value, 8, is 2^140: no float32."""
SQUARES: list[Operation] = [("linear", 0, "W"), *(("multiply", n, n) for n in range(2, 5))]
"""Value 5 is 2^160."""
OVERFLOWS = {
    "linear": [*POWERS, ("subtract", 8, 8), ("scale", 9, "s"), ("scale", 10, "s")],
    "multiply": [*SQUARES, ("subtract", 5, 5), ("scale", 6, "s"), ("scale", 7, "s")],
    "relu": [*POWERS, ("relu", 8), ("subtract", 9, 9), ("scale", 10, "s"), ("scale", 11, "s")],
}


@pytest.mark.parametrize("name", OVERFLOWS)
def test_a_program_that_overflows_is_not_proved(name: str) -> None:
    """In float32 infinity less infinity is no number, and so no digit 1; in float64 it is 0."""
    p = program(OVERFLOWS[name], {"W": [[LARGE]], "s": [SMALL]})
    assert said(p) == 0
    wide = program(OVERFLOWS[name], {"W": [[LARGE]], "s": [SMALL]}, "float64")
    assert said(wide) == 1
    assert isinstance(check(wide, proof(wide)), Accepted)
    assert isinstance(check(p, proof(p)), Rejected)


def toggling() -> tuple[Program, Certificate]:
    """A memory [h, h, c], where c goes from -1 to 1 and back; h is 2^108.3 with 1, nothing with -1.

    With c = 1 the digit is 1: the logit is 2^125, the difference of two products of 2^128 and more.
    With c = -1 any digit will do.
    """
    step: list[Operation] = [
        ("take", 1, 2, 3), ("scale", 2, "turn"), ("tanh", 3), ("scale", 4, "half"),
        ("shift", 5, "half"), ("multiply", 6, 6), ("multiply", 7, 7), ("multiply", 8, 8),
        *(("scale", n, "up") for n in range(9, 14)), ("scale", 14, "rest"), ("join", 15, 15, 4),
    ]  # fmt: skip
    numbers = {"turn": -40.0, "half": 0.5, "up": LARGE, "rest": 1.25 * 2.0**8}
    p = replace(
        program(step, {name: [x] for name, x in numbers.items()}),
        start=np.array([0, 0, -1], np.float32),
        readout_weight=np.array([[LARGE, -0.875 * LARGE]], np.float32),
        readout_bias=np.zeros(1, np.float32),
        next_state=np.array([[1], [0]]),
        output=np.array([[1], [2]]),
    )
    body = np.array([[LARGE, LARGE, 1e-3], [1.0, 1.0, 1e-3]])
    c = Certificate(
        p.digest(), p.dtype, MIN_TANH_ULPS, np.arange(2), p.next_state.copy(),
        np.array([[0, 0, -1.0], [0, 0, 1.0]]), body, 0, 2, 10, 0.5,
    )  # fmt: skip
    return p, c


def test_logits_that_overflow_are_not_proved() -> None:
    """Each of the two products is infinity in float32, and their difference is no number."""
    p, c = toggling()
    assert said(p) == 0 != p.output[0, 0]
    assert isinstance(check(p, c), Rejected)


def test_what_overflows_float64_is_not_proved() -> None:
    """Infinity and what is no number never fulfil a comparison."""
    squares: list[Operation] = [("linear", 0, "W"), *(("multiply", n, n) for n in range(2, 9))]
    ends: list[Operation] = [("subtract", 9, 9), ("tanh", 10)]
    p = program([*squares, *ends], {"W": [[LARGE]]}, "float64")
    assert said(p) == 0
    assert isinstance(check(p, proof(p)), Rejected)


def test_widths_beyond_all_numbers_are_refused() -> None:
    """Joins of joins: the last value has 10^5997 numbers."""
    step: list[Operation] = [("join", *[1] * 999)]
    step += [("join", *[n + 1] * 999) for n in range(1, 2000)]
    p = program(step, {})
    verdict = check(p, proof(program([("tanh", 1)], {})))
    assert isinstance(verdict, Rejected)


def test_a_join_has_a_million_numbers_at_most() -> None:
    half = 2**19
    assert width(("join", 0, 0), {}, [half]) == 2**20
    with pytest.raises(StepError, match="join of more than 1048576 numbers"):
        width(("join", 0, 0, 1), {}, [half, 1])


LIMITS: dict[str, tuple[list[Operation], float]] = {
    # A step, and the memory with which a bound of its values is 2^120.
    "memory": ([("take", 1, 1, 2)], 2.0**120),
    "linear": ([("linear", 1, "W")], 2.0**118),
    "linear of a part": ([("take", 1, 1, 2), ("linear", 2, "w")], 2.0**119),
    "shift": ([("shift", 1, "b")], 2.0**120 - 2.0**118),
    "scale": ([("scale", 1, "s")], 2.0**118),
    "add": ([("add", 1, 1)], 2.0**119),
    "subtract": ([("subtract", 1, 1)], 2.0**119),
    "multiply": ([("multiply", 1, 1)], 2.0**60),
    "relu": ([("relu", 1), ("add", 2, 2)], 2.0**119),
    "add a small one": ([("add", 0, 1)], 2.0**120),
    "add to a small one": ([("add", 1, 0)], 2.0**120),
    "subtract a small one": ([("subtract", 1, 0)], 2.0**120),
    "subtract from a small one": ([("subtract", 0, 1)], 2.0**120),
    "multiply a small one": ([("multiply", 0, 1)], 2.0**119),
    "multiply by a small one": ([("multiply", 1, 0)], 2.0**120),
    "tanh": ([("tanh", 1), ("add", 2, 1)], 2.0**120),
    "join": ([("join", 1, 0), ("add", 2, 2)], 2.0**119),
    "join of a small one": ([("join", 0, 1), ("add", 2, 2)], 2.0**119),
    "blend": ([("blend", 1, 1, 1)], 2.0**59.5),
    "blend by a small one": ([("blend", 0, 1, 1)], 2.0**118),
    "blend of a small one": ([("blend", 0, 1, 0)], 2.0**119),
    "blend with a small one": ([("blend", 0, 0, 1)], 2.0**119),
    "in the middle": ([("add", 1, 1), ("tanh", 2)], 2.0**119),
}
SHAPED = {
    "W": np.array([[3.0, -1.0], [2.0, 1.0]]), "w": np.array([[-2.0], [1.0]]),
    "b": np.array([1.0, -(2.0**118)]), "s": np.array([-4.0, 1.0]),
}  # fmt: skip


def widths_of(step: list[Operation], shapes: dict[str, Any]) -> list[int]:
    known = [2, 2]
    for operation in step:
        known.append(width(operation, shapes, known))
    return known


def fits(
    step: list[Operation], c: Any, g: Any, e: Any, unit: float, letter: float = 1.0, **more: Any
) -> bool:
    """Say whether a step is made of a set, for a letter of two such numbers."""
    vectors, arrays = np.array([[0.5, -1.0]]) * letter, {**SHAPED, **more}
    last = widths_of(step, {name: x.shape for name, x in arrays.items()})[-1]
    operations = (*step, ("shift", len(step) + 1, "nothing"))
    domain = Forms({**arrays, "nothing": np.zeros(last)}, MIN_TANH_ULPS, unit)
    try:
        with np.errstate(invalid="ignore"):  # infinity less infinity
            found = SetStep(operations, vectors, domain)
            found.steps(found.spread(c, g, e), range(1))
    except Refusal as refusal:
        return "too large for the program's numbers" not in str(refusal)
    return True


@pytest.mark.parametrize("name", LIMITS)
def test_values_that_may_overflow_are_refused(name: str) -> None:
    """Just below the limit, which is far from the largest float, and just above."""
    (step, at), none = LIMITS[name], np.zeros((1, 1, 2))
    for part, fitting in ((1 - 2.0**-20, True), (1 + 2.0**-20, False)):
        for sign in (1.0, -1.0):
            c = np.array([[1, sign]]) * at * part
            assert fits(step, c, none, 0 * c, 2.0**-24) == fitting
            assert fits(step, c, none, 0 * c, 2.0**-53)


def test_all_parts_of_a_set_and_the_letters_may_overflow() -> None:
    one, none = np.ones((1, 2)) * 2.0**120, np.zeros((1, 1, 2))
    for part, fitting in ((1 - 2.0**-20, True), (1 + 2.0**-20, False)):
        size = one * part
        assert fits([], size / 2, size[None] / 4, size / 4, 2.0**-24) == fitting
        assert fits([], 0 * size, none, size, 2.0**-24) == fitting
        assert fits([], 0 * size, -size[None], 0 * size, 2.0**-24) == fitting
        assert (
            fits([("take", 0, 0, 2)], 0 * one, none, 0 * one, 2.0**-24, 2.0**120 * part) == fitting
        )
        assert fits([], size * 2.0**880, none, 0 * one, 2.0**-53) == fitting
    # Bounds are rounded up: of the memory, and of what it is multiplied by.
    assert not fits([], one, none, 0 * one, 2.0**-24)
    below = one * (1 - 2.5 * 2.0**-40)
    assert fits([], below, none, 0 * one, 2.0**-24)
    assert not fits([("scale", 1, "t")], below, none, 0 * one, 2.0**-24, t=np.ones(2))
    assert not fits([], np.nan * one, none, 0 * one, 2.0**-53)
    assert not fits([], np.inf * one, none, 0 * one, 2.0**-53)
    two = np.array([[1.0, 1.0], [2.0**121, 1.0]])
    assert not fits([], two, np.zeros((2, 1, 2)), 0 * two, 2.0**-24)


def peak(p: Program, budget: Budget) -> int:
    """Return the bytes that a check takes at once."""
    claimed = proof(p, successors=np.zeros((1, p.letters), np.int64))
    check(p, claimed, budget)  # what is loaded once does not count
    tracemalloc.start()
    try:
        check(p, claimed, budget)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_arrays_together_fit_the_memory_budget() -> None:
    """An array without strides holds no memory until it is copied."""
    p = program([("take", 1, 0, 1)], {}, "float64")
    none = np.broadcast_to(np.zeros(()), (2**17,))
    many = replace(p, arrays={f"a{n}": none for n in range(64)})
    budget = Budget(memory=2**21)
    assert peak(many, budget) <= budget.memory


def wide(operations: int) -> Program:
    """One number becomes 16,000, which go through one activation after the other."""
    step: list[Operation] = [("linear", 1, "W")]
    step += [("tanh", n + 2) for n in range(operations)]
    last = operations + 2
    return program([*step, ("take", last, 0, 1)], {"W": np.zeros((16000, 1))}, "float64")


def test_values_of_a_step_fit_the_memory_budget() -> None:
    budget = Budget(memory=2**23)
    assert peak(wide(100), budget) <= budget.memory


def test_values_of_all_letters_fit_the_memory_budget() -> None:
    """They are kept for every letter: of a thousand letters forty values of a hundred numbers."""
    table = np.zeros((1, 1000), np.int64)
    step: list[Operation] = [("linear", 0, "W"), *[("tanh", 2)] * 40, ("take", 1, 0, 1)]
    p = replace(
        program(step, {"W": np.zeros((100, 1))}, "float64"),
        inputs=np.ones((1000, 1)),
        next_state=table,
        output=table + 1,
    )
    budget = Budget(memory=2**22)
    assert peak(p, budget) <= budget.memory


def test_every_number_of_a_value_counts_as_work() -> None:
    """A hundred activations of 16,000 numbers are more work than a million products."""
    p = wide(100)
    verdict = check(p, proof(p), Budget(work=1e6))
    assert isinstance(verdict, Rejected)
    assert "work budget" in verdict.reason
