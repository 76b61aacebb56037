"""Networks side by side, and all they learn by, a step at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, final

import numpy as np
from numpy.typing import NDArray

from seqarith.cells.cell import Array
from seqarith.errors import DivergedError
from seqarith.model import Model
from seqarith.optimizers import SCRATCH
from seqarith.training.batched import BatchedNetworks
from seqarith.training.batches import Batches, SampledBatches
from seqarith.training.config import TrainingConfig
from seqarith.training.counterexamples import SEEK_EVERY, CounterexampleTraining
from seqarith.training.regularizers import Regularizers
from seqarith.training.stopping import StoppingCriterion

if TYPE_CHECKING:
    from seqarith.training.interval_training import IntervalTraining

CHECK_EVERY = 10
"""Steps between two looks at whether the goal may be reached."""


@final
class Engine:
    """The state of a run, and how it moves on.

    Args:
        config: The settings; ``candidates`` is the number S of networks.
        seeds: The seed of each network's initial weights; None: all follow from the run's. Then
            the networks are hardened together, as the best of them bears it, else each by itself.
        beside: The seeds that the networks began with side by side; default: these.

    Attributes:
        step: Steps done.
        batches, stack, hardening, lessons, clouds: See their modules; ``clouds`` is None where the
            networks learn from words.
        examiner: Judges the networks.
    """

    def __init__(
        self,
        config: TrainingConfig,
        seeds: Sequence[int] | None = None,
        beside: Sequence[int] | None = None,
    ) -> None:
        self.config, self.seeds, self.step = config, seeds, 0
        self._beside = seeds if beside is None else beside
        self.batches = _batches(config)
        self.examiner = StoppingCriterion(config, self.batches.steps)
        self.stack = BatchedNetworks(config, seeds)
        noisy = config.hidden_noise > 0
        self._pass = self.stack.over(self.batches.steps, config.batch, noisy)
        self.hardening = Regularizers(config, self._pass.unroll, each=seeds is not None)
        self.lessons = CounterexampleTraining(config, self.stack, [])
        self.clouds = _clouds(config, self.stack)
        self._begin(0)

    def advance(self) -> None:
        """Make one step; where the networks have had their patience, they begin anew before."""
        patience = self.config.patience
        attempt, before = divmod(self.step, patience) if patience else (0, self.step)
        if before == 0 and attempt > 0:
            self._begin(attempt)
        if self.clouds is not None:
            self._learn_from(self.clouds, before)
        else:
            self._learn_from_words(before)

    def _begin(self, attempt: int) -> None:
        self.stack.begin(attempt)
        self.hardening.begin()
        if self.clouds is not None:
            self.clouds.begin()

    def _learn_from(self, clouds: IntervalTraining, before: int) -> None:
        """Make a step on the machine itself; words only tell how far the network is."""
        inputs, targets = self.batches(self.step)
        if (self.step + 1) % CHECK_EVERY == 0:
            self._pass.run(inputs, targets)
        clouds.learn()
        self.step += 1
        rate = self.config.rate_at(self.step) * clouds.pace.fading(before, self.config.patience)
        clouds.update(rate, before + 1)

    def _learn_from_words(self, before: int) -> None:
        self.hardening.disturb(self.step)
        inputs, targets = self.batches(self.step)
        self._pass.run(inputs, targets, self._pull if self.hardening.active else None)
        self.lessons.teach(self.step)
        self.step += 1
        self.stack.update(self.config.rate_at(self.step), before + 1)

    def _pull(self) -> None:
        self.hardening.pull(self.batches.moves(self.step))

    def logits(self, index: int) -> Array:
        """Return the logits of one network on the words of the last step, shape (T * B, K)."""
        logits = self._pass.unroll.logits
        one: Array = logits.reshape(-1, *logits.shape[-2:])[index]
        return one

    def shares(self) -> NDArray[np.float64]:
        """Return each network's share of right digits on the words of the last step, (S,)."""
        letters, count = self.batches.letters(self.step - 1), self.config.candidates
        right = (self.examiner.right(self.logits(row), letters) for row in range(count))
        return np.array([each.mean() for each in right])

    def promising(self) -> bool:
        """Return whether a network may have reached the goal, as far as is cheaply known."""
        if self.config.goal == "steps":
            return False
        return self.clouds is None or self.clouds.promising()

    def seek(self, row: int, share: float) -> None:
        """Search, where that is due, for a word on which a network is wrong."""
        due = self.config.goal == "proved" and self.step % SEEK_EVERY == 0
        if due and share >= self.examiner.needed:
            self.lessons.seek(self.model(row))

    def model(self, index: int) -> Model:
        """Return one of the networks, with what it was made by.

        One that was trained beside others names their seeds: they fix its words and its noise.
        """
        training = {**self._description, "steps": self.step}
        if self.seeds is not None:
            training |= {"seed": self.seeds[index], "candidates": 1}
            if self._beside is not None and len(self._beside) > 1:
                training["beside"] = list(self._beside)
        config, parameters = self.config, self.stack.parameters(index)
        return Model(config.built_task, config.network, parameters, training)

    @cached_property
    def _description(self) -> dict[str, Any]:
        settings = self.config.describe()
        settings.pop("own", None)  # the model's own task says it
        return settings

    def kept(self, rows: Sequence[int]) -> Engine:
        """Return the course of some of the networks alone, each with a seed of its own."""
        assert self.seeds is not None
        config = replace(self.config, candidates=len(rows))
        other = Engine(config, [self.seeds[row] for row in rows], self._beside)
        other.step, other.batches, other.lessons.words = self.step, self.batches, self.lessons.words
        _copy_rows(self.stack.flat, other.stack.flat, rows)
        for name in self.stack.memory.keys() - {SCRATCH}:
            _copy_rows(self.stack.memory[name], other.stack.memory[name], rows)
        other.hardening.begun[...] = self.hardening.begun[rows]
        other.hardening.level[...] = self.hardening.level[rows]
        if self.clouds is not None and other.clouds is not None:
            _copy_rows(self.clouds.state, other.clouds.state, rows)
        return other

    def check_finite(self, rows: Sequence[int] | slice = slice(None)) -> None:
        """Refuse to go on with what is no number, in some of the networks or in any.

        Raises:
            DivergedError: A parameter is not finite.
        """
        if not np.isfinite(self.stack.flat.reshape(-1, self.config.network.size)[rows]).all():
            raise DivergedError(
                f"training diverged before step {self.step}: parameters are not finite; lower the "
                f"learning rate (now {self.config.initial_learning_rate:g}) or clip the gradient "
                "(--clip 1)"
            )


def _copy_rows(source: Array, target: Array, rows: Sequence[int]) -> None:
    """Copy the rows of some networks; one network alone has no leading axis."""
    size = source.shape[-1]
    target.reshape(-1, size)[...] = source.reshape(-1, size)[rows]


def _batches(config: TrainingConfig) -> Batches:
    if config.preset == "tutorial":
        from seqarith.training.tutorial import TutorialBatches

        return TutorialBatches(config)
    return SampledBatches(config)


def _clouds(config: TrainingConfig, stack: BatchedNetworks) -> IntervalTraining | None:
    if not config.interval_size:
        return None
    from seqarith.training.interval_training import IntervalTraining

    return IntervalTraining(config, stack)
