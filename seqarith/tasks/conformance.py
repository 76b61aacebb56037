"""Conformance testing: a machine is compared with its function on many words, and corrected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from seqarith.machine import MealyMachine
from seqarith.tasks.function_oracle import Block, FunctionOracle
from seqarith.tasks.lstar import LStarLearner
from seqarith.tasks.questions import Questions

DEFAULT_WORDS = 300_000
"""Words that are asked where the caller does not say: all phases up to words of 300 letters."""
SECONDS = 5.0
"""Time in calls of the function after which no further block is asked, unless `ask` was given."""
_RESERVED = 8  # this share of the words is kept for corrections at the end, and negative operands


@final
@dataclass(frozen=True)
class Conformance:
    """A machine that agrees with its function on all words that were asked.

    Attributes:
        machine: The machine, minimised.
        cut: Where the clock ended the questions: the ``ask`` that repeats them; else None.
    """

    machine: MealyMachine
    cut: int | None


def find_machine(oracle: FunctionOracle, ask: int | None) -> Conformance:
    """Find the machine of a function by asking it.

    Args:
        oracle: The function.
        ask: Most words; None: `DEFAULT_WORDS`, while the calls take less than `SECONDS`.

    Raises:
        TaskError: It is not finite-state as far as can be told, fails, or is not repeatable.
    """
    words = DEFAULT_WORDS if ask is None else ask
    oracle.limit, oracle.total = ask, words
    learner = LStarLearner(oracle)
    questions = Questions(learner).blocks()
    seen: list[tuple[Block, int]] = []
    cut = None
    while (room := _planned(words) - oracle.asked) > 0:
        block = oracle.block(next(questions)[:, :room])
        learner.learn(block)
        seen.append((block, learner.version))
        oracle.tell()
        if ask is None and oracle.seconds > SECONDS and oracle.asked < _planned(words):
            cut = oracle.limit = _repeating(oracle.asked)
            break
    _settle(learner, seen)
    oracle.check_repeatable()
    return Conformance(learner.machine.minimised(), cut)


def _settle(learner: LStarLearner, seen: list[tuple[Block, int]]) -> None:
    """Change the machine until it agrees with every word, those that it agreed with before too."""
    settled = False
    while not settled:
        settled = True
        for number, (block, version) in enumerate(seen):
            if version != learner.version:
                learner.learn(block)
                settled &= learner.version == seen[-1][1]
                seen[number] = block, learner.version


def _planned(words: int) -> int:
    """Return how many of the words are asked before the corrections at the end."""
    return words - words // _RESERVED


def _repeating(asked: int) -> int:
    """Return the least number of words of which so many are planned."""
    words = asked
    while _planned(words) < asked:
        words += asked - _planned(words)
    return words
