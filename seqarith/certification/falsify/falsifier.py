"""The search for a word on which a program is wrong, and then for a shorter one."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import final

import numpy as np

from seqarith.certification.falsify.beam_search import beam_search
from seqarith.certification.falsify.exhaustive_search import (
    LETTER,
    LONGEST,
    extend_search,
    search_exhaustively,
)
from seqarith.certification.falsify.periodic_search import periodic_search
from seqarith.certification.falsify.program_under_test import Ints, ProgramUnderTest
from seqarith.certification.falsify.shorten import best_wrong_word, cut_blocks, decrease_letters
from seqarith.certification.falsify.splice import splice
from seqarith.tasks.sampling import Sampler
from seqarith.tasks.task import Task

KEPT = 1 << 14
"""Words of a frontier, at most, that the breadth-first search keeps for the other searches."""

MAX_LANES = 1 << 20
"""Periodic words that run side by side in the last round."""

STEPS = 4000  # letters of a period
DIGITS, WORDS = 1000, 200  # letters of a random word, and random words
EFFORTS = ((1 << 12, 2), (1 << 14, 8), (1 << 17, 32), (1 << 18, 128))
"""Lanes of periodic words, and width of the beam, in each round of shortening."""


@final
@dataclass(frozen=True, eq=False)
class Counterexample:
    """A word on which a program is wrong.

    Attributes:
        word: Its letters, shape (T,): the last digit is wrong, and none before.
        found_by: ``"exhaustive"``, ``"random"``, ``"periodic"`` or ``"beam"``.
        shortest: Whether every shorter word was run and is right.
    """

    word: Ints
    found_by: str
    shortest: bool


@final
class Falsifier:
    """Searches for a word on which a program is wrong; a later call continues the search.

    Every word over the alphabet counts. The search is deterministic, except for where a deadline
    cuts it off.

    Args:
        program: The program under test.
        task: Its task, which random words are drawn for.
        longest: Letters of the longest word of a search that proceeds letter by letter. If memories
            never repeat, nothing else would stop it.
    """

    def __init__(self, program: ProgramUnderTest, task: Task, longest: int = LONGEST) -> None:
        self.program, self._task, self._longest = program, task, longest
        self.known = search_exhaustively(program, KEPT, float("inf"), longest)
        self._lanes, self._width, self._drawn = 1 << 11, 2, False

    @property
    def exhausted(self) -> int:
        """The length up to which every word was run and is right."""
        return self.known.length

    @property
    def is_finished(self) -> bool:
        """Whether `search` has nothing more to try."""
        return self.known.closed or self._lanes > MAX_LANES

    def search_briefly(self) -> Counterexample | None:
        """Search for a wrong word by one cheap round, without a clock: it is reproducible."""
        if self.known.word is not None:
            return Counterexample(self.known.word, "exhaustive", True)
        return None if self.known.closed else self._round(float("inf"))

    def search(self, seconds: float) -> Counterexample | None:
        """Search for a wrong word of any length for some seconds, from cheap to broad."""
        if self.known.word is not None:
            return Counterexample(self.known.word, "exhaustive", True)
        deadline = perf_counter() + seconds
        while not self.is_finished and perf_counter() < deadline:
            found = self._round(deadline)
            if found is not None:
                return found
            self._lanes, self._width = 8 * self._lanes, 4 * self._width
        return None

    def run_all_words(self, below: int, seconds: float) -> Counterexample | None:
        """Run every word of fewer than ``below`` letters, as far as the seconds reach."""
        self.known = extend_search(self.program, self.known, below, perf_counter() + seconds)
        return self.search(0)

    def minimise(self, found: Counterexample, seconds: float) -> Counterexample:
        """Search for a shorter wrong word with smaller operands, for twice the seconds at most.

        First the word is shortened; then all shorter words are run, as many as the time allows.
        """
        if found.shortest:
            return found
        word = self._shortened(found.word, perf_counter() + seconds)
        self.known = extend_search(self.program, self.known, len(word), perf_counter() + seconds)
        if self.known.word is not None:
            return Counterexample(self.known.word, found.found_by, True)
        return Counterexample(word, found.found_by, self.known.length == len(word) - 1)

    def _round(self, deadline: float) -> Counterexample | None:
        program = self.program
        if not self._drawn:
            self._drawn = True
            word = best_wrong_word(program, self._random())
            if word is not None:
                return Counterexample(word, "random", False)
        fronts, seed = self.known.frontiers, self.known.seed
        word = program.confirmed(periodic_search(program, fronts, self._lanes, STEPS, deadline))
        if word is not None:
            return Counterexample(word, "periodic", False)
        word = program.confirmed(
            beam_search(program, seed, self._width, deadline, longest=self._longest)
        )
        return None if word is None else Counterexample(word, "beam", False)

    def _random(self) -> Ints:
        """Draw long words: uniform ones, and words with long runs and carry chains."""
        rng, sampler = np.random.default_rng(0), Sampler(self._task, DIGITS)
        drawn = [sampler.favouring(rng, WORDS), sampler.uniform(rng, WORDS // 4)]
        return np.concatenate(drawn, axis=1).astype(LETTER)

    def _shortened(self, word: Ints, deadline: float) -> Ints:
        """Shorten a wrong word by splicing, and by searches that stop below its length."""
        program, known = self.program, self.known
        word = cut_blocks(program, word, deadline)
        for lanes, width in EFFORTS:
            word = splice(program, word, known, deadline)
            for other in (
                periodic_search(program, known.frontiers, lanes, len(word) - 1, deadline, rounds=1),
                beam_search(program, known.seed, width, deadline, longest=len(word) - 3),
            ):
                sure = program.confirmed(other)
                if sure is not None:
                    word = min(cut_blocks(program, sure, deadline), word, key=program.rank)
            if len(word) <= known.length + 1 or perf_counter() > deadline:
                break
        return decrease_letters(program, word, deadline)
