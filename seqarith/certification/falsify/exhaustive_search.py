"""Breadth-first search of all words; memories that agree in every bit are searched once."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import final

import numpy as np

from seqarith.cells.cell import Array
from seqarith.certification.falsify.program_under_test import Ints, ProgramUnderTest

CHUNK = 1 << 12
"""Rows of a step: 4,096 rows of 16 doubles fit the second-level cache."""

LONGEST = 1 << 16
"""Letters of the longest word that is run by default."""

LETTER = np.uint16
"""Type of a letter in a stored word: an alphabet has at most 65,536."""


@final
@dataclass(frozen=True, eq=False)
class Frontier:
    """The words of one length that are searched further, smallest operands first.

    Args:
        words: Shape (T, N).
        hidden: Memories after them, shape (N, M).
        states: Machine states after them, shape (N,).
    """

    words: Ints
    hidden: Array
    states: Ints

    def take(self, chosen: Ints | slice) -> Frontier:
        """Return some of the words."""
        return Frontier(self.words[:, chosen], self.hidden[chosen], self.states[chosen])


@final
@dataclass(frozen=True, eq=False)
class ExhaustiveResult:
    """What an exhaustive search has found out.

    Args:
        length: No word of this length or shorter is wrong.
        word: The smallest wrong word of one letter more, or None.
        closed: Whether no new memory appeared. Then no word of any length is wrong in the
            arithmetic of these batches. That is evidence, not a proof: other batches may round
            differently.
        frontiers: One for each length from 0, for other searches to start from.
    """

    length: int
    word: Ints | None
    closed: bool
    frontiers: tuple[Frontier, ...]

    @property
    def seed(self) -> Frontier:
        """The longest frontier of at most 1,024 words, which a beam search starts from."""
        return [f for f in self.frontiers if len(f.states) <= 1024][-1]


def expand(program: ProgramUnderTest, front: Frontier) -> tuple[Frontier, Ints]:
    """Append every letter to every word; return the words, and which end in a wrong digit."""
    parents, letters = program.appended(len(front.states))
    hidden, states = front.hidden[parents], front.states[parents]
    bad = np.zeros(len(letters), bool)
    for i in range(0, len(letters), CHUNK):
        part = slice(i, i + CHUNK)
        hidden[part] = program.step(hidden[part], letters[part])
        bad[part] = program.wrong(hidden[part], program.output[states[part], letters[part]])
    words = np.concatenate([front.words[:, parents], letters[None].astype(LETTER)])
    return Frontier(words, hidden, program.next_state[states, letters]), np.flatnonzero(bad)


def _unseen(front: Frontier, seen: set[tuple[int, bytes]]) -> Frontier:
    """Drop the words whose state and memory were seen before; the smallest word of each stays.

    Memories are compared bit by bit. So -0.0 and 0.0 differ, which costs at most a repetition.
    """
    keep = []
    for i, state in enumerate(front.states.tolist()):
        before = len(seen)
        seen.add((state, front.hidden[i].tobytes()))
        if len(seen) > before:
            keep.append(i)
    return front if len(keep) == len(front.states) else front.take(np.array(keep, np.intp))


def search_exhaustively(
    program: ProgramUnderTest, keep_to: int, deadline: float, longest: int = LONGEST
) -> ExhaustiveResult:
    """Search breadth first.

    Args:
        program: The program under test.
        keep_to: Stop before the first frontier that would be larger than this.
        deadline: Of `time.perf_counter`; checked between lengths.
        longest: Stop at words of this length.
    """
    empty = Frontier(np.zeros((0, 1), LETTER), program.start[None], np.zeros(1, np.intp))
    seen, fronts = set[tuple[int, bytes]](), [empty]
    _unseen(empty, seen)
    while len(fronts) <= longest and perf_counter() < deadline:
        if len(fronts[-1].states) * program.letters > keep_to:
            break
        children, bad = expand(program, fronts[-1])
        if len(bad):
            word = children.words[:, bad[0]]
            return ExhaustiveResult(len(fronts) - 1, word, False, tuple(fronts))
        children = _unseen(children, seen)
        if not len(children.states):
            return ExhaustiveResult(len(fronts) - 1, None, True, tuple(fronts))
        fronts.append(children)
    return ExhaustiveResult(len(fronts) - 1, None, False, tuple(fronts))


def extend_search(
    program: ProgramUnderTest, known: ExhaustiveResult, below: int, deadline: float
) -> ExhaustiveResult:
    """Search on to length ``below - 1``, one length at a time, in little memory.

    A length that is not expected to finish before the deadline is not begun.
    """
    if known.word is not None or known.closed:
        return known
    last, spent = known.frontiers[-1], 0.0
    for length in range(known.length + 1, below):
        begin = perf_counter()
        if begin + program.letters * spent > deadline:
            break
        word, finished = _layer(program, last, length - len(last.words), deadline)
        if word is not None:
            # Even if the layer was cut off: all shorter words are right.
            return ExhaustiveResult(length - 1, word, False, known.frontiers)
        if not finished:
            break
        known = ExhaustiveResult(length, None, False, known.frontiers)
        spent = perf_counter() - begin
    return known


def _layer(
    program: ProgramUnderTest, root: Frontier, depth: int, deadline: float
) -> tuple[Ints | None, bool]:
    """Run all words of ``depth`` more letters; return the smallest wrong one, and if all ran."""
    size = max(1, 4 * CHUNK // program.letters**depth)
    best: Ints | None = None
    for i in range(0, len(root.states), size):
        if perf_counter() > deadline:
            return best, False
        level, bad = root.take(slice(i, i + size)), np.zeros(0, np.intp)
        for _ in range(depth):
            level, bad = expand(program, level)
        if len(bad):
            word = level.words[:, bad[0]]
            best = word if best is None else min(best, word, key=program.rank)
    return best, True
