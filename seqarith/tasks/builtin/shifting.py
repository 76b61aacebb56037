"""Shifts of digits, and the average, which is a shifted sum."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from seqarith.digits import to_digits
from seqarith.errors import TaskError
from seqarith.machine import MealyMachine, Table
from seqarith.schema import Integer
from seqarith.tasks.parameters import BASE, Base, task_factory
from seqarith.tasks.task import Task

MAX_PLACES = 16
MAX_STATES = 4096
Places = Annotated[
    int,
    Integer(-MAX_PLACES, MAX_PLACES),
    f"Digits to shift to the left; ``base**places`` states are at most {MAX_STATES:,}.",
]


@task_factory
def shift(base: Base = 2, places: Places = 1) -> Task:
    """Shift an integer by some digits, to the left, or to the right for negative places.

    A shift to the left multiplies by ``base**places``: finite-state because the machine remembers
    only the last ``places`` digits. A shift to the right divides and rounds down: the machine
    remembers nothing and drops the first digits, which is a delay.

    Raises:
        TaskError: A value is out of range.

    Example:
        >>> task = shift(places=2)
        >>> task.equation([37], task.reference(37)), task.machine.states
        ('37 << 2 = 148', 4)
        >>> task = shift(places=-2)
        >>> task.equation([37], task.reference(37)), task.machine.states, task.delay
        ('37 >> 2 = 9', 1, 2)
    """
    left, right = max(places, 0), max(-places, 0)
    if base**left > MAX_STATES:
        raise TaskError(
            f"places {places} in base {base} take {base**left} states; at most {MAX_STATES} are "
            "made. Take fewer places or a smaller base"
        )
    return Task(
        name="shift",
        notation=_shift_notation(base, places),
        operands=1,
        reference=lambda a: a * base**left // base**right,
        bounds=lambda a: (a[0] * base**left // base**right, a[1] * base**left // base**right),
        machine=_queue_machine(base, left),
        base=base,
        delay=right,
        parameters={"places": places},
    )


@task_factory
def average(base: Annotated[int, BASE, "Base of the digits, even."] = 2) -> Task:
    """Take the average of two integers, rounded down.

    Finite-state with a delay of one step: half of a digit of the sum is known once the next digit
    of the sum is known to be even or odd. The machine remembers half of the last digit and the
    carry. In an odd base, a half depends on digits at any distance.

    Raises:
        TaskError: The base is odd or out of range.

    Example:
        >>> task = average()
        >>> task.equation((37, 58), task.reference(37, 58)), task.delay, task.machine.states
        ('(37 + 58) // 2 = 47', 1, 2)
    """
    if base % 2:
        raise TaskError(
            f"base {base} is odd: half of a number then depends on digits at any distance; "
            "'average' takes even bases"
        )
    sums = to_digits(np.arange(base**2), 2, base=base).astype(np.intp).sum(axis=0)

    def step(state: tuple[int, int], sums: Table) -> tuple[list[tuple[int, int]], Table]:
        carry, half = state
        carries, digits = np.divmod(sums + carry, base)
        halves, odd = np.divmod(digits, 2)
        following = list(zip(carries.tolist(), halves.tolist(), strict=True))
        return following, half + base // 2 * odd

    def name(state: tuple[int, int]) -> str:
        return f"carry {state[0]}" if base == 2 else f"carry {state[0]}, half {state[1]}"

    return Task(
        name="average",
        notation="({} + {}) // 2",
        operands=2,
        reference=lambda a, b: (a + b) // 2,
        bounds=lambda a, b: ((a[0] + b[0]) // 2, (a[1] + b[1]) // 2),
        machine=MealyMachine.explore((0, 0), step, sums, base, name),
        base=base,
        delay=1,
    )


def _queue_machine(base: int, places: int) -> MealyMachine:
    """Return the machine that emits the digit that it read ``places`` steps before."""

    def step(queue: tuple[int, ...], digits: Table) -> tuple[list[tuple[int, ...]], Table]:
        lines = [(*queue, digit) for digit in digits.tolist()]
        return [line[1:] for line in lines], np.array([line[0] for line in lines])

    def name(queue: tuple[int, ...]) -> str:
        return "waiting: " + (" ".join(map(str, queue)) or "nothing")

    return MealyMachine.explore((0,) * places, step, np.arange(base), base, name)


def _shift_notation(base: int, places: int) -> str:
    if base == 2:
        return f"{{}} {'<<' if places >= 0 else '>>'} {abs(places)}"
    return f"{{}} {'*' if places >= 0 else '//'} {base}**{abs(places)}"
