"""Words on which a network was found to be wrong, and that it now learns besides."""

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
"""Steps between two searches for a wrong word."""

MOST, BATCH = 64, 32
"""Words that are kept, words of a batch."""


@final
class CounterexampleTraining:
    """The words, oldest first; a function of the run alone.

    Args:
        config: The settings of the run.
        networks: Those that learn.
        words: Those that an earlier part of the run has found.
    """

    def __init__(
        self, config: TrainingConfig, networks: BatchedNetworks, words: list[list[int]]
    ) -> None:
        self.words = words
        self._config, self._task, self._networks = config, config.built_task, networks
        self._pass: Pass | None = None

    def search(self, model: Model) -> None:
        """Search for a word on which a model is wrong; its last letters are what is learnt."""
        from seqarith.certification.falsify.falsifier import Falsifier
        from seqarith.certification.falsify.program_under_test import ProgramUnderTest

        found = Falsifier(ProgramUnderTest.of(model), model.task, MAX_WORD).search_briefly()
        if found is not None:
            self.words = [*self.words, found.word[-MAX_WORD:].tolist()][-MOST:]
            self._pass = None

    def add_gradient(self, step: int) -> None:
        """Add the gradient of a batch of these words to the networks', if there are any."""
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
