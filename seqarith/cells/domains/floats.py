"""Numbers: the code that predictions and evaluations run.

The record is executed in its order, in the dtype of the arrays, with ``sigmoid(x)`` computed as
``0.5 * tanh(0.5 * x) + 0.5``, which cannot overflow. Values that depend on the letter alone are
computed once for all words, values that depend on the memory alone once for all letters. Arrays are
units first, (P, N), so that every operation runs through contiguous memory. Results overwrite
values that are no longer read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from seqarith.cells.recording import Step
from seqarith.cells.steps import (
    INPUT,
    LETTER_ONLY,
    MEMORY,
    MEMORY_ONLY,
    Operation,
    arguments,
    reads,
)

Array = NDArray[Any]
Values = dict[int, Array]
Out = Array | None

NEW, PLACED = -1, -2
"""Where a result is written: to a new array, or to its place in the next memory."""


@final
class FloatStep:
    """A recorded step with its arrays: letters in, memories out.

    Args:
        step: The record.
        arrays: The arrays that it names, all of one dtype.
        vectors: The input vector of every letter, shape (A, D), of that dtype.
    """

    def __init__(self, step: Step, arrays: Mapping[str, Array], vectors: Array) -> None:
        self._step, self._dtype = step, vectors.dtype
        self._half = np.array(0.5, self._dtype)
        self._arrays = {name: _fortran(arrays[name]) for name in step.shapes}
        kinds = reads(step.operations)
        numbered = list(enumerate(step.operations, 2))
        later = [n for n, _ in numbered if kinds[n] not in (LETTER_ONLY, MEMORY_ONLY)]
        plan = _Plan(step, [n for n, _ in numbered if kinds[n] == MEMORY_ONLY], later)
        # A shift by 0 changes nothing, so it is left out: PyTorch's second bias is often 0.
        same: dict[int, int] = {}
        self._memory_only, self._later = list[Any](), list[Any]()
        for n, operation in numbered:
            if kinds[n] == LETTER_ONLY:
                continue
            target, place = plan.target[n], plan.place.get(n, 0)
            target = same.get(target, target)
            read = tuple(same.get(value, value) for value in arguments(operation))
            if (
                operation[0] == "shift"
                and target != PLACED
                and not self._arrays[operation[2]].any()
            ):
                same[n] = read[0]
                continue
            part = self._memory_only if kinds[n] == MEMORY_ONLY else self._later
            part.append((n, self._function(operation), read, target, place))
        last = numbered[-1][0]
        self._result = same.get(last, last)
        self._tables = self._tabulated(kinds, later, vectors)
        self._columns: dict[int, Values] = {}

    def _tabulated(self, kinds: list[frozenset[int]], later: list[int], vectors: Array) -> Values:
        """Return the values that depend on the letter alone and are read later, each (P, A)."""
        values: Values = {INPUT: vectors.T}
        for n, operation in enumerate(self._step.operations, 2):
            if kinds[n] == LETTER_ONLY:
                function = self._function(operation)
                values[n] = function(None, *(values[value] for value in arguments(operation)))
        needed = {value for n in later for value in arguments(self._step.operations[n - 2])}
        kept = {*needed, self._result} & values.keys()
        tables = {n: np.array(values[n], order="C") for n in kept}
        for table in tables.values():
            table.setflags(write=False)
        return tables

    def step(self, memory: Array, letters: NDArray[np.intp]) -> Array:
        """Return the memories (N, M) after one letter each, shape (N,)."""
        values = self._remembered(memory)
        return self._finished(values, {n: t.take(letters, 1) for n, t in self._tables.items()})

    def branch(self, memory: Array, letters: Iterable[int]) -> Iterator[Array]:
        """Yield the memories (N, M) after each of some letters."""
        values = self._remembered(memory)
        for letter in letters:
            if letter not in self._columns:
                part = slice(letter, letter + 1)
                self._columns[letter] = {n: table[:, part] for n, table in self._tables.items()}
            yield self._finished(values, self._columns[letter])

    def _remembered(self, memory: Array) -> Values:
        """Return the values that depend on memories (N, M) alone."""
        return self._run(self._memory_only, {MEMORY: memory.T})

    def _finished(self, remembered: Values, read: Values) -> Array:
        """Return the next memories (N, M)."""
        values = self._run(self._later, remembered | read)
        result, shape = values[self._result], remembered[MEMORY].shape
        if result.shape != shape:  # the next memory depends on the letter alone
            result = np.array(np.broadcast_to(result, shape))
        return result.T

    def _run(self, instructions: list[Any], values: Values) -> Values:
        whole: Array | None = None
        for number, function, read, target, place in instructions:
            out: Out = None
            if target == PLACED:
                if whole is None:
                    whole = np.empty(values[MEMORY].shape, self._dtype)
                out = whole[place : place + self._step.widths[number]]
            elif target != NEW:
                out = values[target]
            values[number] = function(out, *(values[value] for value in read))
        return values

    def _function(self, operation: Operation) -> Callable[..., Array]:
        """Return a function of the output array, or None, and the operands."""
        kind, *rest = operation
        if kind in _BINARY:
            binary = _BINARY[kind]
            return lambda out, x, y: binary(x, y, out)
        if kind in ("linear", "shift", "scale"):
            return self._by_array(kind, self._arrays[rest[1]])
        if kind == "take":
            part = slice(*rest[1:])
            return lambda out, x: x[part]
        functions: dict[str, Callable[..., Array]] = {
            "tanh": lambda out, x: np.tanh(x, out),
            "relu": lambda out, x: np.maximum(x, 0, out=out),
            "sigmoid": self._sigmoid,
            "blend": _blend,
            "join": _join,
        }
        return functions[kind]

    def _by_array(self, kind: str, array: Array) -> Callable[..., Array]:
        if kind == "linear":
            return lambda out, x: np.matmul(array, x, out)
        column = array[:, None]
        if kind == "scale":
            return lambda out, x: np.multiply(x, column, out)
        return lambda out, x: np.add(x, column, out)

    def _sigmoid(self, out: Out, x: Array) -> Array:
        y: Array = np.multiply(x, self._half, out)
        np.tanh(y, y)
        y *= self._half
        y += self._half
        return y


_BINARY = {"add": np.add, "subtract": np.subtract, "multiply": np.multiply}


def _blend(out: Out, z: Array, h: Array, n: Array) -> Array:
    y: Array = np.subtract(h, n, out)
    y *= z
    y += n
    return y


def _join(out: Out, *parts: Array) -> Array:
    """Return parts in one array; copy only those that were not computed in place."""
    count = max(part.shape[1] for part in parts)
    whole = np.empty((sum(len(p) for p in parts), count), parts[0].dtype) if out is None else out
    begin = 0
    for part in parts:
        place = whole[begin : begin + len(part)]
        if part.base is not place.base or not np.may_share_memory(part, place):
            place[...] = part
        begin += len(part)
    return whole


def _fortran(array: Array) -> Array:
    """Return a matrix with contiguous columns: products with few rows are faster."""
    return np.ascontiguousarray(array.T).T


@final
class _Plan:
    """Where each operation of the inner loop writes its result.

    Attributes:
        read: The values that each operation reads.
        target: The value that it overwrites, `NEW` or `PLACED`.
        place: The index in the next memory at which it begins, if it is `PLACED`.
    """

    def __init__(self, step: Step, memory_only: list[int], later: list[int]) -> None:
        self._step, self._own, order = step, set(later), memory_only + later
        self.read = {n: arguments(step.operations[n - 2]) for n in order}
        self.place, placed = self._placed(later)
        self.target = {n: PLACED if n in placed else NEW for n in order}
        self._storage: dict[int, tuple[int, int, int]] = {}
        for at, n in enumerate(order):
            self._choose(n, order[at + 1 :], order[-1])

    def _placed(self, later: list[int]) -> tuple[dict[int, int], set[int]]:
        """Return where parts of the last join begin, and which are computed in place."""
        begins, placed = dict.fromkeys(later, 0), set[int]()
        last = later[-1] if later else 0
        if later and self._step.operations[last - 2][0] == "join":
            begin = 0
            for part in self.read[last]:
                kind = self._step.operations[part - 2][0] if part > MEMORY else "memory"
                if part in self._own and part not in placed and kind not in ("take", "join"):
                    begins[part] = begin
                    placed.add(part)
                begin += self._step.widths[part]
            if placed:
                placed.add(last)
        return begins, placed

    def _choose(self, n: int, after: list[int], result: int) -> None:
        kind, width, read = self._step.operations[n - 2][0], self._step.widths[n], self.read[n]
        if kind == "take":  # a view: it shares the storage of the whole
            if read[0] in self._storage:
                root, begin, _ = self._storage[read[0]]
                begin += self._step.operations[n - 2][2]
                self._storage[n] = (root, begin, begin + width)
            return
        self._storage[n] = (n, 0, width)
        if self.target[n] == PLACED:
            self._storage[n] = (result, self.place[n], self.place[n] + width)
        elif kind not in ("join", "linear"):
            alive = {value for later in after for value in self.read[later]} | {result}
            # A blend reads z and n again after it has written h - n, so it may overwrite only h.
            alive |= {read[0], read[2]} if kind == "blend" else set()
            for value in read[1:2] if kind == "blend" else read:
                if self._is_free(value, width, alive, n):
                    self.target[n], self._storage[n] = value, self._storage[value]
                    break
            if kind == "shift" and self.target[n] == NEW:  # by 0 it is left out: an alias
                del self._storage[n]
                if read[0] in self._storage:
                    self._storage[n] = self._storage[read[0]]

    def _is_free(self, value: int, width: int, alive: set[int], n: int) -> bool:
        """Return whether an operation may overwrite a value, because nothing reads it later."""
        if value not in self._storage or self._step.widths[value] != width:
            return False
        if n in self._own and value not in self._own:  # it is read again for the next letter
            return False
        root, begin, end = self._storage[value]
        for other in alive - {n}:
            if other in self._storage:
                same, first, last = self._storage[other]
                if same == root and first < end and begin < last:
                    return False
        return True
