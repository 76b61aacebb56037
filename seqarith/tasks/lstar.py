"""Your own task: from a function on integers to its machine, by telling residuals apart.

After some digits have been read, what the outputs will be for all further digits is the *residual*
of the function. Digits that leave the same residual need not be told apart, so that residuals are
the states of the smallest machine; a function is finite-state when they are finitely many.

Source: A. Nerode, Linear Automaton Transformations (1958). They are found by the method of
D. Angluin, Learning Regular Sets from Queries and Counterexamples (1987), with the counterexamples
cut as R. Rivest and R. Schapire do, Inference of Finite Automata Using Homing Sequences (1993).
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from itertools import product
from typing import final

import numpy as np

from seqarith.errors import TaskError
from seqarith.machine import MealyMachine
from seqarith.tasks.own import MAX_CELLS
from seqarith.tasks.spoken import Spoken, Word

MAX_STATES = 512
"""More residuals than that are taken for infinitely many."""
_SUFFIXES = 40  # tell residuals apart from the start
_BEYOND = 12_000  # words that go through a state, some letters, and a suffix
_EVIDENCE = 20_000  # calls of the function that count residuals for an error message


@final
@dataclass
class Residuals:
    """The residuals of a function that have been told apart.

    Args:
        spoken: The function as words and outputs.
    """

    spoken: Spoken
    _suffixes: list[Word] = field(init=False)
    _rows: dict[Word, list[int]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._suffixes = self._first_suffixes()

    def machine(self) -> MealyMachine:
        """Return the machine, once no word that is tried tells it from the function.

        Raises:
            TaskError: There are more residuals than `MAX_STATES`, or a digit of the result depends
                on digits that are read after it is due.
        """
        while True:
            machine, words = self._hypothesis()
            wrong = self.spoken.disagreement(machine) or self._beyond(machine, words)
            if wrong is None:
                return machine.minimised()
            self._suffixes.append(self._distinguishing(machine, words, wrong))

    def growth(self) -> list[int]:
        """Return how many residuals the words of 0, 1, 2, ... letters leave."""
        counts, length, letters = [], 0, self.spoken.letters
        while letters**length * len(self._suffixes) <= _EVIDENCE:
            words = product(range(letters), repeat=length)
            counts.append(len({self._row(word) for word in words}))
            length += 1
        return counts

    def _beyond(self, machine: MealyMachine, words: list[Word]) -> Word | None:
        """Return a wrong word among some that go through every state to what told states apart.

        Random words hardly ever meet what is rare, the end of a palindrome for instance; suffixes
        that told two residuals apart do. Source: T. S. Chow, Testing Software Design Modeled by
        Finite-State Machines (1978), with a sample of the words in between.
        """
        source = random.Random(0)
        following, output = machine.next_state.tolist(), machine.output.tolist()
        for count in range(_BEYOND):
            number = count % len(words)
            between = source.choices(range(self.spoken.letters), k=source.randint(1, 4))
            more = (*between, *source.choice(self._suffixes))
            state = number
            for letter in more[:-1]:
                state = following[state][letter]
            word = words[number] + more
            if self.spoken.last(word) != output[state][more[-1]]:
                return word
        return None

    def _first_suffixes(self) -> list[Word]:
        """Return all words up to a length; some letters only, where those are too many."""
        letters = self.spoken.letters
        if letters > _SUFFIXES:
            chosen = np.linspace(0, letters - 1, _SUFFIXES).astype(int).tolist()
            return [(letter,) for letter in chosen]
        length = 1
        while sum(letters**n for n in range(1, length + 2)) <= _SUFFIXES:
            length += 1
        return [word for n in range(1, length + 1) for word in product(range(letters), repeat=n)]

    def _row(self, word: Word) -> tuple[int, ...]:
        row = self._rows.setdefault(word, [])
        row += [self.spoken.last(word + suffix) for suffix in self._suffixes[len(row) :]]
        return tuple(row)

    def _hypothesis(self) -> tuple[MealyMachine, list[Word]]:
        """Return the machine of the residuals told apart so far, and a word into each state."""
        words: list[Word] = [()]
        number = {self._row(()): 0}
        following: list[list[int]] = []
        letters = range(self.spoken.letters)
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
        output = [[self.spoken.last((*word, letter)) for letter in letters] for word in words]
        return MealyMachine(following, output, self.spoken.outputs), words

    def _distinguishing(self, machine: MealyMachine, words: list[Word], wrong: Word) -> Word:
        """Return a suffix that tells two words apart which lead into one state."""
        states = machine.trace(wrong).tolist()

        def follows(place: int) -> bool:
            """Return whether the word's end has its output after the state's word as well."""
            return self.spoken.last(words[states[place]] + wrong[place:]) == due

        due = self.spoken.last(wrong)
        low, high = 0, len(wrong) - 1
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if follows(middle) else (low, middle)
        return wrong[high:]

    def _infinite(self, most: int) -> TaskError:
        counts = self.growth()
        return TaskError(
            f"{self.spoken.name} is not finite-state, as far as {most} states can tell: after "
            f"words of 0 to {len(counts) - 1} letters, {self.spoken.order} significant first, "
            f"{', '.join(map(str, counts))} residuals have to be told apart. A network of fixed "
            "size can only learn it at a fixed width"
        )
