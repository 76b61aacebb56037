"""The exact finite-state transducer behind a task."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from math import prod
from typing import TypeVar, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqarith.errors import MachineError
from seqarith.notebook import caption, diagram, facts, grid

S = TypeVar("S", bound=Hashable)
Table = NDArray[np.intp]
Step = Callable[[S, NDArray[np.intp]], tuple[list[S], Table]]

DRAWN, CELLS = 5, 1024
"""Most states of a machine that a notebook draws; most entries of a table that it shows."""

LISTED = 3
"""Most letters in a line, and most lines at an arrow, of a drawing."""


@final
@dataclass(frozen=True, eq=False)
class MealyMachine:
    """A finite-state transducer: it emits one output symbol for every letter that it reads.

    Letters, states and outputs are numbered from 0. Immutable; checked when built.

    Args:
        next_state: Successor of every state under every letter, shape (Q, A).
        output: Symbol emitted by every state under every letter, shape (Q, A).
        outputs: Number of output symbols; default: as many as the table uses.
        initial: The state before the first letter.
        names: A name for every state, for display; default: its number.

    Raises:
        MachineError: The shapes of the tables are wrong, or an entry is not a state or symbol.

    Example:
        >>> parity = MealyMachine([[0, 1], [1, 0]], [[0, 1], [1, 0]])
        >>> parity.run([1, 1, 0, 1])
        array([1, 0, 0, 1])

    Source: G. H. Mealy, A Method for Synthesizing Sequential Circuits (1955).
    """

    next_state: Table
    output: Table
    outputs: int = 0
    initial: int = 0
    names: tuple[str, ...] = field(default=())

    def __init__(
        self,
        next_state: ArrayLike,
        output: ArrayLike,
        outputs: int = 0,
        initial: int = 0,
        names: tuple[str, ...] = (),
    ) -> None:
        following, emitted = _table("next_state", next_state), _table("output", output)
        if following.shape != emitted.shape:
            raise MachineError(
                f"next_state has shape {following.shape} and output {emitted.shape}; "
                "expected (states, letters) for both"
            )
        states = len(following)
        outputs = outputs or int(emitted.max()) + 1
        _check_range("next_state", following, states)
        _check_range("output", emitted, outputs)
        if not 0 <= initial < states:
            raise MachineError(f"initial state {initial} does not exist; there are {states}")
        names = names or tuple(str(state) for state in range(states))
        if len(names) != states:
            raise MachineError(f"{len(names)} names for {states} states; give each state one")
        for name, value in (
            ("next_state", following),
            ("output", emitted),
            ("outputs", outputs),
            ("initial", initial),
            ("names", names),
        ):
            object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        sizes = f"{self.states} states, {self.letters} letters, {self.outputs} output symbols"
        return f"MealyMachine({sizes})"

    def _repr_html_(self) -> str:
        """Draw the machine, or show its table if the drawing would be too crowded."""
        kind, names = state_names(self.names)
        if self.states <= DRAWN:
            arrows: dict[tuple[int, int], list[str]] = {}
            for state, leaving in self.edges().items():
                for (symbol, target), letters in sorted(leaving.items()):
                    text = f"{_listed(letters)} / {symbol}"
                    arrows.setdefault((state, target), []).append(text)
            shown = {arrow: _few(lines) for arrow, lines in arrows.items()}
            legend = f"circles: {kind} (double: the start); arrows: letters read / symbol emitted"
            return facts(repr(self), [], diagram(names, self.initial, shown)) + caption(legend)
        if self.next_state.size > CELLS:
            return facts(repr(self), [])
        pairs = zip(names, self.next_state.tolist(), self.output.tolist(), strict=True)
        rows = ((name, [f"{q} / {s}" for q, s in zip(*row, strict=True)]) for name, *row in pairs)
        heading = (f"{kind}, letter", list(map(str, range(self.letters))))
        table = grid([heading, *rows])
        return facts(repr(self), [], table) + caption("next state, from 0 / symbol emitted")

    @property
    def states(self) -> int:
        """Number of states Q."""
        return len(self.next_state)

    @property
    def letters(self) -> int:
        """Number of letters A."""
        return int(self.next_state.shape[1])

    def digest(self) -> str:
        """Return the SHA-256 of tables and initial state, the same on every platform.

        It leaves out the names, which do not change what the machine computes.
        """
        sha = hashlib.sha256(
            f"mealy {self.outputs} {self.initial} {self.next_state.shape};".encode()
        )
        for table in (self.next_state, self.output):
            sha.update(np.ascontiguousarray(table, "<i8").tobytes())
        return sha.hexdigest()

    def edges(self) -> dict[int, dict[tuple[int, int], list[int]]]:
        """Return the letters of every state, grouped by (output symbol, next state)."""
        found: dict[int, dict[tuple[int, int], list[int]]] = {}
        for state in range(self.states):
            for letter in range(self.letters):
                kind = (int(self.output[state, letter]), int(self.next_state[state, letter]))
                found.setdefault(state, {}).setdefault(kind, []).append(letter)
        return found

    def run(self, letters: ArrayLike, state: int | None = None) -> Table:
        """Return the output symbols for words.

        Args:
            letters: Letter numbers, shape (T,) or (T, B).
            state: Where to start; default: the initial state.

        Returns:
            Symbols, with the shape of ``letters``.
        """
        words = self._words(letters)
        symbols = np.empty(words.shape, np.intp)
        emitted = self.output.ravel()
        for cells, symbol in zip(self._cells(words, state), symbols, strict=True):
            emitted.take(cells, out=symbol, mode="clip")
        return symbols.reshape(np.shape(letters))

    def trace(self, letters: ArrayLike, state: int | None = None) -> Table:
        """Return the states before the first letter and after each, shape (T + 1, ...)."""
        words = self._words(letters)
        states = np.empty((len(words) + 1, *words.shape[1:]), np.intp)
        states[0] = self.initial if state is None else state
        following = self.next_state.ravel()
        for cells, after in zip(self._cells(words, state), states[1:], strict=True):
            following.take(cells, out=after, mode="clip")
        return states.reshape(len(words) + 1, *np.shape(letters)[1:])

    def _words(self, letters: ArrayLike) -> Table:
        """Check letters and return them as a table of words, shape (T, B)."""
        words = np.asarray(letters, np.intp)
        if words.size:
            _check_range("word", words, self.letters)
        return words.reshape(len(words), prod(words.shape[1:]))

    def _cells(self, words: Table, state: int | None) -> Iterator[Table]:
        """Yield, for every step of the words, the indices (B,) into the flattened tables.

        Every step yields the same buffer.
        """
        # `take` from a flat table into a buffer is several times faster than two indices. With the
        # default mode="raise" NumPy would copy the buffer; `_words` has checked the letters.
        starts = (self.next_state * self.letters).ravel()
        cells = np.empty(words.shape[1:], np.intp)
        row = np.full_like(cells, (self.initial if state is None else state) * self.letters)
        for letter in words:
            np.add(row, letter, out=cells)
            yield cells
            starts.take(cells, out=row, mode="clip")

    def minimised(self) -> MealyMachine:
        """Return the smallest machine with the same behaviour; states are numbered as visited.

        Source: E. F. Moore, Gedanken-experiments on Sequential Machines (1956), by refinement.
        """
        classes = np.unique(self.output, axis=0, return_inverse=True)[1].reshape(-1)
        while True:
            signature = np.column_stack([classes, classes[self.next_state]])
            refined = np.unique(signature, axis=0, return_inverse=True)[1].reshape(-1)
            if refined.max() == classes.max():
                break
            classes = refined
        start = int(classes[self.initial])
        state_of = {start: self.initial}  # the first state of each class that is reached

        def step(kind: int, _: Table) -> tuple[list[int], Table]:
            successors = self.next_state[state_of[kind]]
            kinds: list[int] = classes[successors].tolist()
            for each, state in zip(kinds, successors.tolist(), strict=True):
                state_of.setdefault(each, state)
            return kinds, self.output[state_of[kind]]

        letters = np.arange(self.letters)
        return MealyMachine.explore(
            start, step, letters, self.outputs, lambda kind: self.names[state_of[kind]]
        )

    def difference(self, other: MealyMachine) -> tuple[int, ...] | None:
        """Return a shortest word on which two machines differ, or None if there is none.

        Among the shortest words it is the first in the order of letters. The search is
        breadth-first in the product of the two machines.

        Raises:
            MachineError: They read different alphabets.
        """
        if self.letters != other.letters:
            raise MachineError(
                f"machines read {self.letters} and {other.letters} letters; only machines with the "
                "same alphabet can be compared"
            )
        start = (self.initial, other.initial)
        reached: dict[tuple[int, int], tuple[int, ...]] = {start: ()}
        queue = [start]
        for mine, theirs in queue:
            word = reached[mine, theirs]
            wrong = np.flatnonzero(self.output[mine] != other.output[theirs])
            if len(wrong):
                return (*word, int(wrong[0]))
            pairs = zip(
                self.next_state[mine].tolist(), other.next_state[theirs].tolist(), strict=True
            )
            for letter, pair in enumerate(pairs):
                if pair not in reached:
                    reached[pair] = (*word, letter)
                    queue.append(pair)
        return None

    @staticmethod
    def explore(
        initial: S,
        step: Step[S],
        letters: NDArray[np.intp],
        outputs: int,
        names: Callable[[S], str],
    ) -> MealyMachine:
        """Build a machine from a step function by visiting all reachable states.

        Args:
            initial: The first state: any hashable value.
            step: Takes a state and ``letters``; returns a successor and a symbol for each letter.
            letters: Passed to ``step``: one entry for each letter on the last axis, shape (..., A).
            outputs: Number of output symbols.
            names: Returns the name of a state.
        """
        number: dict[S, int] = {initial: 0}
        queue = [initial]
        following: list[list[int]] = []
        emitted: list[Table] = []
        for state in queue:
            successors, symbols = step(state, letters)
            for successor in successors:
                if successor not in number:
                    number[successor] = len(number)
                    queue.append(successor)
            following.append([number[successor] for successor in successors])
            emitted.append(symbols)
        return MealyMachine(following, np.array(emitted), outputs, 0, tuple(map(names, queue)))


def state_names(names: tuple[str, ...]) -> tuple[str, list[str]]:
    """Return the common name of states, and what distinguishes each.

    Example:
        >>> state_names(("carry 0", "carry 1"))
        ('carry', ['0', '1'])
        >>> state_names(("less", "more"))
        ('state', ['less', 'more'])
    """
    parts = [name.rpartition(" ") for name in names]
    if len({first for first, _, _ in parts}) == 1 and parts[0][0]:
        return parts[0][0], [last for _, _, last in parts]
    return "state", list(names)


def _listed(letters: list[int]) -> str:
    return ", ".join(map(str, letters[:LISTED])) + ", ..." * (len(letters) > LISTED)


def _few(lines: list[str]) -> list[str]:
    more = len(lines) - LISTED
    return [*lines[:LISTED], f"and {more} more"] if more > 0 else lines


def _table(name: str, value: ArrayLike) -> Table:
    table = np.array(value)
    if table.ndim != 2 or not table.size or not np.issubdtype(table.dtype, np.integer):
        raise MachineError(
            f"{name} has shape {table.shape} and type {table.dtype}; "
            "expected integers, shape (states, letters), at least one of each"
        )
    table = table.astype(np.intp)
    table.setflags(write=False)
    return table


def _check_range(name: str, table: Table, limit: int) -> None:
    if table.min() < 0 or table.max() >= limit:
        wrong = table.min() if table.min() < 0 else table.max()
        raise MachineError(f"{name} holds {wrong}; expected 0..{limit - 1}")
