"""Record a step: call it once, with values that record the operations on them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import NamedTuple, NoReturn, final

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
from seqarith.registry import unknown
from seqarith.text import shortened

NO_CONSTANTS = (
    'a step has no constants: z h + (1 - z) n is o.blend(z, h, n), and o.shift(x, "b") and '
    'o.scale(x, "w") add and multiply numbers that are trained'
)


class Sizes(NamedTuple):
    """Widths of a layer: of its input D, its hidden vector H, and of the network's output K."""

    inputs: int
    hidden: int
    outputs: int

    def of_layer(self, layer: int) -> Sizes:
        """Return the sizes of a layer, from 0: each but the first reads the hidden vector below."""
        return self._replace(inputs=self.hidden) if layer else self


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
        StepError: The operations are not a step.
    """

    operations: tuple[Operation, ...]
    shapes: Mapping[str, Shape]
    inputs: int
    memory: int

    def __post_init__(self) -> None:
        _ = self.widths

    def pruned(self) -> Step:
        """Return the step with only the arrays that it names."""
        used = {op[2] for op in self.operations if op[0] in NAMED}
        shapes = {name: shape for name, shape in self.shapes.items() if name in used}
        return Step(self.operations, shapes, self.inputs, self.memory)

    @cached_property
    def widths(self) -> list[int]:
        """Width of every value, the input's and the memory's first."""
        return widths(self.operations, self.shapes, self.inputs, self.memory)


def _refusing(message: str) -> Callable[..., NoReturn]:
    """Return a method that always raises a StepError."""

    def refuse(*_: object, **__: object) -> NoReturn:
        raise StepError(message)

    return refuse


@final
class Value:
    """A vector in a step that is being recorded; it has a width, but no numbers.

    ``+``, ``-`` and ``*`` work elementwise on two values of the same width. Every other operator of
    Python is refused.

    Attributes:
        width: Number of entries.
    """

    __slots__ = ("number", "recorder", "width")

    def __init__(self, recorder: Recorder, number: int, width: int) -> None:
        self.recorder, self.number, self.width = recorder, number, width

    def __add__(self, other: Value) -> Value:
        return self.recorder.add("add", self, other)

    def __sub__(self, other: Value) -> Value:
        return self.recorder.add("subtract", self, other)

    def __mul__(self, other: Value) -> Value:
        return self.recorder.add("multiply", self, other)

    # Python calls these only if the left operand is not a value; `Recorder.add` refuses it.
    __radd__, __rsub__, __rmul__ = __add__, __sub__, __mul__

    __bool__ = __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __hash__ = _refusing(
        "a step is recorded once, so it cannot branch on values, nor compare them"
    )
    __neg__ = __truediv__ = __pow__ = __matmul__ = __abs__ = __float__ = _refusing(
        "values have the operators +, - and *, and all else is an operation: o.linear, o.tanh, ..."
    )
    __getitem__ = _refusing("take a part of a value by o.split(x, 3) or o.split(x, 2, 1)")
    __array__ = __array_ufunc__ = __array_function__ = _refusing(
        f"NumPy cannot compute with a value: use the operations, as o.tanh(x); {NO_CONSTANTS}"
    )


@final
class Recorder:
    """The list of operations that grows while a step is called."""

    def __init__(self, shapes: Mapping[str, Shape], inputs: int, memory: int) -> None:
        self.shapes = shapes
        self._widths, self._operations = [inputs, memory], list[Operation]()
        self._known: dict[Operation, Value] = {}
        self.input, self.memory = Value(self, INPUT, inputs), Value(self, MEMORY, memory)

    def add(self, kind: str, *values: Value, rest: tuple[str | int, ...] = ()) -> Value:
        """Record an operation; the same operation on the same values is recorded once."""
        for value in values:
            self.check(kind, value)
        operation: Operation = (kind, *(value.number for value in values), *rest)
        if operation not in self._known:
            self._widths.append(width(operation, self.shapes, self._widths))
            self._operations.append(operation)
            self._known[operation] = self._value(len(self._widths) - 1)
        return self._known[operation]

    def check(self, kind: str, value: object) -> None:
        """Refuse an operand that is not a value of this record."""
        if not isinstance(value, Value):
            raise StepError(f"{kind} of {shortened(repr(value), 30)}: {NO_CONSTANTS}")
        if value.recorder is not self:
            raise StepError(f"{kind} of a value of an earlier call: a step keeps nothing")

    def take(self, value: Value, first: int, last: int) -> Value:
        """Return a part of a value: recorded, unless it is the whole or an operand of a join."""
        if (first, last) == (0, value.width):
            return value
        operation = self._operations[value.number - 2] if value.number > MEMORY else ("memory",)
        if operation[0] == "join":
            parts = [self._value(number) for number in operation[1:]]
            ends = list(accumulate(part.width for part in parts))
            for part, end in zip(parts, ends, strict=True):
                if (end - part.width, end) == (first, last):
                    return part
        return self.add("take", value, rest=(first, last))

    def _value(self, number: int) -> Value:
        return Value(self, number, self._widths[number])

    def finish(self, result: Value) -> Step:
        """Return the record that ends with the result, without operations that it does not need.

        Operations are sorted by level, activations last in each. So the activations of a level are
        adjacent, and can be computed together.
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
    """The operations that a step is written in; they take the arrays of its layer by name.

    Args:
        recorder: The recorder.
        names: The names of the layer's arrays, each with its name in a model file.
        hidden: Width H of the hidden vector.
        bias: Whether the cell has biases; if not, `linear` ignores them.
    """

    def __init__(
        self, recorder: Recorder, names: Mapping[str, str], hidden: int, bias: bool
    ) -> None:
        self._recorder, self._names, self._hidden, self._bias = recorder, names, hidden, bias

    def __getattr__(self, name: str) -> NoReturn:
        known = [key for key in vars(Operations) if key[0] != "_"]
        raise AttributeError(unknown("operation", name, known))

    def has(self, name: str) -> bool:
        """Return whether the cell has an array of that name."""
        return name in self._names

    def linear(self, x: Value, weight: str, bias: str = "") -> Value:
        """Return W x, or W x + b.

        A bias that the cell does not declare is ignored if the option ``bias`` is off.
        """
        product = self._by_array("linear", x, weight)
        passed_over = isinstance(bias, str) and not (bias and (self._bias or self.has(bias)))
        return product if passed_over else self.shift(product, bias)

    def shift(self, x: Value, bias: str) -> Value:
        """Return x + b."""
        return self._by_array("shift", x, bias)

    def scale(self, x: Value, weight: str) -> Value:
        """Return w * x, elementwise."""
        return self._by_array("scale", x, weight)

    def _by_array(self, kind: str, x: Value, name: str) -> Value:
        if not isinstance(name, str):
            known = ", ".join(self._names)
            raise StepError(f"{kind} by {type(name).__name__}: expected the name of one of {known}")
        if name not in self._names:
            raise StepError(unknown("array", name, list(self._names)))
        return self._recorder.add(kind, x, rest=(self._names[name],))

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
        self._recorder.check("split", x)
        if not shares or any(type(share) is not int or share < 1 for share in shares):
            shown = shortened(repr(shares), 40)
            raise StepError(f"split into {shown}: expected o.split(x, 3) or o.split(x, 2, 1)")
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
        """Return the network's logits before this step: the readout of the memory."""
        recorder = self._recorder
        hidden = recorder.take(recorder.memory, 0, self._hidden)
        logits = recorder.add("linear", hidden, rest=(READOUT_WEIGHT,))
        biased = READOUT_BIAS in recorder.shapes
        return recorder.add("shift", logits, rest=(READOUT_BIAS,)) if biased else logits


READOUT_WEIGHT, READOUT_BIAS = "readout.weight", "readout.bias"


def exported_name(name: str, layer: int) -> str:
    """Return the name of a layer's array in a model file: the same as in PyTorch."""
    return f"rnn.{name}_l{layer}"
