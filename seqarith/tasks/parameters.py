"""What the parameters of tasks may be."""

from __future__ import annotations

from seqarith.digits import BASES
from seqarith.errors import TaskError
from seqarith.tasks.task import MAX_LETTERS

MAX_OPERANDS = 16


def check_base(base: int) -> None:
    """Refuse a base that digits cannot have.

    Raises:
        TaskError: ``base`` is not 2 to 16.
    """
    if type(base) is not int or base not in BASES:
        raise TaskError(f"base {base} is not supported; choose one from 2 to 16")


def check_operands(base: int, operands: int, most: int = MAX_OPERANDS) -> None:
    """Refuse a number of operands, or so large an alphabet, that no machine is made for.

    Raises:
        TaskError: There are fewer than 2 operands, or more than ``most``, or too many letters.
    """
    check_base(base)
    if type(operands) is not int or not 2 <= operands <= most:
        raise TaskError(f"{operands} operands: expected 2 to {most}")
    if base**operands > MAX_LETTERS:
        raise TaskError(
            f"{operands} operands in base {base} are {base**operands} letters; "
            f"an alphabet has at most {MAX_LETTERS}. Take fewer operands or a smaller base"
        )


def check_integer(name: str, value: int, low: int, high: int) -> None:
    """Refuse a parameter that is out of range.

    Raises:
        TaskError: ``value`` is no integer from ``low`` to ``high``.
    """
    if type(value) is not int or not low <= value <= high:
        raise TaskError(f"{name} {value}: expected an integer from {low} to {high}")


def check_order(order: str) -> None:
    """Refuse an order of digits that does not exist.

    Raises:
        TaskError: ``order`` is neither ``"least"`` nor ``"most"``.
    """
    if order not in ("least", "most"):
        raise TaskError(f"order {order}: expected least or most (significant digit first)")
