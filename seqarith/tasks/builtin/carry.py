"""The machine of sums: its states are the carries."""

from __future__ import annotations

import numpy as np

from seqarith.digits import to_digits
from seqarith.machine import MealyMachine, Table


def carry_machine(
    base: int, coefficients: tuple[int, ...], constant: int = 0, borrow: bool = False
) -> MealyMachine:
    """Return the machine of a sum of multiples of its operands and a constant.

    With s = carry + sum(coefficient * digit) it emits s mod base and carries floor(s / base); the
    constant is the first carry. The carry stays between the least and the greatest value of
    sum(coefficient * digit) / (base - 1), or approaches this range with every digit, so there are
    finitely many carries. No two are equivalent: if zeros follow, the outputs are the digits of the
    carry.

    Args:
        base: 2 to 16.
        coefficients: One for each operand.
        constant: The constant.
        borrow: Call a carry of -1 a borrow of 1.
    """
    digits = to_digits(np.arange(base ** len(coefficients)), len(coefficients), base=base)
    sums = np.array(coefficients) @ digits.astype(np.intp)

    def step(carry: int, totals: Table) -> tuple[list[int], Table]:
        following, symbols = np.divmod(totals + carry, base)
        return following.tolist(), symbols

    def name(carry: int) -> str:
        return f"borrow {-carry}" if borrow else f"carry {carry}"

    return MealyMachine.explore(constant, step, sums, base, name)
