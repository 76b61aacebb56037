"""Counterexample training: a network also learns words on which it was wrong."""

from __future__ import annotations

from typing import final

import numpy as np

from seqarith.formats import MAX_WORD
from seqarith.losses import encode
from seqarith.model import Model
from seqarith.tasks.task import Letters
from seqarith.training.batched import BatchedNetworks, Pass
from seqarith.training.batches import STREAM_COUNTEREXAMPLES, stream
from seqarith.training.config import TrainingConfig

SEARCH_EVERY = 500
"""Steps between two searches for a counterexample."""

MOST, BATCH = 64, 32
"""Largest number of words kept, and words in a batch."""


@final
class CounterexampleTraining:
    """Counterexamples, oldest first, and training on them.

    Args:
        config: The settings of the run.
        networks: The networks that learn.
        words: Words from an earlier part of the run.
    """

    def __init__(
        self, config: TrainingConfig, networks: BatchedNetworks, words: list[list[int]]
    ) -> None:
        self.words = words
        self._config, self._task, self._networks = config, config.built_task, networks
        self._pass: Pass | None = None

    def search(self, model: Model) -> None:
        """Search for a word on which a model is wrong, and keep its last letters."""
        from seqarith.certification.falsify.falsifier import Falsifier
        from seqarith.certification.falsify.program_under_test import ProgramUnderTest

        found = Falsifier(ProgramUnderTest.of(model), model.task, MAX_WORD).search_briefly()
        if found is not None:
            self.words = [*self.words, found.word[-MAX_WORD:].tolist()][-MOST:]
            self._pass = None

    def add_gradient(self, step: int) -> None:
        """Add the gradient of a batch of these words, if there are any."""
        if not self.words:
            return
        letters = self._batch(step)
        config, before = self._config, self._networks.gradient.copy()
        self._pass = self._pass or self._networks.over(len(letters), BATCH)
        targets = encode(self._task.expected(letters), config.network.outputs, config.dtype)
        vectors = config.vectors.astype(config.dtype)
        self._pass.run(vectors[letters], targets.reshape(-1, config.network.outputs))
        np.add(self._networks.gradient, before, out=self._networks.gradient)

    def _batch(self, step: int) -> Letters:
        """Return the words, each followed by random letters, shape (T, BATCH)."""
        steps = max(map(len, self.words)) + self._task.delay + 1
        rng = stream(self._config.seed, STREAM_COUNTEREXAMPLES, step)
        letters = rng.integers(self._task.letters, size=(steps, BATCH))
        for place in range(BATCH):
            word = self.words[(step + place) % len(self.words)]
            letters[: len(word), place] = word
        return letters
