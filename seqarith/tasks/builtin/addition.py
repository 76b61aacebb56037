"""Sums and differences; the machine remembers the carry."""

from __future__ import annotations

from seqarith.tasks.builtin.carry import carry_machine
from seqarith.tasks.parameters import Base, Operands, check_letters, task_factory
from seqarith.tasks.task import Range, Task


@task_factory
def add(base: Base = 2, operands: Operands = 2) -> Task:
    """Add integers; the machine remembers the carry.

    Finite-state because the digits read so far affect the digits to come only through the carry,
    0 .. operands - 1. The sum of two n-digit operands has n + 1 digits, so nothing wraps. Negative
    operands work by sign extension.

    Raises:
        TaskError: A value is out of range.

    Example:
        >>> task = add()
        >>> task.reference(200, 100), task.machine.states, task.natural_layout(8).steps
        (300, 2, 9)
    """
    check_letters(base, operands)
    return Task(
        name="add",
        notation=" + ".join(["{}"] * operands),
        operands=operands,
        reference=lambda *values: sum(values),
        bounds=lambda *ranges: (sum(low for low, _ in ranges), sum(high for _, high in ranges)),
        machine=carry_machine(base, (1,) * operands),
        base=base,
    )


@task_factory
def sub(base: Base = 2, operands: Operands = 2) -> Task:
    """Subtract integers from the first one; the machine remembers the borrow.

    Finite-state because only the borrow is remembered. The result is signed, in base complement
    (two's complement for base 2), one digit longer than the operands.

    Raises:
        TaskError: A value is out of range.

    Example:
        >>> task = sub()
        >>> task.reference(3, 5), task.machine.names
        (-2, ('borrow 0', 'borrow 1'))
    """
    check_letters(base, operands)
    return Task(
        name="sub",
        notation=" - ".join(["{}"] * operands),
        operands=operands,
        reference=lambda first, *rest: first - sum(rest),
        bounds=_difference_bounds,
        machine=carry_machine(base, (1,) + (-1,) * (operands - 1), borrow=True),
        base=base,
    )


def _difference_bounds(first: Range, *rest: Range) -> Range:
    return first[0] - sum(high for _, high in rest), first[1] - sum(low for low, _ in rest)
