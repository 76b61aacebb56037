"""The passes of any cell, derived from its recorded step by reverse mode.

Forwards every operation of the record is run once a step, those of the letters alone once for all
steps. Backwards operations are met in reverse: each adds to the derivatives by what it read. Most
of that costs nothing: the derivative by a term of a sum is that by the sum, so both are one array,
and slopes of activations are multiplied in place.

Source: A. Griewank and A. Walther, Evaluating Derivatives (2008), chapter 3. We bind all operations
to their arrays beforehand, so that a pass is a list of calls.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, final

import numpy as np

from seqarith.cells.activations import Operation, activation
from seqarith.cells.cell import Array, Arrays
from seqarith.cells.declaration import mistakes_of
from seqarith.cells.recording import READOUT_BIAS, READOUT_WEIGHT, Sizes, Step, exported_name
from seqarith.cells.steps import (
    ACTIVATIONS,
    INPUT,
    LETTER_ONLY,
    MEMORY,
    NAMED,
    Shape,
    arguments,
    reads,
)
from seqarith.cells.tapes.operations import at_once, gradient, group
from seqarith.cells.tapes.training import READOUT, Extent, Tape, Training

if TYPE_CHECKING:
    from seqarith.cells.cell import Cell

PASSED_ON = ("add", "shift", *ACTIVATIONS)
"""Operations whose derivative, in place, is that by what they read."""


@final
class DerivedTraining(Training):
    """The training of a recorded step: its kernels are the arrays of the model file.

    Args:
        cell: The cell.
        sizes: Widths of the first layer.
        layers: Number of layers.
        step: The record of them all.
    """

    def __init__(self, cell: Cell, sizes: Sizes, layers: int, step: Step) -> None:
        self._cell, self._sizes, self._layers, self._step = cell, sizes, layers, step
        self._shapes = cell.shapes(sizes, layers)

    def kernels(self) -> dict[str, Shape]:
        return dict(self._shapes)

    def initialise(self, kernels: Arrays, rng: np.random.Generator) -> None:
        for layer in range(self._layers):
            sizes = self._sizes.of_layer(layer)
            names = self._cell.parameters(sizes)
            arrays = {name: kernels[exported_name(name, layer)] for name in names}
            with mistakes_of(self._cell, "initialise"):
                self._cell.initialise(arrays, sizes, rng)

    def pack(self, arrays: Arrays, kernels: Arrays) -> None:
        for name in self._shapes:
            kernels[name][...] = arrays[name]

    def unpack(self, kernels: Arrays) -> dict[str, Array]:
        return {name: kernels[name] for name in self._shapes}

    def tape(self, kernels: Arrays, gradients: Arrays, extent: Extent) -> Tape:
        return DerivedTape(self._step, kernels, gradients, extent)


class _Place:
    """Where a derivative is kept: an array for all steps, and how far back it is written.

    Args:
        array: Shape (..., T, width, B).
        back: 1 where a step writes that by the memory before it, else 0.
        summed: Whether something is there already, that more is added to.
        exclusive: Whether it belongs to one value alone, so that it may be multiplied in place.
    """

    def __init__(
        self, array: Array, back: int = 0, summed: bool = False, exclusive: bool = True
    ) -> None:
        self.array, self.back, self.summed, self.exclusive = array, back, summed, exclusive

    def part(self, first: int, last: int) -> _Place:
        return _Place(self.array[..., first:last, :], self.back, self.summed)

    def at(self, t: int) -> Array:
        return self.array[..., t - self.back, :, :]


@final
class DerivedTape(Tape):
    """Buffers for every value of every step; see the module."""

    def __init__(self, step: Step, kernels: Arrays, gradients: Arrays, extent: Extent) -> None:
        self._operations, self._widths = step.operations, step.widths
        self._numbered = list(enumerate(step.operations, 2))
        self._result = len(self._operations) + 1
        self._extent, self._steps, self._hidden = extent, extent.steps, extent.hidden
        self._kinds = reads(step.operations)
        self._dtype = next(iter(kernels.values())).dtype
        self._one = np.array(1, self._dtype)
        self._arrays = _named(kernels, self._hidden)
        self._gradients = _named(gradients, self._hidden)
        self._readers: dict[int, list[int]] = {n: [] for n in range(self._result + 1)}
        for number, operation in self._numbered:
            for value in arguments(operation):
                self._readers[value].append(number)
        memory = step.memory
        self._memory = self._buffer(memory, extent.steps + 1)
        after = self._memory[..., 1:, :, :]
        noisy = extent.noisy
        self._clean = self._buffer(memory) if noisy else after
        self.noise = self._buffer(memory) if noisy else None
        self._values: dict[int, Array] = {}
        self._place_values()
        self._by_memory = self._buffer(memory)
        self._places: dict[int, _Place] = {}
        self._passed: set[tuple[int, int]] = set()  # operations that hand on their place
        self._place_derivatives()
        self._slopes, self._group = self._make_slopes()
        self._scratch: dict[tuple[int, int], Array] = {}

        self.inputs = np.swapaxes(self._values[INPUT], -1, -2)
        self.hidden = after[..., : self._hidden, :]
        self.clean = self._clean[..., : self._hidden, :]
        self.hidden_gradient = self._by_memory[..., : self._hidden, :]

    @property
    def rest(self) -> Array:
        return self._memory[..., 1:, self._hidden :, :]

    def rest_gradient(self) -> Array:
        return self._by_memory[..., self._hidden :, :]

    def clear(self) -> list[Operation]:
        rest = self.rest_gradient()
        return [partial(rest.fill, 0)] if rest.size else []

    # ---------------------------------------------------------------- forwards

    def _buffer(self, width: int, steps: int | None = None) -> Array:
        extent = self._extent
        shape = (*extent.leading, self._steps if steps is None else steps, width, extent.batch)
        return np.zeros(shape, self._dtype)

    def _place_values(self) -> None:
        """Make the arrays of all values: parts of others where that saves copying."""
        values = self._values
        values[INPUT], values[MEMORY] = self._buffer(self._widths[INPUT]), self._memory
        values[self._result] = self._clean
        # From the last to the first: a value that only a later one needs shares its array.
        for number, operation in reversed(self._numbered):
            if number not in values and operation[0] != "take":
                values[number] = self._buffer(self._widths[number])
            whole = values.get(number)
            if whole is None:
                continue
            if operation[0] == "join":
                self._place_parts(operation, whole)
            elif operation[0] in PASSED_ON or operation[0] == "subtract":
                for value in arguments(operation):
                    if self._may_share(number, value):
                        values[value] = whole
                        break
        for number, operation in self._numbered:
            if operation[0] == "take" and number not in values:
                values[number] = values[operation[1]][..., operation[2] : operation[3], :]

    def _place_parts(self, join: tuple[Any, ...], whole: Array) -> None:
        begin = 0
        for value in arguments(join):
            end = begin + self._widths[value]
            own = value > MEMORY and self._operations[value - 2][0] != "take"
            if own and value not in self._values:
                self._values[value] = whole[..., begin:end, :]
            begin = end

    def _may_share(self, number: int, value: int) -> bool:
        """Return whether an operation may write over a value, which nothing else reads."""
        if value in self._values or value <= MEMORY or self._readers[value] != [number]:
            return False
        letter = self._kinds[value] == LETTER_ONLY
        kind = self._operations[value - 2][0]
        return kind in ("linear", "add", "subtract", "shift") and letter == (
            self._kinds[number] == LETTER_ONLY
        )

    def step(self, t: int) -> list[Operation]:
        found: list[Operation] = []
        if t == 0:
            for number, operation in self._numbered:
                if self._kinds[number] == LETTER_ONLY:
                    found += self._forward(number, operation, lambda n: self._values[n])
        for number, operation in self._numbered:
            if self._kinds[number] != LETTER_ONLY:
                found += self._forward(number, operation, lambda n: self._values[n][..., t, :, :])
        if self.noise is not None:
            clean, noise = self._clean[..., t, :, :], self.noise[..., t, :, :]
            found.append(partial(np.add, clean, noise, self._memory[..., t + 1, :, :]))
        return found

    def _forward(
        self, number: int, operation: tuple[Any, ...], at: Callable[[int], Array]
    ) -> list[Operation]:
        """Return what computes an operation, for one step or for all."""
        kind, out = operation[0], at(number)
        read = [at(value) for value in arguments(operation)]
        if kind in ("take", "join"):
            return _moved(operation, read, out)
        if kind in NAMED:
            return [_by_array(kind, self._arrays[operation[2]], read[0], out)]
        if kind in ("tanh", "sigmoid"):
            return activation(kind, self._dtype).value(read[0], out)
        if kind == "relu":
            return [partial(np.maximum, read[0], 0, out=out)]
        return _blended(read, out) if kind == "blend" else [partial(_BINARY[kind], *read, out)]

    # --------------------------------------------------------------- backwards

    def _place_derivatives(self) -> None:
        """Decide for every value that depends on a parameter where the derivative by it is kept."""
        places = self._places
        places[MEMORY] = _Place(self._by_memory, back=1, summed=True)
        places[self._result] = _Place(self._by_memory, summed=True)
        for number, operation in self._numbered:  # parts of a value stand side by side in one array
            if self._is_parted(number):
                places.setdefault(number, _Place(self._buffer(self._widths[number])))
            if operation[0] == "take" and operation[1] in places and number != self._result:
                whole = operation[1]
                if whole == MEMORY or self._is_parted(whole):
                    places[number] = places[whole].part(*operation[2:])
        for number, operation in reversed(self._numbered):
            place = places.setdefault(number, _Place(self._buffer(self._widths[number])))
            if operation[0] == "join":
                self._place_parts_of(number, operation, place)
            elif operation[0] in PASSED_ON or operation[0] == "subtract":
                self._pass_on(number, operation, place)

    def _place_parts_of(self, number: int, join: tuple[Any, ...], place: _Place) -> None:
        begin = 0
        for value in arguments(join):
            end = begin + self._widths[value]
            alone = self._readers[value] == [number] or number == self._result
            if alone and value not in self._places:
                self._places[value] = place.part(begin, end)
            begin = end

    def _pass_on(self, number: int, operation: tuple[Any, ...], place: _Place) -> None:
        """Let what an operation reads have its place, if nothing else writes there."""
        if operation[0] in ACTIVATIONS and not place.exclusive:
            return
        read = arguments(operation)[:1] if operation[0] == "subtract" else arguments(operation)
        chosen = [
            (slot, value)
            for slot, value in enumerate(read)
            if self._readers[value] == [number] and value not in self._places
        ]
        for slot, value in chosen:
            exclusive = place.exclusive and len(chosen) == 1
            self._places[value] = _Place(place.array, place.back, exclusive=exclusive)
            self._passed.add((number, slot))

    def _is_parted(self, value: int) -> bool:
        """Return whether all that reads a value are takes, of parts that do not overlap."""
        if value <= MEMORY or value == self._result:
            return False
        takes = [self._operations[reader - 2] for reader in self._readers[value]]
        if not takes or any(take[0] != "take" for take in takes):
            return False
        covered = Counter(place for take in takes for place in range(take[2], take[3]))
        return max(covered.values()) == 1

    def _make_slopes(self) -> tuple[dict[int, Array], int]:
        """Return arrays for the slopes of activations of a group of steps, and its size."""
        chosen = [n for n, op in self._numbered if op[0] in ACTIVATIONS]
        each = sum(self._widths[n] for n in chosen) * self._extent.batch * self._dtype.itemsize
        size = at_once(self._steps, max(1, each))
        return {n: self._buffer(self._widths[n], size) for n in chosen}, size

    def step_back(self, t: int) -> list[Operation]:
        found = self._prepare(t)
        written: set[int] = set()
        for number, operation in reversed(self._numbered):
            if operation[0] == "take":
                found += self._back_to_whole(number, operation, t, written)
                continue
            for slot, value in enumerate(arguments(operation)):
                unused = value == INPUT or (value == MEMORY and t == 0)
                if not unused and not (self._before_first(value, t)):
                    found += self._back(number, operation, slot, t, written)
        return found

    def _before_first(self, value: int, t: int) -> bool:
        """Return whether a value is part of the first memory, which nothing depends on."""
        place = self._places.get(value)
        return place is not None and place.back > t

    def _prepare(self, t: int) -> list[Operation]:
        """Return what computes the slopes of a group of steps, when the last of them is met."""
        some = group(t, self._steps, self._group)
        if not some.stop:
            return []
        found: list[Operation] = []
        for number, slopes in self._slopes.items():
            kind, y = self._operations[number - 2][0], self._values[number][..., some, :, :]
            out = slopes[..., : some.stop - some.start, :, :]
            if kind == "relu":
                found.append(partial(np.greater, y, 0, out))
            else:
                found += activation(kind, self._dtype).derivative(y, out)
        return found

    def _back_to_whole(
        self, number: int, take: tuple[Any, ...], t: int, written: set[int]
    ) -> list[Operation]:
        """Return what adds the derivative by a part to that by the whole, if it is not there."""
        whole = take[1]
        if whole == INPUT or self._before_first(whole, t):
            return []
        place, part = self._places[whole], self._places[number].at(t)
        target = place.at(t)[..., take[2] : take[3], :]
        if _same(target, part):
            written.add(whole)
            return []
        cleared: list[Operation] = []
        if not place.summed and whole not in written:
            cleared.append(partial(place.at(t).fill, 0))
            written.add(whole)
        return [*cleared, partial(np.add, target, part, target)]

    def _back(
        self, number: int, operation: tuple[Any, ...], slot: int, t: int, written: set[int]
    ) -> list[Operation]:
        """Return what adds the derivative by one of the values that an operation reads."""
        value = arguments(operation)[slot]
        place, shared = self._places[value], (number, slot) in self._passed
        target = place.at(t)
        by = self._places[number].at(t)
        adds = (place.summed or value in written) and not shared
        written.add(value)
        kind = operation[0]
        if kind == "join":
            widths = [self._widths[each] for each in arguments(operation)]
            by = _parts(by, widths)[slot]
            if _same(by, target):
                return []
        if kind in ("add", "shift", "join") or (kind == "subtract" and slot == 0):
            if shared:
                return []
            return [partial(np.add, target, by, target) if adds else partial(np.copyto, target, by)]
        if kind == "subtract":
            less = partial(np.subtract, target, by, target)
            return [less if adds else partial(np.negative, by, target)]
        out = self._spare(target) if adds else target
        found = self._factor(number, operation, slot, t, by, out)
        return [*found, partial(np.add, target, out, target)] if adds else found

    def _factor(
        self, number: int, operation: tuple[Any, ...], slot: int, t: int, by: Array, out: Array
    ) -> list[Operation]:
        """Return what writes a derivative times a slope."""
        kind, read = operation[0], arguments(operation)

        def at(value: int) -> Array:
            return self._values[value][..., t, :, :]

        if kind in NAMED:
            array = self._arrays[operation[2]]
            if kind == "linear":
                return [_product(np.swapaxes(array, -1, -2), by, out)]
            return [partial(np.multiply, by, array[..., None], out)]
        if kind in ACTIVATIONS:
            return [partial(np.multiply, by, self._slopes[number][..., t % self._group, :, :], out)]
        if kind == "multiply":
            return [partial(np.multiply, by, at(read[1 - slot]), out)]
        z, h, n = (at(value) for value in read)
        if slot == 1:
            return [partial(np.multiply, by, z, out)]
        slope = (h, n) if slot == 0 else (self._one, z)
        return [partial(np.subtract, *slope, out), partial(np.multiply, by, out, out)]

    def _spare(self, like: Array) -> Array:
        """Return an array for what is added to something."""
        width = like.shape[-2], 0
        if width not in self._scratch:
            self._scratch[width] = np.empty(like.shape, self._dtype)
        return self._scratch[width]

    def finish(self) -> list[Operation]:
        found, seen = list[Operation](), {READOUT_WEIGHT, READOUT_BIAS}
        for number, operation in self._numbered:
            if operation[0] not in NAMED:
                continue
            name, by = operation[2], self._places[number].array
            target = self._gradients[name]
            out = np.empty(target.shape, self._dtype) if name in seen else target
            read = self._values[operation[1]][..., : self._steps, :, :]
            if operation[0] == "linear":
                found += self._weight_gradient(by, read, out)
            elif operation[0] == "shift":
                found.append(partial(np.add.reduce, by, (-3, -1), None, out))
            else:
                found.append(partial(_products, by, read, out))
            if name in seen:
                found.append(partial(np.add, target, out, target))
            seen.add(name)
        return found

    def _weight_gradient(self, by: Array, read: Array, out: Array) -> list[Operation]:
        if out.flags.c_contiguous or by.shape[-1] > 1:
            return gradient(by, read, out)
        whole = np.empty(out.shape, self._dtype)
        return [*gradient(by, read, whole), partial(np.copyto, out, whole)]


_BINARY: Mapping[str, Any] = {"add": np.add, "subtract": np.subtract, "multiply": np.multiply}


def _named(kernels: Arrays, hidden: int) -> dict[str, Array]:
    """Return kernels with the readout's two parts under the names that a step has for them."""
    found = {name: array for name, array in kernels.items() if name != READOUT}
    if READOUT in kernels:
        readout = kernels[READOUT]
        found[READOUT_WEIGHT] = np.swapaxes(readout[..., :hidden, :], -1, -2)
        if readout.shape[-2] > hidden:
            found[READOUT_BIAS] = readout[..., hidden, :]
    return found


