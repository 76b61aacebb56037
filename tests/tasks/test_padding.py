"""The answer to operands does not depend on how far they are padded, for any task or sign."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import seqarith as sa
from seqarith.digits import count_digits
from seqarith.errors import TaskError
from seqarith.machine import MealyMachine
from seqarith.prediction import layout_of, width_of
from seqarith.registry import TASKS
from seqarith.tasks.custom.from_machine import task_from_machine
from seqarith.tasks.task import Task

WIDEST = 12


def computed(task: Task, operands: list[int], digits: int) -> int:
    """Return what the task's machine makes of operands padded to at least so many digits."""
    width, signed = width_of(task, operands)
    layout = layout_of(task, max(width, digits), signed)
    letters = task.encode([[value] for value in operands], layout.steps)
    assert task.machine is not None
    return task.decode(task.machine.run(letters), layout.signed)[0]


@st.composite
def machines(draw: st.DrawFn) -> tuple[MealyMachine, dict[str, Any]]:
    """Draw a machine that often settles under zeros and under the highest digit."""
    base, operands = draw(
        st.sampled_from([(2, 1), (2, 2), (3, 1), (3, 2), (4, 1), (5, 1), (10, 1)])
    )
    states, letters = draw(st.integers(1, 5)), base**operands
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    following, output = (
        rng.integers(states, size=(states, letters)),
        rng.integers(base, size=(states, letters)),
    )
    paddings = [letter for letter in range(letters) if draw(st.booleans()) or letter == 0]
    for letter in paddings:
        following[:, letter] = np.arange(states)
        output[:, letter] = rng.choice([0, base - 1], size=states)
    order = draw(st.sampled_from(["least", "least", "most"]))
    if order == "most":
        following[0, 0] = output[0, 0] = 0
    delay = draw(st.integers(0, 3)) if order == "least" else 0
    options = {"base": base, "operands": operands, "order": order, "delay": delay}
    return MealyMachine(following, output, base), options


@settings(max_examples=400)
@given(machines(), st.data())
def test_padding_changes_no_answer_of_a_random_machine(
    drawn: tuple[MealyMachine, dict[str, Any]], data: st.DataObject
) -> None:
    machine, options = drawn
    try:
        task = task_from_machine(machine, "drawn", **options)
    except TaskError:
        assume(False)
    top = task.base ** data.draw(st.integers(1, 6))
    least = -top if task.negative else 0
    operands = [data.draw(st.integers(least, top)) for _ in range(task.operands)]
    answers = {computed(task, operands, digits) for digits in range(1, WIDEST + 1)}
    assert len(answers) == 1
    assert answers == {task.reference(*operands)}


def registered() -> list[Task]:
    """Return every finite-state task in the bases that it knows, among some."""
    tasks = []
    for name in TASKS:
        for base in (2, 3, 5, 10):
            with suppress(TaskError):
                tasks.append(TASKS[name](base=base))
    return [task for task in tasks if task.machine is not None]


@pytest.mark.parametrize("task", registered(), ids=lambda task: f"{task.name}-{task.base}")
def test_padding_changes_no_answer_of_the_registry(task: Task) -> None:
    rng = np.random.default_rng(0)
    for _ in range(40):
        top = int(task.base ** rng.integers(1, 7))
        low = -top if task.negative else 0
        operands = rng.integers(low, top, size=task.operands).tolist()
        answers = {computed(task, operands, digits) for digits in (1, 5, 8, WIDEST)}
        assert answers == {task.reference(*operands)}, operands


def test_the_sign_digit_has_settled_for_both_signs() -> None:
    # From state 1 a negative operand is followed by 2, 0, 0, ...; a natural one by 2, 2, ...
    machine = MealyMachine([[0, 1, 0], [1, 0, 0]], [[2, 0, 0], [0, 2, 2]])
    task = task_from_machine(machine, "t", base=3)
    assert {computed(task, [-12], digits) for digits in range(1, 9)} == {56}


def test_answers_of_an_array_are_those_one_by_one(solved: Callable[[Task], sa.Model]) -> None:
    machine = MealyMachine([[0, 1, 0], [1, 0, 0]], [[2, 0, 0], [0, 2, 2]])
    model = solved(task_from_machine(machine, "t", base=3))
    values = np.arange(-200, 200)
    for digits in (1, 8):
        answers = model.predict(values, digits=digits)
        alone = [model.predict(int(value)).predicted for value in values]
        assert answers.predicted == alone
        assert answers.wrong() == []


def test_a_machine_whose_results_have_no_end_is_refused() -> None:
    # Under zeros for ever: 0, 1, 0, 1, ...; and 1, 1, ..., which no sign's digits are in base 3.
    for following, output, base in (
        ([[1, 0], [0, 0]], [[0, 1], [1, 1]], 2),
        ([[0, 0, 0]], [[1, 0, 2]], 3),
    ):
        with pytest.raises(TaskError, match="never end"):
            task_from_machine(MealyMachine(following, output), "t", base=base)


def test_a_width_counts_the_digits_of_every_operand() -> None:
    task = TASKS["add"](base=3)
    assert width_of(task, [-4, 1]) == (max(count_digits(v, 3, signed=True) for v in (-4, 1)), True)
