"""Division by a constant; the machine remembers the remainder."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from seqarith.machine import MealyMachine, Table
from seqarith.schema import Integer
from seqarith.tasks.parameters import Base, DigitOrder, task_factory
from seqarith.tasks.task import Task

MAX_DIVISOR = 64
"""Largest divisor: the states grow with it, in `mod` by its square."""
Divisor = Annotated[int, Integer(2, MAX_DIVISOR), "What the operand is divided by."]


@task_factory
def divide(base: Base = 2, divisor: Divisor = 3) -> Task:
    """Divide a natural by a constant, rounding down, most significant digit first.

    Finite-state because it is long division: the machine remembers a remainder below the divisor.
    Least significant digit first it is not finite-state: the first digit of the quotient depends
    on digits at any distance. The operand is a natural: the first digit of a word cannot
    distinguish a large natural from a negative number.

    Raises:
        TaskError: A value is out of range.

    Example:
        >>> task = divide(divisor=7)
        >>> task.equation([37], task.reference(37)), task.machine.states
        ('37 // 7 = 5', 7)
    """

    def step(remainder: int, digits: Table) -> tuple[list[int], Table]:
        symbols, following = np.divmod(remainder * base + digits, divisor)
        return following.tolist(), symbols

    return Task(
        name="divide",
        notation=f"{{}} // {divisor}",
        operands=1,
        reference=lambda a: a // divisor,
        bounds=lambda a: (a[0] // divisor, a[1] // divisor),
        machine=MealyMachine.explore(0, step, np.arange(base), base, "remainder {}".format),
        base=base,
        order="most",
        parameters={"divisor": divisor},
        negative=False,
    )


@task_factory
def mod(base: Base = 2, divisor: Divisor = 3, order: DigitOrder = "most") -> Task:
    """Take the remainder of a natural by a constant.

    Finite-state because the machine remembers only a remainder r: most significant digit first,
    the next remainder is (base * r + digit) mod divisor. Least significant digit first, it must
    also remember the remainder of the power of the base, one of finitely many. The operand is a
    natural, since the value of a sign depends on the length of the word.

    Raises:
        TaskError: A value is out of range.

    Example:
        >>> task = mod(divisor=7)
        >>> task.equation([37], task.reference(37)), task.machine.states
        ('37 mod 7 = 2', 7)
        >>> mod(divisor=7, order="least").machine.states
        21
    """
    machine = _from_most(base, divisor) if order == "most" else _from_least(base, divisor)
    return Task(
        name="mod",
        notation=f"{{}} mod {divisor}",
        operands=1,
        reference=lambda a: a % divisor,
        bounds=lambda a: (0, divisor - 1),
        machine=machine.minimised(),  # base and divisor may have a factor in common
        base=base,
        order=order,
        result="symbol",
        symbols=tuple(map(str, range(divisor))),
        parameters={"divisor": divisor, "order": order},
        negative=False,
    )


def _from_most(base: int, divisor: int) -> MealyMachine:
    def step(remainder: int, digits: Table) -> tuple[list[int], Table]:
        following = (remainder * base + digits) % divisor
        return following.tolist(), following

    return MealyMachine.explore(0, step, np.arange(base), divisor, "remainder {}".format)


def _from_least(base: int, divisor: int) -> MealyMachine:
    """Return the machine whose states are a remainder and the remainder of the next power."""

    def step(state: tuple[int, int], digits: Table) -> tuple[list[tuple[int, int]], Table]:
        remainder, power = state
        following = (remainder + power * digits) % divisor
        return [(r, power * base % divisor) for r in following.tolist()], following

    def name(state: tuple[int, int]) -> str:
        return f"remainder {state[0]}, a digit counts {state[1]}"

    return MealyMachine.explore((0, 1), step, np.arange(base), divisor, name)