def _moved(operation: tuple[Any, ...], read: list[Array], out: Array) -> list[Operation]:
    """Return what copies the parts of a take or a join that do not stand there already."""
    if operation[0] == "take":
        pairs = [(out, read[0][..., operation[2] : operation[3], :])]
    else:
        parts = _parts(out, [x.shape[-2] for x in read])
        pairs = list(zip(parts, read, strict=True))
    return [partial(np.copyto, part, x) for part, x in pairs if not _same(part, x)]


def _by_array(kind: str, array: Array, x: Array, out: Array) -> Operation:
    """Return a linear map, a shift or a scale, of one step or of all."""
    if kind == "linear":
        return _product(array[..., None, :, :] if x.ndim > array.ndim else array, x, out)
    column = array[..., None] if out.ndim <= array.ndim + 1 else array[..., None, :, None]
    return partial(np.add if kind == "shift" else np.multiply, x, column, out)


def _blended(read: list[Array], out: Array) -> list[Operation]:
    z, h, n = read
    return [
        partial(np.subtract, h, n, out),
        partial(np.multiply, z, out, out),
        partial(np.add, out, n, out),
    ]


def _product(left: Array, right: Array, out: Array) -> Operation:
    """Return a matrix product as an operation, by ``dot`` where that is allowed: it costs less."""
    if left.ndim == right.ndim == 2 and out.flags.c_contiguous:
        return partial(left.dot, right, out)
    return partial(np.matmul, left, right, out)


def _parts(whole: Array, widths: list[int]) -> list[Array]:
    ends = np.cumsum(widths).tolist()
    return [whole[..., e - w : e, :] for w, e in zip(widths, ends, strict=True)]


def _same(x: Array, y: Array) -> bool:
    """Return whether two arrays are the same numbers in memory."""
    return x.__array_interface__["data"] == y.__array_interface__["data"] and x.strides == y.strides


def _products(by: Array, read: Array, out: Array) -> None:
    """Write the sum over steps and words of elementwise products."""
    np.add.reduce(by * read, axis=(-3, -1), out=out)
