"""Which words a function is asked before its machine is believed.

The words come in phases. Each phase asks twice as many as the one before, and longer ones, so that
a function which takes long for long operands is asked for short ones first:

- half of them: all operand tuples in the order of their length;
- a quarter: runs ``x^i y^j z^k`` of up to 64 letters x, y, z each;
- an eighth: words made of what told states apart: a word into a state, some letters in between or
  loops of the machine many times over, and a suffix that distinguishes states;
- a sixteenth: operands around powers of the base;
- a sixteenth: random words of geometric lengths.

The order is fixed: whoever asks N words asks the first N of these.

Source: T. S. Chow, Testing Software Design Modeled by Finite-State Machines (1978), for the words
through every state to what tells states apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from typing import final

import numpy as np
from numpy.typing import NDArray

from seqarith.digits import to_digits
from seqarith.tasks.function_oracle import Word
from seqarith.tasks.lstar import LStarLearner
from seqarith.tasks.task import Letters

BLOCK = 256
"""Words that are asked together; the clock is looked at after each block."""
FIRST = 2**11
"""Words of the first phase; the next one asks as many, each further one twice as many."""
LENGTHS = (12, 20, 32, 50, 80, 125, 190, 300)
"""Letters of the longest words in each phase."""
LONGEST_RUN = 64


@final
class Questions:
    """The words that a learner's function is asked, block by block.

    Args:
        learner: Its present machine says which words tell most.
    """

    def __init__(self, learner: LStarLearner) -> None:
        self._learner, oracle = learner, learner.oracle
        self._letters, self._base, self._operands = oracle.letters, oracle.base, oracle.operands
        self._most_first = oracle.order == "most"
        self._lengths = oracle.lengths
        self._next = 0  # the first operand tuple, by number, that was not asked yet
        self._asked: set[int] = set()
        rng = np.random.default_rng(0)
        self._weights = rng.integers(2**63, size=4096, dtype=np.uint64) * np.uint64(2) + np.uint64(
            1
        )

    def blocks(self) -> Iterator[Letters]:
        """Yield words in blocks (T, N), without end; no word is asked twice."""
        for phase in count():
            size = FIRST << max(0, phase - 1)
            longest = LENGTHS[min(phase, len(LENGTHS) - 1)]
            kinds = (self._runs, 4), (self._products, 8), (self._powers, 16), (self._random, 16)
            yield from self._all(size // 2)
            for number, (kind, share) in enumerate(kinds):
                rng = np.random.default_rng([phase, number])
                for start in range(0, size // share, BLOCK):
                    words = kind(rng, min(BLOCK, size // share - start), longest)
                    yield from self._new(words)

    def _all(self, size: int) -> Iterator[Letters]:
        """Yield the next operand tuples: the letters of a word are the digits of its number."""
        for start in range(self._next, self._next + size, BLOCK):
            numbers = np.arange(start, min(start + BLOCK, self._next + size))
            rows = []
            while numbers.any() or not rows:
                numbers, row = np.divmod(numbers, self._letters)
                rows.append(row)
            yield np.array(rows[::-1] if self._most_first else rows, np.intp)
        self._next += size

    def _new(self, words: Letters) -> Iterator[Letters]:
        """Yield those of some words that were not asked before, if there are any."""
        rows = words[::-1] if self._most_first else words
        # Zeros beyond the highest digit add nothing: equal operands have equal keys.
        keys = (rows.astype(np.uint64) * self._weights[: len(rows), None]).sum(axis=0)
        short = np.array([self._letters**n <= self._next for n in range(len(rows) + 1)])
        chosen = []
        lengths = self._lengths(words)
        for column, key in enumerate(keys.tolist()):
            if not short[lengths[column]] and key not in self._asked:
                self._asked.add(key)
                chosen.append(column)
        if chosen:
            longest = int(lengths[chosen].max())
            kept = words[:, chosen]
            yield kept[len(kept) - longest :] if self._most_first else kept[:longest]

    def _runs(self, rng: np.random.Generator, size: int, longest: int) -> Letters:
        """Return words ``x^i y^j z^k``, half of them with equal or neighbouring lengths."""
        most = min(LONGEST_RUN, max(4, longest // 3))
        letters = rng.integers(self._letters, size=(3, size))
        runs = rng.integers(most + 1, size=(3, size))
        near = np.clip(runs[0] + rng.integers(-1, 2, size), 0, most)
        kind = rng.integers(8, size=size)
        runs[1] = np.where((kind == 0) | (kind == 1), near, runs[1])  # x^i y^i
        runs[2] = np.where(kind == 0, 0, np.where((kind == 1) | (kind == 2), near, runs[2]))
        runs[2] = np.where(kind == 3, np.minimum(runs[0] + runs[1], most), runs[2])
        letters[2] = np.where(rng.random(size) < 0.3, letters[0], letters[2])
        ends = np.maximum(runs.cumsum(axis=0), [[0], [0], [1]])
        steps = np.arange(int(ends[2].max()))[:, None]
        words = np.where(steps < ends[1], letters[1], letters[2])
        words = np.where(steps < ends[0], letters[0], words)
        return self._aligned(words, ends[2])

    def _products(self, rng: np.random.Generator, size: int, longest: int) -> Letters:
        learner = self._learner
        words = []
        for _ in range(size):
            state = int(rng.integers(len(learner.access)))
            suffix = learner.suffixes[int(rng.integers(len(learner.suffixes)))]
            if rng.random() < 0.5:
                between: Word = tuple(
                    rng.integers(self._letters, size=int(rng.integers(5))).tolist()
                )
            else:
                between = self._loops(rng, state, longest)
            words.append((*learner.access[state], *between, *suffix))
        return self._table(words)

    def _loops(self, rng: np.random.Generator, state: int, longest: int) -> Word:
        """Return one or two loops of the machine, each several times over.

        A machine that took two residuals for one goes wrong when it is pumped.
        """
        first, second = self._loop(rng, state), self._loop(rng, state)
        most = max(2, longest // (2 * max(len(first), len(second))))
        times = int(rng.integers(1, most + 1))
        others = (0, times, times + 1, int(rng.integers(1, most + 1)))
        return first * times + second * others[int(rng.integers(4))]

    def _loop(self, rng: np.random.Generator, state: int) -> Word:
        """Return a word that leads from a state back to it, or some letters where none is met."""
        following, there, word = self._learner.machine.next_state, state, []
        for letter in rng.integers(self._letters, size=12).tolist():
            word.append(letter)
            there = int(following[there, letter])
            if there == state:
                break
        return tuple(word)

    def _powers(self, rng: np.random.Generator, size: int, longest: int) -> Letters:
        """Return words of operands ``b^k - 1``, ``b^k``, ``b^k + 1``, every other of one k."""
        places = rng.integers(longest, size=(self._operands, size))
        places = np.where(rng.random(size) < 0.5, places[0], places)
        shifts = rng.integers(-1, 2, size=places.shape)
        words = np.zeros((longest + 1, size), np.intp)
        for operand in range(self._operands - 1, -1, -1):
            values = [
                self._base**k + d
                for k, d in zip(places[operand].tolist(), shifts[operand].tolist(), strict=True)
            ]
            words = words * self._base + to_digits(values, longest + 1, base=self._base)
        return words[::-1] if self._most_first else words

    def _random(self, rng: np.random.Generator, size: int, longest: int) -> Letters:
        """Return random words of geometric lengths; half of them stay long with one letter."""
        lengths = np.exp(rng.uniform(0, np.log(longest + 1), size)).astype(np.intp)
        words = rng.integers(self._letters, size=(int(lengths.max()), size))
        again = rng.random(words.shape) < np.linspace(-1, 1, size)
        # What stays is one of two letters of the word's own.
        own = rng.integers(self._letters, size=(2, size))
        which = rng.integers(2, size=words.shape)
        words = np.where(again, np.where(which == 0, own[0], own[1]), words)
        return self._aligned(words, lengths)

    def _table(self, words: Sequence[Word]) -> Letters:
        lengths = np.array([max(1, len(word)) for word in words])
        table = np.zeros((int(lengths.max()), len(words)), np.intp)
        for column, word in enumerate(words):
            table[: len(word), column] = word
        return self._aligned(table, lengths)

    def _aligned(self, words: Letters, lengths: NDArray[np.intp]) -> Letters:
        """Return words of several lengths as words of one length, with zeros as highest digits."""
        steps = np.arange(len(words))[:, None]
        if not self._most_first:
            return np.where(steps < lengths, words, 0)
        places = steps - (len(words) - lengths)
        return np.where(places >= 0, np.take_along_axis(words, np.maximum(places, 0), axis=0), 0)
