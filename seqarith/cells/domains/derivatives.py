"""Derivatives of a step by the memory before it: forward mode, one matrix per word."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from seqarith.cells.recording import Step
from seqarith.cells.steps import INPUT, LETTER_ONLY, MEMORY, NAMED, Operation, arguments, reads

Array = NDArray[Any]
Dual = tuple[Array, Array]
"""Values (N, P) and their derivatives by the memory (N, P, M)."""

AT_ONCE = 1 << 18
"""Numbers in the derivatives that are computed at once: 2 MiB."""


@final
class Derivatives:
    """A recorded step with its derivatives.

    Args:
        step: The record.
        arrays: The arrays that it names, in float64.
        vectors: The input vector of every letter, shape (A, D).
    """

    def __init__(self, step: Step, arrays: Mapping[str, Array], vectors: Array) -> None:
        self._step, self._arrays = step, arrays
        kinds = reads(step.operations)
        numbered = list(enumerate(step.operations, 2))
        self._later = [(n, op) for n, op in numbered if kinds[n] != LETTER_ONLY]
        self._letters: dict[int, Dual] = {INPUT: (vectors, np.zeros((1, vectors.shape[1], 1)))}
        for n, operation in numbered:
            if kinds[n] == LETTER_ONLY:
                self._letters[n] = self._applied(operation, self._letters)

    def jacobians(self, memory: Array, letters: NDArray[np.intp]) -> Array:
        """Return the derivatives at memories (N, M) under letters (N,): (N, M, M), by column."""
        count, width = memory.shape
        found = np.empty((count, width, width))
        size = max(1, AT_ONCE // (width * width))
        for part in (slice(i, i + size) for i in range(0, count, size)):
            values = {n: (v.take(letters[part], 0), d) for n, (v, d) in self._letters.items()}
            values[MEMORY] = memory[part], np.eye(width)[None]
            for n, operation in self._later:
                values[n] = self._applied(operation, values)
            found[part] = values[len(self._step.operations) + 1][1]
        return found

    def _applied(self, operation: Operation, values: Mapping[int, Dual]) -> Dual:
        kind = operation[0]
        x = [values[value] for value in arguments(operation)]
        if kind in NAMED:
            return _by_array(kind, self._arrays[operation[2]], x[0])
        if kind == "take":
            part = slice(*operation[2:])
            return x[0][0][:, part], x[0][1][:, part]
        if kind == "join":
            return _joined(x)
        return _ELEMENTWISE[kind](*x)


def _by_array(kind: str, array: Array, x: Dual) -> Dual:
    v, d = x
    if kind == "linear":
        return v @ array.T, array @ d
    return (v + array, d) if kind == "shift" else (v * array, d * array[:, None])


def _tanh(x: Dual) -> Dual:
    y = np.tanh(x[0])
    return y, (1 - y * y)[..., None] * x[1]


def _sigmoid(x: Dual) -> Dual:
    y = 0.5 * np.tanh(0.5 * x[0]) + 0.5
    return y, (y * (1 - y))[..., None] * x[1]


def _multiply(x: Dual, y: Dual) -> Dual:
    return x[0] * y[0], x[0][..., None] * y[1] + y[0][..., None] * x[1]


def _blend(z: Dual, h: Dual, n: Dual) -> Dual:
    slopes = (h[0] - n[0])[..., None] * z[1] + z[0][..., None] * h[1]
    return n[0] + z[0] * (h[0] - n[0]), slopes + (1 - z[0])[..., None] * n[1]


_ELEMENTWISE: dict[str, Callable[..., Dual]] = {
    "add": lambda x, y: (x[0] + y[0], x[1] + y[1]),
    "subtract": lambda x, y: (x[0] - y[0], x[1] - y[1]),
    "multiply": _multiply,
    "tanh": _tanh,
    "sigmoid": _sigmoid,
    "relu": lambda x: (np.maximum(x[0], 0), (x[0] > 0)[..., None] * x[1]),
    "blend": _blend,
}


def _joined(parts: list[Dual]) -> Dual:
    rows = max(len(d) for _, d in parts)
    width = max(d.shape[2] for _, d in parts)
    wide = [np.broadcast_to(d, (rows, v.shape[1], width)) for v, d in parts]
    count = max(len(v) for v, _ in parts)
    values = [np.broadcast_to(v, (count, v.shape[1])) for v, _ in parts]
    return np.concatenate(values, 1), np.concatenate(wide, 1)
