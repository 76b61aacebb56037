"""Codes of integers: Gray code and its inverse, and parity."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from seqarith.digits import count_digits, from_digits, to_digits
from seqarith.machine import MealyMachine, Step, Table
from seqarith.tasks.parameters import Base, task_factory
from seqarith.tasks.task import Task


@task_factory
def gray(base: Base = 2) -> Task:
    """Turn an integer into its Gray code; the machine remembers the last digit.

    Digit i of the code is (a_i - a_(i+1)) mod base, so that consecutive integers differ in one
    digit; in base 2 it is a xor a // 2. Finite-state with a delay of one step: the machine must
    read one digit ahead. A negative integer has the code of the natural ~a.

    Raises:
        TaskError: The base is out of range.

    Example:
        >>> task = gray()
        >>> [task.reference(a) for a in range(8)]
        [0, 1, 3, 2, 6, 7, 5, 4]
        >>> task.delay, task.machine.states
        (1, 2)
    """

    def step(last: int, digits: Table) -> tuple[list[int], Table]:
        return digits.tolist(), (last - digits) % base

    return _code("gray", base, _gray, step, delay=1)


@task_factory
def ungray(base: Base = 2) -> Task:
    """Turn a Gray code back into its integer, most significant digit first.

    Finite-state because digit i is (g_i + a_(i+1)) mod base: the machine remembers the last digit
    of its output. Least significant digit first, every digit would depend on all digits that
    follow. The operand is a natural, as every code is.

    Raises:
        TaskError: The base is out of range.

    Example:
        >>> task = ungray()
        >>> [task.reference(code) for code in (0, 1, 3, 2, 6, 7, 5, 4)]
        [0, 1, 2, 3, 4, 5, 6, 7]
    """

    def step(last: int, digits: Table) -> tuple[list[int], Table]:
        following = (last + digits) % base
        return following.tolist(), following

    return _code("ungray", base, _ungray, step, order="most", negative=False)


@task_factory
def parity(base: Base = 2) -> Task:
    """Tell whether the sum of a natural's digits is even or odd: in base 2, the number of ones.

    Finite-state with two states: the sum so far is even or odd. The operand is a natural, since a
    negative number has infinitely many digits that are not zero.

    Raises:
        TaskError: The base is out of range.

    Example:
        >>> task = parity()
        >>> task.equation([37], task.reference(37)), task.machine.names
        ('parity of 37 = odd', ('even', 'odd'))
    """
    names = ("even", "odd")
    rows = [[(state + digit) % 2 for digit in range(base)] for state in range(2)]
    return Task(
        name="parity",
        notation="parity of {}",
        operands=1,
        reference=lambda a: int(to_digits(a, count_digits(a, base), base=base).sum()) % 2,
        bounds=lambda a: (0, 1),
        machine=MealyMachine(rows, rows, 2, names=names),
        base=base,
        result="symbol",
        symbols=names,
        negative=False,
    )


def _code(
    name: str, base: int, code: Callable[[int, int], int], step: Step[int], **options: Any
) -> Task:
    """Return the task of a code that maps digits to as many digits."""
    return Task(
        name=name,
        notation=f"{name}({{}})",
        operands=1,
        reference=lambda a: code(a, base),
        bounds=lambda a: (0, base ** max(count_digits(value, base) for value in a) - 1),
        machine=MealyMachine.explore(0, step, np.arange(base), base, "last digit {}".format),
        base=base,
        **options,
    )


def _gray(value: int, base: int) -> int:
    if base == 2:
        return value ^ (value >> 1)
    digits = to_digits(value, count_digits(value, base, signed=True) + 1, base=base)
    code: list[int] = (-np.diff(digits.astype(int)) % base).tolist()
    return from_digits(code, base=base)


def _ungray(value: int, base: int) -> int:
    code = to_digits(value, count_digits(value, base), base=base, order="most")
    digits: list[int] = (np.cumsum(code, dtype=int) % base).tolist()
    return from_digits(digits, base=base, order="most")
