"""Logic on the bits of integers, digit by digit, without a memory."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from operator import and_, or_, xor
from typing import Annotated

import numpy as np

from seqarith.digits import count_digits, to_digits
from seqarith.errors import TaskError
from seqarith.machine import MealyMachine
from seqarith.tasks.parameters import BASE, Base, Operands, check_letters, task_factory
from seqarith.tasks.task import Range, Task

BitBase = Annotated[int, BASE, "Base of the digits, which are groups of bits: 2, 4, 8 or 16."]


@task_factory
def bitwise_and(base: BitBase = 2, operands: Operands = 2) -> Task:
    """Take the bits that are set in all operands; the machine remembers nothing.

    Finite-state with one state because every digit of the result depends only on the digits at its
    own place. A digit of base 4, 8 or 16 is a group of bits; in other bases, digits do not match
    bits. Negative operands are two's complement, as in Python.

    Raises:
        TaskError: A value is out of range.

    Example:
        >>> task = bitwise_and()
        >>> task.equation((37, 58), task.reference(37, 58)), task.machine.states
        ('37 & 58 = 32', 1)
    """
    return _bitwise("and", "&", and_, base, operands)


@task_factory
def bitwise_or(base: BitBase = 2, operands: Operands = 2) -> Task:
    """Take the bits that are set in any operand; the machine remembers nothing.

    Finite-state with one state, for the reason of ``and``.

    Raises:
        TaskError: A value is out of range.

    Example:
        >>> bitwise_or().reference(37, 58)
        63
    """
    return _bitwise("or", "|", or_, base, operands)


@task_factory
def bitwise_xor(base: BitBase = 2, operands: Operands = 2) -> Task:
    """Take the bits that are set in an odd number of operands; the machine remembers nothing.

    Finite-state with one state, for the reason of ``and``.

    Raises:
        TaskError: A value is out of range.

    Example:
        >>> bitwise_xor().reference(37, 58)
        31
    """
    return _bitwise("xor", "^", xor, base, operands)


@task_factory
def bitwise_not(base: Base = 2) -> Task:
    """Take the complement of every digit, which is -a - 1; the machine remembers nothing.

    Finite-state with one state because every digit d becomes base - 1 - d. The leading zeros of a
    natural all become base - 1, so the result is negative, in base complement.

    Raises:
        TaskError: The base is out of range.

    Example:
        >>> task = bitwise_not()
        >>> task.equation([37], task.reference(37)), task.natural_layout(8).steps
        ('~37 = -38', 9)
    """
    return Task(
        name="not",
        notation="~{}",
        operands=1,
        reference=lambda a: ~a,
        bounds=lambda a: (~a[1], ~a[0]),
        machine=MealyMachine([[0] * base], [range(base)[::-1]], base, names=("nothing",)),
        base=base,
    )


def _bitwise(
    name: str, sign: str, operation: Callable[[int, int], int], base: int, operands: int
) -> Task:
    check_letters(base, operands)
    if base not in (2, 4, 8, 16):
        raise TaskError(
            f"base {base}: its digits are not groups of bits; {name!r} takes base 2, 4, 8 or 16"
        )
    digits = to_digits(np.arange(base**operands), operands, base=base).astype(np.intp)
    # NumPy's operators on digits are Python's on integers.
    symbols = reduce(operation, digits)
    return Task(
        name=name,
        notation=f" {sign} ".join(["{}"] * operands),
        operands=operands,
        reference=lambda *values: reduce(operation, values),
        bounds=_bits,
        machine=MealyMachine(
            np.zeros((1, base**operands), np.intp), [symbols], base, names=("nothing",)
        ),
        base=base,
    )


def _bits(*ranges: Range) -> Range:
    """Return the range of integers with as many bits as the operands."""
    signed = any(low < 0 for low, _ in ranges)
    bits = max(count_digits(value, signed=signed) for pair in ranges for value in pair)
    return (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
