"""The arrays for the values and derivatives of a recorded step; many values share one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, final

import numpy as np

from seqarith.cells.cell import Array
from seqarith.cells.recording import Step
from seqarith.cells.steps import (
    ACTIVATIONS,
    INPUT,
    LETTER_ONLY,
    MEMORY,
    Operation,
    arguments,
    reads,
)
from seqarith.cells.tapes.training import Extent

PASSED_ON = ("add", "shift", *ACTIVATIONS)
"""Operations whose derivative, in place, is the derivative by what they read."""


@final
class Place:
    """The array of a derivative for all steps, and how far back a step writes to it.

    Args:
        array: Shape (..., T, width, B).
        back: 1 where a step writes the derivative by the memory before it, else 0.
        summed: Whether the array already holds something, to which more is added.
        exclusive: Whether it belongs to one value alone, so that it may be multiplied in place.
    """

    def __init__(
        self, array: Array, back: int = 0, summed: bool = False, exclusive: bool = True
    ) -> None:
        self.array, self.back, self.summed, self.exclusive = array, back, summed, exclusive

    def part(self, first: int, last: int) -> Place:
        """Return the place of some of the entries."""
        return Place(self.array[..., first:last, :], self.back, self.summed)

    def at(self, t: int) -> Array:
        """Return the array of step t, shape (..., width, B)."""
        return self.array[..., t - self.back, :, :]


@final
class Placement:
    """Arrays for every value of every step, and for the derivative by it.

    Args:
        step: The record.
        extent: What the arrays are made for.
        dtype: Type of the numbers.

    Attributes:
        numbered: Every operation with the number of its value.
        result: Number of the last value, the next memory.
        kinds: What each value depends on, see `seqarith.cells.steps.reads`.
        memory: Memories with their noise, the initial one first, shape (..., T + 1, M, B).
        clean: Memories after each step without noise, shape (..., T, M, B).
        values: Shape (..., T, width, B) each, by number.
        by_memory: The derivative by the memories after each step, shape (..., T, M, B).
        places: Of the derivatives, by the number of the value.
        passed: Operations that hand on their place: the number, and which of the values it reads.
    """

    def __init__(self, step: Step, extent: Extent, dtype: np.dtype[Any]) -> None:
        self._extent, self._dtype = extent, dtype
        self._operations, self.widths = step.operations, step.widths
        self.numbered = list(enumerate(step.operations, 2))
        self.result = len(step.operations) + 1
        self.kinds = reads(step.operations)
        self._readers: dict[int, list[int]] = {n: [] for n in range(self.result + 1)}
        for number, operation in self.numbered:
            for value in arguments(operation):
                self._readers[value].append(number)
        self.memory = self.buffer(step.memory, extent.steps + 1)
        self.clean = self.buffer(step.memory) if extent.noisy else self.memory[..., 1:, :, :]
        self.values: dict[int, Array] = {}
        self._place_values()
        self.by_memory = self.buffer(step.memory)
        self.places: dict[int, Place] = {}
        self.passed: set[tuple[int, int]] = set()
        self._place_derivatives()

    def buffer(self, width: int, steps: int | None = None) -> Array:
        """Return zeros of shape (..., steps, width, B), for all T steps by default."""
        steps = self._extent.steps if steps is None else steps
        return np.zeros((*self._extent.leading, steps, width, self._extent.batch), self._dtype)

    def _place_values(self) -> None:
        """Make the arrays of all values, as parts of others where that saves copying."""
        values = self.values
        values[INPUT], values[MEMORY] = self.buffer(self.widths[INPUT]), self.memory
        values[self.result] = self.clean
        # From last to first: a value that only one later value needs shares its array.
        for number, operation in reversed(self.numbered):
            if operation[0] == "take" and number not in values:
                continue
            whole = values.setdefault(number, self.buffer(self.widths[number]))
            if operation[0] == "join":
                for value, first, last in self._spans(operation):
                    own = value > MEMORY and self._operations[value - 2][0] != "take"
                    if own and value not in values:
                        values[value] = whole[..., first:last, :]
            elif operation[0] in PASSED_ON or operation[0] == "subtract":
                for value in arguments(operation):
                    if self._may_share(number, value):
                        values[value] = whole
                        break
        for number, operation in self.numbered:
            if operation[0] == "take" and number not in values:
                values[number] = values[operation[1]][..., operation[2] : operation[3], :]

    def _spans(self, join: Operation) -> Iterator[tuple[int, int, int]]:
        """Yield every value of a join with the range of its entries."""
        first = 0
        for value in arguments(join):
            yield value, first, first + self.widths[value]
            first += self.widths[value]

    def _may_share(self, number: int, value: int) -> bool:
        """Return whether an operation may overwrite a value, because nothing else reads it."""
        if value in self.values or value <= MEMORY or self._readers[value] != [number]:
            return False
        # Values that depend on letters alone are written once for all steps, so they stay apart.
        letter, own = (self.kinds[each] == LETTER_ONLY for each in (value, number))
        # The backward pass of these kinds does not read their value, so it may be overwritten.
        kind = self._operations[value - 2][0]
        return kind in ("linear", "add", "subtract", "shift") and letter == own

    def _place_derivatives(self) -> None:
        """Choose the array of the derivative by every value."""
        places = self.places
        places[MEMORY] = Place(self.by_memory, back=1, summed=True)
        places[self.result] = Place(self.by_memory, summed=True)
        for number, operation in self.numbered:  # parts of a value are slices of its array
            if self._is_parted(number):
                places.setdefault(number, Place(self.buffer(self.widths[number])))
            if operation[0] == "take" and operation[1] in places and number != self.result:
                whole = operation[1]
                if whole == MEMORY or self._is_parted(whole):
                    places[number] = places[whole].part(*operation[2:])
        for number, operation in reversed(self.numbered):
            place = places.setdefault(number, Place(self.buffer(self.widths[number])))
            if operation[0] == "join":
                for value, first, last in self._spans(operation):
                    alone = self._readers[value] == [number] or number == self.result
                    if alone and value not in places:
                        places[value] = place.part(first, last)
            elif operation[0] in PASSED_ON or operation[0] == "subtract":
                self._pass_on(number, operation, place)

    def _pass_on(self, number: int, operation: tuple[Any, ...], place: Place) -> None:
        """Give the operands of an operation its place, unless something else writes to theirs."""
        if operation[0] in ACTIVATIONS and not place.exclusive:
            return
        read = arguments(operation)[:1] if operation[0] == "subtract" else arguments(operation)
        chosen = [
            (slot, value)
            for slot, value in enumerate(read)
            if self._readers[value] == [number] and value not in self.places
        ]
        for slot, value in chosen:
            exclusive = place.exclusive and len(chosen) == 1
            self.places[value] = Place(place.array, place.back, exclusive=exclusive)
            self.passed.add((number, slot))

    def _is_parted(self, value: int) -> bool:
        """Return whether all readers of a value are takes, of parts that do not overlap."""
        if value <= MEMORY or value == self.result:
            return False
        takes = [self._operations[reader - 2] for reader in self._readers[value]]
        if not takes or any(take[0] != "take" for take in takes):
            return False
        covered = Counter(place for take in takes for place in range(take[2], take[3]))
        return max(covered.values()) == 1
