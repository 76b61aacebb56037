"""Comparisons; the machine remembers which operand is ahead."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated

import numpy as np

from seqarith.digits import to_digits
from seqarith.machine import MealyMachine, Table
from seqarith.schema import Integer
from seqarith.tasks.parameters import Base, DigitOrder, check_letters, task_factory
from seqarith.tasks.task import Task

RELATIONS = ("<", "=", ">")
MAX_LEADERS = 5
"""Most operands of `maximum`: every set of them that may be ahead is a state."""
Leaders = Annotated[int, Integer(2, MAX_LEADERS), "Number of operands."]


@task_factory
def compare(base: Base = 2, order: DigitOrder = "least") -> Task:
    """Tell whether the first of two naturals is less, equal or greater.

    Finite-state because only the result so far matters: least significant digit first, the last
    pair of different digits decides; most significant digit first, the first pair decides.
    Operands are naturals: in a word, the highest digit of a large natural looks like the sign of a
    negative number.

    Raises:
        TaskError: A value is out of range.

    Example:
        >>> task = compare()
        >>> task.equation((37, 58), task.reference(37, 58)), task.machine.states
        ('37 ? 58 : <', 3)
    """
    first, second = to_digits(np.arange(base**2), 2, base=base).astype(np.intp)
    verdicts = np.sign(first - second) + 1

    def step(verdict: int, verdicts: Table) -> tuple[list[int], Table]:
        if order == "most":
            following = verdicts if verdict == 1 else np.full_like(verdicts, verdict)
        else:
            following = np.where(verdicts == 1, verdict, verdicts)
        return following.tolist(), following

    return Task(
        name="compare",
        notation="{} ? {}",
        operands=2,
        reference=lambda a, b: (a > b) - (a < b) + 1,
        bounds=lambda a, b: (0, 2),
        machine=MealyMachine.explore(1, step, verdicts, 3, RELATIONS.__getitem__),
        base=base,
        order=order,
        result="symbol",
        symbols=RELATIONS,
        parameters={"order": order},
        negative=False,
        equals=" :",
    )


@task_factory
def maximum(base: Base = 2, operands: Leaders = 2) -> Task:
    """Take the largest of several naturals, most significant digit first.

    Finite-state because the machine remembers only which operands are ahead (equal so far): one
    state for each possible set. Least significant digit first it is not finite-state: the first
    digit of the result depends on the last digits of the operands. Operands are naturals: the
    first digit of a word cannot distinguish a large natural from a negative number.

    Raises:
        TaskError: A value is out of range.

    Example:
        >>> task = maximum()
        >>> task.reference(37, 58), task.machine.names
        (58, ('ahead: a b', 'ahead: a', 'ahead: b'))
    """
    return _extreme("max", max, 1, base, operands)


@task_factory
def minimum(base: Base = 2, operands: Leaders = 2) -> Task:
    """Take the smallest of several naturals, most significant digit first.

    Finite-state for the reason of ``max``.

    Raises:
        TaskError: A value is out of range.

    Example:
        >>> minimum(operands=3).reference(37, 58, 21)
        21
    """
    return _extreme("min", min, -1, base, operands)


def _extreme(
    name: str, choose: Callable[[Iterable[int]], int], sign: int, base: int, operands: int
) -> Task:
    check_letters(base, operands)
    return Task(
        name=name,
        notation=f"{name}({', '.join(['{}'] * operands)})",
        operands=operands,
        reference=lambda *values: choose(values),
        bounds=lambda *ranges: (
            choose(low for low, _ in ranges),
            choose(high for _, high in ranges),
        ),
        machine=_leader_machine(base, operands, sign),
        base=base,
        order="most",
        negative=False,
    )


def _leader_machine(base: int, operands: int, sign: int) -> MealyMachine:
    """Return the machine whose states are the sets of operands that are equal and ahead so far.

    With sign 1 the larger operands are ahead, with -1 the smaller ones.
    """
    digits = to_digits(np.arange(base**operands), operands, base=base).astype(np.intp).T

    def step(ahead: frozenset[int], letters: Table) -> tuple[list[frozenset[int]], Table]:
        those = sorted(ahead)
        contest = sign * digits[:, those]
        best = contest.max(axis=1)
        left = [
            frozenset(k for k, digit in zip(those, row, strict=True) if digit == top)
            for row, top in zip(contest.tolist(), best.tolist(), strict=True)
        ]
        return left, sign * best

    def name(ahead: frozenset[int]) -> str:
        return "ahead: " + " ".join("abcde"[k] for k in sorted(ahead))

    letters = np.arange(base**operands)
    return MealyMachine.explore(frozenset(range(operands)), step, letters, base, name)
