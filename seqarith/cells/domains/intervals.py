"""Intervals: bounds on the values of a step for boxes of memories, for the search for proofs.

Both bounds of a value are in one array, (2, ..., P): lower and upper. Letters are an axis: a value
that depends on the letter alone is (2, 1, A, P), on the memory alone (2, N, 1, P), on both
(2, N, A, P).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from seqarith.cells.recording import Step
from seqarith.cells.steps import INPUT, LETTER_ONLY, MEMORY, NAMED, Operation, arguments, reads

Array = NDArray[Any]
SIGNS = np.array([-1.0, 1.0])


@final
class Intervals:
    """A recorded step on boxes.

    Args:
        step: The record.
        arrays: The arrays that it names, in float64.
        vectors: The input vector of every letter, shape (A, D).
        epsilon: Relative rounding error of the program's number format.
        slack: An absolute error by which every bound is widened.
    """

    def __init__(
        self,
        step: Step,
        arrays: Mapping[str, Array],
        vectors: Array,
        epsilon: float,
        slack: float,
    ) -> None:
        self._step = step
        self._error = 12 * epsilon + slack
        self._ends = SIGNS[:, None, None, None] * self._error
        self._slack, self._gates = slack, _gates(step.operations)
        # A sum may have as many terms, in any order, as all products of the step together.
        named = [operation for operation in step.operations if operation[0] in NAMED]
        terms = sum(
            arrays[operation[2]].shape[-1] for operation in named if operation[0] == "linear"
        )
        self._relative = (terms + len(named) + 4) * epsilon
        self._arrays = arrays
        kinds = reads(step.operations)
        numbered = list(enumerate(step.operations, 2))
        self._later = [
            (n, self._operator(operation), arguments(operation))
            for n, operation in numbered
            if kinds[n] != LETTER_ONLY
        ]
        self._letters = {INPUT: np.stack((vectors, vectors))[:, None]}
        for n, operation in numbered:
            if kinds[n] == LETTER_ONLY:
                read = (self._letters[value] for value in arguments(operation))
                self._letters[n] = self._operator(operation)(*read)

    def boxes(self, lo: Array, hi: Array) -> tuple[Array, Array]:
        """Enclose the images of boxes (N, M) under every letter: bounds (N, A, M)."""
        values = {**self._letters, MEMORY: np.stack((lo, hi))[:, :, None]}
        for n, operator, read in self._later:
            values[n] = operator(*(values[value] for value in read))
        last = len(self._step.operations) + 1
        shape = (2, len(lo), self._letters[INPUT].shape[2], lo.shape[1])
        bounds = np.broadcast_to(values[last], shape)
        return bounds[0], bounds[1]

    def _operator(self, operation: Operation) -> Callable[..., Array]:
        """Return the function from the bounds that an operation reads to its own bounds."""
        kind = operation[0]
        if kind in NAMED:
            return self._by_array(kind, operation[2])
        if kind == "take":
            part = slice(operation[2], operation[3])
            return lambda x: x[..., part]
        gated = operation[1] in self._gates
        operators: dict[str, Callable[..., Array]] = {
            "add": np.add,
            "subtract": lambda x, y: x - y[::-1],
            "join": _joined,
            "tanh": self._tanh,
            "sigmoid": self._sigmoid,
            "relu": lambda x: self._widened(np.maximum(x, 0)),
            "multiply": self._rounded(_scaled if gated else _product),
            "blend": self._rounded(_mixed if gated else _blend),
        }
        return operators[kind]

    def _by_array(self, kind: str, name: str) -> Callable[[Array], Array]:
        array = self._arrays[name]
        if kind == "linear":
            return partial(
                self._linear,
                0.5 * array.T,
                0.5 * np.abs(array).T,
                self._relative * np.abs(array).sum(1),
            )
        if kind == "scale":
            return lambda x: np.sort(x * array, axis=0)
        shift = array + self._relative * SIGNS[:, None, None, None] * np.abs(array)
        return (lambda x: x + shift) if array.any() else (lambda x: x)

    def _linear(self, half: Array, half_size: Array, slack: Array, x: Array) -> Array:
        largest = max(1.0, -float(x[0].min()), float(x[1].max()))
        # All rows in one matrix product: NumPy would multiply a stack of matrices one by one.
        low, high = x.reshape(2, -1, x.shape[-1])
        centre, radius = (low + high) @ half, (high - low) @ half_size
        radius += slack * largest + self._slack
        found: Array = np.empty((2, *centre.shape))
        np.subtract(centre, radius, found[0])
        np.add(centre, radius, found[1])
        return found.reshape(*x.shape[:-1], -1)

    def _tanh(self, x: Array) -> Array:
        y: Array = np.tanh(x)
        y += self._ends
        return y

    def _sigmoid(self, x: Array) -> Array:
        y: Array = x * 0.5
        np.tanh(y, y)
        y *= 0.5
        y += 0.5 + self._ends
        return y

    def _rounded(self, product: Callable[..., Array]) -> Callable[..., Array]:
        return lambda *x: self._widened(product(*x))

    def _widened(self, y: Array) -> Array:
        error = self._error * max(1.0, -float(y[0].min()), float(y[1].max()))
        y[0] -= error
        y[1] += error
        return y


def _gates(operations: Sequence[Operation]) -> set[int]:
    """Return the values that are sigmoids, or parts of sigmoids: in [0, 1] up to rounding."""
    found: set[int] = set()
    for n, operation in enumerate(operations, 2):
        if operation[0] == "sigmoid" or (operation[0] == "take" and operation[1] in found):
            found.add(n)
    return found


def _joined(*x: Array) -> Array:
    shape = np.broadcast_shapes(*(part.shape[:-1] for part in x))
    return np.concatenate([np.broadcast_to(part, (*shape, part.shape[-1])) for part in x], -1)


def _scaled(x: Array, y: Array) -> Array:
    """Return the product of non-negative x with any y: fewer comparisons than `_product`."""
    low, high = x * y[0], x * y[1]
    found: Array = np.empty_like(low)
    np.minimum(low[0], low[1], out=found[0])
    np.maximum(high[0], high[1], out=found[1])
    return found


def _product(x: Array, y: Array) -> Array:
    below, above = x * y[0], x * y[1]
    low = np.minimum(np.minimum(below[0], below[1]), np.minimum(above[0], above[1]))
    high = np.maximum(np.maximum(below[0], below[1]), np.maximum(above[0], above[1]))
    return np.stack((low, high))


def _mixed(z: Array, h: Array, n: Array) -> Array:
    """Return n + z (h - n) for z in [0, 1]: monotone in h and n, so only the ends of z compete."""
    found = []
    for end, choose in enumerate((np.minimum, np.maximum)):
        both = z * (h[end] - n[end])
        both += n[end]
        found.append(choose(both[0], both[1]))
    return np.stack(found)


def _blend(z: Array, h: Array, n: Array) -> Array:
    found = [_product(1 - z[[end, end]], n) + _product(z[[end, end]], h) for end in (0, 1)]
    low, high = zip(*found, strict=True)
    return np.stack((np.minimum(*low), np.maximum(*high)))
