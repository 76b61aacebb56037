"""Counts of words, wrong words and wrong digits, which can be added up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from math import log2
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from seqarith.evaluation.carry_chains import longest_chains
from seqarith.schema import LARGEST_FLOAT
from seqarith.tasks.task import Letters, Task

SHOWN = 10
"""Most wrong operand tuples that are kept."""

_AT_ONCE = 4096  # wrong words that are converted to Python integers at once


@final
class Counts:
    """Counts over words. They can be added in any order.

    Args:
        task: The task.

    Attributes:
        words: Number of words that were run.
        wrong_words: Number of words with a wrong digit.
        wrong_digits: Number of wrong digits.
        least: Smallest margin of all digits.
        wrong_chains: Number of wrong words by the length of their longest carry chain.
        first_wrong: The smallest wrong operand tuples, at most `SHOWN`.
    """

    def __init__(self, task: Task) -> None:
        self._task = task
        self.words = self.wrong_words = self.wrong_digits = 0
        self.least = float("inf")
        self.wrong_chains: Counter[int] = Counter()
        self.first_wrong: list[tuple[int, ...]] = []

    def add(
        self,
        words: int,
        wrong: NDArray[np.integer[Any]] | None,
        letters: Callable[[NDArray[np.intp]], Letters],
    ) -> None:
        """Count words.

        Args:
            words: Their number N.
            wrong: Number of wrong digits of each, shape (N,); None: no digit is wrong.
            letters: Returns the words of given indices, shape (T, n).
        """
        self.words += words
        if wrong is None:
            return
        numbers = np.flatnonzero(wrong)
        self.wrong_words += len(numbers)
        self.wrong_digits += int(wrong.sum())
        for start in range(0, len(numbers), _AT_ONCE):
            some = letters(numbers[start : start + _AT_ONCE])
            self.wrong_chains.update(longest_chains(self._task, some).tolist())
            self._keep(zip(*self._task.operands_of(self._smallest(some)), strict=True))

    def merge(self, other: Counts) -> None:
        """Add other counts to these."""
        self.words += other.words
        self.wrong_words += other.wrong_words
        self.wrong_digits += other.wrong_digits
        self.least = min(self.least, other.least)
        self.wrong_chains.update(other.wrong_chains)
        self._keep(other.first_wrong)

    def _smallest(self, letters: Letters) -> Letters:
        """Return some of the words, including the `SHOWN` with the smallest operands.

        They are selected by the leading digits of the first operand, since converting all digits to
        an integer takes more than linear time.
        """
        if letters.shape[1] <= SHOWN:
            return letters
        digits = self._task.digits[0][letters]
        first = digits[::-1] if self._task.order == "least" else digits
        key = np.zeros(letters.shape[1], np.int64)
        for row in first[: int(62 / log2(self._task.base))]:  # as many as fit an int64
            key = key * self._task.base + row
        return letters[:, key <= np.partition(key, SHOWN - 1)[SHOWN - 1]]

    def _keep(self, found: Any) -> None:
        self.first_wrong = sorted({*self.first_wrong, *found})[:SHOWN]

    def is_sound(self, words: int, bits: int) -> bool:
        """Return whether these can be the counts of so many words of a width."""
        limit, operands = self._task.base**bits, self._task.operands
        return (
            self.words == words
            and self.wrong_words <= min(words, self.wrong_digits)
            and bool(self.wrong_words) == bool(self.wrong_digits)
            and sum(self.wrong_chains.values()) == self.wrong_words
            and len(self.first_wrong) == min(SHOWN, self.wrong_words)
            and (self.least <= 0 if self.wrong_words else self.least >= 0)
            and (self.least < float("inf") or not words)
            and all(
                len(each) == operands and all(0 <= value < limit for value in each)
                for each in self.first_wrong
            )
        )

    def describe(self) -> dict[str, Any]:
        """Return all counts, ready for JSON."""
        return {
            "words": self.words,
            "wrong_words": self.wrong_words,
            "wrong_digits": self.wrong_digits,
            "least": max(self.least, -LARGEST_FLOAT) if self.words else None,  # JSON has no -inf
            "wrong_chains": sorted(self.wrong_chains.items()),
            "first_wrong": self.first_wrong,
        }

    @staticmethod
    def from_description(task: Task, description: dict[str, Any]) -> Counts:
        """Return the counts of a description that has passed `seqarith.formats`."""
        counts = Counts(task)
        counts.words, counts.wrong_words = description["words"], description["wrong_words"]
        counts.wrong_digits, least = description["wrong_digits"], description["least"]
        counts.least = float("inf") if least is None else float(least)
        counts.wrong_chains.update(dict(description["wrong_chains"]))
        counts.first_wrong = [tuple(operands) for operands in description["first_wrong"]]
        return counts
