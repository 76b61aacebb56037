"""Learn the machine of a function on integers with L*.

The *residual* of a function after some digits is the map from further digits to outputs. Digits
that leave the same residual need not be distinguished, so residuals are the states of the smallest
machine, and a function is finite-state if it has finitely many.

Source: A. Nerode, Linear Automaton Transformations (1958), for residuals; D. Angluin, Learning
Regular Sets from Queries and Counterexamples (1987), for the algorithm; R. Rivest and R. Schapire,
Inference of Finite Automata Using Homing Sequences (1993), for the use of counterexamples.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import final

import numpy as np

from seqarith.errors import TaskError
from seqarith.machine import MealyMachine
from seqarith.tasks.custom.constants import find_constants
from seqarith.tasks.custom.equivalence import BEYOND, equivalence_queries, further_queries
from seqarith.tasks.custom.from_machine import MAX_CELLS
from seqarith.tasks.custom.function_oracle import MAX_STATES, FunctionOracle, QueryBlock, Word

SECONDS = 5.0
"""Seconds of calls for each of the two comparisons with a machine; not used with ``ask``."""
_SUFFIXES = 40  # suffixes at the start
_KEPT = 200  # blocks of words that are kept for the next machine
_CLOCK = 256  # words between two readings of the clock
_EVIDENCE = 20_000  # calls of the function to count residuals for an error message


@final
@dataclass
class LStarLearner:
    """Learns a machine from queries: an observation table of prefixes and suffixes.

    Args:
        oracle: Answers queries about the function.
    """

    oracle: FunctionOracle
    _suffixes: list[Word] = field(init=False)
    _rows: dict[Word, list[int]] = field(init=False, default_factory=dict)
    _blocks: list[QueryBlock] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self._suffixes = self._first_suffixes()

    def machine(self) -> MealyMachine:
        """Return a machine that agrees with the function on all words that are asked.

        Raises:
            TaskError: There are more residuals than `MAX_STATES`, or a digit of the result depends
                on digits that are read after it must be emitted.
        """
        more = self._new_blocks()
        while True:
            machine, words = self._hypothesis()
            wrong = self._disagreement(machine, more) or self._beyond(machine, words)
            if wrong is None:
                return machine.minimised()
            self._suffixes.append(self._distinguishing(machine, words, wrong))

    def _disagreement(self, machine: MealyMachine, more: Iterator[QueryBlock]) -> Word | None:
        """Return a word on which a machine errs; words that were asked before are tried first."""
        for block in self._blocks:
            if found := block.find_error(machine):
                return self.oracle.counterexample(block, *found)
        for block in more:
            self._blocks.append(block)
            if found := block.find_error(machine):
                return self.oracle.counterexample(block, *found)
        return None

    def _new_blocks(self) -> Iterator[QueryBlock]:
        """Yield words with their results, each once, as many as limit and time allow."""
        oracle = self.oracle
        written, spent = find_constants(oracle.function.function, oracle.base), 0.0
        for letters in equivalence_queries(oracle.operands, oracle.base, oracle.order, written):
            # The clock is read only here, so that the words that are asked hardly depend on it.
            # Calls that build machines do not count: a function that needs many is rarely
            # finite-state.
            if oracle.left <= self._reserve:
                return
            if oracle.limit is None and spent > SECONDS:
                oracle.cut = True
                return
            before = oracle.seconds
            block = oracle.block(letters[:, : oracle.left - self._reserve])
            spent += oracle.seconds - before
            yield block
        if oracle.limit is None:
            return
        for letters in further_queries(oracle.letters):
            if oracle.left <= BEYOND:  # reserved for `_beyond`
                return
            block = oracle.block(letters[:, : oracle.left - BEYOND])
            yield block
            # The generator is resumed only if the machine is correct on the block. Otherwise the
            # block is kept, and a new machine is built.
            if len(self._blocks) > _KEPT and self._blocks[-1] is block:
                self._blocks.pop()

    @property
    def _reserve(self) -> int:
        """Words of the limit that are reserved for `_beyond`."""
        return 0 if self.oracle.limit is None else min(BEYOND, self.oracle.limit // 4)

    def growth(self) -> list[int]:
        """Return how many residuals there are after the words of 0, 1, 2, ... letters."""
        counts, length, letters = [], 0, self.oracle.letters
        while letters**length * len(self._suffixes) <= min(_EVIDENCE, self.oracle.left):
            words = product(range(letters), repeat=length)
            counts.append(len({self._row(word) for word in words}))
            length += 1
        return counts

    def _beyond(self, machine: MealyMachine, words: list[Word]) -> Word | None:
        """Return a wrong word among words through every state to a distinguishing suffix.

        Random words almost never contain something rare, such as the end of a palindrome. Suffixes
        that distinguished two residuals do. Source: T. S. Chow, Testing Software Design Modeled by
        Finite-State Machines (1978), with a sample of the words in between.
        """
        source, before = random.Random(0), self.oracle.seconds
        following, output = machine.next_state.tolist(), machine.output.tolist()
        for count in range(BEYOND):
            if self.oracle.left < 1:
                return None
            late = count % _CLOCK == 0 and self.oracle.seconds - before > SECONDS
            if self.oracle.limit is None and late:
                self.oracle.cut = True
                return None
            number = count % len(words)
            between = source.choices(range(self.oracle.letters), k=source.randint(1, 4))
            more = (*between, *source.choice(self._suffixes))
            state = number
            for letter in more[:-1]:
                state = following[state][letter]
            word = words[number] + more
            if self.oracle.last(word) != output[state][more[-1]]:
                return word
        return None

    def _first_suffixes(self) -> list[Word]:
        """Return all words up to a length; only some letters if the alphabet is too large."""
        letters = self.oracle.letters
        if letters > _SUFFIXES:
            chosen = np.linspace(0, letters - 1, _SUFFIXES).astype(int).tolist()
            return [(letter,) for letter in chosen]
        length = 1
        while sum(letters**n for n in range(1, length + 2)) <= _SUFFIXES:
            length += 1
        return [word for n in range(1, length + 1) for word in product(range(letters), repeat=n)]

    def _row(self, word: Word) -> tuple[int, ...]:
        row = self._rows.setdefault(word, [])
        row += [self.oracle.last(word + suffix) for suffix in self._suffixes[len(row) :]]
        return tuple(row)

    def _hypothesis(self) -> tuple[MealyMachine, list[Word]]:
        """Return the machine of the residuals distinguished so far, and a word into each state."""
        words: list[Word] = [()]
        number = {self._row(()): 0}
        following: list[list[int]] = []
        letters = range(self.oracle.letters)
        most = min(MAX_STATES, MAX_CELLS // len(letters))
        for word in words:
            successors = []
            for letter in letters:
                row = self._row((*word, letter))
                if row not in number:
                    number[row] = len(words)
                    words.append((*word, letter))
                successors.append(number[row])
            if len(words) > most:
                raise self._infinite(most)
            following.append(successors)
        output = [[self.oracle.last((*word, letter)) for letter in letters] for word in words]
        return MealyMachine(following, output, self.oracle.outputs), words

    def _distinguishing(self, machine: MealyMachine, words: list[Word], wrong: Word) -> Word:
        """Return a suffix that distinguishes two words into the same state, by binary search."""
        states = machine.trace(wrong).tolist()

        def follows(place: int) -> bool:
            """Return whether the suffix has the same output after the word into the state."""
            return self.oracle.last(words[states[place]] + wrong[place:]) == expected

        expected = self.oracle.last(wrong)
        low, high = 0, len(wrong) - 1
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if follows(middle) else (low, middle)
        return wrong[high:]

    def _infinite(self, most: int) -> TaskError:
        self.oracle.check_repeatable()
        counts = self.growth()
        return TaskError(
            f"{self.oracle.name} is not finite-state, as far as {most} states can tell: after "
            f"words of 0 to {len(counts) - 1} letters, {self.oracle.order} significant first, "
            f"{', '.join(map(str, counts))} residuals have to be told apart. A network of fixed "
            "size can only learn it at a fixed width"
        )
