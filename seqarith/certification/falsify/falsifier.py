"""The search for a word on which a network is wrong, and for the shortest one."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import final

import numpy as np

from seqarith.certification.falsify.beam_search import beam_search
from seqarith.certification.falsify.exhaustive_search import LETTER, LONGEST, deepen, search
from seqarith.certification.falsify.periodic_search import periodic_search
from seqarith.certification.falsify.program_under_test import Ints, ProgramUnderTest
from seqarith.certification.falsify.shorten import best_of, cut, smallest
from seqarith.certification.falsify.splice import bridge
from seqarith.tasks.sampling import Sampler
from seqarith.tasks.task import Task

KEPT = 1 << 14
"""Words that the breadth-first search keeps for the other searches."""

BROADEST = 1 << 20
"""Lanes of periodic words in the last round."""

STEPS = 4000
DIGITS, WORDS = 1000, 200  # of the random words


@final
@dataclass(frozen=True, eq=False)
class Counterexample:
    """A word on which a network is wrong.

    Attributes:
        word: Its letters, shape (T,): wrong at the last digit and at none before.
        found_by: ``"exhaustive"``, ``"random"``, ``"periodic"`` or ``"beam"``.
        shortest: Whether every shorter word was run and is right.
    """

    word: Ints
    found_by: str
    shortest: bool


@final
class Falsifier:
    """Searches for a word on which a network is wrong; what it knows is kept between calls.

    Every word over the alphabet counts. The search is deterministic but for where the clock cuts
    it off.

    Args:
        suspect: What is searched.
        task: Its task: it knows which words are worth trying.
        longest: Letters of the longest word of a search that goes letter by letter. Where
            hidden vectors wander on without an end, nothing else would stop it.
    """

    def __init__(self, suspect: ProgramUnderTest, task: Task, longest: int = LONGEST) -> None:
        self.suspect, self._task, self._longest = suspect, task, longest
        self.known = search(suspect, KEPT, float("inf"), longest)
        self._lanes, self._width, self._drawn = 1 << 11, 2, False

    @property
    def exhausted(self) -> int:
        """Length up to which every word was run, and is right."""
        return self.known.length

    @property
    def dry(self) -> bool:
        """Whether `hunt` has nothing more to try."""
        return self.known.closed or self._lanes > BROADEST

    def glance(self) -> Counterexample | None:
        """Seek a wrong word in the cheapest ways alone; no clock decides what is found."""
        if self.known.word is not None:
            return Counterexample(self.known.word, "exhaustive", True)
        return None if self.known.closed else self._round(float("inf"))

    def hunt(self, seconds: float) -> Counterexample | None:
        """Seek a wrong word of any length, for some seconds: from cheap to broad."""
        if self.known.word is not None:
            return Counterexample(self.known.word, "exhaustive", True)
        deadline = perf_counter() + seconds
        while not self.dry and perf_counter() < deadline:
            found = self._round(deadline)
            if found is not None:
                return found
            self._lanes, self._width = 8 * self._lanes, 4 * self._width
        return None

    def deepen(self, below: int, seconds: float) -> Counterexample | None:
        """Run every word of fewer than ``below`` letters, as far as the seconds reach."""
        self.known = deepen(self.suspect, self.known, below, perf_counter() + seconds)
        return self.hunt(0)

    def minimised(self, found: Counterexample, seconds: float) -> Counterexample:
        """Seek a shorter word, then smaller operands: half of the time for each direction.

        From above the word is shortened; from below every shorter word is run.
        """
        if found.shortest:
            return found
        word = self._shortened(found.word, perf_counter() + seconds)
        self.known = deepen(self.suspect, self.known, len(word), perf_counter() + seconds)
        if self.known.word is not None:
            return Counterexample(self.known.word, found.found_by, True)
        return Counterexample(word, found.found_by, self.known.length == len(word) - 1)

    def _round(self, deadline: float) -> Counterexample | None:
        suspect = self.suspect
        if not self._drawn:
            self._drawn = True
            word = best_of(suspect, self._random())
            if word is not None:
                return Counterexample(word, "random", False)
        fronts, seed = self.known.frontiers, self.known.seed
        word = suspect.confirmed(periodic_search(suspect, fronts, self._lanes, STEPS, deadline))
        if word is not None:
            return Counterexample(word, "periodic", False)
        word = suspect.confirmed(
            beam_search(suspect, seed, self._width, deadline, longest=self._longest)
        )
        return None if word is None else Counterexample(word, "beam", False)

    def _random(self) -> Ints:
        """Draw long words: uniform ones, and such with long runs and carry chains."""
        rng, sampler = np.random.default_rng(0), Sampler(self._task, DIGITS)
        drawn = [sampler.favouring(rng, WORDS), sampler.uniform(rng, WORDS // 4)]
        return np.concatenate(drawn, axis=1).astype(LETTER)

    def _shortened(self, word: Ints, deadline: float) -> Ints:
        """Shorten by bridging, by periodic words and by beams that stop below its length."""
        suspect, known = self.suspect, self.known
        word = cut(suspect, word, deadline)
        for lanes, width in ((1 << 12, 2), (1 << 14, 8), (1 << 17, 32), (1 << 18, 128)):
            word = bridge(suspect, word, known, deadline)
            for other in (
                periodic_search(suspect, known.frontiers, lanes, len(word) - 1, deadline, rounds=1),
                beam_search(suspect, known.seed, width, deadline, longest=len(word) - 3),
            ):
                sure = suspect.confirmed(other)
                if sure is not None:
                    word = min(cut(suspect, sure, deadline), word, key=suspect.rank)
            if len(word) <= known.length + 1 or perf_counter() > deadline:
                break
        return smallest(suspect, word, deadline)
