"""Draw words so that training sees rare events, above all long carry chains."""

from __future__ import annotations

from typing import final

import numpy as np
from numpy.typing import NDArray

from seqarith.tasks.task import Letters, Task


@final
class Sampler:
    """Random words of a task for operands of a given number of digits.

    Half of the words are uniform: every operand tuple is equally likely. A quarter favour one
    *class* of letters, those that act alike on the machine's states (for addition: those that
    kill, propagate or generate a carry), and a quarter favour one single letter. Both repeat
    their favourite in runs; the mean length of the runs is drawn for each word, from 1 to twice
    the number of digits. So carries travel as far as the word is long, and the largest operands
    occur.

    Args:
        task: The task.
        bits: Digits of each operand.

    Raises:
        TaskError: ``bits`` is out of range.
    """

    def __init__(self, task: Task, bits: int) -> None:
        self.task = task
        layout = task.natural_layout(bits)
        self.bits = bits
        self.steps = layout.steps
        self.places = task.digit_steps(layout)
        self._members, self._starts, self._sizes = _letter_classes(task)

    def draw(self, rng: np.random.Generator, count: int) -> Letters:
        """Return ``count`` words of the mixture, shape (T, count)."""
        kind = rng.integers(4, size=count)
        drawn = np.where(kind < 2, self._favouring(rng, kind), self._uniform(rng, count))
        return self._padded(drawn)

    def uniform(self, rng: np.random.Generator, count: int) -> Letters:
        """Return ``count`` words, every operand tuple equally likely, shape (T, count)."""
        return self._padded(self._uniform(rng, count))

    def favouring(self, rng: np.random.Generator, count: int) -> Letters:
        """Return ``count`` words of long runs, half by class, half by letter, shape (T, count)."""
        return self._padded(self._favouring(rng, rng.integers(2, size=count)))

    def _uniform(self, rng: np.random.Generator, count: int) -> Letters:
        return rng.integers(self.task.letters, size=(self.bits, count))

    def _favouring(self, rng: np.random.Generator, kind: NDArray[np.intp]) -> Letters:
        count = len(kind)
        shape = (self.bits, count)
        # Mean lengths of runs, 1 to twice the number of digits, uniform on a logarithmic scale.
        run = (2.0 * self.bits) ** rng.random(count)
        again = rng.random(shape) < 1 - 1 / run  # where a run of the favourite continues
        classes = rng.integers(len(self._sizes), size=shape)
        classes = np.where(again, rng.integers(len(self._sizes), size=count), classes)
        member = (rng.random(shape) * self._sizes[classes]).astype(np.intp)
        letters = self._members[self._starts[classes] + member]
        single = rng.integers(self.task.letters, size=count)
        return np.where(again & (kind == 1), single, letters)

    def _padded(self, letters: Letters) -> Letters:
        words = np.zeros((self.steps, letters.shape[1]), np.intp)
        words[self.places] = letters
        return words


def _letter_classes(
    task: Task,
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Return all letters ordered by class, and the start and size of each class.

    Two letters are in one class when they take every state to the same state.
    """
    if task.machine is None:
        letters = np.arange(task.letters)
        return letters, np.array([0]), np.array([task.letters])
    columns = task.machine.next_state.T
    _, classes, sizes = np.unique(columns, axis=0, return_inverse=True, return_counts=True)
    members = np.argsort(classes.reshape(-1), kind="stable")
    return members, np.cumsum(sizes) - sizes, sizes
