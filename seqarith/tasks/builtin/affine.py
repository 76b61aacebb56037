"""Multiples and constants; like sums, they need only a carry."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from seqarith.schema import Integer
from seqarith.tasks.builtin.carry import carry_machine
from seqarith.tasks.parameters import Base, task_factory
from seqarith.tasks.task import Range, Task

MAX_FACTOR = 64
"""Largest factor: the states grow with it."""
MAX_CONSTANT = 10**6
_FACTOR, _CONSTANT = Integer(-MAX_FACTOR, MAX_FACTOR), Integer(-MAX_CONSTANT, MAX_CONSTANT)


@task_factory
def neg(base: Base = 2) -> Task:
    """Negate an integer; the machine remembers the borrow.

    Finite-state because -a is 0 - a: one borrow travels from digit to digit. The result is signed.

    Raises:
        TaskError: The base is out of range.

    Example:
        >>> task = neg()
        >>> task.equation([37], task.reference(37)), task.machine.names
        ('-(37) = -37', ('borrow 0', 'borrow 1'))
    """
    return Task(
        name="neg",
        notation="-({})",
        operands=1,
        reference=lambda a: -a,
        bounds=lambda a: (-a[1], -a[0]),
        machine=carry_machine(base, (-1,), borrow=True),
        base=base,
    )


@task_factory
def increment(base: Base = 2) -> Task:
    """Add one; the machine remembers the carry.

    Finite-state because the 1 is the initial carry: it travels through digits that are base - 1
    and disappears at the first other digit.

    Raises:
        TaskError: The base is out of range.

    Example:
        >>> task = increment()
        >>> task.reference(255), task.machine.names
        (256, ('carry 1', 'carry 0'))
    """
    return Task(
        name="increment",
        notation="{} + 1",
        operands=1,
        reference=lambda a: a + 1,
        bounds=lambda a: (a[0] + 1, a[1] + 1),
        machine=carry_machine(base, (1,), 1),
        base=base,
    )


@task_factory
def scale(
    base: Base = 2, factor: Annotated[int, _FACTOR, "What the operand is multiplied by."] = 3
) -> Task:
    """Multiply by a constant; the machine remembers a carry below the factor.

    Finite-state because the constant is fixed: if the carry is below the factor, digit times
    factor plus carry is below factor times base, so the next carry is below the factor again. A
    product of two operands has no such bound: see ``mul``.

    Raises:
        TaskError: A value is out of range.

    Example:
        >>> task = scale(factor=5)
        >>> task.reference(37), task.machine.states, task.machine.names[-1]
        (185, 5, 'carry 4')
    """
    return Task(
        name="scale",
        notation=f"{factor} * {{}}",
        operands=1,
        reference=lambda a: factor * a,
        bounds=lambda a: _ends(factor * x for x in a),
        machine=carry_machine(base, (factor,)),
        base=base,
        parameters={"factor": factor},
    )


@task_factory
def linear(
    base: Base = 2,
    c1: Annotated[int, _FACTOR, "Factor of the first operand."] = 2,
    c2: Annotated[int, _FACTOR, "Factor of the second operand."] = -1,
    c0: Annotated[int, _CONSTANT, "The constant."] = 1,
) -> Task:
    """Add multiples of two operands and a constant; the machine remembers the carry.

    Finite-state because the coefficients are fixed and bound the carry. The constant is the carry
    before the first digit. Carries may be negative.

    Raises:
        TaskError: A value is out of range.

    Example:
        >>> task = linear(c1=2, c2=-3, c0=5)
        >>> task.formula, task.equation((10, 9), task.reference(10, 9))
        ('2*a - 3*b + 5', '2*10 - 3*9 + 5 = -2')
    """
    return Task(
        name="linear",
        notation=_notation(c1, c2, c0),
        operands=2,
        reference=lambda a, b: c1 * a + c2 * b + c0,
        bounds=lambda a, b: _ends(c1 * x + c2 * y + c0 for x in a for y in b),
        machine=carry_machine(base, (c1, c2), c0),
        base=base,
        parameters={"c1": c1, "c2": c2, "c0": c0},
    )


def _ends(values: Iterable[int]) -> Range:
    """Return the range of a linear function from its values at the corners of the ranges."""
    least, *_, greatest = sorted(values)
    return least, greatest


def _notation(c1: int, c2: int, c0: int) -> str:
    first = "{}" if c1 == 1 else f"{c1}*{{}}"
    second = "{}" if abs(c2) == 1 else f"{abs(c2)}*{{}}"
    constant = f" {'-' if c0 < 0 else '+'} {abs(c0)}" if c0 else ""
    return f"{first} {'-' if c2 < 0 else '+'} {second}{constant}"
