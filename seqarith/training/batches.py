"""Training words: a function of seed and step alone, so that a run can resume at any step."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import final

import numpy as np
from numpy.typing import NDArray

from seqarith.cells.cell import Array
from seqarith.losses import encode
from seqarith.machine import MealyMachine
from seqarith.tasks.sampling import Sampler
from seqarith.tasks.task import Letters
from seqarith.training.config import TrainingConfig

STREAM_INITIAL, STREAM_WORDS, STREAM_NOISE, STREAM_COUNTEREXAMPLES = range(4)
_CHUNK_LETTERS = 2**16


def stream(seed: int, *key: int) -> np.random.Generator:
    """Return the random generator for one purpose of a run, independent of all others."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


class Batches(ABC):
    """The words of every step of a run, drawn for many steps at once: a draw has a fixed cost."""

    steps: int
    """Length T of the words."""

    def __init__(self, config: TrainingConfig, steps: int) -> None:
        self.steps = steps
        self._config = config
        self._chunk = max(1, min(32, _CHUNK_LETTERS // (steps * config.batch)))
        self._number = -1

    @abstractmethod
    def words(self, first: int, count: int) -> Letters:
        """Return the words of ``count`` steps from step ``first``, shape (T, count * B)."""

    def __call__(self, step: int) -> tuple[Array, Array]:
        """Return input vectors (T, B, D) and targets (T * B, K) of a step, numbered from 0."""
        number, offset = divmod(step, self._chunk)
        if number != self._number:
            self._draw(number)
        return self._inputs[offset], self._targets[offset]

    def letters(self, step: int) -> Letters:
        """Return the words of a step, shape (T, B)."""
        self(step)
        words: Letters = self._letters[step % self._chunk]
        return words

    def moves(self, step: int) -> NDArray[np.integer]:
        """Return the machine's state before and the letter of every step of a step's words.

        Returns:
            ``state * A + letter``, shape (T * B,).
        """
        self(step)
        moves: NDArray[np.integer] = self._moves[step % self._chunk]
        return moves

    def _draw(self, number: int) -> None:
        config, batch = self._config, self._config.batch
        task = config.built_task
        letters = self.words(number * self._chunk, self._chunk)
        by_step = (self.steps, self._chunk, batch)
        self._letters = np.ascontiguousarray(letters.reshape(by_step).swapaxes(0, 1))
        self._inputs = config.vectors.astype(config.dtype)[self._letters]
        expected = task.expected(letters).reshape(by_step).swapaxes(0, 1)
        symbols = expected.reshape(self._chunk, self.steps * batch)
        if config.synchrony_weight and task.machine is not None:
            self._moves = _moves(task.machine, self._letters)
        self._targets = encode(symbols, config.network.outputs, config.dtype)
        self._number = number


def _moves(machine: MealyMachine, letters: Letters) -> NDArray[np.integer]:
    """Return state * A + letter for words (C, T, B), shape (C, T * B), in a small type."""
    states = machine.trace(letters.swapaxes(0, 1))[:-1].swapaxes(0, 1)
    moves = (states * machine.letters + letters).reshape(len(letters), -1)
    return moves.astype(np.min_scalar_type(machine.states * machine.letters))


@final
class SampledBatches(Batches):
    """Words from `seqarith.tasks.sampling.Sampler`."""

    def __init__(self, config: TrainingConfig) -> None:
        self._sampler = Sampler(config.built_task, config.bits)
        super().__init__(config, self._sampler.steps)

    def words(self, first: int, count: int) -> Letters:
        rng = stream(self._config.seed, STREAM_WORDS, first)
        return self._sampler.draw(rng, count * self._config.batch)
