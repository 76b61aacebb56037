"""The record of a step: the list of operations that takes a memory to the next one.

A cell writes its step once (`seqarith.cells.cell.Cell.step`). Calling it once gives this record,
and everything runs the record: predictions, training, proofs, the checker, the page. Value 0 is
the input vector (D,), value 1 the memory (M,); each operation adds a value, and the last one is
the next memory.

=============================== =========================================================
operation                       value
=============================== =========================================================
``("linear", x, name)``         W x, for the array W of that name, shape (P, N)
``("shift", x, name)``          x + b, for the array b of that name, shape (N,)
``("scale", x, name)``          w * x elementwise, for the array w of that name, shape (N,)
``("add", x, y)``               x + y
``("subtract", x, y)``          x - y
``("multiply", x, y)``          x * y elementwise
``("tanh", x)``                 tanh(x)
``("sigmoid", x)``              1 / (1 + exp(-x))
``("relu", x)``                 max(x, 0)
``("blend", z, h, n)``          n + z (h - n)
``("take", x, first, last)``    the entries of x from ``first`` to before ``last``
``("join", x, y, ...)``         x, y, ... one after the other
=============================== =========================================================

`widths` is a part of the trusted checker: it says which lists are records at all.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Operation = tuple[Any, ...]
Shape = tuple[int, ...]

INPUT, MEMORY = 0, 1
ARITY = {
    "linear": 1, "shift": 1, "scale": 1, "add": 2, "subtract": 2, "multiply": 2,
    "tanh": 1, "sigmoid": 1, "relu": 1, "blend": 3, "take": 1,
}  # fmt: skip
NAMED = ("linear", "shift", "scale")
ACTIVATIONS = ("tanh", "sigmoid", "relu")
MOST, WIDEST = 2000, 2**20
"""Operations of a record, and numbers of a value, at most."""

LETTER_ONLY, MEMORY_ONLY = frozenset({INPUT}), frozenset({MEMORY})
"""What parts of a step may depend on; the other parts depend on both."""


class StepError(ValueError):
    """A list of operations is not a step."""


def arguments(operation: Operation) -> tuple[int, ...]:
    """Return the values that an operation reads."""
    kind = operation[0]
    found: tuple[int, ...] = operation[1:] if kind == "join" else operation[1 : 1 + ARITY[kind]]
    return found


def widths(
    operations: Sequence[Operation], shapes: Mapping[str, Shape], inputs: int, memory: int
) -> list[int]:
    """Return the width of every value, the input's and the memory's first.

    Args:
        operations: The record: tuples of text and integers.
        shapes: Shape of every array by name.
        inputs: Width D of the input vector.
        memory: Width M of the memory.

    Raises:
        StepError: An operation is unknown, reads a value that is not there yet, or arrays or values
            that do not fit; or the last value is not as wide as the memory.
    """
    found = [inputs, memory]
    if not 0 < len(operations) <= MOST:
        raise StepError(f"a step of {len(operations)} operations: expected 1 to {MOST}")
    for number, operation in enumerate(operations):
        try:
            found.append(width(operation, shapes, found))
        except StepError as error:
            raise StepError(f"operation {number} of the step: {error}") from None
    if found[-1] != memory:
        raise StepError(f"a step returns {found[-1]} numbers; the memory has {memory}")
    return found


def width(operation: Operation, shapes: Mapping[str, Shape], known: Sequence[int]) -> int:
    """Return the width of what an operation computes, from those of the values before it.

    Raises:
        StepError: It is none, or does not fit.
    """
    kind = operation[0] if operation and type(operation[0]) is str else ""
    if kind != "join" and kind not in ARITY:
        raise StepError(f"unknown operation {kind!r:.40}: known are {', '.join(ARITY)}, join")
    extra = 1 if kind in NAMED else 2 if kind == "take" else 0
    if len(operation) < 2 or (kind != "join" and len(operation) != 1 + ARITY[kind] + extra):
        raise StepError(f"{kind} of {len(operation) - 1} arguments")
    for value in arguments(operation):
        if type(value) is not int or not 0 <= value < len(known):
            raise StepError(f"{kind} reads a value that is not known yet")
    read = [known[value] for value in arguments(operation)]
    if kind == "join":
        if sum(read) > WIDEST:
            raise StepError(f"join of more than {WIDEST} numbers")
        return sum(read)
    if kind == "take":
        first, last = operation[2:]
        if not (type(first) is type(last) is int and 0 <= first < last <= read[0]):
            raise StepError(f"take of entries that {read[0]} numbers do not have")
        return last - first
    if kind in NAMED:
        return _named(kind, operation[2], shapes, read[0])
    if len(set(read)) > 1:
        raise StepError(f"{kind} of {' and '.join(map(str, read))} numbers")
    return read[0]


def _named(kind: str, name: Any, shapes: Mapping[str, Shape], width: int) -> int:
    shape = shapes.get(name) if type(name) is str else None
    if shape is None:
        raise StepError(f"{kind} by an array that is not there")
    if len(shape) != (2 if kind == "linear" else 1) or shape[-1] != width:
        raise StepError(f"{kind} of {width} numbers by the array {name!r:.80} of shape {shape}")
    return shape[0]


def reads(operations: Sequence[Operation]) -> list[frozenset[int]]:
    """Return for every value which of `INPUT` and `MEMORY` it depends on.

    What depends on the letter alone is computed once for all words, what depends on the memory
    alone once for all letters.
    """
    found = [LETTER_ONLY, MEMORY_ONLY]
    for operation in operations:
        found.append(frozenset().union(*(found[value] for value in arguments(operation))))
    return found


def batches(operations: Sequence[Operation], kinds: Sequence[str]) -> Iterator[list[int]]:
    """Yield the numbers of operations in their order, in runs that can be done at once.

    A run is one operation, or several in a row of some kinds none of which reads another of them.
    """
    run: list[int] = []
    for number, operation in enumerate(operations):
        joins = run and operation[0] in kinds and operations[run[0]][0] in kinds
        if joins and max(arguments(operation)) < run[0] + 2:
            run.append(number)
            continue
        if run:
            yield run
        run = [number]
    if run:
        yield run
