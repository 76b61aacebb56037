"""Records a step: calls it once, with values that write down what is done with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple, final

from seqarith.cells.steps import (
    ACTIVATIONS,
    INPUT,
    MEMORY,
    NAMED,
    Operation,
    Shape,
    StepError,
    arguments,
    width,
    widths,
)

if TYPE_CHECKING:
    from seqarith.cells.cell import Cell


class Sizes(NamedTuple):
    """Widths of a layer: of its input D, its hidden vector H, and of the network's output K."""

    inputs: int
    hidden: int
    outputs: int


@final
@dataclass(frozen=True)
class Step:
    """A recorded step; see `seqarith.cells.steps`.

    Args:
        operations: The record.
        shapes: Shape of every array that it names.
        inputs: Width D of the input vector.
        memory: Width M of the memory.

    Raises:
        StepError: They are not a step.
    """

    operations: tuple[Operation, ...]
    shapes: Mapping[str, Shape]
    inputs: int
    memory: int

    def __post_init__(self) -> None:
        _ = self.widths

    def pruned(self) -> Step:
        """Return it with the arrays that it names alone."""
        used = {op[2] for op in self.operations if op[0] in NAMED}
        shapes = {name: shape for name, shape in self.shapes.items() if name in used}
        return Step(self.operations, shapes, self.inputs, self.memory)

    @cached_property
    def widths(self) -> list[int]:
        """Width of every value, the input's and the memory's first."""
        return widths(self.operations, self.shapes, self.inputs, self.memory)


@final
class Value:
    """A vector that a step computes: recorded, not known.

    ``+``, ``-`` and ``*`` work on two values of one width, elementwise.

    Attributes:
        width: How many numbers it has.
    """

    __slots__ = ("_recorder", "number", "width")

    def __init__(self, recorder: Recorder, number: int, width: int) -> None:
        self._recorder, self.number, self.width = recorder, number, width

    def __add__(self, other: Value) -> Value:
        return self._recorder.add("add", self, other)

    def __sub__(self, other: Value) -> Value:
        return self._recorder.add("subtract", self, other)

    def __mul__(self, other: Value) -> Value:
        return self._recorder.add("multiply", self, other)

    def __bool__(self) -> bool:
        raise TypeError("a step is recorded once, so it cannot branch on values")


@final
class Recorder:
    """The list that grows while a step is called."""

    def __init__(self, shapes: Mapping[str, Shape], inputs: int, memory: int) -> None:
        self.shapes = shapes
        self._widths, self._operations = [inputs, memory], list[Operation]()
        self._known: dict[Operation, Value] = {}
        self.input, self.memory = Value(self, INPUT, inputs), Value(self, MEMORY, memory)

    def add(self, kind: str, *parts: Value | str | int) -> Value:
        """Record an operation; one that was recorded before is the same value."""
        operation: Operation = (kind, *(p.number if isinstance(p, Value) else p for p in parts))
        if operation not in self._known:
            self._operations.append(operation)
            self._widths.append(width(operation, self.shapes, self._widths))
            self._known[operation] = self._value(len(self._widths) - 1)
        return self._known[operation]

    def take(self, value: Value, first: int, last: int) -> Value:
        """Record a part of a value; a whole, or a part of a join, is what it is."""
        if (first, last) == (0, value.width):
            return value
        operation = self._operations[value.number - 2] if value.number > MEMORY else ("memory",)
        if operation[0] == "join":
            parts = [self._value(number) for number in operation[1:]]
            ends = list(accumulate(part.width for part in parts))
            for part, end in zip(parts, ends, strict=True):
                if (end - part.width, end) == (first, last):
                    return part
        return self.add("take", value, first, last)

    def _value(self, number: int) -> Value:
        return Value(self, number, self._widths[number])

    def finish(self, result: Value) -> Step:
        """Return the record whose last value is the result; what it does not need is left out.

        Operations are ordered by level, activations last of each: so those of a level stand side by
        side, and can be computed at once.
        """
        needed, levels = {result.number}, [0, 0]
        for operation in self._operations:
            levels.append(1 + max(levels[value] for value in arguments(operation)))
        for number in range(len(self._widths) - 1, MEMORY, -1):
            if number in needed:
                needed.update(arguments(self._operations[number - 2]))
        kept = [n for n in sorted(needed) if n > MEMORY and n != result.number]
        kept.sort(key=lambda n: (levels[n], self._operations[n - 2][0] in ACTIVATIONS))
        if result.number > MEMORY:
            kept.append(result.number)
        place = {INPUT: INPUT, MEMORY: MEMORY} | {n: i + 2 for i, n in enumerate(kept)}
        operations = [_renumbered(self._operations[n - 2], place) for n in kept]
        if result.number <= MEMORY:
            operations.append(("take", result.number, 0, result.width))
        return Step(tuple(operations), self.shapes, *self._widths[:2]).pruned()


