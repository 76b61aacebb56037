"""A program's step on sets in ball arithmetic."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import final

from flint import arb_mat

from seqarith.cells.steps import (
    INPUT,
    LETTER_ONLY,
    MEMORY,
    MEMORY_ONLY,
    Operation,
    arguments,
    reads,
)
from seqarith.certification.exact.balls import (
    Form,
    Format,
    Row,
    Values,
    column,
    exact,
    floats,
    memory,
    symbols,
)
from seqarith.certification.exact.operations import Arithmetic
from seqarith.certification.kernel.program import Program


@final
@dataclass(frozen=True)
class BallSet:
    """The memories that a step may compute: a form for each number."""

    forms: list[Form]

    @cached_property
    def centre(self) -> arb_mat:
        """Their centres (M, 1)."""
        return column([x.c for x in self.forms])

    @cached_property
    def error(self) -> arb_mat:
        """Their errors (M, 1)."""
        return column([x.e for x in self.forms])

    @cached_property
    def symbols(self) -> arb_mat:
        """Their symbols (M, G)."""
        return arb_mat(symbols(self.forms))


@final
class BallStep:
    """The recorded step of a program on sets.

    *If the memory of the program is in a set, the memory that it computes under a letter is in the
    set that* `read` *returns*: by induction over the operations.
    """

    def __init__(self, p: Program, by: Format) -> None:
        arrays = {name: array.tolist() for name, array in p.arrays.items()}
        self._does = Arithmetic(arrays, by)
        kinds, parts = reads(p.step), dict[frozenset[int], list[tuple[int, Operation]]]()
        for number, operation in enumerate(p.step, 2):
            parts.setdefault(kinds[number], []).append((number, operation))
        letter_only, self._memory_only = parts.pop(LETTER_ONLY, []), parts.pop(MEMORY_ONLY, [])
        self._later = next(iter(parts.values()), [])
        self._result = len(p.step) + 1
        vectors: list[Row] = floats(p.inputs.tolist())
        self._letters = [
            self._run(letter_only, {INPUT: [exact(x) for x in vector]}) for vector in vectors
        ]

    def spread(self, c: Row, g: list[Row], e: Row) -> Values:
        """Do what depends on the memory alone, once for all letters; arguments as of `memory`."""
        return self._run(self._memory_only, {MEMORY: memory(c, g, e)})

    def read(self, spread: Values, letter: int) -> BallSet:
        """Read a letter: enclose the memories that the program computes."""
        values = self._run(self._later, spread | self._letters[letter])
        return BallSet(self._does.known(values[self._result]))

    def _run(self, operations: list[tuple[int, Operation]], values: Values) -> Values:
        for number, operation in operations:
            values[number] = self._does.apply(operation, [values[n] for n in arguments(operation)])
        return values
