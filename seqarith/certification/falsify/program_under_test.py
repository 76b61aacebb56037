"""What the search for a wrong word runs: the program, beside the machine of the task.

Words are time first, shape (T, N). What is found is exact: nothing here is an estimate.
"""

from __future__ import annotations

from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from seqarith.certification.adapter import due
from seqarith.digits import Order
from seqarith.model import Model
from seqarith.network import Program, emitted, margins
from seqarith.tasks.task import Task

Floats = NDArray[Any]
Ints = NDArray[Any]
Bools = NDArray[np.bool_]


@final
class ProgramUnderTest:
    """A program that may be wrong, and the digits that are due.

    Args:
        program: The floating-point program, in the dtype that it is used in.
        task: What it should compute.

    Attributes:
        letters: Number of letters A.
        states: Number of states Q of the machine; it starts in state 0.
        next_state: Its successors, shape (Q, A).
        output: The digit that is due, shape (Q, A); one more than the last where any will do.
    """

    def __init__(self, program: Program, task: Task) -> None:
        machine = due(task)
        self.letters, self.states = machine.letters, machine.states
        self.next_state, self.output = machine.next_state, machine.output
        self.step, self.start = program.step, program.start(1)[0]
        self.order: Order = task.order
        self._logits = program.logits
        self._free = machine.outputs - 1
        self._ever_free = bool((self.output == self._free).any())

    @staticmethod
    def of(model: Model) -> ProgramUnderTest:
        """Return the suspect that a model is."""
        return ProgramUnderTest(model.program, model.task)

    def wrong(self, hidden: Floats, digits: Ints) -> Bools:
        """Say where the digit that is emitted at hidden vectors (N, M) is not the one due (N,)."""
        bad: Bools = emitted(self._logits(hidden)) != digits
        return bad & (digits != self._free) if self._ever_free else bad

    def margins(self, hidden: Floats, digits: Ints) -> Floats:
        """Return how far the digits due (N,) are from being wrong at hidden vectors (N, M)."""
        if not self._ever_free:
            return margins(self._logits(hidden), digits)
        free = digits == self._free
        least: Floats = margins(self._logits(hidden), np.where(free, 0, digits))
        least[free] = np.inf
        return least

    def trace(self, words: Ints) -> Ints:
        """Return the machine's states before every letter and after the last, (T + 1, N)."""
        states = np.zeros((len(words) + 1, words.shape[1]), np.intp)
        for t, letters in enumerate(words):
            states[t + 1] = self.next_state[states[t], letters]
        return states

    def first_errors(self, words: Ints) -> Ints:
        """Return the place of the first wrong digit of every word (N,); T where all are right."""
        count = words.shape[1]
        found = np.full(count, len(words), np.intp)
        lanes = np.arange(count)
        hidden = np.repeat(self.start[None], count, axis=0)
        states = np.zeros(count, np.intp)
        for t in range(len(words)):
            letters = words[t, lanes]
            hidden = self.step(hidden, letters)
            bad = self.wrong(hidden, self.output[states, letters])
            states = self.next_state[states, letters]
            if bad.any():
                found[lanes[bad]] = t
                hidden, states, lanes = hidden[~bad], states[~bad], lanes[~bad]
                if not len(lanes):
                    break
        return found

    def confirmed(self, word: Ints | None) -> Ints | None:
        """Run one word (T,) alone and cut it after its first wrong digit; None where it has none.

        A product of one row may round otherwise than one of many rows, so what a batch calls
        wrong is run again as a user would run it.
        """
        if word is None:
            return None
        at = int(self.first_errors(word[:, None])[0])
        return word[: at + 1] if at < len(word) else None

    def rank(self, word: Ints) -> tuple[int, tuple[int, ...]]:
        """Order words (T,): shorter ones first, then smaller operands first."""
        letters = word[::-1] if self.order == "least" else word
        return len(word), tuple(letters.tolist())

    def appended(self, count: int) -> tuple[Ints, Ints]:
        """Return which of ``count`` words each child goes on from, and with which letter.

        Children of words in order are in order: the new letter is the most significant one of
        its word, or the least, as the task reads its digits.
        """
        parents, letters = np.arange(count), np.arange(self.letters)
        if self.order == "least":
            return np.tile(parents, self.letters), np.repeat(letters, count)
        return np.repeat(parents, self.letters), np.tile(letters, count)
