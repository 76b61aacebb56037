"""A program's own step, run on sets instead of numbers: a part of the trusted checker.

*If the memory of the program is in a set, the memory that it computes under a letter is in the set
that ``SetStep.steps`` returns, and in its box*: by induction over the operations of the record.
"""

from typing import Any, final

import numpy as np

from seqarith.cells.steps import (
    ACTIVATIONS,
    INPUT,
    LETTER_ONLY,
    MEMORY,
    MEMORY_ONLY,
    Operation,
    arguments,
    batches,
    reads,
)
from seqarith.certification.kernel.forms import Forms, Memory, Value, exact
from seqarith.certification.kernel.outward import F, Sets

FORMS = ("scale", "multiply", "blend", "join", *ACTIVATIONS)
"""Operations that read forms, and not sums or memories."""


@final
class SetStep:
    """The recorded step of a program, with what its operations do to sets.

    What depends on the letter alone is computed once, what depends on the memory alone once for all
    letters.

    Args:
        operations: The record.
        vectors: The input vector of every letter, shape (A, D).
        forms: What operations do.

    Every method raises `Refusal` where a value might overflow in the program.
    """

    def __init__(self, operations: tuple[Operation, ...], vectors: F, forms: Forms) -> None:
        self._operations, self._forms = operations, forms
        arrays = forms.arrays
        self.products = sum(arrays[op[2]].size for op in operations if op[0] == "linear")
        kinds = reads(operations)
        runs = list(batches(operations, ACTIVATIONS))
        parts: dict[frozenset[int], list[list[int]]] = {}
        for run in runs:
            for kind in {kinds[n + 2] for n in run}:
                parts.setdefault(kind, []).append([n for n in run if kinds[n + 2] == kind])
        letter_only, self._memory_only = parts.pop(LETTER_ONLY, []), parts.pop(MEMORY_ONLY, [])
        self._later = next(iter(parts.values()), [])
        values: dict[int, Value] = {INPUT: exact(vectors)}
        for run in letter_only:
            forms.apply(self._operations, [values], run)
        self._result = len(operations) + 1
        later = [operations[n] for run in self._later for n in run]
        needed = {self._result}.union(*map(arguments, later))
        read = set[int]().union(*(arguments(op) for op in later if op[0] in FORMS))
        self._done: dict[int, list[int]] = {run[0]: [] for run in self._later}
        last = {n: run[0] for run in self._later for m in run for n in arguments(operations[m])}
        for n, first in last.items():
            self._done[first] += [n] * (n != self._result)
        self._read = [n for n in sorted(read) if kinds[n] == MEMORY_ONLY]
        self._letters: list[dict[int, Value]] = [
            {n: _row(value, a) for n, value in values.items() if n in needed}
            for a in range(len(vectors))
        ]

    def spread(self, c: F, g: F, e: F) -> dict[int, Value]:
        """Do what depends on the memory alone, once for all letters."""
        values: dict[int, Value] = {MEMORY: Memory(c, g, e, 0, c.shape[1])}
        for run in self._memory_only:
            self._forms.apply(self._operations, [values], run)
        values.update({~n: self._forms.known(values[n]) for n in self._read})
        return values

    def steps(self, spread: dict[int, Value], letters: range) -> list[Sets]:
        """Read each of some letters: enclose the memories (N, M) that the program computes.

        The activations of all of them are enclosed at once.
        """
        values = [{**spread, **self._letters[letter]} for letter in letters]
        for run in self._later:
            self._forms.apply(self._operations, values, run)
            for each in values:  # so that the next values are written where these were
                for n in self._done[run[0]]:
                    each.pop(n, None)
        rows, found = len(spread[MEMORY].c), []
        for each in values:
            x = self._forms.known(each[self._result])
            arrays = (x.c, x.g, x.e, x.low, x.high)
            found.append(Sets(*(_wide(array, rows) for array in arrays)))
        return found


def _row(value: Any, a: int) -> Value:
    """Return one row of what was computed for all letters at once."""
    rows = len(value.c)
    arrays = [
        part if part is None or isinstance(part, int) else _wide(part, rows)[a : a + 1]
        for part in value
    ]
    row: Value = type(value)(*arrays)
    return row


def _wide(array: F, rows: int) -> F:
    return array if len(array) == rows else np.broadcast_to(array, (rows, *array.shape[1:]))
