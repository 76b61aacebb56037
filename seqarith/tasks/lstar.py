"""The L* algorithm: the smallest machine of a function, by asking it for words.

After some digits have been read, what the outputs will be for all further digits is the *residual*
of the function. Words that leave the same residual need not be told apart, so that residuals are
the states of the smallest machine; a function is finite-state when they are finitely many.

Source: D. Angluin, Learning Regular Sets from Queries and Counterexamples (1987). Counterexamples
are cut as R. Rivest and R. Schapire do, Inference of Finite Automata Using Homing Sequences (1993);
residuals: A. Nerode, Linear Automaton Transformations (1958).
"""

from __future__ import annotations

from itertools import product
from typing import final

import numpy as np

from seqarith.errors import TaskError
from seqarith.machine import MealyMachine
from seqarith.tasks.function_oracle import MAX_STATES, Block, FunctionOracle, Word
from seqarith.tasks.own import MAX_CELLS

_SUFFIXES = 40  # tell residuals apart from the start
_EVIDENCE = 20_000  # calls of the function that count residuals for an error message


@final
class LStarLearner:
    """A machine that agrees with all words that were asked so far.

    Args:
        oracle: The function.

    Attributes:
        machine: The machine, as far as it is known.
        access: For each of its states a word that leads there.
        suffixes: Words that tell states apart.
        version: How many machines there were before this one.
    """

    def __init__(self, oracle: FunctionOracle) -> None:
        self.oracle = oracle
        self.suffixes = self._first_suffixes()
        self.version = -1
        # The row of a word is a path in a tree: one edge for its output after each suffix.
        self._edges: dict[tuple[int, int], int] = {}
        self._rows: dict[Word, tuple[int, int]] = {}
        self.machine, self.access = self._hypothesis()

    def learn(self, block: Block) -> None:
        """Change the machine until it agrees with a block of words.

        Raises:
            TaskError: There are more states than `MAX_STATES`.
            UnreadableError: A digit of the result depends on digits that are read later.
        """
        while (wrong := block.wrong(self.machine)) is not None:
            word = self.oracle.counterexample(block, *wrong)
            self.suffixes.append(self._distinguishing(word))
            self.machine, self.access = self._hypothesis()

    def growth(self) -> list[int]:
        """Return how many residuals the words of 0, 1, 2, ... letters leave."""
        counts, length, letters = [], 0, self.oracle.letters
        while letters**length * len(self.suffixes) <= _EVIDENCE:
            words = product(range(letters), repeat=length)
            counts.append(len({self._row(word) for word in words}))
            length += 1
        return counts

    def _first_suffixes(self) -> list[Word]:
        """Return all words up to a length; some letters only, where those are too many."""
        letters = self.oracle.letters
        if letters > _SUFFIXES:
            chosen = np.linspace(0, letters - 1, _SUFFIXES).astype(int).tolist()
            return [(letter,) for letter in chosen]
        length = 1
        while sum(letters**n for n in range(1, length + 2)) <= _SUFFIXES:
            length += 1
        return [word for n in range(1, length + 1) for word in product(range(letters), repeat=n)]

    def _row(self, word: Word) -> int:
        """Return the number of what is emitted after a word and each of the suffixes."""
        node, known = self._rows.get(word, (0, 0))
        for suffix in self.suffixes[known:]:
            edge = (node, self.oracle.last(word + suffix))
            node = self._edges.setdefault(edge, len(self._edges) + 1)
        self._rows[word] = node, len(self.suffixes)
        return node

    def _hypothesis(self) -> tuple[MealyMachine, list[Word]]:
        """Return the machine of the residuals told apart so far, and a word into each state."""
        access: list[Word] = [()]
        number = {self._row(()): 0}
        following: list[list[int]] = []
        letters = range(self.oracle.letters)
        most = min(MAX_STATES, MAX_CELLS // len(letters))
        for word in access:
            successors = []
            for letter in letters:
                row = self._row((*word, letter))
                if row not in number:
                    number[row] = len(access)
                    access.append((*word, letter))
                successors.append(number[row])
            if len(access) > most:
                raise self._infinite(most)
            following.append(successors)
        output = [[self.oracle.last((*word, letter)) for letter in letters] for word in access]
        self.version += 1
        return MealyMachine(following, output, self.oracle.outputs), access

    def _distinguishing(self, wrong: Word) -> Word:
        """Return a suffix that tells two words apart which lead into one state."""
        states = self.machine.trace(wrong).tolist()
        expected = self.oracle.last(wrong)

        def follows(place: int) -> bool:
            """Return whether the word's end has its output after the state's word as well."""
            return self.oracle.last(self.access[states[place]] + wrong[place:]) == expected

        low, high = 0, len(wrong) - 1
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if follows(middle) else (low, middle)
        return wrong[high:]

    def _infinite(self, most: int) -> TaskError:
        self.oracle.limit = None  # the words that count residuals come on top
        self.oracle.check_repeatable()
        counts = self.growth()
        return TaskError(
            f"{self.oracle.name} is not finite-state, as far as {most} states can tell: after "
            f"words of 0 to {len(counts) - 1} letters, {self.oracle.order} significant first, "
            f"{', '.join(map(str, counts))} residuals have to be told apart. A network of fixed "
            "size can only learn it at a fixed width"
        )
