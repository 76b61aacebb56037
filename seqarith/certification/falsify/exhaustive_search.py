"""Every word up to some length, with hidden vectors that agree bit by bit searched once."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import final

import numpy as np

from seqarith.cells.cell import Array
from seqarith.certification.falsify.program_under_test import Ints, ProgramUnderTest

CHUNK = 1 << 12
"""Rows a step: 4,096 rows of 16 doubles stay in the second-level cache."""

LONGEST = 1 << 16
"""Letters of the longest word that is run, unless a search is told otherwise."""

LETTER = np.uint16
"""What holds a letter of a word: an alphabet has at most 65,536."""


@final
@dataclass(frozen=True, eq=False)
class Frontier:
    """The words of one length that still matter, smallest operands first.

    Args:
        words: Shape (T, N).
        hidden: Shape (N, M).
        states: The machine's, shape (N,).
    """

    words: Ints
    hidden: Array
    states: Ints

    def take(self, chosen: Ints | slice) -> Frontier:
        """Return some of the words."""
        return Frontier(self.words[:, chosen], self.hidden[chosen], self.states[chosen])


@final
@dataclass(frozen=True, eq=False)
class Exhausted:
    """What an exhaustive search knows.

    Args:
        length: No word of this length or shorter is wrong.
        word: The smallest wrong word of one letter more, or None.
        closed: No new hidden vector appeared: no word of any length is wrong in the arithmetic of
            the batches that were run. It is evidence, and no proof of every batch.
        frontiers: One a length from 0, for other searches to start from.
    """

    length: int
    word: Ints | None
    closed: bool
    frontiers: tuple[Frontier, ...]

    @property
    def seed(self) -> Frontier:
        """The longest frontier that a beam can begin with."""
        return [f for f in self.frontiers if len(f.states) <= 1024][-1]


def expand(suspect: ProgramUnderTest, front: Frontier) -> tuple[Frontier, Ints]:
    """Append every letter to every word; also return the children whose last digit is wrong."""
    parents, letters = suspect.appended(len(front.states))
    hidden, states = front.hidden[parents], front.states[parents]
    bad = np.zeros(len(letters), bool)
    for i in range(0, len(letters), CHUNK):
        part = slice(i, i + CHUNK)
        hidden[part] = suspect.step(hidden[part], letters[part])
        bad[part] = suspect.wrong(hidden[part], suspect.output[states[part], letters[part]])
    words = np.concatenate([front.words[:, parents], letters[None].astype(LETTER)])
    return Frontier(words, hidden, suspect.next_state[states, letters]), np.flatnonzero(bad)


def fingerprints(front: Frontier) -> Ints:
    """Hash (state, hidden vector) bit by bit to 64 bits, shape (N,).

    -0.0 and 0.0 differ, which costs a repeat at most.
    """
    kind = np.uint64 if front.hidden.itemsize == 8 else np.uint32
    bits = np.ascontiguousarray(front.hidden).view(kind)
    rng = np.random.default_rng(1)
    odd = rng.integers(1 << 62, size=bits.shape[1] + 1, dtype=np.uint64) * 2 + 1
    mixed = bits.astype(np.uint64) * odd[1:]
    mixed ^= mixed >> np.uint64(29)
    mixed *= odd[1:]
    sums: Ints = mixed.sum(axis=1, dtype=np.uint64) + front.states.astype(np.uint64) * odd[0]
    return sums


@final
class Seen:
    """The (state, hidden vector) pairs met so far. A hash finds the candidates, the bits decide."""

    def __init__(self) -> None:
        self._first: dict[int, tuple[int, bytes]] = {}

    def fresh(self, front: Frontier) -> Frontier:
        """Drop the words whose pair was met before; a pair's first, smallest word stays."""
        keep = []
        for i, mark in enumerate(fingerprints(front).tolist()):
            pair = (int(front.states[i]), front.hidden[i].tobytes())
            # Two pairs of one hash: the second is searched again, which is slow but sound.
            if self._first.setdefault(mark, pair) is pair or self._first[mark] != pair:
                keep.append(i)
        return front if len(keep) == len(front.states) else front.take(np.array(keep, np.intp))


def search(
    suspect: ProgramUnderTest, keep_to: int, deadline: float, longest: int = LONGEST
) -> Exhausted:
    """Search breadth first.

    Args:
        suspect: What is searched.
        keep_to: Stop before the first frontier that would be larger than this.
        deadline: Of `time.perf_counter`, looked at between lengths.
        longest: Stop at words of this length.
    """
    empty = Frontier(np.zeros((0, 1), LETTER), suspect.start[None], np.zeros(1, np.intp))
    seen, fronts = Seen(), [empty]
    seen.fresh(empty)
    while len(fronts) <= longest and perf_counter() < deadline:
        if len(fronts[-1].states) * suspect.letters > keep_to:
            break
        children, bad = expand(suspect, fronts[-1])
        if len(bad):
            return Exhausted(len(fronts) - 1, children.words[:, bad[0]], False, tuple(fronts))
        children = seen.fresh(children)
        if not len(children.states):
            return Exhausted(len(fronts) - 1, None, True, tuple(fronts))
        fronts.append(children)
    return Exhausted(len(fronts) - 1, None, False, tuple(fronts))


def deepen(suspect: ProgramUnderTest, known: Exhausted, below: int, deadline: float) -> Exhausted:
    """Go on to length ``below - 1``, one length further at a time, in little memory.

    A length that would not end before the deadline is not begun.
    """
    if known.word is not None or known.closed:
        return known
    last, spent = known.frontiers[-1], 0.0
    for length in range(known.length + 1, below):
        begin = perf_counter()
        if begin + suspect.letters * spent > deadline:
            break
        word, finished = _layer(suspect, last, length - len(last.words), deadline)
        if word is not None:
            # A layer that was cut off still gives a wrong word of the shortest length there is.
            return Exhausted(length - 1, word, False, known.frontiers)
        if not finished:
            break
        known = Exhausted(length, None, False, known.frontiers)
        spent = perf_counter() - begin
    return known


def _layer(
    suspect: ProgramUnderTest, root: Frontier, depth: int, deadline: float
) -> tuple[Ints | None, bool]:
    """Run all words of the root's length + depth; the smallest wrong one, and whether all ran."""
    size = max(1, 4 * CHUNK // suspect.letters**depth)
    best: Ints | None = None
    for i in range(0, len(root.states), size):
        if perf_counter() > deadline:
            return best, False
        level, bad = root.take(slice(i, i + size)), np.zeros(0, np.intp)
        for _ in range(depth):
            level, bad = expand(suspect, level)
        if len(bad):
            word = level.words[:, bad[0]]
            best = word if best is None else min(best, word, key=suspect.rank)
    return best, True
