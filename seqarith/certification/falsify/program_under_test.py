"""The program under test, beside the machine that says which digits are expected.

Words are time first, shape (T, N). Nothing here is an estimate: every verdict comes from a run.
"""

from __future__ import annotations

from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from seqarith.certification.adapter import reference_machine
from seqarith.digits import Order
from seqarith.model import Model
from seqarith.network import InferencePass, emitted, margins
from seqarith.tasks.task import Task

Floats = NDArray[Any]
Ints = NDArray[Any]
Bools = NDArray[np.bool_]


@final
class ProgramUnderTest:
    """A program that may be wrong, and the digits that are expected.

    Args:
        program: The floating-point program, in the dtype that it is used in.
        task: The task.

    Attributes:
        machine: The reference machine, which starts in state 0.
        letters: Number of its letters A.
        states: Number of its states Q.
        next_state: Its successors, shape (Q, A).
        output: The expected digit, shape (Q, A); one more than the last digit where any will do.
    """

    def __init__(self, program: InferencePass, task: Task) -> None:
        self.machine = machine = reference_machine(task)
        self.letters, self.states = machine.letters, machine.states
        self.next_state, self.output = machine.next_state, machine.output
        self.step, self.start = program.step, program.start(1)[0]
        self.logits = program.logits
        self.order: Order = task.order
        self._free = machine.outputs - 1
        self._ever_free = bool((self.output == self._free).any())

    @staticmethod
    def of(model: Model) -> ProgramUnderTest:
        """Return the program of a model."""
        return ProgramUnderTest(model.program, model.task)

    def wrong(self, hidden: Floats, digits: Ints) -> Bools:
        """Return where the digit emitted at memories (N, M) is not the expected one (N,)."""
        bad: Bools = emitted(self.logits(hidden)) != digits
        return bad & (digits != self._free) if self._ever_free else bad

    def margins(self, hidden: Floats, digits: Ints) -> Floats:
        """Return how far the expected digits (N,) are from being wrong at memories (N, M)."""
        if not self._ever_free:
            return margins(self.logits(hidden), digits)
        free = digits == self._free
        least: Floats = margins(self.logits(hidden), np.where(free, 0, digits))
        least[free] = np.inf
        return least

    def first_errors(self, words: Ints) -> Ints:
        """Return the step of the first wrong digit of every word (N,); T if none is wrong."""
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
        """Run one word (T,) alone; return it up to its first wrong digit, None if it has none.

        A matrix product may round a single row differently from a row of a batch, so a word that a
        batch gets wrong is run again alone, as a user would run it.
        """
        if word is None:
            return None
        at = int(self.first_errors(word[:, None])[0])
        return word[: at + 1] if at < len(word) else None

    def rank(self, word: Ints) -> tuple[int, tuple[int, ...]]:
        """Return a sort key of words (T,): shorter words first, then smaller operands."""
        letters = word[::-1] if self.order == "least" else word
        return len(word), tuple(letters.tolist())

    def appended(self, count: int) -> tuple[Ints, Ints]:
        """Return the parent among ``count`` words, and the last letter, of every longer word.

        If the parents are in order, so are the children: the new letter is the most significant one
        of its word, or the least, depending on the task's order of digits.
        """
        parents, letters = np.arange(count), np.arange(self.letters)
        if self.order == "least":
            return np.tile(parents, self.letters), np.repeat(letters, count)
        return np.repeat(parents, self.letters), np.tile(letters, count)
