"""A function on integers as a machine would speak it: words in, one output a letter."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from itertools import product
from typing import Any, final

import numpy as np

from seqarith.digits import Order, count_digits, to_digits
from seqarith.errors import TaskError
from seqarith.machine import MealyMachine
from seqarith.tasks.task import Letters

Word = tuple[int, ...]
_ALL = 4096  # words of one length that are all tried, at most
_LONG = (12, 40, 150)  # lengths of random words
_RANDOM = 60  # random words of each of these lengths


@final
class Spoken:
    """A function with its encoding, before anything is known of a machine.

    Args:
        function: Takes naturals; returns an integer, or one of ``symbols``.
        name: For messages.
        operands: Number of operands.
        base: 2 to 16.
        order: Which digit is read first.
        delay: Steps before the first digit of the result.
        symbols: Where given, what the function may return.
    """

    def __init__(
        self,
        function: Callable[..., object],
        name: str,
        operands: int,
        base: int,
        order: Order,
        delay: int,
        symbols: tuple[str, ...],
    ) -> None:
        self._function, self.name = function, name
        self.operands, self.base, self.order = operands, base, order
        self.delay, self.symbols = delay, symbols
        self.letters = base**operands
        self.outputs = len(symbols) or base
        self._digits = to_digits(np.arange(self.letters), operands, base=base).T.tolist()
        self._said: dict[Word, int] = {}

    def call(self, *operands: int) -> int:
        """Return the function's result; a symbol's number where it has symbols.

        Raises:
            TaskError: It fails, or returns something else.
        """
        shown = f"{self.name}({', '.join(map(_short, operands))})"
        try:
            result: Any = self._function(*operands)
        except Exception as error:
            what = " ".join(f"{type(error).__name__}: {error}".split())
            raise TaskError(f"{shown} fails with {what}") from None
        if self.symbols and result in self.symbols:
            return self.symbols.index(str(result))
        whole = isinstance(result, int | np.integer)
        if whole and (not self.symbols or 0 <= int(result) < len(self.symbols)):
            return int(result)
        wanted = f"{', '.join(self.symbols)} or its number" if self.symbols else "an integer"
        said = _short(int(result)) if whole else repr(str(result)[:40])
        raise TaskError(f"{shown} is {said}; expected {wanted}")

    def last(self, word: Word) -> int:
        """Return what is said with the last letter of a word."""
        if word not in self._said:
            self._said[word] = self._last(word)
        return self._said[word]

    def _last(self, word: Word) -> int:
        place = len(word) - 1 - self.delay
        if place < 0:
            return 0
        result = self.call(*self.values(word))
        if self.symbols:
            return result
        return (
            result // self.base**place % self.base if self.order == "least" else result % self.base
        )

    def values(self, word: Sequence[int]) -> list[int]:
        """Return the naturals that a word holds."""
        values = [0] * self.operands
        for letter in word if self.order == "most" else reversed(word):
            digits = self._digits[letter]
            values = [value * self.base + d for value, d in zip(values, digits, strict=True)]
        return values

    def disagreement(self, machine: MealyMachine) -> Word | None:
        """Return a word on which a machine says something else than the function, if one is found.

        Tried are all words up to a length, and random long ones.

        Raises:
            TaskError: A digit of a result depends on digits that are read after it is due.
        """
        for letters, words, results in self._trials:
            wrong = self._wrong(machine, letters, words, results)
            if wrong is not None:
                return wrong
        return None

    @cached_property
    def _trials(self) -> list[tuple[Letters, list[Word], list[int]]]:
        """What is tried: letters, shape (T, N), the same as N words, and their results."""
        trials = []
        for letters in self._tried_letters():
            words = [tuple(word) for word in letters.T.tolist()]
            results = [self.call(*self.values(word)) for word in words]
            trials.append((letters, words, results))
        return trials

    def _tried_letters(self) -> Iterator[Letters]:
        length = 1
        while self.letters**length <= _ALL:
            yield np.array(list(product(range(self.letters), repeat=length)), np.intp).T
            length += 1
        rng = np.random.default_rng(0)
        for length in _LONG:
            drawn: Letters = rng.integers(self.letters, size=(length, _RANDOM))
            # Half of them in runs of one letter, through which much may have to be remembered.
            again = rng.random(drawn.shape) < np.linspace(-1, 1, _RANDOM)
            yield np.where(again, drawn[0], drawn)

    def _wrong(
        self, machine: MealyMachine, letters: Letters, words: list[Word], results: list[int]
    ) -> Word | None:
        if self.symbols:
            pairs = zip(machine.run(letters)[-1].tolist(), results, strict=True)
            return next(
                (w for w, (said, due) in zip(words, pairs, strict=True) if said != due), None
            )
        padded, due = self._due(letters, results)
        said = machine.run(padded)
        differs = np.argwhere((said != due)[self.delay :])
        if not len(differs):
            return None
        step, column = int(differs[0, 0]) + self.delay, int(differs[0, 1])
        prefix = tuple(padded[: step + 1, column].tolist())
        if self.last(prefix) == said[step, column]:
            raise self._early(words[column], results[column], prefix)
        return prefix

    def _due(self, letters: Letters, results: list[int]) -> tuple[Letters, Letters]:
        """Return the words with room for the results, and the right output for every step."""
        if self.order == "most":
            for word, result in zip(letters.T.tolist(), results, strict=True):
                if not 0 <= result < self.base ** len(word):
                    raise self._too_long(word, result)
            due = to_digits(results, len(letters), base=self.base, order="most")
            return letters, due.astype(np.intp)
        signed = min(results) < 0
        digits = max(count_digits(result, self.base, signed=signed) for result in results)
        steps = max(len(letters), digits) + 1 + self.delay
        padded = np.pad(letters, ((0, steps - len(letters)), (0, 0)))
        due = to_digits(results, steps - self.delay, base=self.base).astype(np.intp)
        return padded, np.pad(due, ((self.delay, 0), (0, 0)))

    def _too_long(self, word: Word, result: int) -> TaskError:
        shown = ", ".join(map(_short, self.values(word)))
        return TaskError(
            f"{self.name}({shown}) is {_short(result)}, which has no room in {len(word)} digits: "
            "most significant digit first, the result must be a natural with no more digits than "
            "the operands. Read it least significant first, or give symbols"
        )

    def _early(self, word: Word, result: int, prefix: Word) -> TaskError:
        whole, part = (
            f"{self.name}({', '.join(map(_short, self.values(letters)))})"
            for letters in (word, prefix)
        )
        other = "most significant first or with a delay"
        if self.order == "most":
            other = "least significant first"
        place = len(prefix) - 1 - self.delay
        return TaskError(
            f"{whole} is {_short(result)}: digit {place} of it, {self.order} significant first, is "
            f"another than of {part}, where the same digits have been read. It depends on digits "
            f"that come later. Read {other}, or, where there are few results, give symbols"
        )


def _short(value: int) -> str:
    return str(value) if abs(value) < 10**12 else f"an integer of {value.bit_length()} bits"