def _renumbered(operation: Operation, place: Mapping[int, int]) -> Operation:
    read = arguments(operation)
    return (operation[0], *(place[value] for value in read), *operation[1 + len(read) :])


@final
class Operations:
    """What a step is written in: the operations, and the arrays of its layer by name.

    Args:
        recorder: Where they are recorded.
        layer: Number of the layer, from 0.
        hidden: Width H of the hidden vector.
    """

    def __init__(self, recorder: Recorder, layer: int, hidden: int) -> None:
        self._recorder, self._layer, self._hidden = recorder, layer, hidden

    def has(self, name: str) -> bool:
        """Return whether the cell has an array of that name."""
        return exported_name(name, self._layer) in self._recorder.shapes

    def linear(self, x: Value, weight: str, bias: str = "") -> Value:
        """Return W x, plus b where a bias is named and the cell has it."""
        product = self._recorder.add("linear", x, exported_name(weight, self._layer))
        return self.shift(product, bias) if bias and self.has(bias) else product

    def shift(self, x: Value, bias: str) -> Value:
        """Return x + b."""
        return self._recorder.add("shift", x, exported_name(bias, self._layer))

    def scale(self, x: Value, weight: str) -> Value:
        """Return w * x, elementwise."""
        return self._recorder.add("scale", x, exported_name(weight, self._layer))

    def tanh(self, x: Value) -> Value:
        """Return the hyperbolic tangent of x."""
        return self._recorder.add("tanh", x)

    def sigmoid(self, x: Value) -> Value:
        """Return 1 / (1 + exp(-x))."""
        return self._recorder.add("sigmoid", x)

    def relu(self, x: Value) -> Value:
        """Return max(x, 0)."""
        return self._recorder.add("relu", x)

    def blend(self, z: Value, h: Value, n: Value) -> Value:
        """Return n + z (h - n): h where z is 1, n where it is 0."""
        return self._recorder.add("blend", z, h, n)

    def split(self, x: Value, *shares: int) -> list[Value]:
        """Return x in equal parts, ``split(x, 3)``, or in proportion, ``split(x, 2, 1)``."""
        parts = shares if len(shares) > 1 else [1] * shares[0]
        unit, rest = divmod(x.width, sum(parts))
        if rest:
            raise StepError(f"{x.width} numbers cannot be split into {sum(parts)} equal parts")
        ends = list(accumulate(unit * part for part in parts))
        return [
            self._recorder.take(x, end - unit * part, end)
            for part, end in zip(parts, ends, strict=True)
        ]

    def join(self, *parts: Value) -> Value:
        """Return values one after the other."""
        return self._recorder.add("join", *parts)

    def logits(self) -> Value:
        """Return the network's logits before this step: what the readout makes of its memory."""
        recorder = self._recorder
        hidden = recorder.take(recorder.memory, 0, self._hidden)
        logits = recorder.add("linear", hidden, READOUT_WEIGHT)
        has_bias = READOUT_BIAS in recorder.shapes
        return recorder.add("shift", logits, READOUT_BIAS) if has_bias else logits


READOUT_WEIGHT, READOUT_BIAS = "readout.weight", "readout.bias"


def exported_name(name: str, layer: int) -> str:
    """Return the name of a layer's array in a model file, which is PyTorch's."""
    return f"rnn.{name}_l{layer}"


def record(cell: Cell, sizes: Sizes, layers: int, shapes: Mapping[str, Shape]) -> Step:
    """Call a cell's step once for every layer and return what was recorded.

    The memory of the last layer comes first, since the readout reads the first H numbers.

    Args:
        cell: The cell.
        sizes: Widths of the first layer.
        layers: Their number.
        shapes: Shape of every array of the network.

    Raises:
        StepError: The step does what it cannot do.
    """
    width = cell.width(sizes.hidden)
    recorder = Recorder(shapes, sizes.inputs, layers * width)
    after, x = list[Value](), recorder.input
    for layer in range(layers):
        place = layers - 1 - layer
        before = recorder.take(recorder.memory, place * width, (place + 1) * width)
        found = cell.step(Operations(recorder, layer, sizes.hidden), x, before)
        if not isinstance(found, Value) or found.width != width:
            raise StepError(
                f"the step of cell {cell.name!r} returns "
                f"{found.width if isinstance(found, Value) else type(found).__name__}; "
                f"expected a value of {width} numbers"
            )
        after.append(found)
        x = recorder.take(found, 0, sizes.hidden)
    return recorder.finish(after[0] if layers == 1 else recorder.add("join", *reversed(after)))
