"""Membership queries: the output of a function after the last letter of a word, and of blocks."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import final

import numpy as np
from numpy.typing import NDArray

from seqarith.digits import Order, count_digits, from_digits, to_digits
from seqarith.errors import TaskError
from seqarith.machine import MealyMachine
from seqarith.tasks.custom.encoded import EncodedFunction, short
from seqarith.tasks.task import Letters

Word = tuple[int, ...]
QueryProgress = Callable[[int, int], None]
"""Called with the words that were asked, and how many there will be."""

MAX_STATES = 512
"""More states than this are taken for infinitely many."""
_TWICE = 64  # words that are asked again at the end, to see whether the function is deterministic
_REPORT_EVERY = 256  # calls between two reports of progress
_DIGITS = "0123456789abcdef"


class UnreadableError(TaskError):
    """A digit of the result depends on digits that are read later, or does not fit."""


@final
@dataclass(frozen=True, eq=False)
class QueryBlock:
    """Words with the outputs that a machine must emit for them.

    Attributes:
        letters: The words, padded to one length, shape (T, N).
        expected: The correct outputs, shape (T, N), or (1, N) if all that count are the same.
        first: For each word the first step whose output counts, shape (N,).
        results: The results of the function, N integers.
    """

    letters: NDArray[np.uint16]
    expected: NDArray[np.uint16]
    first: NDArray[np.intp]
    results: list[int] = field(repr=False)

    def find_error(self, machine: MealyMachine) -> tuple[int, int] | None:
        """Return step and column of a first wrong output of a machine, or None."""
        differs = machine.run(self.letters) != self.expected
        differs &= np.arange(len(self.letters))[:, None] >= self.first
        if not differs.any():
            return None
        step = int(differs.any(axis=1).argmax())
        return step, int(differs[step].argmax())


@final
@dataclass(eq=False)
class FunctionOracle:
    """Answers queries about words by calling a function.

    Args:
        function: The function.
        operands: Number of operands.
        base: 2 to 16.
        order: Which digit is read first.
        delay: Steps before the first digit of the result.
        limit: Words that may be asked, at most; None: as many as a learner needs.
        progress: Called with the number of words asked so far, and ``total``.
        total: Words that are expected to be asked.

    Attributes:
        asked: Calls of the function so far.
        seconds: Time that they took.
        cut: Whether the learner stopped asking because of the clock.
    """

    function: EncodedFunction
    operands: int
    base: int
    order: Order
    delay: int
    limit: int | None = None
    progress: QueryProgress | None = None
    total: int = 1
    asked: int = field(default=0, init=False)
    seconds: float = field(default=0.0, init=False)
    cut: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self.name, self.symbols = self.function.name, self.function.symbols
        self.letters, self.outputs = self.base**self.operands, len(self.symbols) or self.base
        self._digits = to_digits(np.arange(self.letters), self.operands, base=self.base)
        self._texts = [[_DIGITS[digit] for digit in row] for row in self._digits.tolist()]
        self._outputs: dict[Word, int] = {}
        self._sample: list[tuple[tuple[int, ...], int]] = []

    def last(self, word: Word) -> int:
        """Return the output after the last letter of a word."""
        if word not in self._outputs:
            self._outputs[word] = self._last(word)
        return self._outputs[word]

    def _last(self, word: Word) -> int:
        place = len(word) - 1 - self.delay
        if place < 0:
            return 0
        result = self._call(self.values(word))
        if self.symbols:
            return result
        # Most significant digit first, the last digit read is always at the lowest place.
        power: int = self.base ** (place if self.order == "least" else 0)
        return result // power % self.base

    def _call(self, operands: tuple[int, ...]) -> int:
        if self.limit is not None and self.asked >= self.limit:
            raise TaskError(
                f"{self.name}: its machine is not found after asking {self.asked:,} words; ask "
                "more (ask=N, on the command line --ask N), or omit ask"
            )
        self.asked += 1
        start = time.perf_counter()
        result = self.function(*operands)
        self.seconds += time.perf_counter() - start
        if len(self._sample) < _TWICE:
            self._sample.append((operands, result))
        if self.asked % _REPORT_EVERY == 0:
            self.report()
        return result

    @property
    def left(self) -> int:
        """Words that may still be asked; if there is no limit, more than any learner needs."""
        return 2**62 if self.limit is None else self.limit - self.asked

    def report(self) -> None:
        """Report progress."""
        if self.progress is not None:
            self.progress(min(self.asked, self.total), self.total)

    def values(self, word: Sequence[int]) -> tuple[int, ...]:
        """Return the naturals that a word holds."""
        read = word if self.order == "most" else word[::-1]
        # Parsing a string is the fastest way from digits to an integer.
        return tuple(
            int("".join([texts[letter] for letter in read]) or "0", self.base)
            for texts in self._texts
        )

    def block(self, letters: Letters) -> QueryBlock:
        """Ask about many words, with one call of the function for each.

        Args:
            letters: Words of one length, shape (T, N); shorter ones are padded with zeros.

        Raises:
            TaskError: The function fails, or returns something else.
            UnreadableError: A result does not fit.
        """
        digits = self._digits[:, letters]
        columns = [from_digits(each, base=self.base, order=self.order) for each in digits]
        start = time.perf_counter()
        results = self.function.many(columns)
        self.seconds += time.perf_counter() - start
        self.asked += len(results)
        self._sample.append((tuple(column[-1] for column in columns), results[-1]))
        self.report()
        lengths = self.lengths(letters)
        if self.symbols:
            return self._symbol_block(letters, results, lengths)
        return self._number_block(letters, results, lengths, columns)

    def lengths(self, letters: Letters) -> NDArray[np.intp]:
        """Return how many digits the operands of words (T, N) have, shape (N,)."""
        used = letters != 0
        ends = used[::-1] if self.order == "least" else used
        lengths = np.where(used.any(axis=0), len(letters) - ends.argmax(axis=0), 1)
        return np.asarray(lengths, np.intp)

    def _symbol_block(
        self, letters: Letters, results: list[int], lengths: NDArray[np.intp]
    ) -> QueryBlock:
        # Leading zeros must not change the result, so one is added.
        padded = self._padded(letters, 1)
        steps = len(padded)
        # Most significant digit first, a prefix of the word holds other operands.
        first = lengths - 1 if self.order == "least" else np.full_like(lengths, steps - 1)
        return QueryBlock(padded, np.array([results], np.uint16), first, results)

    def _number_block(
        self,
        letters: Letters,
        results: list[int],
        lengths: NDArray[np.intp],
        columns: list[list[int]],
    ) -> QueryBlock:
        signed = min(results) < 0
        extremes = min(results), max(results)
        digits = max(count_digits(value, self.base, signed=signed) for value in extremes)
        self._check_room(results, lengths, columns, digits)
        steps = max(len(letters), digits) + 1
        padded = self._padded(letters, steps - len(letters) + self.delay)
        expected = to_digits(results, steps, base=self.base, order=self.order)
        expected = np.pad(expected, ((self.delay, 0), (0, 0)))
        first = np.full_like(lengths, self.delay)
        return QueryBlock(padded, expected.astype(np.uint16), first, results)

    def _padded(self, letters: Letters, more: int) -> NDArray[np.uint16]:
        sides = (0, more) if self.order == "least" else (more, 0)
        return np.pad(letters.astype(np.uint16), (sides, (0, 0)))

    def _check_room(
        self,
        results: list[int],
        lengths: NDArray[np.intp],
        columns: list[list[int]],
        digits: int,
    ) -> None:
        """Refuse results that do not fit into the words that a machine reads."""
        if self.order == "least":
            if digits <= int(lengths.min()) + MAX_STATES + self.delay:
                return
            most = max(range(len(results)), key=lambda i: abs(results[i]))
            if digits > int(lengths[most]) + MAX_STATES + self.delay:
                shown = self.function.shown([column[most] for column in columns])
                raise TaskError(
                    f"{shown} has {digits} digits: {self.name} is not finite-state, as far as "
                    f"{MAX_STATES} states can tell. A result may have as many digits more than "
                    "the operands as the machine has states"
                )
            return
        powers = [self.base**length for length in range(int(lengths.max()) + 1)]
        for i, (result, length) in enumerate(zip(results, lengths.tolist(), strict=True)):
            if not 0 <= result < powers[length]:
                shown = self.function.shown([column[i] for column in columns])
                raise UnreadableError(
                    f"{shown} is {short(result)}, which has no room in {length} digits: most "
                    "significant digit first, the result must be a natural with no more digits "
                    "than the operands"
                )

    def counterexample(self, block: QueryBlock, step: int, column: int) -> Word:
        """Return the prefix of a word on which a machine errs, up to the wrong output.

        Raises:
            UnreadableError: For that prefix the function itself has another digit there.
        """
        prefix: Word = tuple(block.letters[: step + 1, column].tolist())
        expected = int(block.expected[step % len(block.expected), column])
        if self.last(prefix) != expected:
            raise self._early(tuple(block.letters[:, column].tolist()), prefix, step)
        return prefix

    def _early(self, word: Word, prefix: Word, step: int) -> UnreadableError:
        self.check_repeatable()
        whole, part = (self.function.shown(self.values(each)) for each in (word, prefix))
        return UnreadableError(
            f"digit {step - self.delay} of {whole} ({self.order} significant first) differs from "
            f"that of {part}, although the digits read so far are the same: it depends on digits "
            "that come later"
        )

    def check_repeatable(self) -> None:
        """Ask a sample of the words again.

        Raises:
            TaskError: A result has changed.
        """
        for operands, before in self._sample:
            now = self.function(*operands)
            if now != before:
                first, second = (self.function.result_text(code) for code in (before, now))
                raise TaskError(
                    f"{self.function.shown(operands)} was {first} and is {second} when asked "
                    "again: the function must always return the same result for the same operands"
                )
