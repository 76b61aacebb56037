"""Programs of proved networks: products by additions, distances by comparisons and differences."""

from __future__ import annotations

from seqarith.compose.composition import Composition
from seqarith.compose.part import Part
from seqarith.errors import TaskError
from seqarith.model import Model


def multiply(adder: Model) -> Composition:
    """Multiply any two integers by shift-and-add, with every addition done by a network.

    Shifted operands are added in pairs, then the sums in pairs, and so on; all pairs of a round are
    run at once. Python's own arithmetic is used only for signs, shifts and masks.

    Args:
        adder: A model of ``add``, two operands, base 2.

    Raises:
        TaskError: The model is of another task.

    Example:
        >>> product = multiply(Model.shipped("add"))
        >>> product(-37, 58)
        -2146
    """
    _check(adder, "add", 2)
    return Composition(_multiply, "multiply", add=adder)


def distance(compare: Model, subtract: Model) -> Composition:
    """Return abs(a - b) of two naturals: one network compares them, one subtracts.

    Args:
        compare: A model of ``compare``.
        subtract: A model of ``sub``, two operands.

    Raises:
        TaskError: A model is of another task.
    """
    _check(compare, "compare", compare.task.base)
    _check(subtract, "sub", subtract.task.base)
    return Composition(_distance, "distance", compare=compare, subtract=subtract)


def _multiply(a: int, b: int, *, add: Part) -> int:
    if b < 0:
        a, b = -a, -b
    sums = [a if b >> place & 1 else 0 for place in range(max(1, b.bit_length()))]
    width = 1  # the sums are worth 1, 2**width, 2**(2 width), ...
    while len(sums) > 1:
        sums += [0] * (len(sums) % 2)
        low, high = sums[::2], sums[1::2]
        # The lowest `width` bits of the lower sum are added to zeros, so they are copied.
        added = add.many([(x >> width, y) for x, y in zip(low, high, strict=True)])
        mask = (1 << width) - 1
        sums = [(s << width) | (x & mask) for s, x in zip(added, low, strict=True)]
        width *= 2
    return sums[0]


def _distance(a: int, b: int, *, compare: Part, subtract: Part) -> int:
    return subtract(b, a) if compare(a, b) == 0 else subtract(a, b)  # 0 is the symbol "<"


def _check(model: Model, name: str, base: int) -> None:
    task = model.task
    if task.own or (task.name, task.operands, task.base) != (name, 2, base):
        raise TaskError(
            f"a model of {task.name}, {task.operands} operands, base {task.base}; expected one of "
            f"{name}, 2 operands, base {base}"
        )
