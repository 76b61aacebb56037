"""The passes of any cell, derived from its recorded step by reverse mode.

The forward pass runs every operation of the record once per step, and those that depend on letters
alone once for all steps. The backward pass goes through the operations in reverse: each adds to the
derivatives by its operands. Most of that is free: the derivative by a term of a sum equals the
derivative by the sum, so both share an array, and slopes of activations are multiplied in place.

Source: A. Griewank and A. Walther, Evaluating Derivatives (2008), chapter 3. We bind all operations
to their arrays in advance, so that a pass is a list of calls.
"""

from __future__ import annotations

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
    NAMED,
    Shape,
    arguments,
)
from seqarith.cells.tapes.forward import forward, parts, same
from seqarith.cells.tapes.operations import at_once, gradient, group, product
from seqarith.cells.tapes.placement import Placement
from seqarith.cells.tapes.training import READOUT, Extent, Tape, Training

if TYPE_CHECKING:
    from seqarith.cells.cell import Cell


@final
class DerivedTraining(Training):
    """The training of a recorded step: its kernels are the arrays of the model file.

    Args:
        cell: The cell.
        sizes: Widths of the first layer.
        layers: Number of layers.
        step: The record of all layers.
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


@final
class DerivedTape(Tape):
    """Buffers for every value of every step, see `Placement`, and the operations on them."""

    def __init__(self, step: Step, kernels: Arrays, gradients: Arrays, extent: Extent) -> None:
        self._operations, self._widths = step.operations, step.widths
        self._extent, self._steps, self._hidden = extent, extent.steps, extent.hidden
        self._dtype = next(iter(kernels.values())).dtype
        self._one = np.array(1, self._dtype)
        self._arrays = _named(kernels, self._hidden)
        self._gradients = _named(gradients, self._hidden)
        self._placement = placement = Placement(step, extent, self._dtype)
        self._numbered, self._kinds = placement.numbered, placement.kinds
        self._values, self._places = placement.values, placement.places
        self._slopes, self._group = self._make_slopes()
        self._scratch: dict[int, Array] = {}

        width = self._hidden
        self.inputs = np.swapaxes(self._values[INPUT], -1, -2)
        self.hidden = placement.memory[..., 1:, :width, :]
        self.clean = placement.clean[..., :width, :]
        self.hidden_gradient = placement.by_memory[..., :width, :]
        self.noise = placement.buffer(step.memory) if extent.noisy else None

    @property
    def rest(self) -> Array:
        return self._placement.memory[..., 1:, self._hidden :, :]

    def rest_gradient(self) -> Array:
        return self._placement.by_memory[..., self._hidden :, :]

    def clear(self) -> list[Operation]:
        rest = self.rest_gradient()
        return [partial(rest.fill, 0)] if rest.size else []

    def step(self, t: int) -> list[Operation]:
        found: list[Operation] = []
        for number, operation in self._numbered:
            letter = self._kinds[number] == LETTER_ONLY
            if letter and t > 0:
                continue  # computed in the first step for all steps
            values = (self._values[n] for n in (number, *arguments(operation)))
            out, *read = values if letter else (value[..., t, :, :] for value in values)
            found += forward(operation, read, out, self._arrays)
        if self.noise is not None:
            clean, after = self._placement.clean, self._placement.memory[..., 1:, :, :]
            found.append(partial(np.add, *(m[..., t, :, :] for m in (clean, self.noise, after))))
        return found

    def _make_slopes(self) -> tuple[dict[int, Array], int]:
        """Return arrays for the slopes of activations of a group of steps, and its size."""
        chosen = [n for n, op in self._numbered if op[0] in ACTIVATIONS]
        each = sum(self._widths[n] for n in chosen) * self._extent.batch * self._dtype.itemsize
        size = at_once(self._steps, max(1, each))
        return {n: self._placement.buffer(self._widths[n], size) for n in chosen}, size

    def step_back(self, t: int) -> list[Operation]:
        found = self._prepare(t)
        written: set[int] = set()
        for number, operation in reversed(self._numbered):
            if operation[0] == "take":
                found += self._back_to_whole(number, operation, t, written)
                continue
            for slot, value in enumerate(arguments(operation)):
                if not self._is_constant(value, t):
                    found += self._back(number, operation, slot, t, written)
        return found

    def _is_constant(self, value: int, t: int) -> bool:
        """Return whether a value is input or initial memory, which no parameter changes."""
        return value == INPUT or self._places[value].back > t

    def _prepare(self, t: int) -> list[Operation]:
        """Return operations that compute the slopes of a group of steps, at its last step."""
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
        """Return operations that add the derivative by a part to the derivative by the whole.

        None if both are the same memory.
        """
        whole = take[1]
        if self._is_constant(whole, t):
            return []
        place, part = self._places[whole], self._places[number].at(t)
        target = place.at(t)[..., take[2] : take[3], :]
        if same(target, part):
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
        """Return operations that add the derivative by one operand of an operation."""
        value = arguments(operation)[slot]
        place, shared = self._places[value], (number, slot) in self._placement.passed
        target = place.at(t)
        by = self._places[number].at(t)
        adds = (place.summed or value in written) and not shared
        written.add(value)
        kind = operation[0]
        if kind == "join":
            widths = [self._widths[each] for each in arguments(operation)]
            by = parts(by, widths)[slot]
            if same(by, target):
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
        """Return operations that write ``by`` times the slope of an operation by one operand."""
        kind = operation[0]
        read = [self._values[value][..., t, :, :] for value in arguments(operation)]
        if kind in NAMED:
            array = self._arrays[operation[2]]
            if kind == "linear":
                return [product(np.swapaxes(array, -1, -2), by, out)]
            return [partial(np.multiply, by, array[..., None], out)]
        if kind in ACTIVATIONS:
            return [partial(np.multiply, by, self._slopes[number][..., t % self._group, :, :], out)]
        if kind == "multiply":
            return [partial(np.multiply, by, read[1 - slot], out)]
        # n + z (h - n): its derivatives are h - n by z, z by h, and 1 - z by n.
        z, h, n = read
        if slot == 1:
            return [partial(np.multiply, by, z, out)]
        slope = (h, n) if slot == 0 else (self._one, z)
        return [partial(np.subtract, *slope, out), partial(np.multiply, by, out, out)]

    def _spare(self, like: Array) -> Array:
        """Return a scratch array in the shape of another."""
        width = like.shape[-2]
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
                found += gradient(by, read, out)
            elif operation[0] == "shift":
                found.append(partial(np.add.reduce, by, (-3, -1), None, out))
            else:
                found.append(partial(_products, by, read, out))
            if name in seen:
                found.append(partial(np.add, target, out, target))
            seen.add(name)
        return found


def _named(kernels: Arrays, hidden: int) -> dict[str, Array]:
    """Return kernels, with the two parts of the readout under their names in a step."""
    found = {name: array for name, array in kernels.items() if name != READOUT}
    if READOUT in kernels:
        readout = kernels[READOUT]
        found[READOUT_WEIGHT] = np.swapaxes(readout[..., :hidden, :], -1, -2)
        if readout.shape[-2] > hidden:
            found[READOUT_BIAS] = readout[..., hidden, :]
    return found


def _products(by: Array, read: Array, out: Array) -> None:
    """Write the sum over steps and words of elementwise products."""
    np.add.reduce(by * read, axis=(-3, -1), out=out)
